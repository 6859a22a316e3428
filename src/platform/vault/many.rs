//! Many subjects found or made in one transaction, in a few statements.

use std::collections::{BTreeMap, HashMap};

use sqlx::AssertSqlSafe;

use super::{
    Blind, SubjectKeys, Vault, VaultError,
    house::{self, Use, lock_shared},
    identity_place, keys_place, open_identity, unreadable,
};
use crate::{
    args,
    platform::{
        db::{Arg, Args, Db, Tx},
        identity::Identity,
        ids::SubjectId,
    },
};

/// How many subjects one statement asks for or makes.
const ASKED: usize = 500;

/// Subjects by canonical document, each with its keys and the identity that is
/// known.
type Found = HashMap<Vec<u8>, (SubjectId, SubjectKeys, Identity)>;

/// Whether a subject is known.
#[derive(Debug)]
pub enum Known {
    /// It is not, as far as could be seen outside a transaction.
    Not,
    /// Its document is, under another name.
    OtherName,
    /// It is.
    Subject(SubjectId, SubjectKeys),
}

/// Where subjects are looked for.
enum Reader<'r, 'c> {
    Db(&'r Db),
    Tx(&'r mut Tx<'c>),
}

/// New ones by canonical document: always in one order, so that two transactions
/// cannot wait for each other.
type Missing<'i> = BTreeMap<Vec<u8>, &'i Identity>;

impl Vault {
    /// Looks for the subjects with these documents outside any transaction, in
    /// their order. What is not found may have been made, or moved to another
    /// blind key, meanwhile: [`Vault::enroll_many`] tells.
    ///
    /// # Errors
    ///
    /// As [`Vault::enroll_many`].
    pub async fn known_many(&self, identities: &[Identity]) -> Result<Vec<Known>, VaultError> {
        let documents = identities.iter().map(|it| (canonical(it), it));
        let mut missing: Missing<'_> = documents.collect();
        let mut found = Found::with_capacity(missing.len());
        let blind = self.blind().await?;
        let mut reader = Reader::Db(&self.0.db);
        self.look(&mut reader, &blind, &mut missing, &mut found)
            .await?;
        let known = |it: &Identity| match found.get(&canonical(it)) {
            None => Known::Not,
            Some((_, _, known)) if known != it => Known::OtherName,
            Some((id, keys, _)) => Known::Subject(id.clone(), keys.clone()),
        };
        Ok(identities.iter().map(known).collect())
    }

    /// Finds the subjects with these documents, or makes them: as
    /// [`Vault::enroll`] of each, in their order. One that is known under another
    /// name is [`VaultError::OtherName`] in its place.
    ///
    /// # Errors
    ///
    /// Those of the database, and of subjects that cannot be read.
    pub async fn enroll_many(
        &self,
        tx: &mut Tx<'_>,
        identities: &[Identity],
    ) -> Result<Vec<Result<SubjectId, VaultError>>, VaultError> {
        let mut missing = Missing::new();
        for it in identities {
            // Of two names for one document the first counts, as it would alone.
            missing.entry(canonical(it)).or_insert(it);
        }
        let mut found = Found::with_capacity(missing.len());
        let blind = Blind::new(self.house_unwrap(&house::rows(tx, Use::Blind).await?)?);
        self.look(&mut Reader::Tx(tx), &blind, &mut missing, &mut found)
            .await?;
        if !missing.is_empty() {
            // From here on no rotation can begin; what came before is visible.
            lock_shared(tx).await?;
            let blind = Blind::new(self.house_unwrap(&house::rows(tx, Use::Blind).await?)?);
            self.look(&mut Reader::Tx(tx), &blind, &mut missing, &mut found)
                .await?;
            self.make(tx, &blind, &missing).await?;
            // Of those that another transaction made first, and has committed
            // by now, it tells the names.
            self.look(&mut Reader::Tx(tx), &blind, &mut missing, &mut found)
                .await?;
        }
        let enrolled = |it: &Identity| {
            let (id, _, known) = found.get(&canonical(it)).ok_or(VaultError::Unknown)?;
            if known == it {
                Ok(id.clone())
            } else {
                Err(VaultError::OtherName)
            }
        };
        Ok(identities.iter().map(enrolled).collect())
    }

    /// Moves those that are known from `missing` to `found`.
    async fn look(
        &self,
        reader: &mut Reader<'_, '_>,
        blind: &Blind,
        missing: &mut Missing<'_>,
        found: &mut Found,
    ) -> Result<(), VaultError> {
        let mut by_digest: HashMap<Vec<u8>, &Vec<u8>> = HashMap::new();
        for document in missing.keys() {
            by_digest.extend(blind.all(document).map(|it| (it.to_vec(), document)));
        }
        let digests: Vec<&Vec<u8>> = by_digest.keys().collect();
        let mut seen: Found = HashMap::new();
        for some in digests.chunks(ASKED) {
            let holes: Vec<String> = (1..=some.len()).map(|n| format!("${n}")).collect();
            let sql = format!(
                "SELECT id, blind, keys, identity FROM subjects WHERE blind IN ({})",
                holes.join(", ")
            );
            let args = Args(some.iter().map(|it| Arg::from(it.as_slice())).collect());
            type Row = (SubjectId, Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>);
            let rows: Vec<Row> = match reader {
                Reader::Db(db) => db.many(AssertSqlSafe(sql), args).await?,
                Reader::Tx(tx) => tx.all(AssertSqlSafe(sql), args).await?,
            };
            for (id, digest, wrapped, sealed) in rows {
                let keys = self.unwrap_subject(&id, Some(wrapped))?;
                let identity = open_identity(&id, &keys, sealed)?;
                if let Some(document) = by_digest.get(&digest) {
                    seen.insert((*document).clone(), (id, keys, identity));
                }
            }
        }
        missing.retain(|document, _| !seen.contains_key(document));
        found.extend(seen);
        Ok(())
    }

    /// Makes them, but for those that another transaction makes meanwhile.
    async fn make(
        &self,
        tx: &mut Tx<'_>,
        blind: &Blind,
        missing: &Missing<'_>,
    ) -> Result<(), VaultError> {
        const COLUMNS: usize = 8;
        let masters = self.0.masters.load_full();
        let new: Vec<_> = missing.iter().collect();
        for some in new.chunks(ASKED) {
            let mut args = Args::default();
            let mut rows = Vec::with_capacity(some.len());
            for (n, (document, identity)) in some.iter().enumerate() {
                let id = SubjectId::new();
                let own = SubjectKeys::random(self.0.cipher)?;
                let place = keys_place(id.as_str());
                let wrapped = masters.wrap(self.0.cipher, &place, &own.to_bytes()[..])?;
                let sealed = own.seal(&identity_place(id.as_str()), &identity.to_bytes())?;
                let (blind_key, digest) = blind
                    .newest(document)
                    .ok_or_else(|| unreadable("vault_keys", "blind"))?;
                let row = args![
                    &id,
                    identity.kind().as_str(),
                    digest,
                    blind_key,
                    wrapped,
                    i64::from(masters.current()),
                    sealed,
                    self.0.clock.now()
                ];
                args.0.extend(row.0);
                let first = n * COLUMNS + 1;
                let holes: Vec<String> =
                    (first..first + COLUMNS).map(|n| format!("${n}")).collect();
                rows.push(format!("({})", holes.join(", ")));
            }
            let sql = format!(
                "INSERT INTO subjects \
                 (id, kind, blind, blind_key, keys, master_version, identity, made_at) \
                 VALUES {} ON CONFLICT (blind) DO NOTHING",
                rows.join(", ")
            );
            tx.execute(AssertSqlSafe(sql), args).await?;
        }
        Ok(())
    }
}

fn canonical(identity: &Identity) -> Vec<u8> {
    identity.document().canonical().to_vec()
}
