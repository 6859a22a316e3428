//! What a record tells of its account.

use jiff::civil::Date;
use schemas::{
    duty::Negative,
    plan::RecordPlan,
    record::{Place, Record},
    role::{Does, Role},
};

use super::Month;

/// What a record tells, as far as its account is concerned. Nothing personal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Told {
    /// The record type, such as `210`.
    pub record: Box<str>,
    /// What such a record does to its account.
    pub does: Does,
    /// Whether it is about a natural person.
    pub of_person: bool,
    /// The kind of the account.
    pub account_type: Option<String>,
    /// The day that it tells of.
    pub report_date: Option<Date>,
    /// The code of the reporting point, where it is given.
    pub report_code: Option<String>,
    /// Whether that code says that the account is reported first.
    pub opens: bool,
    /// The month that it tells of.
    pub month: Option<Month>,
    /// Whether it tells a status at all.
    pub has_status: bool,
    /// Whether it tells that the account is closed.
    pub closes: bool,
    /// When the account was opened, as it says.
    pub opened_on: Option<Date>,
    /// When the account was closed, as it says.
    pub closed_on: Option<Date>,
    /// First and last day of the span that a deletion of segments is about.
    pub span: Option<(Date, Date)>,
    /// The mark of the segment that a correction or deletion is about.
    pub segment: Option<String>,
    /// Type of a special event, and whether it takes effect.
    pub event: Option<(String, bool)>,
    /// The rules of `negative.tsv` by which it is negative.
    pub negative: Vec<String>,
}

/// Where records say when their account was opened, and when closed (`items.tsv`;
/// a record has those of its own type).
const OPENED: [&str; 2] = ["AcctBsInfSgmt/OpenDate", "GuarAcctBsInfSgmt/OpenDate"];
const CLOSED: [&str; 4] = [
    "AcctMthlyBlgInfSgmt/CloseDate",
    "AcctDbtInfSgmt/CloseDate",
    "ActLbltyInfSgmt/CloseDate",
    "GuarRltRepymtInfSgmt/CloseDate",
];

impl Told {
    /// Reads it from a record. `known_type` is the account type that the ledger
    /// knows, for a record that does not tell it.
    #[must_use]
    pub fn of(role: &Role, plan: &RecordPlan, record: &Record, known_type: Option<&str>) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Self {
            record: role.record().into(),
            does: role.does(),
            of_person: !role.is_of_organization(),
            account_type: owned(role.account_type(plan, record)),
            report_date: role.report_date(plan, record),
            report_code: owned(role.report_code(plan, record)),
            opens: role.opens(plan, record),
            month: role.month(plan, record).and_then(|text| text.parse().ok()),
            has_status: role.status(plan, record).is_some(),
            closes: role.closes(plan, record, known_type),
            opened_on: day(plan, record, &OPENED),
            closed_on: day(plan, record, &CLOSED),
            span: role.range(plan, record),
            segment: owned(role.segment(plan, record)),
            event: role
                .event(plan, record)
                .map(|(kind, flag)| (kind.to_owned(), flag == "1")),
            negative: Vec::new(),
        }
    }

    /// With what shows that it is negative information
    /// ([`RecordPlan::negative`]).
    #[must_use]
    pub fn showing(mut self, negative: &[&Negative]) -> Self {
        self.negative = negative.iter().map(|it| it.rule().to_owned()).collect();
        self.negative.dedup();
        self
    }

    /// Whether it is negative information (CRR Art 44).
    #[must_use]
    pub fn is_negative(&self) -> bool {
        !self.negative.is_empty()
    }

    /// Whether it tells the state of the account, and that it is not negative.
    /// Renaming, deleting and events tell none.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let tells = matches!(self.does, Does::Normal | Does::Correct) && self.has_status;
        tells && !self.is_negative()
    }

    /// The month that it is about: the one it names, else that of its day.
    #[must_use]
    pub fn about(&self) -> Option<Month> {
        self.month.or_else(|| self.report_date.map(Month::of))
    }
}

fn day(plan: &RecordPlan, record: &Record, paths: &[&str]) -> Option<Date> {
    let mut days = paths.iter().filter_map(|path| {
        let value = plan.value(record, Place::RECORD, plan.find(path)?)?;
        value.trim_ascii().parse().ok()
    });
    days.next()
}

#[cfg(test)]
pub(crate) mod tests {
    use schemas::edition::Edition;

    use super::*;

    /// What a record 210 of a loan tells: nothing overdue, not closing.
    pub(crate) fn told(code: &str, day: Date, month: &str) -> Told {
        Told {
            record: "210".into(),
            does: Does::Normal,
            of_person: true,
            account_type: Some("D1".to_owned()),
            report_date: Some(day),
            report_code: (!code.is_empty()).then(|| code.to_owned()),
            opens: matches!(code, "10" | "31"),
            month: month.parse().ok(),
            has_status: true,
            closes: false,
            opened_on: None,
            closed_on: None,
            span: None,
            segment: None,
            event: None,
            negative: Vec::new(),
        }
    }

    /// The same with a change.
    pub(crate) fn with(mut told: Told, change: impl FnOnce(&mut Told)) -> Told {
        change(&mut told);
        told
    }

    #[test]
    fn a_record_tells_what_the_table_of_roles_says() {
        let edition =
            Edition::embedded("pboc-submit-personal", jiff::civil::date(2026, 1, 1)).unwrap();
        let (plan, role) = (edition.plan("210").unwrap(), edition.role("210").unwrap());
        let line = "<Document><InAcctInf><AcctBsSgmt><InfRecType>210</InfRecType><AcctType>D1</AcctType>\
            <AcctCode>A-1</AcctCode><RptDate>2026-10-31</RptDate><RptDateCode>32</RptDateCode>\
            </AcctBsSgmt><AcctBsInfSgmt><OpenDate>2026-01-05</OpenDate></AcctBsInfSgmt>\
            <AcctMthlyBlgInfSgmt><Month>2026-10</Month><AcctStatus>3</AcctStatus>\
            <OverdPrd>1</OverdPrd><CloseDate>2026-10-20</CloseDate></AcctMthlyBlgInfSgmt></InAcctInf></Document>";
        let record = plan.read(line.as_bytes()).unwrap();
        let told = Told::of(role, plan, &record, None).showing(&plan.negative(&record));
        assert_eq!(told.about(), "2026-10".parse().ok());
        assert!(told.closes && told.has_status && !told.opens);
        assert_eq!(told.opened_on, "2026-01-05".parse().ok());
        assert_eq!(told.closed_on, "2026-10-20".parse().ok());
        assert!(told.is_negative(), "{:?}", told.negative);
        assert!(!told.is_clean());
    }
}
