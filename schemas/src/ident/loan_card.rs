//! 中征码, formerly the loan-card code. The rule is known from four public
//! implementations that agree; the official text was not read.

use super::{IdentError, Secret, base36};

/// A 中征码 of 16 characters, its check verified.
///
/// Places 1, 8 and 9 share a weight and place 12 has none, so some mistakes
/// pass: a name or a unified social credit code must agree as well.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct LoanCardCode(Secret);

impl LoanCardCode {
    /// Reads 16 characters; lower case is accepted and made upper.
    ///
    /// # Errors
    ///
    /// Length, character, check, or the all-zero number, which only the
    /// formula accepts.
    pub fn parse(text: &str) -> Result<Self, IdentError> {
        let text = Secret::number(text);
        let bytes = text.as_bytes();
        if text.chars().count() != 16 {
            return Err(IdentError::Length);
        }
        if !shape_ok(bytes) {
            return Err(IdentError::Character);
        }
        if !loan_card_code_ok(&text) {
            return Err(IdentError::Checksum);
        }
        if bytes[..14].iter().all(|b| *b == b'0') {
            return Err(IdentError::Reserved);
        }
        Ok(Self(text))
    }

    /// The 16 characters in clear.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Whether 16 characters fit the formula: three digits or capitals, eleven
/// digits, two check digits equal to 1 + weighted sum mod 97.
#[must_use]
pub fn loan_card_code_ok(text: &str) -> bool {
    let bytes = text.as_bytes();
    if !shape_ok(bytes) {
        return false;
    }
    let sum: u32 = bytes
        .iter()
        .zip(WEIGHTS)
        .map(|(b, weight)| base36(*b).unwrap_or(0) * weight)
        .sum();
    let check = u32::from(bytes[14] - b'0') * 10 + u32::from(bytes[15] - b'0');
    check == 1 + sum % 97
}

fn shape_ok(bytes: &[u8]) -> bool {
    bytes.len() == 16
        && bytes[..3].iter().all(|b| base36(*b).is_some())
        && bytes[3..].iter().all(u8::is_ascii_digit)
}

/// Weights of places 1-14.
const WEIGHTS: [u32; 14] = [1, 3, 5, 7, 11, 2, 13, 1, 1, 17, 19, 97, 23, 29];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loan_card_codes_follow_the_public_formula() {
        use IdentError::{Character, Checksum, Length, Reserved};
        let cases = [
            ("digits", "9999000000000177", true, Ok(())),
            ("letter", "A999000000000178", true, Ok(())),
            ("three letters", "ZZZ0000000000025", true, Ok(())),
            ("all places", "1234567890123442", true, Ok(())),
            ("zero", "0000000000000001", true, Err(Reserved)),
            ("highest check", "9999000000003697", true, Ok(())),
            ("lowest check", "9999000000006701", true, Ok(())),
            ("wrong check", "9999000000000178", false, Err(Checksum)),
            (
                "lower case is made upper",
                "a999000000000178",
                false,
                Ok(()),
            ),
            (
                "letter in place 4",
                "999A000000000178",
                false,
                Err(Character),
            ),
            ("short", "999900000000017", false, Err(Length)),
            (
                "wide characters",
                "测测测测测测测测测测测测测测测测",
                false,
                Err(Character),
            ),
        ];
        for (name, text, formula, parsed) in cases {
            assert_eq!(loan_card_code_ok(text), formula, "case {name}");
            assert_eq!(LoanCardCode::parse(text).map(|_| ()), parsed, "case {name}");
        }
    }
}
