//! The decision: a pure function of a question and the facts.
//!
//! # Promise
//!
//! An inquiry is permitted if and only if the rules about the bureau are
//! satisfied and at least one stored authorization satisfies all others.
//! Otherwise all reasons are given at once: those about the bureau, and all of
//! the authorizations that come closest, which are those that break the fewest
//! rules. A rule is named once per authorization. The order depends on nothing
//! but the facts.

#[cfg(test)]
mod tests;

use std::{cmp::Reverse, collections::BTreeSet};

use jiff::{Timestamp, ToSpan as _};
use schemas::ident::IdentError;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Purpose,
    model::{Authorization, Facts, PolicyVersion, Question, Validity, as_text},
    rules::{Bilingual, Check, Defect, RULES, Rule, RuleId},
};
use crate::platform::{
    clock::china_midnight,
    ids::{AuthorizationId, BureauId},
};

/// What the rules say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Go on, under these terms.
    Permitted(Permission),
    /// Do not, for all of these reasons.
    Refused(Vec<Reason>),
}

/// What permits an inquiry, and what it binds to.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, ToSchema)]
pub struct Permission {
    /// The authorization; the latest signed, where several would do.
    pub authorization: AuthorizationId,
    /// The text that was signed.
    pub policy: Option<PolicyVersion>,
    /// What comes with it.
    pub obligations: Vec<Obligation>,
}

/// What a permission obliges to.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Obligation {
    /// The inquiry must have been sent by then.
    SendBefore {
        /// The first moment that is too late.
        #[serde(serialize_with = "as_text")]
        #[schema(value_type = String, format = DateTime)]
        end: Timestamp,
    },
    /// The report may be used for that purpose only (CRR Art 20).
    UseOnlyFor {
        /// The purpose.
        purpose: Purpose,
    },
}

/// One reason for a refusal.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, ToSchema)]
pub struct Reason {
    /// The rule.
    pub rule: RuleId,
    /// Stable code of what is wrong.
    pub code: &'static str,
    /// The law behind the rule.
    pub source: Bilingual,
    /// What is wrong.
    pub what: Bilingual,
    /// What would make it right.
    pub cure: Bilingual,
    /// The authorization that it is about, where it is about one of the asking
    /// institution's.
    pub authorization: Option<AuthorizationId>,
}

impl Reason {
    fn new(rule: &Rule, defect: &Defect, authorization: Option<AuthorizationId>) -> Self {
        Self {
            rule: rule.id,
            code: defect.code,
            source: rule.source,
            what: defect.what,
            cure: defect.cure,
            authorization,
        }
    }
}

/// QR-07 for an identifier that is none: no question can be asked with it, so
/// the refusal is made where it is parsed.
#[must_use]
pub fn refuse_identifier(error: IdentError) -> Reason {
    Reason {
        rule: RuleId::Qr07,
        code: error.code(),
        source: RuleId::Qr07.rule().source,
        what: malformed(error),
        cure: Bilingual {
            zh: "按证件核对后重新填写",
            en: "correct it from the document",
        },
        authorization: None,
    }
}

/// What is wrong with an identifier.
pub(super) fn malformed(error: IdentError) -> Bilingual {
    Bilingual {
        zh: error.zh(),
        en: match error {
            IdentError::Character => "it holds a character that is not allowed",
            IdentError::Checksum => "the check character is wrong",
            IdentError::Date => "the birth date is impossible",
            IdentError::Length => "it has a wrong length",
            IdentError::Reserved => "the number is reserved",
            IdentError::Type => "the ID type is not in the list",
            _ => "the identifier is malformed",
        },
    }
}

/// Decides.
#[must_use]
pub fn decide(question: &Question, facts: &Facts) -> Decision {
    decide_with(&RULES.iter().collect::<Vec<_>>(), question, facts)
}

/// Decides by some of the rules only: for the test that proves each necessary.
pub(super) fn decide_with(rules: &[&Rule], question: &Question, facts: &Facts) -> Decision {
    let question = &Question {
        at: facts
            .as_of
            .map_or(question.at, |seen| seen.max(question.at)),
        ..question.clone()
    };
    let mut reasons = Vec::new();
    let mut candidates: Vec<&Authorization> = facts.authorizations.iter().collect();
    for rule in rules {
        match rule.check {
            Check::Counts(counts, none) => {
                candidates.retain(|it| counts(question, it));
                if candidates.is_empty() {
                    reasons.push(Reason::new(rule, none, None));
                }
            }
            Check::Question(check) => {
                reasons.extend(check(question, facts).map(|d| Reason::new(rule, d, None)));
            }
            Check::Authorization(_) => {}
        }
    }
    candidates.sort_by(|a, b| (Reverse(a.signed_at), &a.id).cmp(&(Reverse(b.signed_at), &b.id)));
    let judged: Vec<(&Authorization, Vec<Reason>)> = candidates
        .into_iter()
        .map(|it| (it, broken(rules, question, facts, it)))
        .collect();
    let fewest = judged.iter().map(|(_, broken)| broken.len()).min();
    let closest = judged
        .into_iter()
        .filter(|(_, broken)| Some(broken.len()) == fewest);
    match (fewest, reasons.is_empty()) {
        (Some(0), true) => {
            // `fewest` is of one of them, so there is a first.
            let Some((it, _)) = closest.into_iter().next() else {
                return Decision::Refused(reasons);
            };
            Decision::Permitted(permission(question, it))
        }
        _ => {
            reasons.extend(closest.flat_map(|(_, broken)| broken));
            Decision::Refused(reasons)
        }
    }
}

/// What of one authorization stands in the way.
fn broken(rules: &[&Rule], question: &Question, facts: &Facts, it: &Authorization) -> Vec<Reason> {
    // Another institution's authorizations are none of the asker's business.
    let named = (it.institution == question.institution).then(|| it.id.clone());
    rules
        .iter()
        .filter_map(|rule| match rule.check {
            Check::Authorization(check) => {
                check(question, facts, it).map(|defect| Reason::new(rule, defect, named.clone()))
            }
            _ => None,
        })
        .collect()
}

fn permission(question: &Question, it: &Authorization) -> Permission {
    let mut obligations = vec![Obligation::UseOnlyFor {
        purpose: question.purpose,
    }];
    if let Validity::Days { until, .. } = it.validity {
        let end = until.checked_add(1.day()).map(china_midnight);
        obligations.extend(end.ok().map(|end| Obligation::SendBefore { end }));
    }
    Permission {
        authorization: it.id.clone(),
        policy: it.policy.clone(),
        obligations,
    }
}

/// One cell of the coverage matrix.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, ToSchema)]
pub struct Cell {
    /// The bureau.
    pub bureau: BureauId,
    /// The purpose.
    pub purpose: Purpose,
    /// Whether an inquiry would be permitted.
    pub permitted: bool,
    /// The rules that stand in the way.
    pub rules: BTreeSet<RuleId>,
}

/// What these facts permit: each bureau that an authorization or the registry
/// names, and the one asked, by each purpose.
#[must_use]
pub fn coverage(question: &Question, facts: &Facts) -> Vec<Cell> {
    let own = facts
        .authorizations
        .iter()
        .filter(|it| it.institution == question.institution);
    let mut bureaus: BTreeSet<&BureauId> = own.flat_map(|it| &it.bureaus).collect();
    bureaus.extend(facts.licences.iter().map(|licence| &licence.bureau));
    bureaus.insert(&question.bureau);
    let mut cells = Vec::new();
    for bureau in bureaus {
        for &purpose in Purpose::ALL {
            let question = Question {
                bureau: bureau.clone(),
                purpose,
                ..question.clone()
            };
            let (permitted, rules) = match decide(&question, facts) {
                Decision::Permitted(_) => (true, BTreeSet::new()),
                Decision::Refused(reasons) => (
                    false,
                    reasons.into_iter().map(|reason| reason.rule).collect(),
                ),
            };
            cells.push(Cell {
                bureau: question.bureau,
                purpose,
                permitted,
                rules,
            });
        }
    }
    cells
}
