//! Partly hidden forms for people, and strict ones for everything else.
//!
//! # Promise
//!
//! One value has one mask, so two screens cannot be put together. What is too
//! short or malformed is hidden whole. The strict forms hold no part of the
//! value: for logs, exports for audit, file names. Patterns are those in common
//! use (JR/T 0171-2020 classes; confidence medium), the stricter where two exist.
//!
//! # What is not here
//!
//! Keys. A strict form of a number takes the first bytes of a keyed hash that
//! the caller made.

use std::fmt::Write;

use crate::text::{MIDDLE_DOT, is_han, length};

/// The strict form of every name.
pub const NAME: &str = "[NAME]";

/// First character of the name; the first letter of each part of a Latin one.
#[must_use]
pub fn name(value: &str) -> String {
    if length(value) < 2 {
        return hidden(value);
    }
    let latin = !value.chars().any(is_han);
    let mut first = true;
    let mut out = String::new();
    for c in value.chars() {
        let separator = c == MIDDLE_DOT || c == ' ';
        out.push(if separator || first { c } else { '*' });
        first = separator && latin;
    }
    out
}

/// First and last character of a resident identity number; its length stays.
#[must_use]
pub fn resident_id(value: &str) -> String {
    if matches!(value.len(), 15 | 18) {
        keep(value, 1, 1)
    } else {
        hidden(value)
    }
}

/// First two and last two characters of a passport, permit or other document.
#[must_use]
pub fn document(value: &str) -> String {
    if length(value) < 7 {
        hidden(value)
    } else {
        keep(value, 2, 2)
    }
}

/// First three and last four digits of a mobile number of eleven.
#[must_use]
pub fn phone(value: &str) -> String {
    if value.len() == 11 && value.bytes().all(|b| b.is_ascii_digit()) {
        keep(value, 3, 4)
    } else {
        hidden(value)
    }
}

/// Strict form of a resident identity number: `ID#` and six hexadecimal digits
/// of a keyed hash.
#[must_use]
pub fn strict_resident_id(keyed_hash: &[u8]) -> String {
    strict("ID#", keyed_hash)
}

/// Strict form of any other document: `DOC#` and six hexadecimal digits.
#[must_use]
pub fn strict_document(keyed_hash: &[u8]) -> String {
    strict("DOC#", keyed_hash)
}

/// Strict form of a phone number: the last two digits.
#[must_use]
pub fn strict_phone(value: &str) -> String {
    match value.get(value.len().saturating_sub(2)..) {
        Some(last) if value.len() == 11 && last.bytes().all(|b| b.is_ascii_digit()) => {
            format!("**{last}")
        }
        _ => "**".into(),
    }
}

fn strict(mark: &str, keyed_hash: &[u8]) -> String {
    let mut out = mark.to_owned();
    for byte in keyed_hash.iter().take(3) {
        // Writing to a String does not fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// `head` characters, stars, `tail` characters; hidden whole when too short.
fn keep(value: &str, head: usize, tail: usize) -> String {
    let count = length(value);
    let shown = |at: usize| at < head || at >= count - tail;
    if count <= head + tail {
        return hidden(value);
    }
    value
        .chars()
        .enumerate()
        .map(|(at, c)| if shown(at) { c } else { '*' })
        .collect()
}

/// As many stars as characters.
fn hidden(value: &str) -> String {
    "*".repeat(length(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_follow_the_table() {
        type Mask = fn(&str) -> String;
        let cases: [(&str, Mask, &str, &str); 15] = [
            ("two characters", name, "测试", "测*"),
            ("three characters", name, "测试甲", "测**"),
            ("extension B", name, "𠀀测", "𠀀*"),
            ("middle dot", name, "阿依·样本甲", "阿*·***"),
            ("Latin", name, "TEST SAMPLE", "T*** S*****"),
            ("one character", name, "测", "*"),
            ("nothing", name, "", ""),
            (
                "resident ID",
                resident_id,
                "999999199001010016",
                "9****************6",
            ),
            (
                "old resident ID",
                resident_id,
                "999999900101001",
                "9*************1",
            ),
            ("malformed ID", resident_id, "99999", "*****"),
            ("passport", document, "E00000000", "E0*****00"),
            ("short document", document, "E00000", "******"),
            ("mobile", phone, "10000000000", "100****0000"),
            ("not a mobile", phone, "1000", "****"),
            ("strict phone", strict_phone, "10000000012", "**12"),
        ];
        for (case, mask, value, expected) in cases {
            assert_eq!(mask(value), expected, "case {case}");
        }
        assert_eq!(strict_resident_id(&[0xab, 1, 2, 3]), "ID#ab0102");
        assert_eq!(strict_document(&[0xab, 1, 2, 3]), "DOC#ab0102");
    }
}
