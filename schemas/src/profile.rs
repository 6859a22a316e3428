//! Institution profiles: which record types and business lines a kind of institution may use.
//!
//! # Promise
//!
//! The table `pboc-submit-profiles/lines.tsv` says it, each row with its source and confidence; no
//! official text was found, so that every row is our reading at most of medium confidence. A record
//! without its basic segment is judged by type and account type alone. Requests (corrections,
//! deletions) follow the record type whose accounts they are about.
//!
//! # What is not here
//!
//! Which institution has which profile: its configuration says so. Without one nothing is refused.

use std::sync::LazyLock;

use crate::edition::Edition;
use crate::plan::RecordPlan;
use crate::record::{Place, Record};
use crate::table::{Row, Table, TableError};
use crate::validate::{Finding, Severity};

/// A kind of institution that reports.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Finances receivables that it buys (保理公司).
    Factor,
    /// Guarantees debts for a fee (融资担保公司).
    GuaranteeCompany,
    /// Insures creditors against default (保险公司).
    Insurer,
    /// Lends: banks, consumer finance, small loans (放贷机构).
    Lender,
    /// Leases by finance leases (融资租赁公司).
    Lessor,
    /// Acts for several of them, or does what several do (平台).
    Platform,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Factor,
        Self::GuaranteeCompany,
        Self::Insurer,
        Self::Lender,
        Self::Lessor,
        Self::Platform,
    ];

    /// The name in tables and configurations.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Factor => "factor",
            Self::GuaranteeCompany => "guarantee_company",
            Self::Insurer => "insurer",
            Self::Lender => "lender",
            Self::Lessor => "lessor",
            Self::Platform => "platform",
        }
    }

    /// The name in Chinese.
    #[must_use]
    pub fn zh(self) -> &'static str {
        match self {
            Self::Factor => "保理公司",
            Self::GuaranteeCompany => "担保公司",
            Self::Insurer => "保险公司",
            Self::Lender => "放贷机构",
            Self::Lessor => "融资租赁公司",
            Self::Platform => "平台",
        }
    }

    /// What keeps an institution of this profile from reporting such a record; nothing where it
    /// may. `edition` is that of the plan.
    ///
    /// # Panics
    ///
    /// When `record` is of another plan.
    #[must_use]
    pub fn refuses(self, edition: &Edition, plan: &RecordPlan, record: &Record) -> Option<Finding> {
        let role = edition.role(plan.code());
        let family = role.map_or(plan.code(), |role| role.family());
        let account_type = role.and_then(|role| role.account_type(plan, record));
        let value = |paths: &[&str]| item(plan, record, paths);
        let line = value(&LINE);
        let detail = value(&DETAIL);
        let mut own = LINES
            .iter()
            .filter(|it| it.profile.is_none_or(|of| of == self));
        let of_record = |it: &&Line| it.record == family;
        if !own.clone().any(|it| of_record(&it)) {
            let zh = format!("{}不报送该类记录；见机构类型表（lines.tsv）", self.zh());
            let en = format!(
                "an institution of the profile {} reports no such records",
                self.name()
            );
            return Some(outside(plan, (".", "0000"), (zh, en)));
        }
        let fits = |it: &Line| {
            has(it.account_types, account_type) && has(it.lines, line) && has(it.details, detail)
        };
        if own.any(|it| of_record(&it) && fits(it)) {
            return None;
        }
        let zh = format!(
            "{}不以该账户类型、业务大类与细分报送；见机构类型表（lines.tsv）",
            self.zh()
        );
        let en = format!(
            "an institution of the profile {} does not report under this account type, business line \
                 and sub-category",
            self.name()
        );
        let (path, tag) = match line {
            Some(_) => (place(plan, &LINE), "BusiLines"),
            None => (".", "0000"),
        };
        Some(outside(plan, (path, tag), (zh, en)))
    }
}

/// Where business line and sub-category stand, in records and in their corrections.
const LINE: [&str; 4] = [
    "AcctBsInfSgmt/BusiLines",
    "GuarAcctBsInfSgmt/BusiLines",
    "MdfcSgmt/AcctBsInfSgmt/BusiLines",
    "MdfcSgmt/GuarAcctBsInfSgmt/BusiLines",
];
const DETAIL: [&str; 4] = [
    "AcctBsInfSgmt/BusiDtlLines",
    "GuarAcctBsInfSgmt/BusiDtilLines",
    "MdfcSgmt/AcctBsInfSgmt/BusiDtlLines",
    "MdfcSgmt/GuarAcctBsInfSgmt/BusiDtilLines",
];

/// One row of `lines.tsv`.
#[derive(Debug)]
struct Line {
    /// None: every profile.
    profile: Option<Profile>,
    record: &'static str,
    account_types: &'static str,
    lines: &'static str,
    details: &'static str,
}

static LINES: LazyLock<Vec<Line>> = LazyLock::new(|| {
    // The embedded table is read by a test of this module.
    read().expect("the embedded table of profiles is read")
});

fn read() -> Result<Vec<Line>, TableError> {
    let columns = ["profile", "record", "account_types", "lines", "details"];
    let text = include_str!("../pboc-submit-profiles/lines.tsv");
    let table = Table::parse("lines.tsv", text, &columns, &["source", "confidence"])?;
    table.rows().map(row).collect()
}

fn row(row: Row<'_, 'static>) -> Result<Line, TableError> {
    let profile = match row.need("profile")? {
        "*" => None,
        name => Some(named(name).ok_or_else(|| row.error("profile", "no such profile"))?),
    };
    Ok(Line {
        profile,
        record: row.need("record")?,
        account_types: row.need("account_types")?,
        lines: row.need("lines")?,
        details: row.need("details")?,
    })
}

/// The profile of that name.
pub(crate) fn named(name: &str) -> Option<Profile> {
    Profile::ALL.into_iter().find(|it| it.name() == name)
}

/// Whether a cell of codes with `;` between holds a code; `*` holds all, and what is not told is
/// not judged.
pub(crate) fn has(cell: &str, code: Option<&str>) -> bool {
    code.is_none_or(|code| cell == "*" || cell.split(';').any(|it| it == code))
}

/// The value of the first of these items that is filled.
fn item<'r>(plan: &RecordPlan, record: &'r Record, paths: &[&str]) -> Option<&'r str> {
    let mut values = paths.iter().filter_map(|path| {
        let value = plan
            .value(record, Place::RECORD, plan.find(path)?)?
            .trim_ascii();
        (!value.is_empty()).then_some(value)
    });
    values.next()
}

/// The path of the first of these items that the plan has.
fn place<'p>(plan: &RecordPlan, paths: &[&'p str]) -> &'p str {
    let mut known = paths.iter().filter(|path| plan.find(path).is_some());
    known.next().copied().unwrap_or(".")
}

fn outside(plan: &RecordPlan, (path, tag): (&str, &str), (zh, en): (String, String)) -> Finding {
    Finding {
        rule: "outside_profile".to_owned(),
        record: plan.code().to_owned(),
        path: path.to_owned(),
        tag: tag.to_owned(),
        code: "outside_profile".to_owned(),
        severity: Severity::Error,
        zh,
        en,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::date;

    use super::*;

    fn editions() -> [&'static Edition; 2] {
        ["pboc-submit-personal", "pboc-submit-enterprise"]
            .map(|format| Edition::embedded(format, date(2026, 11, 24)).unwrap())
    }

    #[test]
    fn every_row_speaks_of_codes_that_the_tables_know() {
        let columns = ["profile", "record", "account_types", "lines", "details"];
        let text = include_str!("../pboc-submit-profiles/lines.tsv");
        let sources = include_str!("../pboc-submit-profiles/sources.tsv");
        let known: BTreeSet<&str> = sources
            .lines()
            .map(|it| it.split('\t').next().unwrap())
            .collect();
        let table = Table::parse("lines.tsv", text, &columns, &["source", "confidence"]).unwrap();
        for row in table.rows() {
            let line = row.line();
            let record = row.get("record");
            let plan = editions().into_iter().find_map(|it| it.plan(record));
            let plan = plan.unwrap_or_else(|| panic!("line {line}: no record {record}"));
            let codes = |paths: &[&str], column: &str| {
                let cell = row.get(column);
                let found = paths.iter().find_map(|path| plan.find(path));
                for code in cell.split(';').filter(|it| *it != "*") {
                    let item = plan.element(found.expect("the record has such an item"));
                    let listed = item.codes().any(|it| it.code == code);
                    assert!(listed, "line {line}: {column} {code}");
                }
            };
            codes(
                &["AcctBsSgmt/AcctType", "GuarAcctBsSgmt/AcctType"],
                "account_types",
            );
            codes(&LINE, "lines");
            for source in row.get("source").split(' ') {
                assert!(known.contains(source), "line {line}: source {source}");
            }
            assert!(
                ["high", "medium", "low"].contains(&row.get("confidence")),
                "line {line}"
            );
        }
    }

    #[test]
    fn every_profile_may_report_what_all_may() {
        for profile in Profile::ALL {
            for (edition, code) in [(editions()[0], "110"), (editions()[1], "310")] {
                let plan = edition.plan(code).unwrap();
                assert_eq!(profile.refuses(edition, plan, &plan.new_record()), None);
            }
        }
    }

    #[test]
    fn a_record_outside_the_profile_is_refused_by_type_account_or_line() {
        use Profile::{Factor, GuaranteeCompany, Insurer, Lender, Lessor, Platform};
        let cases = [
            ("410", "D1", "14", "10", vec![Lessor, Platform]),
            ("410", "D1", "11", "11", vec![Lender, Platform]),
            ("410", "D1", "13", "20", vec![Factor, Lender, Platform]),
            (
                "410",
                "C1",
                "41",
                "50",
                vec![GuaranteeCompany, Insurer, Platform],
            ),
            ("410", "C1", "41", "40", vec![Factor, Lender, Platform]),
            ("440", "G1", "4", "12", vec![Insurer, Platform]),
            ("440", "G1", "1", "01", vec![GuaranteeCompany, Platform]),
            ("210", "D1", "4", "92", vec![Lessor, Platform]),
            ("210", "D1", "1", "91", vec![Lender, Platform]),
            ("230", "G1", "4", "13", vec![Insurer, Platform]),
            // An update tells no line.
            ("410", "D2", "", "", vec![Lender, Platform]),
            ("210", "R2", "", "", vec![Lender, Platform]),
            (
                "230",
                "",
                "",
                "",
                vec![GuaranteeCompany, Insurer, Lender, Platform],
            ),
        ];
        for (code, kind, line, detail, may) in cases {
            let edition = editions()
                .into_iter()
                .find(|it| it.plan(code).is_some())
                .unwrap();
            let plan = edition.plan(code).unwrap();
            let mut record = plan.new_record();
            let (base, basic, sub) = match &code[1..] {
                "10" => ("AcctBsSgmt", "AcctBsInfSgmt", "BusiDtlLines"),
                _ => ("GuarAcctBsSgmt", "GuarAcctBsInfSgmt", "BusiDtilLines"),
            };
            for (path, value) in [
                (format!("{base}/AcctType"), kind),
                (format!("{basic}/BusiLines"), line),
                (format!("{basic}/{sub}"), detail),
            ] {
                if !value.is_empty() {
                    plan.put(&mut record, Place::RECORD, plan.find(&path).unwrap(), value);
                }
            }
            let able = |it: &Profile| it.refuses(edition, plan, &record).is_none();
            let able: Vec<Profile> = Profile::ALL.into_iter().filter(able).collect();
            assert_eq!(able, may, "{code} {kind} {line} {detail}");
        }
    }

    #[test]
    fn a_correction_is_judged_by_what_it_corrects() {
        let edition = editions()[1];
        let plan = edition.plan("412").unwrap();
        let mut record = plan.new_record();
        let put = |record: &mut Record, path, value| {
            plan.put(record, Place::RECORD, plan.find(path).unwrap(), value);
        };
        put(&mut record, "BsSgmt/AcctType", "D1");
        put(&mut record, "MdfcSgmt/AcctBsInfSgmt/BusiLines", "14");
        assert_eq!(Profile::Lessor.refuses(edition, plan, &record), None);
        let finding = Profile::Factor.refuses(edition, plan, &record).unwrap();
        assert_eq!(finding.path, "MdfcSgmt/AcctBsInfSgmt/BusiLines");
        let finding = Profile::GuaranteeCompany
            .refuses(edition, plan, &record)
            .unwrap();
        assert_eq!(finding.code, "outside_profile");
    }
}
