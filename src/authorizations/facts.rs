//! From the database to the facts of a decision.
//!
//! Only the asking institution's papers are read: what a subject signed
//! elsewhere is none of its business, and neither is that it did.

use std::collections::HashMap;

use super::{
    AuthorizationError, Authorizations,
    model::{Evidence, Facts, Membership},
    store::{EVIDENCE, EvidenceRow, MEMBERSHIPS, MembershipRow, OF_SUBJECT, Row},
};
use crate::{
    args,
    bureaus::Licence,
    platform::{
        clock::from_micros,
        db::Tx,
        ids::{InstitutionId, SubjectId},
        vault::{SubjectKeys, VaultError},
    },
};

impl Authorizations {
    /// The facts as they stand, to answer early. Of nobody, or of an erased
    /// subject, there are none but the licences.
    ///
    /// # Errors
    ///
    /// See [`AuthorizationError`].
    pub async fn facts(
        &self,
        institution: &InstitutionId,
        subject: Option<&SubjectId>,
        licences: Vec<Licence>,
    ) -> Result<Facts, AuthorizationError> {
        let Some(subject) = subject else {
            return assemble(None, licences);
        };
        let args = args![institution, subject];
        // At once: none depends on another, and the dispatch reads all again.
        let (keys, rows, evidence, memberships) = tokio::try_join!(
            async { unless_erased(self.vault.keys_read(subject).await) },
            async { Ok(self.db.all(OF_SUBJECT, args.clone()).await?) },
            async { Ok(self.db.all(EVIDENCE, args.clone()).await?) },
            async { Ok(self.db.all(MEMBERSHIPS, args.clone()).await?) },
        )?;
        let papers = keys.map(|keys| Papers {
            rows,
            evidence,
            memberships,
            keys,
        });
        assemble(papers, licences)
    }

    /// The facts for the dispatch transaction: authorizations and memberships
    /// are held as they are until it ends, so that a withdrawal comes before
    /// and is seen, or waits until the inquiry is on its way.
    ///
    /// # Errors
    ///
    /// See [`AuthorizationError`].
    pub async fn facts_locked(
        &self,
        tx: &mut Tx<'_>,
        institution: &InstitutionId,
        subject: Option<&SubjectId>,
        licences: Vec<Licence>,
    ) -> Result<Facts, AuthorizationError> {
        let Some(subject) = subject else {
            return assemble(None, licences);
        };
        // Erasure takes this row first.
        let sql = "SELECT id FROM subjects WHERE id = $1";
        let _: Vec<(String,)> = tx.all_shared(sql, args![subject]).await?;
        let Some(keys) = unless_erased(self.vault.keys(tx, subject).await)? else {
            return assemble(None, licences);
        };
        let args = args![institution, subject];
        let papers = Papers {
            rows: tx.all_shared(OF_SUBJECT, args.clone()).await?,
            // Originals never change, so nothing needs to hold them.
            evidence: tx.all(EVIDENCE, args.clone()).await?,
            memberships: tx.all_shared(MEMBERSHIPS, args).await?,
            keys,
        };
        assemble(Some(papers), licences)
    }
}

/// What is stored about one subject at one institution.
struct Papers {
    rows: Vec<Row>,
    evidence: Vec<EvidenceRow>,
    memberships: Vec<MembershipRow>,
    keys: SubjectKeys,
}

fn assemble(papers: Option<Papers>, licences: Vec<Licence>) -> Result<Facts, AuthorizationError> {
    let Some(papers) = papers else {
        return Ok(Facts {
            licences,
            ..Facts::default()
        });
    };
    let keys = &papers.keys;
    let withdrawn = papers.rows.iter().filter_map(|row| row.withdrawn_at);
    let ended = papers.memberships.iter().filter_map(|row| row.ended_at);
    let as_of = withdrawn.chain(ended).max().map(from_micros);
    let judged: HashMap<&str, Evidence> = papers
        .evidence
        .iter()
        .map(|row| (row.id.as_str(), row.judge(keys)))
        .collect();
    let mut authorizations = Vec::with_capacity(papers.rows.len());
    for row in papers.rows {
        let original = row.evidence.as_deref().and_then(|id| judged.get(id));
        let evidence = original.copied().unwrap_or(Evidence::Missing);
        authorizations.push(row.read(Some(keys), evidence)?);
    }
    Ok(Facts {
        authorizations,
        memberships: papers
            .memberships
            .into_iter()
            .map(Membership::from)
            .collect(),
        licences,
        as_of,
    })
}

fn unless_erased(
    keys: Result<SubjectKeys, VaultError>,
) -> Result<Option<SubjectKeys>, AuthorizationError> {
    match keys {
        Ok(keys) => Ok(Some(keys)),
        Err(VaultError::Erased | VaultError::Unknown) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
