//! An account under dispute, and its mark.

use creditgate::demo::loans::Standing;
use serde_json::{Value, json};

use super::{
    forms::{account, holds},
    site::Site,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_disputed_account_stops_without_its_mark_and_goes_with_it() {
    let site = Site::start().await;
    let loan = site.loan(1);
    site.open(&[&loan]).await;
    let compliance = site.test.compliance();
    let (number, _) = &loan.borrower;
    let body = json!({
        "number": "D-2026-1", "account": account(&loan),
        "subject": {"kind": "person", "id_type": "10", "id_number": number},
    });
    let opened = compliance.post("/v1/disputes", &body).await.unwrap();
    assert_eq!(opened.status, 201, "{opened:?}");

    let next = site.later(&loan, 2, Standing::Normal);
    let unmarked = site.hand_in(&[next.update()]).await;
    site.turns().await;
    assert_eq!(holds(&site.record(&unmarked).await), ["disputed_unmarked"]);
    // The mark of another dispute does not help.
    let marked = |mark: &str| -> Value {
        let mut line = next.update();
        line["dispute"] = mark.into();
        line["corrects"] = json!({"submission": unmarked, "seq": 1});
        line
    };
    let id = site.hand_in(&[marked("D-2026-2")]).await;
    site.turns().await;
    assert_eq!(holds(&site.record(&id).await), ["dispute_unknown"]);
    let mut right = marked("D-2026-1");
    right["corrects"]["submission"] = id.clone().into();
    let id = site.hand_in(&[right]).await;
    site.all(&id, "accepted").await;
    assert_eq!(site.record(&unmarked).await["state"], "replaced");

    // A correction is what the dispute asks for.
    let id = site.hand_in(&[next.correction()]).await;
    site.all(&id, "accepted").await;

    // Closed, it stops nothing any more.
    let last = site.later(&loan, 1, Standing::Normal);
    let id = site.hand_in(&[last.update()]).await;
    site.turns().await;
    assert_eq!(holds(&site.record(&id).await), ["disputed_unmarked"]);
    let path = format!("/v1/disputes/{}/close", opened.body["id"].as_str().unwrap());
    let closed = compliance.post(&path, &json!({})).await.unwrap();
    assert_eq!(closed.body["closed"], true, "{closed:?}");
    site.all(&id, "accepted").await;
    site.stop().await;
}
