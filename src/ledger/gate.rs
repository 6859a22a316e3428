//! Whether law lets a record out, and what it waits for where not.
//!
//! # Promise
//!
//! Pure, and all holds at once. *Opening* an account needs a live authorization
//! to provide, of the bureau and the category; once the bureau has accepted the
//! account its records go on until it is settled, whatever became of membership
//! or authorization, for a record that stays wrong is the harm. A run of negative
//! state needs a delivered notice of its own. Restricted items need their own
//! consent, always. A disputed account is not reported on without its mark.
//!
//! # What is not here
//!
//! Forbidden items: they are refused where records are taken in.

mod notice;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use schemas::role::Does;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Account, Told};
use crate::authorizations::{Bilingual, Category};

pub use notice::Notice;

/// What bears on one record.
#[derive(Clone, Debug)]
pub struct Facts<'f> {
    /// The account as the bureau accepted it, or will have when this is sent.
    pub account: &'f Account,
    /// What the record tells.
    pub told: &'f Told,
    /// When it would go out.
    pub at: Timestamp,
    /// What an authorization must name to open such an account (`roles.tsv`).
    pub category: &'f str,
    /// The categories that live authorizations to provide name, for this bureau.
    pub covered: &'f BTreeSet<Category>,
    /// The categories of restricted items that the record holds
    /// (`restricted.tsv`).
    pub restricted: &'f [&'f str],
    /// The notices of this account.
    pub notices: &'f [Notice],
    /// How long before sending a notice must have been delivered (SR-03).
    pub notice_lead: SignedDuration,
    /// The disputes that are open on the account.
    pub disputes: &'f [String],
    /// The dispute that the record names.
    pub mark: Option<&'f str>,
    /// Whether a record before it is not settled at the bureau.
    pub is_behind: bool,
}

/// Why a record waits.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HoldCode {
    /// A record before it is not answered yet (SR-16).
    AccountInFlight,
    /// The account is under dispute, and the record has no mark (SR-15).
    DisputedUnmarked,
    /// The mark names no open dispute of the account (SR-15).
    DisputeUnknown,
    /// Its account has the name that another one is being renamed to.
    NameReserved,
    /// Negative, and no notice serves it (SR-02).
    NoticeMissing,
    /// Negative, and its notice was delivered too short before (SR-03).
    NoticeTooClose,
    /// It opens an account without an authorization to provide (SR-01).
    ProvideMissing,
    /// It holds a restricted item without consent to it (SR-12).
    RestrictedItem,
}

/// One thing that a record waits for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, ToSchema)]
pub struct Hold {
    /// Stable code.
    pub code: HoldCode,
    /// The rule and the law behind it.
    pub source: Bilingual,
    /// What is missing.
    pub what: Bilingual,
    /// What would let it go.
    pub cure: Bilingual,
}

impl HoldCode {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::AccountInFlight,
        Self::DisputedUnmarked,
        Self::DisputeUnknown,
        Self::NameReserved,
        Self::NoticeMissing,
        Self::NoticeTooClose,
        Self::ProvideMissing,
        Self::RestrictedItem,
    ];

    /// The stored and published name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AccountInFlight => "account_in_flight",
            Self::DisputedUnmarked => "disputed_unmarked",
            Self::DisputeUnknown => "dispute_unknown",
            Self::NameReserved => "name_reserved",
            Self::NoticeMissing => "notice_missing",
            Self::NoticeTooClose => "notice_too_close",
            Self::ProvideMissing => "provide_missing",
            Self::RestrictedItem => "restricted_item",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// The hold, explained.
    #[must_use]
    pub fn hold(self) -> Hold {
        let (source, what, cure) = self.texts();
        Hold {
            code: self,
            source,
            what,
            cure,
        }
    }

    fn texts(self) -> (Bilingual, Bilingual, Bilingual) {
        match self {
            Self::AccountInFlight => (
                text("SR-16", "SR-16"),
                text(
                    "该账户有先报的记录尚未得到征信机构的反馈",
                    "the bureau has not yet answered an earlier record of the account",
                ),
                text(
                    "待先报的记录被接收或处理后自动继续",
                    "it goes on by itself once the earlier record is accepted or settled",
                ),
            ),
            Self::DisputedUnmarked => (
                text(
                    "SR-15；《征信业管理条例》第二十五条",
                    "SR-15; Credit Reporting Regulation, Art 25",
                ),
                text(
                    "该账户存在未了结的异议，而记录没有异议标识",
                    "the account is under dispute, and the record does not carry its mark",
                ),
                text(
                    "核查后了结异议，或带上该异议的编号重新报送，或报送更正",
                    "settle the dispute, or send the record again with the number of the dispute, \
                     or send the correction",
                ),
            ),
            Self::DisputeUnknown => (
                text(
                    "SR-15；《征信业管理条例》第二十五条",
                    "SR-15; Credit Reporting Regulation, Art 25",
                ),
                text(
                    "记录的异议标识不是该账户未了结的异议",
                    "the record names a dispute that is not open on its account",
                ),
                text(
                    "登记该异议，或去掉标识重新报送",
                    "open that dispute on the account, or send the record again without it",
                ),
            ),
            Self::NameReserved => (
                text("SR-16", "SR-16"),
                text(
                    "该标识是另一账户变更后的标识，该变更尚未得到征信机构的反馈",
                    "the identifier is the one that another account is being renamed to, and the \
                     bureau has not yet answered that",
                ),
                text(
                    "变更被接收后，本记录归入该账户；被退回或撤回后，按新账户重新校验；均自动进行",
                    "once the rename is accepted it is a record of that account; once it is \
                     rejected or taken back, it is judged anew as of an account of its own; either \
                     goes by itself",
                ),
            ),
            Self::NoticeMissing => (
                text(
                    "SR-02；《征信业管理条例》第十五条",
                    "SR-02; Credit Reporting Regulation, Art 15",
                ),
                text(
                    "记录为不良信息，而该账户没有可用的已送达事先告知",
                    "the record is negative information, and no delivered prior notice of this \
                     account serves it",
                ),
                text(
                    "向信息主体送达告知，写明账户和应还款月份，并登记；每段不良状态各需一次",
                    "deliver a notice to the subject that names the account and the month the \
                     amount was due in, and record it; each run of negative state needs its own",
                ),
            ),
            Self::NoticeTooClose => (
                text("SR-03", "SR-03"),
                text(
                    "告知的送达距报送不足规定天数",
                    "the notice was delivered too short before sending",
                ),
                text(
                    "待规定天数届满后自动继续",
                    "it goes on by itself when the days have passed",
                ),
            ),
            Self::ProvideMissing => (
                text(
                    "SR-01；《征信业管理条例》第二十九条",
                    "SR-01; Credit Reporting Regulation, Art 29",
                ),
                text(
                    "开户记录没有有效的提供授权，或授权不含该征信机构或该类信息（不良信息亦须写明）",
                    "the record opens an account, and no live authorization to provide names this \
                     bureau and this category of information (and negative information, where \
                     it is some)",
                ),
                text(
                    "请信息主体签署提供授权并录入原件",
                    "have the subject sign an authorization to provide, and record its original",
                ),
            ),
            Self::RestrictedItem => (
                text(
                    "SR-12；《征信业管理条例》第十四条",
                    "SR-12; Credit Reporting Regulation, Art 14",
                ),
                text(
                    "记录含收入、纳税等限制采集的信息，而没有单独的书面同意",
                    "the record holds restricted information such as income or tax, without the \
                     subject's own written consent to it",
                ),
                text(
                    "取得并录入写明该类信息的提供授权，或去掉该项重新报送",
                    "record an authorization to provide that names this category, or send the \
                     record again without the item",
                ),
            ),
        }
    }
}

/// What a record waits for; nothing where it may go.
#[must_use]
pub fn judge(facts: &Facts<'_>) -> Vec<Hold> {
    let mut codes = BTreeSet::new();
    if facts.is_behind {
        codes.insert(HoldCode::AccountInFlight);
    }
    if opens(facts) && opening(facts).any(|it| !covers(facts, it)) {
        codes.insert(HoldCode::ProvideMissing);
    }
    if facts.restricted.iter().any(|it| !covers(facts, it)) {
        codes.insert(HoldCode::RestrictedItem);
    }
    codes.extend(notice_hold(facts));
    codes.extend(dispute_hold(facts));
    codes.into_iter().map(HoldCode::hold).collect()
}

/// The notice that serves the run which begins with this record; none where no
/// run begins, or it has none. To be marked with the run once the record is
/// accepted.
#[must_use]
pub fn serving<'f>(facts: &Facts<'f>) -> Option<&'f Notice> {
    if !facts.account.begins_run(facts.told) {
        return None;
    }
    notice::delivered(facts).max_by_key(|it| (it.due, it.delivered_at))
}

/// A normal record of an account that the bureau does not have.
fn opens(facts: &Facts<'_>) -> bool {
    facts.told.does == Does::Normal && !facts.account.standing.is_accepted()
}

/// The categories that live authorizations must name for the record to go;
/// none where the duty to go on carries it.
#[must_use]
pub fn needs<'f>(facts: &Facts<'f>) -> BTreeSet<&'f str> {
    let restricted = facts.restricted.iter().copied();
    if opens(facts) {
        restricted.chain(opening(facts)).collect()
    } else {
        restricted.collect()
    }
}

/// The categories that an authorization must name to open the account: that of
/// the record, and negative information where it is some.
fn opening<'f>(facts: &Facts<'f>) -> impl Iterator<Item = &'f str> {
    let negative = facts
        .told
        .is_negative()
        .then_some(Category::Negative.name());
    std::iter::once(facts.category).chain(negative)
}

fn covers(facts: &Facts<'_>, category: &str) -> bool {
    facts.covered.iter().any(|it| it.name() == category)
}

fn notice_hold(facts: &Facts<'_>) -> Option<HoldCode> {
    if !facts.account.begins_run(facts.told) || serving(facts).is_some() {
        return None;
    }
    Some(
        if notice::named(facts).any(|it| it.delivered_at < facts.at) {
            HoldCode::NoticeTooClose
        } else {
            HoldCode::NoticeMissing
        },
    )
}

/// Corrections and deletions need no mark: they are what a dispute asks for.
fn dispute_hold(facts: &Facts<'_>) -> Option<HoldCode> {
    if let Some(mark) = facts.mark
        && !facts.disputes.iter().any(|it| it == mark)
    {
        return Some(HoldCode::DisputeUnknown);
    }
    let unchanged = matches!(facts.told.does, Does::Normal | Does::Event | Does::Rename);
    let unmarked = facts.mark.is_none() && !facts.disputes.is_empty();
    (unchanged && unmarked).then_some(HoldCode::DisputedUnmarked)
}

const fn text(zh: &'static str, en: &'static str) -> Bilingual {
    Bilingual { zh, en }
}
