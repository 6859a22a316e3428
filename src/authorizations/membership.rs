//! Memberships of subjects, and the policy texts that they sign.

use jiff::{Timestamp, civil::Date};

use super::{
    AuthorizationError, Authorizations,
    model::PolicyVersion,
    service::{KEEPERS, append, draft, word},
};
use crate::{
    args,
    audit::{Kind, SubjectTag},
    operators::{Caller, Role},
    platform::{db::Urgency, identity::Identity, ids::SubjectId},
};

const MEMBERSHIP_ENDED: Kind = Kind::new("membership.ended");
const MEMBERSHIP_RECORDED: Kind = Kind::new("membership.recorded");
const POLICY_RECORDED: Kind = Kind::new("policy.recorded");

/// A version of a policy text, to be recorded.
#[derive(Clone, Debug)]
pub struct NewPolicyVersion {
    /// Policy and version, as forms name them.
    pub version: PolicyVersion,
    /// SHA-256 of the text.
    pub text_sha256: [u8; 32],
    /// The first day on which it is signed.
    pub first_day: Date,
    /// Whether subjects must sign anew because of it.
    pub material: bool,
}

impl Authorizations {
    /// Records a version of a policy of the caller's institution. False where
    /// it is recorded already.
    ///
    /// # Errors
    ///
    /// [`AuthorizationError::Conflict`]: a version never changes.
    pub async fn record_policy_version(
        &self,
        by: &Caller,
        new: NewPolicyVersion,
        now: Timestamp,
    ) -> Result<bool, AuthorizationError> {
        const ROLES: &[Role] = &[Role::Compliance];
        word("policy", new.version.policy.as_str())?;
        word("version", &new.version.version)?;
        self.change(by, ROLES, Urgency::Urgent, now, move |tx, by, _| {
            Box::pin(async move {
                let PolicyVersion { policy, version } = &new.version;
                let made = tx
                    .execute(
                        "INSERT INTO policy_versions (institution, policy, version, \
                         text_sha256, first_day, material, recorded_at) \
                         VALUES ($1, $2, $3, $4, $5, $6, $7) \
                         ON CONFLICT (institution, policy, version) DO NOTHING",
                        args![
                            &by.institution,
                            policy,
                            version,
                            new.text_sha256,
                            new.first_day.to_string(),
                            new.material,
                            now
                        ],
                    )
                    .await?;
                if made == 1 {
                    let entry = draft(POLICY_RECORDED, by, now)
                        .word("policy", policy)
                        .word("version", version)
                        .word("first_day", new.first_day)
                        .digest("text", &new.text_sha256)
                        .flag("material", new.material);
                    append(tx, entry)?;
                    return Ok(true);
                }
                let stored: Option<(Vec<u8>, String, bool)> = tx
                    .first(
                        "SELECT text_sha256, first_day, material FROM policy_versions \
                         WHERE institution = $1 AND policy = $2 AND version = $3",
                        args![&by.institution, policy, version],
                    )
                    .await?;
                let same = (
                    new.text_sha256.to_vec(),
                    new.first_day.to_string(),
                    new.material,
                );
                if stored == Some(same) {
                    Ok(false)
                } else {
                    Err(AuthorizationError::Conflict("policy version"))
                }
            })
        })
        .await
    }

    /// Records that a subject is a member of the caller's institution since
    /// `from`. False where it is one already, since whenever.
    ///
    /// # Errors
    ///
    /// See [`AuthorizationError`].
    pub async fn record_membership(
        &self,
        by: &Caller,
        who: &Identity,
        from: Timestamp,
        now: Timestamp,
    ) -> Result<bool, AuthorizationError> {
        let known = self.vault.find(who).await?;
        let who = who.clone();
        self.change(by, KEEPERS, Urgency::Urgent, now, move |tx, by, vault| {
            Box::pin(async move {
                let subject = match known {
                    Some(subject) => subject,
                    None => vault.enroll(tx, &who).await?,
                };
                let id = uuid::Uuid::now_v7().to_string();
                let made = tx
                    .execute(
                        "INSERT INTO memberships (id, institution, subject, starts) \
                         VALUES ($1, $2, $3, $4) \
                         ON CONFLICT (subject, institution) WHERE ends IS NULL DO NOTHING",
                        args![&id, &by.institution, &subject, from],
                    )
                    .await?;
                if made == 0 {
                    return Ok(false);
                }
                let keys = vault.keys(tx, &subject).await?;
                let entry = draft(MEMBERSHIP_RECORDED, by, now)
                    .about(&id)
                    .subject(&SubjectTag::of(&keys, &who))
                    .time("from", from);
                append(tx, entry)?;
                Ok(true)
            })
        })
        .await
    }

    /// Ends the open membership of a subject: `until` is the first moment after
    /// it. False where there is none.
    ///
    /// # Errors
    ///
    /// See [`AuthorizationError`].
    pub async fn end_membership(
        &self,
        by: &Caller,
        who: &Identity,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, AuthorizationError> {
        let Some(subject): Option<SubjectId> = self.vault.find(who).await? else {
            return Ok(false);
        };
        let who = who.clone();
        self.change(by, KEEPERS, Urgency::Urgent, now, move |tx, by, vault| {
            Box::pin(async move {
                let open: Option<(String,)> = tx
                    .first_locked(
                        "SELECT id FROM memberships \
                         WHERE institution = $1 AND subject = $2 AND ends IS NULL",
                        args![&by.institution, &subject],
                    )
                    .await?;
                let Some((id,)) = open else {
                    return Ok(false);
                };
                tx.execute(
                    "UPDATE memberships SET ends = $2, ended_at = $3 WHERE id = $1",
                    args![&id, until, now],
                )
                .await?;
                let keys = vault.keys(tx, &subject).await?;
                let entry = draft(MEMBERSHIP_ENDED, by, now)
                    .about(&id)
                    .subject(&SubjectTag::of(&keys, &who))
                    .time("until", until);
                append(tx, entry)?;
                Ok(true)
            })
        })
        .await
    }
}
