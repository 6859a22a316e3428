//! Notices against both databases.

use std::collections::HashMap;

use jiff::ToSpan as _;
use zeroize::Zeroizing;

use super::*;
use crate::{
    ledger::{Notice, index::AccountName},
    platform::{clock::Clock, identity::Identity},
    testing::{self, Remember, TestDb, databases},
};

/// 2026-06-02 12:00 at +08:00.
const NOW: Timestamp = Timestamp::constant(1_780_372_800, 0);

fn caller(house: &str, role: Role) -> Caller {
    Caller::local(house.into(), [role])
}

fn new(n: u32, key: &str, due: &str) -> NewNotice {
    let today = jiff::civil::date(2026, 6, 2);
    NewNotice {
        subject: Identity::person("10", &mocks::synthetic_resident_id(n), "测试甲", today).unwrap(),
        account: AccountName {
            institution: "bank".into(),
            bureau: "pboc".into(),
            family: "210".to_owned(),
            key: key.to_owned(),
        },
        due: due.parse().unwrap(),
        channel: Channel::Sms,
        delivered_at: NOW - 1.hour(),
        proof: Zeroizing::new(b"delivered".to_vec()),
    }
}

async fn notices(test: &TestDb) -> Notices {
    let vault = testing::vault(&test.db, Clock::standing(NOW)).await;
    Notices::new(test.db.clone(), vault)
}

fn id_of(recorded: Recorded) -> String {
    match recorded {
        Recorded::New(id) => id,
        Recorded::Already(id) => panic!("{id} was recorded already"),
    }
}

#[tokio::test]
async fn a_notice_is_recorded_once_with_its_proof_and_an_entry() {
    let sealer = Arc::new(Remember::default());
    for test in databases(sealer.clone()).await {
        let notices = notices(&test).await;
        let by = caller("bank", Role::Submitter);
        sealer.take();
        let id = id_of(
            notices
                .record(&by, new(1, "A-1", "2026-05"), NOW)
                .await
                .unwrap(),
        );
        let again = notices
            .record(&by, new(1, "A-1", "2026-05"), NOW)
            .await
            .unwrap();
        assert_eq!(again, Recorded::Already(id.clone()), "{}", test.name);
        let other = notices
            .record(&by, new(1, "A-1", "2026-04"), NOW)
            .await
            .unwrap();
        assert!(matches!(other, Recorded::New(_)), "{}", test.name);
        let entries = sealer.take();
        assert_eq!(entries.len(), 2, "{}: {entries:?}", test.name);
        assert!(entries[0].contains("notice.recorded") && entries[0].contains("notices/proof/"));
        assert!(
            !entries[0].contains("A-1"),
            "{}: no account code",
            test.name
        );
        let shown = notices.get(&by, &id).await.unwrap();
        assert_eq!(
            (shown.due.as_str(), shown.channel.as_str()),
            ("2026-05", "sms")
        );
        assert!(shown.has_proof && shown.run.is_none(), "{}", test.name);
        let elsewhere = notices.get(&caller("other", Role::Submitter), &id).await;
        assert!(
            matches!(elsewhere, Err(NoticeError::Unknown(_))),
            "{}",
            test.name
        );
    }
}

#[tokio::test]
async fn what_was_not_delivered_or_cannot_be_proven_is_no_notice() {
    for test in databases(Arc::new(Remember::default())).await {
        let notices = notices(&test).await;
        let by = caller("bank", Role::Compliance);
        let mut later = new(1, "A-1", "2026-05");
        later.delivered_at = NOW + 1.second();
        let mut bare = new(1, "A-1", "2026-05");
        bare.proof = Zeroizing::default();
        for (field, new) in [("delivered_at", later), ("proof", bare)] {
            let got = notices.record(&by, new, NOW).await;
            let Err(NoticeError::Invalid { field: named, .. }) = got else {
                panic!("{} {field}", test.name)
            };
            assert_eq!(named, field, "{}", test.name);
        }
        let officer = caller("bank", Role::Officer);
        let refused = notices
            .record(&officer, new(1, "A-1", "2026-05"), NOW)
            .await;
        assert!(
            matches!(refused, Err(NoticeError::Forbidden(_))),
            "{}",
            test.name
        );
    }
}

#[tokio::test]
async fn a_notice_names_the_subject_s_own_account_in_the_caller_s_institution() {
    for test in databases(Arc::new(Remember::default())).await {
        let notices = notices(&test).await;
        let by = caller("bank", Role::Submitter);
        notices
            .record(&by, new(1, "A-1", "2026-05"), NOW)
            .await
            .unwrap();
        let another = notices.record(&by, new(2, "A-1", "2026-05"), NOW).await;
        assert!(
            matches!(another, Err(NoticeError::Unknown(_))),
            "{}",
            test.name
        );
        let elsewhere = caller("other", Role::Submitter);
        let elsewhere = notices
            .record(&elsewhere, new(1, "A-1", "2026-05"), NOW)
            .await;
        assert!(
            matches!(elsewhere, Err(NoticeError::Unknown(_))),
            "{}",
            test.name
        );
    }
}

#[tokio::test]
async fn a_notice_serves_one_run_only() {
    for test in databases(Arc::new(Remember::default())).await {
        let notices = notices(&test).await;
        let by = caller("bank", Role::Submitter);
        let id = id_of(
            notices
                .record(&by, new(1, "A-1", "2026-05"), NOW)
                .await
                .unwrap(),
        );
        notices
            .record(&by, new(2, "A-2", "2026-05"), NOW)
            .await
            .unwrap();
        let mark = |run: &str| {
            let served = vec![(id.clone(), run.to_owned())];
            test.db.write(Urgency::Urgent, move |tx| {
                Box::pin(async move { serve(tx, &served).await })
            })
        };
        assert_eq!(mark("1.1").await.unwrap(), 1, "{}", test.name);
        assert_eq!(mark("2.1").await.unwrap(), 0, "{}", test.name);
        let account = notices.get(&by, &id).await.unwrap().account;
        let found: HashMap<i64, Vec<Notice>> = notices.of_accounts([account]).await.unwrap();
        assert_eq!(found.len(), 1, "{}", test.name);
        let [one] = &found[&account][..] else {
            panic!("{}", test.name)
        };
        assert_eq!(one.run.as_deref(), Some("1.1"), "{}", test.name);
        assert_eq!(one.delivered_at, NOW - 1.hour(), "{}", test.name);
        let both = notices
            .of_accounts([account, account + 1, 99])
            .await
            .unwrap();
        assert_eq!(both.len(), 2, "{}", test.name);
    }
}

#[test]
fn every_channel_has_its_name_and_labels() {
    for (name, channel) in Channel::ALL {
        assert_eq!(channel.name(), name);
        let label = channel.label();
        assert!(!label.zh.is_empty() && !label.en.is_empty());
    }
}
