//! From a parsed expression to a [`Program`]: every word is looked up, every comparison typed.

mod side;

use super::names::{Here, Names};
use super::parse::{Ast, Term, parse};
use super::{ExprError, Identity, Number, Order, Predicate, Program, Ref, Run, Test, TestId, Text};
use crate::kind::Kind;
use crate::plan::tree::{LEVELS, Shape};
use side::{Side, literal};

type Result<T> = std::result::Result<T, ExprError>;

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

fn fail(ast: &Ast<'_>, problem: impl Into<String>) -> ExprError {
    ExprError {
        at: ast.at,
        problem: problem.into(),
    }
}
