//! A value of a unit beside its earlier self.

use super::Difference;
use crate::report::item::Item;
use crate::report::tree::Unit;
use crate::report::variable::{class_rank, mark_rank};

/// What is measured, and what of it is worse.
#[derive(Debug)]
pub(in crate::report) struct Measure {
    pub(in crate::report) item: u16,
    pub(in crate::report) order: Order,
}

/// When a value is worse than another.
#[derive(Debug)]
pub(in crate::report) enum Order {
    /// When it is one of these codes.
    Bad(Vec<String>),
    /// When its five-grade class is lower.
    Class,
    /// When its repayment mark is worse.
    Mark,
    MoreIsBetter,
    MoreIsWorse,
    /// Never.
    Neither,
}

/// Whether a difference is for the worse.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Direction {
    /// It is better.
    Better,
    /// It is neither.
    Neither,
    /// It is worse.
    Worse,
}

impl Direction {
    /// Stable code for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Neither => "neither",
            Self::Worse => "worse",
        }
    }
}

impl Measure {
    pub(super) fn differ<'r>(&self, before: Unit<'r>, after: Unit<'r>) -> Option<Difference<'r>> {
        let label = after.report.dictionary().at(self.item).label();
        // Nothing is read into a value that is not there any more.
        let (before, after) = (before.filled(self.item), after.filled(self.item)?);
        if before.is_some_and(|before| before.raw() == after.raw()) {
            return None;
        }
        let direction = match (self.weight(before), self.weight(Some(after))) {
            (Some(first), Some(second)) if first < second => Direction::Worse,
            (Some(first), Some(second)) if first > second => Direction::Better,
            _ => Direction::Neither,
        };
        Some(Difference {
            label,
            before,
            after,
            direction,
        })
    }

    /// How bad the value is; nothing where it cannot be told. No amount is none
    /// at all, and no code is none of the bad ones.
    fn weight(&self, item: Option<Item<'_>>) -> Option<i64> {
        let number = || item.map_or(Some(0), |item| item.number());
        match &self.order {
            Order::Bad(codes) => {
                let is_bad = |item: Item<'_>| codes.iter().any(|code| code == item.raw());
                Some(i64::from(item.is_some_and(is_bad)))
            }
            Order::Class => class_rank(item?.raw()).map(i64::from),
            Order::Mark => mark_rank(item?.raw()).map(i64::from),
            Order::MoreIsBetter => number()?.checked_neg(),
            Order::MoreIsWorse => number(),
            Order::Neither => None,
        }
    }
}
