//! The bureau's own database: what it has of each account. A million accounts
//! fit: dates are numbers, and the wide form is made when it is asked for.

use std::{
    collections::{BTreeMap, HashSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use serde::Serialize;

use super::{
    family::{Family, Kind},
    line::{Fault, Record},
};

/// What the bureau has of one account.
#[derive(Clone, Debug, Default, Serialize)]
pub struct BureauAccount {
    /// Its kind, as it was opened.
    pub account_type: String,
    /// Whether its latest status is closed.
    pub closed: bool,
    /// The latest report date.
    pub reported_on: String,
    /// Months, each with the report date of its record.
    pub months: BTreeMap<String, String>,
    /// Records that took effect on it, in their order: record types.
    pub taken: Vec<String>,
}

/// What a record says of how the account does.
#[derive(Clone, Copy, Debug)]
struct Performance {
    /// The month, `yyyyMM`; 0 if it is none of a month.
    month: u32,
    /// The report date, `yyyyMMdd`.
    day: u32,
    closed: bool,
}

#[derive(Clone, Debug, Default)]
struct Account {
    account_type: Box<str>,
    reported_on: u32,
    performances: Vec<Performance>,
    /// Special events in force: type and month.
    events: Vec<(u16, u32)>,
    /// The report date of the event that opened it again, or 0.
    restarted_on: u32,
    taken: Vec<u16>,
    former_keys: Vec<Box<str>>,
}

impl Account {
    fn newest(&self) -> Option<&Performance> {
        self.performances.iter().max_by_key(|it| (it.day, it.month))
    }

    fn closed(&self) -> bool {
        self.newest()
            .is_some_and(|it| it.closed && it.day > self.restarted_on)
    }

    fn has_event(&self, month: u32) -> bool {
        self.events.iter().any(|(_, at)| *at == month)
    }

    /// Replaces what it has of the month, or else of the day.
    fn performs(&mut self, new: Performance) {
        self.performances
            .retain(|it| it.month != new.month || (new.month == 0 && it.day != new.day));
        self.performances.push(new);
    }

    fn wide(&self) -> BureauAccount {
        let monthly = self.performances.iter().filter(|it| it.month > 0);
        BureauAccount {
            account_type: self.account_type.to_string(),
            closed: self.closed(),
            reported_on: day_text(self.reported_on),
            months: monthly
                .map(|it| (month_text(it.month), day_text(it.day)))
                .collect(),
            taken: self.taken.iter().map(u16::to_string).collect(),
        }
    }
}

/// The records of a file that were looked at, as hashes.
#[derive(Default)]
pub(crate) struct Seen(HashSet<u64>);

/// All accounts, by the type of their normal record and their key.
#[derive(Debug, Default)]
pub(crate) struct Database {
    accounts: BTreeMap<(&'static str, Box<str>), Account>,
    /// Keys that are no longer in use.
    renamed: HashSet<(&'static str, Box<str>)>,
}

impl Database {
    pub(crate) fn account(&self, family: &str, key: &str) -> Option<BureauAccount> {
        let family = Family::named(family)?;
        let at = (family.record, key.into());
        self.accounts.get(&at).map(Account::wide)
    }

    pub(crate) fn count(&self, family: &str) -> usize {
        self.accounts.keys().filter(|(of, _)| *of == family).count()
    }

    /// Takes a record in, or says why not.
    pub(crate) fn take(
        &mut self,
        code: &'static str,
        record: &Record,
        line: &str,
        seen: &mut Seen,
    ) -> Result<(), Fault> {
        // The desk keeps no database of the others.
        let Some((family, kind)) = Family::of(code) else {
            return Ok(());
        };
        let key: Box<str> = kind.key(code, record).into();
        // The sources do not say which items identify: for a normal record the
        // account and the report date are taken, for a request all of it.
        let mut hasher = DefaultHasher::new();
        match kind {
            Kind::Normal => (&key, record.value("RptDate")).hash(&mut hasher),
            _ => line.hash(&mut hasher),
        }
        if !seen.0.insert(hasher.finish()) {
            return fault("ABR002", "0000");
        }
        let at = (family.record, key);
        match kind {
            Kind::Normal => self.normal(code, family, at, record),
            Kind::Rename => self.rename(code, family, at, record),
            Kind::Delete => match self.accounts.remove(&at) {
                Some(_) => Ok(()),
                None => fault(family.unknown_delete, "0000"),
            },
            _ => {
                let unknown = match kind {
                    Kind::Correct => family.unknown_correct,
                    Kind::DeleteSegments => family.unknown_segments,
                    _ => "BQR001",
                };
                let Some(account) = self.accounts.get_mut(&at) else {
                    return fault(unknown, kind.tag());
                };
                match kind {
                    Kind::Correct => correct(family, account, record)?,
                    Kind::DeleteSegments => delete_segments(family, account, record),
                    _ => event(account, record)?,
                }
                account.taken.push(number(code));
                Ok(())
            }
        }
    }

    fn normal(
        &mut self,
        code: &str,
        family: &Family,
        at: (&'static str, Box<str>),
        record: &Record,
    ) -> Result<(), Fault> {
        let account_type = record.value("AcctType").unwrap_or_default();
        let day = day_of(record, "RptDate");
        let performances = performances(family, "", account_type, day, record);
        let closes = performances.iter().any(|it| it.closed);
        match self.accounts.get(&at) {
            None if self.renamed.contains(&at) => return fault("ABE012", kind_tag(family)),
            None if !family.not_opened.is_empty() && !record.has(family.opening_segment) => {
                return fault(family.not_opened, family.opening_segment);
            }
            None => {}
            Some(account) => {
                let other = *account.account_type != *account_type;
                if other && !family.other_type.is_empty() {
                    return fault(family.other_type, "AcctType");
                }
                if account.closed() && !family.closed.is_empty() {
                    return fault(family.closed, "0000");
                }
                if !family.older.is_empty() && day < account.reported_on {
                    return fault(family.older, "RptDate");
                }
                if !family.closes_older.is_empty() && closes && day < account.reported_on {
                    return fault(family.closes_older, "0000");
                }
                if account.events.iter().any(|(event, _)| *event == 21) {
                    return fault("BLR025", "0000");
                }
                for new in performances.iter().filter(|it| it.month > 0) {
                    if account_type == "R2" && account.events.contains(&(11, new.month)) {
                        return fault("BLR024", "Month");
                    }
                    let mut stored = account.performances.iter();
                    let stored = stored.any(|it| it.month == new.month && it.day >= day);
                    if stored || account.has_event(new.month) {
                        return fault("BLR027", "Month");
                    }
                }
            }
        }
        let account = self.accounts.entry(at).or_default();
        if account.account_type.is_empty() {
            account.account_type = account_type.into();
        }
        account.reported_on = account.reported_on.max(day);
        for new in performances {
            account.performs(new);
        }
        account.taken.push(number(code));
        Ok(())
    }

    fn rename(
        &mut self,
        code: &str,
        family: &Family,
        at: (&'static str, Box<str>),
        record: &Record,
    ) -> Result<(), Fault> {
        let Some(account) = self.accounts.get(&at) else {
            return fault(family.unknown_rename, "OdBnesCode");
        };
        let new = record.value("NwBnesCode").unwrap_or_default();
        let to = (family.record, new.into());
        let was_ours = account.former_keys.iter().any(|key| **key == *new);
        if self.accounts.contains_key(&to) || (self.renamed.contains(&to) && !was_ours) {
            return fault(family.taken_rename, "NwBnesCode");
        }
        if let Some(mut account) = self.accounts.remove(&at) {
            account.taken.push(number(code));
            account.former_keys.push(at.1.clone());
            self.renamed.remove(&to);
            self.renamed.insert(at);
            self.accounts.insert(to, account);
        }
        Ok(())
    }
}

fn correct(family: &Family, account: &mut Account, record: &Record) -> Result<(), Fault> {
    let account_type = record.value("AcctType").unwrap_or_default();
    if !family.other_correct.is_empty() && *account.account_type != *account_type {
        return fault(family.other_correct, "AcctType");
    }
    let day = day_of(record, "RptDate");
    let news = performances(family, "MdfcSgmt/", account_type, day, record);
    if news
        .iter()
        .any(|it| it.month > 0 && account.has_event(it.month))
    {
        return fault("BMR013", "Month");
    }
    for new in news {
        account.performs(new);
    }
    Ok(())
}

/// Forgets what the account did in the segment and the days that a request names.
fn delete_segments(family: &Family, account: &mut Account, record: &Record) {
    let days = day_of(record, "DelStartDate")..=day_of(record, "DelEndDate");
    let segment = record.value("DelSgmtCode").unwrap_or_default().to_owned();
    account.performances.retain(|it| {
        // Of a person's loan, H is the monthly segment and J the other one; of an
        // enterprise's, H tells of no month. D is the limit of an agreement, and
        // the liability of a guarantee.
        let of_segment = match (family.record, &*segment) {
            ("210", "H") => it.month > 0,
            ("210", "J") | ("410", "H") | ("220" | "230" | "420" | "440", "D") => it.month == 0,
            _ => false,
        };
        !(of_segment && days.contains(&it.day))
    });
}

fn event(account: &mut Account, record: &Record) -> Result<(), Fault> {
    let kind: u16 = record.value("OpetnType").map_or(0, number);
    let month = month_of(record.value("Month").unwrap_or_default());
    let known = account.events.contains(&(kind, month));
    if record.value("Flag") == Some("0") {
        if !known {
            return fault("BQR005", "0000");
        }
        account.events.retain(|it| *it != (kind, month));
        if kind == 12 {
            account.restarted_on = 0;
        }
        return Ok(());
    }
    let card = &*account.account_type == "R2";
    let has_month = account.performances.iter().any(|it| it.month == month);
    let refused = match kind {
        11 if !card || has_month || account.closed() || known => "BQR002",
        12 if !card || !account.closed() || known => "BQR003",
        21 if &*account.account_type != "D1" || account.closed() || known => "BQR004",
        _ => "",
    };
    if !refused.is_empty() {
        return fault(refused, "0000");
    }
    if kind == 12 {
        account.restarted_on = day_of(record, "RptDate");
    }
    account.events.push((kind, month));
    Ok(())
}

/// What a record says of performance, below `prefix`.
fn performances(
    family: &Family,
    prefix: &str,
    account_type: &str,
    day: u32,
    record: &Record,
) -> Vec<Performance> {
    let mut found = Vec::new();
    for (segment, item) in family.status {
        let path = format!("{prefix}{segment}");
        if let Some(status) = record.at(&path, item) {
            found.push(Performance {
                month: record.at(&path, "Month").map_or(0, month_of),
                day,
                closed: status == family.closing_status(account_type),
            });
        }
    }
    found
}

fn kind_tag(family: &Family) -> &'static str {
    match family.record {
        "220" | "420" => "ContractCode",
        _ => "AcctCode",
    }
}

fn fault<T>(code: &str, tag: &str) -> Result<T, Fault> {
    Err((code.to_owned(), tag.to_owned()))
}

fn number(code: &str) -> u16 {
    code.parse().unwrap_or_default()
}

/// The digits of a date that was checked.
fn digits(text: &str) -> u32 {
    let digits = text.bytes().filter(u8::is_ascii_digit);
    digits.fold(0, |sum, digit| {
        sum.wrapping_mul(10).wrapping_add(u32::from(digit - b'0'))
    })
}

fn day_of(record: &Record, tag: &str) -> u32 {
    record.value(tag).map_or(0, digits)
}

fn month_of(text: &str) -> u32 {
    digits(text)
}

fn day_text(day: u32) -> String {
    if day == 0 {
        return String::new();
    }
    format!(
        "{:04}-{:02}-{:02}",
        day / 10_000,
        day / 100 % 100,
        day % 100
    )
}

fn month_text(month: u32) -> String {
    format!("{:04}-{:02}", month / 100, month % 100)
}
