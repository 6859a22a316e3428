//! Changes of the password that an institution's messages carry (L101 at the
//! PBOC), and the alarm before one runs out.
//!
//! # Promise
//!
//! The intent is durable before the message leaves, the fate after it. A change
//! whose answer was lost is `unknown`: the one or the other password may hold,
//! nothing is taken up, and it shows until the next change. The passwords stand
//! in two files of their owner and in no row, entry or log.
//!
//! # What is not here
//!
//! The bureau's rule how long a password holds: configuration says it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use contract::{Failure, PasswordChange, PasswordError, PasswordOutcome, Step};
use jiff::{ToSpan as _, civil::Date};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use sqlx::FromRow;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::{
    Line, Lines,
    credentials::Member,
    dispatch::{MOST_STEPS, Run},
};
use crate::{
    args,
    audit::{Draft, Kind},
    platform::{
        clock::{china_date, from_micros},
        db::{DbError, Urgency},
        ids::{BureauId, InstitutionId},
        secret::{SecretError, SecretSource},
    },
};

/// From so many days before its end on, a password is warned of.
const WARN_DAYS: i64 = 14;

/// How long after the intent the message may still begin to leave.
const VALID: Duration = Duration::from_secs(5);

/// A change of password is about to be sent.
const SENT: Kind = Kind::new("bureau.password_change_sent");

/// What became of it.
const ENDED: Kind = Kind::new("bureau.password_change_ended");

/// What became of a change of password.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PasswordFate {
    /// The new one holds.
    Changed,
    /// On its way, or the gateway went down meanwhile.
    Sent,
    /// The old one holds.
    Unchanged,
    /// The one or the other holds; the bureau must be asked.
    Unknown,
}

impl PasswordFate {
    fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Sent => "sent",
            Self::Unchanged => "unchanged",
            Self::Unknown => "unknown",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Changed, Self::Sent, Self::Unchanged, Self::Unknown]
            .into_iter()
            .find(|fate| fate.name() == name)
    }
}

/// What came of a change.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ChangedPassword {
    /// Which password holds.
    pub fate: PasswordFate,
    /// The bureau's result code, or the cause on the way.
    pub code: String,
    /// The new password stands in the file of the old one. Where it does not
    /// after a change, it must be put there by hand before the next start.
    pub in_place: bool,
    /// What to do now, Chinese then English; empty where nothing is.
    pub to_do: [String; 2],
}

/// How an institution's password at a bureau stands.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, ToSchema)]
pub struct PasswordStatus {
    /// What became of the last change by this gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fate: Option<PasswordFate>,
    /// The day at +08:00 on which it was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_on: Option<String>,
    /// Whole days until it ends; negative when it is past. Absent where
    /// configuration does not say how long one holds, or since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_left: Option<i64>,
}

/// Why a password was not changed; nothing was sent, unless a variant says so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordChangeError {
    /// The dialect or the fields of the message.
    #[error(transparent)]
    Adapter(#[from] PasswordError),
    /// The database's error. Where the fate could not be written, a change is
    /// shown as sent.
    #[error(transparent)]
    Db(#[from] DbError),
    /// `password` and `next_password` are not both files.
    #[error("the member needs password = {{ file = … }} and next_password = …")]
    Files,
    /// The institution has no credentials there.
    #[error("the institution is no member of this bureau")]
    NoMember,
    /// Another start of the server owns the database by now.
    #[error("this server no longer owns the database")]
    Ownership,
    /// The file of the new password.
    #[error("the new password")]
    Secret(#[from] SecretError),
    /// The institution has sent as many messages today as can be numbered.
    #[error("no serial number is left for today")]
    Serials,
}

impl PasswordChangeError {
    /// Stable code, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Adapter(PasswordError::Unsupported) => "not_supported",
            Self::Adapter(_) => "password_unfit",
            Self::Db(_) => "internal",
            Self::Files => "next_password_not_configured",
            Self::NoMember => "no_member",
            Self::Ownership => "ownership_lost",
            Self::Secret(_) => "next_password_unreadable",
            Self::Serials => "no_serial",
        }
    }
}

impl Lines {
    /// Changes the password of an institution at a bureau to the one in its
    /// file `next_password`. `actor` stands in the entries.
    ///
    /// # Errors
    ///
    /// See [`PasswordChangeError`].
    pub async fn change_password(
        &self,
        bureau: &BureauId,
        institution: &InstitutionId,
        actor: &str,
    ) -> Result<ChangedPassword, PasswordChangeError> {
        let line = self.line(bureau).ok_or(PasswordChangeError::NoMember)?;
        let (line, institution) = (Arc::clone(line), institution.clone());
        let actor = actor.to_owned();
        // A client that goes away cuts nothing: what was sent is kept.
        let change = async move { line.change_password(institution, actor).await };
        match tokio::spawn(change).await {
            Ok(changed) => changed,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
}

impl Line {
    async fn change_password(
        self: Arc<Self>,
        institution: InstitutionId,
        actor: String,
    ) -> Result<ChangedPassword, PasswordChangeError> {
        let member = self.members.get(&institution);
        let member = member.ok_or(PasswordChangeError::NoMember)?;
        let files = member.files.clone().ok_or(PasswordChangeError::Files)?;
        let _one = member.changing.lock().await;
        let next = read(&files.1).await?;
        let at = self.clock.now();
        let serial = self.serials.next(&self.db, &institution, at).await?;
        let credentials = member.credentials("");
        let conversation = self.adapter.change_password(PasswordChange {
            institution_code: credentials.institution_code,
            user: credentials.user,
            old: credentials.password.expose_secret().to_owned().into(),
            new: next.expose_secret().to_owned().into(),
            serial: serial.ok_or(PasswordChangeError::Serials)?,
            at,
        })?;
        self.note(&institution, PasswordFate::Sent, None, &actor)
            .await?;
        let valid_until = Instant::now() + VALID;
        let mut run = Run::new(Arc::clone(&self), institution.clone(), valid_until);
        let outcome = carry(&mut run, conversation).await;
        let (fate, code, to_do) = judge(outcome, run.lost());
        let in_place = fate == PasswordFate::Changed && self.take_up(member, next, files).await;
        self.note(&institution, fate, Some(&code), &actor).await?;
        Ok(ChangedPassword {
            fate,
            code,
            in_place,
            to_do,
        })
    }

    /// Takes up the new password, in memory and in its file; tells of the file.
    async fn take_up(
        &self,
        member: &Member,
        next: SecretString,
        files: (PathBuf, PathBuf),
    ) -> bool {
        member.take_up(next);
        let renamed = tokio::task::spawn_blocking(move || std::fs::rename(files.1, files.0)).await;
        let moved = matches!(renamed, Ok(Ok(())));
        if !moved {
            tracing::error!(
                bureau.name = %self.id,
                "the new password holds and could not be put into the file of the old one; \
                 do it by hand before the next start"
            );
        }
        moved
    }

    /// Writes down how far a change is, with its entry.
    async fn note(
        &self,
        institution: &InstitutionId,
        fate: PasswordFate,
        code: Option<&str>,
        actor: &str,
    ) -> Result<(), PasswordChangeError> {
        let at = self.clock.now();
        let kind = if fate == PasswordFate::Sent {
            SENT
        } else {
            ENDED
        };
        let mut draft = Draft::new(kind, institution, at)
            .actor(actor)
            .word("bureau", &self.id);
        if let Some(code) = code {
            draft = draft.word("fate", fate.name()).word("code", code);
        }
        let refused = |error: crate::audit::entry::EntryError| DbError::Refused(error.to_string());
        let entry = draft.finish().map_err(refused)?;
        let (institution, bureau, epoch) = (institution.clone(), self.id.clone(), self.epoch);
        let changed_at = (fate == PasswordFate::Changed).then_some(at);
        self.db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move {
                    if fate == PasswordFate::Sent && !epoch.holds(tx).await? {
                        return Err(PasswordChangeError::Ownership);
                    }
                    tx.execute(
                        "INSERT INTO bureau_passwords (institution, bureau, fate, changed_at) \
                         VALUES ($1, $2, $3, $4) ON CONFLICT (institution, bureau) DO UPDATE \
                         SET fate = $3, changed_at = COALESCE($4, bureau_passwords.changed_at)",
                        args![&institution, &bureau, fate.name(), changed_at],
                    )
                    .await?;
                    tx.append(entry.into());
                    Ok(())
                })
            })
            .await
    }

    /// How an institution's password stands; `None` where it is no member.
    pub(super) async fn password_status(
        &self,
        institution: &InstitutionId,
    ) -> Result<Option<PasswordStatus>, DbError> {
        let Some(member) = self.members.get(institution) else {
            return Ok(None);
        };
        let row: Option<Row> = self
            .db
            .first(
                "SELECT fate, changed_at FROM bureau_passwords \
                 WHERE institution = $1 AND bureau = $2",
                args![institution, &self.id],
            )
            .await?;
        let changed = row.as_ref().and_then(|row| row.changed_at);
        let changed = changed.map(|at| china_date(from_micros(at)));
        // The later one: a password may be set by hand after the gateway did.
        let set_on = changed.max(member.set_on);
        let today = china_date(self.clock.now());
        Ok(Some(PasswordStatus {
            fate: row.and_then(|row| PasswordFate::named(&row.fate)),
            set_on: set_on.map(|day| day.to_string()),
            days_left: set_on
                .zip(member.lasts)
                .map(|(set_on, days)| days_left(set_on, days, today)),
        }))
    }

    /// Warns of passwords that end soon, or of which it is not known which holds.
    pub(super) async fn inspect_passwords(&self) {
        for institution in self.members.keys() {
            let status = match self.password_status(institution).await {
                Ok(Some(status)) => status,
                Ok(None) => continue,
                Err(error) => {
                    tracing::error!(bureau.name = %self.id, %error, "passwords cannot be looked after");
                    continue;
                }
            };
            let labels = [
                ("bureau", self.id.to_string()),
                ("institution", institution.to_string()),
            ];
            let open = matches!(
                status.fate,
                Some(PasswordFate::Sent | PasswordFate::Unknown)
            );
            metrics::gauge!("bureau_password_unknown", &labels).set(f64::from(u8::from(open)));
            if open {
                tracing::error!(
                    bureau.name = %self.id, institution = %institution,
                    "a change of password ended unknown: ask the bureau which one holds"
                );
            }
            let Some(days) = status.days_left else {
                continue;
            };
            metrics::gauge!("bureau_password_days_left", &labels).set(days as f64);
            if days < WARN_DAYS {
                tracing::warn!(
                    bureau.name = %self.id, institution = %institution, days_left = days,
                    "the password at a bureau ends soon; creditgate bureaus password changes it"
                );
            }
        }
    }
}

#[derive(FromRow)]
struct Row {
    fate: String,
    changed_at: Option<i64>,
}

/// Days from today until a password that was set on a day no longer holds.
fn days_left(set_on: Date, days: u16, today: Date) -> i64 {
    let end = set_on.saturating_add(i64::from(days).days());
    i64::from(today.until(end).map_or(0, |span| span.get_days()))
}

async fn read(file: &std::path::Path) -> Result<SecretString, SecretError> {
    let source = SecretSource::File(file.to_owned());
    match tokio::task::spawn_blocking(move || source.read()).await {
        Ok(read) => read,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

async fn carry(
    run: &mut Run,
    mut conversation: Box<dyn contract::Conversation<PasswordOutcome>>,
) -> PasswordOutcome {
    let mut last = None;
    for _ in 0..MOST_STEPS {
        match conversation.next(last) {
            Step::Done(outcome) => return outcome,
            step => last = Some(run.carry(step).await),
        }
    }
    PasswordOutcome::Failed(Failure::Unknown {
        cause: "endless_conversation",
    })
}

/// Which password holds, the bureau's word or the cause, and what to do.
fn judge(
    outcome: PasswordOutcome,
    lost: Option<&'static str>,
) -> (PasswordFate, String, [String; 2]) {
    let ask = || {
        [
            "向征信机构核实哪个密码有效，将其写入密码文件并重启；确认之前不要再次修改".to_owned(),
            "ask the bureau which password holds, put it into the password file and restart; \
             do not change it again before"
                .to_owned(),
        ]
    };
    let none = || [String::new(), String::new()];
    let unknown = |cause: &str| (PasswordFate::Unknown, cause.to_owned(), ask());
    match (outcome, lost) {
        (PasswordOutcome::Changed { code }, _) => (PasswordFate::Changed, code, none()),
        (PasswordOutcome::Refused(rejection), _) => (
            PasswordFate::Unchanged,
            word(&rejection.code),
            rejection.cure,
        ),
        (PasswordOutcome::Failed(Failure::NotSent { cause }), None) => {
            (PasswordFate::Unchanged, cause.to_owned(), none())
        }
        (
            PasswordOutcome::Failed(Failure::NotSent { .. } | Failure::Unknown { .. }),
            Some(cause),
        )
        | (PasswordOutcome::Failed(Failure::Unknown { cause }), None) => unknown(cause),
        (PasswordOutcome::Unreadable { defect }, _) => unknown(defect),
        _ => unknown("outcome"),
    }
}

/// A bureau's code as an entry can hold it.
fn word(code: &str) -> String {
    if crate::audit::entry::is_word(code) {
        code.to_owned()
    } else {
        "unlisted".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_password_ends_after_its_days() {
        let set_on = date(2026, 1, 1);
        for (today, expected) in [
            (date(2026, 1, 1), 90),
            (date(2026, 3, 31), 1),
            (date(2026, 4, 1), 0),
            (date(2026, 4, 11), -10),
        ] {
            assert_eq!(days_left(set_on, 90, today), expected, "{today}");
        }
    }

    #[test]
    fn what_was_lost_on_the_way_is_unknown_whatever_the_adapter_makes_of_it() {
        let failed = PasswordOutcome::Failed;
        for (outcome, lost, expected) in [
            (
                failed(Failure::NotSent { cause: "connect" }),
                None,
                (PasswordFate::Unchanged, "connect"),
            ),
            (
                failed(Failure::NotSent { cause: "connect" }),
                Some("cut"),
                (PasswordFate::Unknown, "cut"),
            ),
            (
                failed(Failure::Unknown { cause: "timeout" }),
                None,
                (PasswordFate::Unknown, "timeout"),
            ),
            (
                PasswordOutcome::Unreadable { defect: "not_soap" },
                None,
                (PasswordFate::Unknown, "not_soap"),
            ),
            (
                PasswordOutcome::Changed {
                    code: "AAA003".to_owned(),
                },
                None,
                (PasswordFate::Changed, "AAA003"),
            ),
        ] {
            let (fate, code, to_do) = judge(outcome, lost);
            assert_eq!((fate, code.as_str()), expected);
            assert_eq!(to_do[0].is_empty(), fate != PasswordFate::Unknown);
        }
    }
}
