//! The synthetic people and enterprises that the mock knows, and how each of
//! them is answered.
//!
//! The three digits before the check character of a resident ID choose the
//! answer, so that any number of people can share one; see the table in
//! `README.md`. So do those before the check of an enterprise's number. Area
//! codes are 999999, 999900 and 990000, which are not allocated: the mock
//! refuses all others and so can never be used with a real number.

use jiff::{ToSpan as _, civil::Date};

/// How a subject is answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Says {
    /// No report found (AAA001).
    NoHit,
    /// A report of which part was left out (DBO004).
    Partial,
    /// A refusal with this code.
    Refusal(&'static str),
    /// A report (AAA000).
    Report {
        /// Which one.
        sample: Sample,
        /// Filled up with accounts to at least so many bytes.
        min_bytes: usize,
    },
}

/// One of the sample reports.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sample {
    /// A healthy enterprise.
    Enterprise,
    /// An enterprise with bad debt and court records.
    EnterpriseTroubled,
    /// Overdue accounts, bad debt, court records.
    Negative,
    /// Loans and cards in order.
    Normal,
    /// A head and an address, no account.
    Thin,
}

/// A named subject.
#[derive(Clone, Copy, Debug)]
pub struct Persona {
    /// A synthetic name.
    pub name: &'static str,
    /// The three digits before the check character.
    pub order: u16,
    /// How it is answered.
    pub says: Says,
}

impl Persona {
    /// The resident ID number under which the persona is asked for.
    #[must_use]
    pub fn id_number(&self) -> String {
        synthetic_resident_id(u32::from(self.order))
    }
}

/// The named subjects; everybody else is answered too, see `README.md`.
pub const PERSONAS: &[Persona] = &[
    Persona {
        name: "测试甲",
        order: 1,
        says: NORMAL,
    },
    Persona {
        name: "测试乙",
        order: 901,
        says: report(Sample::Negative, 0),
    },
    Persona {
        name: "测试丙",
        order: 902,
        says: report(Sample::Thin, 0),
    },
    Persona {
        name: "测试丁",
        order: 903,
        says: Says::NoHit,
    },
    Persona {
        name: "测试戊",
        order: 904,
        says: Says::Partial,
    },
    Persona {
        name: "测试己",
        order: 905,
        says: Says::Refusal(UNLISTED_CODE),
    },
    Persona {
        name: "测试庚",
        order: 906,
        says: report(Sample::Normal, 150_000),
    },
    Persona {
        name: "测试辛",
        order: 907,
        says: report(Sample::Thin, 4_000),
    },
    Persona {
        name: "测试壬",
        order: 914,
        says: Says::Refusal("DBE004"),
    },
];

/// A result code that leaves open whether the inquiry was recorded.
const BUSY: &str = "ATO002";

/// A result code that stands in no table.
pub const UNLISTED_CODE: &str = "ZZZ999";

/// A valid resident ID number in area 999999, a different one for each `seq`;
/// `seq % 1000` is the part that chooses the answer (below 900: a normal report).
///
/// # Panics
///
/// From 10,000,000 on, where the birth dates run out.
#[must_use]
pub fn synthetic_resident_id(seq: u32) -> String {
    assert!(
        seq < 10_000_000,
        "synthetic resident numbers end at 9,999,999"
    );
    let born = Date::constant(1970, 1, 1).saturating_add(i64::from(seq / 1000).days());
    let body = format!("999999{}{:03}", born.strftime("%Y%m%d"), seq % 1000);
    let check = check_character(&body);
    format!("{body}{check}")
}

/// A valid unified social credit code in area 999999, a different one for each
/// `seq`; `seq % 1000` chooses the answer (below 900: a healthy enterprise).
///
/// # Panics
///
/// From 100,000,000 on, where the organization codes run out.
#[must_use]
pub fn synthetic_credit_code(seq: u32) -> String {
    assert!(seq < 100_000_000, "synthetic codes end at 99,999,999");
    let body = format!("{seq:08}");
    let weights = [3, 7, 9, 10, 5, 8, 4, 2];
    let digits = body.bytes().map(|byte| usize::from(byte - b'0'));
    let sum: usize = digits
        .zip(weights)
        .map(|(digit, weight)| digit * weight)
        .sum();
    let inner = char::from(b"0X987654321"[sum % 11]);
    let text = format!("91999999{body}{inner}");
    let check = credit_check(&text).unwrap_or('0');
    format!("{text}{check}")
}

/// How the bureau answers for an enterprise, by a number that
/// [`is_synthetic_enterprise`] accepts.
pub(crate) fn enterprise_says(id_number: &str) -> Says {
    // Before one check character of an organization code (alone, or in a credit
    // code before another check), or before two of a 中征码.
    let range = match id_number.len() {
        18 => 13..16,
        16 => 11..14,
        _ => 5..8,
    };
    let order = id_number.get(range).and_then(|digits| digits.parse().ok());
    match order.unwrap_or(0_u16) {
        901 => report(Sample::EnterpriseTroubled, 0),
        903 => Says::NoHit,
        904 => Says::Partial,
        905 => Says::Refusal(UNLISTED_CODE),
        908 => Says::Refusal(BUSY),
        order @ 911..=927 => Says::Refusal(FIELD_CODES[usize::from(order) - 911]),
        order @ 931..=933 => Says::Refusal(BUSINESS_CODES[usize::from(order) - 931]),
        _ => report(Sample::Enterprise, 0),
    }
}

/// A number of an enterprise that cannot be a real one.
pub(crate) fn is_synthetic_enterprise(id_type: &str, number: &str) -> bool {
    let ascii = number.is_ascii();
    match id_type {
        "10" => ascii && number.len() == 16 && number.starts_with("999"),
        "20" => {
            let areas = ["999999", "999900", "990000"];
            ascii
                && number.len() == 18
                && areas.contains(&&number[2..8])
                && number.chars().nth(17) == credit_check(&number[..17])
        }
        // It names no area: synthetic ones are all digits, which real ones since
        // 2015 are not, or begin as the samples do.
        "30" => {
            ascii
                && number.len() == 9
                && (number.starts_with("000") || number.starts_with("MA00000"))
        }
        _ => ascii && number.starts_with("999"),
    }
}

/// The check character of GB 32100-2015 over 17 characters.
fn credit_check(text: &str) -> Option<char> {
    const ALPHABET: &[u8] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    let (mut sum, mut weight) = (0, 1);
    for byte in text.bytes() {
        sum += ALPHABET.iter().position(|it| *it == byte)? * weight;
        weight = weight * 3 % 31;
    }
    Some(char::from(ALPHABET[(31 - sum % 31) % 31]))
}

/// How the bureau answers for this document; the number must be one that
/// [`is_synthetic`] accepts. Documents that are no resident ID get a normal report.
pub(crate) fn says(id_type: &str, id_number: &str) -> Says {
    let order = match id_type {
        "10" => id_number
            .get(14..17)
            .and_then(|digits| digits.parse().ok())
            .unwrap_or(0),
        _ => 0,
    };
    if let Some(persona) = PERSONAS.iter().find(|persona| persona.order == order) {
        return persona.says;
    }
    match order {
        908 => Says::Refusal(BUSY),
        911..=927 => Says::Refusal(FIELD_CODES[usize::from(order) - 911]),
        931..=933 => Says::Refusal(BUSINESS_CODES[usize::from(order) - 931]),
        _ => NORMAL,
    }
}

/// A well-formed resident ID number of an area that does not exist.
pub(crate) fn is_synthetic(id_number: &str) -> bool {
    let ascii = id_number.len() == 18 && id_number.is_ascii();
    ascii
        && id_number[..17].bytes().all(|byte| byte.is_ascii_digit())
        && ["999999", "990000"].contains(&&id_number[..6])
        && Date::strptime("%Y%m%d", &id_number[6..14]).is_ok()
        && id_number.ends_with(check_character(&id_number[..17]))
}

/// ISO 7064 MOD 11-2 as GB 11643-1999 uses it, in the recursive form.
fn check_character(digits: &str) -> char {
    let sum = digits
        .bytes()
        .fold(0, |sum, digit| (sum + u32::from(digit - b'0')) * 2 % 11);
    match (12 - sum) % 11 {
        10 => 'X',
        check => char::from_digit(check, 10).unwrap_or('X'),
    }
}

const fn report(sample: Sample, min_bytes: usize) -> Says {
    Says::Report { sample, min_bytes }
}

const NORMAL: Says = report(Sample::Normal, 0);

const FIELD_CODES: [&str; 17] = [
    "DBE001", "DBE002", "DBE003", "DBE004", "DBE005", "DBE006", "DBE007", "DBE008", "DBE009",
    "DBE010", "DBE011", "DBE012", "DBE013", "DBE014", "DBE015", "DBE016", "DBE017",
];
const BUSINESS_CODES: [&str; 3] = ["DBO001", "DBO002", "DBO003"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sequence_number_is_a_different_valid_person() {
        let mut seen = std::collections::HashSet::new();
        for seq in (0..3_000).chain(9_999_000..10_000_000) {
            let id = synthetic_resident_id(seq);
            assert!(is_synthetic(&id), "seq {seq}");
            assert!(seen.insert(id), "seq {seq} twice");
        }
    }

    #[test]
    fn only_well_formed_numbers_of_unallocated_areas_are_taken() {
        let cases = [
            ("999999199001010016", true),
            ("999999199001010040", true),
            ("99999919900101018X", true),
            ("99000019880412024X", true),
            ("99999920000229014X", true),
            ("999999190002290004", false), // 1900 was no leap year
            ("999999199001010017", false),
            ("99999919900101018x", false),
            ("110000199001010011", false), // an allocated area
            ("99999919900101001", false),
            ("", false),
        ];
        for (number, expected) in cases {
            assert_eq!(is_synthetic(number), expected, "{number}");
        }
    }

    #[test]
    fn every_synthetic_enterprise_is_another_and_no_real_one() {
        let mut seen = std::collections::HashSet::new();
        for seq in (0..2_000).chain(99_999_000..100_000_000) {
            let code = synthetic_credit_code(seq);
            assert!(is_synthetic_enterprise("20", &code), "{code}");
            assert!(seen.insert(code), "seq {seq} twice");
        }
        for (id_type, number, expected) in [
            ("20", "91999999000000019D", true),
            ("20", "91999999000000019C", false),
            ("20", "91110000100000000X", false), // an allocated area
            ("10", "9999000000000017", true),
            ("10", "4401000000000017", false),
            ("30", "MA0000031", true),
            ("30", "MA1K12345", false),
        ] {
            assert_eq!(
                is_synthetic_enterprise(id_type, number),
                expected,
                "{number}"
            );
        }
        for (seq, says) in [
            (1, report(Sample::Enterprise, 0)),
            (901, report(Sample::EnterpriseTroubled, 0)),
            (5_903, Says::NoHit),
            (917, Says::Refusal("DBE007")),
        ] {
            assert_eq!(enterprise_says(&synthetic_credit_code(seq)), says, "{seq}");
        }
    }

    #[test]
    fn the_order_digits_choose_the_answer_whatever_the_birth_date() {
        for persona in PERSONAS {
            assert_eq!(
                says("10", &persona.id_number()),
                persona.says,
                "{}",
                persona.name
            );
            let namesake = synthetic_resident_id(5_000 + u32::from(persona.order));
            assert_eq!(says("10", &namesake), persona.says, "{}", persona.name);
        }
        assert_eq!(
            says("10", &synthetic_resident_id(927)),
            Says::Refusal("DBE017")
        );
        assert_eq!(
            says("10", &synthetic_resident_id(931)),
            Says::Refusal("DBO001")
        );
        assert_eq!(says("10", &synthetic_resident_id(7)), NORMAL);
        assert_eq!(says("2", "E00000000"), NORMAL);
    }
}
