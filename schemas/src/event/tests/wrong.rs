//! Events that are refused, and all that is told of them.

use super::*;

#[test]
fn what_a_profile_may_not_report_is_refused_and_so_is_what_has_no_record() {
    let refused = |event: &Value, profile: Profile| {
        let found = records(event, Some(profile), &[]).err();
        let codes = found.map(|it| it.into_iter().map(|it| it.code).collect::<Vec<_>>());
        codes == Some(vec!["event_no_record".to_owned()])
    };
    let event =
        |obligation: Obligation| with(&late_rent(), &[("obligation", json!(obligation.name()))]);
    use Obligation::{Factoring, Guarantee, Insurance, Leasing, Lending};
    for (profile, may) in [
        (Profile::Factor, vec![Factoring]),
        (Profile::GuaranteeCompany, vec![Guarantee]),
        (Profile::Insurer, vec![Insurance]),
        (Profile::Lender, vec![Factoring, Guarantee, Lending]),
        (Profile::Lessor, vec![Leasing]),
    ] {
        for obligation in Obligation::ALL.into_iter().filter(|it| !may.contains(it)) {
            assert!(
                refused(&event(obligation), profile),
                "{profile:?} {obligation:?}"
            );
        }
    }
    // No list of the personal records has factoring.
    let of_person = with(&event(Factoring), &[("subject", person())]);
    for profile in Profile::ALL {
        assert!(refused(&of_person, profile), "{profile:?}");
    }
}

#[test]
fn what_items_say_against_the_event_is_a_contradiction() {
    let lease = state("410", LEASE);
    let items = json!({"ActLbltyInfSgmt": {"OverdDy": 31, "TotOverd": 120_000},
                       "AcctBsSgmt": {"AcctType": "R4"}});
    let event = with(&late_rent(), &[("items", items)]);
    let mut all = records(&event, Some(Profile::Lessor), &[open("D1", &lease)]).unwrap();
    let found = wrong(&mut all[0], "2024-05-22");
    assert!(
        found.contains(&"event_contradicts AcctBsSgmt/AcctType".to_owned()),
        "{found:#?}"
    );
    let items = json!({"ActLbltyInfSgmt": {"OverdDy": 31, "TotOverd": 120_000}});
    let event = with(&late_rent(), &[("items", items)]);
    let mut all = records(&event, Some(Profile::Lessor), &[open("D1", &lease)]).unwrap();
    let found = wrong(&mut all[0], "2024-05-22");
    assert_eq!(found, ["event_contradicts ActLbltyInfSgmt/OverdDy"]);
}

#[test]
fn everything_that_is_wrong_with_an_event_is_told_at_once_and_nothing_is_quoted() {
    let event = json!({
        "obligation": "renting", "subject": {"kind": "robot", "id_type": "20", "name": 7, "age": 1},
        "on": "22/05/2024", "due": {"on": "2024-04-20", "amount": 10.5, "principal": -1},
        "balance": "1e9", "status": "late", "unpaid": [1], "items": [], "测试甲": 1,
    });
    let found = records(&event, None, &[]).unwrap_err();
    let told: Vec<String> = found
        .iter()
        .map(|it| format!("{} {}", it.code, it.path))
        .collect();
    for expected in [
        "event_value /obligation",
        "event_field_missing /account",
        "event_value /subject/kind",
        "event_field_missing /subject/id_number",
        "event_value /subject/name",
        "event_field_unknown /subject",
        "event_value /on",
        "event_value /due/amount",
        "event_value /due/principal",
        "event_field_missing /performed",
        "event_value /balance",
        "event_value /status",
        "event_value /unpaid",
        "event_value /items",
        "event_field_unknown .",
    ] {
        assert!(
            told.iter().any(|it| it == expected),
            "{expected}: {told:#?}"
        );
    }
    let texts: String = found
        .iter()
        .map(|it| format!("{}{}", it.zh, it.en))
        .collect();
    for secret in ["测试甲", "robot", "renting", "1e9"] {
        assert!(!texts.contains(secret), "{secret}");
    }
}

#[test]
fn what_cannot_be_true_together_is_told() {
    let changed = |changes: &[(&str, Value)]| with(&late_rent(), changes);
    let day = |on: &str| json!({"on": on, "amount": 1, "principal": 1});
    let cases = [
        (changed(&[("due", day("2024-05-22"))]), "/due/on"),
        (changed(&[("due", day("2024-06-01"))]), "/due/on"),
        (
            changed(&[(
                "due",
                json!({"on": "2024-04-20", "amount": 1, "principal": 2}),
            )]),
            "/due/principal",
        ),
        (changed(&[("paid", day("2024-05-23"))]), "/paid/on"),
        (changed(&[("next_due", json!("2024-05-21"))]), "/next_due"),
        (changed(&[("closed_on", json!("2024-05-22"))]), "/closed_on"),
        (
            changed(&[("paid_out", json!({"on": "2024-05-22", "amount": 1}))]),
            "/paid_out",
        ),
        (
            changed(&[
                ("obligation", json!("factoring")),
                ("paid_out", json!({"on": "2024-05-22", "amount": 1})),
            ]),
            "/claim",
        ),
        (
            changed(&[("unpaid", json!([day("2024-05-22")]))]),
            "/unpaid/0/on",
        ),
        (changed(&[("performed", json!(null))]), "/performed"),
    ];
    for (event, path) in cases {
        let found = records(&event, None, &[]).unwrap_err();
        assert!(found.iter().any(|it| it.path == path), "{path}: {found:?}");
    }
    for line in ["", "7", "{\"obligation\":", "[]"] {
        let found = Intake::new(edition())
            .events(line.as_bytes(), None)
            .unwrap_err();
        assert_eq!(found[0].code, "event_not_json", "{line}");
    }
    let twice = late_rent()
        .to_string()
        .replacen('{', "{\"on\":\"2024-05-22\",", 1);
    let found = Intake::new(edition())
        .events(twice.as_bytes(), None)
        .unwrap_err();
    assert_eq!(found[0].code, "event_field_repeated");
}

#[test]
fn more_days_than_the_item_holds_are_not_guessed() {
    let lease = state("410", LEASE);
    let day = |on: &str| json!({"on": on, "amount": 120_000, "principal": 100_000});
    for (due, told) in [("2021-08-27", Some("999")), ("2021-08-26", None)] {
        let event = with(
            &late_rent(),
            &[("due", day(due)), ("next_due", json!(null))],
        );
        let mut all = records(&event, None, &[open("D1", &lease)]).unwrap();
        let found = wrong(&mut all[0], "2024-05-22");
        let asks = "event_needs ActLbltyInfSgmt/OverdDy".to_owned();
        assert_eq!(found.contains(&asks), told.is_none(), "{due}: {found:#?}");
        if let Some(told) = told {
            assert_eq!(value(&all[0], "ActLbltyInfSgmt/OverdDy"), told);
        }
    }
}
