//! The findings of the intake. Their codes are ours: the bureau never sees such a record.

use crate::plan::RecordPlan;
use crate::record::Frames;
use crate::validate::{Finding, Severity};

/// What can be wrong before a record is one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    Character,
    ChildOrphan,
    ChildTable,
    Column,
    Forbidden,
    Json,
    KeyMissing,
    Meta,
    NameAmbiguous,
    NameMissing,
    NameRepeated,
    NameUnknown,
    Nesting,
    RecordOff,
    RecordUnknown,
    RowWidth,
    TooLarge,
    Utf8,
    Value,
}

impl Fault {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Character => "intake_character",
            Self::ChildOrphan => "intake_child_orphan",
            Self::ChildTable => "intake_child_table",
            Self::Column => "intake_column",
            Self::Forbidden => "intake_name_forbidden",
            Self::Json => "intake_not_json",
            Self::KeyMissing => "intake_key_missing",
            Self::Meta => "intake_meta",
            Self::NameAmbiguous => "intake_name_ambiguous",
            Self::NameMissing => "intake_name_missing",
            Self::NameRepeated => "intake_name_repeated",
            Self::NameUnknown => "intake_name_unknown",
            Self::Nesting => "intake_nesting",
            Self::RecordOff => "intake_record_off",
            Self::RecordUnknown => "intake_record_unknown",
            Self::RowWidth => "intake_row_width",
            Self::TooLarge => "intake_too_large",
            Self::Utf8 => "intake_not_utf8",
            Self::Value => "intake_value",
        }
    }

    /// The finding, about a place in a record of this type.
    pub(super) fn at(self, record: &str, path: String, (zh, en): (String, String)) -> Finding {
        let tag = path.rsplit('/').next().unwrap_or_default();
        let tag = if path == "." { "0000" } else { tag };
        Finding {
            rule: self.code().to_owned(),
            record: record.to_owned(),
            tag: tag.split('[').next().unwrap_or(tag).to_owned(),
            path,
            code: self.code().to_owned(),
            severity: Severity::Error,
            zh,
            en,
        }
    }

    /// The finding that records of this type may not be handed in.
    pub(super) fn off(record: &str) -> Finding {
        let (zh, en) = (
            "该记录类型未启用：应改用在用的记录类型；确需报送的，在叠加表edition.tsv的off中去掉该类型",
            "the record type is not in use: another should stand there; where it must be reported, \
             an overlay's edition.tsv leaves it out of `off`",
        );
        Self::RecordOff.whole(record, zh, en)
    }

    /// The finding about a line or row as a whole.
    pub(super) fn whole(self, record: &str, zh: &str, en: &str) -> Finding {
        self.at(record, ".".to_owned(), (zh.to_owned(), en.to_owned()))
    }
}

/// The path of a node, without the numbers of entries.
pub(super) fn path_of(plan: &RecordPlan, node: u16) -> String {
    if node == 0 {
        return ".".to_owned();
    }
    plan.path(&plan.nodes[node as usize], &Frames::default())
}

/// A value that a line of XML cannot hold (XML 1.0, section 2.2).
pub(super) fn cannot_stand(value: &str) -> bool {
    let odd = |b: u8| may_be_odd(b) && !matches!(b, b'\t' | b'\n' | b'\r');
    let control = |c: char| c < ' ' && !matches!(c, '\t' | '\n' | '\r');
    value.bytes().any(odd) && value.contains(|c| control(c) || matches!(c, '\u{fffe}' | '\u{ffff}'))
}

/// A byte of a control character, or with which U+FFFE and U+FFFF begin. Most values have none.
pub(super) fn may_be_odd(b: u8) -> bool {
    b < b' ' || b == 0xef
}

/// What to say of such a value.
pub(super) fn character(record: &str, path: String) -> Finding {
    let texts = (
        "该值含有XML不允许的字符，应删去".to_owned(),
        "the value holds a character that XML forbids; it should be taken out".to_owned(),
    );
    Fault::Character.at(record, path, texts)
}
