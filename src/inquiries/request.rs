//! A request for an inquiry, parsed once at the edge.

use jiff::Timestamp;
use ring::hmac;
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroize as _;

use crate::{
    authorizations::Purpose,
    platform::{
        clock::china_date,
        identity::{Document, Identity, SubjectKind},
        ids::BureauId,
    },
};

/// What to do where a fresh enough report is at hand.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFresh {
    /// Offer it: nothing is asked, the answer names the earlier inquiry.
    #[default]
    Offer,
    /// Ask the bureau all the same: another mark on the subject's record.
    Pull,
}

/// The subject of a request, as it comes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectBody {
    /// Person or enterprise.
    pub kind: SubjectKind,
    /// ID type in the bureau's list: `10` is the resident identity card.
    #[schema(example = "10")]
    pub id_type: String,
    /// ID number.
    #[schema(example = "999999199001010016")]
    pub id_number: String,
    /// Name as on the document.
    #[schema(example = "测试甲")]
    pub name: String,
}

impl Drop for SubjectBody {
    fn drop(&mut self) {
        self.id_number.zeroize();
        self.name.zeroize();
    }
}

/// A request for an inquiry, as it comes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestBody {
    /// Whom to ask about.
    pub subject: SubjectBody,
    /// The bureau, as configuration names it.
    #[schema(example = "pboc")]
    pub bureau: String,
    /// The product.
    #[schema(example = "personal_report")]
    pub product: String,
    /// Why.
    #[schema(example = "loan_approval")]
    pub purpose: String,
    /// The business it serves: letters, digits and `._:/-`; no number of a person.
    #[schema(example = "LOAN-2026-0001")]
    pub business_ref: String,
    /// What to do where a fresh enough report is at hand.
    #[serde(default)]
    pub on_fresh: OnFresh,
    /// Until when it may wait for the bureau's line; seconds from now.
    #[serde(default)]
    pub wait_seconds: Option<u32>,
}

/// A request that was parsed. `Debug` shows nothing personal.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whom to ask about.
    pub subject: Identity,
    /// The bureau.
    pub bureau: BureauId,
    /// The product.
    pub product: String,
    /// Why.
    pub purpose: Purpose,
    /// The business it serves.
    pub business_ref: String,
    /// What to do where a fresh enough report is at hand.
    pub on_fresh: OnFresh,
    /// Seconds that it may wait for the line.
    pub wait_seconds: Option<u32>,
}

/// One defect of a request. Never holds the value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Defect {
    /// Where, as a JSON pointer.
    pub at: &'static str,
    /// Stable code.
    pub code: &'static str,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Request {
    /// Checks and normalizes a request.
    ///
    /// # Errors
    ///
    /// Every defect, not the first.
    pub fn parse(body: &RequestBody, now: Timestamp) -> Result<Self, Vec<Defect>> {
        let mut defects = Vec::new();
        let subject = identity(&body.subject, now, &mut defects);
        let purpose = Purpose::named(&body.purpose);
        if purpose.is_none() {
            defects.push(Defect {
                at: "/purpose",
                code: "purpose",
                message: "not a purpose that this gateway knows; see docs/API.md".to_owned(),
            });
        }
        for (at, text) in [("/bureau", &body.bureau), ("/product", &body.product)] {
            if !is_name(text) {
                defects.push(Defect {
                    at,
                    code: "name",
                    message: "must be lower-case letters, digits, `_` or `-`".to_owned(),
                });
            }
        }
        if !crate::audit::entry::is_word(&body.business_ref) {
            defects.push(Defect {
                at: "/business_ref",
                code: "business_ref",
                message: "must be 1 to 128 letters, digits or ._:/- without a number that could \
                          be a person's"
                    .to_owned(),
            });
        }
        match (subject, purpose) {
            (Some(subject), Some(purpose)) if defects.is_empty() => Ok(Self {
                subject,
                bureau: body.bureau.as_str().into(),
                product: body.product.clone(),
                purpose,
                business_ref: body.business_ref.clone(),
                on_fresh: body.on_fresh,
                wait_seconds: body.wait_seconds,
            }),
            _ => Err(defects),
        }
    }

    /// What an idempotency key binds: all that was asked, keyed by `salt`, so
    /// that nobody can try identities against it.
    #[must_use]
    pub(super) fn digest(&self, salt: &[u8; 32]) -> [u8; 32] {
        let mut text = zeroize::Zeroizing::new(Vec::with_capacity(512));
        for part in [
            self.subject.document().canonical().as_slice(),
            self.subject.expose_name().as_bytes(),
            self.bureau.as_str().as_bytes(),
            self.product.as_bytes(),
            self.purpose.name().as_bytes(),
            self.business_ref.as_bytes(),
            &[u8::from(self.on_fresh == OnFresh::Pull)],
        ] {
            text.extend_from_slice(&(part.len() as u64).to_be_bytes());
            text.extend_from_slice(part);
        }
        let mut digest = [0; 32];
        let key = hmac::Key::new(hmac::HMAC_SHA256, salt);
        digest.copy_from_slice(hmac::sign(&key, &text).as_ref());
        digest
    }
}

/// The identity of a body, with every defect of it.
pub(crate) fn identity(
    body: &SubjectBody,
    now: Timestamp,
    defects: &mut Vec<Defect>,
) -> Option<Identity> {
    let document = Document::parse(body.kind, &body.id_type, &body.id_number, china_date(now));
    let document = match document {
        Ok(document) => document,
        Err(error) => {
            defects.push(Defect {
                at: "/subject/id_number",
                code: error.code(),
                message: error.to_string(),
            });
            return None;
        }
    };
    match Identity::new(document, &body.name) {
        Ok(identity) => Some(identity),
        Err(error) => {
            defects.push(Defect {
                at: "/subject/name",
                code: error.code(),
                message: error.to_string(),
            });
            None
        }
    }
}

/// Whether a text can be the name of a bureau or a product.
fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b))
}
