//! What to do about a record that the bureau rejected, by its code.
//!
//! The rule behind a code is the table's (`errors.tsv`), and so is the cure where
//! only the bureau can judge (`cures.tsv`); what else follows from a code is said
//! here: which item, and whether the record alone tells what is wrong.

use schemas::{
    edition::Edition,
    plan::{Element, RecordPlan},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A sentence in both languages.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
pub struct Both {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// Stands in the table for what concerns a file as a whole.
const FILE: &str = "file level";

impl Both {
    pub(super) fn of(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            zh: zh.into(),
            en: en.into(),
        }
    }
}

/// How to cure what a code says of a record of that type.
pub(super) fn of(edition: Option<&Edition>, record: &str, code: &str, tag: &str) -> Both {
    let official = edition.and_then(|edition| {
        let mut known = edition.official(code);
        known.find(|it| it.record == record || it.record == "all")
    });
    let Some(official) = official else {
        return Both::of(
            "该代码不在本系统的表中：请按征信机构的说明核对后改正；如为新代码，请更新数据表",
            "no table here knows the code: ask the bureau what it means, then correct the record; \
             if the code is new, bring the tables up to date",
        );
    };
    if official.stage.contains(FILE) {
        return Both::of(
            "整个报文未被加载：改正原因后放弃该文件名（give_up），其记录会写入另一个报文；内容无误时可原样重发（resend）",
            "nothing of the file was loaded: mend the cause and give the name up (give_up), its \
             records go into another file; where the bytes are right, deliver them again (resend)",
        );
    }
    if let Some(cure) = edition.and_then(|edition| edition.cure(record, code)) {
        let (zh, en) = cure.names();
        return Both::of(zh, en);
    }
    let element = edition
        .and_then(|edition| edition.plan(record))
        .and_then(|plan| named(plan, tag));
    let Some(element) = element else {
        return Both::of(
            "按上述规则核对整条记录的各数据项，改正后以@corrects重报",
            "check the items of the whole record by the rule above, then hand the mended record \
             in with `corrects`",
        );
    };
    let (zh, en) = (element.zh(), element.en());
    // The third letter of a code is its level (E value, D appearance).
    match code.as_bytes().get(2) {
        Some(b'D') => Both::of(
            format!("按上述规则补填或删去「{zh}」（{tag}），以@corrects重报"),
            format!(
                "fill in or leave out {en} ({tag}) as the rule above says, then hand the mended \
                 record in with `corrects`"
            ),
        ),
        _ => Both::of(
            format!("按上述规则改正「{zh}」（{tag}），以@corrects重报"),
            format!(
                "correct {en} ({tag}) by the rule above, then hand the mended record in with \
                 `corrects`"
            ),
        ),
    }
}

/// The element that bears a tag; the first in the order of the tables.
fn named<'p>(plan: &'p RecordPlan, tag: &str) -> Option<Element<'p>> {
    fn below<'p>(element: Element<'p>, tag: &str) -> Option<Element<'p>> {
        if element.tag() == tag {
            return Some(element);
        }
        let mut children = element.children();
        children.find_map(|child| below(child, tag))
    }
    (tag != "0000").then(|| below(plan.root(), tag)).flatten()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_cure_names_the_item_and_who_can_tell_what_is_wrong() {
        let edition = Edition::embedded("pboc-submit-personal", date(2026, 11, 24));
        let cases = [
            ("ABE001", "Cy", "币种", "correct "),
            ("ABD000", "Cy", "补填或删去", "fill in or leave out"),
            ("BLR020", "0000", "已关闭", "is closed at the bureau"),
            ("ABH005", "0000", "放弃该文件名", "give_up"),
            ("ZZZ999", "0000", "不在本系统的表中", "no table here"),
            ("BLR001", "0000", "整条记录", "whole record"),
        ];
        for (code, tag, zh, en) in cases {
            let cure = of(edition, "210", code, tag);
            assert!(cure.zh.contains(zh), "{code}: {cure:?}");
            assert!(cure.en.contains(en), "{code}: {cure:?}");
        }
        assert!(of(None, "210", "ABE001", "Cy").en.contains("no table"));
    }
}
