//! Which start of the server owns the database.

use super::{Db, DbError, Kind, Tx, Urgency};
use crate::{args, platform::clock::Clock};

/// One start of the server. Each start takes a new one, and whoever holds an
/// older one dispatches no more, even if it never heard that it lost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Epoch(i64);

impl Epoch {
    /// Takes a new epoch; only the holder of the database's
    /// [`Ownership`](super::Ownership) may.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn take(db: &Db, clock: &Clock) -> Result<Self, DbError> {
        let now = clock.now();
        db.write(Urgency::Urgent, move |tx| {
            Box::pin(async move {
                let row: Option<(i64,)> = tx
                    .first(
                        "UPDATE ownership SET epoch = epoch + 1, taken_at = $1 WHERE id = 1 \
                         RETURNING epoch",
                        args![now],
                    )
                    .await?;
                let (epoch,) = row.ok_or(DbError::Sql(sqlx::Error::RowNotFound))?;
                Ok(Self(epoch))
            })
        })
        .await
    }

    /// Whether it is still the last one, and will be until the transaction ends:
    /// taking the next waits for it.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn holds(self, tx: &mut Tx<'_>) -> Result<bool, DbError> {
        let row: Option<(i64,)> = match tx.kind() {
            Kind::Sqlite => {
                tx.first("SELECT epoch FROM ownership WHERE id = 1", args![])
                    .await?
            }
            Kind::Postgres => {
                // Shared, so that dispatches do not wait for each other.
                tx.first(
                    "SELECT epoch FROM ownership WHERE id = 1 FOR SHARE",
                    args![],
                )
                .await?
            }
        };
        Ok(row == Some((self.0,)))
    }

    /// Its number, as inquiries keep it.
    #[must_use]
    pub fn number(self) -> i64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::testing::{Forget, databases};

    #[tokio::test]
    async fn an_epoch_ends_when_the_next_is_taken() {
        for test in databases(Arc::new(Forget)).await {
            let clock = Clock::standing(jiff::Timestamp::UNIX_EPOCH);
            let first = Epoch::take(&test.db, &clock).await.unwrap();
            let second = Epoch::take(&test.db, &clock).await.unwrap();
            assert_eq!(second.number(), first.number() + 1);
            let held = test
                .db
                .write(Urgency::Urgent, move |tx| {
                    Box::pin(async move {
                        Ok::<_, DbError>((first.holds(tx).await?, second.holds(tx).await?))
                    })
                })
                .await
                .unwrap();
            assert_eq!(held, (false, true), "{}", test.name);
        }
    }
}
