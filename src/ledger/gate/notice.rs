//! Which notices (告知) serve a run of negative state.

use jiff::Timestamp;

use super::Facts;
use crate::{ledger::Month, platform::ids::SubjectId};

/// A prior notice of one account, as far as it bears on its records.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Notice {
    /// Its identifier.
    pub id: String,
    /// Whom it was delivered to.
    pub subject: SubjectId,
    /// The account that it names.
    pub account: i64,
    /// The month that the unpaid amount was due in.
    pub due: Month,
    /// When it was delivered.
    pub delivered_at: Timestamp,
    /// The run that it served already.
    pub run: Option<String>,
}

/// Those that name subject, account and period of the run, and served none.
pub(super) fn named<'f>(facts: &Facts<'f>) -> impl Iterator<Item = &'f Notice> + use<'f> {
    let (account, told) = (facts.account, facts.told);
    facts.notices.iter().filter(move |it| {
        let own = it.account == account.id && account.subject.as_ref() == Some(&it.subject);
        own && it.run.is_none()
            && told
                .about()
                .is_some_and(|month| fits(it.due, month, account))
    })
}

/// Those of them that were delivered before it goes out, by as much as must be.
pub(super) fn delivered<'f>(facts: &Facts<'f>) -> impl Iterator<Item = &'f Notice> + use<'f> {
    // A time that no calendar holds lets nothing through.
    let before = facts
        .at
        .checked_sub(facts.notice_lead)
        .unwrap_or(Timestamp::MIN);
    let at = facts.at;
    named(facts).filter(move |it| it.delivered_at < at && it.delivered_at <= before)
}

/// Due not after the record's month, and after the last month that was accepted
/// as clean; a month that was accepted as clean itself needs a notice of just
/// that month.
fn fits(due: Month, month: Month, account: &crate::ledger::Account) -> bool {
    match account.clean_month {
        Some(clean) if month <= clean => due == month,
        Some(clean) => clean < due && due <= month,
        None => due <= month,
    }
}
