//! Bank card number (ISO/IEC 7812, Luhn). Company accounts and old bank books
//! do not follow it: for cards only.

use super::{IdentError, Secret};

/// A bank card number of 13 to 19 digits, its check verified.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct BankCard(Secret);

impl BankCard {
    /// Reads 13 to 19 digits.
    ///
    /// # Errors
    ///
    /// Length, character or check.
    pub fn parse(text: &str) -> Result<Self, IdentError> {
        let text = Secret::number(text);
        let text = text.checked(13..=19, |b| b.is_ascii_digit(), bank_card_ok)?;
        Ok(Self(text))
    }

    /// The digits in clear.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Whether digits of any length fit the Luhn formula.
#[must_use]
pub fn bank_card_ok(text: &str) -> bool {
    let mut total = 0;
    for (place, byte) in text.bytes().rev().enumerate() {
        if !byte.is_ascii_digit() {
            return false;
        }
        let digit = u32::from(byte - b'0');
        total += match (place % 2, digit * 2) {
            (0, _) => digit,
            (_, twice @ 10..) => twice - 9,
            (_, twice) => twice,
        };
    }
    !text.is_empty() && total % 10 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bank_cards_follow_luhn() {
        use IdentError::{Character, Checksum, Length};
        let cases = [
            ("9999990000000006", Ok(())),
            ("9999990000000000006", Ok(())),
            ("9999991234567890124", Ok(())),
            ("79927398713", Err(Length)),
            ("9999990000000007", Err(Checksum)),
            ("9999 990000000006", Err(Character)),
        ];
        for (text, expected) in cases {
            assert_eq!(BankCard::parse(text).map(|_| ()), expected, "case {text}");
        }
        assert!(bank_card_ok("79927398713"));
    }
}
