//! The first hour of a batch operator, as README tells it.

use creditgate::{
    demo::{INSTITUTION, consent_to_provide},
    operators::{Caller, Role},
    platform::db::Urgency,
};
use serde_json::Value;

use super::site::Site;

const LOANS: &str = include_str!("../../../docs/samples/loans.jsonl");
const NOTICE: &str = include_str!("../../../docs/samples/notice.json");
const TABLE: &str = include_str!("../../../docs/samples/loans.csv");

/// What the play of the demo leaves: borrowers who let the bank provide.
async fn borrowers(site: &Site) {
    let by = Caller::local(INSTITUTION.into(), [Role::Compliance]);
    for line in LOANS.lines().take(4) {
        let line: Value = serde_json::from_str(line).unwrap();
        let base = &line["data"]["AcctBsSgmt"];
        let of = |tag: &str| base[tag].as_str().unwrap();
        let borrower = site.test.person(of("Name"), of("IDNum"));
        let papers = site.test.gateway.authorizations();
        let paper = consent_to_provide(&borrower, site.now());
        let recorded = papers.record(&by, paper, Urgency::Urgent, site.now());
        recorded.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_samples_do_what_the_readme_says() {
    let site = Site::start().await;
    borrowers(&site).await;
    site.desk().spite("T99999999H0001DK0009004", "BLR022");
    let desk = site.operator();
    for (name, text) in [
        ("loans.jsonl", LOANS),
        ("loans.csv", TABLE),
        ("notice.json", NOTICE),
    ] {
        desk.file(name, text);
    }
    let checked = desk.say("submit loans.jsonl --dry-run --lang en").exits(3);
    assert!(checked.out.contains("5 records, 1 with findings"));
    desk.say("submit loans.csv --record 210 --dry-run").exits(0);

    let submit = "submit loans.jsonl --lang en";
    let said = desk.run(submit).exits(3);
    for part in [
        "held: 2",
        "ready: 2",
        "set aside: 1",
        "#2 210 set aside",
        "#3 210 held",
    ] {
        assert!(said.out.contains(part), "{part}: {said:?}");
    }
    desk.run("notices record notice.json").exits(0);
    let told = desk.run("submit loans.jsonl --json").exits(3).json();
    let id = told["submission"]["id"].as_str().unwrap();
    let wanted = ["accepted", "set_aside", "accepted", "rejected", "held"];
    site.until("all of it is answered", async || {
        let records = site.records(id).await;
        records
            .iter()
            .zip(wanted)
            .all(|(it, state)| it["state"] == state)
    })
    .await;
    let said = desk.run(submit).exits(3);
    let tail = "#4 210 rejected\n    BLR022 0000 FiveCateAdjDate must be";
    for part in ["accepted: 2", "held: 1", "rejected: 1", tail] {
        assert!(said.out.contains(part), "{part}: {said:?}");
    }
    let corrects = format!("{{\"corrects\":{{\"submission\":\"{id}\",\"seq\":4}},");
    let mended = LOANS.lines().nth(3).unwrap();
    let mended = mended.replacen('{', &corrects, 1).replace(
        "\"FiveCateAdjDate\":\"2025-05-20\"",
        "\"FiveCateAdjDate\":\"2025-06-20\"",
    );
    desk.file("mended.jsonl", &format!("{mended}\n"));
    desk.run("submit mended.jsonl").exits(0);
    site.until("it is mended", async || {
        let account = site.desk().account("210", "T99999999H0001DK0009004");
        account.is_some()
    })
    .await;
    assert_eq!(site.records(id).await[3]["state"], "replaced");
    site.stop().await;
}
