//! What is said besides yes and no.

use jiff::{ToSpan as _, civil::date};

use super::*;
use crate::{
    authorizations::sample::{NOON, good, paper},
    platform::identity::Identity,
};

#[test]
fn all_reasons_of_the_closest_authorizations_are_given_in_one_order() {
    let (mut question, mut facts) = good();
    question.purpose = Purpose::PostLoan;
    facts.licences.clear();
    let mut later = facts.authorizations[0].clone();
    later.id = "a2".into();
    later.signed_at = Some(NOON - 1.minute());
    let mut worse = later.clone();
    worse.id = "a3".into();
    worse.withdrawn_at = Some(NOON);
    facts.authorizations.extend([later, worse]);
    let Decision::Refused(reasons) = decide(&question, &facts) else {
        panic!("permitted");
    };
    facts.authorizations.reverse();
    assert_eq!(
        decide(&question, &facts),
        Decision::Refused(reasons.clone())
    );
    let told: Vec<_> = reasons
        .iter()
        .map(|it| {
            (
                it.rule.name(),
                it.authorization.as_ref().map(|id| id.as_str()),
            )
        })
        .collect();
    let expected = [
        ("QR-06", None),
        ("QR-04", Some("a2")),
        ("QR-04", Some("a1")),
    ];
    assert_eq!(told, expected);
}

#[test]
fn the_latest_signed_permits_and_says_until_when() {
    let (question, mut facts) = good();
    let mut later = facts.authorizations[0].clone();
    later.id = "a2".into();
    later.signed_at = Some(NOON - 1.minute());
    later.validity = Validity::Days {
        from: date(2026, 3, 2),
        until: date(2026, 3, 2),
    };
    facts.authorizations.push(later);
    let Decision::Permitted(permission) = decide(&question, &facts) else {
        panic!("refused");
    };
    assert_eq!(permission.authorization.as_str(), "a2");
    let purpose = Purpose::LoanApproval;
    let end = "2026-03-02T16:00:00Z".parse().unwrap();
    let expected = [
        Obligation::UseOnlyFor { purpose },
        Obligation::SendBefore { end },
    ];
    assert_eq!(permission.obligations, expected);
}

#[test]
fn the_coverage_matrix_has_a_cell_for_each_bureau_and_purpose() {
    let (mut question, mut facts) = good();
    question.bureau = "pudao".into();
    paper(&mut facts).bureaus.insert("baihang".into());
    let cells = coverage(&question, &facts);
    assert_eq!(cells.len(), 3 * Purpose::ALL.len());
    for cell in cells {
        let covered = cell.bureau.as_str() == "pboc" && cell.purpose == Purpose::LoanApproval;
        assert_eq!(cell.permitted, covered, "{cell:?}");
        assert_eq!(cell.rules.is_empty(), covered, "{cell:?}");
    }
}

/// The same type, number and name stand in the lists of both kinds: `20` is a
/// military document of a person, and the credit code of an enterprise.
#[test]
fn an_authorization_of_a_person_never_covers_an_enterprise_and_the_reverse() {
    let (number, name) = ("91999999000000019D", "测试样本");
    let person = Identity::person("20", number, name, date(2026, 3, 2)).unwrap();
    let enterprise = Identity::enterprise(number, name).unwrap();
    for (signer, asked, permitted) in [
        (&person, &person, true),
        (&enterprise, &enterprise, true),
        (&person, &enterprise, false),
        (&enterprise, &person, false),
    ] {
        let (mut question, mut facts) = good();
        question.identity = asked.clone();
        paper(&mut facts).signer = Some(signer.clone());
        let rules: Vec<_> = match decide(&question, &facts) {
            Decision::Permitted(_) => Vec::new(),
            Decision::Refused(reasons) => reasons.iter().map(|it| it.rule.name()).collect(),
        };
        let expected: &[&str] = if permitted { &[] } else { &["QR-07"] };
        assert_eq!(rules, expected, "{:?} of {:?}", asked.kind(), signer.kind());
    }
}
