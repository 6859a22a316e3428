//! What a record waits for before it may go out.

use schemas::role::Does;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Submissions, SubmitError, judge::Told, service::Inner, store::accounts::Account};
use crate::{
    authorizations::Category,
    platform::ids::{BureauId, InstitutionId, SubjectId},
};

/// What a record waits for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
pub struct Hold {
    /// Stable code.
    pub code: String,
    /// What is missing, in Chinese.
    pub zh: String,
    /// What is missing, in English.
    pub en: String,
    /// What would cure it, in Chinese.
    pub cure_zh: String,
    /// What would cure it, in English.
    pub cure_en: String,
}

/// One record to be judged.
pub(super) struct Asked<'a> {
    pub(super) subject: Option<&'a SubjectId>,
    pub(super) account: Option<&'a Account>,
    pub(super) record: &'a str,
    pub(super) told: Option<&'a Told>,
    /// Whether nothing else stops it.
    pub(super) good: bool,
    pub(super) holds: &'a mut Vec<Hold>,
}

/// Another record of the account is under way.
pub(super) const IN_FLIGHT: &str = "account_in_flight";

/// Finds what records wait for.
pub(super) async fn judge(
    submissions: &Submissions,
    institution: &InstitutionId,
    bureau: &BureauId,
    asked: &mut [Asked<'_>],
) -> Result<(), SubmitError> {
    let parts = &submissions.0.parts;
    let now = parts.clock.now();
    let edition = Inner::edition(submissions.today())?;
    // Once a bureau has accepted an account, telling of it is a duty, whatever
    // became of the authorization.
    let opening = |one: &&mut Asked<'_>| {
        one.good
            && one.told.is_some_and(|told| told.does == Does::Normal)
            && one
                .account
                .is_none_or(|account| matches!(account.state.as_str(), "new" | "deleted"))
    };
    let subjects: Vec<&SubjectId> = asked
        .iter_mut()
        .filter(opening)
        .filter_map(|one| one.subject)
        .collect();
    if subjects.is_empty() {
        return Ok(());
    }
    let provided = parts.authorizations.provided(institution, subjects).await?;
    for one in asked.iter_mut().filter(opening) {
        let category = edition
            .role(one.record)
            .and_then(|role| Category::named(role.category()));
        let covered = one
            .subject
            .and_then(|subject| provided.get(subject))
            .map(|provided| provided.covers(bureau, now).categories)
            .unwrap_or_default();
        if !category.is_some_and(|category| covered.contains(&category)) {
            one.holds.push(provide_missing());
        }
    }
    Ok(())
}

fn provide_missing() -> Hold {
    Hold {
        code: "provide_missing".to_owned(),
        zh: "开立账户须有信息主体有效的提供信息授权，且覆盖该征信机构与信息类别".to_owned(),
        en: "opening an account needs a live authorization of the subject to provide, that \
             covers the bureau and the category"
            .to_owned(),
        cure_zh: "录入提供信息授权后，该记录自动继续".to_owned(),
        cure_en: "record an authorization to provide; the record then goes on by itself".to_owned(),
    }
}

fn in_flight() -> Hold {
    Hold {
        code: IN_FLIGHT.to_owned(),
        zh: "同一账户的前一条记录尚未得到征信机构的答复或更正".to_owned(),
        en: "an earlier record of the account has no answer of the bureau yet, or waits for its \
             correction"
            .to_owned(),
        cure_zh: "前一条被接收后自动继续；被退回的，请先更正".to_owned(),
        cure_en: "it goes on when the earlier one is accepted; correct that one if it was rejected"
            .to_owned(),
    }
}

/// Holds as the database keeps them: by code. Their texts are the program's.
pub(super) fn json(holds: &[Hold]) -> Option<String> {
    let codes: Vec<&str> = holds.iter().map(|hold| hold.code.as_str()).collect();
    (!codes.is_empty())
        .then(|| serde_json::to_string(&codes).ok())
        .flatten()
}

/// The stored holds, and that another record is under way.
pub(super) fn with_in_flight(stored: Option<&str>) -> String {
    let mut codes = codes(stored);
    if !codes.iter().any(|code| code == IN_FLIGHT) {
        codes.push(IN_FLIGHT.to_owned());
    }
    serde_json::to_string(&codes).unwrap_or_default()
}

/// The codes of stored holds.
pub(super) fn codes(stored: Option<&str>) -> Vec<String> {
    stored
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

/// The holds of these codes, with their texts.
pub(super) fn explained(stored: Option<&str>) -> Vec<Hold> {
    let explain = |code: String| match code.as_str() {
        IN_FLIGHT => in_flight(),
        "provide_missing" => provide_missing(),
        _ => Hold {
            zh: code.clone(),
            en: code.clone(),
            cure_zh: String::new(),
            cure_en: String::new(),
            code,
        },
    };
    codes(stored).into_iter().map(explain).collect()
}
