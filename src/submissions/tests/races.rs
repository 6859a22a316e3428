//! Two that reach for the same record or account at once: the steps of one,
//! with the other between them; and transactions that wait for each other.

use std::time::Duration;

use tokio::sync::mpsc;

use super::*;
use crate::submissions::{
    feed::{self, Before, By, Chunk},
    judge::Judged,
    store::{accounts, records},
};

impl Site {
    /// Lines of another chunk of a submission, judged and not stored yet.
    async fn judged(&self, of: &Submission, lines: &[Value]) -> Judged {
        let edition = schemas::edition::Edition::embedded(
            "pboc-submit-personal",
            "2026-11-24".parse().unwrap(),
        );
        let by = By {
            edition: edition.unwrap(),
            profile: None,
        };
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let form = Form::JsonLines(Box::new(std::io::Cursor::new(text.into_bytes())));
        let (to, mut from) = mpsc::channel::<Result<Chunk, SubmitError>>(2);
        let read = tokio::task::spawn_blocking(move || {
            feed::feed(by, form, Before::nothing(), to);
        });
        let chunk = from.recv().await.unwrap().unwrap();
        read.await.unwrap();
        let looked = self.submissions.look_up(of, of.taken, chunk).await;
        let judged = self
            .submissions
            .judge(of, ORGANIZATION, looked.unwrap(), Vec::new());
        judged.await.unwrap()
    }

    async fn store(&self, of: &Submission, judged: Judged) -> Result<Submission, SubmitError> {
        let packed = self.submissions.pack(of.no, of.taken, judged).await?;
        self.submissions.store(of.clone(), packed).await
    }

    /// What is under way of an account.
    async fn pending(&self, account: i64) -> Option<(i64, i64)> {
        let known = accounts::by_ids(&self.db, [account]).await.unwrap();
        let pending = known[&account].pending;
        pending.map(|it| (it.submission, it.seq))
    }

    async fn withdraw(&self, of: &Submission) {
        let withdrawn = self.submissions.withdraw(&self.caller, &of.id, 1).await;
        withdrawn.unwrap();
    }

    async fn found(&self, of: &Submission, seq: i64) -> RecordView {
        self.records(of).await.remove(seq as usize - 1)
    }
}

fn correcting(loan: &Loan, of: &Submission) -> Value {
    let mut record = loan.record();
    record["corrects"] = serde_json::json!({"submission": of.id, "seq": 1});
    record
}

#[tokio::test]
async fn a_correction_of_what_was_released_meanwhile_is_set_aside() {
    for site in sites().await {
        let loan = loan(1);
        let of = site.submit("k1", &[loan.record()]).await;
        let other = site.submit("k2", &[super::loan(2).record()]).await;
        assert_eq!(site.states(&of).await, ["held"]);
        let judged = site.judged(&other, &[correcting(&loan, &of)]).await;
        site.authorize(&loan).await;
        site.submissions.release().await.unwrap();
        assert_eq!(site.states(&of).await, ["ready"], "{}", site.name);

        let after = site.store(&other, judged).await.unwrap();
        assert_eq!(after.set_aside, 1, "{}", site.name);
        let late = site.found(&other, 2).await;
        assert_eq!(late.state, RecordState::SetAside);
        assert_eq!(late.findings[0].code, "corrects_nothing");
        assert_eq!(site.states(&of).await, ["ready"]);
        assert_eq!(site.pending(1).await, Some((1, 1)), "it keeps its place");
        assert_eq!(site.carry().await[0].records, 1);
    }
}

#[tokio::test]
async fn what_was_corrected_while_it_was_judged_again_is_not_released() {
    for site in sites().await {
        let loan = loan(1);
        let of = site.submit("k1", &[loan.record()]).await;
        site.authorize(&loan).await;
        let verdicts = site.verdicts(&of).await;
        let corrected = site.submit("k2", &[correcting(&loan, &of)]).await;
        assert_eq!(site.states(&corrected).await, ["ready"], "{}", site.name);
        site.submissions
            .store_verdicts(&of, verdicts)
            .await
            .unwrap();
        assert_eq!(site.states(&of).await, ["replaced"], "{}", site.name);
        assert_eq!(site.pending(1).await, Some((2, 1)));
        let files = site.carry().await;
        assert_eq!((files.len(), files[0].records), (1, 1), "{}", site.name);
    }
}

#[tokio::test]
async fn what_was_withdrawn_while_it_was_judged_again_is_not_released() {
    for site in sites().await {
        let first = loan(1);
        let of = site.submit("k1", &[first.record()]).await;
        site.authorize(&first).await;
        let verdicts = site.verdicts(&of).await;
        site.withdraw(&of).await;
        site.submissions
            .store_verdicts(&of, verdicts)
            .await
            .unwrap();
        assert_eq!(site.states(&of).await, ["withdrawn"], "{}", site.name);
        assert_eq!(site.pending(1).await, None, "nothing is under way");
    }
    // One that would take the place which another one left.
    for site in sites().await {
        let (behind, next) = behind_a_withdrawn_one(&site).await;
        let verdicts = site.verdicts(&behind).await;
        site.withdraw(&behind).await;
        site.submissions
            .store_verdicts(&behind, verdicts)
            .await
            .unwrap();
        assert_eq!(site.states(&behind).await, ["withdrawn"], "{}", site.name);
        assert_eq!(site.pending(1).await, None, "nothing is under way");
        let last = site.submit("k9", &[next]).await;
        assert_eq!(site.states(&last).await, ["ready"], "{}", site.name);
    }
}

/// A held record behind one that was withdrawn, not judged again yet.
async fn behind_a_withdrawn_one(site: &Site) -> (Submission, Value) {
    let loans = with_two_accounts(site).await;
    let october = at_month_end(&loans[0], "2026-10-31").update();
    let before = site.submit("k2", &[october]).await;
    let next = at_month_end(&loans[0], "2026-11-20").update();
    let behind = site.submit("k3", std::slice::from_ref(&next)).await;
    assert_eq!(site.states(&behind).await, ["held"], "{}", site.name);
    site.withdraw(&before).await;
    (behind, next)
}

impl Site {
    /// What held records of a submission are found to be, and not stored yet.
    async fn verdicts(&self, of: &Submission) -> Vec<crate::submissions::release::Verdict> {
        let rows = records::held(&self.db, of.no, 0, 10).await.unwrap();
        let ids = rows.iter().filter_map(|row| row.account);
        let known = accounts::by_ids(&self.db, ids).await.unwrap();
        let looked = rows.into_iter().map(|row| {
            let account = known[&row.account.unwrap()].clone();
            (row, account)
        });
        let judged = self.submissions.judge_held(of, looked.collect());
        judged.await.unwrap()
    }
}

#[tokio::test]
async fn a_chunk_that_an_erasure_overtook_is_not_stored_and_goes_when_sent_again() {
    for site in sites().await {
        let other = loan(9);
        site.authorize(&other).await;
        let of = site.submit("k1", &[loan(1).record()]).await;
        let line = loan(2).record();
        let judged = site.judged(&of, std::slice::from_ref(&line)).await;
        let erased = other.borrower;
        let today = china_date(site.clock.now());
        let identity = Identity::person("10", &erased.0, &erased.1, today).unwrap();
        let vault = site.vault();
        let subject = vault.find(&identity).await.unwrap().unwrap();
        let write = site.db.write(Urgency::Urgent, move |tx| {
            Box::pin(async move { vault.erase(tx, &subject, "test").await })
        });
        assert!(write.await.unwrap());

        let refused = site.store(&of, judged).await.unwrap_err();
        assert_eq!(refused.code(), "subject_erased_meanwhile", "{}", site.name);
        assert!(refused.to_string().contains("send the same again"));
        assert_eq!(site.records(&of).await.len(), 1, "nothing of it is there");
        let judged = site.judged(&of, &[line]).await;
        site.store(&of, judged).await.unwrap();
        assert_eq!(site.states(&of).await, ["held", "held"], "{}", site.name);
    }
}

/// Another transaction that holds an account on PostgreSQL, so that those that
/// want it queue up behind it.
struct Holding(sqlx::Transaction<'static, sqlx::Postgres>);

impl Holding {
    async fn account(site: &Site, id: i64) -> Option<Self> {
        let mut holding = site.db.postgres()?.begin().await.unwrap();
        sqlx::query("SELECT id FROM accounts WHERE id = $1 FOR UPDATE")
            .bind(id)
            .execute(&mut *holding)
            .await
            .unwrap();
        Some(Self(holding))
    }

    /// Ends once two sessions wait for it.
    async fn end(self, site: &Site) {
        until_waiting(site, 2).await;
        self.0.rollback().await.unwrap();
    }
}

/// Returns once so many sessions wait for a lock.
async fn until_waiting(site: &Site, sessions: i64) {
    let sql = "SELECT COUNT(*) FROM pg_stat_activity \
               WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    loop {
        let (waiting,): (i64,) = site.db.first(sql, crate::args![]).await.unwrap().unwrap();
        if waiting >= sessions {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "{waiting} wait");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A site whose first two accounts the bureau has.
async fn with_two_accounts(site: &Site) -> [Loan; 2] {
    let loans = [loan(1), loan(2)];
    for loan in &loans {
        site.authorize(loan).await;
    }
    let lines = [loans[0].record(), loans[1].record()];
    site.submit("k1", &lines).await;
    let name = site.carry().await.pop().unwrap().name;
    site.answer(&name, &[]);
    site.sweep().await;
    loans
}

#[tokio::test]
async fn submissions_of_the_same_accounts_in_opposite_order_do_not_deadlock() {
    for site in sites().await {
        let loans = with_two_accounts(&site).await;
        let Some(holding) = Holding::account(&site, 1).await else {
            continue;
        };
        let update = |n: usize| at_month_end(&loans[n], "2026-10-31").update();
        let (here, there) = ([update(0), update(1)], [update(1), update(0)]);
        let ((), one, other) = tokio::join!(
            holding.end(&site),
            site.try_submit("k2", &here),
            site.try_submit("k3", &there),
        );
        for of in [one.unwrap(), other.unwrap()] {
            let states = site.states(&of).await;
            assert!(
                matches!(states[..], ["ready", "ready"] | ["held", "held"]),
                "{states:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_answer_and_a_submission_of_the_same_accounts_do_not_deadlock() {
    for site in sites().await {
        let loans = with_two_accounts(&site).await;
        let update = |n: usize, day: &str| at_month_end(&loans[n], day).update();
        let sent = site
            .submit("k2", &[update(1, "2026-10-31"), update(0, "2026-10-31")])
            .await;
        let name = site.carry().await.pop().unwrap().name;
        site.answer(&name, &[]);
        let lines = [update(0, "2026-11-20"), update(1, "2026-11-20")];
        let Some(holding) = Holding::account(&site, 1).await else {
            continue;
        };
        let ((), of, swept) =
            tokio::join!(holding.end(&site), site.try_submit("k3", &lines), async {
                until_waiting(&site, 1).await;
                site.submissions.sweep().await
            },);
        swept.unwrap();
        assert_eq!(site.states(&sent).await, ["accepted", "accepted"]);
        site.sweep().await;
        assert_eq!(site.states(&of.unwrap()).await, ["filed", "filed"]);
    }
}

#[tokio::test]
async fn a_withdrawal_and_a_release_of_the_same_record_do_not_deadlock() {
    for site in sites().await {
        let (behind, _) = behind_a_withdrawn_one(&site).await;
        let verdicts = site.verdicts(&behind).await;
        let Some(holding) = Holding::account(&site, 1).await else {
            continue;
        };
        let ((), released, withdrawn) = tokio::join!(
            holding.end(&site),
            site.submissions.store_verdicts(&behind, verdicts),
            async {
                until_waiting(&site, 1).await;
                site.submissions.withdraw(&site.caller, &behind.id, 1).await
            },
        );
        released.unwrap();
        withdrawn.unwrap();
        assert_eq!(site.states(&behind).await, ["withdrawn"]);
        assert_eq!(site.pending(1).await, None);
    }
}
