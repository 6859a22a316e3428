//! The bureau's rules and codes for what does not follow.
//!
//! Source: `rules.tsv` of the submission format, the rules marked "load (needs
//! the central database)", confidence medium. Codes that begin with `SEQ` are
//! ours: the bureau's is not known.

/// A rule, its code and the item that it is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) rule: &'static str,
    pub(super) code: &'static str,
    pub(super) path: &'static str,
}

/// What a record type answers to each kind of disorder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    record: &'static str,
    /// The account was never accepted.
    pub(super) absent: Option<Known>,
    /// It is closed.
    pub(super) closed: Option<Known>,
    /// A closing record that is older than what was accepted.
    pub(super) closes_late: Option<Known>,
    /// A monthly correction after the last record of a closed account.
    pub(super) month_after_closing: Option<Known>,
    /// The same of a segment that is not monthly.
    pub(super) debt_after_closing: Option<Known>,
    /// Another account type.
    pub(super) kind: Option<Known>,
    /// A month that was accepted.
    pub(super) month: Option<Known>,
    /// Not the first report, and nothing was accepted.
    pub(super) not_opened: Option<Known>,
    /// Any record that is older than what was accepted.
    pub(super) older: Option<Known>,
    /// The first report of what was accepted.
    pub(super) opened_twice: Option<Known>,
    /// A key that another account has.
    pub(super) taken: Option<Known>,
}

const fn known(rule: &'static str, code: &'static str, path: &'static str) -> Option<Known> {
    Some(Known { rule, code, path })
}

/// Ours, where nothing more exact is known.
pub(super) const OWN: Known = Known {
    rule: "SEQ-IMPOSSIBLE",
    code: "SEQ-IMPOSSIBLE",
    path: ".",
};

/// Nothing after the transfer of a loan.
pub(super) const TRANSFERRED: Option<Known> = known("R2101210", "BLR025", ".");
/// Event 11: of card accounts.
pub(super) const NO_STATEMENT: Option<Known> = known("R2151202", "BQR002", ".");
/// Event 12: of closed card accounts.
pub(super) const RESTART: Option<Known> = known("R2151203", "BQR003", ".");
/// Event 21: of open loans.
pub(super) const TRANSFER: Option<Known> = known("R2151204", "BQR004", ".");
/// An event that is taken back must have effect.
pub(super) const NO_EVENT: Option<Known> = known("R2151205", "BQR005", "Flag");

const NONE: Rules = Rules {
    record: "",
    absent: None,
    closed: None,
    closes_late: None,
    month_after_closing: None,
    debt_after_closing: None,
    kind: None,
    month: None,
    not_opened: None,
    older: None,
    opened_twice: None,
    taken: None,
};

const fn opening(path: &'static str) -> [Option<Known>; 2] {
    [
        known("SEQ-NOT-OPENED", "SEQ-NOT-OPENED", path),
        known("SEQ-OPENED-TWICE", "SEQ-OPENED-TWICE", path),
    ]
}

const fn normal(record: &'static str, report_code: &'static str) -> Rules {
    let [not_opened, opened_twice] = opening(report_code);
    Rules {
        record,
        not_opened,
        opened_twice,
        ..NONE
    }
}

const fn absent(record: &'static str, absent: Option<Known>) -> Rules {
    Rules {
        record,
        absent,
        ..NONE
    }
}

const fn older(record: &'static str, older: Option<Known>) -> Rules {
    Rules {
        record,
        older,
        ..NONE
    }
}

const fn rename(record: &'static str, absent: Option<Known>, taken: Option<Known>) -> Rules {
    Rules {
        record,
        absent,
        taken,
        ..NONE
    }
}

static RULES: [Rules; 43] = [
    Rules {
        older: known("R1101202", "BBR002", "BsSgmt/RptDate"),
        ..normal("110", "BsSgmt/RptDateCode")
    },
    absent("114", known("R1141201", "BDE000", ".")),
    older("120", known("R1201201", "BFR000", "RptDate")),
    older("130", known("R1301201", "BOR000", "RptDate")),
    absent("134", known("R1341101", "BDE001", ".")),
    older("140", known("R1401202", "BPR000", "RptDate")),
    Rules {
        closed: known("R2101205", "BLR020", "."),
        closes_late: known("R2101206", "BLR021", "AcctBsSgmt/RptDate"),
        kind: known("R2101204", "BLR019", "AcctBsSgmt/AcctType"),
        month: known("R2101212", "BLR027", "AcctMthlyBlgInfSgmt/Month"),
        ..normal("210", "AcctBsSgmt/RptDateCode")
    },
    rename(
        "211",
        known("I2111B02", "BIE001", "OdBnesCode"),
        known("I2111B03", "BIE002", "NwBnesCode"),
    ),
    Rules {
        absent: known("R2121206", "BMR007", "BsSgmt/ModRecCode"),
        kind: known("R2121211", "BMR012", "BsSgmt/AcctType"),
        month_after_closing: known("R2121221", "BMR016", "BsSgmt/RptDate"),
        debt_after_closing: known("R2121222", "BMR017", "BsSgmt/RptDate"),
        ..normal("212", ".")
    },
    absent("213", known("R2131203", "BSR000", "DelRecCode")),
    absent("214", known("R2141101", "BTE000", "DelRecCode")),
    absent("215", known("R2151201", "BQR001", "AcctCode")),
    Rules {
        closed: known("R2201201", "BCR001", "."),
        closes_late: known("R2201202", "BCR002", "CtrctBsSgmt/RptDate"),
        ..normal("220", "CtrctBsSgmt/RptDateCode")
    },
    rename(
        "221",
        known("I2211B02", "BIE101", "OdBnesCode"),
        known("I2211B03", "BIE102", "NwBnesCode"),
    ),
    absent("222", known("R2221203", "BMR104", "BsSgmt/ModRecCode")),
    absent("223", known("R2231101", "BSR100", "DelRecCode")),
    absent("224", known("R2241101", "BTE100", "DelRecCode")),
    Rules {
        closed: known("R2301202", "BAR005", "."),
        closes_late: known("R2301203", "BAR006", "GuarAcctBsSgmt/RptDate"),
        ..normal("230", "GuarAcctBsSgmt/RptDateCode")
    },
    rename(
        "231",
        known("I2311B02", "BIE201", "OdBnesCode"),
        known("I2311B03", "BIE202", "NwBnesCode"),
    ),
    Rules {
        kind: known("R2321207", "BMR205", "BsSgmt/AcctType"),
        ..absent("232", known("R2321203", "BMR203", "BsSgmt/ModRecCode"))
    },
    absent("233", known("R2331101", "BSR200", "DelRecCode")),
    absent("234", known("R2341101", "BTE200", "DelRecCode")),
    Rules {
        closed: known("R5101202", "BPR003", "."),
        older: known("R5101201", "BPR002", "."),
        ..normal("510", ".")
    },
    rename(
        "511",
        known("SEQ-UNKNOWN", "SEQ-UNKNOWN", "OdBnesCode"),
        None,
    ),
    absent("514", known("R5141101", "BTE300", "DelRecCode")),
    Rules {
        older: known("R3101202", "CBR003", "BsSgmt/RptDate"),
        ..normal("310", "BsSgmt/RptDateCode")
    },
    absent("314", known("R3141201", "CDR000", ".")),
    Rules {
        closed: known("R4101202", "CLR020", "."),
        closes_late: known("R4101203", "CLR021", "AcctBsSgmt/RptDate"),
        kind: known("R4101201", "CLR019", "AcctBsSgmt/AcctType"),
        ..normal("410", "AcctBsSgmt/RptDateCode")
    },
    rename(
        "411",
        known("I4111B02", "CIR001", "OdBnesCode"),
        known("I4111B03", "CIR002", "NwBnesCode"),
    ),
    Rules {
        kind: known("R4121207", "CMR013", "BsSgmt/AcctType"),
        month_after_closing: known("R4121217", "CMR017", "BsSgmt/RptDate"),
        ..absent("412", known("R4121204", "CMR007", "BsSgmt/ModRecCode"))
    },
    absent("413", known("R4131201", "CSR000", "DelRecCode")),
    absent("414", known("R4141201", "CTR000", "DelRecCode")),
    Rules {
        closed: known("R4201201", "CCR001", "."),
        closes_late: known("R4201202", "CCR002", "CtrctBsSgmt/RptDate"),
        ..normal("420", "CtrctBsSgmt/RptDateCode")
    },
    rename(
        "421",
        known("I4211B02", "CIR101", "OdBnesCode"),
        known("I4211B03", "CIR102", "NwBnesCode"),
    ),
    absent("422", known("R4221203", "CMR104", "BsSgmt/ModRecCode")),
    absent("423", known("R4231201", "CSR100", "DelRecCode")),
    absent("424", known("R4241201", "CTR100", "DelRecCode")),
    Rules {
        closed: known("R4401202", "CAR006", "."),
        closes_late: known("R4401203", "CAR007", "GuarAcctBsSgmt/RptDate"),
        kind: known("R4401204", "CAR009", "GuarAcctBsSgmt/AcctType"),
        ..normal("440", "GuarAcctBsSgmt/RptDateCode")
    },
    rename(
        "441",
        known("I4411B02", "CIR201", "OdBnesCode"),
        known("I4411B03", "CIR202", "NwBnesCode"),
    ),
    Rules {
        kind: known("R4421206", "CMR309", "BsSgmt/AcctType"),
        ..absent("442", known("R4421203", "CMR306", "BsSgmt/ModRecCode"))
    },
    absent("443", known("R4431201", "CSR300", "DelRecCode")),
    absent("444", known("R4441201", "CTR300", "DelRecCode")),
    NONE,
];

/// Those of a record type; of one that is not known, the last, which knows none.
pub(super) fn rules(record: &str) -> &'static Rules {
    let last = RULES.len() - 1;
    let at = RULES.iter().position(|rules| rules.record == record);
    &RULES[at.unwrap_or(last)]
}
