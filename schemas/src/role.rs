//! What a record is to an account: which one it speaks of, what it does to it, when.
//!
//! # Promise
//!
//! The table `roles.tsv` of an edition says where these things stand in each record type, so that
//! who keeps accounts knows no item of any format. A key names one account within its family; it
//! is made of trimmed values and ambiguous for none.
//!
//! # What is not here
//!
//! The accounts. Whether a record may follow those before it is judged by who keeps them.

mod table;

use jiff::civil::Date;

use crate::plan::{NodeId, RecordPlan};
use crate::record::{Place, Record};
pub(crate) use table::parse;

/// What a record does to its account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Does {
    /// It corrects one segment of what was accepted.
    Correct,
    /// It takes the whole account back.
    Delete,
    /// It takes segments of a span of time back.
    DeleteSegments,
    /// It notes a special event.
    Event,
    /// It opens the account, or carries it on.
    Normal,
    /// It gives the account another key.
    Rename,
}

/// Where in a record of one type what concerns its account stands.
#[derive(Clone, Debug)]
pub struct Role {
    record: Box<str>,
    does: Does,
    family: Box<str>,
    category: Box<str>,
    of_organizations: bool,
    key: Vec<NodeId>,
    new_key: Vec<NodeId>,
    subject: Option<[NodeId; 3]>,
    account_type: Option<NodeId>,
    report_date: Option<NodeId>,
    report_code: Option<NodeId>,
    opens: Vec<Box<str>>,
    month: Option<NodeId>,
    range: Option<[NodeId; 2]>,
    /// The first of them that is filled counts.
    status: Vec<NodeId>,
    /// Account type, or `*` for any, and the status that ends such an account.
    closed: Vec<(Box<str>, Box<str>)>,
    segment: Option<NodeId>,
    /// The mark by which corrections and deletions call a segment, and the segment.
    marks: Vec<(Box<str>, NodeId)>,
    event: Option<[NodeId; 2]>,
}

impl Does {
    /// The name as the table writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Correct => "correct",
            Self::Delete => "delete",
            Self::DeleteSegments => "delete_segments",
            Self::Event => "event",
            Self::Normal => "normal",
            Self::Rename => "rename",
        }
    }
}

impl Role {
    /// The record type.
    #[must_use]
    pub fn record(&self) -> &str {
        &self.record
    }

    /// What such a record does to its account.
    #[must_use]
    pub fn does(&self) -> Does {
        self.does
    }

    /// The record type that opens accounts of this family.
    #[must_use]
    pub fn family(&self) -> &str {
        &self.family
    }

    /// The category of information that an authorization to provide must name.
    #[must_use]
    pub fn category(&self) -> &str {
        &self.category
    }

    /// What names the account within its family. `None` where a part of it is missing or no text
    /// that an item may hold.
    #[must_use]
    pub fn key(&self, plan: &RecordPlan, record: &Record) -> Option<String> {
        joined(plan, record, &self.key)
    }

    /// What names the account from now on, where the record renames it.
    #[must_use]
    pub fn new_key(&self, plan: &RecordPlan, record: &Record) -> Option<String> {
        joined(plan, record, &self.new_key)
    }

    /// The item that alone is the key, where there is one.
    #[must_use]
    pub fn key_item(&self) -> Option<NodeId> {
        match self.key[..] {
            [item] => Some(item),
            _ => None,
        }
    }

    /// Whether the record is about an organization, else a natural person. Who pledges (record 510)
    /// may be either.
    #[must_use]
    pub fn is_of_organization(&self) -> bool {
        self.of_organizations
    }

    /// Document type, number and name of whom the record is about. A correction names one
    /// only where it corrects that; others are known by their account.
    #[must_use]
    pub fn subject<'r>(
        &self,
        plan: &RecordPlan,
        record: &'r Record,
    ) -> Option<(&'r str, &'r str, &'r str)> {
        let [kind, number, name] = self.subject?;
        let value = |item| filled(plan, record, item);
        Some((value(kind)?, value(number)?, value(name)?))
    }

    /// Whether records of this type name whom they are about.
    #[must_use]
    pub fn names_subject(&self) -> bool {
        self.subject.is_some() && self.does != Does::Correct
    }

    /// The kind of the account.
    #[must_use]
    pub fn account_type<'r>(&self, plan: &RecordPlan, record: &'r Record) -> Option<&'r str> {
        filled(plan, record, self.account_type?)
    }

    /// The day that the record tells of.
    #[must_use]
    pub fn report_date(&self, plan: &RecordPlan, record: &Record) -> Option<Date> {
        filled(plan, record, self.report_date?)?.parse().ok()
    }

    /// Why the record is sent: the code of the reporting point.
    #[must_use]
    pub fn report_code<'r>(&self, plan: &RecordPlan, record: &'r Record) -> Option<&'r str> {
        filled(plan, record, self.report_code?)
    }

    /// Where the code of the reporting point stands, for who derives it.
    #[must_use]
    pub fn report_code_item(&self) -> Option<NodeId> {
        self.report_code
    }

    /// Puts the code of the reporting point; false where the record type has none.
    pub fn put_report_code(&self, plan: &RecordPlan, record: &mut Record, code: &str) -> bool {
        if let Some(item) = self.report_code {
            plan.put(record, Place::RECORD, item, code);
        }
        self.report_code.is_some()
    }

    /// Whether the code of the reporting point says that the account is reported first.
    #[must_use]
    pub fn opens(&self, plan: &RecordPlan, record: &Record) -> bool {
        let code = self.report_code(plan, record);
        self.does == Does::Normal
            && code.is_some_and(|code| self.opens.iter().any(|o| **o == *code))
    }

    /// The month (`yyyy-MM`) that the record tells of.
    #[must_use]
    pub fn month<'r>(&self, plan: &RecordPlan, record: &'r Record) -> Option<&'r str> {
        filled(plan, record, self.month?)
    }

    /// First and last day of the span that a deletion is about; one of them may be left open.
    #[must_use]
    pub fn range(&self, plan: &RecordPlan, record: &Record) -> Option<(Date, Date)> {
        let [from, to] = self.range?.map(|item| filled(plan, record, item));
        if from.is_none() && to.is_none() {
            return None;
        }
        let day = |text: Option<&str>, open| text.map_or(Some(open), |text| text.parse().ok());
        Some((day(from, Date::MIN)?, day(to, Date::MAX)?))
    }

    /// The status of the account that the record tells.
    #[must_use]
    pub fn status<'r>(&self, plan: &RecordPlan, record: &'r Record) -> Option<&'r str> {
        let mut told = self.status.iter().map(|item| filled(plan, record, *item));
        told.find(Option::is_some).flatten()
    }

    /// Whether the record tells that the account is closed. `known_type` is the account type from
    /// elsewhere, for a record that does not tell it.
    #[must_use]
    pub fn closes(&self, plan: &RecordPlan, record: &Record, known_type: Option<&str>) -> bool {
        let of_type = self.account_type(plan, record).or(known_type);
        self.status(plan, record)
            .is_some_and(|status| self.is_closed(of_type, status))
    }

    /// Whether an account of this type with this status is closed.
    #[must_use]
    pub fn is_closed(&self, account_type: Option<&str>, status: &str) -> bool {
        self.closed.iter().any(|(of, closed)| {
            **closed == *status && (&**of == "*" || Some(&**of) == account_type)
        })
    }

    /// The mark of the segment that a correction or deletion is about.
    #[must_use]
    pub fn segment<'r>(&self, plan: &RecordPlan, record: &'r Record) -> Option<&'r str> {
        filled(plan, record, self.segment?)
    }

    /// The segment that a mark calls.
    #[must_use]
    pub fn marked(&self, mark: &str) -> Option<NodeId> {
        let found = self.marks.iter().find(|(known, _)| **known == *mark);
        found.map(|(_, segment)| *segment)
    }

    /// Type of a special event, and whether it takes effect (`1`) or is taken back (`0`).
    #[must_use]
    pub fn event<'r>(&self, plan: &RecordPlan, record: &'r Record) -> Option<(&'r str, &'r str)> {
        let [kind, flag] = self.event?;
        Some((filled(plan, record, kind)?, filled(plan, record, flag)?))
    }
}

/// Where things stand, for who folds records.
impl Role {
    pub(crate) fn month_item(&self) -> Option<NodeId> {
        self.month
    }

    pub(crate) fn report_date_item(&self) -> Option<NodeId> {
        self.report_date
    }
}

/// Stands between the parts of a key; no item may hold it.
pub const BETWEEN: char = '\u{1f}';

fn joined(plan: &RecordPlan, record: &Record, items: &[NodeId]) -> Option<String> {
    let mut key = String::new();
    for (index, item) in items.iter().enumerate() {
        let value = filled(plan, record, *item)?;
        if value.contains(BETWEEN) {
            return None;
        }
        if index > 0 {
            key.push(BETWEEN);
        }
        key.push_str(value);
    }
    (!key.is_empty()).then_some(key)
}

/// The trimmed value of an item outside of groups, where it has one.
fn filled<'r>(plan: &RecordPlan, record: &'r Record, item: NodeId) -> Option<&'r str> {
    let value = plan.value(record, Place::RECORD, item)?.trim_ascii();
    (!value.is_empty()).then_some(value)
}
