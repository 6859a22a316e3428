//! A record on its way into the ledger.

use jiff::civil::Date;
use schemas::{
    edition::Edition,
    plan::RecordPlan,
    record::Record,
    role::{Does, Role},
    validate::{Finding, Scratch, Severity},
};

use super::{
    super::{candidate::identity_of, feed::Parsed, service::Inner},
    findings::of_row,
};
use crate::{
    ledger::{Account, Standing, Told, sequence},
    platform::identity::Identity,
};

/// A record of an input.
pub(super) struct Row {
    /// Its line in a file, the header being line 1; its place in a stock.
    pub(super) place: i64,
    pub(super) record: String,
    pub(super) findings: Vec<Finding>,
    /// What is taken, as long as nothing speaks against it.
    pub(super) good: Option<Box<Good>>,
    /// The ledger has it as of the same day.
    pub(super) is_known: bool,
}

/// A record that can be read.
pub(super) struct Good {
    pub(super) plan: &'static RecordPlan,
    pub(super) role: &'static Role,
    pub(super) record: Record,
    /// The line as the bureau has it.
    pub(super) line: Vec<u8>,
    pub(super) key: String,
    pub(super) new_key: Option<String>,
    /// Whom it is about, where it names somebody whom it does not correct.
    pub(super) identity: Option<Identity>,
    pub(super) dispute: Option<String>,
}

impl Row {
    /// A line of an earlier file, which the bureau accepted.
    pub(super) fn of_line(
        place: i64,
        code: &str,
        line: Vec<u8>,
        edition: &'static Edition,
        today: Date,
    ) -> Self {
        let read = edition
            .plan(code)
            .and_then(|plan| Some((plan.as_ref(), plan.read(&line).ok()?)));
        let good = match read {
            Some((plan, record)) => Good::of(edition, plan, record, line, today),
            None => Err(vec![of_row(code, "record_unreadable")]),
        };
        Self::new(place, code, good)
    }

    /// A record of a stock: judged by all rules, since nobody has accepted it in
    /// this form.
    pub(super) fn of_stock(
        place: i64,
        parsed: Parsed,
        edition: &'static Edition,
        (organization, today): (&str, Date),
        scratch: &mut Scratch,
    ) -> Self {
        let mut taken = match parsed.taken {
            Ok(taken) => taken,
            Err(findings) => {
                let code = findings.first().map(|it| it.record.clone());
                return Self::new(place, &code.unwrap_or_default(), Err(findings));
            }
        };
        let (plan, code) = (taken.plan, taken.plan.code().to_owned());
        let mut findings = Vec::new();
        match edition.role(&code) {
            Some(role) if role.does() == Does::Normal => {
                let told = Told::of(role, plan, &taken.record, None);
                let open = Account {
                    standing: Standing::Open,
                    ..Account::default()
                };
                if told.report_code.is_none()
                    && let Some(point) = sequence::report_code(&open, &told)
                {
                    role.put_report_code(plan, &mut taken.record, point);
                }
            }
            Some(_) => findings.push(of_row(&code, "stock_not_a_state")),
            None => {}
        }
        let header = Inner::header(&code, organization, today);
        findings.extend(taken.judge(&header, scratch));
        findings.retain(|finding| finding.severity == Severity::Error);
        let mut line = Vec::new();
        if findings.is_empty() && plan.write(&taken.record, &mut line).is_err() {
            findings.push(of_row(&code, "record_unreadable"));
        }
        if !findings.is_empty() {
            return Self::new(place, &code, Err(findings));
        }
        let good = Good::of(edition, plan, taken.record, line, today).map(|mut good| {
            good.dispute = taken.meta.dispute;
            good
        });
        Self::new(place, &code, good)
    }

    fn new(place: i64, code: &str, good: Result<Good, Vec<Finding>>) -> Self {
        let (good, findings) = match good {
            Ok(good) => (Some(Box::new(good)), Vec::new()),
            Err(findings) => (None, findings),
        };
        Self {
            place,
            record: code.to_owned(),
            findings,
            good,
            is_known: false,
        }
    }
}

impl Good {
    fn of(
        edition: &'static Edition,
        plan: &'static RecordPlan,
        record: Record,
        line: Vec<u8>,
        today: Date,
    ) -> Result<Self, Vec<Finding>> {
        let code = plan.code();
        let role = edition
            .role(code)
            .ok_or_else(|| vec![of_row(code, "record_without_ledger")])?;
        let key = role
            .key(plan, &record)
            .ok_or_else(|| vec![of_row(code, "key_missing")])?;
        let mut identity = None;
        if role.names_subject() {
            let subject = role.subject(plan, &record);
            let known = subject.and_then(|subject| identity_of(role, subject, today));
            if known.is_none() {
                return Err(vec![super::super::candidate::finding(
                    code,
                    "subject_unreadable",
                    "IDNum",
                    "证件类型、号码与姓名应可识别信息主体",
                    "type, number and name should tell who the subject is",
                )]);
            }
            identity = known;
        }
        Ok(Self {
            new_key: role.new_key(plan, &record),
            plan,
            role,
            key,
            record,
            line,
            identity,
            dispute: None,
        })
    }

    /// The day that it tells of.
    pub(super) fn report_date(&self) -> Option<Date> {
        self.role.report_date(self.plan, &self.record)
    }

    /// It gives its account another name: what follows finds it by that.
    pub(super) fn renames(&self) -> bool {
        self.role.does() == Does::Rename
    }
}
