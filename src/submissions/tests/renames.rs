//! Accounts that get another name: what comes under it waits for the answer.

use super::*;

const TAKEN: &str = "BIE002";
const NOT_OPENED: &str = "SEQ-NOT-OPENED";
const OPENED_TWICE: &str = "SEQ-OPENED-TWICE";

fn rename(from: u32, to: u32) -> Value {
    serde_json::json!({"record": "211", "data": {
        "OdBnesCode": loan(from).code(), "NwBnesCode": loan(to).code(),
    }})
}

/// The loan of the first borrower, under the number that it is to get.
fn renamed(number: u32, day: &str) -> Loan {
    Loan {
        borrower: loan(1).borrower,
        ..at_month_end(&loan(number), day)
    }
}

/// Opened under its number: the bureau is told so.
fn opening(loan: &Loan) -> Value {
    let mut record = loan.record();
    record["data"]["AcctBsSgmt"]["RptDateCode"] = "31".into();
    record
}

impl Site {
    /// The bureau has the first loan.
    async fn has_the_first(&self) {
        self.authorize(&loan(1)).await;
        self.submit("k1", &[loan(1).record()]).await;
        self.accept_next().await;
    }

    /// Carries what is ready, and the bureau accepts it; the name of its file.
    async fn accept_next(&self) -> String {
        let name = self.carry().await.pop().unwrap().name;
        self.answer(&name, &[]);
        self.sweep().await;
        name
    }

    /// The name under which the first loan is being renamed, at the bureau.
    async fn renaming(&self, key: &str, to: u32) -> (Submission, String) {
        let of = self.submit(key, &[rename(1, to)]).await;
        assert_eq!(self.states(&of).await, ["ready"], "{}", self.name);
        let name = self.carry().await.pop().unwrap().name;
        assert_eq!(self.states(&of).await, ["filed"], "{}", self.name);
        (of, name)
    }

    /// The bureau rejects the only record of a file.
    async fn reject_all(&self, name: &str) {
        let line = self.text(name)[1].clone();
        self.answer(name, &[(2, TAKEN, line.as_bytes())]);
        self.sweep().await;
    }

    async fn holds(&self, of: &Submission) -> Vec<Vec<&'static str>> {
        let records = self.records(of).await;
        let codes = |record: &RecordView| {
            let holds = record.holds.iter();
            holds.map(|hold| hold.code.name()).collect()
        };
        records.iter().map(codes).collect()
    }

    async fn codes(&self, of: &Submission) -> Vec<Vec<String>> {
        let records = self.records(of).await;
        let codes = |record: &RecordView| {
            let findings = record.findings.iter();
            findings.map(|it| it.code.clone()).collect()
        };
        records.iter().map(codes).collect()
    }

    /// The account of each record of a submission.
    async fn accounts_of(&self, of: &Submission) -> Vec<Option<i64>> {
        let rows: Vec<(Option<i64>,)> = self
            .db
            .all(
                "SELECT account FROM submission_records WHERE submission = $1 ORDER BY seq",
                crate::args![of.no],
            )
            .await
            .unwrap();
        rows.into_iter().map(|(account,)| account).collect()
    }
}

#[tokio::test]
async fn what_comes_under_a_new_name_waits_and_is_of_the_renamed_account() {
    for site in sites().await {
        site.has_the_first().await;
        let (of, file) = site.renaming("k2", 7).await;
        let october = renamed(7, "2026-10-31");
        let next = site.submit("k3", &[october.update()]).await;
        let november = renamed(7, "2026-11-20");
        let twice = site.submit("k4", &[opening(&november)]).await;
        for waiting in [&next, &twice] {
            assert_eq!(site.states(waiting).await, ["held"], "{}", site.name);
            assert_eq!(site.holds(waiting).await, [["name_reserved"]]);
        }
        site.sweep().await;
        assert_eq!(site.states(&next).await, ["held"], "{}", site.name);
        // A notice under the new name goes along.
        let name = site.accounts_of(&next).await[0].unwrap();
        assert_ne!(name, 1);
        site.notice("n1", name, "2026-10", 5).await;

        site.answer(&file, &[]);
        site.sweep().await;
        assert_eq!(site.states(&of).await, ["accepted"], "{}", site.name);
        assert_eq!(site.accounts_of(&next).await, [Some(1)]);
        assert_eq!(site.states(&next).await, ["filed"], "{}", site.name);
        assert_eq!(site.holds(&twice).await, [["account_in_flight"]]);
        let of_notice = "SELECT account FROM notices";
        let row: Option<(i64,)> = site.db.first(of_notice, crate::args![]).await.unwrap();
        assert_eq!(row, Some((1,)));
        site.accept_next().await;
        assert_eq!(site.codes(&twice).await, [[OPENED_TWICE]], "{}", site.name);
        let november = renamed(7, "2026-11-23");
        let last = site.submit("k5", &[november.update()]).await;
        assert_eq!(site.states(&last).await, ["ready"], "found by its name");
        assert_eq!(site.accounts_of(&last).await, [Some(1)]);
    }
}

#[tokio::test]
async fn what_waited_for_a_name_is_judged_anew_where_the_rename_comes_to_nothing() {
    for withdrawn in [false, true] {
        for site in sites().await {
            site.has_the_first().await;
            let (of, file) = if withdrawn {
                (site.submit("k2", &[rename(1, 7)]).await, String::new())
            } else {
                site.renaming("k2", 7).await
            };
            let october = renamed(7, "2026-10-31");
            let first = site.submit("k3", &[october.update()]).await;
            let second = site.submit("k4", &[opening(&october)]).await;
            assert_eq!(site.holds(&first).await, [["name_reserved"]]);
            assert_eq!(site.holds(&second).await, [["name_reserved"]]);
            if withdrawn {
                let taken_back = site.submissions.withdraw(&site.caller, &of.id, 1).await;
                taken_back.unwrap();
            } else {
                site.reject_all(&file).await;
                assert_eq!(site.states(&of).await, ["rejected"]);
            }
            // Of an account that the bureau does not have.
            site.sweep().await;
            assert_eq!(site.codes(&first).await, [[NOT_OPENED]], "{}", site.name);
            site.sweep().await;
            assert_eq!(site.states(&second).await, ["filed"], "{}", site.name);
            assert_ne!(site.accounts_of(&second).await, [Some(1)]);

            // The name is another account's by now.
            let mut again = rename(1, 7);
            if !withdrawn {
                again["corrects"] = serde_json::json!({"submission": of.id, "seq": 1});
            }
            let again = site.submit("k5", &[again]).await;
            assert_eq!(site.codes(&again).await, [[TAKEN]], "{}", site.name);
        }
    }
}

#[tokio::test]
async fn a_rejected_rename_is_corrected_to_the_same_name_or_another() {
    for to in [7, 8] {
        for site in sites().await {
            site.has_the_first().await;
            let (of, file) = site.renaming("k2", 7).await;
            site.reject_all(&file).await;
            let mut again = rename(1, to);
            again["corrects"] = serde_json::json!({"submission": of.id, "seq": 1});
            let again = site.submit("k3", &[again]).await;
            assert_eq!(site.states(&again).await, ["ready"], "{}", site.name);
            let october = renamed(to, "2026-10-31");
            let next = site.submit("k4", &[october.update()]).await;
            assert_eq!(site.holds(&next).await, [["name_reserved"]]);
            site.accept_next().await;
            assert_eq!(site.states(&again).await, ["accepted"], "{}", site.name);
            assert_eq!(site.states(&next).await, ["filed"], "{}", site.name);
            assert_eq!(site.accounts_of(&next).await, [Some(1)]);
        }
    }
}

#[tokio::test]
async fn a_name_is_reserved_from_the_next_record_of_the_same_input_on() {
    for site in sites().await {
        site.has_the_first().await;
        let update = |number, day: &str| renamed(number, day).update();
        let correction = renamed(8, "2026-10-31").correction();
        let lines = [
            rename(1, 7),
            rename(7, 8),
            update(8, "2026-10-31"),
            correction,
        ];
        let of = site.submit("k2", &lines).await;
        let states = ["ready", "held", "held", "held"];
        assert_eq!(
            site.states(&of).await,
            states,
            "{:?}",
            site.codes(&of).await
        );
        assert_eq!(site.holds(&of).await[2], ["name_reserved"], "{}", site.name);
        for _ in 0..4 {
            site.accept_next().await;
        }
        assert_eq!(site.states(&of).await, ["accepted"; 4], "{}", site.name);
        assert_eq!(site.accounts_of(&of).await, [Some(1); 4]);
    }
}

#[tokio::test]
async fn a_name_that_another_record_has_is_not_given() {
    for site in sites().await {
        site.has_the_first().await;
        let second = loan(2);
        site.authorize(&second).await;
        // Of the same input, of another one, and reserved already.
        let of = site.submit("k2", &[second.record(), rename(1, 2)]).await;
        assert_eq!(
            site.states(&of).await,
            ["ready", "set_aside"],
            "{}",
            site.name
        );
        assert_eq!(site.codes(&of).await[1], [TAKEN]);
        let of = site.submit("k3", &[rename(1, 2)]).await;
        assert_eq!(site.codes(&of).await, [[TAKEN]], "{}", site.name);
        site.accept_next().await;
        let of = site.submit("k4", &[rename(1, 7)]).await;
        assert_eq!(site.states(&of).await, ["ready"]);
        let of = site.submit("k5", &[rename(2, 7)]).await;
        assert_eq!(site.codes(&of).await, [[TAKEN]], "{}", site.name);
        // Another person's record does not come under a reserved name.
        let of = site
            .submit("k6", &[at_month_end(&loan(7), "2026-10-31").update()])
            .await;
        assert_eq!(
            site.codes(&of).await,
            [["subject_differs"]],
            "{}",
            site.name
        );
    }
}

#[tokio::test]
async fn what_is_stored_after_its_name_was_given_follows_it() {
    for site in sites().await {
        site.has_the_first().await;
        let (_, file) = site.renaming("k2", 7).await;
        let october = renamed(7, "2026-10-31");
        let next = site.submit("k3", &[october.update()]).await;
        let stood_for = site.accounts_of(&next).await[0].unwrap();
        site.answer(&file, &[]);
        site.submissions.collect_feedback().await.unwrap();
        assert_eq!(site.accounts_of(&next).await, [Some(1)]);
        // As if it had been judged before, and stored only now.
        let write = site.db.write(Urgency::Urgent, move |tx| {
            Box::pin(async move {
                let sql = "UPDATE submission_records SET account = $1 WHERE submission = 3";
                tx.execute(sql, crate::args![stood_for]).await
            })
        });
        assert_eq!(write.await.unwrap(), 1);
        site.sweep().await;
        site.sweep().await;
        assert_eq!(site.accounts_of(&next).await, [Some(1)], "{}", site.name);
        assert_eq!(site.states(&next).await, ["filed"], "{}", site.name);
    }
}
