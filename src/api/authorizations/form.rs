//! A form as it comes: what is blank on paper is absent here.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::{
    api::{findings::Findings, problem::Problem},
    authorizations::{
        Category, Kind, MAX_EVIDENCE_BYTES, NewAuthorization, PolicyVersion, Purpose, Validity,
    },
    inquiries::SubjectBody,
    platform::ids::BureauId,
};

/// What a subject signed. A blank of the form is absent: it is recorded, and
/// never permits anything.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FormBody {
    /// By which the recording system knows it; unique in the institution.
    #[schema(example = "FORM-2026-0001")]
    external_ref: String,
    /// Whose it is.
    subject: SubjectBody,
    /// `inquire` or `provide`.
    #[schema(example = "inquire")]
    kind: String,
    /// The bureaus that it names.
    #[serde(default)]
    #[schema(example = json!(["pboc"]))]
    bureaus: Vec<String>,
    /// The purposes that it names.
    #[serde(default)]
    #[schema(example = json!(["loan_approval"]))]
    purposes: Vec<String>,
    /// The kinds of information that it names.
    #[serde(default)]
    #[schema(example = json!(["credit"]))]
    categories: Vec<String>,
    /// Name and document on the form.
    signer: Option<SubjectBody>,
    /// When it was signed (RFC 3339).
    #[schema(example = "2026-11-01T10:00:00+08:00")]
    signed_at: Option<String>,
    /// First day, at +08:00; without both days it holds while the subject is a member.
    valid_from: Option<String>,
    /// Last day, at +08:00.
    valid_until: Option<String>,
    /// The text that was signed.
    policy: Option<PolicyVersion>,
    /// How many subjects the form names; 1 where absent.
    subjects_on_form: Option<u16>,
    /// The original in Base64: a scan, or a signed file; at most 8 MiB.
    evidence: Option<String>,
}

impl FormBody {
    /// Checks a form.
    ///
    /// # Errors
    ///
    /// The problem with every defect.
    pub(super) fn parse(self, now: Timestamp) -> Result<NewAuthorization, Problem> {
        let mut findings = Findings::default();
        findings.word("/external_ref", &self.external_ref);
        let subject = findings.identity("/subject", &self.subject, now);
        let kinds = [Kind::Inquire, Kind::Provide].map(|kind| (kind.name(), kind));
        let kind = findings.one_of("/kind", &self.kind, &kinds);
        let bureaus = self.bureaus(&mut findings);
        let purposes = all(&self.purposes, "/purposes", Purpose::named, &mut findings);
        let categories = all(
            &self.categories,
            "/categories",
            Category::named,
            &mut findings,
        );
        let signer = self
            .signer
            .as_ref()
            .and_then(|it| findings.identity("/signer", it, now));
        let signed_at = findings.moment_if("/signed_at", self.signed_at.as_deref());
        let validity = self.validity(&mut findings);
        if let Some(policy) = &self.policy {
            findings.word("/policy/policy", policy.policy.as_str());
            findings.word("/policy/version", &policy.version);
        }
        let evidence = self.evidence.map(Zeroizing::new);
        let evidence = evidence.and_then(|text| original(&text, &mut findings));
        let (Some(subject), Some(kind), Some(validity)) = (subject, kind, validity) else {
            return Err(findings.problem());
        };
        findings.none()?;
        Ok(NewAuthorization {
            external_ref: self.external_ref,
            subject,
            kind,
            bureaus,
            purposes,
            categories,
            signer,
            signed_at,
            validity,
            policy: self.policy,
            subjects_on_form: self.subjects_on_form.unwrap_or(1).into(),
            evidence,
        })
    }

    fn bureaus(&self, findings: &mut Findings) -> BTreeSet<BureauId> {
        let names = self.bureaus.iter().enumerate();
        names
            .filter_map(|(n, name)| findings.word(&format!("/bureaus/{n}"), name))
            .map(BureauId::from)
            .collect()
    }

    fn validity(&self, findings: &mut Findings) -> Option<Validity> {
        let (from, until) = match (&self.valid_from, &self.valid_until) {
            (None, None) => return Some(Validity::WhileMember),
            (Some(from), Some(until)) => (from, until),
            (from, _) => {
                let missing = if from.is_none() {
                    "/valid_from"
                } else {
                    "/valid_until"
                };
                findings.add(missing, "missing", "both days must be given, or none");
                return None;
            }
        };
        let from = findings.day("/valid_from", from);
        let until = findings.day("/valid_until", until);
        let (from, until) = (from?, until?);
        if until < from {
            findings.add("/valid_until", "range", "must not be before `valid_from`");
            return None;
        }
        Some(Validity::Days { from, until })
    }
}

/// Every name of a list, read.
fn all<T: Ord>(
    names: &[String],
    at: &str,
    named: impl Fn(&str) -> Option<T>,
    findings: &mut Findings,
) -> BTreeSet<T> {
    const RIGHT: &str = "not a name that this gateway knows; see docs/API.md";
    names
        .iter()
        .enumerate()
        .filter_map(|(n, name)| findings.some(&format!("{at}/{n}"), "choice", RIGHT, named(name)))
        .collect()
}

fn original(text: &str, findings: &mut Findings) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = STANDARD.decode(text.as_bytes()).ok().map(Zeroizing::new);
    let bytes = findings.some(
        "/evidence",
        "base64",
        "must be Base64 (RFC 4648, padded)",
        bytes,
    )?;
    if (1..=MAX_EVIDENCE_BYTES).contains(&bytes.len()) {
        return Some(bytes);
    }
    findings.add("/evidence", "size", "must be of 1 byte to 8 MiB");
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(change: impl FnOnce(&mut serde_json::Value)) -> Result<NewAuthorization, Problem> {
        let mut body = serde_json::json!({
            "external_ref": "FORM-1", "kind": "inquire",
            "subject": {
                "kind": "person", "id_type": "10",
                "id_number": "999999199001010016", "name": "测试甲",
            },
            "bureaus": ["pboc"], "purposes": ["loan_approval"], "categories": ["credit"],
            "signed_at": "2026-11-01T10:00:00+08:00",
            "valid_from": "2026-11-01", "valid_until": "2027-10-31",
            "evidence": "c2lnbmVk",
        });
        change(&mut body);
        let body: FormBody = serde_json::from_value(body).unwrap();
        body.parse("2026-11-24T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_form_is_taken_as_it_says() {
        let new = parse(|_| {}).unwrap();
        assert_eq!(new.purposes, [Purpose::LoanApproval].into());
        assert_eq!(
            new.evidence.as_deref().map(Vec::as_slice),
            Some(&b"signed"[..])
        );
        assert!(matches!(new.validity, Validity::Days { .. }));
        assert!(new.signer.is_none(), "a blank is none");
        assert_eq!(new.subjects_on_form, 1);
    }

    #[test]
    fn every_defect_of_a_form_is_found_at_once() {
        let problem = parse(|body| {
            body["external_ref"] = "测试".into();
            body["kind"] = "both".into();
            body["purposes"] = serde_json::json!(["loan_approval", "02"]);
            body["signed_at"] = "yesterday".into();
            body["valid_until"] = "2026-10-01".into();
            body["evidence"] = "not base64".into();
        });
        let Err(problem) = problem else {
            panic!("it has defects")
        };
        let places: Vec<_> = problem.findings.iter().map(|it| it.at.as_str()).collect();
        let expected = [
            "/external_ref",
            "/kind",
            "/purposes/1",
            "/signed_at",
            "/valid_until",
            "/evidence",
        ];
        assert_eq!(places, expected);
    }

    #[test]
    fn one_day_alone_is_no_validity() {
        for day in ["valid_from", "valid_until"] {
            let problem = parse(|body| {
                body.as_object_mut().unwrap().remove(day);
            });
            let Err(problem) = problem else {
                panic!("{day} is missing")
            };
            assert_eq!(problem.findings[0].at, format!("/{day}"));
        }
    }
}
