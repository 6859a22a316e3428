//! One record of any type, as compact as its plan allows.
//!
//! # Promise
//!
//! All values lie in one text; a slot for each item, segment and group of the plan says where.
//! A repeating group adds a run of slots for each of its entries. Clearing a record keeps its
//! memory, so that a million records cost the allocations of one. `Debug` shows no value.
//!
//! # What is not here
//!
//! Names and order: a record only means something together with the
//! [`RecordPlan`](crate::plan::RecordPlan) that made it.

use std::fmt;

use crate::expr::Ref;
use crate::plan::tree::LEVELS;

/// One record; see [`RecordPlan::new_record`](crate::plan::RecordPlan::new_record).
#[derive(Clone, Default)]
pub struct Record {
    /// The plan that made the record.
    pub(crate) plan: u64,
    pub(crate) text: String,
    pub(crate) slots: Vec<Slot>,
    /// The entries of all repeating groups, in the order they were opened.
    pub(crate) entries: Vec<Entry>,
    pub(crate) strays: Vec<Stray>,
}

/// The record itself, or one entry of a repeating group in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    pub(crate) base: u32,
    pub(crate) scope: u16,
}

/// What was read but has no place in the plan: answered with the code for unknown tags.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Stray {
    /// The node of the plan in which it was met.
    pub(crate) inside: u16,
    pub(crate) what: Odd,
}

/// In what way something has no place in the plan.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Odd {
    /// An attribute.
    Attribute,
    /// A second item or segment of this tag.
    Repeated(Box<str>),
    /// Text where only elements may stand.
    Text,
    /// An element that the plan does not know. The name is kept only where it is plain.
    Unknown(Box<str>),
}

/// Where a value stands in the text; for a group its first and last entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Slot {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// One entry of a repeating group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// Its first slot.
    pub(crate) base: u32,
    /// The next entry of the same group, or [`NONE`].
    pub(crate) next: u32,
    pub(crate) scope: u16,
}

/// The slots in sight: those of the record, and of one entry of each group around.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Frames {
    base: [u32; LEVELS + 1],
    /// Which entry, counted from 1, at each level below the record.
    ordinal: [u32; LEVELS + 1],
    level: u8,
}

/// Stands for no entry.
pub(crate) const NONE: u32 = u32::MAX;

impl Place {
    /// The record itself, outside of repeating groups.
    pub const RECORD: Self = Self { base: 0, scope: 0 };
}

impl Slot {
    pub(crate) const ABSENT: Self = Self {
        start: NONE,
        end: 0,
    };
    /// A segment that is there.
    pub(crate) const HERE: Self = Self { start: 0, end: 0 };

    pub(crate) fn is_absent(self) -> bool {
        self.start == NONE
    }
}

impl Record {
    /// The value in the slot of an item that is there.
    pub(crate) fn slice(&self, slot: Slot) -> &str {
        &self.text[slot.start as usize..slot.end as usize]
    }

    /// How many entries the group in this slot has.
    pub(crate) fn count(&self, group: usize) -> usize {
        let slot = self.slots[group];
        let mut next = if slot.is_absent() { NONE } else { slot.start };
        let mut count = 0;
        while let Some(entry) = self.entries.get(next as usize) {
            count += 1;
            next = entry.next;
        }
        count
    }

    /// The entries of a group, seen from `at`.
    pub(crate) fn groups(&self, group: Ref, at: &Frames) -> impl Iterator<Item = Frames> + use<'_> {
        let at = Frames {
            level: group.level,
            ..*at
        };
        let slot = self.slots[at.slot(group.slot, group.level)];
        let mut next = if slot.is_absent() { NONE } else { slot.start };
        let mut ordinal = 0;
        std::iter::from_fn(move || {
            let entry = *self.entries.get(next as usize)?;
            next = entry.next;
            ordinal += 1;
            Some(at.into_entry(entry.base, ordinal))
        })
    }
}

impl Frames {
    /// The place of a slot in the record.
    pub(crate) fn slot(&self, slot: u16, level: u8) -> usize {
        self.base[level as usize] as usize + slot as usize
    }

    /// Which entry of the group at this level is in sight, counted from 1.
    pub(crate) fn ordinal(&self, level: u8) -> Option<u32> {
        (level <= self.level).then(|| self.ordinal[level as usize])
    }

    fn into_entry(mut self, base: u32, ordinal: u32) -> Self {
        self.level += 1;
        self.base[self.level as usize] = base;
        self.ordinal[self.level as usize] = ordinal;
        self
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let there = self.slots.iter().filter(|slot| !slot.is_absent()).count();
        write!(f, "Record({there} items, masked)")
    }
}
