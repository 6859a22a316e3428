//! Collecting every defect of a request, each with its place.

use axum::http::StatusCode;
use jiff::{Timestamp, civil::Date};
use schemas::ident::{EnterpriseName, IdentError, PersonName};
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroize as _;

use super::problem::{Finding, Problem};
use crate::{
    audit::{entry::is_word, hex::hash_from_hex},
    authorizations::Purpose,
    inquiries::SubjectBody,
    platform::{
        clock::china_date,
        identity::{Document, Identity, SubjectKind},
    },
};

/// A subject that is looked up: its full document, and no name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DocumentBody {
    /// Person or enterprise.
    kind: SubjectKind,
    /// ID type in the bureau's list: `10` is the resident identity card.
    #[schema(example = "10")]
    id_type: String,
    /// ID number, in full.
    #[schema(example = "999999199001010016")]
    id_number: String,
}

impl Drop for DocumentBody {
    fn drop(&mut self) {
        self.id_number.zeroize();
    }
}

/// The defects found so far. Every reader gives `None` for what is wrong, and
/// remembers why.
#[derive(Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    /// Adds a defect; the message says what would be right, without the value.
    pub(crate) fn add(&mut self, at: &str, code: &str, message: impl Into<String>) {
        self.0.push(Finding {
            at: at.to_owned(),
            code: code.to_owned(),
            message: message.into(),
        });
    }

    /// Goes on only without defects.
    ///
    /// # Errors
    ///
    /// The problem with all of them.
    pub(crate) fn none(self) -> Result<(), Problem> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(self.problem())
        }
    }

    /// The problem with all of them.
    pub(crate) fn problem(self) -> Problem {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            "the request has defects",
        )
        .findings(self.0)
    }

    /// A value, or the defect that there is none.
    pub(crate) fn some<T>(
        &mut self,
        at: &str,
        code: &str,
        message: &str,
        value: Option<T>,
    ) -> Option<T> {
        if value.is_none() {
            self.add(at, code, message);
        }
        value
    }

    /// A moment (RFC 3339, with its offset).
    pub(crate) fn moment(&mut self, at: &str, text: &str) -> Option<Timestamp> {
        const RIGHT: &str = "must be a time such as 2026-11-24T08:00:00+08:00";
        self.some(at, "time", RIGHT, text.parse().ok())
    }

    /// A moment, where one is given.
    pub(crate) fn moment_if(&mut self, at: &str, text: Option<&str>) -> Option<Timestamp> {
        text.and_then(|text| self.moment(at, text))
    }

    /// A day.
    pub(crate) fn day(&mut self, at: &str, text: &str) -> Option<Date> {
        self.some(
            at,
            "day",
            "must be a day such as 2026-11-24",
            text.parse().ok(),
        )
    }

    /// A word: what audit entries can hold.
    pub(crate) fn word<'t>(&mut self, at: &str, text: &'t str) -> Option<&'t str> {
        const RIGHT: &str =
            "must be 1 to 128 letters, digits or ._:/- without a number that could be a person's";
        self.some(at, "word", RIGHT, is_word(text).then_some(text))
    }

    /// A purpose.
    pub(crate) fn purpose(&mut self, at: &str, name: &str) -> Option<Purpose> {
        const RIGHT: &str = "not a purpose that this gateway knows; see docs/API.md";
        self.some(at, "purpose", RIGHT, Purpose::named(name))
    }

    /// One of some names.
    pub(crate) fn one_of<T: Copy>(&mut self, at: &str, text: &str, all: &[(&str, T)]) -> Option<T> {
        let found = all
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, one)| *one);
        if found.is_none() {
            let names: Vec<_> = all.iter().map(|(name, _)| *name).collect();
            self.add(at, "choice", format!("must be one of {}", names.join(", ")));
        }
        found
    }

    /// A SHA-256.
    pub(crate) fn sha256(&mut self, at: &str, text: &str) -> Option<[u8; 32]> {
        const RIGHT: &str = "must be 64 lower-case hexadecimal digits";
        self.some(at, "sha256", RIGHT, hash_from_hex(text))
    }

    /// A subject by document and name.
    pub(crate) fn identity(
        &mut self,
        at: &str,
        body: &SubjectBody,
        now: Timestamp,
    ) -> Option<Identity> {
        let document = self.parsed(at, body.kind, &body.id_type, &body.id_number, now);
        let name = match body.kind {
            SubjectKind::Enterprise => EnterpriseName::parse(&body.name).err(),
            SubjectKind::Person => PersonName::parse(&body.name).err(),
        };
        if let Some(error) = name {
            self.add(&format!("{at}/name"), error.code(), error.to_string());
        }
        Identity::new(document?, &body.name).ok()
    }

    /// A subject by document alone.
    pub(crate) fn document(
        &mut self,
        at: &str,
        body: &DocumentBody,
        now: Timestamp,
    ) -> Option<Document> {
        self.parsed(at, body.kind, &body.id_type, &body.id_number, now)
    }

    fn parsed(
        &mut self,
        at: &str,
        kind: SubjectKind,
        id_type: &str,
        id_number: &str,
        now: Timestamp,
    ) -> Option<Document> {
        match Document::parse(kind, id_type, id_number, china_date(now)) {
            Ok(document) => Some(document),
            Err(error) => {
                let field = if error == IdentError::Type {
                    "id_type"
                } else {
                    "id_number"
                };
                self.add(&format!("{at}/{field}"), error.code(), error.to_string());
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_defects_are_told_at_once_and_no_value() {
        let now: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        let mut findings = Findings::default();
        let body = SubjectBody {
            kind: SubjectKind::Person,
            id_type: "10".into(),
            id_number: "999999199001010017".into(),
            name: String::new(),
        };
        assert!(findings.identity("/subject", &body, now).is_none());
        assert!(findings.moment("/from", "yesterday").is_none());
        assert!(findings.day("/first_day", "2026-02-30").is_none());
        assert!(findings.word("/business_ref", "测试甲").is_none());
        assert!(findings.purpose("/purpose", "02").is_none());
        assert!(
            findings
                .one_of("/role", "root", &[("officer", 1)])
                .is_none()
        );
        assert!(findings.sha256("/text_sha256", "AB").is_none());
        let problem = findings.problem();
        let places: Vec<_> = problem.findings.iter().map(|it| it.at.as_str()).collect();
        assert_eq!(
            places,
            [
                "/subject/id_number",
                "/subject/name",
                "/from",
                "/first_day",
                "/business_ref",
                "/purpose",
                "/role",
                "/text_sha256"
            ]
        );
        let text = serde_json::to_string(&problem).unwrap();
        for value in ["999999", "测试甲", "yesterday", "root"] {
            assert!(!text.contains(value), "{text}");
        }
    }
}
