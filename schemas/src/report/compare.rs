//! A report beside an earlier one of the same subject.
//!
//! # Promise
//!
//! [`compare`] tells what is new, worse, better, otherwise changed, closed, or
//! no longer shown. What belongs together is found by what does not change
//! (`comparison.tsv`: kind, day, currency, amount): the numbers of accounts hold
//! inside one report only. Where several fit, or the masked name of the
//! institution differs, the pair is marked [`Change::likely`].
//!
//! # What is not here
//!
//! No judgment: worse is what is overdue longer or with more, a lower class, a
//! worse mark, a status that the table calls bad. A balance that changed is a
//! change, no more. Nothing is read into a value that is absent later.
//!
//! # Failure
//!
//! [`CompareError`]: two subjects, two kinds of report, or the wrong order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use zeroize::Zeroizing;

use super::dictionary::{AreaRow, Dictionary};
use super::item::Item;
use super::tree::{Report, Unit};
use crate::text::Label;

mod measure;
mod view;

pub use measure::Direction;
pub(super) use measure::{Measure, Order};
pub use view::ComparisonView;

/// What changed from one report to a later one.
#[derive(Debug)]
pub struct Comparison<'r> {
    /// In the order of areas, and of the later report within one; what closed or
    /// is no longer shown comes after.
    pub changes: Vec<Change<'r>>,
    /// What this kind of report does not tell at all, so that nothing is compared.
    pub untold: Vec<Area>,
}

/// One thing that changed.
#[derive(Debug)]
pub struct Change<'r> {
    /// What it is part of.
    pub area: Area,
    /// What became of it.
    pub kind: ChangeKind,
    /// As it stood in the earlier report.
    pub before: Option<Unit<'r>>,
    /// As it stands in the later report.
    pub after: Option<Unit<'r>>,
    /// The values that differ; of what is new or gone there are none.
    pub differences: Vec<Difference<'r>>,
    /// Another pairing was possible.
    pub likely: bool,
}

/// A value that differs.
#[derive(Debug)]
pub struct Difference<'r> {
    /// Label of the item.
    pub label: Label<'static>,
    /// Where it says something in the earlier report.
    pub before: Option<Item<'r>>,
    /// In the later report.
    pub after: Item<'r>,
    /// Whether that is worse.
    pub direction: Direction,
}

/// What a change is part of.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Area {
    /// Alerts and disputes, and whether the subject still exists.
    Alerts,
    /// Loans, cards and claims.
    Accounts,
    /// What is overdue, in sum and outside of accounts.
    Overdue,
    /// Duties to repay what others owe, and guarantees given for the subject.
    Guarantees,
    /// Limits granted.
    Facilities,
    /// Taxes, courts, penalties, licenses and their like.
    Public,
    /// Who asked.
    Inquiries,
}

/// What became of it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum ChangeKind {
    /// Something is better, and nothing worse.
    Better,
    /// Changed, and neither better nor worse.
    Changed,
    /// Settled, ended or transferred out.
    Closed,
    /// No longer shown; why is not told.
    Gone,
    /// Not in the earlier report.
    New,
    /// Something is worse.
    Worse,
}

/// Why two reports cannot be compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// One of a person, one of an enterprise.
    #[error("the reports are of two kinds")]
    OtherKind,
    /// Not surely of one subject: no identifier in common, or two of one kind.
    #[error("the reports are of two subjects")]
    OtherSubject,
    /// A report does not say when it was made, or the later one was made first.
    #[error("the second report is not the later one")]
    WrongOrder,
}

impl CompareError {
    /// Stable code for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::OtherKind => "other_kind",
            Self::OtherSubject => "other_subject",
            Self::WrongOrder => "wrong_order",
        }
    }
}

impl Area {
    /// All of them, in the order of a comparison.
    pub const ALL: [Self; 7] = [
        Self::Alerts,
        Self::Accounts,
        Self::Overdue,
        Self::Guarantees,
        Self::Facilities,
        Self::Public,
        Self::Inquiries,
    ];

    /// Stable code for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.words().0
    }

    /// Its name.
    #[must_use]
    pub fn label(self) -> Label<'static> {
        let (_, zh, en) = self.words();
        Label { zh, en }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|area| area.code() == name)
    }

    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Accounts => ("accounts", "账户", "Accounts"),
            Self::Alerts => ("alerts", "提示与异议", "Alerts and disputes"),
            Self::Facilities => ("facilities", "授信", "Facilities"),
            Self::Guarantees => ("guarantees", "担保与相关还款责任", "Guarantees and duties"),
            Self::Inquiries => ("inquiries", "查询记录", "Inquiries"),
            Self::Overdue => ("overdue", "逾期", "Overdue"),
            Self::Public => ("public", "公共信息", "Public records"),
        }
    }
}

impl ChangeKind {
    /// Stable code for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.words().0
    }

    /// Its name.
    #[must_use]
    pub fn label(self) -> Label<'static> {
        let (_, zh, en) = self.words();
        Label { zh, en }
    }

    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Better => ("better", "好转", "better"),
            Self::Changed => ("changed", "变动", "changed"),
            Self::Closed => ("closed", "已关闭", "closed"),
            Self::Gone => ("gone", "不再显示", "no longer shown"),
            Self::New => ("new", "新增", "new"),
            Self::Worse => ("worse", "恶化", "worse"),
        }
    }
}

/// What changed from `earlier` to `later`.
///
/// # Errors
///
/// [`CompareError`] unless both are of one kind and one subject, in this order.
pub fn compare<'r>(earlier: &'r Report, later: &'r Report) -> Result<Comparison<'r>, CompareError> {
    let dictionary = later.dictionary();
    if !std::ptr::eq(earlier.dictionary(), dictionary) {
        return Err(CompareError::OtherKind);
    }
    if !is_same_subject(earlier, later) {
        return Err(CompareError::OtherSubject);
    }
    match (earlier.made(), later.made()) {
        (Some(first), Some(second)) if first <= second => {}
        _ => return Err(CompareError::WrongOrder),
    }
    let mut changes = Vec::new();
    for row in &dictionary.areas {
        Pairing { dictionary, row }.run(earlier, later, &mut changes);
    }
    // Stable: the order of the tables and of the report stays within an area.
    changes.sort_by_key(|change| (change.area, change.after.is_none()));
    let told = |area: &Area| dictionary.areas.iter().any(|row| row.area == *area);
    Ok(Comparison {
        changes,
        untold: Area::ALL.into_iter().filter(|area| !told(area)).collect(),
    })
}

/// Whether both are about one subject: asked for by one identity, or with an
/// identifier in common and none of one kind that differ. In doubt they are not:
/// what is not compared harms nobody.
fn is_same_subject(earlier: &Report, later: &Report) -> bool {
    if earlier
        .subject_id()
        .is_some_and(|id| Some(id) == later.subject_id())
    {
        return true;
    }
    let (first, second) = (earlier.subject_ids(), later.subject_ids());
    let (first, second) = (by_kind(&first), by_kind(&second));
    let mut shared = false;
    for (kind, numbers) in &first {
        match second.get(kind) {
            Some(others) if numbers.is_disjoint(others) => return false,
            others => shared |= others.is_some(),
        }
    }
    shared
}

fn by_kind<'a>(ids: &'a [(&str, Zeroizing<String>)]) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut kinds: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
    for (kind, number) in ids {
        kinds.entry(*kind).or_default().insert(number.as_str());
    }
    kinds
}

/// One row of the table at work.
struct Pairing<'d> {
    dictionary: &'d Dictionary,
    row: &'d AreaRow,
}

/// Units with one key that wait for their like, by hint.
#[derive(Default)]
struct Waiting<'r> {
    by_hint: BTreeMap<Vec<&'r str>, VecDeque<Unit<'r>>>,
    count: usize,
}

impl Pairing<'_> {
    fn run<'r>(&self, earlier: &'r Report, later: &'r Report, changes: &mut Vec<Change<'r>>) {
        let mut waiting: BTreeMap<Vec<&str>, Waiting<'_>> = BTreeMap::new();
        for unit in self.units(earlier) {
            let group = waiting.entry(self.values(unit, &self.row.key)).or_default();
            let hint = self.values(unit, &self.row.hints);
            group.by_hint.entry(hint).or_default().push_back(unit);
            group.count += 1;
        }
        // Those whose hints agree go first, so that no other takes their place.
        let mut pairs = Vec::new();
        for unit in self.units(later) {
            let group = waiting.get_mut(&self.values(unit, &self.row.key));
            let hint = self.values(unit, &self.row.hints);
            let before = group.and_then(|group| {
                let queue = group.by_hint.get_mut(&hint)?;
                let several = queue.len() > 1;
                Some((queue.pop_front()?, several))
            });
            pairs.push((unit, before));
        }
        for (unit, before) in pairs {
            let before = before.or_else(|| {
                let group = waiting.get_mut(&self.values(unit, &self.row.key))?;
                let queue = group.by_hint.values_mut().find(|queue| !queue.is_empty())?;
                Some((queue.pop_front()?, true))
            });
            match before {
                None => changes.push(self.alone(ChangeKind::New, None, Some(unit))),
                Some((before, likely)) => changes.extend(self.pair(before, unit, likely)),
            }
        }
        if self.row.leaves {
            let left = waiting
                .into_values()
                .flat_map(|group| group.by_hint.into_values());
            let mut left: Vec<_> = left.flatten().collect();
            left.sort_by_key(|unit| unit.index);
            for unit in left {
                changes.push(self.alone(ChangeKind::Gone, Some(unit), None));
            }
        }
    }

    /// Units of the row that say something.
    fn units<'r>(&self, report: &'r Report) -> impl Iterator<Item = Unit<'r>> {
        let code = &self.dictionary.at(self.row.unit).code;
        let wanted = |unit: &Unit<'r>| {
            unit.is_filled() && self.row.only.iter().all(|test| unit.passes(test))
        };
        report.units(code).filter(wanted)
    }

    fn values<'r>(&self, unit: Unit<'r>, items: &[u16]) -> Vec<&'r str> {
        let value = |item: &u16| unit.filled(*item).map_or("", |item| item.raw());
        items.iter().map(value).collect()
    }

    fn alone<'r>(
        &self,
        kind: ChangeKind,
        before: Option<Unit<'r>>,
        after: Option<Unit<'r>>,
    ) -> Change<'r> {
        Change {
            area: self.row.area,
            kind,
            before,
            after,
            differences: Vec::new(),
            likely: false,
        }
    }

    /// What changed of one thing, or nothing.
    fn pair<'r>(&self, before: Unit<'r>, after: Unit<'r>, likely: bool) -> Option<Change<'r>> {
        let closed = |unit: Unit<'_>| {
            !self.row.closed.is_empty() && self.row.closed.iter().all(|test| unit.passes(test))
        };
        let measures = self.row.measures.iter();
        let differences: Vec<_> = measures
            .filter_map(|one| one.differ(before, after))
            .collect();
        let any = |direction| differences.iter().any(|one| one.direction == direction);
        let kind = if closed(after) && !closed(before) {
            ChangeKind::Closed
        } else if any(Direction::Worse) {
            ChangeKind::Worse
        } else if any(Direction::Better) {
            ChangeKind::Better
        } else if differences.is_empty() {
            return None;
        } else {
            ChangeKind::Changed
        };
        Some(Change {
            differences,
            likely,
            ..self.alone(kind, Some(before), Some(after))
        })
    }
}

#[cfg(test)]
mod tests;
