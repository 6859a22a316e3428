//! Earlier files and their feedback.

use super::*;

/// Loans that were opened in July.
fn july(number: u32) -> Loan {
    at_month_end(&loan(number), "2026-07-31")
}

fn august(number: u32) -> Loan {
    at_month_end(&loan(number), "2026-08-31")
}

#[tokio::test]
async fn what_the_feedback_accepted_enters_the_ledger_and_goes_on_by_duty() {
    for site in sites().await {
        let earlier = Earlier::of(&site);
        let records = [july(1).record(), july(2).record(), july(3).record()];
        let first = earlier.file("2026-08-03", 1, "31", &records);
        let second = earlier.file("2026-09-01", 1, "30", &[august(1).update()]);
        // The second loan was rejected: the bureau does not have it.
        let answers = [earlier.answer(&first, &[3]), earlier.answer(&second, &[])];
        // In whichever order they are given.
        let wanted = with_feedback(&[second, first], &answers);
        let dry = Wanted {
            dry_run: true,
            ..wanted.clone()
        };
        let got = earlier.import(&dry).await;
        assert_eq!(codes(&got), [""; 0], "{}", site.name);
        assert_eq!(got.report.inputs[0].taken, 2);
        assert!(!got.report.written);
        assert_eq!(earlier.accounts().await, [], "a dry run writes nothing");
        let got = earlier.import(&wanted).await;
        assert_eq!(codes(&got), [""; 0]);
        let counts: Vec<(u64, u64)> = (got.report.inputs.iter())
            .map(|it| (it.taken, it.rejected))
            .collect();
        assert_eq!(counts, [(2, 1), (1, 0)]);
        let open =
            |day: &str, submission, seq| ("open".to_owned(), Some(day.to_owned()), submission, seq);
        let expected = [open("2026-08-31", 2, 1), open("2026-07-31", 1, 2)];
        assert_eq!(earlier.accounts().await, expected);
        let files = site.files().await;
        let told: Vec<_> = files
            .iter()
            .map(|it| (it.state().name(), it.accepted, it.rejected))
            .collect();
        assert_eq!(
            told,
            [
                ("answered", Some(2), Some(1)),
                ("answered", Some(1), Some(0))
            ]
        );

        // Again: nothing changes.
        let before = earlier
            .count("SELECT COUNT(*) FROM submission_records")
            .await;
        let again = earlier.import(&wanted).await;
        assert!(
            again.report.inputs.iter().all(|it| it.before),
            "{:?}",
            again.report
        );
        assert_eq!(
            earlier
                .count("SELECT COUNT(*) FROM submission_records")
                .await,
            before
        );

        // The bureau has it: no authorization is asked for, and it opens once.
        let october = at_month_end(&loan(1), "2026-10-31");
        let mut opened = october.record();
        opened["data"]["AcctBsSgmt"]["RptDateCode"] = "31".into();
        let of = site.submit("k1", &[opened, october.update()]).await;
        let records = site.records(&of).await;
        assert_eq!(records[0].state, RecordState::SetAside, "{}", site.name);
        assert!(
            records[0]
                .findings
                .iter()
                .any(|it| it.code == "SEQ-OPENED-TWICE"),
            "{:?}",
            records[0].findings
        );
        assert_eq!(records[1].state, RecordState::Ready, "{records:?}");
        // The one that was rejected waits for an authorization, as a new one.
        let of = site
            .submit("k2", &[at_month_end(&loan(2), "2026-10-31").record()])
            .await;
        assert_eq!(site.states(&of).await, ["held"]);
    }
}

#[tokio::test]
async fn packed_and_sealed_files_are_read_like_opened_ones() {
    use std::io::Write as _;

    for site in sites().await {
        let earlier = Earlier::of(&site);
        let file = earlier.file("2026-08-03", 1, "31", &[july(1).record()]);
        let answer = earlier.answer(&file, &[]);
        let sealed = |path: &PathBuf| {
            let to = path.with_extension("enc");
            let mut sealing = site.seal().begin(&to).unwrap();
            sealing.write_all(&fs::read(path).unwrap()).unwrap();
            sealing.finish().unwrap();
            to
        };
        let (enc, answer_enc) = (sealed(&file), sealed(&answer));
        let zip = file.with_extension("txt.zip");
        let out = fs::File::create(&zip).unwrap();
        let mut out = flate2::write::GzEncoder::new(out, flate2::Compression::fast());
        out.write_all(&fs::read(&file).unwrap()).unwrap();
        out.finish().unwrap();
        for file in [&zip, &enc] {
            let mut wanted = with_feedback(
                std::slice::from_ref(file),
                std::slice::from_ref(&answer_enc),
            );
            wanted.dry_run = true;
            let got = earlier.import(&wanted).await;
            assert_eq!(codes(&got), [""; 0], "{}", file.display());
            assert_eq!(got.report.inputs[0].taken, 1);
        }
        // Under another key it is no text.
        fs::write(&enc, [9; 64]).unwrap();
        let got = earlier.import(&with_feedback(&[enc], &[answer_enc])).await;
        assert_eq!(got.report.findings, 1, "{:?}", got.codes);
    }
}

#[tokio::test]
async fn without_feedback_nothing_is_taken_unless_it_is_assumed() {
    for site in sites().await {
        let earlier = Earlier::of(&site);
        let file = earlier.file("2026-08-03", 1, "31", &[july(1).record()]);
        let mut wanted = with_feedback(&[file], &[]);
        let got = earlier.import(&wanted).await;
        assert_eq!(codes(&got), ["no_feedback"], "{}", site.name);
        assert_eq!(earlier.accounts().await, []);
        wanted.assume_accepted = true;
        let got = earlier.import(&wanted).await;
        assert_eq!(codes(&got), [""; 0]);
        assert!(got.report.inputs[0].assumed);
        let file = site.files().await.remove(0);
        assert_eq!(
            file.cause.as_deref(),
            Some("assumed_accepted"),
            "it is shown"
        );
        let noted: Vec<(Vec<u8>,)> = site
            .db
            .all("SELECT body FROM audit_entries", crate::args![])
            .await
            .unwrap();
        let noted = noted.iter().filter(|(body,)| {
            let text = String::from_utf8_lossy(body);
            text.contains("\"assumed_accepted\":true") && text.contains("import")
        });
        assert!(noted.count() >= 2, "and the audit log says so");
        let again = earlier.import(&wanted).await;
        assert!(again.report.inputs[0].before && again.report.inputs[0].assumed);
    }
}

#[tokio::test]
async fn feedback_that_is_not_that_of_the_bytes_stops_the_file() {
    for site in sites().await {
        let earlier = Earlier::of(&site);
        let records = [july(1).record(), july(2).record()];
        let file = earlier.file("2026-08-03", 1, "31", &records);
        let answer = earlier.answer(&file, &[3]);
        let text = fs::read_to_string(&answer).unwrap();
        fs::write(&answer, text.replace("<ErrRecId>3<", "<ErrRecId>2<")).unwrap();
        let mut wanted = with_feedback(std::slice::from_ref(&file), &[answer]);
        assert_eq!(codes(&earlier.import(&wanted).await), ["fb-line-record"]);
        wanted.skip_invalid = true;
        let got = earlier.import(&wanted).await;
        assert_eq!((got.report.inputs[0].taken, got.report.written), (0, true));
        assert_eq!(earlier.accounts().await, [], "nothing of it counts");

        // A file that was cut, and a feedback that answers none.
        let text = fs::read_to_string(&file).unwrap();
        let cut = text.trim_end_matches("\r\n").rsplit_once("\r\n").unwrap().0;
        let answer = earlier.answer(&file, &[]);
        fs::write(&file, format!("{cut}\r\n")).unwrap();
        let got = earlier
            .import(&with_feedback(&[file], std::slice::from_ref(&answer)))
            .await;
        assert_eq!(codes(&got), ["header-count-true"]);
        let got = earlier.import(&with_feedback(&[], &[answer])).await;
        assert_eq!(codes(&got), ["feedback_without_file"]);
    }
}

#[tokio::test]
async fn every_finding_is_told_and_the_rest_is_taken_only_with_leave() {
    for site in sites().await {
        let earlier = Earlier::of(&site);
        let good = earlier.file("2026-08-03", 1, "31", &[july(1).record()]);
        // A correction of an account that was never reported; a borrower under
        // another name; the account of another.
        let unknown = earlier.file("2026-08-04", 1, "", &[july(9).correction()]);
        let mut renamed = july(2);
        renamed.borrower = (loan(1).borrower.0, "测试乙".to_owned());
        let mut taken = august(1);
        taken.borrower = loan(3).borrower;
        let wrong = earlier.file("2026-09-01", 1, "31", &[renamed.record()]);
        let taken = earlier.file("2026-09-01", 2, "30", &[taken.update()]);
        let files = [good, unknown, wrong, taken];
        let answers: Vec<PathBuf> = files.iter().map(|it| earlier.answer(it, &[])).collect();
        let mut wanted = with_feedback(&files, &answers);
        let got = earlier.import(&wanted).await;
        let expected = ["account_unknown", "subject_other_name", "subject_differs"];
        assert_eq!(codes(&got), expected, "{}", site.name);
        assert!(!got.report.written);
        assert_eq!(earlier.accounts().await, []);
        wanted.skip_invalid = true;
        let got = earlier.import(&wanted).await;
        assert_eq!(codes(&got), expected, "told once");
        assert!(got.report.written);
        assert_eq!(earlier.accounts().await.len(), 1);
        let wrong: u64 = got.report.inputs.iter().map(|it| it.wrong).sum();
        assert_eq!(wrong, 3);
    }
}

#[tokio::test]
async fn a_later_state_stays_and_what_is_under_way_is_not_touched() {
    for site in sites().await {
        let earlier = Earlier::of(&site);
        let late = earlier.file("2026-09-01", 1, "30", &[august(1).update()]);
        let answer = earlier.answer(&late, &[]);
        let got = earlier
            .import(&with_feedback(
                std::slice::from_ref(&late),
                std::slice::from_ref(&answer),
            ))
            .await;
        assert_eq!(codes(&got), [""; 0], "history may begin in its midst");
        let before = earlier.accounts().await;
        assert_eq!(before[0].0, "open");
        // Now the file before it.
        let early = earlier.file("2026-08-03", 1, "31", &[july(1).record()]);
        let early_answer = earlier.answer(&early, &[]);
        let mut wanted = with_feedback(&[early], &[early_answer]);
        wanted.skip_invalid = true;
        let got = earlier.import(&wanted).await;
        assert_eq!(codes(&got), ["ledger_is_later"], "{}", site.name);
        assert_eq!(earlier.accounts().await, before);
        // The same name with other content.
        let text = fs::read_to_string(&late).unwrap();
        fs::write(&late, text.replace("<AcctBal>180000<", "<AcctBal>180001<")).unwrap();
        let got = earlier.import(&with_feedback(&[late], &[answer])).await;
        assert_eq!(codes(&got), ["file_differs"]);
        // A record of the gateway is under way.
        let of = site
            .submit("k1", &[at_month_end(&loan(1), "2026-10-31").update()])
            .await;
        assert_eq!(site.states(&of).await, ["ready"]);
        let next = earlier.file(
            "2026-11-02",
            9,
            "30",
            &[at_month_end(&loan(1), "2026-09-30").update()],
        );
        let answer = earlier.answer(&next, &[]);
        let got = earlier.import(&with_feedback(&[next], &[answer])).await;
        assert_eq!(codes(&got), ["account_in_flight"]);
        // A file that the gateway sent.
        let own = site.carry().await.pop().unwrap();
        let path = earlier.folder.path().join(format!("{}.txt", own.name));
        fs::write(&path, site.text(&own.name).join("\r\n") + "\r\n").unwrap();
        let answer = earlier.answer(&path, &[]);
        let got = earlier.import(&with_feedback(&[path], &[answer])).await;
        assert_eq!(codes(&got), ["file_is_own"]);
    }
}

#[tokio::test]
async fn an_import_that_was_cut_goes_on_where_it_ended() {
    for site in sites().await {
        let earlier = Earlier::of(&site);
        let records: Vec<Value> = (1..=300).map(|n| july(n).record()).collect();
        let file = earlier.file("2026-08-03", 1, "31", &records);
        let answer = earlier.answer(&file, &[200]);
        let wanted = with_feedback(&[file], &[answer]);
        earlier.import(&wanted).await;
        let whole = earlier.accounts().await;
        assert_eq!(whole.len(), 299, "{}", site.name);
        // As if it had been stopped after its first chunk.
        for sql in [
            "UPDATE accounts SET state = 'new', reported_on = NULL, month = NULL, \
             month_on = NULL, accepted_submission = NULL, accepted_seq = NULL \
             WHERE accepted_seq > 250",
            "DELETE FROM submission_records WHERE seq > 250",
            "UPDATE submissions SET taken = 250, state = 'receiving', ended_at = NULL",
        ] {
            site.run(sql).await;
        }
        let got = earlier.import(&wanted).await;
        assert_eq!(codes(&got), [""; 0]);
        let input = &got.report.inputs[0];
        assert_eq!((input.taken, input.rejected, input.before), (299, 1, false));
        assert_eq!(earlier.accounts().await, whole);
        let lines = "SELECT COUNT(DISTINCT line) FROM submission_records WHERE file IS NOT NULL";
        assert_eq!(earlier.count(lines).await, 299);
        assert_eq!(earlier.count("SELECT COUNT(*) FROM submissions").await, 1);
    }
}

#[tokio::test]
async fn a_serial_that_was_used_today_is_used_once() {
    for site in sites().await {
        let earlier = Earlier::of(&site);
        let file = earlier.file("2026-11-24", 5, "31", &[july(1).record()]);
        let answer = earlier.answer(&file, &[]);
        let got = earlier.import(&with_feedback(&[file], &[answer])).await;
        assert_eq!(codes(&got), [""; 0], "{}", site.name);
        site.submit("k1", &[at_month_end(&loan(1), "2026-10-31").update()])
            .await;
        let own = site.carry().await.pop().unwrap();
        assert_eq!(
            (own.serial, own.state()),
            (6, crate::submissions::FileState::Arrived)
        );
    }
}

#[tokio::test]
async fn accounts_are_renamed_corrected_and_deleted_as_the_bureau_did() {
    for site in sites().await {
        let earlier = Earlier::of(&site);
        let rename = serde_json::json!({"record": "211", "data": {
            "OdBnesCode": july(1).code(), "NwBnesCode": july(7).code(),
            "InfRecType": "211",
        }});
        let delete = serde_json::json!({"record": "214", "data": {
            "DelRecCode": july(2).code(), "InfRecType": "214",
        }});
        let mut moved = august(7);
        moved.borrower = loan(1).borrower;
        let files = [
            earlier.file("2026-08-03", 1, "31", &[july(1).record(), july(2).record()]),
            earlier.file("2026-08-04", 1, "", &[july(2).correction()]),
            earlier.file("2026-08-05", 1, "", &[rename]),
            earlier.file("2026-08-06", 1, "", &[delete]),
            earlier.file("2026-09-01", 1, "30", &[moved.update()]),
        ];
        let answers: Vec<PathBuf> = files.iter().map(|it| earlier.answer(it, &[])).collect();
        let got = earlier.import(&with_feedback(&files, &answers)).await;
        assert_eq!(codes(&got), [""; 0], "{}", site.name);
        let standings: Vec<String> = (earlier.accounts().await.into_iter())
            .map(|account| account.0)
            .collect();
        assert_eq!(standings, ["open", "deleted"], "{}", site.name);
        // It is found by its new name, and by that alone.
        let mut next = at_month_end(&loan(7), "2026-10-31");
        next.borrower = loan(1).borrower;
        let of = site.submit("k1", &[next.update()]).await;
        assert_eq!(
            site.states(&of).await,
            ["ready"],
            "{:?}",
            site.records(&of).await
        );
    }
}

fn rename(from: u32, to: u32) -> Value {
    serde_json::json!({"record": "211", "data": {
        "OdBnesCode": july(from).code(), "NwBnesCode": july(to).code(), "InfRecType": "211",
    }})
}

/// The names of accounts that the bureau has, by the number of their loan.
async fn named(site: &Site, numbers: std::ops::Range<u32>) -> Vec<u32> {
    let blind = site.vault().blind().await.unwrap();
    let of = |number: &u32| Sought {
        family: "210".to_owned(),
        digests: digests(
            &blind,
            &"demo-bank".into(),
            &"pboc".into(),
            "210",
            &july(*number).code(),
        ),
    };
    let sought: Vec<Sought> = numbers.clone().map(|number| of(&number)).collect();
    let bank = "demo-bank".into();
    let found = accounts::find(&site.db, &bank, &"pboc".into(), &sought).await;
    let found = numbers.zip(found.unwrap());
    found.filter_map(|(n, it)| it.map(|_| n)).collect()
}

#[tokio::test]
async fn renames_that_make_room_for_each_other_follow_their_order() {
    for site in sites().await {
        let earlier = Earlier::of(&site);
        let loans: Vec<Value> = (1..=9).map(|number| july(number).record()).collect();
        // One account over three names; eight that move up by one, the last first;
        // two that change their names by way of a third.
        let mut renames = vec![rename(9, 30), rename(30, 31), rename(31, 32)];
        renames.extend((1..=8).rev().map(|number| rename(number, number + 1)));
        renames.extend([rename(2, 40), rename(3, 2), rename(40, 3)]);
        let files = [
            earlier.file("2026-08-03", 1, "31", &loans),
            earlier.file("2026-08-05", 1, "", &renames),
        ];
        let answers = [
            earlier.answer(&files[0], &[]),
            earlier.answer(&files[1], &[]),
        ];
        let got = earlier.import(&with_feedback(&files, &answers)).await;
        assert_eq!(codes(&got), [""; 0], "{}", site.name);
        let expected = [2, 3, 4, 5, 6, 7, 8, 9, 32];
        assert_eq!(named(&site, 1..50).await, expected, "{}", site.name);
        // The first and the second loan have each other's place.
        for (number, borrower) in [(2, 2), (3, 1), (9, 8), (32, 9)] {
            let mut next = at_month_end(&loan(number), "2026-10-31");
            next.borrower = loan(borrower).borrower;
            let of = site.submit(&format!("k{number}"), &[next.update()]).await;
            assert_eq!(site.states(&of).await, ["ready"], "{number} {}", site.name);
        }
    }
}

#[tokio::test]
async fn a_rename_onto_a_known_account_is_a_finding_and_the_import_goes_on() {
    for site in sites().await {
        let earlier = Earlier::of(&site);
        let loans: Vec<Value> = (1..=3).map(|number| july(number).record()).collect();
        let files = [
            earlier.file("2026-08-03", 1, "31", &loans),
            earlier.file("2026-08-05", 1, "", &[rename(1, 2), rename(3, 9)]),
        ];
        let answers = [
            earlier.answer(&files[0], &[]),
            earlier.answer(&files[1], &[]),
        ];
        let mut wanted = with_feedback(&files, &answers);
        wanted.skip_invalid = true;
        let got = earlier.import(&wanted).await;
        assert_eq!(codes(&got), ["BIE002"], "{}", site.name);
        assert_eq!(named(&site, 1..10).await, [1, 2, 9], "the rest was taken");

        // Where nothing but the database sees it, that is a finding as well.
        let file = earlier.file("2026-08-06", 1, "", &[rename(1, 2), rename(9, 8)]);
        let answer = earlier.answer(&file, &[]);
        let importer = earlier.importer();
        let wanted = with_feedback(std::slice::from_ref(&file), &[answer]);
        let mut sources = importer
            .prepare(&wanted, &mut |it| panic!("{it:?}"))
            .await
            .unwrap();
        let source = &mut sources[0];
        let submission = importer.begin(source).await.unwrap();
        let text = fs::read_to_string(&file).unwrap();
        let edition = Inner::edition(jiff::civil::date(2026, 8, 6)).unwrap();
        let lines = (1..).zip(text.split_terminator("\r\n")).skip(1);
        let rows = lines.map(|(place, line)| {
            let line = line.as_bytes().to_vec();
            Row::of_line(place, "211", line, edition, jiff::civil::date(2026, 8, 6))
        });
        let written = importer.write(submission, source, rows.collect()).await;
        let written = written.unwrap();
        assert_eq!((written.after.taken, written.name_taken), (2, vec![2]));
        assert_eq!(named(&site, 1..10).await, [1, 2, 8], "{}", site.name);
    }
}
