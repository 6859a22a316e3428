//! `/v1/submissions/clocks`, feedback that a person brings, and what a person
//! decides about a file.

use std::fs;

use creditgate::{demo::Client, operators::Role};
use jiff::ToSpan as _;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    sealed::{close, open, rejected},
    site::Site,
};

/// What is late, as `who` is told: rule, alarms and critical ones of each clock.
async fn late(who: &Client, path: &str) -> (Value, Vec<(String, i64, i64)>) {
    let reply = who.get(path).await.unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    let clocks = reply.body["clocks"].as_array().unwrap();
    let clocks = clocks.iter().map(|it| {
        let number = |name: &str| it[name].as_i64().unwrap();
        let rule = it["rule"].as_str().unwrap().to_owned();
        (rule, number("alarm"), number("critical"))
    });
    let clocks = clocks.collect();
    (reply.body, clocks)
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_tell_readers_what_is_late_and_nobody_else() {
    let site = Site::standing().await;
    let path = "/v1/submissions/clocks";
    assert_eq!(late(&site.submitter, path).await.1, []);
    // Of three months ago, and nobody authorized it; and one of yesterday, whose
    // feedback does not come.
    let held = site.hand_in(&[site.loan(1).record()]).await;
    let mut sent = site.loan(2);
    sent.month_end = site.month_end(1);
    site.consent(&sent).await;
    site.desk().withhold_feedback(true);
    site.hand_in(&[sent.record()]).await;
    let file = site.last_file("arrived").await;
    site.pass((7 * 24).hours());

    let test = &site.test;
    let readers = [
        site.submitter.clone(),
        test.compliance(),
        test.client(&test.staff.regulator.1),
    ];
    for reader in &readers {
        let (body, clocks) = late(reader, path).await;
        let rules: Vec<&str> = clocks.iter().map(|(rule, ..)| &**rule).collect();
        assert_eq!(rules, ["SR-05", "SR-17"], "{body}");
        assert!(clocks[0].2 >= 1, "three months are critical: {body}");
        assert!(body["today"].is_string() && body["calendar"].is_object());
        let all = body["late"].as_array().unwrap();
        let of = |name: &str, id: &Value| {
            let found = all.iter().find(|it| it[name] == *id);
            found.unwrap_or_else(|| panic!("{name}: {body}")).clone()
        };
        let record = of("submission", &json!(held));
        assert_eq!(
            (&record["seq"], &record["state"]),
            (&json!(1), &json!("held"))
        );
        let unanswered = of("file", &file["id"]);
        assert_eq!(unanswered["state"], "arrived");
        for one in [record, unanswered] {
            let both = &one["to_do"];
            assert!(both["zh"].is_string() && both["en"].is_string(), "{one}");
        }
    }
    // One of each kind, the latest of all.
    let (few, _) = late(&site.submitter, &format!("{path}?limit=1")).await;
    assert_eq!(few["late"].as_array().unwrap().len(), 2, "{few}");
    let wrong = site
        .submitter
        .get(&format!("{path}?limit=few"))
        .await
        .unwrap();
    assert_eq!(
        (wrong.status.as_u16(), &wrong.body["code"]),
        (400, &json!("query"))
    );
    let administrator = test.client(&test.staff.administrator.1);
    for other in [&test.officer, &test.checker(), &administrator] {
        let reply = other.get(path).await.unwrap();
        assert_eq!(reply.body["code"], "forbidden", "{reply:?}");
    }
    let stranger = site.stranger(Role::Submitter).await;
    assert_eq!(late(&stranger, path).await.1, [], "another institution's");
    site.desk().withhold_feedback(false);
    site.last_file("answered").await;
    let (body, clocks) = late(&site.submitter, path).await;
    assert_eq!(clocks.len(), 1, "{body}");
    site.stop().await;
}

/// Two loans of which the bureau has the file, and says nothing; the submission,
/// the file, and its lines.
async fn sent(site: &Site) -> (String, Value, Vec<String>) {
    let loans = [site.loan(1), site.loan(2)];
    for loan in &loans {
        site.consent(loan).await;
    }
    site.desk().go_away(true);
    let id = site.hand_in(&[loans[0].record(), loans[1].record()]).await;
    let file = site.last_file("delivered").await;
    let sealed = fs::read(site.out(file["name"].as_str().unwrap())).unwrap();
    let text = open(&site.key(), &sealed);
    let lines = text.split_terminator("\r\n").map(str::to_owned).collect();
    (id, file, lines)
}

/// The text of a feedback file on the file `name`.
fn feedback(name: &str, flag: u8, counts: (u32, u32), lines: &[String]) -> String {
    let (stem, (accepted, rejected)) = (&name[..29], counts);
    let head = format!("A0722.0.0{stem}{flag}2.0.020261124120000{accepted:07}{rejected:07}\r\n");
    let lines = lines.iter().map(|line| format!("{line}\r\n"));
    head + &lines.collect::<String>()
}

#[tokio::test(flavor = "multi_thread")]
async fn feedback_by_hand_is_checked_taken_and_explained() {
    for is_sealed in [false, true] {
        let site = Site::start().await;
        let (id, file, lines) = sent(&site).await;
        let name = file["name"].as_str().unwrap();
        let path = format!("/v1/files/{}/feedback", file["id"].as_str().unwrap());
        let give = async |text: &str| {
            let bytes = match is_sealed {
                true => close(&site.key(), text),
                false => text.as_bytes().to_vec(),
            };
            site.raw(Method::POST, &path, &[], bytes.into()).await
        };
        // Of another file; the bytes of the other line; no feedback at all.
        let other = format!("{}9990", &name[..27]);
        let reply = give(&feedback(&other, 1, (2, 0), &[])).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{reply:?}");
        assert_eq!(reply.body["code"], "feedback_of_another_file");
        let swapped = rejected(2, "BLR024", &lines[2]);
        for wrong in [&feedback(name, 3, (1, 1), &[swapped])[..], "none at all"] {
            let reply = give(wrong).await;
            assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{reply:?}");
            assert_eq!(reply.body["code"], "feedback_disagrees");
            let message = reply.body["findings"][0]["message"].as_str().unwrap();
            assert!(message.contains(" / "), "in both languages: {message}");
        }
        let stands = site.submitter.get(&path).await.unwrap();
        assert_eq!(stands.body["file"]["state"], "delivered", "{stands:?}");
        assert_eq!(
            stands.body["feedback"],
            json!([]),
            "nothing of them is kept"
        );
        // Nobody else brings any, and another institution has no such file.
        let body = json!({});
        let regulator = site.test.client(&site.test.staff.regulator.1);
        for other in [&site.test.officer, &regulator] {
            let reply = other.post(&path, &body).await.unwrap();
            assert_eq!(reply.body["code"], "forbidden", "{reply:?}");
        }
        let stranger = site.stranger(Role::Submitter).await;
        for reply in [stranger.post(&path, &body).await, stranger.get(&path).await] {
            assert_eq!(reply.unwrap().body["code"], "not_found");
        }

        let right = feedback(name, 3, (1, 1), &[rejected(3, "BLR024", &lines[2])]);
        let taken = give(&right).await;
        assert_eq!(
            (taken.status.as_u16(), &taken.body["state"]),
            (200, &json!("answered"))
        );
        let states: Vec<Value> = (site.records(&id).await.iter())
            .map(|record| record["state"].clone())
            .collect();
        assert_eq!(states, ["accepted", "rejected"]);
        let again = give(&right).await;
        assert_eq!(again.body, taken.body, "the same again changes nothing");
        let late = give(&feedback(name, 1, (2, 0), &[])).await;
        assert_eq!(
            (late.status.as_u16(), &late.body["code"]),
            (409, &json!("wrong_state"))
        );

        // By its mandated name, too: what was rejected, why, and what to do.
        let told = regulator.get(&format!("/v1/files/{name}/feedback")).await;
        let told = told.unwrap().body;
        assert_eq!(told["feedback"][0]["outcome"], "taken", "{told}");
        let one = &told["rejected"][0];
        assert_eq!((&one["line"], &one["seq"]), (&json!(3), &json!(2)));
        assert_eq!(one["submission"], json!(id), "{told}");
        let reason = &one["reasons"][0];
        assert_eq!(reason["code"], "BLR024");
        for both in [reason, &reason["cure"]] {
            assert!(both["zh"].is_string() && both["en"].is_string(), "{reason}");
        }
        site.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_decides_only_what_the_state_of_a_file_allows() {
    let site = Site::start().await;
    let (id, file, lines) = sent(&site).await;
    let name = file["name"].as_str().unwrap();
    let decide = async |decision: &str| {
        let path = format!("/v1/files/{}/decide", file["id"].as_str().unwrap());
        let body = json!({ "decision": decision });
        let reply = site.submitter.post(&path, &body).await.unwrap();
        let code = reply.body["code"].as_str().unwrap_or_default().to_owned();
        (reply.status.as_u16(), code)
    };
    let refused = (409, "wrong_state".to_owned());
    // It lies for the bureau: it may be delivered again, and nothing else.
    assert_eq!(decide("give_up").await, refused);
    assert_eq!(decide("look_again").await, refused);
    // An answer that disagrees stops it, until a person goes on.
    site.answer(name, 3, (1, 1), &[rejected(2, "BLR024", &lines[2])]);
    let stopped = site.last_file("stopped").await;
    assert_eq!(stopped["cause"], "fb-line-record");
    site.answer(name, 3, (1, 1), &[rejected(3, "BLR024", &lines[2])]);
    assert_eq!(decide("look_again").await, (204, String::new()));
    site.last_file("answered").await;
    for decision in ["give_up", "look_again", "resend"] {
        assert_eq!(decide(decision).await, refused, "{decision}");
    }
    let states: Vec<Value> = (site.records(&id).await.iter())
        .map(|record| record["state"].clone())
        .collect();
    assert_eq!(states, ["accepted", "rejected"]);
    let again = json!({"decision": "resend"});
    let nobody = site.submitter.post("/v1/files/none/decide", &again).await;
    assert_eq!(nobody.unwrap().body["code"], "not_found");
    site.stop().await;
}
