//! Text as the formats compare it: one form for what looks the same.
//!
//! # Promise
//!
//! Two spellings of a name or number that a person would call equal come out
//! equal: NFC, ASCII for its full-width twins, one middle dot (U+00B7), no
//! space around. Length is counted in characters, as the formats count it.
//!
//! # What is not here
//!
//! No case folding and no NFKC: both change what is sent to a bureau. Types
//! that need upper case do that themselves.
//!
//! # Failure
//!
//! None; every text has a normal form.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// The language of labels and meanings.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Chinese, as the bureau writes it.
    Zh,
}

/// A text in both languages.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Label<'a> {
    /// Chinese; empty where the source has none.
    pub zh: &'a str,
    /// English; empty where the source has none.
    pub en: &'a str,
}

impl<'a> Label<'a> {
    /// The text in `language`, or the other one where that is empty.
    #[must_use]
    pub fn text(self, language: Language) -> &'a str {
        let (first, second) = match language {
            Language::En => (self.en, self.zh),
            Language::Zh => (self.zh, self.en),
        };
        if first.is_empty() { second } else { first }
    }
}

/// Middle dot, the one form of the separator in transliterated names.
pub const MIDDLE_DOT: char = '\u{b7}';

/// A personal name or free text in normal form; see the module.
///
/// A full stop between two Chinese characters is a mistyped middle dot and
/// becomes one; elsewhere full stops stay.
#[must_use]
pub fn normalize(value: &str) -> Zeroizing<String> {
    // NFC can grow a text threefold in UTF-8: no reallocation leaves a copy.
    let mut out = Zeroizing::new(String::with_capacity(value.len() * 3));
    let mut rest = value.trim().chars().map(half_width).nfc().peekable();
    let mut before = None;
    while let Some(c) = rest.next() {
        let full_stop = matches!(c, '.' | '\u{3002}' | '\u{ff61}');
        let between = before.is_some_and(is_han) && rest.peek().copied().is_some_and(is_han);
        let c = if is_middle_dot(c) || full_stop && between {
            MIDDLE_DOT
        } else {
            c
        };
        out.push(c);
        before = Some(c);
    }
    let end = out.trim_end().len();
    out.truncate(end);
    out
}

/// ASCII for a full-width letter, digit, sign or space; others stay.
#[must_use]
pub fn half_width(c: char) -> char {
    match c {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

/// Length in characters (Unicode scalar values), not in bytes.
#[must_use]
pub fn length(value: &str) -> usize {
    value.chars().count()
}

/// A Han character, any block from the base to extension H.
#[must_use]
pub fn is_han(c: char) -> bool {
    matches!(u32::from(c), 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x323af | 0x3007)
}

/// The dots that keyboards and code pages give for the middle dot.
fn is_middle_dot(c: char) -> bool {
    matches!(
        c,
        '\u{b7}'
            | '\u{387}'
            | '\u{2022}'
            | '\u{2027}'
            | '\u{2219}'
            | '\u{22c5}'
            | '\u{30fb}'
            | '\u{ff65}'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_looks_the_same_is_the_same() {
        let cases = [
            ("bullet", "阿依•样本", "阿依·样本"),
            ("katakana dot", "阿依・样本", "阿依·样本"),
            ("full stop between Han", "阿依.样本", "阿依·样本"),
            ("ideographic full stop", "阿依。样本", "阿依·样本"),
            ("full-width full stop", "阿依．样本", "阿依·样本"),
            ("full stop in Latin stays", "J. TEST", "J. TEST"),
            ("full-width letters", "ＴＥＳＴ　Ａ", "TEST A"),
            ("spaces around", "\u{3000} 测试甲 \t", "测试甲"),
            ("decomposed accent", "Ame\u{301}lie", "Amélie"),
            ("full-width letter with accent", "Am\u{ff45}\u{301}", "Amé"),
            ("extension B stays", "测试𠀀", "测试𠀀"),
        ];
        for (name, value, expected) in cases {
            assert_eq!(*normalize(value), expected, "case {name}");
        }
    }

    #[test]
    fn length_counts_characters() {
        assert_eq!(length("测试𠀀"), 3);
    }

    proptest! {
        #[test]
        fn a_normal_form_is_its_own_normal_form(value in "\\PC{0,20}") {
            let once = normalize(&value);
            prop_assert_eq!(&*normalize(&once), &*once);
        }
    }
}
