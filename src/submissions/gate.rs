//! What records wait for before they may go out: the facts, in bulk, for
//! `ledger::gate`.

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemas::{plan::RecordPlan, record::Record, role::Role, validate::Scratch};

use super::{Submissions, SubmitError, store::accounts};
use crate::{
    ledger::{
        Account, Hold, HoldCode, Told,
        gate::{self, Facts},
    },
    platform::ids::{BureauId, InstitutionId},
};

/// What a record says that bears on whether it may go.
#[derive(Clone, Debug)]
pub(super) struct Bearing {
    pub(super) told: Told,
    /// What an authorization must name to open such an account.
    pub(super) category: String,
    /// The categories of restricted items in it.
    pub(super) restricted: BTreeSet<String>,
    /// The dispute that it names.
    pub(super) mark: Option<String>,
}

/// One record to be judged.
pub(super) struct Asked<'a> {
    pub(super) account: &'a Account,
    pub(super) bearing: &'a Bearing,
}

/// What one waits for, and which notice serves it.
#[derive(Clone, Debug, Default)]
pub(super) struct Judged {
    pub(super) holds: Vec<Hold>,
    /// What must still be authorized when it goes, with commas between.
    pub(super) needs: Option<String>,
    pub(super) notice: Option<String>,
}

impl Bearing {
    /// Reads it from a record; from the scratch, where it was validated last.
    pub(super) fn of(
        role: &Role,
        plan: &RecordPlan,
        record: &Record,
        known_type: Option<&str>,
        mark: Option<String>,
        scratch: Option<&Scratch>,
    ) -> Self {
        let negative = match scratch {
            Some(scratch) => plan.negative_judged(record, scratch),
            None => plan.negative(record),
        };
        let restricted = plan.restricted(record).into_iter();
        Self {
            told: Told::of(role, plan, record, known_type).showing(&negative),
            category: role.category().to_owned(),
            restricted: restricted.map(|it| it.category().to_owned()).collect(),
            mark,
        }
    }
}

/// Finds what records wait for, in their order.
pub(super) async fn judge(
    submissions: &Submissions,
    institution: &InstitutionId,
    bureau: &BureauId,
    asked: &[Asked<'_>],
    at: Timestamp,
) -> Result<Vec<Judged>, SubmitError> {
    let parts = &submissions.0.parts;
    let subjects = asked
        .iter()
        .filter(|one| !one.account.standing.is_accepted() || !one.bearing.restricted.is_empty())
        .filter_map(|one| one.account.subject.as_ref());
    let provided = parts.authorizations.provided(institution, subjects).await?;
    let begin = asked
        .iter()
        .filter(|one| one.account.begins_run(&one.bearing.told));
    let notices = accounts::notices(&parts.db, begin.map(|one| one.account.id)).await?;
    let ids = asked.iter().map(|one| one.account.id);
    let disputes = accounts::open_disputes(&parts.db, ids).await?;
    let judge_one = |one: &Asked<'_>| {
        let (account, bearing) = (one.account, one.bearing);
        let covered = account
            .subject
            .as_ref()
            .and_then(|subject| provided.get(subject))
            .map(|provided| provided.covers(bureau, at).categories)
            .unwrap_or_default();
        let restricted: Vec<&str> = bearing.restricted.iter().map(String::as_str).collect();
        let facts = Facts {
            account,
            told: &bearing.told,
            at,
            category: &bearing.category,
            covered: &covered,
            restricted: &restricted,
            notices: notices.get(&account.id).map_or(&[], Vec::as_slice),
            notice_lead: parts.notice_lead,
            disputes: disputes.get(&account.id).map_or(&[], Vec::as_slice),
            mark: bearing.mark.as_deref(),
            // Which record of an account is under way is seen to elsewhere.
            is_behind: false,
        };
        Judged {
            holds: gate::judge(&facts),
            needs: needs(&facts),
            notice: gate::serving(&facts).map(|notice| notice.id.clone()),
        }
    };
    Ok(asked.iter().map(judge_one).collect())
}

fn needs(facts: &Facts<'_>) -> Option<String> {
    let needs: Vec<&str> = gate::needs(facts).into_iter().collect();
    (!needs.is_empty()).then(|| needs.join(","))
}

/// Codes as the database keeps them.
pub(super) fn names(codes: &[HoldCode]) -> String {
    let names: Vec<&str> = codes.iter().map(|code| code.name()).collect();
    // Words only: writing them does not fail.
    serde_json::to_string(&names).unwrap_or_default()
}

/// Holds as the database keeps them: by code. Their texts are the program's.
pub(super) fn json(holds: &[Hold]) -> Option<String> {
    let codes: Vec<&str> = holds.iter().map(|hold| hold.code.name()).collect();
    (!codes.is_empty())
        .then(|| serde_json::to_string(&codes).ok())
        .flatten()
}

/// The stored holds, and this one.
pub(super) fn with(stored: Option<&str>, hold: HoldCode) -> String {
    let mut codes = codes(stored);
    if !codes.iter().any(|code| code == hold.name()) {
        codes.push(hold.name().to_owned());
    }
    serde_json::to_string(&codes).unwrap_or_default()
}

/// The codes of stored holds.
pub(super) fn codes(stored: Option<&str>) -> Vec<String> {
    stored
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

/// The stored holds, with their texts.
pub(super) fn explained(stored: Option<&str>) -> Vec<Hold> {
    let codes = codes(stored).into_iter();
    codes
        .filter_map(|code| HoldCode::named(&code))
        .map(HoldCode::hold)
        .collect()
}
