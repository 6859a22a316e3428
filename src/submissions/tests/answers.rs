//! Files, deliveries and what the bureau answers.

use super::*;

/// The bureau refuses a file of one record whole.
fn refuse(site: &Site, name: &str, code: &str) {
    let line = FeedbackLine {
        line: None,
        faults: vec![Fault {
            code: code.to_owned(),
            tag: "0000".to_owned(),
        }],
        record: None,
    };
    site.feedback(name, Flag::Refused, (0, 1), vec![line]);
}

#[tokio::test]
async fn one_record_goes_from_json_to_the_folder_and_its_answer_comes_back() {
    for site in sites().await {
        let loan = loan(1);
        site.authorize(&loan).await;
        let of = site.submit("k1", &[loan.record()]).await;
        assert_eq!(of.state(), SubmissionState::Taken, "{}", site.name);
        let records = site.records(&of).await;
        assert_eq!(records[0].findings, [], "{}", site.name);
        assert_eq!(site.states(&of).await, ["ready"], "{records:?}");

        site.sweep().await;
        let files = site.files().await;
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].state(), FileState::Delivered, "{}", site.name);
        assert_eq!(files[0].name, "T99999999H00012026112421000010");
        let text = site.text(&files[0].name);
        assert_eq!(text.len(), 2);
        assert_eq!(
            text[0],
            "A0502102.0.0  T99999999H00012026112410000000000001"
        );
        assert!(text[1].starts_with("<Document><InAcctInf>"));

        site.acknowledge(&files[0].name);
        site.sweep().await;
        assert_eq!(site.files().await[0].state(), FileState::Arrived);
        site.answer(&files[0].name, &[]);
        site.sweep().await;
        let file = &site.files().await[0];
        assert_eq!(file.state(), FileState::Answered);
        assert_eq!((file.accepted, file.rejected), (Some(1), Some(0)));
        assert_eq!(site.states(&of).await, ["accepted"]);
    }
}

#[tokio::test]
async fn a_rejected_record_is_corrected_accepted_and_linked() {
    for site in sites().await {
        let loan = loan(1);
        site.authorize(&loan).await;
        let of = site.submit("k1", &[loan.record()]).await;
        let name = site.carry().await[0].name.clone();
        let line = site.text(&name)[1].clone();
        site.answer(&name, &[(2, "BLR099", line.as_bytes())]);
        site.sweep().await;
        let records = site.records(&of).await;
        assert_eq!(records[0].state, RecordState::Rejected);
        assert_eq!(records[0].answer[0].code, "BLR099", "kept though unknown");

        // Another record of the account waits until that is mended.
        let next = at_month_end(&loan, "2026-10-31");
        let waiting = site.submit("k2", &[next.update()]).await;
        assert_eq!(site.states(&waiting).await, ["held"]);
        let mut correction = loan.record();
        correction["corrects"] = serde_json::json!({"submission": of.id, "seq": 1});
        let corrected = site.submit("k3", &[correction]).await;
        assert_eq!(site.states(&corrected).await, ["ready"], "{}", site.name);
        assert_eq!(site.states(&of).await, ["replaced"]);
        let name = site.carry().await[1].name.clone();
        site.answer(&name, &[]);
        site.sweep().await;
        assert_eq!(site.states(&corrected).await, ["accepted"]);
        assert_eq!(site.states(&waiting).await, ["filed"], "{}", site.name);
    }
}

#[tokio::test]
async fn an_answer_that_disagrees_stops_the_file_and_nothing_of_it_is_taken() {
    for site in sites().await {
        let loans = [loan(1), loan(2)];
        for loan in &loans {
            site.authorize(loan).await;
        }
        let of = site
            .submit("k1", &[loans[0].record(), loans[1].record()])
            .await;
        let name = site.carry().await[0].name.clone();
        let text = site.text(&name);
        // The bytes of the other line.
        site.answer(&name, &[(2, "BLR001", text[2].as_bytes())]);
        site.sweep().await;
        let file = site.files().await.remove(0);
        assert_eq!(file.state(), FileState::Stopped, "{}", site.name);
        assert_eq!(file.cause.as_deref(), Some("fb-line-record"));
        assert_eq!(site.states(&of).await, ["filed", "filed"]);

        // A person finds the right feedback in its place.
        site.answer(&name, &[(3, "BLR001", text[2].as_bytes())]);
        site.submissions
            .decide(&site.caller, &file.id, Decision::LookAgain)
            .await
            .unwrap();
        site.sweep().await;
        assert_eq!(site.states(&of).await, ["accepted", "rejected"]);
        assert_eq!(site.files().await[0].state(), FileState::Answered);
    }
}

#[tokio::test]
async fn a_file_refused_whole_gives_its_records_to_another_name() {
    for site in sites().await {
        let loan = loan(1);
        site.authorize(&loan).await;
        let of = site.submit("k1", &[loan.record()]).await;
        let name = site.carry().await[0].name.clone();
        refuse(&site, &name, "ABH005");
        site.sweep().await;
        let file = site.files().await.remove(0);
        assert_eq!(file.state(), FileState::Refused);
        assert_eq!(file.cause.as_deref(), Some("ABH005"));
        site.submissions
            .decide(&site.caller, &file.id, Decision::GiveUp)
            .await
            .unwrap();
        let files = site.carry().await;
        assert_eq!(files.len(), 2, "{}", site.name);
        assert_eq!(files[1].serial, 2, "a name is used once");
        site.answer(&files[1].name, &[]);
        site.sweep().await;
        assert_eq!(site.states(&of).await, ["accepted"]);
    }
}

#[tokio::test]
async fn lost_bytes_are_written_again_and_are_the_same() {
    for mut site in sites().await {
        let loan = loan(1);
        site.authorize(&loan).await;
        site.submit("k1", &[loan.record()]).await;
        site.submissions.write_files().await.unwrap();
        let file = site.files().await.remove(0);
        assert_eq!(file.state(), FileState::Written);
        let path = site.submissions.sealed_path(&file);
        let before = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        later(&site.clock, 3);
        site.restart().await;
        site.sweep().await;
        assert_eq!(fs::read(&path).unwrap(), before, "{}", site.name);
        assert_eq!(fs::read(site.out(&file.name)).unwrap(), before);
    }
}

#[tokio::test]
async fn feedback_twice_late_or_of_no_file_of_ours_changes_nothing() {
    for site in sites().await {
        let loan = loan(1);
        site.authorize(&loan).await;
        let of = site.submit("k1", &[loan.record()]).await;
        let name = site.carry().await[0].name.clone();
        let text = site.text(&name);
        site.answer(&name, &[]);
        site.sweep().await;
        // Another answer to the same file.
        site.answer(&name, &[(2, "BLR001", text[1].as_bytes())]);
        site.feedback(
            "T99999999H00012026112421000990",
            Flag::Accepted,
            (1, 0),
            Vec::new(),
        );
        site.sweep().await;
        site.sweep().await;
        assert_eq!(site.states(&of).await, ["accepted"], "{}", site.name);
        assert_eq!(site.files().await[0].state(), FileState::Answered);
    }
}

#[tokio::test]
async fn a_name_that_was_given_up_by_half_is_given_up_after_a_start() {
    for mut site in sites().await {
        let loans: Vec<Loan> = (1..=3).map(loan).collect();
        for loan in &loans {
            site.authorize(loan).await;
        }
        let records: Vec<Value> = loans.iter().map(Loan::record).collect();
        let of = site.submit("k1", &records).await;
        let file = site.carry().await.remove(0);
        site.run("UPDATE submission_files SET state = 'stopped', cause = 'name_used'")
            .await;
        // The stop comes right after the decision is durable.
        site.submissions.drain().await;
        site.submissions
            .decide(&site.caller, &file.id, Decision::GiveUp)
            .await
            .unwrap();
        assert_eq!(site.states(&of).await, ["filed"; 3], "{}", site.name);
        // One of the records was out already.
        site.run(
            "UPDATE submission_records SET state = 'ready', file = NULL, line = NULL \
             WHERE seq = 1",
        )
        .await;
        site.restart().await;
        let files = site.carry().await;
        assert_eq!((files.len(), files[1].records), (2, 3), "{}", site.name);
        assert_eq!(files[0].state(), FileState::Refused);
        site.answer(&files[1].name, &[]);
        site.sweep().await;
        assert_eq!(site.states(&of).await, ["accepted"; 3], "{}", site.name);
    }
}

#[tokio::test]
async fn a_second_delivery_that_is_refused_by_its_name_leaves_the_file_to_its_answer() {
    for site in sites().await {
        let loan = loan(1);
        site.authorize(&loan).await;
        let of = site.submit("k1", &[loan.record()]).await;
        site.sweep().await;
        let file = site.files().await.remove(0);
        // The acknowledgment is lost, and a person delivers the same bytes again.
        site.submissions
            .decide(&site.caller, &file.id, Decision::Resend)
            .await
            .unwrap();
        site.sweep().await;
        refuse(&site, &file.name, "ABF009");
        site.sweep().await;
        let after = site.files().await.remove(0);
        assert_eq!((after.attempts, after.state()), (2, FileState::Arrived));
        assert_eq!(after.cause, None, "{}", site.name);
        assert_eq!(site.states(&of).await, ["filed"]);
        let (heard, _) = site.submissions.feedback_of(&after, 0, 10).await.unwrap();
        assert_eq!(heard[0].outcome, "repeated", "{}", site.name);
        // What the bureau says to the first delivery counts.
        site.answer(&file.name, &[]);
        site.sweep().await;
        assert_eq!(site.files().await[0].state(), FileState::Answered);
        assert_eq!(site.states(&of).await, ["accepted"], "{}", site.name);

        // To a first delivery it says that another file had the name.
        let next = at_month_end(&loan, "2026-10-31");
        site.submit("k2", &[next.update()]).await;
        let name = site.carry().await.remove(1).name;
        refuse(&site, &name, "ABF009");
        site.sweep().await;
        let file = site.files().await.remove(1);
        assert_eq!(file.state(), FileState::Stopped, "{}", site.name);
        assert_eq!(file.cause.as_deref(), Some("name_used"));
    }
}
