//! Conditions asked of a record. What cannot be asked, for want of a sound
//! value, is not answered.

use std::{cmp::Ordering, collections::BTreeSet};

use super::{
    condition::{Expr, Side},
    identify,
    line::{Field, Fields, State},
    tables::{RecordType, What},
    text::Form,
};

/// Where a condition is asked: the record, or an entry of a group in it.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) kind: &'a RecordType,
    pub(crate) form: &'a Form,
    pub(crate) record: &'a Fields,
    pub(crate) entry: Option<&'a Fields>,
}

/// Days are `yyyymmdd`, months and years likewise; amounts and counts are in hundredths.
enum Value<'a> {
    Number(i128),
    Text(&'a str),
}

impl<'a> Place<'a> {
    /// What stands in the record, or around a node that lies in this group.
    pub(crate) fn fields(self, group: usize) -> &'a Fields {
        match self.entry {
            Some(entry) if group != 0 => entry,
            _ => self.record,
        }
    }

    /// The places of all entries of a group.
    pub(crate) fn entries(self, group: usize) -> Vec<Self> {
        let entries = self.field(group).entries.iter();
        let place = |entry| Self {
            entry: Some(entry),
            ..self
        };
        entries.map(place).collect()
    }

    fn field(self, node: usize) -> &'a Field {
        let node = &self.kind.nodes[node];
        self.fields(node.within).field(node.place)
    }

    /// The value of an item that has no fault.
    pub(crate) fn good(self, node: usize) -> Option<&'a str> {
        let field = self.field(node);
        let good = field.state.get() == State::Good && !field.hidden.get();
        good.then_some(field.text.as_str())
    }

    /// Yes, no, or no answer.
    pub(crate) fn holds(self, expr: &Expr) -> Option<bool> {
        match expr {
            Expr::Always => Some(true),
            Expr::And(sides) => match (self.holds(&sides[0]), self.holds(&sides[1])) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Expr::Or(sides) => either(self.holds(&sides[0]), self.holds(&sides[1])),
            Expr::Implies(sides) => either(
                self.holds(&sides[0]).map(|left| !left),
                self.holds(&sides[1]),
            ),
            Expr::Not(inside) => self.holds(inside).map(|it| !it),
            Expr::AllDigits(item) => {
                let text = self.good(*item)?;
                Some(text.chars().all(|it| it.is_ascii_digit()))
            }
            Expr::Compare(sign, left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                let order = compare(&left, &right);
                Some(match *sign {
                    "=" => order == Ordering::Equal,
                    "!=" => order != Ordering::Equal,
                    "<" => order == Ordering::Less,
                    "<=" => order != Ordering::Greater,
                    ">" => order == Ordering::Greater,
                    _ => order != Ordering::Less,
                })
            }
            Expr::Differ {
                group,
                tag,
                pair,
                keys,
            } => {
                let [one, other] = pair.map(|value| {
                    let entries = self.entries(*group).into_iter();
                    let of = entries.filter(|entry| entry.good(*tag) == Some(value));
                    of.filter_map(|entry| entry.keys(keys))
                        .collect::<BTreeSet<_>>()
                });
                Some(one.is_disjoint(&other))
            }
            Expr::Each(all, group, test) => {
                let entries = self.entries(*group).into_iter();
                let mut answers = entries.map(|entry| entry.holds(test));
                Some(if *all {
                    answers.all(|answer| answer != Some(false))
                } else {
                    answers.any(|answer| answer == Some(true))
                })
            }
            Expr::Filled(item) => {
                let state = self.field(*item).state.get();
                Some(!matches!(state, State::Absent | State::Blank))
            }
            Expr::Identifier {
                person,
                kind,
                number,
            } => {
                let (kind, number) = (self.good(*kind)?, self.good(*number)?);
                Some(if *person {
                    identify::is_person(self.kind, kind, number)
                } else {
                    identify::is_organization(kind, number)
                })
            }
            Expr::Present(node) => Some(self.field(*node).state.get() != State::Absent),
            Expr::Starts(item, start) => Some(self.good(*item)?.starts_with(start)),
            Expr::Unique(group, keys) => {
                let mut met = BTreeSet::new();
                let entries = self.entries(*group).into_iter();
                let known = entries.filter_map(|entry| entry.keys(keys));
                Some(known.into_iter().all(|keys| met.insert(keys)))
            }
            Expr::Within(inside, side, set) => {
                let value = self.value(side)?;
                let is_it = |member: &String| compare(&value, &Value::Text(member)).is_eq();
                Some(set.iter().any(is_it) == *inside)
            }
        }
    }

    /// The keys of an entry, if none of them has a fault; what is blank is like what is absent.
    fn keys(self, keys: &[usize]) -> Option<Vec<&'a str>> {
        let key = |key: &usize| match self.field(*key).state.get() {
            State::Absent | State::Blank => Some(""),
            _ => self.good(*key),
        };
        keys.iter().map(key).collect()
    }

    fn value(self, side: &Side) -> Option<Value<'a>> {
        let number = match side {
            Side::Between(days, sides) => {
                let (left, right) = (self.number(&sides[0])?, self.number(&sides[1])?);
                if *days {
                    identify::days(left)? - identify::days(right)?
                } else {
                    identify::months(left) - identify::months(right)
                }
            }
            Side::Count(group, test) => {
                let entries = self.entries(*group).into_iter();
                let counted = |entry: &Self| match test {
                    Some(test) => entry.holds(test) == Some(true),
                    None => true,
                };
                entries.filter(counted).count() as i128
            }
            Side::Header(field) => {
                let text = match *field {
                    "date" => return Some(Value::Number(digits(&self.form.day)?)),
                    "record" => self.form.record_type,
                    _ => self.form.template.trim(),
                };
                return Some(Value::Text(text)).filter(|_| !text.is_empty());
            }
            Side::Item(node) => {
                let text = self.good(*node)?;
                let What::Item(item) = &self.kind.nodes[*node].what else {
                    return None;
                };
                return match item.kind {
                    "date" | "month" | "year" | "decimal2" => digits(text).map(Value::Number),
                    "uint" => Some(Value::Number(digits(text)? * 100)),
                    _ => Some(Value::Text(text)),
                };
            }
            Side::Len(node) => self.good(*node)?.chars().count() as i128,
            Side::MonthOf(day) => return Some(Value::Number(self.number(day)? / 100)),
            Side::Raw(node) => {
                let text = self.field(*node).text.as_str();
                return Some(Value::Text(text)).filter(|_| !text.is_empty());
            }
            Side::Sum(terms) => {
                let mut total = 0;
                for (minus, term) in terms {
                    let number = self.number(term)?;
                    total += if *minus { -number } else { number };
                }
                return Some(Value::Number(total));
            }
            Side::Word(word) => return Some(Value::Text(word)),
        };
        Some(Value::Number(number * 100))
    }

    fn number(self, side: &Side) -> Option<i128> {
        match self.value(side)? {
            Value::Number(number) => Some(number),
            Value::Text(text) => Some(digits(text)? * 100),
        }
    }
}

fn either(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

/// A word of the tables beside a number is a whole number.
fn compare(left: &Value<'_>, right: &Value<'_>) -> Ordering {
    let whole = |text: &str| digits(text).map_or(0, |number| number * 100);
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.cmp(right),
        (Value::Number(left), Value::Text(right)) => left.cmp(&whole(right)),
        (Value::Text(left), Value::Number(right)) => whole(left).cmp(right),
        (Value::Text(left), Value::Text(right)) => left.cmp(right),
    }
}

/// The digits of a text as one number, negative after a minus at its start.
fn digits(text: &str) -> Option<i128> {
    let number: String = text.chars().filter(char::is_ascii_digit).collect();
    let number: i128 = number.parse().ok()?;
    // Within a date, `-` stands between digits.
    Some(if text.starts_with('-') {
        -number
    } else {
        number
    })
}
