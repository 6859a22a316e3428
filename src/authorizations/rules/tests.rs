//! Each rule by name: what it lets pass, and what it catches.

use jiff::{Timestamp, ToSpan as _, civil::date};

use super::*;
use crate::{
    authorizations::{
        Evidence, Kind, Membership, Purpose, Validity,
        decision::{Decision, decide},
        sample::{NOON, good, paper, person},
    },
    bureaus::Licence,
    platform::{config::bureau::LicenceKind, identity::Identity},
};

/// Codes of the reasons, or none where it is permitted.
fn codes(question: &Question, facts: &Facts) -> Vec<(RuleId, &'static str)> {
    match decide(question, facts) {
        Decision::Permitted(_) => Vec::new(),
        Decision::Refused(reasons) => {
            assert!(!reasons.is_empty());
            reasons.iter().map(|it| (it.rule, it.code)).collect()
        }
    }
}

type Case = (
    &'static str,
    fn(&mut Question, &mut Facts),
    Option<&'static str>,
);

/// Runs cases of one rule, each a change of what is good.
fn cases(rule: RuleId, cases: &[Case]) {
    let (question, facts) = good();
    assert_eq!(codes(&question, &facts), [], "the good one");
    assert!(cases.iter().any(|case| case.2.is_some()));
    for (name, change, code) in cases {
        let (mut question, mut facts) = good();
        change(&mut question, &mut facts);
        let expected: Vec<_> = code.iter().map(|code| (rule, *code)).collect();
        assert_eq!(codes(&question, &facts), expected, "case {name}");
    }
}

#[test]
fn qr_01_without_an_authorization_to_inquire_nothing_goes_out() {
    let none = Some("no_authorization");
    cases(
        RuleId::Qr01,
        &[
            ("none stored", |_, f| f.authorizations.clear(), none),
            (
                "only to provide",
                |_, f| paper(f).kind = Kind::Provide,
                none,
            ),
            (
                "another subject's",
                |_, f| paper(f).subject = "other".into(),
                none,
            ),
            ("nobody of that document", |q, _| q.subject = None, none),
            (
                "one more to provide",
                |_, f| {
                    let mut other = f.authorizations[0].clone();
                    other.kind = Kind::Provide;
                    f.authorizations.push(other);
                },
                None,
            ),
        ],
    );
}

#[test]
fn qr_02_signing_and_storing_come_before_the_inquiry() {
    fn stored(f: &mut Facts, stored_at: Timestamp) {
        paper(f).evidence = Evidence::Intact { stored_at };
    }
    cases(
        RuleId::Qr02,
        &[
            (
                "signed at that moment",
                |_, f| paper(f).signed_at = Some(NOON),
                None,
            ),
            (
                "signed a microsecond later",
                |_, f| paper(f).signed_at = Some(NOON + 1.microsecond()),
                Some("signed_later"),
            ),
            ("stored at that moment", |_, f| stored(f, NOON), None),
            (
                "stored a microsecond later",
                |_, f| stored(f, NOON + 1.microsecond()),
                Some("stored_later"),
            ),
        ],
    );
}

#[test]
fn qr_03_an_authorization_holds_within_its_time_and_until_withdrawn() {
    fn days(f: &mut Facts, from: i8, until: i8) {
        paper(f).validity = Validity::Days {
            from: date(2026, 3, from),
            until: date(2026, 3, until),
        };
    }
    fn member(f: &mut Facts, from: Timestamp, until: Timestamp) {
        f.memberships = vec![Membership {
            from,
            until: Some(until),
        }];
    }
    let (early, expired) = (Some("not_yet_valid"), Some("expired"));
    let (withdrawn, ended) = (Some("withdrawn"), Some("membership_ended"));
    cases(
        RuleId::Qr03,
        &[
            ("one day", |_, f| days(f, 2, 2), None),
            ("from tomorrow", |_, f| days(f, 3, 9), early),
            ("until yesterday", |_, f| days(f, 1, 1), expired),
            (
                "last microsecond of the last day in China",
                |q, f| {
                    days(f, 2, 2);
                    q.at = "2026-03-02T15:59:59.999999Z".parse().unwrap();
                },
                None,
            ),
            (
                "midnight after the last day in China",
                |q, f| {
                    days(f, 2, 2);
                    q.at = "2026-03-02T16:00:00Z".parse().unwrap();
                },
                expired,
            ),
            (
                "withdrawn at that moment",
                |_, f| paper(f).withdrawn_at = Some(NOON),
                withdrawn,
            ),
            (
                "withdrawn a microsecond later",
                |_, f| paper(f).withdrawn_at = Some(NOON + 1.microsecond()),
                None,
            ),
            (
                "withdrawn before the clock was set back",
                |_, f| {
                    paper(f).withdrawn_at = Some(NOON + 1.hour());
                    f.as_of = Some(NOON + 1.hour());
                },
                withdrawn,
            ),
            ("never a member", |_, f| f.memberships.clear(), ended),
            (
                "dated, and never a member",
                |_, f| {
                    days(f, 1, 9);
                    f.memberships.clear();
                },
                None,
            ),
            (
                "member from that moment",
                |_, f| member(f, NOON, NOON + 1.hour()),
                None,
            ),
            (
                "membership ends at that moment",
                |_, f| member(f, NOON - 2.hours(), NOON),
                ended,
            ),
            (
                "membership ends a microsecond later",
                |_, f| member(f, NOON - 2.hours(), NOON + 1.microsecond()),
                None,
            ),
            (
                "member again, signed before leaving",
                |_, f| {
                    f.memberships.push(Membership {
                        from: NOON - 9.hours(),
                        until: Some(NOON - 1.minute()),
                    });
                },
                ended,
            ),
            (
                "member again, signed anew",
                |_, f| {
                    f.memberships.push(Membership {
                        from: NOON - 9.hours(),
                        until: Some(NOON - 1.hour()),
                    });
                },
                None,
            ),
        ],
    );
}

#[test]
fn qr_04_the_purpose_is_one_of_those_authorized() {
    let other = Some("purpose_not_authorized");
    cases(
        RuleId::Qr04,
        &[
            ("another", |q, _| q.purpose = Purpose::PostLoan, other),
            (
                "both",
                |q, f| {
                    q.purpose = Purpose::PostLoan;
                    paper(f).purposes.insert(Purpose::PostLoan);
                },
                None,
            ),
        ],
    );
}

#[test]
fn qr_05_grantee_and_bureau_are_those_authorized() {
    cases(
        RuleId::Qr05,
        &[
            (
                "another institution",
                |_, f| paper(f).institution = "other".into(),
                Some("other_institution"),
            ),
            (
                "another bureau",
                |_, f| paper(f).bureaus = ["baihang".into()].into(),
                Some("bureau_not_authorized"),
            ),
            (
                "two bureaus",
                |_, f| {
                    paper(f).bureaus.insert("baihang".into());
                },
                None,
            ),
        ],
    );
    let (question, mut facts) = good();
    paper(&mut facts).institution = "other".into();
    let Decision::Refused(reasons) = decide(&question, &facts) else {
        panic!("another institution's authorization served");
    };
    assert_eq!(reasons[0].authorization, None, "whose it is stays untold");
}

#[test]
fn qr_06_the_bureau_is_licensed_today_for_such_subjects() {
    fn licence(f: &mut Facts) -> &mut Licence {
        &mut f.licences[0]
    }
    let (unlisted, lapsed) = (Some("bureau_unlisted"), Some("bureau_not_licensed"));
    cases(
        RuleId::Qr06,
        &[
            ("not listed", |_, f| f.licences.clear(), unlisted),
            (
                "another is",
                |_, f| licence(f).bureau = "baihang".into(),
                unlisted,
            ),
            (
                "from today",
                |_, f| licence(f).from = date(2026, 3, 2),
                None,
            ),
            (
                "from tomorrow",
                |_, f| licence(f).from = date(2026, 3, 3),
                lapsed,
            ),
            (
                "until today",
                |_, f| licence(f).until = Some(date(2026, 3, 2)),
                None,
            ),
            (
                "until yesterday",
                |_, f| licence(f).until = Some(date(2026, 3, 1)),
                lapsed,
            ),
            (
                "revoked today",
                |_, f| licence(f).revoked = Some(date(2026, 3, 2)),
                lapsed,
            ),
            (
                "revoked tomorrow",
                |_, f| licence(f).revoked = Some(date(2026, 3, 3)),
                None,
            ),
            (
                "for persons",
                |_, f| licence(f).kind = LicenceKind::PersonalLicence,
                None,
            ),
            (
                "for enterprises only",
                |_, f| licence(f).kind = LicenceKind::EnterpriseFiling,
                Some("bureau_other_kind"),
            ),
        ],
    );
}

#[test]
fn qr_07_name_and_document_are_those_of_the_authorization() {
    cases(
        RuleId::Qr07,
        &[
            (
                "another name",
                |q, _| q.identity = person("999999199001010016", "测试乙"),
                Some("name_differs"),
            ),
            (
                "another number",
                |q, _| q.identity = person("999999199001010024", "测试甲"),
                Some("document_differs"),
            ),
            (
                "another type",
                |q, _| {
                    q.identity =
                        Identity::person("2", "E00000000", "测试甲", date(2026, 3, 2)).unwrap();
                },
                Some("document_differs"),
            ),
            (
                "another spelling",
                |q, _| q.identity = person(" 999999199001010016", "　测试甲"),
                None,
            ),
        ],
    );
    let wrong = Identity::person("10", "999999199001010017", "测试甲", date(2026, 3, 2));
    let reason = crate::authorizations::refuse_identifier(wrong.unwrap_err());
    assert_eq!((reason.rule, reason.code), (RuleId::Qr07, "ident_checksum"));
}

#[test]
fn qr_08_the_original_is_there_and_unchanged() {
    cases(
        RuleId::Qr08,
        &[
            (
                "missing",
                |_, f| paper(f).evidence = Evidence::Missing,
                Some("original_missing"),
            ),
            (
                "altered",
                |_, f| paper(f).evidence = Evidence::Altered,
                Some("original_altered"),
            ),
        ],
    );
}

#[test]
fn qr_09_a_form_with_a_defect_is_none() {
    let unknown = Some("form_text_unknown");
    cases(
        RuleId::Qr09,
        &[
            (
                "no date",
                |_, f| paper(f).signed_at = None,
                Some("form_without_date"),
            ),
            (
                "no signer",
                |_, f| paper(f).signer = None,
                Some("form_without_signer"),
            ),
            (
                "two subjects",
                |_, f| paper(f).subjects_on_form = 2,
                Some("form_of_several"),
            ),
            (
                "no subject",
                |_, f| paper(f).subjects_on_form = 0,
                Some("form_of_several"),
            ),
            (
                "unknown text",
                |_, f| paper(f).policy_first_day = None,
                unknown,
            ),
            (
                "text of tomorrow",
                |_, f| paper(f).policy_first_day = Some(date(2026, 3, 3)),
                unknown,
            ),
            (
                "text of long ago",
                |_, f| paper(f).policy_first_day = Some(date(2020, 1, 1)),
                None,
            ),
        ],
    );
    let (question, mut facts) = good();
    paper(&mut facts).purposes.clear();
    let expected = [
        (RuleId::Qr04, "purpose_not_authorized"),
        (RuleId::Qr09, "form_without_purpose"),
    ];
    assert_eq!(codes(&question, &facts), expected);
}

#[test]
fn the_table_stands_in_the_order_of_the_ids() {
    for (n, rule) in RULES.iter().enumerate() {
        assert_eq!(rule.id.rule().id, rule.id);
        assert_eq!(rule.id.name(), format!("QR-{:02}", n + 1));
        let json = serde_json::to_string(&rule.id).unwrap();
        assert_eq!(json, format!("\"{}\"", rule.id));
    }
}
