//! The sides of a comparison: items, literals, and what can be counted.

use super::{Builder, Here, Result, fail, plain};
use crate::expr::parse::{Ast, Term};
use crate::expr::{HeaderField, Number, NumberId, Text, Unit};
use crate::kind::Kind;

/// One side of a comparison.
pub(super) enum Side {
    Literal(String),
    Number(NumberId, Unit),
    /// With the item whose code lists a literal must be in.
    Text(Text, Option<u16>),
}

impl Builder<'_, '_> {
    pub(super) fn side(&mut self, ast: &Ast<'_>, here: &Here) -> Result<Side> {
        let number = match &ast.term {
            Term::Quoted(text) => return Ok(Side::Literal((*text).to_owned())),
            Term::Word("header.date") => (Number::HeaderDate, Unit::Day),
            Term::Word("header.org") => {
                return Ok(Side::Text(Text::Header(HeaderField::Org), None));
            }
            Term::Word("header.record") => {
                return Ok(Side::Text(Text::Header(HeaderField::Record), None));
            }
            Term::Word("header.template") => {
                return Ok(Side::Text(Text::Header(HeaderField::Template), None));
            }
            Term::Word(word) if !word.contains('.') && self.names.find(word, here).is_none() => {
                return Ok(Side::Literal((*word).to_owned()));
            }
            Term::Word(_) => {
                let item = self.item(ast, here)?;
                match unit(self.kind(item.node)) {
                    Some(unit) => (Number::Item(item), unit),
                    None => return Ok(Side::Text(Text::Item(item), Some(item.node))),
                }
            }
            Term::Call {
                name: "text",
                arguments,
            } if arguments.len() == 1 => {
                return Ok(Side::Text(Text::Raw(self.item(&arguments[0], here)?), None));
            }
            Term::Add(_) | Term::Sub(_) | Term::Call { name: "sum", .. } => {
                let total = match &ast.term {
                    Term::Add(sides) => self.sum(&sides[..], here, Number::Add)?,
                    Term::Sub(sides) => self.sum(&sides[..], here, Number::Sub)?,
                    Term::Call { arguments, .. } => self.sum(arguments, here, Number::Add)?,
                    _ => None,
                };
                let total = total.ok_or_else(|| fail(ast, "nothing to add"))?;
                return Ok(Side::Number(total, Unit::Plain));
            }
            Term::Call {
                name: "days",
                arguments,
            } => match &arguments[..] {
                [a, b] => {
                    let (a, b) = (self.counted(a, here)?, self.counted(b, here)?);
                    if (a.1, b.1) != (Unit::Day, Unit::Day) {
                        return Err(fail(ast, "days counts between two dates"));
                    }
                    (Number::Days(a.0, b.0), Unit::Plain)
                }
                _ => return Err(fail(ast, "days takes two dates")),
            },
            Term::Call {
                name: "months",
                arguments,
            } => match &arguments[..] {
                [a, b] => {
                    let (a, b) = (self.counted(a, here)?, self.counted(b, here)?);
                    if [a.1, b.1]
                        .iter()
                        .any(|unit| !matches!(unit, Unit::Day | Unit::Month))
                    {
                        return Err(fail(ast, "months counts between dates or months"));
                    }
                    let sides = [(a.0, a.1 == Unit::Day), (b.0, b.1 == Unit::Day)];
                    (Number::Months(sides), Unit::Plain)
                }
                _ => return Err(fail(ast, "months takes two dates or months")),
            },
            Term::Call {
                name: "month",
                arguments,
            } if arguments.len() == 1 => match self.counted(&arguments[0], here)? {
                (day, Unit::Day) => (Number::MonthOf(day), Unit::Month),
                _ => return Err(fail(ast, "month takes a date")),
            },
            Term::Call {
                name: "len",
                arguments,
            } if arguments.len() == 1 => {
                (Number::Len(self.text(&arguments[0], here)?), Unit::Plain)
            }
            Term::Call {
                name: "count",
                arguments,
            } if arguments.len() == 1 => {
                let (group, _) = self.group(ast, plain(&arguments[0])?, here)?;
                (Number::Count { group, test: None }, Unit::Plain)
            }
            Term::Each {
                name: "count",
                group,
                arguments,
            } if arguments.len() == 1 => {
                let (group, inner) = self.group(ast, group, here)?;
                let test = Some(self.test(&arguments[0], &inner)?);
                (Number::Count { group, test }, Unit::Plain)
            }
            _ => return Err(fail(ast, "an item, a value or a number should stand here")),
        };
        Ok(Side::Number(self.program.number(number.0), number.1))
    }

    fn sum(
        &mut self,
        terms: &[Ast<'_>],
        here: &Here,
        join: fn(NumberId, NumberId) -> Number,
    ) -> Result<Option<NumberId>> {
        let mut total = None;
        for term in terms {
            let (id, unit) = self.counted(term, here)?;
            if unit != Unit::Plain {
                return Err(fail(term, "only amounts and counts can be added"));
            }
            total = Some(total.map_or(id, |left| self.program.number(join(left, id))));
        }
        Ok(total)
    }

    fn counted(&mut self, ast: &Ast<'_>, here: &Here) -> Result<(NumberId, Unit)> {
        match self.side(ast, here)? {
            Side::Number(id, unit) => Ok((id, unit)),
            Side::Literal(value) => {
                let value = literal(ast, &value, Unit::Plain)?;
                Ok((self.program.number(Number::Literal(value)), Unit::Plain))
            }
            Side::Text(..) => Err(fail(ast, "a number or a date should stand here")),
        }
    }
}

/// How an item of this kind is counted; `None` for text.
fn unit(kind: Kind) -> Option<Unit> {
    match kind {
        Kind::Ascii | Kind::Code | Kind::Digits | Kind::Text => None,
        Kind::Date => Some(Unit::Day),
        Kind::Decimal2 | Kind::Uint => Some(Unit::Plain),
        Kind::Month => Some(Unit::Month),
        Kind::Year => Some(Unit::Year),
    }
}

pub(super) fn literal(ast: &Ast<'_>, value: &str, unit: Unit) -> Result<i128> {
    let scale = if unit == Unit::Plain { 100 } else { 1 };
    let number = match unit {
        Unit::Plain | Unit::Year => value.parse::<i64>().ok(),
        Unit::Day | Unit::Month => None,
    };
    let number = number.ok_or_else(|| fail(ast, format!("{value} is no such number")))?;
    Ok(i128::from(number) * scale)
}
