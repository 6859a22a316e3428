//! An inquiry as faces show it: nothing personal beyond masks.

use jiff::Timestamp;
use schemas::message::Interface;
use serde::Serialize;
use utoipa::ToSchema;

use super::{State, store::Record};
use crate::platform::clock::from_micros;

/// An inquiry, for the institution that asked.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InquiryView {
    /// Its identifier.
    pub id: String,
    /// Where it stands.
    pub state: State,
    /// Our random number of the subject; never derived from the identity.
    pub subject: String,
    /// The bureau asked.
    pub bureau: String,
    /// The product asked for.
    pub product: String,
    /// The purpose.
    pub purpose: String,
    /// The business it serves.
    pub business_ref: String,
    /// Operator or machine client that asked: `operator/…`, `client/…`.
    pub requester: String,
    /// The authorization that the last decision relied on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization: Option<String>,
    /// Why it was refused or is on hold: objects with `rule` or `code`, and
    /// texts in both languages.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub reasons: Option<serde_json::Value>,
    /// Who checked it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checker: Option<String>,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    #[serde(serialize_with = "text")]
    pub received_at: Timestamp,
    /// Until when it waits for the line.
    #[schema(value_type = String, format = DateTime)]
    #[serde(serialize_with = "text")]
    pub deadline_at: Timestamp,
    /// When it was dispatched last.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "optional_text"
    )]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub dispatched_at: Option<Timestamp>,
    /// When it was settled.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "optional_text"
    )]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// Dispatches so far.
    pub attempts: i64,
    /// `hit`, `no_hit`, `partial`; `recorded`, `not_recorded` when reconciled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The bureau's own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bureau_says: Option<BureauSays>,
    /// Stable code of what went wrong on the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The inquiry that this one mends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asks_again_for: Option<String>,
    /// The audit entry of its last change; its proof is at `/v1/receipts/{receipt}`.
    pub receipt: String,
}

/// A result code of a bureau, explained as far as a table knows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BureauSays {
    /// The code as it came.
    pub code: String,
    /// Whether our table lists it; otherwise it is unclassified.
    pub listed: bool,
    /// What it means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<Texts>,
    /// What would cure it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<Texts>,
}

/// A text in both languages.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Texts {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

fn text<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

fn optional_text<S: serde::Serializer>(
    at: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.collect_str(at),
        None => serializer.serialize_none(),
    }
}

impl BureauSays {
    fn of(product: &str, code: &str) -> Self {
        let listed = Interface::of_product(product).and_then(|it| it.result_code(code));
        let texts = |label: &schemas::text::Label<'_>| Texts {
            zh: label.zh.to_owned(),
            en: label.en.to_owned(),
        };
        Self {
            code: code.to_owned(),
            listed: listed.is_some(),
            meaning: listed.as_ref().map(|code| texts(&code.meaning)),
            cure: listed.as_ref().map(|code| texts(&code.cure)),
        }
    }
}

impl From<&Record> for InquiryView {
    fn from(record: &Record) -> Self {
        Self {
            id: record.id.to_string(),
            state: record.state(),
            subject: record.subject.to_string(),
            bureau: record.bureau.clone(),
            product: record.product.clone(),
            purpose: record.purpose.clone(),
            business_ref: record.business_ref.clone(),
            requester: record.requester.clone(),
            authorization: record.authorization_id.clone(),
            reasons: record
                .reasons
                .as_deref()
                .and_then(|text| serde_json::from_str(text).ok()),
            checker: record.checker.clone(),
            received_at: record.received(),
            deadline_at: from_micros(record.deadline_at),
            dispatched_at: record.dispatched_at.map(from_micros),
            ended_at: record.ended_at.map(from_micros),
            attempts: record.attempts,
            outcome: record.outcome.clone(),
            bureau_says: record
                .bureau_code
                .as_deref()
                .map(|code| BureauSays::of(&record.product, code)),
            cause: record.cause.clone(),
            asks_again_for: record.asks_again_for.clone(),
            receipt: record.receipt.clone(),
        }
    }
}
