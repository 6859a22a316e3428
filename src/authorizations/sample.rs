//! What tests begin with: a question, and facts that permit it.

use jiff::{Timestamp, ToSpan as _, civil::date};

use super::{
    Authorization, Category, Evidence, Facts, Kind, Membership, PolicyVersion, Purpose, Question,
    Validity,
};
use crate::{
    bureaus::Licence,
    platform::{config::bureau::LicenceKind, identity::Identity},
};

/// 2026-03-02 12:00 at +08:00.
pub(super) const NOON: Timestamp = Timestamp::constant(1_772_424_000, 0);

pub(super) fn person(number: &str, name: &str) -> Identity {
    Identity::person("10", number, name, date(2026, 3, 2)).unwrap()
}

pub(super) fn me() -> Identity {
    person("999999199001010016", "测试甲")
}

/// A question and facts that permit it.
pub(super) fn good() -> (Question, Facts) {
    let question = Question {
        institution: "bank".into(),
        subject: Some("subject".into()),
        identity: me(),
        bureau: "pboc".into(),
        purpose: Purpose::LoanApproval,
        at: NOON,
    };
    let authorization = Authorization {
        id: "a1".into(),
        institution: "bank".into(),
        subject: "subject".into(),
        kind: Kind::Inquire,
        bureaus: ["pboc".into()].into(),
        purposes: [Purpose::LoanApproval].into(),
        categories: [Category::Credit].into(),
        signer: Some(me()),
        signed_at: Some(NOON - 1.hour()),
        validity: Validity::WhileMember,
        policy: Some(PolicyVersion {
            policy: "privacy".into(),
            version: "1".into(),
        }),
        policy_first_day: Some(date(2026, 3, 2)),
        subjects_on_form: 1,
        withdrawn_at: None,
        evidence: Evidence::Intact {
            stored_at: NOON - 1.hour(),
        },
    };
    let facts = Facts {
        authorizations: vec![authorization],
        memberships: vec![Membership {
            from: NOON - 2.hours(),
            until: None,
        }],
        licences: vec![Licence {
            bureau: "pboc".into(),
            kind: LicenceKind::Statutory,
            from: date(2013, 3, 15),
            until: None,
            revoked: None,
        }],
        as_of: None,
    };
    (question, facts)
}

/// The authorization of the good facts.
pub(super) fn paper(facts: &mut Facts) -> &mut Authorization {
    &mut facts.authorizations[0]
}
