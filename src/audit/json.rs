//! Canonical JSON (RFC 8785) of the narrow kind that entries are made of.
//!
//! # Promise
//!
//! One value has one spelling. Values are strings, integers within ±(2^53 - 1),
//! booleans, null, arrays and objects, and the names of members are lower-case
//! ASCII, so that their byte order is the UTF-16 order that RFC 8785 asks for.
//! [`check`] accepts exactly what [`Value::write`] can produce, in one pass and
//! without allocating, since a verifier does it to every entry of a log.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use thiserror::Error;

/// Largest integer that every JSON reader keeps exact: RFC 8785 section 3.2.2.3, RFC 7493.
pub const MAX_INTEGER: i64 = (1 << 53) - 1;

/// Deepest nesting that is read.
const MAX_DEPTH: u8 = 16;

/// A value of canonical JSON.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Value {
    /// An array.
    Array(Vec<Value>),
    /// `true` or `false`.
    Bool(bool),
    /// An integer within ±[`MAX_INTEGER`].
    Integer(i64),
    /// `null`.
    Null,
    /// An object.
    Object(BTreeMap<String, Value>),
    /// A string.
    String(String),
}

impl Value {
    /// Appends the one spelling of the value.
    ///
    /// # Errors
    ///
    /// [`JsonError::Integer`], [`JsonError::Name`] or [`JsonError::Depth`] for a
    /// value outside the narrow kind.
    pub fn write(&self, out: &mut String) -> Result<(), JsonError> {
        self.write_at(out, 0)
    }

    fn write_at(&self, out: &mut String, depth: u8) -> Result<(), JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError::Depth);
        }
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Integer(number) if number.unsigned_abs() > MAX_INTEGER as u64 => {
                return Err(JsonError::Integer);
            }
            // Writing to a string cannot fail.
            Self::Integer(number) => _ = write!(out, "{number}"),
            Self::String(text) => write_string(out, text),
            Self::Array(items) => {
                out.push('[');
                for (n, item) in items.iter().enumerate() {
                    if n > 0 {
                        out.push(',');
                    }
                    item.write_at(out, depth + 1)?;
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (n, (name, value)) in members.iter().enumerate() {
                    if !is_name(name.as_bytes()) {
                        return Err(JsonError::Name);
                    }
                    if n > 0 {
                        out.push(',');
                    }
                    write_string(out, name);
                    out.push(':');
                    value.write_at(out, depth + 1)?;
                }
                out.push('}');
            }
        }
        Ok(())
    }
}

/// Checks that `bytes` are one canonical object, and shows each of its own
/// members, name and raw value, in order.
///
/// # Errors
///
/// The first departure from the canonical form.
pub fn check<'a>(
    bytes: &'a [u8],
    mut member: impl FnMut(&'a [u8], &'a [u8]),
) -> Result<(), JsonError> {
    std::str::from_utf8(bytes).map_err(|_| JsonError::Utf8)?;
    let mut scanner = Scanner { bytes, at: 0 };
    scanner.object(0, &mut member)?;
    if scanner.at == bytes.len() {
        Ok(())
    } else {
        Err(JsonError::Syntax)
    }
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    fn value(&mut self, depth: u8) -> Result<(), JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError::Depth);
        }
        match self.peek() {
            Some(b'"') => self.string().map(|_| ()),
            Some(b'{') => self.object(depth, &mut |_, _| ()),
            Some(b'[') => self.array(depth),
            Some(b'-' | b'0'..=b'9') => self.integer(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => Err(JsonError::Syntax),
        }
    }

    fn object(
        &mut self,
        depth: u8,
        member: &mut impl FnMut(&'a [u8], &'a [u8]),
    ) -> Result<(), JsonError> {
        self.expect(b'{')?;
        if self.take(b'}') {
            return Ok(());
        }
        let mut before: &[u8] = &[];
        loop {
            let name = self.string()?;
            if !is_name(name) {
                return Err(JsonError::Name);
            }
            if name <= before {
                return Err(JsonError::Order);
            }
            before = name;
            self.expect(b':')?;
            let start = self.at;
            self.value(depth + 1)?;
            member(name, &self.bytes[start..self.at]);
            if !self.take(b',') {
                return self.expect(b'}');
            }
        }
    }

    fn array(&mut self, depth: u8) -> Result<(), JsonError> {
        self.expect(b'[')?;
        if self.take(b']') {
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            if !self.take(b',') {
                return self.expect(b']');
            }
        }
    }

    /// The raw text between the quotes.
    fn string(&mut self) -> Result<&'a [u8], JsonError> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            self.at += plain_length(&self.bytes[self.at..]).ok_or(JsonError::Syntax)?;
            match self.bytes[self.at] {
                b'"' => break,
                b'\\' => self.escape()?,
                _ => return Err(JsonError::Escape),
            }
        }
        let text = &self.bytes[start..self.at];
        self.at += 1;
        Ok(text)
    }

    /// Only what must be escaped may be, and in its shortest form.
    fn escape(&mut self) -> Result<(), JsonError> {
        self.at += 1;
        let length = match &self.bytes[self.at..] {
            [b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 1,
            [b'u', b'0', b'0', b'0', b'0'..=b'7' | b'b' | b'e' | b'f', ..] => 5,
            [b'u', b'0', b'0', b'1', b'0'..=b'9' | b'a'..=b'f', ..] => 5,
            _ => return Err(JsonError::Escape),
        };
        self.at += length;
        Ok(())
    }

    fn integer(&mut self) -> Result<(), JsonError> {
        let negative = self.take(b'-');
        let digits = &self.bytes[self.at..];
        let length = digits
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(digits.len());
        let number = match &digits[..length] {
            [b'0'] if !negative => 0,
            // Sixteen digits cannot overflow.
            [b'1'..=b'9', ..] if length <= 16 => digits[..length]
                .iter()
                .fold(0_i64, |sum, byte| sum * 10 + i64::from(byte - b'0')),
            _ => return Err(JsonError::Integer),
        };
        if number > MAX_INTEGER {
            return Err(JsonError::Integer);
        }
        self.at += length;
        Ok(())
    }

    fn word(&mut self, word: &[u8]) -> Result<(), JsonError> {
        if !self.bytes[self.at..].starts_with(word) {
            return Err(JsonError::Syntax);
        }
        self.at += word.len();
        Ok(())
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(JsonError::Syntax)
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }
}

/// How many bytes come before the first quote, backslash or control character.
///
/// Eight bytes at a time: a verifier spends most of its time here. In each
/// test the lowest byte that is marked is marked rightly; borrows reach only
/// higher ones.
fn plain_length(text: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGH;
    let (chunks, rest) = text.as_chunks::<8>();
    for (n, chunk) in chunks.iter().enumerate() {
        let word = u64::from_le_bytes(*chunk);
        let quote = below(word ^ (ONES * u64::from(b'"')), 1);
        let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
        let marked = below(word, 0x20) | quote | backslash;
        if marked != 0 {
            return Some(n * 8 + marked.trailing_zeros() as usize / 8);
        }
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    rest.iter()
        .position(special)
        .map(|at| chunks.len() * 8 + at)
}

/// The text of a raw string value without escapes; `None` for anything else.
#[must_use]
pub fn plain_string(raw: &[u8]) -> Option<&str> {
    let text = raw.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    std::str::from_utf8(text)
        .ok()
        .filter(|text| !text.contains('\\'))
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            // Writing to a string cannot fail.
            '\0'..' ' => _ = write!(out, "\\u{:04x}", c as u32),
            _ => out.push(c),
        }
    }
    out.push('"');
}

fn is_name(name: &[u8]) -> bool {
    name.first().is_some_and(u8::is_ascii_lowercase)
        && name
            .iter()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

/// Where a text departs from canonical JSON of the narrow kind.
#[derive(Clone, Copy, Debug, Eq, Error, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum JsonError {
    /// Nested too deeply.
    #[error("nested more deeply than 16 levels")]
    Depth,
    /// A control character unescaped, or an escape that is not the shortest.
    #[error("a string is not escaped canonically")]
    Escape,
    /// A number that is no integer within ±(2^53 - 1) in its shortest form.
    #[error("a number is not an integer within 2^53 in its shortest form")]
    Integer,
    /// A member name outside `[a-z][a-z0-9_]*`.
    #[error("a member name is not lower-case ASCII")]
    Name,
    /// Members out of order, or twice.
    #[error("members are out of order or repeated")]
    Order,
    /// White space, a missing bracket, or no JSON at all.
    #[error("not compact JSON")]
    Syntax,
    /// Not UTF-8.
    #[error("not UTF-8")]
    Utf8,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_one_spelling_is_accepted() {
        let cases = [
            (r#"{}"#, Ok(())),
            (
                r#"{"a":[1,-2,0,true,false,null,"\u001f\n\"\\"],"b":{"a":"中😀/"}}"#,
                Ok(()),
            ),
            (r#"{"a":9007199254740991,"b":-9007199254740991}"#, Ok(())),
            (r#"{"a":9007199254740992}"#, Err(JsonError::Integer)),
            (r#"{"a":99999999999999999}"#, Err(JsonError::Integer)),
            (r#"{"a":-0}"#, Err(JsonError::Integer)),
            (r#"{"a":01}"#, Err(JsonError::Integer)),
            (r#"{"a":1.5}"#, Err(JsonError::Syntax)),
            (r#"{"a":1e2}"#, Err(JsonError::Syntax)),
            (r#"{"a": 1}"#, Err(JsonError::Syntax)),
            (r#"{"a":1} "#, Err(JsonError::Syntax)),
            (r#"{"a":1,}"#, Err(JsonError::Syntax)),
            (r#"{"a":1"#, Err(JsonError::Syntax)),
            (r#"{"b":1,"a":1}"#, Err(JsonError::Order)),
            (r#"{"a":1,"a":1}"#, Err(JsonError::Order)),
            (r#"{"A":1}"#, Err(JsonError::Name)),
            (r#"{"":1}"#, Err(JsonError::Name)),
            (r#"{"a":"\/"}"#, Err(JsonError::Escape)),
            (r#"{"a":"\u0041"}"#, Err(JsonError::Escape)),
            (r#"{"a":"\u000a"}"#, Err(JsonError::Escape)),
            (r#"{"a":"\u001F"}"#, Err(JsonError::Escape)),
            ("{\"a\":\"\t\"}", Err(JsonError::Escape)),
            (r#"{"a":"\"#, Err(JsonError::Escape)),
            (r#"[1]"#, Err(JsonError::Syntax)),
            ("", Err(JsonError::Syntax)),
        ];
        for (text, expected) in cases {
            assert_eq!(check(text.as_bytes(), |_, _| ()), expected, "{text}");
        }
        assert_eq!(check(b"{\"a\":\"\xff\"}", |_, _| ()), Err(JsonError::Utf8));
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(99), "]".repeat(99));
        assert_eq!(check(deep.as_bytes(), |_, _| ()), Err(JsonError::Depth));
    }

    #[test]
    fn a_special_byte_is_found_at_every_place() {
        for special in [b'"', b'\\', 0, 0x1f] {
            for before in 0..20 {
                let mut text = vec![b' '; before];
                text.push(special);
                text.extend_from_slice(b"\"\\\xff\x80\x7f!#[]");
                assert_eq!(
                    plain_length(&text),
                    Some(before),
                    "{special} after {before}"
                );
                let without: Vec<u8> = "!#[]\u{7f}é😀 ".bytes().cycle().take(before).collect();
                assert_eq!(plain_length(&without), None, "{before} others");
            }
        }
    }

    #[test]
    fn own_members_are_shown_and_inner_ones_are_not() {
        let mut seen = Vec::new();
        let text = br#"{"a":{"id":"inner"},"id":"outer"}"#;
        check(text, |name, raw| seen.push((name, raw))).expect("canonical");
        assert_eq!(
            seen,
            [
                (&b"a"[..], &br#"{"id":"inner"}"#[..]),
                (b"id", br#""outer""#)
            ]
        );
        assert_eq!(plain_string(seen[1].1), Some("outer"));
        assert_eq!(plain_string(br#""a\n""#), None);
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            (-MAX_INTEGER..=MAX_INTEGER).prop_map(Value::Integer),
            any::<String>().prop_map(Value::String),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
                prop::collection::btree_map("[a-z][a-z0-9_]{0,5}", inner, 0..5)
                    .prop_map(Value::Object),
            ]
        })
    }

    /// What another library makes of the text, if it is JSON at all.
    fn respelled(text: &[u8]) -> Option<Vec<u8>> {
        let value: BTreeMap<String, serde_json::Value> = serde_json::from_slice(text).ok()?;
        serde_json::to_vec(&value).ok()
    }

    proptest! {
        #[test]
        fn what_is_written_is_canonical_and_another_library_spells_it_alike(value in values()) {
            let object = Value::Object([("a".to_owned(), value)].into());
            let mut text = String::new();
            object.write(&mut text)?;
            prop_assert_eq!(check(text.as_bytes(), |_, _| ()), Ok(()));
            prop_assert_eq!(respelled(text.as_bytes()), Some(text.into_bytes()));
        }

        #[test]
        fn what_passes_after_any_change_is_still_the_one_spelling(
            value in values(), at in any::<usize>(), byte in any::<u8>(),
        ) {
            let object = Value::Object([("a".to_owned(), value)].into());
            let mut text = String::new();
            object.write(&mut text)?;
            let mut bytes = text.into_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            if check(&bytes, |_, _| ()).is_ok() {
                prop_assert_eq!(respelled(&bytes), Some(bytes));
            }
        }
    }
}
