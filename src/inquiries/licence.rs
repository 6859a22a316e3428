//! The registry of bureaus, as a fact of the decision (QR-06).

use crate::{
    authorizations::{Licence, LicenceKind},
    bureaus,
    platform::{
        config::bureau,
        db::{Db, DbError, Tx},
        ids::BureauId,
    },
};

/// What the registry says of a bureau.
pub(super) async fn read(db: &Db, bureau: &BureauId) -> Result<Vec<Licence>, DbError> {
    let licence = bureaus::licence_read(db, bureau).await?;
    Ok(licence
        .map(|licence| fact(bureau, licence))
        .into_iter()
        .collect())
}

/// What the registry says of bureaus: for an explanation.
///
/// # Errors
///
/// Those of the database.
pub async fn read_all(db: &Db, bureaus: &[BureauId]) -> Result<Vec<Licence>, DbError> {
    let mut all = Vec::new();
    for bureau in bureaus {
        all.extend(read(db, bureau).await?);
    }
    Ok(all)
}

/// What the registry says of a bureau, inside a transaction.
pub(super) async fn read_in(tx: &mut Tx<'_>, bureau: &BureauId) -> Result<Vec<Licence>, DbError> {
    let licence = bureaus::licence(tx, bureau).await?;
    Ok(licence
        .map(|licence| fact(bureau, licence))
        .into_iter()
        .collect())
}

fn fact(bureau: &BureauId, licence: bureaus::Licence) -> Licence {
    Licence {
        bureau: bureau.clone(),
        kind: match licence.kind {
            bureau::LicenceKind::EnterpriseFiling => LicenceKind::EnterpriseFiling,
            bureau::LicenceKind::PersonalLicence => LicenceKind::PersonalLicence,
            bureau::LicenceKind::Statutory => LicenceKind::NationalDatabase,
        },
        from: licence.valid_from,
        until: licence.valid_until,
        revoked: licence.revoked_on,
    }
}
