//! The grammar of expressions: tokens to a tree that knows no items yet.
//!
//! From loose to tight: `=>`, `or`, `and`, `not`, comparison, `+` and `-`.

use super::token::{Token, What, tokens};
use super::{ExprError, Order};

/// A term and where it starts.
#[derive(Clone, Debug)]
pub(crate) struct Ast<'s> {
    pub(crate) at: usize,
    pub(crate) term: Term<'s>,
}

/// What a term is.
#[derive(Clone, Debug)]
pub(crate) enum Term<'s> {
    Add(Box<[Ast<'s>; 2]>),
    And(Box<[Ast<'s>; 2]>),
    Call {
        name: &'s str,
        arguments: Vec<Ast<'s>>,
    },
    Compare(Order, Box<[Ast<'s>; 2]>),
    /// `name(group: arguments)`.
    Each {
        name: &'s str,
        group: &'s str,
        arguments: Vec<Ast<'s>>,
    },
    Implies(Box<[Ast<'s>; 2]>),
    In {
        item: Box<Ast<'s>>,
        set: Vec<String>,
        inside: bool,
    },
    Not(Box<Ast<'s>>),
    Or(Box<[Ast<'s>; 2]>),
    Quoted(&'s str),
    Sub(Box<[Ast<'s>; 2]>),
    Word(&'s str),
}

/// Reads one whole expression.
///
/// # Errors
///
/// The first place where the text is not an expression, or is nested too deep.
pub(crate) fn parse(source: &str) -> Result<Ast<'_>, ExprError> {
    let tokens = tokens(source)?;
    let end = source.chars().count() + 1;
    let mut parser = Parser {
        tokens: &tokens,
        next: 0,
        end,
        depth: 0,
    };
    let ast = parser.implies()?;
    match parser.peek() {
        None => Ok(ast),
        Some(token) => Err(fail(token.at, "the expression should end here")),
    }
}

/// Deeper nesting is an accident; the deepest table row has four levels.
const DEPTH: usize = 64;

struct Parser<'t, 's> {
    tokens: &'t [Token<'s>],
    next: usize,
    end: usize,
    depth: usize,
}

impl<'s> Parser<'_, 's> {
    fn implies(&mut self) -> Result<Ast<'s>, ExprError> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(fail(self.at(), "nested too deep"));
        }
        let left = self.or()?;
        let ast = if self.take(What::Sign("=>")) {
            pair(left, self.implies()?, Term::Implies)
        } else {
            left
        };
        self.depth -= 1;
        Ok(ast)
    }

    fn or(&mut self) -> Result<Ast<'s>, ExprError> {
        let mut left = self.and()?;
        while self.take(What::Word("or")) {
            left = pair(left, self.and()?, Term::Or);
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Ast<'s>, ExprError> {
        let mut left = self.not()?;
        while self.take(What::Word("and")) {
            left = pair(left, self.not()?, Term::And);
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Ast<'s>, ExprError> {
        let at = self.at();
        let mut negated = false;
        while self.take(What::Word("not")) {
            negated = !negated;
        }
        let ast = self.comparison()?;
        Ok(if negated {
            Ast {
                at,
                term: Term::Not(Box::new(ast)),
            }
        } else {
            ast
        })
    }

    fn comparison(&mut self) -> Result<Ast<'s>, ExprError> {
        let left = self.sum()?;
        let Some(token) = self.peek() else {
            return Ok(left);
        };
        let order = match token.what {
            What::Sign("=") => Order::Equal,
            What::Sign("!=") => Order::Unequal,
            What::Sign("<") => Order::Below,
            What::Sign("<=") => Order::AtMost,
            What::Sign(">") => Order::Above,
            What::Sign(">=") => Order::AtLeast,
            What::Word(word @ ("in" | "notin")) => {
                self.next += 1;
                let (at, set) = (left.at, self.set()?);
                let item = Box::new(left);
                return Ok(Ast {
                    at,
                    term: Term::In {
                        item,
                        set,
                        inside: word == "in",
                    },
                });
            }
            _ => return Ok(left),
        };
        self.next += 1;
        let right = self.sum()?;
        Ok(pair(left, right, |sides| Term::Compare(order, sides)))
    }

    fn sum(&mut self) -> Result<Ast<'s>, ExprError> {
        let mut left = self.primary()?;
        loop {
            if self.take(What::Sign("+")) {
                left = pair(left, self.primary()?, Term::Add);
            } else if self.take(What::Sign("-")) {
                left = pair(left, self.primary()?, Term::Sub);
            } else {
                return Ok(left);
            }
        }
    }

    fn primary(&mut self) -> Result<Ast<'s>, ExprError> {
        let at = self.at();
        if self.take(What::Sign("(")) {
            let inner = self.implies()?;
            self.expect(")")?;
            return Ok(inner);
        }
        match self.peek().map(|token| token.what) {
            Some(What::Quoted(text)) => {
                self.next += 1;
                Ok(Ast {
                    at,
                    term: Term::Quoted(text),
                })
            }
            Some(What::Word(word)) => {
                self.next += 1;
                let term = if self.take(What::Sign("(")) {
                    self.call(word)?
                } else {
                    Term::Word(word)
                };
                Ok(Ast { at, term })
            }
            _ => Err(fail(at, "an item, a value or a function should stand here")),
        }
    }

    /// What follows `name(`.
    fn call(&mut self, name: &'s str) -> Result<Term<'s>, ExprError> {
        let mut arguments = vec![self.implies()?];
        let group = match arguments[0].term {
            Term::Word(word) if self.take(What::Sign(":")) => {
                arguments[0] = self.implies()?;
                Some(word)
            }
            _ => None,
        };
        while self.take(What::Sign(",")) {
            arguments.push(self.implies()?);
        }
        self.expect(")")?;
        Ok(match group {
            Some(group) => Term::Each {
                name,
                group,
                arguments,
            },
            None => Term::Call { name, arguments },
        })
    }

    /// `{a,-1,"*"}`.
    fn set(&mut self) -> Result<Vec<String>, ExprError> {
        self.expect("{")?;
        let mut set = Vec::new();
        loop {
            let minus = if self.take(What::Sign("-")) { "-" } else { "" };
            match self.peek().map(|token| token.what) {
                Some(What::Quoted(text) | What::Word(text)) => set.push(format!("{minus}{text}")),
                _ => return Err(fail(self.at(), "a value should stand here")),
            }
            self.next += 1;
            if !self.take(What::Sign(",")) {
                break;
            }
        }
        self.expect("}")?;
        Ok(set)
    }

    fn peek(&self) -> Option<Token<'s>> {
        self.tokens.get(self.next).copied()
    }

    fn at(&self) -> usize {
        self.peek().map_or(self.end, |token| token.at)
    }

    fn take(&mut self, what: What<'_>) -> bool {
        let found = self.peek().is_some_and(|token| token.what == what);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), ExprError> {
        let at = self.at();
        if self.take(What::Sign(sign)) {
            Ok(())
        } else {
            Err(fail(at, format!("{sign} should stand here")))
        }
    }
}

fn pair<'s>(
    left: Ast<'s>,
    right: Ast<'s>,
    term: impl FnOnce(Box<[Ast<'s>; 2]>) -> Term<'s>,
) -> Ast<'s> {
    Ast {
        at: left.at,
        term: term(Box::new([left, right])),
    }
}

fn fail(at: usize, problem: impl Into<String>) -> ExprError {
    ExprError {
        at,
        problem: problem.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree with every pair in parentheses.
    fn shape(ast: &Ast<'_>) -> String {
        let two = |sign: &str, sides: &[Ast<'_>; 2]| {
            format!("({} {sign} {})", shape(&sides[0]), shape(&sides[1]))
        };
        let list = |asts: &[Ast<'_>]| asts.iter().map(shape).collect::<Vec<_>>().join(",");
        match &ast.term {
            Term::Add(sides) => two("+", sides),
            Term::And(sides) => two("and", sides),
            Term::Call { name, arguments } => format!("{name}({})", list(arguments)),
            Term::Compare(order, sides) => two(&format!("{order:?}"), sides),
            Term::Each {
                name,
                group,
                arguments,
            } => format!("{name}({group}:{})", list(arguments)),
            Term::Implies(sides) => two("=>", sides),
            Term::In { item, set, inside } => format!("({} {inside} {set:?})", shape(item)),
            Term::Not(inner) => format!("not{}", shape(inner)),
            Term::Or(sides) => two("or", sides),
            Term::Quoted(text) => format!("'{text}'"),
            Term::Sub(sides) => two("-", sides),
            Term::Word(word) => (*word).to_owned(),
        }
    }

    #[test]
    fn operators_bind_as_the_grammar_says() {
        let cases = [
            (
                "a = 1 and b = 2 or c",
                "(((a Equal 1) and (b Equal 2)) or c)",
            ),
            ("not a = 1 and b", "(not(a Equal 1) and b)"),
            ("a => b => c", "(a => (b => c))"),
            ("a or b => c", "((a or b) => c)"),
            ("a = b - c + d", "(a Equal ((b - c) + d))"),
            ("x in {-1,0,\"*\"}", "(x true [\"-1\", \"0\", \"*\"])"),
            (
                "all(G.H: a = 1 => f(b, c))",
                "all(G.H:((a Equal 1) => f(b,c)))",
            ),
            ("unique(G: A, B)", "unique(G:A,B)"),
            ("not (a or b)", "not(a or b)"),
        ];
        for (source, expected) in cases {
            assert_eq!(shape(&parse(source).unwrap()), expected, "case {source}");
        }
    }

    #[test]
    fn what_is_no_expression_is_refused_with_its_place() {
        let deep = "(".repeat(65);
        let cases = [
            ("", 1),
            ("a =", 4),
            ("a b", 3),
            ("(a", 3),
            ("x in {}", 7),
            ("f(a", 4),
            (&deep, 65),
        ];
        for (source, at) in cases {
            assert_eq!(parse(source).unwrap_err().at, at, "case {source}");
        }
    }
}
