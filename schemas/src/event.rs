//! Negative events: an obligation that fell due and was not performed, as a business system knows
//! it, and the mandated records that it becomes.
//!
//! # Promise
//!
//! [`Intake::events`] reads one line of JSON Lines and names, by the table
//! `pboc-submit-profiles/events.tsv`, the records that an institution of a profile reports it in;
//! [`Reported::complete`] puts what follows from the event, and what the bureau last accepted of
//! the account. Both tell everything that is wrong at once. Nothing is invented: what neither the
//! event nor the bureau's last state tells is asked for by name (`event_needs`), and
//! what `items` says against the event is told as a contradiction.
//!
//! # What is not here
//!
//! Accounts: who keeps them says what was accepted ([`Known`]), and derives the code of the
//! reporting point of records 210. Judging the record: its plan does, as any other.
//!
//! # Failure
//!
//! No finding quotes a value.

mod days;
mod fill;
mod finding;
mod guarantee;
mod loan;
mod parse;
mod read;
mod route;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;

use crate::intake::{Intake, Taken};
use crate::plan::RecordPlan;
use crate::profile::Profile;
use crate::record::Record;
use crate::validate::Finding;

pub use days::{Age, Bucket};
use route::Route;

/// What kind of obligation it is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Obligation {
    /// Financing of receivables (保理).
    Factoring,
    /// A guarantee (担保).
    Guarantee,
    /// Surety insurance (保险).
    Insurance,
    /// A finance lease (租赁).
    Leasing,
    /// A loan or card (借贷).
    Lending,
}

/// What happened to it, as far as it chooses the record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Situation {
    /// It fell due; it may have been performed.
    Overdue,
    /// The institution paid in the debtor's place.
    PaidOut,
    /// It goes after the debtor for what it paid.
    Recourse,
}

/// Who owes it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Enterprise,
    Person,
}

/// Something that fell due: when, how much, and how much of it is principal.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) on: Date,
    pub(crate) amount: u64,
    pub(crate) principal: Option<u64>,
}

/// The latest payment.
#[derive(Clone, Debug)]
pub(crate) struct Paid {
    pub(crate) on: Date,
    pub(crate) amount: u64,
    pub(crate) principal: Option<u64>,
    pub(crate) form: Option<String>,
}

/// The account of the claim that paying out gives.
#[derive(Clone)]
pub(crate) struct Claim {
    pub(crate) account: String,
    pub(crate) items: Option<String>,
    pub(crate) corrects: Option<String>,
}

/// How an account stands beside being overdue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Status {
    BadDebt,
    JudicialRecovery,
    WrittenOff,
}

/// An event, read and in itself consistent. Amounts are whole units of the currency.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) obligation: Obligation,
    pub(crate) kind: Kind,
    pub(crate) subject: [String; 3],
    pub(crate) account: String,
    pub(crate) on: Date,
    pub(crate) due: Option<Due>,
    pub(crate) performed: bool,
    pub(crate) unpaid: Vec<Due>,
    pub(crate) paid: Option<Paid>,
    pub(crate) paid_out: Option<(Date, u64)>,
    pub(crate) recourse: bool,
    pub(crate) balance: Option<u64>,
    pub(crate) balance_on: Option<Date>,
    pub(crate) month: Option<(u64, u64)>,
    pub(crate) periods_left: Option<u64>,
    pub(crate) grade: Option<(String, Date)>,
    pub(crate) status: Option<Status>,
    pub(crate) next_due: Option<Date>,
    pub(crate) closed_on: Option<Date>,
    pub(crate) claim: Option<Claim>,
    pub(crate) items: Option<String>,
    pub(crate) corrects: Option<String>,
    pub(crate) dispute: Option<String>,
}

/// What is known of an account.
#[derive(Clone, Copy, Default)]
pub struct Known<'k> {
    /// Whether the bureau has it.
    pub is_accepted: bool,
    /// Its type, where that is known.
    pub account_type: Option<&'k str>,
    /// What the bureau last accepted of it: the plan of its family, and the state
    /// ([`Edition::fold`](crate::edition::Edition::fold)).
    pub state: Option<(&'k RecordPlan, &'k Record)>,
}

/// One record that an event is reported in, still to be completed.
#[derive(Clone)]
pub struct Reported {
    event: Arc<Event>,
    route: &'static Route,
}

impl Obligation {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Factoring,
        Self::Guarantee,
        Self::Insurance,
        Self::Leasing,
        Self::Lending,
    ];

    /// The name in events and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Factoring => "factoring",
            Self::Guarantee => "guarantee",
            Self::Insurance => "insurance",
            Self::Leasing => "leasing",
            Self::Lending => "lending",
        }
    }
}

impl Situation {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Overdue => "overdue",
            Self::PaidOut => "paid_out",
            Self::Recourse => "recourse",
        }
    }
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Enterprise => "enterprise",
            Self::Person => "person",
        }
    }
}

impl Event {
    pub(crate) fn situation(&self) -> Situation {
        match (&self.paid_out, self.recourse) {
            (Some(_), _) => Situation::PaidOut,
            (None, true) => Situation::Recourse,
            (None, false) => Situation::Overdue,
        }
    }

    /// The event as it is told of the claim: that the guarantee ended, how it stands and what
    /// was paid on it before is not said of the claim.
    fn of_claim(&self) -> Self {
        let mut own = self.clone();
        if own.claim.is_some() {
            (own.closed_on, own.status, own.paid) = (None, None, None);
        }
        own
    }
}

impl<'e> Intake<'e> {
    /// Reads one event, and names the records that it becomes: what a profile may not report is a
    /// finding. Without a profile all that any may report is taken.
    ///
    /// The records hold what `items` says and whom they are about; [`Reported::complete`] puts the
    /// rest once it is known what was accepted of the account.
    ///
    /// # Errors
    ///
    /// All that is wrong with the line.
    pub fn events(
        &self,
        line: &[u8],
        profile: Option<Profile>,
    ) -> Result<Vec<(Taken<'e>, Reported)>, Vec<Finding>> {
        let event = Arc::new(parse::event(line)?);
        let routes = route::of(&event, profile.unwrap_or(Profile::Platform))?;
        let mut reported = Vec::with_capacity(routes.len());
        let mut findings = Vec::new();
        for route in routes {
            let event = match route.is_claim() {
                true => Arc::new(event.of_claim()),
                false => Arc::clone(&event),
            };
            let reported_in = Reported { event, route };
            match reported_in.begin(*self) {
                Ok(taken) => reported.push((taken, reported_in)),
                Err(wrong) => findings.extend(wrong),
            }
        }
        if findings.is_empty() {
            Ok(reported)
        } else {
            Err(findings)
        }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Event({}, masked)", self.obligation.name())
    }
}

impl fmt::Debug for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Known(accepted: {}, masked)", self.is_accepted)
    }
}

impl fmt::Debug for Reported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reported({:?} as {})", self.event, self.route.record)
    }
}
