//! The bureau's own database: what it has of each account.

use std::collections::{BTreeMap, BTreeSet};

use super::line::{Fault, Record};

/// What the bureau has of one account.
#[derive(Clone, Debug, Default)]
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

/// All accounts, by the type of their normal record and their key.
#[derive(Debug, Default)]
pub(crate) struct Database {
    pub(crate) accounts: BTreeMap<(String, String), BureauAccount>,
    renamed: BTreeSet<String>,
}

impl Database {
    /// Takes a record in, or says why not. `seen` are the keys of this file.
    pub(crate) fn take(
        &mut self,
        code: &str,
        record: &Record,
        seen: &mut BTreeSet<String>,
    ) -> Result<(), Fault> {
        let no = |code: &str, tag: &str| Err((code.to_owned(), tag.to_owned()));
        let value = |tag: &str| record.value(tag).unwrap_or_default().to_owned();
        let (family, key) = match code {
            "110" | "114" => {
                let parts = ["Name", "IDType", "IDNum", "InfSurcCode"].map(value);
                ("110", parts.join("|"))
            }
            "210" | "215" => ("210", value("AcctCode")),
            "211" => ("210", value("OdBnesCode")),
            "212" => ("210", value("ModRecCode")),
            "213" | "214" => ("210", value("DelRecCode")),
            // The desk keeps no database of the others.
            _ => return Ok(()),
        };
        if !seen.insert(format!("{key}|{}", value("RptDate"))) {
            return no("ABR002", "0000");
        }
        let at = (family.to_owned(), key.clone());
        let known = self.accounts.get(&at).cloned();
        let known_type = known.as_ref().map(|it| it.account_type.clone());
        let other_type = known_type.is_some_and(|it| it != value("AcctType"));
        match (code, &known) {
            ("110", None) if !record.has("FcsInfSgmt") => return no("BBR001", "0000"),
            ("114", None) => return no("BDE000", "0000"),
            ("210", None) if self.renamed.contains(&key) => return no("ABE012", "AcctCode"),
            ("210", None) if !record.has("AcctBsInfSgmt") => return no("BLR004", "AcctBsInfSgmt"),
            ("210", Some(_)) if other_type => return no("BLR019", "AcctType"),
            ("210", Some(account)) if account.closed => return no("BLR020", "0000"),
            ("210", Some(account))
                if account
                    .months
                    .get(&value("Month"))
                    .is_some_and(|day| *day >= value("RptDate")) =>
            {
                return no("BLR027", "Month");
            }
            ("211", None) => return no("BIE001", "OdBnesCode"),
            ("212", None) => return no("BMR007", "ModRecCode"),
            ("212", Some(_)) if other_type => return no("BMR012", "AcctType"),
            ("213", None) => return no("BSR000", "DelRecCode"),
            ("214", None) => return no("BTE000", "DelRecCode"),
            ("215", None) => return no("BQR001", "AcctCode"),
            _ => {}
        }
        if code == "211" {
            let new = ("210".to_owned(), value("NwBnesCode"));
            if self.accounts.contains_key(&new) {
                return no("BIE002", "NwBnesCode");
            }
            if let Some(mut account) = self.accounts.remove(&at) {
                account.taken.push(code.to_owned());
                self.accounts.insert(new, account);
                self.renamed.insert(key);
            }
            return Ok(());
        }
        if matches!(code, "114" | "214") {
            self.accounts.remove(&at);
            return Ok(());
        }
        let account = self.accounts.entry(at).or_default();
        account.taken.push(code.to_owned());
        if code == "213" || code == "215" {
            return Ok(());
        }
        if account.account_type.is_empty() {
            account.account_type = value("AcctType");
        }
        account.reported_on = value("RptDate").max(account.reported_on.clone());
        if let Some(month) = record.value("Month") {
            account.months.insert(month.to_owned(), value("RptDate"));
        }
        if let Some(status) = record.value("AcctStatus") {
            let closed = match account.account_type.as_str() {
                "C1" => "2",
                "R2" | "R3" => "4",
                _ => "3",
            };
            account.closed = status == closed;
        }
        Ok(())
    }
}
