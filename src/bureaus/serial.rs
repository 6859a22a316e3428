//! Serial numbers of messages: from 1 on each day, never twice.

use jiff::Timestamp;

use crate::{
    args,
    platform::{
        clock::china_date,
        db::{DbError, Tx},
        ids::{BureauId, InstitutionId},
    },
};

/// A message identifier has eight digits for it (header line of the PBOC
/// message, `contract::InquiryRequest::serial`).
const LAST: i64 = 99_999_999;

/// The next number of an institution at a bureau for the day of `at`; `None`
/// after 99,999,999. It is used even if its message is never sent.
pub(super) async fn next(
    tx: &mut Tx<'_>,
    institution: &InstitutionId,
    bureau: &BureauId,
    at: Timestamp,
) -> Result<Option<u32>, DbError> {
    let row: Option<(i64,)> = tx
        .first(
            "INSERT INTO serials (institution, bureau, day, last) VALUES ($1, $2, $3, 1) \
             ON CONFLICT (institution, bureau, day) DO UPDATE SET last = serials.last + 1 \
             WHERE serials.last < $4 RETURNING last",
            args![institution, bureau, china_date(at).to_string(), LAST],
        )
        .await?;
    Ok(row.and_then(|(last,)| u32::try_from(last).ok()))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Arc};

    use super::*;
    use crate::{
        platform::db::{Db, Urgency},
        testing::{Forget, databases},
    };

    async fn take(db: &Db, institution: &str, at: &str) -> Option<u32> {
        let (institution, at) = (institution.into(), at.parse().unwrap());
        db.write(Urgency::Urgent, move |tx| {
            Box::pin(async move { next(tx, &institution, &"pboc".into(), at).await })
        })
        .await
        .unwrap()
    }

    #[tokio::test]
    async fn numbers_begin_anew_each_day_in_china_for_each_institution() {
        for test in databases(Arc::new(Forget)).await {
            for (institution, at, expected) in [
                ("demo-bank", "2026-02-28T15:59:59Z", 1),
                ("demo-bank", "2026-02-28T15:59:59Z", 2),
                ("other-bank", "2026-02-28T15:59:59Z", 1),
                ("demo-bank", "2026-02-28T16:00:00Z", 1),
                ("demo-bank", "2026-02-28T15:59:59Z", 3),
            ] {
                assert_eq!(
                    take(&test.db, institution, at).await,
                    Some(expected),
                    "{}",
                    test.name
                );
            }
        }
    }

    #[tokio::test]
    async fn no_number_is_given_twice() {
        for test in databases(Arc::new(Forget)).await {
            let tasks: Vec<_> = (0..30)
                .map(|_| {
                    let db = test.db.clone();
                    tokio::spawn(
                        async move { take(&db, "demo-bank", "2026-01-01T00:00:00Z").await },
                    )
                })
                .collect();
            let mut taken = BTreeSet::new();
            for task in tasks {
                taken.insert(task.await.unwrap().unwrap());
            }
            assert_eq!(taken, (1..=30).collect(), "{}", test.name);
        }
    }

    #[tokio::test]
    async fn after_the_last_number_there_is_none() {
        for test in databases(Arc::new(Forget)).await {
            take(&test.db, "demo-bank", "2026-01-01T00:00:00Z").await;
            test.db
                .write(Urgency::Urgent, |tx| {
                    Box::pin(async move {
                        tx.execute("UPDATE serials SET last = $1", args![LAST])
                            .await
                    })
                })
                .await
                .unwrap();
            assert_eq!(
                take(&test.db, "demo-bank", "2026-01-01T00:00:00Z").await,
                None
            );
        }
    }
}
