//! Who reports where, under which code and by which way; every change is an
//! entry of the audit log.

use jiff::Timestamp;
use sqlx::FromRow;

use crate::{
    args,
    audit::{Draft, Kind},
    platform::{
        config::bureau::{BureauConfig, FileTransport, SealConfig, Transport},
        db::{Db, DbError, Tx, Urgency},
        digest::sha256,
    },
};

const REGISTERED: Kind = Kind::new("submission_way.registered");
const REMOVED: Kind = Kind::new("submission_way.removed");

/// Makes the table what configuration says, with an entry for each way that is
/// new, changed or gone.
///
/// # Errors
///
/// Those of the database; then nothing has changed.
pub(in crate::bureaus) async fn load(
    db: &Db,
    bureaus: &[BureauConfig],
    at: Timestamp,
) -> Result<(), DbError> {
    let wanted: Vec<Row> = bureaus.iter().flat_map(rows).collect();
    db.write(Urgency::Urgent, move |tx| {
        Box::pin(async move {
            let stored: Vec<Row> = tx.all("SELECT * FROM submission_ways", args![]).await?;
            for old in &stored {
                if !wanted.iter().any(|row| row.is_of(old)) {
                    old.remove(tx).await?;
                    old.append(tx, REMOVED, at)?;
                }
            }
            for row in wanted {
                if !stored.contains(&row) {
                    row.remove(tx).await?;
                    row.insert(tx, at).await?;
                    row.append(tx, REGISTERED, at)?;
                }
            }
            Ok(())
        })
    })
    .await
}

/// A way as the table keeps it.
#[derive(Debug, Eq, FromRow, PartialEq)]
struct Row {
    bureau: String,
    institution: String,
    organization_code: String,
    way: String,
    protection: String,
    sealed_by: String,
    exception_reason: Option<String>,
    exception_owner: Option<String>,
    exception_until: Option<String>,
}

/// A row for each institution that reports to a bureau.
fn rows(bureau: &BureauConfig) -> Vec<Row> {
    let Some(submission) = &bureau.submission else {
        return Vec::new();
    };
    let (way, protection) = match &submission.transport {
        FileTransport::Exchange { .. } => ("exchange", None),
        FileTransport::Https { protection, .. } => {
            let protection = protection.as_ref().unwrap_or(&bureau.transport);
            ("https", Some(protection))
        }
    };
    let exception = match protection {
        Some(Transport::PlainInVpn {
            reason,
            owner,
            until,
        }) => Some((reason, owner, until)),
        _ => None,
    };
    (submission.members.iter())
        .map(|member| Row {
            bureau: bureau.id.clone(),
            institution: member.institution.clone(),
            organization_code: member.organization_code.clone(),
            way: way.to_owned(),
            protection: protection.map_or("folders", Transport::name).to_owned(),
            sealed_by: match member.seal {
                SealConfig::Command { .. } => "key_command",
                SealConfig::Component { .. } => "component",
                SealConfig::File { .. } => "key_file",
            }
            .to_owned(),
            exception_reason: exception.map(|(reason, ..)| reason.clone()),
            exception_owner: exception.map(|(_, owner, _)| owner.clone()),
            exception_until: exception.map(|(.., until)| until.to_string()),
        })
        .collect()
}

impl Row {
    fn is_of(&self, other: &Self) -> bool {
        self.bureau == other.bureau && self.institution == other.institution
    }

    async fn remove(&self, tx: &mut Tx<'_>) -> Result<(), DbError> {
        tx.execute(
            "DELETE FROM submission_ways WHERE bureau = $1 AND institution = $2",
            args![&self.bureau, &self.institution],
        )
        .await?;
        Ok(())
    }

    async fn insert(&self, tx: &mut Tx<'_>, at: Timestamp) -> Result<(), DbError> {
        tx.execute(
            "INSERT INTO submission_ways (bureau, institution, organization_code, way, \
             protection, sealed_by, exception_reason, exception_owner, exception_until, \
             changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            args![
                &self.bureau,
                &self.institution,
                &self.organization_code,
                &self.way,
                &self.protection,
                &self.sealed_by,
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
        let mut draft = Draft::new(kind, &self.institution, at)
            .actor("configuration")
            .word("bureau", &self.bureau)
            .word("organization_code", &self.organization_code)
            .word("way", &self.way)
            .word("protection", &self.protection)
            .word("sealed_by", &self.sealed_by);
        if let Some(day) = &self.exception_until {
            draft = draft.word("exception_until", day);
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

    use super::*;
    use crate::{
        platform::{
            config::bureau::{ReporterConfig, SubmissionConfig, tests::plain},
            db::{BoxFuture, NewEntry, Sealer},
        },
        testing::databases,
    };

    /// A sealer that keeps the bodies of entries.
    #[derive(Default)]
    struct Kept(Mutex<Vec<String>>);

    impl Sealer for Kept {
        fn seal<'t>(
            &'t self,
            _: &'t mut Tx<'_>,
            entries: Vec<NewEntry>,
        ) -> BoxFuture<'t, Result<(), DbError>> {
            let bodies = entries
                .into_iter()
                .map(|entry| String::from_utf8(entry.body).unwrap());
            self.0.lock().unwrap().extend(bodies);
            Box::pin(async { Ok(()) })
        }
    }

    #[tokio::test]
    async fn every_change_of_a_way_is_an_entry_and_only_a_change() {
        let kept = Arc::new(Kept::default());
        for test in databases(Arc::<Kept>::clone(&kept)).await {
            let load = async |bureau: &BureauConfig| {
                let bureaus = [bureau.clone()];
                load(&test.db, &bureaus, Timestamp::UNIX_EPOCH)
                    .await
                    .unwrap();
                std::mem::take(&mut *kept.0.lock().unwrap())
            };
            let mut bureau = plain();
            assert!(load(&bureau).await.is_empty(), "{}", test.name);
            bureau.submission = Some(SubmissionConfig {
                transport: FileTransport::Https {
                    address: None,
                    base_path: String::new(),
                    protection: None,
                },
                transfer_seconds: 1,
                members: ["demo-bank", "demo-platform"]
                    .map(|institution| ReporterConfig {
                        institution: institution.to_owned(),
                        organization_code: "T99999999H0001".to_owned(),
                        profile: None,
                        seal: SealConfig::File { file: "x".into() },
                    })
                    .into(),
            });
            let entries = load(&bureau).await;
            assert_eq!(entries.len(), 2, "{}", test.name);
            for word in ["T99999999H0001", "plain_in_vpn", "key_file", "2030-01-01"] {
                assert!(entries[0].contains(word), "{word}: {}", entries[0]);
            }
            assert!(load(&bureau).await.is_empty(), "{}", test.name);
            if let Some(submission) = &mut bureau.submission {
                let command = Vec::new();
                submission.members[1].seal = SealConfig::Command { command };
            }
            let entries = load(&bureau).await;
            assert_eq!(entries.len(), 1, "{}", test.name);
            assert!(entries[0].contains("key_command"), "{}", entries[0]);
            bureau.submission = None;
            let entries = load(&bureau).await;
            assert_eq!(entries.len(), 2, "{}", test.name);
            assert!(entries[0].contains("submission_way.removed"));
        }
    }
}
