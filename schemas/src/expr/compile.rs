//! From a parsed expression to a [`Program`]: every word is looked up, every comparison typed.

use std::sync::Arc;

use super::parse::{Ast, Term, parse};
use super::{
    ExprError, HeaderField, Identity, Number, NumberId, Order, Predicate, Program, Ref, Run, Test,
    TestId, Text, Unit,
};
use crate::codes::{CodeList, Codes};
use crate::kind::Kind;
use crate::plan::tree::{LEVELS, Node, Shape};

/// What an expression of one record may speak of.
pub(crate) struct Names<'a> {
    pub(crate) nodes: &'a [Node],
    pub(crate) codes: &'a Codes,
    /// The lists the plan has asked for so far; their places are what the plan keeps.
    pub(crate) lists: &'a mut Lists,
    /// The list whose codes begin a passport number.
    pub(crate) country_list: &'a str,
}

/// The code lists of one plan, by place.
#[derive(Debug, Default)]
pub(crate) struct Lists(pub(crate) Vec<(Box<str>, Arc<CodeList>)>);

/// Where an expression stands: bare tags belong to `node`, which lies inside `groups`.
#[derive(Clone, Debug)]
pub(crate) struct Here {
    pub(crate) node: u16,
    pub(crate) groups: Vec<u16>,
}

/// One side of a comparison.
enum Side {
    Literal(String),
    Number(NumberId, Unit),
    /// With the item whose code lists a literal must be in.
    Text(Text, Option<u16>),
}

type Result<T> = std::result::Result<T, ExprError>;

impl Lists {
    /// The place of a list that the edition has, taken up on first use.
    pub(crate) fn place(&mut self, name: &str, codes: &Codes) -> Option<u16> {
        if let Some(place) = self.0.iter().position(|(known, _)| &**known == name) {
            return Some(place as u16);
        }
        self.0.push((name.into(), codes.shared(name)?));
        Some(self.0.len() as u16 - 1)
    }
}

impl Names<'_> {
    /// Compiles the text of a condition.
    ///
    /// # Errors
    ///
    /// The first place where it is no expression, names what is not there, or compares unlikes.
    pub(crate) fn compile(
        &mut self,
        program: &mut Program,
        source: &str,
        here: &Here,
    ) -> Result<TestId> {
        let ast = parse(source)?;
        Builder {
            names: self,
            program,
        }
        .test(&ast, here)
    }

    /// The node that a path names, seen from `here`.
    pub(crate) fn find(&self, path: &str, here: &Here) -> Option<u16> {
        let child = |node: u16, tag: &str| {
            let children = self.nodes[node as usize].children.iter().copied();
            children
                .into_iter()
                .find(|child| &*self.nodes[*child as usize].tag == tag)
        };
        if !path.contains('.')
            && let Some(found) = child(here.node, path)
        {
            return Some(found);
        }
        path.split('.').try_fold(0, child)
    }

    /// Where a node stands itself: its own segment or group.
    pub(crate) fn inside(&self, node: u16) -> Here {
        let mut groups = self.groups_above(node);
        if matches!(self.nodes[node as usize].shape, Shape::Group(_)) {
            groups.push(node);
        }
        Here { node, groups }
    }

    /// The repeating groups around a node, outermost first.
    fn groups_above(&self, node: u16) -> Vec<u16> {
        let mut groups = Vec::new();
        let mut at = node;
        while at != 0 {
            at = self.nodes[at as usize].parent;
            if matches!(self.nodes[at as usize].shape, Shape::Group(_)) {
                groups.insert(0, at);
            }
        }
        groups
    }
}

struct Builder<'b, 'a> {
    names: &'b mut Names<'a>,
    program: &'b mut Program,
}

impl Builder<'_, '_> {
    fn test(&mut self, ast: &Ast<'_>, here: &Here) -> Result<TestId> {
        let test = match &ast.term {
            Term::Word("always") => Test::Always,
            Term::And(sides) => Test::And(self.test(&sides[0], here)?, self.test(&sides[1], here)?),
            Term::Or(sides) => Test::Or(self.test(&sides[0], here)?, self.test(&sides[1], here)?),
            Term::Implies(sides) => {
                let left = self.test(&sides[0], here)?;
                let not = self.program.test(Test::Not(left));
                Test::Or(not, self.test(&sides[1], here)?)
            }
            Term::Not(inner) => Test::Not(self.test(inner, here)?),
            Term::Compare(order, sides) => self.comparison(ast, *order, sides, here)?,
            Term::In { item, set, inside } => self.membership(item, set, *inside, here)?,
            Term::Call { name, arguments } => self.question(ast, name, arguments, here)?,
            Term::Each {
                name,
                group,
                arguments,
            } => self.each(ast, name, group, arguments, here)?,
            Term::Add(_) | Term::Sub(_) | Term::Quoted(_) | Term::Word(_) => {
                return Err(fail(ast, "a condition should stand here"));
            }
        };
        Ok(self.program.test(test))
    }

    fn comparison(
        &mut self,
        ast: &Ast<'_>,
        order: Order,
        sides: &[Ast<'_>; 2],
        here: &Here,
    ) -> Result<Test> {
        let left = self.side(&sides[0], here)?;
        let right = self.side(&sides[1], here)?;
        let equality = match order {
            Order::Equal => Some(true),
            Order::Unequal => Some(false),
            _ => None,
        };
        match (left, right) {
            (Side::Number(left, unit), Side::Number(right, other)) if unit == other => {
                Ok(Test::Number { order, left, right })
            }
            (Side::Number(left, unit), Side::Literal(value)) => {
                let value = literal(&sides[1], &value, unit)?;
                let right = self.program.number(Number::Literal(value));
                Ok(Test::Number { order, left, right })
            }
            (Side::Text(left, item), Side::Literal(value)) => {
                let equal = equality.ok_or_else(|| fail(ast, "text has no order"))?;
                self.listed(&sides[1], item, &value)?;
                let right = Text::Word(self.program.word(&value));
                Ok(Test::Text { left, right, equal })
            }
            (Side::Text(left, _), Side::Text(right, _)) => {
                let equal = equality.ok_or_else(|| fail(ast, "text has no order"))?;
                Ok(Test::Text { left, right, equal })
            }
            (Side::Literal(word), _) => Err(fail(
                &sides[0],
                format!("no item {word} here; an item stands on the left"),
            )),
            _ => Err(fail(ast, "the two sides are of different kinds")),
        }
    }

    fn membership(
        &mut self,
        item: &Ast<'_>,
        set: &[String],
        inside: bool,
        here: &Here,
    ) -> Result<Test> {
        match self.side(item, here)? {
            Side::Text(left, listed) => {
                let start = self.program.words.len() as u32;
                for value in set {
                    self.listed(item, listed, value)?;
                    self.program.word(value);
                }
                let set = Run {
                    start,
                    end: self.program.words.len() as u32,
                };
                Ok(Test::TextIn { left, set, inside })
            }
            Side::Number(left, unit) => {
                let values: Result<Vec<i128>> =
                    set.iter().map(|value| literal(item, value, unit)).collect();
                let start = self.program.numbers.len() as u32;
                self.program
                    .numbers
                    .extend(values?.into_iter().map(Number::Literal));
                let set = Run {
                    start,
                    end: self.program.numbers.len() as u32,
                };
                Ok(Test::NumberIn { left, set, inside })
            }
            Side::Literal(word) => Err(fail(item, format!("no item {word} here"))),
        }
    }

    /// A function whose answer is yes or no.
    fn question(
        &mut self,
        ast: &Ast<'_>,
        name: &str,
        arguments: &[Ast<'_>],
        here: &Here,
    ) -> Result<Test> {
        match (name, arguments) {
            ("present", [x]) => Ok(Test::Present(self.reference(x, here)?)),
            ("filled", [x]) => Ok(Test::Filled(self.item(x, here)?)),
            ("alldigits", [x]) => Ok(Test::AllDigits(self.text(x, here)?)),
            ("starts", [x, start]) => {
                let text = self.text(x, here)?;
                Ok(Test::Starts(text, self.program.word(plain(start)?)))
            }
            ("known", [list, x]) => Ok(Test::Known {
                list: self.list(list, plain(list)?)?,
                text: self.text(x, here)?,
            }),
            ("usc_ok", [x]) => Ok(Test::Predicate(
                Predicate::UnifiedCredit,
                self.text(x, here)?,
            )),
            ("org_ok", [x]) => Ok(Test::Predicate(
                Predicate::Organization,
                self.text(x, here)?,
            )),
            ("zzm_ok", [x]) => Ok(Test::Predicate(Predicate::LoanCard, self.text(x, here)?)),
            ("id_ok", [kind, number, of]) => {
                let of = match plain(of)? {
                    "person" => {
                        let countries = self.names.country_list;
                        Identity::Person {
                            countries: self.list(of, countries)?,
                        }
                    }
                    "organization" => Identity::Organization,
                    _ => return Err(fail(of, "person or organization should stand here")),
                };
                let (kind, number) = (self.text(kind, here)?, self.text(number, here)?);
                Ok(Test::Identifier { of, kind, number })
            }
            ("differ", [group, tag, one, other, keys @ ..]) if !keys.is_empty() => {
                let (group, inner) = self.group(group, plain(group)?, here)?;
                let tag = self.item(tag, &inner)?;
                for value in [one, other] {
                    self.listed(value, Some(tag.node), plain(value)?)?;
                }
                let (one, other) = (
                    self.program.word(plain(one)?),
                    self.program.word(plain(other)?),
                );
                Ok(Test::Differ {
                    group,
                    tag,
                    one,
                    other,
                    keys: self.keys(keys, &inner)?,
                })
            }
            _ => Err(fail(
                ast,
                format!("no condition {name} with {} arguments", arguments.len()),
            )),
        }
    }

    fn each(
        &mut self,
        ast: &Ast<'_>,
        name: &str,
        group: &str,
        arguments: &[Ast<'_>],
        here: &Here,
    ) -> Result<Test> {
        let (group, inner) = self.group(ast, group, here)?;
        match (name, arguments) {
            ("all" | "any", [test]) => Ok(Test::Each {
                group,
                all: name == "all",
                test: self.test(test, &inner)?,
            }),
            ("unique", keys) => Ok(Test::Unique {
                group,
                keys: self.keys(keys, &inner)?,
            }),
            _ => Err(fail(ast, format!("no condition {name} over a group"))),
        }
    }

    fn side(&mut self, ast: &Ast<'_>, here: &Here) -> Result<Side> {
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

    /// The text of an item, whatever its kind.
    fn text(&mut self, ast: &Ast<'_>, here: &Here) -> Result<Text> {
        Ok(Text::Item(self.item(ast, here)?))
    }

    fn item(&mut self, ast: &Ast<'_>, here: &Here) -> Result<Ref> {
        let item = self.reference(ast, here)?;
        match self.names.nodes[item.node as usize].shape {
            Shape::Item(_) => Ok(item),
            _ => Err(fail(ast, "an item should stand here, not a segment")),
        }
    }

    fn reference(&mut self, ast: &Ast<'_>, here: &Here) -> Result<Ref> {
        let Term::Word(path) = ast.term else {
            return Err(fail(ast, "an item should stand here"));
        };
        let found = self.names.find(path, here);
        let node = found.ok_or_else(|| fail(ast, format!("no item or segment {path} here")))?;
        let groups = self.names.groups_above(node);
        if !here.groups.starts_with(&groups) {
            return Err(fail(
                ast,
                format!("{path} repeats: ask with all, any or count"),
            ));
        }
        Ok(Ref {
            node,
            slot: self.names.nodes[node as usize].slot,
            level: groups.len() as u8,
        })
    }

    fn group(&mut self, ast: &Ast<'_>, path: &str, here: &Here) -> Result<(Ref, Here)> {
        let word = Ast {
            at: ast.at,
            term: Term::Word(path),
        };
        let group = self.reference(&word, here)?;
        let inner = self.names.inside(group.node);
        if !matches!(self.names.nodes[group.node as usize].shape, Shape::Group(_)) {
            return Err(fail(ast, format!("{path} does not repeat")));
        }
        if inner.groups.len() >= LEVELS {
            return Err(fail(ast, "groups are nested too deep"));
        }
        Ok((group, inner))
    }

    fn keys(&mut self, keys: &[Ast<'_>], here: &Here) -> Result<Run> {
        let keys: Result<Vec<Ref>> = keys.iter().map(|key| self.item(key, here)).collect();
        let start = self.program.keys.len() as u32;
        self.program.keys.extend(keys?);
        Ok(Run {
            start,
            end: self.program.keys.len() as u32,
        })
    }

    fn list(&mut self, ast: &Ast<'_>, name: &str) -> Result<u16> {
        let place = self.names.lists.place(name, self.names.codes);
        place.ok_or_else(|| fail(ast, format!("no code list {name}")))
    }

    fn kind(&self, node: u16) -> Kind {
        match &self.names.nodes[node as usize].shape {
            Shape::Item(item) => item.kind,
            _ => Kind::Text,
        }
    }

    /// Refuses a value that its item can never have: the condition could never change its answer.
    fn listed(&self, ast: &Ast<'_>, item: Option<u16>, value: &str) -> Result<()> {
        let Some(Shape::Item(item)) = item.map(|node| &self.names.nodes[node as usize].shape)
        else {
            return Ok(());
        };
        let mut lists = item
            .lists
            .iter()
            .map(|list| &self.names.lists.0[*list as usize].1);
        if item.lists.is_empty() || lists.any(|list| list.contains(value)) {
            return Ok(());
        }
        Err(fail(ast, format!("the item has no code {value}")))
    }
}

/// The word or quoted text that stands here.
fn plain<'s>(ast: &Ast<'s>) -> Result<&'s str> {
    match ast.term {
        Term::Word(word) | Term::Quoted(word) => Ok(word),
        _ => Err(fail(ast, "a name or a value should stand here")),
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

fn literal(ast: &Ast<'_>, value: &str, unit: Unit) -> Result<i128> {
    let scale = if unit == Unit::Plain { 100 } else { 1 };
    let number = match unit {
        Unit::Plain | Unit::Year => value.parse::<i64>().ok(),
        Unit::Day | Unit::Month => None,
    };
    let number = number.ok_or_else(|| fail(ast, format!("{value} is no such number")))?;
    Ok(i128::from(number) * scale)
}

fn fail(ast: &Ast<'_>, problem: impl Into<String>) -> ExprError {
    ExprError {
        at: ast.at,
        problem: problem.into(),
    }
}
