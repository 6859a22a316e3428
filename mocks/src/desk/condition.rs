//! The conditions of the tables, as the desk reads them: a second reading of the
//! language that `docs/FORMATS.md` describes, written without a look at the first.

/// A condition. Numbers are places in the nodes of its record type.
#[derive(Debug)]
pub(crate) enum Expr {
    Always,
    And(Box<[Self; 2]>),
    AllDigits(usize),
    Compare(&'static str, Side, Side),
    /// No entry whose `tag` is `pair.0` agrees in all keys with one whose `tag` is `pair.1`.
    Differ {
        group: usize,
        tag: usize,
        pair: [&'static str; 2],
        keys: Vec<usize>,
    },
    /// All entries, or else any of them.
    Each(bool, usize, Box<Self>),
    Filled(usize),
    Identifier {
        person: bool,
        kind: usize,
        number: usize,
    },
    Implies(Box<[Self; 2]>),
    Not(Box<Self>),
    Or(Box<[Self; 2]>),
    Present(usize),
    Starts(usize, &'static str),
    Unique(usize, Vec<usize>),
    /// In the set, or else not.
    Within(bool, Side, Vec<String>),
}

/// What is compared.
#[derive(Debug)]
pub(crate) enum Side {
    Count(usize, Option<Box<Expr>>),
    /// Days, or else months, between two dates.
    Between(bool, Box<[Self; 2]>),
    /// A field of the file's header.
    Header(&'static str),
    Item(usize),
    Len(usize),
    MonthOf(Box<Self>),
    /// As written, whatever is wrong with it.
    Raw(usize),
    /// Added, or where marked taken away.
    Sum(Vec<(bool, Self)>),
    Word(&'static str),
}

/// What a word means: the node of this name seen from a node.
pub(crate) type Names<'n> = &'n dyn Fn(usize, &str) -> Option<usize>;

/// Reads a condition that stands at a node. The tables are our own: what is no
/// condition stops the mock at its start.
pub(crate) fn read(text: &'static str, here: usize, names: Names<'_>) -> Expr {
    let mut reader = Reader {
        rest: text,
        whole: text,
        names,
    };
    let expr = reader.implication(here);
    assert!(reader.rest.trim().is_empty(), "{text}");
    expr
}

struct Reader<'n> {
    rest: &'static str,
    whole: &'static str,
    names: Names<'n>,
}

/// A word, a quoted text, or a sign.
#[derive(Clone, Copy, PartialEq)]
enum Token {
    Quoted(&'static str),
    Sign(&'static str),
    Word(&'static str),
}

impl Reader<'_> {
    fn peek(&self) -> Option<(Token, &'static str)> {
        let text = self.rest.trim_start();
        let first = text.chars().next()?;
        if first == '"' {
            let (inside, rest) = text[1..].split_once('"')?;
            return Some((Token::Quoted(inside), rest));
        }
        let is_word = |it: char| it.is_alphanumeric() || it == '.' || it == '_';
        let end = text.find(|it| !is_word(it)).unwrap_or(text.len());
        if end > 0 {
            return Some((Token::Word(&text[..end]), &text[end..]));
        }
        let sign = text.get(..2).filter(|two| SIGNS.contains(two));
        let (sign, rest) = text.split_at(sign.map_or(first.len_utf8(), str::len));
        Some((Token::Sign(sign), rest))
    }

    fn token(&mut self) -> Token {
        let Some((token, rest)) = self.peek() else {
            panic!("{} ends too early", self.whole)
        };
        self.rest = rest;
        token
    }

    fn take(&mut self, wanted: Token) -> bool {
        match self.peek() {
            Some((token, rest)) if token == wanted => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn sign(&mut self, sign: &'static str) {
        assert!(self.take(Token::Sign(sign)), "{sign} in {}", self.whole);
    }

    fn implication(&mut self, here: usize) -> Expr {
        let left = self.either(here);
        if self.take(Token::Sign("=>")) {
            return Expr::Implies(Box::new([left, self.implication(here)]));
        }
        left
    }

    fn either(&mut self, here: usize) -> Expr {
        let mut left = self.both(here);
        while self.take(Token::Word("or")) {
            left = Expr::Or(Box::new([left, self.both(here)]));
        }
        left
    }

    fn both(&mut self, here: usize) -> Expr {
        let mut left = self.one(here);
        while self.take(Token::Word("and")) {
            left = Expr::And(Box::new([left, self.one(here)]));
        }
        left
    }

    fn one(&mut self, here: usize) -> Expr {
        if self.take(Token::Word("not")) {
            return Expr::Not(Box::new(self.one(here)));
        }
        if self.take(Token::Sign("(")) {
            let inside = self.implication(here);
            self.sign(")");
            return inside;
        }
        if self.take(Token::Word("always")) {
            return Expr::Always;
        }
        if let Some(asked) = self.question(here) {
            return asked;
        }
        let left = self.sum(here);
        match self.token() {
            Token::Word(word @ ("in" | "notin")) => {
                self.sign("{");
                let mut set = vec![self.member()];
                while self.take(Token::Sign(",")) {
                    set.push(self.member());
                }
                self.sign("}");
                Expr::Within(word == "in", left, set)
            }
            Token::Sign(sign) => Expr::Compare(sign, left, self.sum(here)),
            _ => panic!("nothing is compared in {}", self.whole),
        }
    }

    fn member(&mut self) -> String {
        let minus = if self.take(Token::Sign("-")) { "-" } else { "" };
        format!("{minus}{}", self.word())
    }

    fn word(&mut self) -> &'static str {
        match self.token() {
            Token::Quoted(word) | Token::Word(word) => word,
            Token::Sign(_) => panic!("no word in {}", self.whole),
        }
    }

    /// A function that answers yes or no.
    fn question(&mut self, here: usize) -> Option<Expr> {
        let before = self.rest;
        let (Token::Word(name), _) = self.peek()? else {
            return None;
        };
        self.token();
        if !QUESTIONS.contains(&name) || !self.take(Token::Sign("(")) {
            self.rest = before;
            return None;
        }
        let first = self.word();
        let asked = match name {
            "all" | "any" => {
                let group = self.node(here, first);
                self.sign(":");
                Expr::Each(name == "all", group, Box::new(self.implication(group)))
            }
            "unique" => {
                let group = self.node(here, first);
                self.sign(":");
                let key = self.item(group);
                Expr::Unique(group, self.more(group, key))
            }
            "differ" => {
                let group = self.node(here, first);
                self.sign(",");
                let tag = self.item(group);
                self.sign(",");
                let one = self.word();
                self.sign(",");
                let pair = [one, self.word()];
                self.sign(",");
                let key = self.item(group);
                let keys = self.more(group, key);
                Expr::Differ {
                    group,
                    tag,
                    pair,
                    keys,
                }
            }
            "present" => Expr::Present(self.node(here, first)),
            "filled" => Expr::Filled(self.node(here, first)),
            "alldigits" => Expr::AllDigits(self.node(here, first)),
            "starts" => {
                self.sign(",");
                Expr::Starts(self.node(here, first), self.word())
            }
            _ => {
                self.sign(",");
                let number = self.item(here);
                self.sign(",");
                Expr::Identifier {
                    person: self.word() == "person",
                    kind: self.node(here, first),
                    number,
                }
            }
        };
        self.sign(")");
        Some(asked)
    }

    fn more(&mut self, here: usize, first: usize) -> Vec<usize> {
        let mut all = vec![first];
        while self.take(Token::Sign(",")) {
            all.push(self.item(here));
        }
        all
    }

    fn item(&mut self, here: usize) -> usize {
        let word = self.word();
        self.node(here, word)
    }

    fn node(&self, here: usize, word: &str) -> usize {
        let found = (self.names)(here, word);
        found.unwrap_or_else(|| panic!("no {word} for {}", self.whole))
    }

    fn sum(&mut self, here: usize) -> Side {
        let first = self.side(here);
        let mut terms = vec![(false, first)];
        loop {
            let minus = self.take(Token::Sign("-"));
            if !minus && !self.take(Token::Sign("+")) {
                break;
            }
            terms.push((minus, self.side(here)));
        }
        match terms.pop() {
            Some((_, only)) if terms.is_empty() => only,
            Some(last) => {
                terms.push(last);
                Side::Sum(terms)
            }
            None => Side::Sum(terms),
        }
    }

    fn side(&mut self, here: usize) -> Side {
        let word = match self.token() {
            Token::Quoted(word) => return Side::Word(word),
            Token::Word(word) => word,
            Token::Sign(_) => panic!("nothing to compare in {}", self.whole),
        };
        if !self.take(Token::Sign("(")) {
            return match word.strip_prefix("header.") {
                Some(field) => Side::Header(field),
                None => (self.names)(here, word).map_or(Side::Word(word), Side::Item),
            };
        }
        let side = match word {
            "text" => Side::Raw(self.item(here)),
            "len" => Side::Len(self.item(here)),
            "month" => Side::MonthOf(Box::new(self.side(here))),
            "days" | "months" => {
                let left = self.side(here);
                self.sign(",");
                Side::Between(word == "days", Box::new([left, self.side(here)]))
            }
            "sum" => {
                let mut terms = vec![(false, self.sum(here))];
                while self.take(Token::Sign(",")) {
                    terms.push((false, self.sum(here)));
                }
                Side::Sum(terms)
            }
            "count" => {
                let group = self.item(here);
                let test = self.take(Token::Sign(":"));
                let test = test.then(|| Box::new(self.implication(group)));
                Side::Count(group, test)
            }
            _ => panic!("no {word} in {}", self.whole),
        };
        self.sign(")");
        side
    }
}

const SIGNS: [&str; 4] = ["=>", "!=", "<=", ">="];
const QUESTIONS: [&str; 9] = [
    "all",
    "alldigits",
    "any",
    "differ",
    "filled",
    "id_ok",
    "present",
    "starts",
    "unique",
];
