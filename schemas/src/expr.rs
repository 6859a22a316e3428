//! The conditions of the format tables, from text to an answer.
//!
//! # Promise
//!
//! A condition is compiled once, against the items of its record: an unknown item, function or
//! code, or two sides that cannot be compared, is an error with its place in the text. What is
//! compiled is a flat tree of small nodes that borrow nothing; evaluating it allocates nothing.
//!
//! # Three answers
//!
//! A comparison that touches an absent, empty or failed value is *not applicable*. `and` with a
//! false term is false and `or` with a true term is true; what else touches a term that is not
//! applicable is not applicable itself. Within `all` such a group counts as met, within `any` as
//! not met. `docs/FORMATS.md` shows the language to those who write tables.

pub(crate) mod compile;
pub(crate) mod eval;
pub(crate) mod names;
pub(crate) mod parse;
#[cfg(test)]
mod tests;
pub(crate) mod token;

use crate::codes::packed;

/// Where in the text of an expression something is wrong, and what.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("at character {at}: {problem}")]
pub(crate) struct ExprError {
    /// Counted from 1.
    pub(crate) at: usize,
    pub(crate) problem: String,
}

/// The compiled expressions of one record; ids are places in its arenas.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(crate) tests: Vec<Test>,
    pub(crate) numbers: Vec<Number>,
    pub(crate) words: Vec<Box<str>>,
    /// The words as [`packed`] numbers; a long one is no number of any value.
    pub(crate) short: Vec<i128>,
    pub(crate) keys: Vec<Ref>,
}

/// Stands for a text that is too long for a [`packed`] number.
pub(crate) const LONG: i128 = -1;

pub(crate) type TestId = u32;
pub(crate) type NumberId = u32;
pub(crate) type WordId = u32;

/// A run of places in one of the arenas.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// An item or segment: `level` counts the repeating groups around it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Ref {
    pub(crate) node: u16,
    pub(crate) slot: u16,
    pub(crate) level: u8,
}

/// What is true, false, or not applicable.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Test {
    AllDigits(Text),
    Always,
    And(TestId, TestId),
    /// No group whose `tag` is `one` agrees in all keys with a group whose `tag` is `other`.
    Differ {
        group: Ref,
        tag: Ref,
        one: WordId,
        other: WordId,
        keys: Run,
    },
    Each {
        group: Ref,
        all: bool,
        test: TestId,
    },
    Filled(Ref),
    Identifier {
        of: Identity,
        kind: Text,
        number: Text,
    },
    Known {
        list: u16,
        text: Text,
    },
    Not(TestId),
    Number {
        order: Order,
        left: NumberId,
        right: NumberId,
    },
    /// `set` is a run of numbers.
    NumberIn {
        left: NumberId,
        set: Run,
        inside: bool,
    },
    Or(TestId, TestId),
    Predicate(Predicate, Text),
    Present(Ref),
    Starts(Text, WordId),
    Text {
        left: Text,
        right: Text,
        equal: bool,
    },
    /// `set` is a run of words.
    TextIn {
        left: Text,
        set: Run,
        inside: bool,
    },
    Unique {
        group: Ref,
        keys: Run,
    },
}

/// A text, if there is one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Text {
    Header(HeaderField),
    Item(Ref),
    /// `text(x)`: as written, whatever the item's kind, even when the item failed its own check.
    Raw(Ref),
    Word(WordId),
}

/// A number, if there is one: amounts and counts in hundredths; a day as yyyymmdd, a month as
/// yyyymm, a year as yyyy.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Add(NumberId, NumberId),
    Count {
        group: Ref,
        test: Option<TestId>,
    },
    Days(NumberId, NumberId),
    HeaderDate,
    Item(Ref),
    Len(Text),
    Literal(i128),
    MonthOf(NumberId),
    /// `true`: the argument is a day, else a month.
    Months([(NumberId, bool); 2]),
    Sub(NumberId, NumberId),
}

/// What a number counts; only like can be compared with like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unit {
    Day,
    Month,
    Plain,
    Year,
}

/// Fields of the file header that an expression may ask for as text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HeaderField {
    Org,
    Record,
    Template,
}

/// Whose identifiers `id_ok` is asked to check.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Identity {
    Organization,
    /// With the list whose codes begin a passport number.
    Person {
        countries: u16,
    },
}

/// Checks of one text, see [`crate::predicate`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Predicate {
    LoanCard,
    Organization,
    UnifiedCredit,
}

/// A comparison.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Order {
    Above,
    AtLeast,
    AtMost,
    Below,
    Equal,
    Unequal,
}

impl Program {
    pub(crate) fn test(&mut self, test: Test) -> TestId {
        self.tests.push(test);
        self.tests.len() as u32 - 1
    }

    pub(crate) fn number(&mut self, number: Number) -> NumberId {
        self.numbers.push(number);
        self.numbers.len() as u32 - 1
    }

    pub(crate) fn word(&mut self, word: &str) -> WordId {
        self.words.push(word.into());
        self.short.push(packed(word).map_or(LONG, i128::from));
        self.words.len() as u32 - 1
    }
}

impl Program {
    /// The items, segments and groups that a condition speaks of, in the order of its text.
    pub(crate) fn nodes_of(&self, test: TestId) -> Vec<u16> {
        let mut found = Vec::new();
        self.in_test(test, &mut |node| found.push(node.node));
        found
    }

    fn in_test(&self, test: TestId, found: &mut dyn FnMut(Ref)) {
        match self.tests[test as usize] {
            Test::Always => {}
            Test::AllDigits(text)
            | Test::Known { text, .. }
            | Test::Predicate(_, text)
            | Test::Starts(text, _)
            | Test::TextIn { left: text, .. } => in_text(text, found),
            Test::And(left, right) | Test::Or(left, right) => {
                self.in_test(left, found);
                self.in_test(right, found);
            }
            Test::Differ {
                group, tag, keys, ..
            } => {
                found(group);
                found(tag);
                self.keys[keys.range()].iter().copied().for_each(found);
            }
            Test::Each { group, test, .. } => {
                found(group);
                self.in_test(test, found);
            }
            Test::Filled(node) | Test::Present(node) => found(node),
            Test::Identifier { kind, number, .. } => {
                in_text(kind, found);
                in_text(number, found);
            }
            Test::Not(inner) => self.in_test(inner, found),
            Test::Number { left, right, .. } => {
                self.in_number(left, found);
                self.in_number(right, found);
            }
            Test::NumberIn { left, .. } => self.in_number(left, found),
            Test::Text { left, right, .. } => {
                in_text(left, found);
                in_text(right, found);
            }
            Test::Unique { group, keys } => {
                found(group);
                self.keys[keys.range()].iter().copied().for_each(found);
            }
        }
    }

    fn in_number(&self, number: NumberId, found: &mut dyn FnMut(Ref)) {
        match self.numbers[number as usize] {
            Number::Add(left, right) | Number::Days(left, right) | Number::Sub(left, right) => {
                self.in_number(left, found);
                self.in_number(right, found);
            }
            Number::Count { group, test } => {
                found(group);
                if let Some(test) = test {
                    self.in_test(test, found);
                }
            }
            Number::HeaderDate | Number::Literal(_) => {}
            Number::Item(item) => found(item),
            Number::Len(text) => in_text(text, found),
            Number::MonthOf(day) => self.in_number(day, found),
            Number::Months([(left, _), (right, _)]) => {
                self.in_number(left, found);
                self.in_number(right, found);
            }
        }
    }
}

impl Run {
    pub(crate) fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

fn in_text(text: Text, found: &mut dyn FnMut(Ref)) {
    match text {
        Text::Item(item) | Text::Raw(item) => found(item),
        Text::Header(_) | Text::Word(_) => {}
    }
}
