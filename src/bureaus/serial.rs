//! Serial numbers of messages: never the same twice on a day.
//!
//! They are reserved in blocks: a number out of the database for each message
//! would make all dispatches of an institution wait for one another's commit.
//! What is left of a block when the server stops is never used.

use std::collections::HashMap;

use jiff::{Timestamp, civil::Date};
use tokio::sync::Mutex;

use crate::{
    args,
    platform::{
        clock::china_date,
        db::{Db, DbError, Urgency},
        ids::{BureauId, InstitutionId},
    },
};

/// Numbers in a block.
const BLOCK: i64 = 64;

/// A message identifier has eight digits for it (header line of the PBOC
/// message, `contract::InquiryRequest::serial`).
const LAST: i64 = 99_999_999;

/// The serial numbers of one bureau.
#[derive(Debug)]
pub(super) struct Serials {
    bureau: BureauId,
    /// Reserved and not used yet, by institution.
    blocks: Mutex<HashMap<InstitutionId, Block>>,
}

#[derive(Debug)]
struct Block {
    day: Date,
    next: i64,
    last: i64,
}

impl Serials {
    pub(super) fn new(bureau: BureauId) -> Self {
        Self {
            bureau,
            blocks: Mutex::default(),
        }
    }

    /// A number of an institution for the day of `at`; `None` when the day has
    /// no more. It is used up even if its message is never sent.
    pub(super) async fn next(
        &self,
        db: &Db,
        institution: &InstitutionId,
        at: Timestamp,
    ) -> Result<Option<u32>, DbError> {
        let day = china_date(at);
        let mut blocks = self.blocks.lock().await;
        let left = blocks
            .get_mut(institution)
            .filter(|block| block.day == day && block.next <= block.last);
        let number = match left {
            Some(block) => {
                block.next += 1;
                block.next - 1
            }
            None => {
                let Some(last) = self.reserve(db, institution, day).await? else {
                    return Ok(None);
                };
                let first = last - BLOCK + 1;
                let next = first + 1;
                blocks.insert(institution.clone(), Block { day, next, last });
                first
            }
        };
        Ok(u32::try_from(number).ok())
    }

    /// Reserves a block, durably; its last number.
    async fn reserve(
        &self,
        db: &Db,
        institution: &InstitutionId,
        day: Date,
    ) -> Result<Option<i64>, DbError> {
        let (institution, bureau) = (institution.clone(), self.bureau.clone());
        let row: Option<(i64,)> = db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move {
                    tx.first(
                        "INSERT INTO serials (institution, bureau, day, last) \
                         VALUES ($1, $2, $3, $4) \
                         ON CONFLICT (institution, bureau, day) \
                         DO UPDATE SET last = serials.last + $4 \
                         WHERE serials.last + $4 <= $5 RETURNING last",
                        args![&institution, &bureau, day.to_string(), BLOCK, LAST],
                    )
                    .await
                })
            })
            .await?;
        Ok(row.map(|(last,)| last))
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Arc};

    use super::*;
    use crate::testing::{Forget, databases};

    const DAY: &str = "2026-02-28T15:59:59Z";

    fn serials() -> Serials {
        Serials::new("pboc".into())
    }

    async fn take(serials: &Serials, db: &Db, institution: &str, at: &str) -> Option<u32> {
        serials
            .next(db, &institution.into(), at.parse().unwrap())
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn numbers_begin_anew_each_day_in_china_for_each_institution() {
        for test in databases(Arc::new(Forget)).await {
            let serials = serials();
            for (institution, at, expected) in [
                ("demo-bank", DAY, 1),
                ("demo-bank", DAY, 2),
                ("other-bank", DAY, 1),
                ("demo-bank", "2026-02-28T16:00:00Z", 1),
                // A clock that went back finds another block, not the same numbers.
                ("demo-bank", DAY, 65),
            ] {
                let taken = take(&serials, &test.db, institution, at).await;
                assert_eq!(taken, Some(expected), "{}", test.name);
            }
        }
    }

    #[tokio::test]
    async fn no_number_is_given_twice_also_after_a_restart() {
        for test in databases(Arc::new(Forget)).await {
            let starts = [Arc::new(serials()), Arc::new(serials())];
            let tasks: Vec<_> = (0..300)
                .map(|n| {
                    let (serials, db) = (Arc::clone(&starts[n % 2]), test.db.clone());
                    tokio::spawn(async move { take(&serials, &db, "demo-bank", DAY).await })
                })
                .collect();
            let mut taken = BTreeSet::new();
            for task in tasks {
                assert!(taken.insert(task.await.unwrap().unwrap()), "{}", test.name);
            }
            assert_eq!(taken.len(), 300, "{}", test.name);
        }
    }

    #[tokio::test]
    async fn when_the_numbers_of_a_day_end_there_is_none() {
        for test in databases(Arc::new(Forget)).await {
            take(&serials(), &test.db, "demo-bank", DAY).await;
            test.db
                .write(Urgency::Urgent, |tx| {
                    Box::pin(async move {
                        let last = args![LAST - BLOCK];
                        tx.execute("UPDATE serials SET last = $1", last).await
                    })
                })
                .await
                .unwrap();
            let serials = serials();
            for _ in 0..BLOCK {
                assert!(take(&serials, &test.db, "demo-bank", DAY).await.is_some());
            }
            assert_eq!(take(&serials, &test.db, "demo-bank", DAY).await, None);
        }
    }
}
