//! The named predicates of the rules: identifiers as the centre's pre-check tool judges them.
//!
//! # Promise
//!
//! A predicate refuses exactly what the centre refuses before loading. It is narrower than the law
//! in places and wider in others; types that name no rule here pass.
//!
//! # What is not here
//!
//! The check digits themselves: see [`crate::ident`].

use crate::codes::CodeList;
use crate::ident;
use crate::kind::{Kind, Length};

/// A person's number under the code of its document type.
///
/// 10: 18 characters with a real birth date from 1901 to 2099 and the check digit of GB 11643;
/// 2: a country code first, at most 12 characters; 5: H or M and 8 digits; 6: 8 digits.
pub(crate) fn person_ok(kind: &str, number: &str, countries: &CodeList) -> bool {
    let digits = |text: &str| text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
    match kind {
        "2" => {
            let country = number
                .get(..3)
                .is_some_and(|country| countries.contains(country));
            country && number.chars().count() <= 12
        }
        "5" => number.strip_prefix(['H', 'M']).is_some_and(digits),
        "6" => digits(number),
        "10" => resident_id_ok(number),
        _ => true,
    }
}

/// An organization's number under the code of its kind: 20 unified social credit code, 30
/// organization code without hyphen, 10 loan card code.
pub(crate) fn organization_ok(kind: &str, number: &str) -> bool {
    match kind {
        "10" => loan_card_ok(number),
        "20" => credit_code_ok(number),
        "30" => organization_code_ok(number),
        _ => true,
    }
}

/// 18 characters, its own check character and that of the organization code inside.
pub(crate) fn credit_code_ok(number: &str) -> bool {
    number.len() == 18
        && ident::credit_code_ok(number)
        && number.get(8..17).is_some_and(ident::organization_code_ok)
}

/// 9 characters without hyphen, with their check character.
pub(crate) fn organization_code_ok(number: &str) -> bool {
    number.len() == 9 && ident::organization_code_ok(number)
}

/// 3 digits or capitals, 11 digits and 2 check digits.
pub(crate) fn loan_card_ok(number: &str) -> bool {
    number.len() == 16 && ident::loan_card_code_ok(number)
}

fn resident_id_ok(number: &str) -> bool {
    let birth = |number: &str| {
        let (year, month, day) = (number.get(6..10)?, number.get(10..12)?, number.get(12..14)?);
        Kind::Date
            .judge(Length::Any, &format!("{year}-{month}-{day}"))
            .ok()
    };
    number.len() == 18 && birth(number).is_some() && ident::resident_id_checksum_ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::Codes;

    #[test]
    fn a_number_is_judged_by_its_document_type() {
        let codes = Codes::parse("c", "list\tcode\tzh\ten\nNation\tCHN\t中国\t\n").unwrap();
        let nation = codes.list("Nation").unwrap();
        let persons = [
            ("10", "999999198808080010", true),
            ("10", "999999198808080011", false),
            ("10", "999999190002290004", false),
            ("10", "99999919880808001", false),
            ("2", "CHNE00000001", true),
            ("2", "CHNE000000012", false),
            ("2", "XXXE00000001", false),
            ("2", "𠀀E00000001", false),
            ("5", "H12345678", true),
            ("5", "X12345678", false),
            ("6", "12345678", true),
            ("6", "1234567", false),
            ("X", "anything", true),
        ];
        for (kind, number, expected) in persons {
            assert_eq!(
                person_ok(kind, number, nation),
                expected,
                "case {kind} {number}"
            );
        }
        let organizations = [
            ("20", "91999999MA9999XX5B", true),
            ("20", "91999999MA9999XX5C", false),
            ("30", "123456788", true),
            ("30", "12345678-8", false),
            ("10", "9999000000000177", true),
            ("10", "9999000000000178", false),
            ("41", "anything", true),
        ];
        for (kind, number, expected) in organizations {
            assert_eq!(
                organization_ok(kind, number),
                expected,
                "case {kind} {number}"
            );
        }
    }
}
