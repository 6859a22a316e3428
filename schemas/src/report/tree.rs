//! A report as a tree: units that hold units and items.

use std::fmt;
use std::ops::Range;

use jiff::civil::DateTime;
use zeroize::Zeroizing;

use super::dictionary::{Choice, Dictionary, Element, Form, Level, List, Selector, Test};
use super::item::Item;
use super::remark::Remark;
use super::value;
use crate::text::Label;

/// A report that was read. Holds personal data: `Debug` shows counts only, and
/// the text is wiped on drop.
///
/// One copy of the source and one array of nodes hold it all; units and items
/// are views into them.
pub struct Report {
    pub(super) dictionary: &'static Dictionary,
    pub(super) source: Zeroizing<String>,
    /// Values that do not stand in the source in one piece.
    pub(super) joined: Zeroizing<String>,
    /// In document order; a node's subtree follows it without gap.
    pub(super) nodes: Vec<Node>,
    pub(super) foreign: Vec<Foreign>,
    pub(super) remarks: Vec<Remark>,
    pub(super) remarks_left_out: usize,
}

pub(super) struct Node {
    pub(super) element: u16,
    pub(super) parent: u32,
    /// The node after the subtree.
    pub(super) end: u32,
    /// Counted from 1 among its likes below the same parent.
    pub(super) nth: u32,
    pub(super) value: Span,
}

/// Where a value stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) length: u32,
    pub(super) joined: bool,
}

/// What the dictionary does not know.
pub(super) struct Foreign {
    pub(super) parent: u32,
    pub(super) what: What,
    pub(super) content: Range<usize>,
}

pub(super) enum What {
    Attributes,
    Element { name: Range<usize> },
    Text,
}

impl Report {
    /// The dictionary that read it.
    #[must_use]
    pub fn dictionary(&self) -> &'static Dictionary {
        self.dictionary
    }

    /// The root unit.
    #[must_use]
    pub fn root(&self) -> Unit<'_> {
        Unit {
            report: self,
            index: 0,
        }
    }

    /// All units with this code, in document order.
    pub fn units(&self, code: &str) -> impl Iterator<Item = Unit<'_>> {
        let wanted = self.dictionary.find(code);
        let wanted = wanted.filter(|e| matches!(self.dictionary.at(*e).form, Form::Unit { .. }));
        let found = move |(_, node): &(usize, &Node)| wanted == Some(node.element);
        let nodes = self.nodes.iter().enumerate().filter(found);
        nodes.map(|(index, _)| Unit {
            report: self,
            index,
        })
    }

    /// All items with this code, in document order.
    pub fn items(&self, code: &str) -> impl Iterator<Item = Item<'_>> {
        self.root().all(code)
    }

    /// The first item with this code that says something.
    #[must_use]
    pub fn first(&self, code: &str) -> Option<Item<'_>> {
        self.items(code).find(Item::is_filled)
    }

    /// When it was made, China time.
    #[must_use]
    pub fn made(&self) -> Option<DateTime> {
        self.root().filled(self.dictionary.head.made)?.date_time()
    }

    /// Kind and number of the identity that was asked for, where it is told.
    pub(super) fn subject_id(&self) -> Option<(&str, Zeroizing<String>)> {
        self.identities(self.dictionary.head.subject.as_ref())
            .next()
    }

    /// Kinds and numbers of all that identifies the subject, in upper case.
    pub(super) fn subject_ids(&self) -> Vec<(&str, Zeroizing<String>)> {
        let head = &self.dictionary.head;
        self.identities(head.subject.iter().chain(&head.ids))
            .collect()
    }

    fn identities<'r>(
        &'r self,
        pairs: impl IntoIterator<Item = &'static [u16; 2]> + 'r,
    ) -> impl Iterator<Item = (&'r str, Zeroizing<String>)> {
        pairs.into_iter().flat_map(move |[kind, number]| {
            let numbers = self.root().each(*number).filter(Item::is_filled);
            numbers.filter_map(move |item| {
                let unit = self.nodes[item.index].parent as usize;
                let kind = Item {
                    report: self,
                    index: self.child(unit, *kind)?,
                };
                let number = Zeroizing::new(item.raw().to_uppercase());
                kind.is_filled().then(|| (kind.raw(), number))
            })
        })
    }

    /// What is odd: unknown elements, then the rest in document order. At most
    /// 1,000 are kept.
    #[must_use]
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// How many remarks were not kept.
    #[must_use]
    pub fn remarks_left_out(&self) -> usize {
        self.remarks_left_out
    }

    /// What the dictionary does not know, kept as it came.
    pub fn unknown(&self) -> impl ExactSizeIterator<Item = Unknown<'_>> {
        self.foreign.iter().map(|foreign| Unknown {
            report: self,
            foreign,
        })
    }

    pub(super) fn element(&self, node: usize) -> &'static Element {
        self.dictionary.at(self.nodes[node].element)
    }

    pub(super) fn text(&self, span: Span) -> &str {
        let range = span.start as usize..(span.start + span.length) as usize;
        if span.joined {
            &self.joined[range]
        } else {
            &self.source[range]
        }
    }

    /// Element codes from the root; `[n]` where several may stand.
    pub(super) fn path(&self, node: usize) -> String {
        let element = self.element(node);
        let mut path = match self.nodes[node].parent as usize {
            _ if node == 0 => String::new(),
            parent => self.path(parent) + "/",
        };
        path.push_str(&element.code);
        if element.max > 1 {
            path += &format!("[{}]", self.nodes[node].nth);
        }
        path
    }

    /// Nodes right below a node.
    pub(super) fn below(&self, node: usize) -> impl Iterator<Item = usize> {
        let end = self.nodes[node].end as usize;
        let next = move |at: &usize| Some(self.nodes[*at].end as usize).filter(|at| *at < end);
        std::iter::successors(Some(node + 1).filter(|at| *at < end), next)
    }

    /// The item on which something in or at `node` depends.
    pub(super) fn selected(&self, node: usize, selector: &Selector) -> Option<usize> {
        let mut at = node;
        while self.nodes[at].element != selector.within && at != 0 {
            at = self.nodes[at].parent as usize;
        }
        for step in &selector.path {
            at = self.child(at, *step)?;
        }
        Some(at)
    }

    /// The first node right below that is this element.
    pub(super) fn child(&self, node: usize, element: u16) -> Option<usize> {
        self.below(node)
            .find(|below| self.nodes[*below].element == element)
    }

    /// The code list of an item: `Err` when it depends on what is not there.
    pub(super) fn list(&self, node: usize) -> Result<Option<&'static List>, ()> {
        let Form::Item { choice, .. } = &self.element(node).form else {
            return Ok(None);
        };
        let list = match choice {
            Choice::None => return Ok(None),
            Choice::List(list) => *list,
            Choice::By { selector, cases } => {
                let selected = self.selected(node, selector).ok_or(())?;
                let value = self.text(self.nodes[selected].value);
                cases.iter().find(|(case, _)| case == value).ok_or(())?.1
            }
        };
        Ok(Some(&self.dictionary.lists[usize::from(list)]))
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("dictionary", &self.dictionary.name)
            .field("nodes", &self.nodes.len())
            .field("unknown", &self.foreign.len())
            .field("remarks", &(self.remarks.len() + self.remarks_left_out))
            .finish_non_exhaustive()
    }
}

/// A unit of a report.
#[derive(Clone, Copy)]
pub struct Unit<'r> {
    pub(super) report: &'r Report,
    pub(super) index: usize,
}

/// What stands right below a unit.
#[derive(Clone, Copy)]
pub enum Child<'r> {
    /// A value.
    Item(Item<'r>),
    /// More of the tree.
    Unit(Unit<'r>),
}

impl<'r> Unit<'r> {
    /// Its code: `PD01A`.
    #[must_use]
    pub fn code(self) -> &'static str {
        &self.report.element(self.index).code
    }

    /// Its label.
    #[must_use]
    pub fn label(self) -> Label<'static> {
        self.report.element(self.index).label()
    }

    /// Where it stands: `Document/PDA/PD01[2]`.
    #[must_use]
    pub fn path(self) -> String {
        self.report.path(self.index)
    }

    /// Its number, from 1, among its likes in the unit above; nothing for a unit
    /// that comes once.
    #[must_use]
    pub fn nth(self) -> Option<u32> {
        let several = self.report.element(self.index).max > 1;
        several.then(|| self.report.nodes[self.index].nth)
    }

    pub(super) fn element(self) -> u16 {
        self.report.nodes[self.index].element
    }

    /// What it is in the report.
    pub(super) fn level(self) -> Level {
        match self.report.element(self.index).form {
            Form::Unit { level, .. } => level,
            // Units are only made of nodes that are units.
            Form::Item { .. } => Level::Plain,
        }
    }

    /// What stands right below, in document order.
    pub fn children(self) -> impl Iterator<Item = Child<'r>> {
        let report = self.report;
        report
            .below(self.index)
            .map(move |index| match report.element(index).form {
                Form::Item { .. } => Child::Item(Item { report, index }),
                Form::Unit { .. } => Child::Unit(Unit { report, index }),
            })
    }

    /// Items right below, in document order.
    pub fn items(self) -> impl Iterator<Item = Item<'r>> {
        self.children().filter_map(|child| match child {
            Child::Item(item) => Some(item),
            Child::Unit(_) => None,
        })
    }

    /// Units right below, in document order.
    pub fn units(self) -> impl Iterator<Item = Unit<'r>> {
        self.children().filter_map(|child| match child {
            Child::Item(_) => None,
            Child::Unit(unit) => Some(unit),
        })
    }

    /// All items with this code anywhere below, in document order.
    pub fn all(self, code: &str) -> impl Iterator<Item = Item<'r>> {
        let dictionary = self.report.dictionary;
        let wanted = dictionary.find(code);
        let wanted = wanted.filter(|e| matches!(dictionary.at(*e).form, Form::Item { .. }));
        wanted.into_iter().flat_map(move |item| self.each(item))
    }

    /// All items that are this element anywhere below, in document order.
    pub(super) fn each(self, item: u16) -> impl Iterator<Item = Item<'r>> {
        let report = self.report;
        let range = self.index..report.nodes[self.index].end as usize;
        let found = move |index: &usize| report.nodes[*index].element == item;
        range.filter(found).map(move |index| Item { report, index })
    }

    /// The first of them that says something.
    pub(super) fn filled(self, item: u16) -> Option<Item<'r>> {
        self.each(item).find(Item::is_filled)
    }

    /// Whether an item of the unit is as the test wants it.
    pub(super) fn passes(self, test: &Test) -> bool {
        let fits = |item: Item<'_>| {
            item.is_filled()
                && (test.values.is_empty() || test.values.iter().any(|one| one == item.raw()))
        };
        self.each(test.item).any(fits) == test.holds
    }

    /// The first item with this code anywhere below.
    #[must_use]
    pub fn item(self, code: &str) -> Option<Item<'r>> {
        self.all(code).next()
    }

    /// Whether any item below says something.
    #[must_use]
    pub fn is_filled(self) -> bool {
        let mut range = self.index..self.report.nodes[self.index].end as usize;
        range.any(|index| value::says_something(self.report.text(self.report.nodes[index].value)))
    }
}

impl fmt::Debug for Unit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Unit").field(&self.path()).finish()
    }
}

/// An element that the dictionary does not know. `Debug` shows its path only.
#[derive(Clone, Copy)]
pub struct Unknown<'r> {
    report: &'r Report,
    foreign: &'r Foreign,
}

impl<'r> Unknown<'r> {
    /// Where it stands: the path of the element around it, and its name cut at
    /// 64 characters; `#text` for text between elements, `#attributes`.
    #[must_use]
    pub fn path(&self) -> String {
        let name: String = match &self.foreign.what {
            What::Attributes => "#attributes".into(),
            What::Element { name } => self.report.source[name.clone()].chars().take(64).collect(),
            What::Text => "#text".into(),
        };
        format!("{}/{name}", self.report.path(self.foreign.parent as usize))
    }

    /// All of it, tags included, as XML.
    #[must_use]
    pub fn content(&self) -> &'r str {
        &self.report.source[self.foreign.content.clone()]
    }
}

impl fmt::Debug for Unknown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Unknown").field(&self.path()).finish()
    }
}
