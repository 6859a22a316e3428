//! Identifiers of persons and enterprises: checked once, masked ever after.
//!
//! # Promise
//!
//! A value of a type here is well formed: normalized, of the right shape, with
//! a right check character. Its text leaves only through `expose`, so every
//! place that can put one on a wire or a screen is found with one search. All
//! types have a masked `Debug`, no `Display`, and wipe their memory on drop.
//!
//! # What is not here
//!
//! A right checksum says that a number is well formed, never that it exists.
//! Nothing here hashes, stores or compares with a register.
//!
//! # Failure
//!
//! [`IdentError`] names the defect with a stable code, never the value.

use std::fmt;
use std::ops::RangeInclusive;

mod bank_card;
mod credit_code;
mod loan_card;
pub mod mask;
mod name;
mod person;
mod resident;

pub use bank_card::{BankCard, bank_card_ok};
pub use credit_code::{CreditCode, OrganizationCode, credit_code_ok, organization_code_ok};
pub use loan_card::{LoanCardCode, loan_card_code_ok};
pub use name::{EnterpriseName, PersonName};
pub use person::{ID_TYPES, PersonId};
pub use resident::{ResidentId, Sex, resident_id_checksum_ok};

/// Why a text is not the identifier it claims to be; holds no part of it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentError {
    /// A character that such an identifier cannot have.
    #[error("the identifier holds a character that is not allowed")]
    Character,
    /// The check character is wrong.
    #[error("the check character is wrong")]
    Checksum,
    /// The birth date is no day of the calendar, lies in the future, or before 1850.
    #[error("the birth date is impossible")]
    Date,
    /// Too short or too long.
    #[error("the identifier has a wrong length")]
    Length,
    /// Well formed, but a number that nobody can have.
    #[error("the number is reserved")]
    Reserved,
    /// The ID type is not in the bureau's list.
    #[error("the ID type is not in the list")]
    Type,
}

impl IdentError {
    /// Stable code for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Character => "ident_character",
            Self::Checksum => "ident_checksum",
            Self::Date => "ident_date",
            Self::Length => "ident_length",
            Self::Reserved => "ident_reserved",
            Self::Type => "ident_type",
        }
    }

    /// The reason in Chinese; `Display` gives the English one.
    #[must_use]
    pub fn zh(self) -> &'static str {
        match self {
            Self::Character => "含有不允许的字符",
            Self::Checksum => "校验位错误",
            Self::Date => "出生日期不可能存在",
            Self::Length => "长度错误",
            Self::Reserved => "该号码不可作为业务号码",
            Self::Type => "证件类型不在代码表中",
        }
    }
}

/// The text of an identifier. Wiped on drop, masked in `Debug`.
#[derive(Clone, Eq, PartialEq)]
struct Secret(zeroize::Zeroizing<String>);

impl Secret {
    /// Trimmed, ASCII for full-width, upper case: the form of a number.
    fn number(value: &str) -> Self {
        let mut text = zeroize::Zeroizing::new(String::with_capacity(value.len()));
        text.extend(
            value
                .trim()
                .chars()
                .map(|c| crate::text::half_width(c).to_ascii_uppercase()),
        );
        Self(text)
    }

    /// The number, when length, characters and check are right, looked at in
    /// this order.
    fn checked(
        self,
        lengths: RangeInclusive<usize>,
        allowed: impl Fn(u8) -> bool,
        check: impl Fn(&str) -> bool,
    ) -> Result<Self, IdentError> {
        if !lengths.contains(&crate::text::length(&self)) {
            return Err(IdentError::Length);
        }
        if !self.bytes().all(allowed) {
            return Err(IdentError::Character);
        }
        if !check(&self) {
            return Err(IdentError::Checksum);
        }
        Ok(self)
    }
}

impl std::ops::Deref for Secret {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl std::hash::Hash for Secret {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.as_str().hash(state);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("masked")
    }
}

/// What the old number schemes count a character as: 0-9, then A = 10 to Z = 35.
fn base36(byte: u8) -> Option<u32> {
    match byte {
        b'0'..=b'9' => Some(u32::from(byte - b'0')),
        b'A'..=b'Z' => Some(u32::from(byte - b'A') + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_part_of_any_identifier() {
        let today = jiff::civil::date(2026, 3, 16);
        let shown = [
            format!(
                "{:?}",
                ResidentId::parse("999999199001010016", today).unwrap()
            ),
            format!("{:?}", CreditCode::parse("92999999A1B2C3D48K").unwrap()),
            format!("{:?}", OrganizationCode::parse("12345678-8").unwrap()),
            format!("{:?}", LoanCardCode::parse("9999000000000177").unwrap()),
            format!("{:?}", BankCard::parse("9999990000000006").unwrap()),
            format!("{:?}", PersonName::parse("测试甲").unwrap()),
            format!("{:?}", EnterpriseName::parse("测试样本有限公司").unwrap()),
            format!("{:?}", PersonId::parse("2", "E00000000", today).unwrap()),
        ];
        for text in shown {
            assert!(
                text.ends_with("(masked)") || text.contains(": masked"),
                "{text}"
            );
            for part in ["9999", "测试", "0000", "1234", "A1B2"] {
                assert!(!text.contains(part), "{text}");
            }
        }
    }
}
