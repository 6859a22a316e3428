//! What the bureau holds of an account once it has accepted a record.
//!
//! # Promise
//!
//! The state of an account is a record of its family: the latest of each segment. Folding is pure
//! and total over accepted records, and the same records in the same order give the same state.
//!
//! # What is not here
//!
//! The bureau's history. It keeps every month; a state keeps the latest. So a correction of an
//! older month changes nothing here, and when the latest of a segment is deleted the state has
//! none, though the bureau still holds the one before.
//!
//! Whether a record may follow: see who keeps the accounts.

use std::sync::Arc;

use crate::edition::Edition;
use crate::plan::tree::Shape;
use crate::plan::{NodeId, RecordPlan};
use crate::record::{Place, Record};
use crate::role::{Does, Role};

/// Why a record cannot be folded into a state.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FoldError {
    /// The record changes an account of which nothing is known.
    #[error("the record changes an account of which nothing was accepted")]
    NoState,
    /// The edition has no role for the record type, or none for its family.
    #[error("the edition does not say what the record is to its account")]
    NoRole,
    /// The record does not say which segment or key it is about.
    #[error("the record does not say what it changes")]
    Unclear,
}

/// A record beside what explains it.
#[derive(Clone, Copy)]
struct Read<'a> {
    plan: &'a RecordPlan,
    role: &'a Role,
    record: &'a Record,
}

impl Edition {
    /// The state after `change` was accepted; `None` when the account is no more. `state` is a
    /// record of the plan of the family; without one the account begins.
    ///
    /// # Errors
    ///
    /// [`FoldError`].
    ///
    /// # Panics
    ///
    /// When `change` is not of `plan`, or `state` not of the plan of the family.
    pub fn fold(
        &self,
        state: Option<&Record>,
        plan: &RecordPlan,
        change: &Record,
    ) -> Result<Option<Record>, FoldError> {
        let role = self.role(plan.code()).ok_or(FoldError::NoRole)?;
        let change = Read {
            plan,
            role,
            record: change,
        };
        change.plan.check(change.record);
        if role.does() == Does::Delete {
            return Ok(None);
        }
        let family: &Arc<RecordPlan> = self.plan(role.family()).ok_or(FoldError::NoRole)?;
        let family_role = self.role(role.family()).ok_or(FoldError::NoRole)?;
        let Some(state) = state else {
            return match role.does() {
                Does::Normal => Ok(Some(begun(change))),
                _ => Err(FoldError::NoState),
            };
        };
        family.check(state);
        let state = Read {
            plan: family,
            role: family_role,
            record: state,
        };
        match role.does() {
            Does::Correct => corrected(state, change),
            Does::DeleteSegments => shortened(state, change),
            Does::Event => Ok(state.record.clone()),
            Does::Rename => renamed(state, change),
            Does::Delete | Does::Normal => Ok(continued(state, change)),
        }
        .map(Some)
    }
}

impl Read<'_> {
    fn report_date(&self) -> Option<jiff::civil::Date> {
        self.role.report_date(self.plan, self.record)
    }

    fn month(&self) -> Option<&str> {
        self.role.month(self.plan, self.record)
    }

    fn has(&self, node: u16) -> bool {
        let node = &self.plan.nodes[node as usize];
        !self.record.slots[node.slot as usize].is_absent()
    }

    /// The segment that a mark calls.
    fn marked(&self, mark: &str) -> Result<u16, FoldError> {
        self.role
            .marked(mark)
            .map(|node| node.0)
            .ok_or(FoldError::Unclear)
    }
}

fn begun(change: Read<'_>) -> Record {
    let mut out = change.plan.new_record();
    copy_all(change.plan, &mut out, change, &[]);
    out
}

/// Each segment from the change where it has one, unless the change tells of an earlier day.
fn continued(state: Read<'_>, change: Read<'_>) -> Record {
    let earlier = change.report_date() < state.report_date();
    let mut out = state.plan.new_record();
    for &child in &state.plan.nodes[0].children {
        let own = state.has(child);
        let from = if change.has(child) && !(earlier && own) {
            change
        } else {
            state
        };
        copy_child(
            state.plan,
            &mut out,
            (child, Place::RECORD),
            from,
            (child, Place::RECORD),
        );
    }
    out
}

fn corrected(state: Read<'_>, change: Read<'_>) -> Result<Record, FoldError> {
    let mark = change.role.segment(change.plan, change.record);
    let mark = mark.ok_or(FoldError::Unclear)?;
    let (target, source) = (state.marked(mark)?, change.marked(mark)?);
    let holds = |item: Option<NodeId>| {
        item.is_some_and(|item| state.plan.nodes[item.0 as usize].parent == target)
    };
    let of_older_month = holds(state.role.month_item()) && change.month() < state.month();
    if !change.has(source) || of_older_month {
        return Ok(state.record.clone());
    }
    let mut out = state.plan.new_record();
    // The base segment comes without what names the account: the rest of it stays.
    if holds(state.role.key_item()) {
        copy_all(state.plan, &mut out, state, &[]);
    } else {
        copy_all(state.plan, &mut out, state, &[target]);
    }
    copy_child(
        state.plan,
        &mut out,
        (target, Place::RECORD),
        change,
        (source, Place::RECORD),
    );
    if change.report_date() > state.report_date()
        && let Some((date, item)) = change.report_date().zip(state.role.report_date_item())
    {
        state
            .plan
            .put(&mut out, Place::RECORD, item, &date.to_string());
    }
    Ok(out)
}

fn shortened(state: Read<'_>, change: Read<'_>) -> Result<Record, FoldError> {
    let mark = change.role.segment(change.plan, change.record);
    let target = state.marked(mark.ok_or(FoldError::Unclear)?)?;
    let (from, to) = change
        .role
        .range(change.plan, change.record)
        .ok_or(FoldError::Unclear)?;
    let told = state.report_date().ok_or(FoldError::Unclear)?;
    if told < from || told > to {
        return Ok(state.record.clone());
    }
    let mut out = state.plan.new_record();
    copy_all(state.plan, &mut out, state, &[target]);
    Ok(out)
}

fn renamed(state: Read<'_>, change: Read<'_>) -> Result<Record, FoldError> {
    let key = change.role.new_key(change.plan, change.record);
    let (key, item) = key.zip(state.role.key_item()).ok_or(FoldError::Unclear)?;
    let mut out = state.plan.new_record();
    copy_all(state.plan, &mut out, state, &[]);
    state.plan.put(&mut out, Place::RECORD, item, &key);
    Ok(out)
}

/// Copies a record of the same plan but for some of its segments.
fn copy_all(plan: &RecordPlan, out: &mut Record, from: Read<'_>, but: &[u16]) {
    for child in plan.nodes[0]
        .children
        .iter()
        .filter(|child| !but.contains(child))
    {
        copy_child(
            plan,
            out,
            (*child, Place::RECORD),
            from,
            (*child, Place::RECORD),
        );
    }
}

/// Copies an element and all in it, by the names of the elements: the same segment stands at other
/// places in other records.
fn copy_child(
    plan: &RecordPlan,
    out: &mut Record,
    (node, place): (u16, Place),
    from: Read<'_>,
    (source, at): (u16, Place),
) {
    let slot = from.plan.nodes[source as usize].slot as usize;
    let slot = from.record.slots[at.base as usize + slot];
    if slot.is_absent() {
        return;
    }
    let id = NodeId(node);
    match (
        &plan.nodes[node as usize].shape,
        &from.plan.nodes[source as usize].shape,
    ) {
        (Shape::Item(_), Shape::Item(_)) => plan.put(out, place, id, from.record.slice(slot)),
        (Shape::Segment(_), Shape::Segment(_)) => {
            plan.mark(out, place, id);
            copy_inside(plan, out, (node, place), from, (source, at));
        }
        (Shape::Group(_), Shape::Group(_)) => {
            for entry in from.plan.entries(from.record, at, NodeId(source)) {
                let opened = plan.open(out, place, id);
                copy_inside(plan, out, (node, opened), from, (source, entry));
            }
        }
        _ => {}
    }
}

fn copy_inside(
    plan: &RecordPlan,
    out: &mut Record,
    (node, place): (u16, Place),
    from: Read<'_>,
    (source, at): (u16, Place),
) {
    for &child in &plan.nodes[node as usize].children {
        let tag = &plan.nodes[child as usize].tag;
        if let Some(source) = from.plan.child(source, tag) {
            copy_child(plan, out, (child, place), from, (source, at));
        }
    }
}
