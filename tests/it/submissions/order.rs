//! What cannot follow what the bureau has, and corrections of what it rejected.

use creditgate::demo::loans::{Loan, Standing};
use serde_json::{Value, json};

use super::{forms::findings, site::Site};
use crate::support::databases;

/// Hands one line in that is set aside, and gives the codes of its findings.
async fn refused(site: &Site, line: Value) -> Vec<String> {
    let id = site.hand_in(&[line]).await;
    let record = site.record(&id).await;
    assert_eq!(record["state"], "set_aside", "{record}");
    findings(&record).into_iter().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_not_opened_twice_nor_active_after_its_closing() {
    let site = Site::start().await;
    let loan = Loan {
        month_end: site.month_end(4),
        ..site.loan(1)
    };
    site.open(&[&loan]).await;
    let mut again = site.later(&loan, 3, Standing::Normal).record();
    again["data"]["AcctBsSgmt"]["RptDateCode"] = "31".into();
    assert_eq!(refused(&site, again).await, ["SEQ-OPENED-TWICE"]);
    let closing = site.later(&loan, 3, Standing::Closed);
    let id = site.hand_in(&[closing.update()]).await;
    site.all(&id, "accepted").await;
    let after = site.later(&loan, 2, Standing::Normal);
    assert_eq!(refused(&site, after.update()).await, ["BLR020"]);
    let at_bureau = site.desk().account("210", &loan.code()).unwrap();
    assert_eq!(at_bureau.taken, ["210", "210"], "{at_bureau:?}");
    assert!(at_bureau.closed);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_accepted_is_neither_corrected_nor_deleted_nor_updated() {
    let site = Site::start().await;
    let loan = site.loan(1);
    site.consent(&loan).await;
    assert_eq!(refused(&site, loan.correction()).await, ["BMR007"]);
    let code = loan.code();
    let delete = json!({"record": "214", "data": {"DelRecCode": code}});
    assert_eq!(refused(&site, delete).await, ["BTE000"]);
    let mut rename = json!({"record": "211", "data": {"OdBnesCode": code, "AcctType": "D1"}});
    rename["data"]["NwBnesCode"] = site.loan(9).code().into();
    assert!(
        refused(&site, rename).await.contains(&"BIE001".to_owned()),
        "the account to be renamed is not there"
    );
    let mut update = loan.update();
    update["data"]["AcctBsSgmt"]["RptDateCode"] = "30".into();
    let codes = refused(&site, update).await;
    assert!(codes.contains(&"SEQ-NOT-OPENED".to_owned()), "{codes:?}");
    site.turns().await;
    assert_eq!(site.files().await, [] as [Value; 0]);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_record_is_corrected_accepted_and_linked_both_ways() {
    for database in databases().await {
        let site = Site::on(database).await;
        let (loan, other) = (site.loan(1), site.loan(2));
        for loan in [&loan, &other] {
            site.consent(loan).await;
        }
        // Something that only the bureau's own database knows.
        site.desk().spite(&loan.code(), "BLR024");
        let id = site.hand_in(&[other.record(), loan.record()]).await;
        let file = site.last_file("answered").await;
        assert_eq!(
            (&file["accepted"], &file["rejected"]),
            (&json!(1), &json!(1))
        );
        let records = site.records(&id).await;
        assert_eq!(records[0]["state"], "accepted");
        assert_eq!(records[1]["state"], "rejected");
        let answer = &records[1]["answer"][0];
        assert_eq!(answer["code"], "BLR024");
        for language in ["zh", "en"] {
            let text = answer[language].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "the code is explained: {answer}");
        }
        assert_eq!(records[1]["corrected_by"], Value::Null);

        // What follows it waits until it is mended.
        let next = site.later(&loan, 2, Standing::Normal);
        let waiting = site.hand_in(&[next.update()]).await;
        site.turns().await;
        assert_eq!(site.record(&waiting).await["state"], "held");

        let mut line = loan.record();
        line["corrects"] = json!({"submission": id, "seq": 2});
        let correction = site.hand_in(&[line.clone()]).await;
        let mended = site.all(&correction, "accepted").await.remove(0);
        assert_eq!(mended["corrects"], json!({"submission": id, "seq": 2}));
        let replaced = &site.records(&id).await[1];
        assert_eq!(replaced["state"], "replaced");
        assert_eq!(
            replaced["corrected_by"],
            json!({"submission": correction, "seq": 1})
        );
        site.all(&waiting, "accepted").await;

        // It was mended: nothing takes its place a second time.
        assert_eq!(refused(&site, line).await, ["corrects_nothing"]);
        let at_bureau = site.desk().account("210", &loan.code()).unwrap();
        assert_eq!(at_bureau.taken, ["210", "210"], "{at_bureau:?}");
        site.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_corrections_at_once_one_takes_the_place_and_one_record_goes() {
    let site = Site::start().await;
    let loan = site.loan(1);
    site.consent(&loan).await;
    site.desk().spite(&loan.code(), "BLR022");
    let id = site.hand_in(&[loan.record()]).await;
    site.all(&id, "rejected").await;
    let mut line = loan.record();
    line["corrects"] = json!({"submission": id, "seq": 1});
    let lines = [line.clone(), line.clone()];
    let third = [line];
    let (one, other) = tokio::join!(site.hand_in(&lines), site.hand_in(&third));
    site.until("all of it came to an end", async || {
        let mut all = site.records(&one).await;
        all.extend(site.records(&other).await);
        let ends = ["accepted", "set_aside"];
        all.iter()
            .all(|it| ends.contains(&it["state"].as_str().unwrap()))
    })
    .await;
    let mut all = site.records(&one).await;
    all.extend(site.records(&other).await);
    let accepted = all.iter().filter(|it| it["state"] == "accepted").count();
    assert_eq!(accepted, 1, "{all:?}");
    assert_eq!(site.record(&id).await["state"], "replaced");
    let at_bureau = site.desk().account("210", &loan.code()).unwrap();
    assert_eq!(at_bureau.taken, ["210"], "{at_bureau:?}");
    site.stop().await;
}
