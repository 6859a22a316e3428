//! The answer of a compiled expression for one record.

use std::cmp::Ordering;

use super::{
    HeaderField, Identity, LONG, Number, NumberId, Order, Predicate, Program, Ref, Run, Test,
    TestId, Text,
};
use crate::codes::CodeList;
use crate::expr::names::Lists;
use crate::kind;
use crate::predicate;
use crate::record::{Frames, Record};
use crate::validate::FileHeader;

/// What an expression sees: the record, what became of each of its values, and the file.
#[derive(Clone, Copy)]
pub(crate) struct Look<'a> {
    pub(crate) program: &'a Program,
    pub(crate) lists: &'a Lists,
    pub(crate) record: &'a Record,
    /// One cell for each slot of the record.
    pub(crate) cells: &'a [Cell],
    pub(crate) header: &'a FileHeader,
}

/// What the first pass found in one slot. It has no `Debug`: its number may be a birth date.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cell {
    pub(crate) state: State,
    /// The trimmed value in the text of the record.
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// See [`crate::kind::Kind::judge`]; of a text, its [`packed`](crate::codes::packed) number
    /// or [`LONG`]: most comparisons are of short codes.
    pub(crate) number: i128,
}

/// What stands in a slot.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum State {
    #[default]
    Absent,
    /// A value of wrong kind or length.
    BadForm,
    /// A value that is no code of its list.
    BadCode,
    /// A date out of range.
    BadRange,
    /// There, but blank; also a segment or group that is there.
    Empty,
    Filled,
    /// Inside a segment that must not be there and is not looked into.
    Hidden,
}

impl Look<'_> {
    /// True, false, or `None` for not applicable.
    pub(crate) fn test(&self, id: TestId, at: &Frames) -> Option<bool> {
        match self.program.tests[id as usize] {
            Test::AllDigits(text) => Some(self.text(text, at)?.bytes().all(|b| b.is_ascii_digit())),
            Test::Always => Some(true),
            Test::And(left, right) => match self.test(left, at) {
                Some(false) => Some(false),
                Some(true) => self.test(right, at),
                None => self.test(right, at).filter(|holds| !holds),
            },
            Test::Differ {
                group,
                tag,
                one,
                other,
                keys,
            } => self.differ(
                group,
                tag,
                [one, other].map(|word| self.word(word)),
                keys,
                at,
            ),
            Test::Each { group, all, test } => {
                let mut places = self.record.groups(group, at);
                Some(if all {
                    places.all(|place| self.test(test, &place).unwrap_or(true))
                } else {
                    places.any(|place| self.test(test, &place).unwrap_or(false))
                })
            }
            Test::Filled(item) => Some(!matches!(
                self.cell(item, at).state,
                State::Absent | State::Empty
            )),
            Test::Identifier { of, kind, number } => {
                let (kind, number) = (self.text(kind, at)?, self.text(number, at)?);
                Some(match of {
                    Identity::Organization => predicate::organization_ok(kind, number),
                    Identity::Person { countries } => {
                        predicate::person_ok(kind, number, self.list(countries))
                    }
                })
            }
            Test::Known { list, text } => Some(self.list(list).contains(self.text(text, at)?)),
            Test::Not(inner) => self.test(inner, at).map(|holds| !holds),
            Test::Number { order, left, right } => {
                Some(order.holds(self.number(left, at)?.cmp(&self.number(right, at)?)))
            }
            Test::NumberIn { left, set, inside } => {
                let left = self.number(left, at)?;
                let is_left = |number: &Number| matches!(number, Number::Literal(n) if *n == left);
                Some(self.program.numbers[set.range()].iter().any(is_left) == inside)
            }
            Test::Or(left, right) => match self.test(left, at) {
                Some(true) => Some(true),
                Some(false) => self.test(right, at),
                None => self.test(right, at).filter(|holds| *holds),
            },
            Test::Predicate(which, text) => {
                let text = self.text(text, at)?;
                Some(match which {
                    Predicate::LoanCard => predicate::loan_card_ok(text),
                    Predicate::Organization => predicate::organization_code_ok(text),
                    Predicate::UnifiedCredit => predicate::credit_code_ok(text),
                })
            }
            Test::Present(node) => Some(self.cell(node, at).state != State::Absent),
            Test::Starts(text, start) => Some(self.text(text, at)?.starts_with(self.word(start))),
            Test::Text {
                left: Text::Item(item),
                right: Text::Word(word),
                equal,
            } => {
                let cell = self.filled(item, at)?;
                let same = if cell.number == LONG {
                    self.slice(cell) == self.word(word)
                } else {
                    cell.number == self.program.short[word as usize]
                };
                Some(same == equal)
            }
            Test::Text { left, right, equal } => {
                Some((self.text(left, at)? == self.text(right, at)?) == equal)
            }
            Test::TextIn {
                left: Text::Item(item),
                set,
                inside,
            } if self.filled(item, at)?.number != LONG => {
                let number = self.filled(item, at)?.number;
                Some(self.program.short[set.range()].contains(&number) == inside)
            }
            Test::TextIn { left, set, inside } => {
                let left = self.text(left, at)?;
                Some(
                    self.program.words[set.range()]
                        .iter()
                        .any(|word| **word == *left)
                        == inside,
                )
            }
            Test::Unique { group, keys } => Some(self.unique(group, keys, at)),
        }
    }

    /// The cell of a value that did not fail.
    fn filled(&self, item: Ref, at: &Frames) -> Option<&Cell> {
        let cell = self.cell(item, at);
        (cell.state == State::Filled).then_some(cell)
    }

    /// The trimmed text of a value that did not fail.
    pub(crate) fn item(&self, item: Ref, at: &Frames) -> Option<&str> {
        let cell = self.cell(item, at);
        (cell.state == State::Filled).then(|| self.slice(cell))
    }

    /// What stands in the slot of a node.
    pub(crate) fn cell(&self, node: Ref, at: &Frames) -> &Cell {
        &self.cells[at.slot(node.slot, node.level)]
    }

    fn text(&self, text: Text, at: &Frames) -> Option<&str> {
        match text {
            Text::Header(field) => Some(match field {
                HeaderField::Org => self.header.org.trim(),
                HeaderField::Record => self.header.record.trim(),
                HeaderField::Template => self.header.template.trim(),
            })
            .filter(|text| !text.is_empty()),
            Text::Item(item) => self.item(item, at),
            Text::Raw(item) => {
                let cell = self.cell(item, at);
                let none = matches!(cell.state, State::Absent | State::Empty | State::Hidden);
                (!none).then(|| self.slice(cell))
            }
            Text::Word(word) => Some(self.word(word)),
        }
    }

    fn number(&self, id: NumberId, at: &Frames) -> Option<i128> {
        match self.program.numbers[id as usize] {
            Number::Add(left, right) => self.number(left, at)?.checked_add(self.number(right, at)?),
            Number::Count { group, test } => {
                let meets = |place: &Frames| {
                    test.is_none_or(|test| self.test(test, place).unwrap_or(false))
                };
                Some(self.record.groups(group, at).filter(meets).count() as i128 * 100)
            }
            Number::Days(left, right) => {
                let (left, right) = (self.number(left, at)?, self.number(right, at)?);
                let span = kind::day(right)?.until(kind::day(left)?).ok()?;
                Some(i128::from(span.get_days()) * 100)
            }
            Number::HeaderDate => Some(kind::day_number(self.header.date)),
            Number::Item(item) => {
                let cell = self.cell(item, at);
                (cell.state == State::Filled).then_some(cell.number)
            }
            Number::Len(text) => Some(self.text(text, at)?.chars().count() as i128 * 100),
            Number::Literal(number) => Some(number),
            Number::MonthOf(day) => Some(self.number(day, at)? / 100),
            Number::Months(sides) => {
                let mut months = [0; 2];
                for (month, (side, is_day)) in months.iter_mut().zip(sides) {
                    let number = self.number(side, at)?;
                    let number = if is_day { number / 100 } else { number };
                    *month = number / 100 * 12 + number % 100;
                }
                Some((months[0] - months[1]) * 100)
            }
            Number::Sub(left, right) => self.number(left, at)?.checked_sub(self.number(right, at)?),
        }
    }

    /// A group with a failed key agrees with none; an absent key is equal to an empty one.
    fn unique(&self, group: Ref, keys: Run, at: &Frames) -> bool {
        let mut places: Vec<Frames> = self.record.groups(group, at).collect();
        if places.len() < 2 {
            return true;
        }
        let keys = &self.program.keys[keys.range()];
        places.retain(|place| keys.iter().all(|key| self.key(*key, place).is_some()));
        places.sort_by(|a, b| self.order_of(keys, a, b));
        !places
            .windows(2)
            .any(|pair| self.order_of(keys, &pair[0], &pair[1]).is_eq())
    }

    fn differ(
        &self,
        group: Ref,
        tag: Ref,
        pair: [&str; 2],
        keys: Run,
        at: &Frames,
    ) -> Option<bool> {
        let keys = &self.program.keys[keys.range()];
        let of = |value: &str| -> Vec<Frames> {
            let is_it = |place: &Frames| {
                self.item(tag, place) == Some(value)
                    && keys.iter().all(|key| self.key(*key, place).is_some())
            };
            self.record.groups(group, at).filter(is_it).collect()
        };
        let mut ones = of(pair[0]);
        ones.sort_by(|a, b| self.order_of(keys, a, b));
        let agrees = |other: &Frames| {
            ones.binary_search_by(|one| self.order_of(keys, one, other))
                .is_ok()
        };
        Some(!of(pair[1]).iter().any(agrees))
    }

    fn order_of(&self, keys: &[Ref], a: &Frames, b: &Frames) -> Ordering {
        keys.iter()
            .map(|key| self.key(*key, a).cmp(&self.key(*key, b)))
            .find(|o| o.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    fn key(&self, item: Ref, at: &Frames) -> Option<&str> {
        match self.cell(item, at).state {
            State::Absent | State::Empty => Some(""),
            _ => self.item(item, at),
        }
    }

    fn word(&self, word: u32) -> &str {
        &self.program.words[word as usize]
    }

    fn list(&self, list: u16) -> &CodeList {
        &self.lists.0[list as usize].1
    }

    fn slice(&self, cell: &Cell) -> &str {
        &self.record.text[cell.start as usize..cell.end as usize]
    }
}

impl Order {
    /// Whether left against right is as this comparison asks.
    pub(crate) fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Above => ordering.is_gt(),
            Self::AtLeast => ordering.is_ge(),
            Self::AtMost => ordering.is_le(),
            Self::Below => ordering.is_lt(),
            Self::Equal => ordering.is_eq(),
            Self::Unequal => ordering.is_ne(),
        }
    }
}
