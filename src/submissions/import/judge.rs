//! What speaks against a record, by what the ledger has and what came before it.

use std::collections::HashMap;

use jiff::civil::Date;
use schemas::{role::Does, validate::Finding};

use super::super::{
    SubmitError,
    store::{accounts, imports},
    take::{account_text, digests},
};
use super::{
    Importer,
    findings::of_row,
    row::{Good, Row},
    source::{Source, What, end_of},
};
use crate::{
    ledger::{Account, sequence},
    platform::{digest::sha256, identity::Identity},
};

/// A digest, shortened: it tells things of this call apart and leaves memory.
type Short = [u8; 16];

/// What this call has seen.
#[derive(Default)]
pub(super) struct Seen {
    accounts: HashMap<Short, Option<Held>>,
    /// The name that a document is known under; none as long as nobody is.
    people: HashMap<Short, Option<Short>>,
}

/// What is known of an account.
#[derive(Clone, Copy)]
struct Held {
    /// The document of its subject.
    who: Option<Short>,
    /// The input that its state is of; none where it was there before.
    source: Option<u32>,
    /// The moment of what was accepted last; none where nothing was.
    stamp: Option<i64>,
    reported_on: Option<Date>,
    in_flight: bool,
}

impl Importer {
    /// Finds what speaks against records, in their order, and remembers what
    /// they tell.
    pub(super) async fn judge(
        &self,
        seen: &mut Seen,
        (index, source): (u32, &Source),
        rows: &mut [Row],
    ) -> Result<(), SubmitError> {
        self.look_up_accounts(seen, rows).await?;
        self.look_up_people(seen, rows).await?;
        for row in rows {
            let Some(good) = &row.good else { continue };
            let judging = Judging {
                index,
                source,
                good,
                record: &row.record,
            };
            let known = short(&self.account(good, &good.key));
            let renamed = good.new_key.as_ref();
            let renamed = renamed.map(|key| short(&self.account(good, key)));
            match judging.run(seen, known, renamed) {
                Ok(is_known) => row.is_known = is_known,
                Err(findings) => row.findings = findings,
            }
        }
        Ok(())
    }

    /// What an account is found by.
    fn account(&self, good: &Good, key: &str) -> Vec<u8> {
        account_text(&self.institution, &self.bureau, good.role.family(), key)
    }

    /// Reads the accounts that were not met yet.
    async fn look_up_accounts(&self, seen: &mut Seen, rows: &[Row]) -> Result<(), SubmitError> {
        let blind = self.vault.blind().await?;
        let (mut names, mut sought) = (Vec::new(), Vec::new());
        for good in rows.iter().filter_map(|row| row.good.as_deref()) {
            for key in [Some(&good.key), good.new_key.as_ref()]
                .into_iter()
                .flatten()
            {
                let name = short(&self.account(good, key));
                if seen.accounts.contains_key(&name) || names.contains(&name) {
                    continue;
                }
                let family = good.role.family();
                names.push(name);
                sought.push(accounts::Sought {
                    family: family.to_owned(),
                    digests: digests(&blind, &self.institution, &self.bureau, family, key),
                });
            }
        }
        let found = accounts::find(&self.db, &self.institution, &self.bureau, &sought).await?;
        let found: Vec<_> = found
            .into_iter()
            .map(|it| it.map(|it| it.account))
            .collect();
        let ids = found.iter().flatten().map(|account| account.id);
        let moments = imports::moments(&self.db, ids).await?;
        let subjects = found.iter().flatten().filter_map(|it| it.subject.as_ref());
        let people = self.vault.identities_of(subjects).await?;
        for (name, account) in names.into_iter().zip(found) {
            let held = account.map(|account| Held {
                who: (account.subject.as_ref())
                    .and_then(|subject| people.get(subject))
                    .map(|(_, identity)| document(identity)),
                source: None,
                stamp: moment(&account, &moments),
                reported_on: account.reported_on,
                in_flight: account.pending.is_some(),
            });
            seen.accounts.insert(name, held);
        }
        Ok(())
    }

    /// Reads under which names documents are known that were not met yet.
    async fn look_up_people(&self, seen: &mut Seen, rows: &[Row]) -> Result<(), SubmitError> {
        let goods = rows.iter().filter_map(|row| row.good.as_deref());
        for identity in goods.filter_map(|good| good.identity.as_ref()) {
            let who = document(identity);
            if seen.people.contains_key(&who) {
                continue;
            }
            let known = match self.vault.find(identity).await? {
                Some(subject) => Some(self.vault.identity_read(&subject).await?),
                None => None,
            };
            seen.people.insert(who, known.as_ref().map(name));
        }
        Ok(())
    }
}

/// Judges one record.
struct Judging<'r> {
    index: u32,
    source: &'r Source,
    good: &'r Good,
    record: &'r str,
}

impl Judging<'_> {
    /// Whether the ledger has it as of the same day; or what speaks against it.
    fn run(
        &self,
        seen: &mut Seen,
        known: Short,
        renamed: Option<Short>,
    ) -> Result<bool, Vec<Finding>> {
        let held = seen.accounts.get(&known).copied().flatten();
        let mut findings = Vec::new();
        let mut say = |code: &str| findings.push(of_row(self.record, code));
        let who = self.good.identity.as_ref().map(document);
        if held.is_none() && who.is_none() {
            say("account_unknown");
        }
        if let Some(identity) = &self.good.identity {
            let known = seen.people.get(&document(identity)).copied().flatten();
            if known.is_some_and(|known| known != name(identity)) {
                say("subject_other_name");
            }
        }
        let owner = held.and_then(|held| held.who);
        if who.zip(owner).is_some_and(|(who, owner)| who != owner) {
            say("subject_differs");
        }
        if held.is_some_and(|held| held.in_flight) {
            say("account_in_flight");
        }
        let mut is_known = false;
        if let Some(held) = held {
            match self.against(&held) {
                Ok(same) => is_known = same,
                Err(code) => say(code),
            }
        }
        let other = renamed.and_then(|name| seen.accounts.get(&name).copied().flatten());
        if other.is_some() {
            findings.push(sequence::renamed_onto_another(self.record));
        }
        if !findings.is_empty() {
            return Err(findings);
        }
        if is_known {
            return Ok(true);
        }
        if let Some(identity) = &self.good.identity {
            seen.people.insert(document(identity), Some(name(identity)));
        }
        let day = self.good.report_date();
        let next = Held {
            who: owner.or(who),
            source: Some(self.index),
            stamp: Some(self.source.stamp),
            reported_on: match self.good.role.does() {
                Does::Delete | Does::DeleteSegments => None,
                _ => day.max(held.and_then(|held| held.reported_on)),
            },
            in_flight: false,
        };
        seen.accounts.insert(known, Some(next));
        if let Some(name) = renamed {
            seen.accounts.insert(known, None);
            seen.accounts.insert(name, Some(next));
        }
        Ok(false)
    }

    /// Whether what is held is the same, or later.
    fn against(&self, held: &Held) -> Result<bool, &'static str> {
        let Some(stamp) = held.stamp else {
            return Ok(false);
        };
        match self.source.what {
            What::Earlier(_) if self.source.stamp < stamp => Err("ledger_is_later"),
            What::Earlier(_) => Ok(false),
            What::Stock(_) if held.source == Some(self.index) => Err("stock_twice"),
            What::Stock(_) => match (self.good.report_date(), held.reported_on) {
                (Some(day), Some(last)) if day < last => Err("ledger_is_later"),
                (Some(day), Some(last)) if day > last => Ok(false),
                (Some(_), None) => Ok(false),
                // Nothing says that it is newer: what is there stays.
                _ => Ok(true),
            },
        }
    }
}

/// The moment of what was accepted last of an account.
fn moment(account: &Account, moments: &HashMap<i64, imports::Moment>) -> Option<i64> {
    account.accepted?;
    let known = moments.get(&account.id);
    let of_file = known.and_then(|it| it.created.as_ref()?.parse().ok());
    let of_stock = || {
        let day = known.and_then(|it| it.report_date.as_ref()?.parse().ok());
        end_of(day.or(account.reported_on).unwrap_or(Date::MIN))
    };
    Some(of_file.unwrap_or_else(of_stock))
}

fn short(text: &[u8]) -> Short {
    let mut short = Short::default();
    short.copy_from_slice(&sha256(text)[..16]);
    short
}

fn document(identity: &Identity) -> Short {
    short(&identity.document().sha256())
}

fn name(identity: &Identity) -> Short {
    short(identity.expose_name().as_bytes())
}
