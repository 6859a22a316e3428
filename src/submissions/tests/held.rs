//! What waits, and for what.

use super::*;
use crate::ledger::HoldCode;

#[tokio::test]
async fn opening_without_an_authorization_to_provide_waits_for_one() {
    for site in sites().await {
        let loan = loan(1);
        let of = site.submit("k1", &[loan.record()]).await;
        site.sweep().await;
        let records = site.records(&of).await;
        assert_eq!(records[0].state, RecordState::Held, "{:?}", records[0]);
        assert_eq!(records[0].holds[0].code.name(), "provide_missing");
        assert!(site.files().await.is_empty());
        site.authorize(&loan).await;
        site.sweep().await;
        assert_eq!(site.states(&of).await, ["filed"], "{}", site.name);
    }
}

#[tokio::test]
async fn after_acceptance_an_account_goes_on_without_any_authorization() {
    for site in sites().await {
        let loan = loan(1);
        site.authorize(&loan).await;
        site.submit("k1", &[loan.record()]).await;
        let name = site.carry().await[0].name.clone();
        site.answer(&name, &[]);
        site.sweep().await;
        // The days of the authorization are over.
        later(&site.clock, 3 * 24 * 60);
        let next = at_month_end(&loan, "2026-10-31");
        let of = site.submit("k2", &[next.update()]).await;
        assert_eq!(site.states(&of).await, ["ready"], "{}", site.name);
    }
}

#[tokio::test]
async fn two_records_of_an_account_go_one_after_the_other() {
    for site in sites().await {
        let first = loan(1);
        site.authorize(&first).await;
        let second = at_month_end(&first, "2026-10-31");
        let of = site.submit("k1", &[first.record(), second.update()]).await;
        assert_eq!(site.states(&of).await, ["ready", "held"], "{}", site.name);
        let name = site.carry().await[0].name.clone();
        assert_eq!(site.text(&name).len(), 2);
        site.answer(&name, &[]);
        site.sweep().await;
        assert_eq!(site.states(&of).await, ["accepted", "filed"]);
        assert_eq!(site.files().await.len(), 2);
    }
}

#[tokio::test]
async fn submissions_at_once_put_one_record_of_an_account_under_way() {
    for site in sites().await {
        let loan = loan(1);
        site.authorize(&loan).await;
        let lines = [loan.record()];
        let (a, b, c, d) = tokio::join!(
            site.submit("k1", &lines),
            site.submit("k2", &lines),
            site.submit("k3", &lines),
            site.submit("k4", &lines),
        );
        let mut ready = 0;
        for of in [a, b, c, d] {
            let states = site.states(&of).await;
            ready += states.iter().filter(|state| **state == "ready").count();
        }
        assert_eq!(ready, 1, "{}", site.name);
        let files = site.carry().await;
        assert_eq!(
            site.text(&files[0].name).len(),
            2,
            "a header and one record"
        );
    }
}

#[tokio::test]
async fn impossible_sequences_are_set_aside() {
    for site in sites().await {
        let loan = loan(1);
        site.authorize(&loan).await;
        // A deletion of what was never accepted.
        let deletion = serde_json::json!({"record": "214", "data": {"DelRecCode": loan.code()}});
        let of = site.submit("k0", &[deletion]).await;
        let records = site.records(&of).await;
        assert_eq!(records[0].state, RecordState::SetAside);
        let codes: Vec<_> = records[0]
            .findings
            .iter()
            .map(|f| f.code.as_str())
            .collect();
        assert_eq!(codes, ["BTE000"], "{}", site.name);

        site.submit("k1", &[loan.record()]).await;
        let name = site.carry().await[0].name.clone();
        site.answer(&name, &[]);
        site.sweep().await;
        let mut again = at_month_end(&loan, "2026-10-31").record();
        again["data"]["AcctBsSgmt"]["RptDateCode"] = "31".into();
        let of = site.submit("k2", &[again]).await;
        let records = site.records(&of).await;
        let code = &records[0].findings[0].code;
        assert_eq!(code, OPENED_TWICE, "{}", site.name);
    }
}

#[tokio::test]
async fn a_record_that_is_taken_back_lets_the_next_go() {
    for site in sites().await {
        let first = loan(1);
        let mut opening = first.record();
        opening["data"]["AcctBsSgmt"]["RptDateCode"] = "31".into();
        let of = site.submit("k1", &[first.record()]).await;
        assert_eq!(site.states(&of).await, ["held"]);
        let taken_back = site.submissions.withdraw(&site.caller, &of.id, 1).await;
        taken_back.unwrap();
        assert_eq!(site.states(&of).await, ["withdrawn"]);
        site.authorize(&first).await;
        let second = site.submit("k2", &[opening]).await;
        site.sweep().await;
        assert_eq!(site.states(&second).await, ["filed"], "{}", site.name);
    }
}

#[tokio::test]
async fn what_waited_behind_a_record_that_is_taken_back_is_judged_again() {
    for site in sites().await {
        let first = loan(1);
        let of = site.submit("k1", &[first.record()]).await;
        let next = at_month_end(&first, "2026-10-31");
        let second = site.submit("k2", &[next.update()]).await;
        assert_eq!(site.states(&second).await, ["held"]);
        let taken_back = site.submissions.withdraw(&site.caller, &of.id, 1).await;
        taken_back.unwrap();
        site.sweep().await;
        let records = site.records(&second).await;
        assert_eq!(records[0].state, RecordState::SetAside, "{}", site.name);
        assert_eq!(records[0].findings[0].code, NOT_OPENED);
    }
}

#[tokio::test]
async fn a_first_negative_turn_waits_for_a_notice_of_this_account() {
    for site in sites().await {
        let (first, other) = (loan(1), loan(2));
        for loan in [&first, &other] {
            site.authorize(loan).await;
        }
        site.submit("k1", &[first.record(), other.record()]).await;
        let name = site.carry().await[0].name.clone();
        site.answer(&name, &[]);
        site.sweep().await;
        let mut overdue = at_month_end(&first, "2026-10-31");
        overdue.standing = Standing::Overdue;
        let of = site.submit("k2", &[overdue.update()]).await;
        let holds = |records: &[RecordView]| -> Vec<&'static str> {
            let holds = records[0].holds.iter();
            holds.map(|hold| hold.code.name()).collect()
        };
        assert_eq!(holds(&site.records(&of).await), ["notice_missing"]);

        // Of another account: it does not count.
        site.notice("n1", 2, "2026-10", 5).await;
        site.sweep().await;
        assert_eq!(holds(&site.records(&of).await), ["notice_missing"]);
        // Delivered the day before: too close.
        site.notice("n2", 1, "2026-10", 1).await;
        site.sweep().await;
        assert_eq!(holds(&site.records(&of).await), ["notice_too_close"]);
        site.notice("n3", 1, "2026-10", 5).await;
        let name = site.carry().await[1].name.clone();
        site.answer(&name, &[]);
        site.sweep().await;
        assert_eq!(site.states(&of).await, ["accepted"], "{}", site.name);
        let run: Option<(Option<String>,)> = site
            .db
            .first("SELECT run FROM notices WHERE id = 'n3'", crate::args![])
            .await
            .unwrap();
        assert_eq!(run.unwrap().0.as_deref(), Some("2.1"), "it served the run");
    }
}

#[tokio::test]
async fn a_disputed_account_waits_for_its_mark() {
    for site in sites().await {
        let first = loan(1);
        site.authorize(&first).await;
        site.submit("k1", &[first.record()]).await;
        let name = site.carry().await[0].name.clone();
        site.answer(&name, &[]);
        site.sweep().await;
        site.run(
            "INSERT INTO disputes (id, institution, number, account, opened_by, opened_at) \
             VALUES ('d1', 'demo-bank', 'D-1', 1, 'local', 1)",
        )
        .await;
        let next = at_month_end(&first, "2026-10-31");
        let of = site.submit("k2", &[next.update()]).await;
        let records = site.records(&of).await;
        assert_eq!(records[0].holds[0].code.name(), "disputed_unmarked");
        let mut marked = next.update();
        marked["dispute"] = "D-1".into();
        marked["corrects"] = serde_json::json!({"submission": of.id, "seq": 1});
        let marked = site.submit("k3", &[marked]).await;
        assert_eq!(site.states(&marked).await, ["ready"], "{}", site.name);
        assert_eq!(site.states(&of).await, ["replaced"]);
    }
}

const OPENED_TWICE: &str = "SEQ-OPENED-TWICE";
const NOT_OPENED: &str = "SEQ-NOT-OPENED";

#[tokio::test]
async fn what_follows_a_record_that_is_set_aside_is_judged_without_it() {
    for site in sites().await {
        let first = loan(1);
        site.authorize(&first).await;
        site.submit("k1", &[first.record()]).await;
        let name = site.carry().await[0].name.clone();
        site.answer(&name, &[]);
        site.sweep().await;
        // The first begins a run of negative state, and is another person's.
        let overdue = Loan {
            standing: Standing::Overdue,
            ..at_month_end(&first, "2026-10-31")
        };
        let other = Loan {
            borrower: loan(2).borrower,
            ..at_month_end(&overdue, "2026-10-30")
        };
        let of = site.submit("k2", &[other.update(), overdue.update()]).await;
        site.sweep().await;
        let records = site.records(&of).await;
        let states: Vec<_> = records.iter().map(|it| it.state.name()).collect();
        assert_eq!(states, ["set_aside", "held"], "{}", site.name);
        assert_eq!(records[1].holds[0].code.name(), "notice_missing");
        assert_eq!(site.files().await.len(), 1);
    }
}

#[tokio::test]
async fn what_was_withdrawn_after_the_verdict_does_not_go() {
    for site in sites().await {
        let loan = loan(1);
        site.authorize(&loan).await;
        let of = site.submit("k1", &[loan.record()]).await;
        assert_eq!(site.states(&of).await, ["ready"], "{}", site.name);
        site.run("UPDATE authorizations SET withdrawn_at = 1").await;
        site.sweep().await;
        let records = site.records(&of).await;
        assert_eq!(records[0].state, RecordState::Held, "{}", site.name);
        assert_eq!(records[0].holds[0].code.name(), "provide_missing");
        site.run("UPDATE authorizations SET withdrawn_at = NULL")
            .await;
        site.submissions.stir();
        site.sweep().await;
        assert_eq!(site.states(&of).await, ["filed"], "{}", site.name);
    }
}

/// What the codes of a record's findings are.
fn codes(record: &RecordView) -> Vec<&str> {
    let findings = record.findings.iter();
    findings.map(|it| it.code.as_str()).collect()
}

#[tokio::test]
async fn what_follows_in_the_next_chunk_waits_for_the_record_that_opens_its_account() {
    for site in sites().await {
        let few = u32::try_from(feed::CHUNK).unwrap();
        let mut lines: Vec<Value> = (1..=few).map(|n| loan(n).record()).collect();
        let opened = loan(few);
        lines.push(serde_json::json!({"record": "214", "data": {"DelRecCode": opened.code()}}));
        lines.push(
            serde_json::json!({"record": "214", "data": {"DelRecCode": loan(few + 1).code()}}),
        );
        let of = site.submit("k1", &lines).await;
        let records = site.records(&of).await;
        let [.., opening, deletion, of_nothing] = &records[..] else {
            panic!("{}", records.len());
        };
        assert_eq!(opening.state, RecordState::Held, "{}", site.name);
        assert_eq!(deletion.state, RecordState::Held, "{}", site.name);
        let waits: Vec<HoldCode> = deletion.holds.iter().map(|it| it.code).collect();
        assert_eq!(waits, [HoldCode::AccountInFlight], "{}", site.name);
        assert_eq!(codes(of_nothing), ["BTE000"], "{}", site.name);
    }
}

#[tokio::test]
async fn nothing_goes_out_for_an_account_that_was_not_opened() {
    for site in sites().await {
        let known = loan(1);
        site.submit("k1", &[known.record()]).await;
        let mut stranger = loan(2);
        stranger.borrower = (known.borrower.0.clone(), "测试乙".to_owned());
        let deletion =
            serde_json::json!({"record": "214", "data": {"DelRecCode": stranger.code()}});
        let of = site.submit("k2", &[stranger.record(), deletion]).await;
        let records = site.records(&of).await;
        assert_eq!(codes(&records[0]), ["subject_other_name"], "{}", site.name);
        assert_eq!(codes(&records[1]), ["account_unknown"], "{}", site.name);
        assert_eq!(site.states(&of).await, ["set_aside"; 2], "{}", site.name);
    }
}
