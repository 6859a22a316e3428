//! `creditgate notices`, as an operator runs it.

use creditgate::demo::loans::Standing;
use serde_json::{Value, json};

use super::site::Site;

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_is_recorded_with_its_proof_and_shown_by_the_command() {
    let site = Site::start().await;
    let desk = site.operator();
    let loan = site.loan(1);
    site.open(&[&loan]).await;
    let overdue = site.later(&loan, 2, Standing::Overdue);
    let id = site.hand_in(&[overdue.update()]).await;
    let mut notice = site.notice_body(&overdue, 100);
    notice.as_object_mut().unwrap().remove("proof");
    desk.file("notice.json", &notice.to_string());
    desk.file("proof.pdf", "%PDF-1.4 synthetic");
    let secrets = [&*loan.borrower.0, "测试甲", &loan.code()];

    let said = desk
        .run("notices record notice.json")
        .exits(2)
        .without(&secrets);
    assert!(said.err.contains("proof"), "{said:?}");
    let line = "notices record notice.json --proof proof.pdf";
    let said = desk.run(line).exits(0).without(&secrets);
    let (notice_id, told) = said.out.trim().split_once(": ").unwrap();
    assert_eq!(told, "recorded");
    let again = desk.run(line).exits(0);
    assert_eq!(again.out.trim(), format!("{notice_id}: recorded before"));
    let told = desk.run(&format!("{line} --json")).exits(0).json();
    assert_eq!(told, json!({"id": notice_id, "recorded": false}));

    site.all(&id, "accepted").await;
    let shown = desk.run(&format!("notices show {notice_id}")).exits(0);
    let shown = shown.without(&secrets).json();
    assert_eq!(shown["has_proof"], true);
    assert_ne!(shown["run"], Value::Null, "{shown}");

    let mut wrong = notice.clone();
    wrong["channel"] = "pigeon".into();
    desk.file("wrong.json", &wrong.to_string());
    let said = desk
        .run("notices record wrong.json --proof proof.pdf")
        .exits(2);
    assert!(said.without(&secrets).err.contains("/channel"));
    desk.file("broken.json", "{\"subject\":");
    desk.run("notices record broken.json --proof proof.pdf")
        .exits(2);
    desk.run("notices record notice.json --proof none.pdf")
        .exits(1);
    desk.run("notices show ../operators").exits(2);
    desk.run("notices show 00000000-0000-7000-8000-000000000000")
        .exits(1);
    site.stop().await;
}
