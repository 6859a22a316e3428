//! What waits before it may go out, and what lets it go.

use creditgate::demo::loans::{Loan, Standing};
use jiff::ToSpan as _;
use serde_json::{Value, json};

use super::{
    forms::{findings, holds, subject},
    site::Site,
};
use crate::support::databases;

/// A form that lets the institution provide, as long as its signer is a member
/// unless days are given.
fn form(site: &Site, person: &Value, categories: &[&str]) -> Value {
    let signed = site.now() - 1.hour();
    json!({
        "external_ref": crate::support::key(), "kind": "provide", "subject": person,
        "signer": person, "bureaus": ["pboc"], "categories": categories,
        "signed_at": signed.to_string(),
        "policy": {"policy": "privacy-policy", "version": "2026-01"}, "evidence": "c2lnbmVk",
    })
}

async fn recorded(site: &Site, path: &str, body: &Value) {
    let reply = site.submitter.post(path, body).await.unwrap();
    assert!(reply.status.is_success(), "{path}: {reply:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opening_waits_for_an_authorization_to_provide_and_goes_when_it_is_recorded() {
    let site = Site::start().await;
    let loan = site.loan(1);
    let id = site.hand_in(&[loan.record()]).await;
    site.turns().await;
    let record = site.record(&id).await;
    assert_eq!(record["state"], "held");
    assert_eq!(holds(&record), ["provide_missing"]);
    let hold = &record["holds"][0];
    for text in ["source", "what", "cure"] {
        for language in ["zh", "en"] {
            let said = hold[text][language].as_str().unwrap();
            assert!(!said.is_empty(), "{hold}");
        }
    }
    assert_eq!(site.files().await, [] as [Value; 0], "nothing goes out");
    site.consent(&loan).await;
    let record = site.all(&id, "accepted").await.remove(0);
    assert_eq!(holds(&record), [""; 0]);
    assert!(site.desk().account("210", &loan.code()).is_some());
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_acceptance_all_but_a_new_opening_goes_though_the_membership_ended() {
    let site = Site::start().await;
    let loan = Loan {
        month_end: site.month_end(4),
        ..site.loan(1)
    };
    let person = subject(&loan);
    let since = (site.now() - 48.hours()).to_string();
    recorded(
        &site,
        "/v1/memberships",
        &json!({"subject": person, "from": since}),
    )
    .await;
    let paper = form(&site, &person, &["credit", "negative"]);
    recorded(&site, "/v1/authorizations", &paper).await;
    let id = site.hand_in(&[loan.record()]).await;
    site.all(&id, "accepted").await;
    let until = site.now().to_string();
    recorded(
        &site,
        "/v1/memberships/end",
        &json!({"subject": person, "until": until}),
    )
    .await;

    let deletion = json!({"record": "214", "data": {"DelRecCode": loan.code()}});
    let stories = [
        ("an update", site.later(&loan, 3, Standing::Normal).update()),
        (
            "a correction",
            site.later(&loan, 3, Standing::Normal).correction(),
        ),
        ("a closing", site.later(&loan, 2, Standing::Closed).update()),
        ("a deletion", deletion),
    ];
    for (what, line) in stories {
        let id = site.hand_in(&[line]).await;
        let record = site.record(&id).await;
        assert_eq!(
            (holds(&record), findings(&record)),
            (vec![], vec![]),
            "{what}: {record}"
        );
        site.all(&id, "accepted").await;
    }
    let at_bureau = site.desk().account("210", &loan.code());
    assert!(at_bureau.is_none(), "it was deleted: {at_bureau:?}");

    // A new account of the same person is another matter.
    let other = Loan { number: 2, ..loan };
    let id = site.hand_in(&[other.record()]).await;
    site.turns().await;
    assert_eq!(holds(&site.record(&id).await), ["provide_missing"]);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_negative_record_waits_for_the_right_notice_and_for_its_days() {
    let site = Site::standing().await;
    let (loan, other) = (site.loan(1), site.loan(2));
    let overdue = site.later(&loan, 2, Standing::Overdue);
    let of_other = site.later(&other, 2, Standing::Overdue);
    site.open(&[&loan, &other]).await;
    let id = site.hand_in(&[overdue.update()]).await;
    site.turns().await;
    assert_eq!(holds(&site.record(&id).await), ["notice_missing"]);
    // Of another account of the institution, and of a month that was clean.
    site.notice(&of_other, 100).await;
    site.notice(&loan, 100).await;
    site.turns().await;
    assert_eq!(holds(&site.record(&id).await), ["notice_missing"]);
    // The right one; but three days are not over.
    site.notice(&overdue, 24).await;
    site.turns().await;
    assert_eq!(holds(&site.record(&id).await), ["notice_too_close"]);
    site.pass(47.hours());
    site.test.gateway.submissions().stir();
    site.turns().await;
    assert_eq!(holds(&site.record(&id).await), ["notice_too_close"]);
    site.pass(1.hour());
    site.test.gateway.submissions().stir();
    site.all(&id, "accepted").await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_under_its_notice_and_a_second_run_needs_a_new_one() {
    for database in databases().await {
        let site = Site::on(database).await;
        let loan = Loan {
            month_end: site.month_end(6),
            ..site.loan(1)
        };
        site.open(&[&loan]).await;
        let first = site.later(&loan, 5, Standing::Overdue);
        let notice = site.notice(&first, 100).await;
        let id = site.hand_in(&[first.update()]).await;
        site.all(&id, "accepted").await;
        let path = format!("/v1/notices/{}", notice.body["id"].as_str().unwrap());
        let shown = site.submitter.get(&path).await.unwrap();
        assert!(shown.body["run"].is_string(), "it served: {shown:?}");
        let goes_on = site.later(&loan, 4, Standing::Overdue);
        let id = site.hand_in(&[goes_on.update()]).await;
        site.all(&id, "accepted").await;
        let cured = site.later(&loan, 3, Standing::Normal);
        let id = site.hand_in(&[cured.update()]).await;
        site.all(&id, "accepted").await;
        let again = site.later(&loan, 2, Standing::Overdue);
        let id = site.hand_in(&[again.update()]).await;
        site.turns().await;
        assert_eq!(holds(&site.record(&id).await), ["notice_missing"]);
        site.notice(&again, 100).await;
        site.all(&id, "accepted").await;
        site.stop().await;
    }
}

/// A record 110 of the published sample, with income and tax.
fn basics() -> Value {
    let edition =
        schemas::edition::Edition::embedded("pboc-submit-personal", jiff::civil::date(2026, 11, 1))
            .unwrap();
    let plan = edition.plan("110").unwrap();
    let sample = include_str!("../../../schemas/testdata/pboc-submit-personal/110.xml");
    let record = plan.read(sample.trim().as_bytes()).unwrap();
    let line = schemas::intake::to_json(plan, &record, schemas::intake::Names::Tag);
    serde_json::from_str(&line).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restricted_item_waits_for_a_consent_of_its_own() {
    let site = Site::start().await;
    let line = basics();
    let base = &line["data"]["BsSgmt"];
    let person = json!({
        "kind": "person", "id_type": "10", "id_number": base["IDNum"], "name": base["Name"],
    });
    let mut paper = form(&site, &person, &["person_basics"]);
    let today = site.month_end(0).to_string();
    (paper["valid_from"], paper["valid_until"]) = ("2026-01-01".into(), today.into());
    recorded(&site, "/v1/authorizations", &paper).await;
    let id = site.hand_in(&[line]).await;
    site.turns().await;
    let record = site.record(&id).await;
    assert_eq!(
        (holds(&record), findings(&record)),
        (vec!["restricted_item"], vec![]),
        "{record}"
    );
    // Of two restricted items, consent to one is not enough.
    for (category, state) in [("income", "held"), ("tax", "accepted")] {
        paper["external_ref"] = crate::support::key().into();
        paper["categories"] = json!([category]);
        recorded(&site, "/v1/authorizations", &paper).await;
        site.turns().await;
        site.all(&id, state).await;
    }
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forbidden_item_is_refused_whatever_was_consented_to() {
    let site = Site::start().await;
    let loan = site.loan(1);
    site.consent(&loan).await;
    let mut lines = Vec::new();
    for name in ["宗教信仰", "BloodType", "指纹", "基因", "病史"] {
        let mut line = loan.record();
        line["data"]["AcctBsSgmt"][name] = "无".into();
        lines.push(line);
    }
    let id = site.hand_in(&lines).await;
    site.turns().await;
    for record in site.records(&id).await {
        assert_eq!(record["state"], "set_aside", "{record}");
        assert_eq!(findings(&record), ["intake_name_forbidden"], "{record}");
        assert_eq!(record["findings"][0]["path"], "AcctBsSgmt", "{record}");
    }
    assert_eq!(site.files().await, [] as [Value; 0]);
    site.stop().await;
}
