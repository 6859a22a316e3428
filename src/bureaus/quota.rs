//! Quotas of a day at +08:00, counted in the database so that no restart
//! forgets them.

use jiff::{Timestamp, ToSpan as _, civil::Date};

use crate::{
    args,
    platform::{
        clock::{china_date, china_midnight},
        config::bureau::{LimitsConfig, ScopeLimits},
        db::{Db, DbError, Tx},
        ids::{BureauId, InstitutionId},
    },
};

/// Whose limit it is, from the narrowest to the widest.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One operator or machine client.
    Operator,
    /// One institution.
    Institution,
    /// All institutions together.
    Bureau,
}

impl Scope {
    /// Its stored and published name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Institution => "institution",
            Self::Bureau => "bureau",
        }
    }
}

/// Under which names an inquiry counts, narrow to wide.
pub(super) fn holders(
    bureau: &BureauId,
    institution: &InstitutionId,
    operator: &str,
) -> [String; 3] {
    [
        format!("{institution}/{operator}"),
        institution.to_string(),
        bureau.to_string(),
    ]
}

/// The same, each with its scope and its limits.
pub(super) fn scopes(
    limits: &LimitsConfig,
    bureau: &BureauId,
    institution: &InstitutionId,
    operator: &str,
) -> [(Scope, String, ScopeLimits); 3] {
    let [operator, institution, bureau] = holders(bureau, institution, operator);
    [
        (Scope::Operator, operator, limits.operator),
        (Scope::Institution, institution, limits.institution),
        (Scope::Bureau, bureau, limits.bureau),
    ]
}

/// A quota that is used up.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the quota of {per_day} a day of the {} is used up", scope.name())]
pub struct UsedUp {
    /// Whose it is.
    pub scope: Scope,
    /// The quota.
    pub per_day: u32,
    /// When the next day begins.
    pub renews_at: Timestamp,
}

/// The quotas that one inquiry counts against.
#[derive(Clone, Debug)]
pub(super) struct Quotas {
    bureau: BureauId,
    /// Narrow to wide, so that every transaction locks in the same order and
    /// the row that all share comes last.
    limited: Vec<(Scope, String, u32)>,
}

impl Quotas {
    pub(super) fn new(
        limits: &LimitsConfig,
        bureau: &BureauId,
        institution: &InstitutionId,
        operator: &str,
    ) -> Self {
        let limited = scopes(limits, bureau, institution, operator)
            .into_iter()
            .filter_map(|(scope, holder, limits)| Some((scope, holder, limits.per_day?)))
            .collect();
        Self {
            bureau: bureau.clone(),
            limited,
        }
    }

    /// Counts one more, or nothing where any of them is used up: then the
    /// caller must give its transaction up.
    pub(super) async fn count(
        &self,
        tx: &mut Tx<'_>,
        at: Timestamp,
    ) -> Result<Result<(), UsedUp>, DbError> {
        let day = china_date(at);
        for (scope, holder, per_day) in &self.limited {
            let counted = *per_day > 0
                && tx
                    .execute(
                        "INSERT INTO quota_counts (bureau, scope, holder, day, used) \
                         VALUES ($1, $2, $3, $4, 1) \
                         ON CONFLICT (bureau, scope, holder, day) \
                         DO UPDATE SET used = quota_counts.used + 1 \
                         WHERE quota_counts.used < $5",
                        args![
                            &self.bureau,
                            scope.name(),
                            holder,
                            day.to_string(),
                            i64::from(*per_day)
                        ],
                    )
                    .await?
                    == 1;
            if !counted {
                return Ok(Err(used_up(*scope, *per_day, day)));
            }
        }
        Ok(Ok(()))
    }

    /// The narrowest quota that is used up already. Only to wait early: the
    /// count at dispatch decides.
    pub(super) async fn used_up(&self, db: &Db, at: Timestamp) -> Result<Option<UsedUp>, DbError> {
        let day = china_date(at);
        for (scope, holder, per_day) in &self.limited {
            if used(db, &self.bureau, *scope, holder, day).await? >= u64::from(*per_day) {
                return Ok(Some(used_up(*scope, *per_day, day)));
            }
        }
        Ok(None)
    }
}

/// How many of a quota were used on a day.
pub(super) async fn used(
    db: &Db,
    bureau: &BureauId,
    scope: Scope,
    holder: &str,
    day: Date,
) -> Result<u64, DbError> {
    let row: Option<(i64,)> = db
        .first(
            "SELECT used FROM quota_counts \
             WHERE bureau = $1 AND scope = $2 AND holder = $3 AND day = $4",
            args![bureau, scope.name(), holder, day.to_string()],
        )
        .await?;
    Ok(row.map_or(0, |(used,)| used.unsigned_abs()))
}

fn used_up(scope: Scope, per_day: u32, day: Date) -> UsedUp {
    // Past the last day that jiff knows nothing renews.
    let renews_at = day
        .checked_add(1.day())
        .map_or(Timestamp::MAX, china_midnight);
    UsedUp {
        scope,
        per_day,
        renews_at,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        platform::db::Urgency,
        testing::{Forget, databases},
    };

    fn quotas(operator: &str, limits: &str) -> Quotas {
        let limits = toml::from_str(limits).unwrap();
        Quotas::new(&limits, &"pboc".into(), &"demo-bank".into(), operator)
    }

    /// Counts as dispatch does: used up gives the transaction up.
    async fn count(db: &Db, quotas: &Quotas, at: &str) -> Option<Scope> {
        let (quotas, at) = (quotas.clone(), at.parse().unwrap());
        let counted: Result<(), Refusal> = db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move { quotas.count(tx, at).await?.map_err(Refusal::UsedUp) })
            })
            .await;
        match counted {
            Ok(()) => None,
            Err(Refusal::UsedUp(used_up)) => Some(used_up.scope),
            Err(Refusal::Db(error)) => panic!("{error:?}"),
        }
    }

    enum Refusal {
        Db(DbError),
        UsedUp(UsedUp),
    }

    impl From<DbError> for Refusal {
        fn from(error: DbError) -> Self {
            Self::Db(error)
        }
    }

    #[tokio::test]
    async fn a_quota_is_counted_until_the_day_ends_in_china() {
        for test in databases(Arc::new(Forget)).await {
            let one = quotas("one", "operator.per_day = 2\nbureau.per_day = 3");
            let two = quotas("two", "operator.per_day = 2\nbureau.per_day = 3");
            let (eve, new_year) = ("2026-12-31T15:59:59.999999Z", "2026-12-31T16:00:00Z");
            let steps = [
                ("first", &one, eve, None),
                ("second", &one, eve, None),
                ("third of an operator", &one, eve, Some(Scope::Operator)),
                ("another operator", &two, eve, None),
                ("fourth of the bureau", &two, eve, Some(Scope::Bureau)),
                ("the next day, month and year", &two, new_year, None),
            ];
            for (step, quotas, at, expected) in steps {
                assert_eq!(
                    count(&test.db, quotas, at).await,
                    expected,
                    "{} {step}",
                    test.name
                );
            }
            let at: Timestamp = eve.parse().unwrap();
            let early = one.used_up(&test.db, at).await.unwrap().unwrap();
            assert_eq!(early.renews_at, new_year.parse().unwrap());
            // What the bureau's quota refused was not counted for the operator.
            let day = china_date(at);
            let bureau = "pboc".into();
            let used = used(&test.db, &bureau, Scope::Operator, "demo-bank/two", day)
                .await
                .unwrap();
            assert_eq!(used, 1, "{}", test.name);
        }
    }

    #[tokio::test]
    async fn many_at_once_never_pass_a_quota() {
        for test in databases(Arc::new(Forget)).await {
            let quotas = quotas("one", "institution.per_day = 7");
            let tasks: Vec<_> = (0..20)
                .map(|_| {
                    let (db, quotas) = (test.db.clone(), quotas.clone());
                    tokio::spawn(async move { count(&db, &quotas, "2026-01-01T00:00:00Z").await })
                })
                .collect();
            let mut counted = 0;
            for task in tasks {
                counted += usize::from(task.await.unwrap().is_none());
            }
            assert_eq!(counted, 7, "{}", test.name);
        }
    }

    #[tokio::test]
    async fn a_quota_of_none_lets_nothing_through() {
        for test in databases(Arc::new(Forget)).await {
            let none = quotas("one", "operator.per_day = 0");
            assert_eq!(
                count(&test.db, &none, "2026-01-01T00:00:00Z").await,
                Some(Scope::Operator)
            );
        }
    }
}
