//! Feedback that a person brings.

use schemas::edition::Edition;

use super::*;

impl Site {
    /// Takes a feedback file out of the folder in which the bureau put it.
    fn take_out(&self, name: &str, flag: Flag) -> Vec<u8> {
        let name = FileName::parse(name).unwrap().feedback(flag);
        let path = self.folder.path().join("in").join(format!("{name}.enc"));
        let bytes = fs::read(&path).unwrap();
        fs::remove_file(path).unwrap();
        bytes
    }

    /// The opened text of a sealed feedback file.
    fn opened(&self, sealed: &[u8]) -> Vec<u8> {
        let path = self.folder.path().join("opened.enc");
        fs::write(&path, sealed).unwrap();
        let mut text = Vec::new();
        let mut opened = self.seal().open(&path).unwrap();
        opened.read_to_end(&mut text).unwrap();
        text
    }

    async fn give(&self, file: &str, bytes: &[u8]) -> Result<FileRow, SubmitError> {
        let input = Box::new(std::io::Cursor::new(bytes.to_vec()));
        self.submissions
            .give_feedback(&self.caller, file, input)
            .await
    }

    /// Two records, sent; the name of their file.
    async fn sent(&self) -> (Submission, FileRow) {
        let loans = [loan(1), loan(2)];
        for loan in &loans {
            self.authorize(loan).await;
        }
        let lines = [loans[0].record(), loans[1].record()];
        let of = self.submit("k1", &lines).await;
        let file = self.carry().await.remove(0);
        (of, file)
    }

    fn inbox(&self) -> Vec<String> {
        let found = fs::read_dir(self.folder.path().join("inbox"));
        let names = found.into_iter().flatten().flatten();
        names
            .map(|it| it.file_name().to_string_lossy().into_owned())
            .collect()
    }
}

#[tokio::test]
async fn feedback_by_hand_is_taken_sealed_or_opened_and_explained() {
    for open in [false, true] {
        for site in sites().await {
            let (of, file) = site.sent().await;
            let text = site.text(&file.name);
            site.answer(&file.name, &[(3, "ABE001", text[2].as_bytes())]);
            let mut bytes = site.take_out(&file.name, Flag::Rejected);
            if open {
                bytes = site.opened(&bytes);
            }
            // By its mandated name as well as by its identifier.
            let after = site.give(&file.name, &bytes).await.unwrap();
            assert_eq!(after.state(), FileState::Answered, "{}", site.name);
            assert_eq!(site.states(&of).await, ["accepted", "rejected"]);
            let again = site.give(&file.id, &bytes).await.unwrap();
            assert_eq!(again.receipt, after.receipt, "nothing changed");
            let kept = format!("{}3.enc", &file.name[..29]);
            assert_eq!(site.inbox(), [kept], "sealed, and nothing else");

            let (heard, rejected) = site.submissions.feedback_of(&after, 0, 10).await.unwrap();
            let edition = Edition::embedded("pboc-submit-personal", site.submissions.today());
            let view = FeedbackView::of(&after, heard, rejected, None, edition);
            assert_eq!(view.feedback[0].outcome, "taken");
            let one = &view.rejected[0];
            assert_eq!((one.line, one.seq, &one.submission), (3, 2, &of.id));
            let reason = &one.reasons[0];
            assert_eq!(reason.answer.code, "ABE001");
            assert!(reason.answer.zh.is_some() && reason.answer.en.is_some());
            assert!(reason.cure.en.contains("corrects"), "{reason:?}");
        }
    }
}

#[tokio::test]
async fn wrong_feedback_by_hand_is_refused_and_stops_nothing() {
    for site in sites().await {
        let (of, file) = site.sent().await;
        let text = site.text(&file.name);
        let other = "T99999999H00012026112421000990";
        site.feedback(other, Flag::Accepted, (2, 0), Vec::new());
        let another = site.take_out(other, Flag::Accepted);
        let refused = site.give(&file.id, &another).await.unwrap_err();
        assert_eq!(refused.code(), "feedback_of_another_file");
        // The bytes of the other line; a count that is none of ours; no feedback.
        site.answer(&file.name, &[(2, "BLR001", text[2].as_bytes())]);
        let swapped = site.take_out(&file.name, Flag::Rejected);
        site.feedback(&file.name, Flag::Accepted, (9, 0), Vec::new());
        let count = site.take_out(&file.name, Flag::Accepted);
        for (bytes, check) in [
            (&swapped[..], "fb-line-record"),
            (&count[..], "fb-sum"),
            (&b"A072 but nothing else"[..], "fb-header"),
        ] {
            match site.give(&file.id, bytes).await.unwrap_err() {
                SubmitError::FeedbackDisagrees(cause) => assert_eq!(cause, check),
                other => panic!("{check}: {other}"),
            }
        }
        let refused = site.give(&file.id, &[7; 64]).await.unwrap_err();
        assert_eq!(refused.code(), "feedback_disagrees", "{refused}");
        assert_eq!(site.files().await[0].state(), FileState::Arrived);
        assert_eq!(site.states(&of).await, ["filed", "filed"]);
        assert_eq!(site.inbox(), [""; 0], "nothing of them is left");
        let unknown = site.give("no-such-file", &count).await.unwrap_err();
        assert_eq!(unknown.code(), "not_found");
        let mut reader = site.caller.clone();
        reader.roles = [Role::Regulator].into();
        let input = Box::new(std::io::Cursor::new(count));
        let refused = site.submissions.give_feedback(&reader, &file.id, input);
        assert_eq!(refused.await.unwrap_err().code(), "forbidden");
    }
}

#[tokio::test]
async fn right_feedback_by_hand_sets_a_stopped_file_going() {
    for site in sites().await {
        let (of, file) = site.sent().await;
        let text = site.text(&file.name);
        site.answer(&file.name, &[(2, "BLR001", text[2].as_bytes())]);
        site.sweep().await;
        assert_eq!(site.files().await[0].state(), FileState::Stopped);
        site.take_out(&file.name, Flag::Rejected);
        site.answer(&file.name, &[(3, "BLR001", text[2].as_bytes())]);
        let right = site.take_out(&file.name, Flag::Rejected);
        let after = site.give(&file.id, &right).await.unwrap();
        assert_eq!(after.state(), FileState::Answered, "{}", site.name);
        assert_eq!(after.cause, None);
        assert_eq!(site.states(&of).await, ["accepted", "rejected"]);
        // Another answer afterwards is late.
        site.answer(&file.name, &[]);
        let late = site.take_out(&file.name, Flag::Accepted);
        let refused = site.give(&file.id, &late).await.unwrap_err();
        assert_eq!(refused.code(), "wrong_state");
    }
}

#[tokio::test]
async fn what_stopped_for_another_reason_is_decided_first() {
    for site in sites().await {
        let (_, file) = site.sent().await;
        site.run("UPDATE submission_files SET state = 'stopped', cause = 'name_used'")
            .await;
        site.answer(&file.name, &[]);
        let bytes = site.take_out(&file.name, Flag::Accepted);
        let refused = site.give(&file.id, &bytes).await.unwrap_err();
        assert_eq!(refused.code(), "wrong_state", "{}", site.name);
    }
}

#[tokio::test]
async fn feedback_that_a_stop_cut_goes_on_from_the_inbox() {
    for mut site in sites().await {
        let (of, file) = site.sent().await;
        site.answer(&file.name, &[]);
        let bytes = site.take_out(&file.name, Flag::Accepted);
        let name = format!("{}1", &file.name[..29]);
        let inbox = site.folder.path().join("inbox");
        fs::create_dir_all(&inbox).unwrap();
        fs::write(inbox.join(format!("{name}.enc")), &bytes).unwrap();
        fs::write(inbox.join(".given-x"), &bytes).unwrap();
        let (digest, no) = (sha256(&bytes), file.no);
        let write = site.db.write(Urgency::Urgent, move |tx| {
            Box::pin(async move {
                tx.execute(
                    "INSERT INTO submission_feedback VALUES ($1, $2, $3, 'taking', 0)",
                    crate::args![name, digest, no],
                )
                .await
            })
        });
        write.await.unwrap();
        site.restart().await;
        site.sweep().await;
        assert_eq!(site.states(&of).await, ["accepted", "accepted"]);
        assert_eq!(site.inbox().len(), 1, "what was on its way in is gone");
    }
}

#[tokio::test]
async fn the_way_of_files_shows_what_waits_on_it() {
    for site in sites().await {
        let (_, file) = site.sent().await;
        let institution = &site.caller.institution;
        let ways = site.submissions.file_ways(institution).await.unwrap();
        let way = &ways["pboc"];
        assert_eq!(
            (way.way.as_str(), way.protection.as_str()),
            ("exchange", "folders")
        );
        assert_eq!(way.organization_code, ORGANIZATION);
        assert_eq!((way.waiting, way.unanswered), (0, 1), "{}", site.name);
        assert!(way.sent_at.is_some() && way.answered_at.is_none());
        site.answer(&file.name, &[]);
        site.sweep().await;
        let ways = site.submissions.file_ways(institution).await.unwrap();
        assert_eq!(ways["pboc"].unanswered, 0);
        assert!(ways["pboc"].answered_at.is_some());
    }
}
