//! Names of persons and enterprises.

use zeroize::Zeroizing;

use super::{IdentError, Secret};
use crate::text::{MIDDLE_DOT, is_han, length, normalize};

/// A person's name in normal form, 2 to 50 characters.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct PersonName(Secret);

impl PersonName {
    /// Normalizes and checks a name: letters with marks, middle dot, hyphen and
    /// apostrophe; spaces and full stops only where no Han character stands.
    ///
    /// # Errors
    ///
    /// Length, or a character no name has (digits among them).
    pub fn parse(text: &str) -> Result<Self, IdentError> {
        let name = normalize(text);
        if !(2..=50).contains(&length(&name)) {
            return Err(IdentError::Length);
        }
        let han = name.chars().any(is_han);
        let allowed = |c: char| match c {
            MIDDLE_DOT | '-' | '\'' => true,
            ' ' | '.' | ',' => !han,
            _ => c.is_alphabetic() || unicode_normalization::char::is_combining_mark(c),
        };
        if !name.chars().all(allowed) || !name.chars().any(char::is_alphabetic) {
            return Err(IdentError::Character);
        }
        Ok(Self(Secret(name)))
    }

    /// The name in clear.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// An enterprise's name in normal form, 2 to 80 characters (the length of the
/// name item in the enterprise records).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct EnterpriseName(Secret);

impl EnterpriseName {
    /// Normalizes and checks a name. Parentheses are half-width like all else:
    /// registers print them full-width, keyboards give both.
    ///
    /// # Errors
    ///
    /// Length, or a control character, or no letter or digit at all.
    pub fn parse(text: &str) -> Result<Self, IdentError> {
        let name: Zeroizing<String> = normalize(text);
        if !(2..=80).contains(&length(&name)) {
            return Err(IdentError::Length);
        }
        if name.chars().any(char::is_control) || !name.chars().any(char::is_alphanumeric) {
            return Err(IdentError::Character);
        }
        Ok(Self(Secret(name)))
    }

    /// The name in clear.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_persons_name_has_letters_and_one_kind_of_dot() {
        use IdentError::{Character, Length};
        let long = "测".repeat(51);
        let cases = [
            ("plain", "测试甲", Ok("测试甲")),
            ("extension B", "测𠀀", Ok("测𠀀")),
            ("middle dot", "阿依•样本甲", Ok("阿依·样本甲")),
            ("Latin", "TEST SAMPLE", Ok("TEST SAMPLE")),
            ("Latin with marks", "O'TEST-SÁMPLE", Ok("O'TEST-SÁMPLE")),
            ("one character", "测", Err(Length)),
            ("51 characters", long.as_str(), Err(Length)),
            ("digit", "测试1", Err(Character)),
            ("space in a Chinese name", "测 试", Err(Character)),
            ("hidden mark", "测试\u{200f}甲", Err(Character)),
            ("only dots", "··", Err(Character)),
        ];
        for (name, text, expected) in cases {
            let parsed = PersonName::parse(text);
            let parsed = parsed.as_ref().map(PersonName::expose).map_err(|e| *e);
            assert_eq!(parsed, expected, "case {name}");
        }
    }

    #[test]
    fn an_enterprise_name_compares_whatever_the_keyboard() {
        let wide = EnterpriseName::parse("测试（样本）有限公司").unwrap();
        let narrow = EnterpriseName::parse(" 测试(样本)有限公司").unwrap();
        assert_eq!(wide, narrow);
        assert_eq!(EnterpriseName::parse("测\n试"), Err(IdentError::Character));
        assert_eq!(EnterpriseName::parse("()"), Err(IdentError::Character));
    }
}
