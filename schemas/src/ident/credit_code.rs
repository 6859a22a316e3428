//! Unified social credit code (GB 32100-2015) and, inside it, the organization
//! code (GB 11714-1997).

use super::{IdentError, Secret, base36};

/// A unified social credit code of 18 characters, its check verified.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct CreditCode(Secret);

impl CreditCode {
    /// Reads 18 characters; full-width and lower case are accepted.
    ///
    /// # Errors
    ///
    /// Length, a character outside the alphabet of 31, or the outer check. A
    /// wrong inner check is a warning: see [`CreditCode::inner_check_ok`].
    pub fn parse(text: &str) -> Result<Self, IdentError> {
        let text = Secret::number(text);
        let text = text.checked(18..=18, |b| value(b).is_some(), credit_code_ok)?;
        Ok(Self(text))
    }

    /// The 18 characters in clear.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether places 9-17 are a right organization code. Old codes exist that
    /// break it, so failing is a warning, never a refusal.
    #[must_use]
    pub fn inner_check_ok(&self) -> bool {
        organization_code_ok(&self.0[8..17])
    }

    /// The organization code inside, where its check is right.
    #[must_use]
    pub fn organization_code(&self) -> Option<OrganizationCode> {
        OrganizationCode::parse(&self.0[8..17]).ok()
    }

    /// A sole trader (department 9, kind 2): then the code is personal data.
    #[must_use]
    pub fn is_sole_trader(&self) -> bool {
        self.0.starts_with("92")
    }
}

/// An organization code of nine characters, its check verified.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct OrganizationCode(Secret);

impl OrganizationCode {
    /// Reads nine characters, with or without a dash before the last.
    ///
    /// # Errors
    ///
    /// Length, character or check.
    pub fn parse(text: &str) -> Result<Self, IdentError> {
        let mut text = Secret::number(text);
        if text.as_bytes().get(8) == Some(&b'-') {
            text.0.remove(8);
        }
        let text = text.checked(9..=9, |b| base36(b).is_some(), organization_code_ok)?;
        Ok(Self(text))
    }

    /// The nine characters in clear, without a dash.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Whether 18 characters are a unified social credit code by alphabet and
/// outer check.
#[must_use]
pub fn credit_code_ok(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() != 18 {
        return false;
    }
    let mut sum = 0;
    let mut weight = 1;
    for byte in &bytes[..17] {
        let Some(value) = value(*byte) else {
            return false;
        };
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    // Remainder 0 gives value 0, not 31: the second modulus.
    value(bytes[17]) == Some((31 - sum % 31) % 31)
}

/// Whether nine characters, or eight, a dash and one, are an organization code.
#[must_use]
pub fn organization_code_ok(text: &str) -> bool {
    let (body, check) = match text.as_bytes() {
        [body @ .., b'-', check] if body.len() == 8 => (body, *check),
        [body @ .., check] if body.len() == 8 => (body, *check),
        _ => return false,
    };
    let mut sum = 0;
    for (byte, weight) in body.iter().zip([3, 7, 9, 10, 5, 8, 4, 2]) {
        let Some(value) = base36(*byte) else {
            return false;
        };
        sum += value * weight;
    }
    check == b"0X987654321"[sum as usize % 11]
}

/// Place of a character in the alphabet of GB 32100-2015 (no I, O, S, V, Z).
fn value(byte: u8) -> Option<u32> {
    let place = b"0123456789ABCDEFGHJKLMNPQRTUWXY"
        .iter()
        .position(|b| *b == byte)?;
    u32::try_from(place).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credit_codes_follow_gb_32100() {
        use IdentError::{Character, Checksum, Length};
        let cases = [
            ("plain", "91999999000000019D", Ok(true)),
            ("letters in the body", "91999999MA00TEXT0H", Ok(true)),
            ("other department", "52999999123456788Q", Ok(true)),
            ("sole trader", "92999999A1B2C3D48K", Ok(true)),
            ("remainder 0", "919999990000002110", Ok(true)),
            ("inner check X", "9199999900000006XG", Ok(true)),
            ("lower case, full width", "9199999９000000019d", Ok(true)),
            ("wrong check", "91999999000000019C", Err(Checksum)),
            ("letter O", "91999999O00000019D", Err(Character)),
            ("outer and inner", "91999999000000018D", Err(Checksum)),
            ("short", "9199999900000001", Err(Length)),
            (
                "wide characters",
                "测测测测测测测测测测测测测测测测测测",
                Err(Character),
            ),
        ];
        for (name, text, expected) in cases {
            let inner = CreditCode::parse(text).map(|code| code.inner_check_ok());
            assert_eq!(inner, expected, "case {name}");
        }
    }

    #[test]
    fn a_wrong_inner_check_is_a_warning() {
        // The outer check made right over a broken inner one.
        let body = "91999999000000018";
        let found = "0123456789ABCDEFGHJKLMNPQRTUWXY".chars().find_map(|c| {
            let text = format!("{body}{c}");
            CreditCode::parse(&text).ok()
        });
        let code = found.unwrap();
        assert!(!code.inner_check_ok());
        assert!(code.organization_code().is_none());
        assert!(!code.is_sole_trader());
    }

    #[test]
    fn organization_codes_follow_gb_11714() {
        let cases = [
            ("12345678-8", true),
            ("00000001-9", true),
            ("A1B2C3D4-8", true),
            ("99999999-8", true),
            ("00000006-X", true),
            ("00000019-0", true),
            ("000000190", true),
            ("12345678-9", false),
            ("1234567-88", false),
            ("", false),
        ];
        for (text, ok) in cases {
            assert_eq!(organization_code_ok(text), ok, "case {text}");
            assert_eq!(OrganizationCode::parse(text).is_ok(), ok, "case {text}");
        }
    }
}
