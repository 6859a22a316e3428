//! The families of records that the bureau keeps a database of, and the codes
//! with which it refuses what cannot follow.

use super::line::Record;

/// A family: the records that are about the same accounts. A code that is empty
/// stands for a check that the family does not have.
#[derive(Debug)]
pub(crate) struct Family {
    /// Its normal record.
    pub(crate) record: &'static str,
    /// The segment without which no account is opened, and the code for it.
    pub(crate) opening_segment: &'static str,
    pub(crate) not_opened: &'static str,
    /// Where the status stands: segment and item.
    pub(crate) status: &'static [(&'static str, &'static str)],
    pub(crate) closed: &'static str,
    pub(crate) older: &'static str,
    pub(crate) closes_older: &'static str,
    pub(crate) other_type: &'static str,
    pub(crate) other_correct: &'static str,
    pub(crate) unknown_rename: &'static str,
    pub(crate) taken_rename: &'static str,
    pub(crate) unknown_correct: &'static str,
    pub(crate) unknown_segments: &'static str,
    pub(crate) unknown_delete: &'static str,
}

/// What a record does in its family.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Normal,
    Rename,
    Correct,
    DeleteSegments,
    Delete,
    Event,
}

const NONE: Family = Family {
    record: "",
    opening_segment: "",
    not_opened: "",
    status: &[],
    closed: "",
    older: "",
    closes_older: "",
    other_type: "",
    other_correct: "",
    unknown_rename: "",
    taken_rename: "",
    unknown_correct: "",
    unknown_segments: "",
    unknown_delete: "",
};

static FAMILIES: [Family; 9] = [
    Family {
        record: "110",
        opening_segment: "FcsInfSgmt",
        not_opened: "BBR001",
        older: "BBR002",
        unknown_delete: "BDE000",
        ..NONE
    },
    Family {
        record: "130",
        older: "BOR000",
        unknown_delete: "BDE001",
        ..NONE
    },
    Family {
        record: "210",
        opening_segment: "AcctBsInfSgmt",
        not_opened: "BLR004",
        status: &[
            ("AcctMthlyBlgInfSgmt", "AcctStatus"),
            ("AcctDbtInfSgmt", "AcctStatus"),
        ],
        closed: "BLR020",
        closes_older: "BLR021",
        other_type: "BLR019",
        other_correct: "BMR012",
        unknown_rename: "BIE001",
        taken_rename: "BIE002",
        unknown_correct: "BMR007",
        unknown_segments: "BSR000",
        unknown_delete: "BTE000",
        ..NONE
    },
    Family {
        record: "220",
        status: &[("CreditLimSgmt", "ConStatus")],
        closed: "BCR001",
        closes_older: "BCR002",
        unknown_rename: "BIE101",
        taken_rename: "BIE102",
        unknown_correct: "BMR104",
        unknown_segments: "BSR100",
        unknown_delete: "BTE100",
        ..NONE
    },
    Family {
        record: "230",
        status: &[("GuarRltRepymtInfSgmt", "AcctStatus")],
        closed: "BAR005",
        closes_older: "BAR006",
        other_correct: "BMR205",
        unknown_rename: "BIE201",
        taken_rename: "BIE202",
        unknown_correct: "BMR203",
        unknown_segments: "BSR200",
        unknown_delete: "BTE200",
        ..NONE
    },
    Family {
        record: "310",
        opening_segment: "FcsInfSgmt",
        not_opened: "CBR002",
        older: "CBR003",
        unknown_delete: "CDR000",
        ..NONE
    },
    Family {
        record: "410",
        opening_segment: "AcctBsInfSgmt",
        not_opened: "CLR030",
        status: &[("ActLbltyInfSgmt", "AcctStatus")],
        closed: "CLR020",
        closes_older: "CLR021",
        other_type: "CLR019",
        other_correct: "CMR013",
        unknown_rename: "CIR001",
        taken_rename: "CIR002",
        unknown_correct: "CMR007",
        unknown_segments: "CSR000",
        unknown_delete: "CTR000",
        ..NONE
    },
    Family {
        record: "420",
        status: &[("CreditLimSgmt", "ConStatus")],
        closed: "CCR001",
        closes_older: "CCR002",
        unknown_rename: "CIR101",
        taken_rename: "CIR102",
        unknown_correct: "CMR104",
        unknown_segments: "CSR100",
        unknown_delete: "CTR100",
        ..NONE
    },
    Family {
        record: "440",
        status: &[("GuarRltRepymtInfSgmt", "AcctStatus")],
        closed: "CAR006",
        closes_older: "CAR007",
        other_type: "CAR009",
        other_correct: "CMR309",
        unknown_rename: "CIR201",
        taken_rename: "CIR202",
        unknown_correct: "CMR306",
        unknown_segments: "CSR300",
        unknown_delete: "CTR300",
        ..NONE
    },
];

impl Family {
    /// The family of this normal record.
    pub(crate) fn named(record: &str) -> Option<&'static Self> {
        FAMILIES.iter().find(|family| family.record == record)
    }

    /// The family of a record, and what the record does in it.
    pub(crate) fn of(code: &str) -> Option<(&'static Self, Kind)> {
        let kind = match code.get(2..)? {
            "0" => Kind::Normal,
            "1" => Kind::Rename,
            "2" => Kind::Correct,
            "3" => Kind::DeleteSegments,
            "4" => Kind::Delete,
            _ => Kind::Event,
        };
        let family = Self::named(&format!("{}0", &code[..2]))?;
        Some((family, kind))
    }

    /// The status that closes an account of this type.
    pub(crate) fn closing_status(&self, account_type: &str) -> &'static str {
        match (self.record, account_type) {
            ("210", "R2" | "R3") => "4",
            ("210", "D1" | "R1" | "R4") => "3",
            ("410", _) => "21",
            _ => "2",
        }
    }
}

impl Kind {
    /// The key of the account that a record is about.
    pub(crate) fn key(self, code: &str, record: &Record) -> String {
        let value = |tag: &str| record.value(tag).unwrap_or_default().to_owned();
        match (self, &code[..2]) {
            (_, "11" | "13") => ["Name", "IDType", "IDNum", "InfSurcCode"]
                .map(value)
                .join("|"),
            (_, "31") => ["EntName", "EntCertType", "EntCertNum", "InfSurcCode"]
                .map(value)
                .join("|"),
            (Self::Normal, "22" | "42") => value("ContractCode"),
            _ => value(self.tag()),
        }
    }

    /// The item that names the account.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Normal | Self::Event => "AcctCode",
            Self::Rename => "OdBnesCode",
            Self::Correct => "ModRecCode",
            Self::DeleteSegments | Self::Delete => "DelRecCode",
        }
    }
}
