//! Building a record item by item, and asking it for its values.

use super::tree::Shape;
use super::{NodeId, RecordPlan};
use crate::record::{Entry, NONE, Place, Record, Slot};

impl RecordPlan {
    /// A record without any item.
    #[must_use]
    pub fn new_record(&self) -> Record {
        let mut record = Record::default();
        self.clear(&mut record);
        record
    }

    /// Empties a record for use with this plan; its memory stays.
    pub fn clear(&self, record: &mut Record) {
        record.plan = self.id;
        record.text.clear();
        record.entries.clear();
        record.strays.clear();
        record.slots.clear();
        record
            .slots
            .resize(self.scopes[0].slots as usize, Slot::ABSENT);
        record.slots[0] = Slot::HERE;
    }

    /// Gives an item its value, and makes the segments around it be there. An empty value is the
    /// item without content. A second value takes the place of the first.
    ///
    /// # Panics
    ///
    /// When `record` is of another plan, or `item` is no item directly in `place`.
    pub fn put(&self, record: &mut Record, place: Place, item: NodeId, value: &str) {
        assert!(
            self.nodes[item.0 as usize].item().is_some(),
            "a value belongs to an item"
        );
        let slot = self.make(record, place, item);
        let start = record.text.len() as u32;
        record.text.push_str(value);
        record.slots[slot] = Slot {
            start,
            end: record.text.len() as u32,
        };
    }

    /// Makes a segment be there, even without items.
    ///
    /// # Panics
    ///
    /// As [`RecordPlan::put`], for a segment.
    pub fn mark(&self, record: &mut Record, place: Place, segment: NodeId) {
        let is_segment = matches!(self.nodes[segment.0 as usize].shape, Shape::Segment(_));
        assert!(is_segment, "only a segment can be there without a value");
        let slot = self.make(record, place, segment);
        record.slots[slot] = Slot::HERE;
    }

    /// Adds an entry to a repeating group.
    ///
    /// # Panics
    ///
    /// As [`RecordPlan::put`], for a group.
    pub fn open(&self, record: &mut Record, place: Place, group: NodeId) -> Place {
        let is_group = matches!(self.nodes[group.0 as usize].shape, Shape::Group(_));
        assert!(is_group, "only a group has entries");
        let slot = self.make(record, place, group);
        self.add_entry(record, slot, group.0)
    }

    /// The value of an item as it was put or read, blanks included.
    ///
    /// # Panics
    ///
    /// As [`RecordPlan::put`].
    #[must_use]
    pub fn value<'r>(&self, record: &'r Record, place: Place, item: NodeId) -> Option<&'r str> {
        assert!(
            self.nodes[item.0 as usize].item().is_some(),
            "a value belongs to an item"
        );
        let slot = record.slots[self.slot(record, place, item)];
        (!slot.is_absent()).then(|| record.slice(slot))
    }

    /// The entries of a group, in order.
    ///
    /// # Panics
    ///
    /// As [`RecordPlan::put`], for a group.
    pub fn entries<'r>(
        &self,
        record: &'r Record,
        place: Place,
        group: NodeId,
    ) -> impl Iterator<Item = Place> + use<'r> {
        let is_group = matches!(self.nodes[group.0 as usize].shape, Shape::Group(_));
        assert!(is_group, "only a group has entries");
        let slot = record.slots[self.slot(record, place, group)];
        let mut next = if slot.is_absent() { NONE } else { slot.start };
        std::iter::from_fn(move || {
            let entry = record.entries.get(next as usize)?;
            next = entry.next;
            Some(Place {
                base: entry.base,
                scope: entry.scope,
            })
        })
    }

    /// Adds an entry to the group `index`, whose slot this is.
    pub(crate) fn add_entry(&self, record: &mut Record, slot: usize, index: u16) -> Place {
        let (scope, _) = self.nodes[index as usize].inner();
        let base = record.slots.len() as u32;
        let slots = self.scopes[scope as usize].slots as usize;
        record.slots.resize(base as usize + slots, Slot::ABSENT);
        let entry = record.entries.len() as u32;
        record.entries.push(Entry {
            base,
            next: NONE,
            scope,
        });
        let first = record.slots[slot];
        if first.is_absent() {
            record.slots[slot] = Slot {
                start: entry,
                end: entry,
            };
        } else {
            record.entries[first.end as usize].next = entry;
            record.slots[slot].end = entry;
        }
        Place { base, scope }
    }

    fn slot(&self, record: &Record, place: Place, node: NodeId) -> usize {
        self.check(record);
        let node = &self.nodes[node.0 as usize];
        assert_eq!(node.scope, place.scope, "the item lies in another group");
        place.base as usize + node.slot as usize
    }

    /// The slot of a node, with all segments around it there.
    fn make(&self, record: &mut Record, place: Place, node: NodeId) -> usize {
        let slot = self.slot(record, place, node);
        let mut above = self.nodes[node.0 as usize].parent;
        while above != 0 && self.nodes[above as usize].scope == place.scope {
            let segment = place.base as usize + self.nodes[above as usize].slot as usize;
            if !matches!(self.nodes[above as usize].shape, Shape::Segment(_))
                || !record.slots[segment].is_absent()
            {
                break;
            }
            record.slots[segment] = Slot::HERE;
            above = self.nodes[above as usize].parent;
        }
        slot
    }
}
