//! What the bureau answers, and what it may not do to us.

use std::fs;

use creditgate::demo::{Client, loans::Standing};
use mocks::Lie;
use serde_json::{Value, json};

use super::{
    forms::holds,
    sealed::{open, rejected},
    site::Site,
};

/// A person's word on a file.
async fn decide(who: &Client, file: &Value, decision: &str) {
    let path = format!("/v1/files/{}/decide", file["id"].as_str().unwrap());
    let body = json!({"decision": decision});
    let reply = who.post(&path, &body).await.unwrap();
    assert_eq!(reply.status, 204, "{decision}: {reply:?}");
}

/// Two loans, one of which the bureau will reject, in a file whose feedback is
/// what the lie makes of it. Gives the submission, and the file once it stopped.
async fn lied_to(site: &Site, lie: Lie) -> (String, Value) {
    let (loan, other) = (site.loan(1), site.loan(2));
    for loan in [&loan, &other] {
        site.consent(loan).await;
    }
    site.desk().spite(&loan.code(), "BLR024");
    site.desk().lie(lie);
    let id = site.hand_in(&[loan.record(), other.record()]).await;
    let file = site.last_file("stopped").await;
    site.turns().await;
    for record in site.records(&id).await {
        assert_eq!(record["state"], "filed", "{lie:?}: {record}");
        assert_eq!(record["answer"], json!([]), "{lie:?}: {record}");
    }
    // Nothing that follows goes out in the meantime.
    let next = site.later(&other, 2, Standing::Normal);
    let waiting = site.hand_in(&[next.update()]).await;
    site.turns().await;
    assert_eq!(holds(&site.record(&waiting).await), ["account_in_flight"]);
    assert_eq!(site.files().await.len(), 1);
    (id, file)
}

#[tokio::test(flavor = "multi_thread")]
async fn feedback_with_wrong_line_numbers_stops_the_file_and_a_person_goes_on() {
    let site = Site::start().await;
    let (id, file) = lied_to(&site, Lie::WrongLines).await;
    assert_eq!(file["cause"], "fb-line-record", "{file}");
    // The bureau says it again, and right this time; the lines are those of the
    // outbox, opened by another program.
    let name = file["name"].as_str().unwrap();
    let outbox = site.test.house.folder.join("data/outbox");
    let sealed = fs::read(outbox.join(format!("{name}.enc"))).unwrap();
    let text = open(&site.key(), &sealed);
    let line = text.split("\r\n").nth(1).unwrap();
    site.answer(name, 3, (1, 1), &[rejected(2, "BLR024", line)]);
    site.turns().await;
    let stands = site.files().await.remove(0);
    assert_eq!(stands["state"], "stopped", "only a person goes on");
    decide(&site.test.compliance(), &file, "look_again").await;
    site.until("it is answered", async || {
        site.files().await[0]["state"] == "answered"
    })
    .await;
    let file = site.files().await.remove(0);
    assert_eq!(
        (&file["accepted"], &file["rejected"]),
        (&json!(1), &json!(1))
    );
    let records = site.records(&id).await;
    assert_eq!(records[0]["state"], "rejected");
    assert_eq!(records[1]["state"], "accepted");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn feedback_that_is_cut_or_of_another_file_or_of_other_records_writes_nothing() {
    for lie in [
        Lie::Cut,
        Lie::Garbage,
        Lie::OtherFile,
        Lie::WrongCounts,
        Lie::WrongRecords,
    ] {
        let site = Site::start().await;
        let (_, file) = lied_to(&site, lie).await;
        let cause = file["cause"].as_str().unwrap();
        assert!(!cause.is_empty(), "{lie:?}: {file}");
        site.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn feedback_that_comes_late_doubled_or_for_no_file_of_ours_changes_nothing() {
    let site = Site::start().await;
    let loan = site.loan(1);
    site.consent(&loan).await;
    // It comes after the next turn of everything, and once more with other words.
    site.desk().withhold_feedback(true);
    site.desk().lie(Lie::Twice);
    let id = site.hand_in(&[loan.record()]).await;
    let file = site.last_file("arrived").await;
    site.turns().await;
    assert_eq!(site.record(&id).await["state"], "filed");
    site.desk().withhold_feedback(false);
    site.all(&id, "accepted").await;
    let answered = site.last_file("answered").await;
    // Again, with other bytes, and for a file that never was.
    site.desk().repeat_feedback();
    let name = file["name"].as_str().unwrap();
    let line = rejected(2, "BLR024", "<Document></Document>");
    site.answer(name, 3, (0, 1), &[line]);
    let nobody = "T99999999H00012026112421009990";
    site.answer(nobody, 1, (1, 0), &[]);
    site.turns().await;
    assert_eq!(site.record(&id).await["state"], "accepted");
    let files = site.files().await;
    assert_eq!(files, [answered], "nothing of it changed");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_that_no_table_knows_are_kept_as_they_are() {
    let site = Site::start().await;
    let loan = site.loan(1);
    site.consent(&loan).await;
    site.desk().spite(&loan.code(), "BLR024");
    site.desk().lie(Lie::UnknownCodes);
    let id = site.hand_in(&[loan.record()]).await;
    let record = site.all(&id, "rejected").await.remove(0);
    let answer = &record["answer"][0];
    assert!(answer["code"].is_string(), "{record}");
    assert_eq!(answer["zh"], Value::Null, "nobody knows what it means");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_the_bureaus_own_door_a_lost_acknowledgment_and_already_received_is_arrived() {
    let site = Site::by_https().await;
    let loan = site.loan(1);
    site.consent(&loan).await;
    site.desk().withhold_feedback(true);
    site.desk().lose_acknowledgments(1);
    let id = site.hand_in(&[loan.record()]).await;
    let file = site.last_file("arrived").await;
    assert!(file["attempts"].as_i64().unwrap() >= 2, "{file}");
    let received = site.desk().files();
    let received = &received[file["name"].as_str().unwrap()];
    assert!(received.arrivals >= 2, "{received:?}");
    assert_eq!(received.effects, 1, "{received:?}");
    let sealed = file["sealed_sha256"].as_str().unwrap();
    assert!(received.digests.iter().all(|digest| digest == sealed));
    site.desk().withhold_feedback(false);
    site.all(&id, "accepted").await;
    let at_bureau = site.desk().account("210", &loan.code()).unwrap();
    assert_eq!(at_bureau.taken, ["210"]);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_the_bureau_refuses_whole_goes_under_another_name_by_a_persons_word() {
    let site = Site::start().await;
    let loan = site.loan(1);
    site.consent(&loan).await;
    site.desk().go_away(true);
    let id = site.hand_in(&[loan.record()]).await;
    let file = site.last_file("delivered").await;
    let name = file["name"].as_str().unwrap();
    // It never saw the records: somebody stands in for the desk.
    fs::remove_file(site.out(name)).unwrap();
    let refused = "<Document><FbInf><FbErrNum>1</FbErrNum><ErrInf><FbCode>ABF000</FbCode>\
                   <FbMsg>0000</FbMsg></ErrInf></FbInf></Document>";
    site.answer(name, 2, (0, 1), &[refused.to_owned()]);
    let file = site.last_file("refused").await;
    assert_eq!(file["cause"], "ABF000");
    site.turns().await;
    assert_eq!(site.record(&id).await["state"], "filed", "nobody decided");
    decide(&site.submitter, &file, "give_up").await;
    site.desk().go_away(false);
    site.all(&id, "accepted").await;
    let files = site.files().await;
    assert_eq!(files.len(), 2);
    assert_ne!(files[0]["name"], files[1]["name"]);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_bureau_says_of_other_bytes_or_of_others_is_not_taken_for_ours() {
    let site = Site::start().await;
    let loan = site.loan(1);
    site.consent(&loan).await;
    site.desk().go_away(true);
    let id = site.hand_in(&[loan.record()]).await;
    // It has had a file of that name, though we never delivered one before.
    let first = site.last_file("delivered").await;
    let name = first["name"].as_str().unwrap();
    fs::remove_file(site.out(name)).unwrap();
    site.put(&format!("{name}.nak"), b"ABF009\n");
    let stopped = site.last_file("stopped").await;
    assert_eq!(stopped["cause"], "name_used", "{stopped}");
    decide(&site.submitter, &stopped, "give_up").await;
    // It acknowledges bytes that are not those that were sent.
    let second = site.last_file("delivered").await;
    let name = second["name"].as_str().unwrap();
    fs::remove_file(site.out(name)).unwrap();
    site.put(
        &format!("{name}.ack"),
        format!("{}\n", "0".repeat(64)).as_bytes(),
    );
    let refused = site.last_file("refused").await;
    assert!(refused["cause"].is_string(), "{refused}");
    assert_eq!(site.record(&id).await["state"], "filed", "nobody decided");
    decide(&site.submitter, &refused, "give_up").await;
    site.desk().go_away(false);
    site.all(&id, "accepted").await;
    let states: Vec<Value> = site
        .files()
        .await
        .iter()
        .map(|it| it["state"].clone())
        .collect();
    assert_eq!(states, ["refused", "refused", "answered"]);
    site.stop().await;
}
