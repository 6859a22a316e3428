//! Under which title each bureau does credit reporting, and how the way to it
//! is protected; every change of either is an entry of the audit log.

use jiff::{Timestamp, civil::Date};
use sqlx::FromRow;

use crate::{
    args,
    audit::{Draft, Kind},
    platform::{
        config::bureau::{BureauConfig, LicenceKind, Transport},
        db::{Db, DbError, Tx, Urgency},
        digest::sha256,
        ids::BureauId,
    },
};

/// A bureau's title (征信业务管理办法 Art. 5; QR-06).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Licence {
    /// Whose it is.
    pub bureau: BureauId,
    /// The kind of title.
    pub kind: LicenceKind,
    /// The first day of its validity at +08:00; so are all days here.
    pub from: Date,
    /// The last day, if it has one.
    pub until: Option<Date>,
    /// The day from which it is revoked.
    pub revoked: Option<Date>,
}

impl Licence {
    /// Whether it is valid on a day.
    #[must_use]
    pub fn is_valid_on(&self, day: Date) -> bool {
        self.from <= day
            && self.until.is_none_or(|last| day <= last)
            && self.revoked.is_none_or(|revoked| day < revoked)
    }
}

/// The title of a bureau, read inside a transaction that decides about it.
/// `None` where there is no such bureau, or where what stands there cannot be
/// read: both mean that it must not be asked.
///
/// # Errors
///
/// Those of the database.
pub async fn licence(tx: &mut Tx<'_>, bureau: &BureauId) -> Result<Option<Licence>, DbError> {
    let row: Option<Row> = tx
        .first("SELECT * FROM bureaus WHERE bureau = $1", args![bureau])
        .await?;
    Ok(row.and_then(|row| row.licence()))
}

/// The titles of all bureaus, outside any transaction: to answer early, or to
/// explain. One that cannot be read is left out.
///
/// # Errors
///
/// Those of the database.
pub async fn licences(db: &Db) -> Result<Vec<Licence>, DbError> {
    let rows: Vec<Row> = db
        .all("SELECT * FROM bureaus ORDER BY bureau", args![])
        .await?;
    Ok(rows.iter().filter_map(Row::licence).collect())
}

/// Makes the registry what configuration says, with an entry for each bureau
/// that is new, changed or gone.
///
/// # Errors
///
/// Those of the database; then nothing has changed.
pub async fn load(db: &Db, bureaus: &[BureauConfig], at: Timestamp) -> Result<(), DbError> {
    let wanted: Vec<Row> = bureaus.iter().map(Row::from).collect();
    db.write(Urgency::Urgent, move |tx| {
        Box::pin(async move {
            let stored: Vec<Row> = tx.all("SELECT * FROM bureaus", args![]).await?;
            for old in &stored {
                if !wanted.iter().any(|row| row.bureau == old.bureau) {
                    tx.execute("DELETE FROM bureaus WHERE bureau = $1", args![&old.bureau])
                        .await?;
                    old.append(tx, REMOVED, at)?;
                }
            }
            for row in wanted {
                if !stored.contains(&row) {
                    row.put(tx, at).await?;
                    row.append(tx, REGISTERED, at)?;
                }
            }
            Ok(())
        })
    })
    .await
}

const REGISTERED: Kind = Kind::new("bureau.registered");
const REMOVED: Kind = Kind::new("bureau.removed");

/// A bureau as the table keeps it.
#[derive(Debug, Eq, FromRow, PartialEq)]
struct Row {
    bureau: String,
    licence_kind: String,
    licence_number: String,
    valid_from: String,
    valid_until: Option<String>,
    revoked_on: Option<String>,
    transport: String,
    exception_reason: Option<String>,
    exception_owner: Option<String>,
    exception_until: Option<String>,
}

impl From<&BureauConfig> for Row {
    fn from(bureau: &BureauConfig) -> Self {
        let day = |day: Option<Date>| day.map(|day| day.to_string());
        let exception = match &bureau.transport {
            Transport::PlainInVpn {
                reason,
                owner,
                until,
            } => Some((reason, owner, until)),
            Transport::Mtls { .. } | Transport::Tls { .. } => None,
        };
        let licence = &bureau.licence;
        Self {
            bureau: bureau.id.clone(),
            licence_kind: licence.kind.name().to_owned(),
            licence_number: licence.number.clone(),
            valid_from: licence.valid_from.to_string(),
            valid_until: day(licence.valid_until),
            revoked_on: day(licence.revoked_on),
            transport: bureau.transport.name().to_owned(),
            exception_reason: exception.map(|(reason, ..)| reason.clone()),
            exception_owner: exception.map(|(_, owner, _)| owner.clone()),
            exception_until: exception.map(|(.., until)| until.to_string()),
        }
    }
}

impl Row {
    fn licence(&self) -> Option<Licence> {
        let day = |day: &Option<String>| day.as_ref().map(|day| day.parse()).transpose().ok();
        Some(Licence {
            bureau: self.bureau.as_str().into(),
            kind: LicenceKind::named(&self.licence_kind)?,
            from: self.valid_from.parse().ok()?,
            until: day(&self.valid_until)?,
            revoked: day(&self.revoked_on)?,
        })
    }

    async fn put(&self, tx: &mut Tx<'_>, at: Timestamp) -> Result<(), DbError> {
        tx.execute("DELETE FROM bureaus WHERE bureau = $1", args![&self.bureau])
            .await?;
        tx.execute(
            "INSERT INTO bureaus (bureau, licence_kind, licence_number, valid_from, valid_until, \
             revoked_on, transport, exception_reason, exception_owner, exception_until, \
             changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            args![
                &self.bureau,
                &self.licence_kind,
                &self.licence_number,
                &self.valid_from,
                self.valid_until.clone(),
                self.revoked_on.clone(),
                &self.transport,
                self.exception_reason.clone(),
                self.exception_owner.clone(),
                self.exception_until.clone(),
                at,
            ],
        )
        .await?;
        Ok(())
    }

    /// Free text stands in the table only; the entry binds it by its digest.
    fn append(&self, tx: &mut Tx<'_>, kind: Kind, at: Timestamp) -> Result<(), DbError> {
        let mut draft = Draft::new(kind, "gateway", at)
            .actor("configuration")
            .word("bureau", &self.bureau)
            .word("licence_kind", &self.licence_kind)
            .digest(
                "licence_number_sha256",
                &sha256(self.licence_number.as_bytes()),
            )
            .word("valid_from", &self.valid_from)
            .word("transport", &self.transport);
        for (name, day) in [
            ("valid_until", &self.valid_until),
            ("revoked_on", &self.revoked_on),
            ("exception_until", &self.exception_until),
        ] {
            if let Some(day) = day {
                draft = draft.word(name, day);
            }
        }
        for (name, text) in [
            ("exception_reason_sha256", &self.exception_reason),
            ("exception_owner_sha256", &self.exception_owner),
        ] {
            if let Some(text) = text {
                draft = draft.digest(name, &sha256(text.as_bytes()));
            }
        }
        let entry = draft
            .finish()
            .map_err(|error| DbError::Refused(error.to_string()))?;
        tx.append(entry.into());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use jiff::civil::date;

    use super::*;
    use crate::{
        platform::{
            config::bureau::tests::plain,
            db::{BoxFuture, NewEntry, Sealer},
        },
        testing::databases,
    };

    /// A sealer that keeps the bodies of entries.
    #[derive(Default)]
    struct Keep(Mutex<Vec<String>>);

    impl Sealer for Keep {
        fn seal<'t>(
            &'t self,
            _: &'t mut Tx<'_>,
            entries: Vec<NewEntry>,
        ) -> BoxFuture<'t, Result<(), DbError>> {
            let bodies = entries
                .into_iter()
                .map(|e| String::from_utf8(e.body).unwrap());
            self.0.lock().unwrap().extend(bodies);
            Box::pin(async { Ok(()) })
        }
    }

    async fn stored(db: &Db) -> Option<Licence> {
        db.write(Urgency::Urgent, |tx| {
            Box::pin(async move { licence(tx, &"pboc".into()).await })
        })
        .await
        .unwrap()
    }

    #[tokio::test]
    async fn every_change_of_a_bureau_is_an_entry_and_only_a_change() {
        let keep = Arc::new(Keep::default());
        for test in databases(Arc::<Keep>::clone(&keep)).await {
            let at = Timestamp::UNIX_EPOCH;
            let mut bureau = plain();
            let load = async |bureaus: &[BureauConfig]| {
                load(&test.db, bureaus, at).await.unwrap();
                std::mem::take(&mut *keep.0.lock().unwrap())
            };
            let entries = load(&[bureau.clone()]).await;
            assert_eq!(entries.len(), 1, "{}", test.name);
            assert!(entries[0].contains("bureau.registered"));
            assert!(entries[0].contains("plain_in_vpn"));
            assert!(load(&[bureau.clone()]).await.is_empty(), "{}", test.name);
            assert_eq!(stored(&test.db).await.unwrap().revoked, None);
            bureau.licence.revoked_on = Some(date(2026, 3, 1));
            assert_eq!(load(&[bureau]).await.len(), 1, "{}", test.name);
            assert_eq!(
                stored(&test.db).await.unwrap().revoked,
                Some(date(2026, 3, 1))
            );
            assert!(
                load(&[]).await[0].contains("bureau.removed"),
                "{}",
                test.name
            );
            assert_eq!(stored(&test.db).await, None, "{}", test.name);
        }
    }

    #[test]
    fn a_licence_is_valid_from_its_first_to_its_last_day_unless_revoked() {
        let licence = Licence {
            bureau: "market".into(),
            kind: LicenceKind::PersonalLicence,
            from: date(2026, 1, 1),
            until: Some(date(2026, 12, 31)),
            revoked: None,
        };
        let revoked = Licence {
            revoked: Some(date(2026, 3, 1)),
            ..licence.clone()
        };
        for (case, licence, day, valid) in [
            ("before", &licence, date(2025, 12, 31), false),
            ("first day", &licence, date(2026, 1, 1), true),
            ("last day", &licence, date(2026, 12, 31), true),
            ("after", &licence, date(2027, 1, 1), false),
            ("before its revocation", &revoked, date(2026, 2, 28), true),
            ("revoked", &revoked, date(2026, 3, 1), false),
        ] {
            assert_eq!(licence.is_valid_on(day), valid, "{case}");
        }
    }
}
