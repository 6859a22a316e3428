//! Resident identity number (GB 11643-1999).

use jiff::civil::Date;
use zeroize::Zeroizing;

use super::{IdentError, Secret};

/// A resident identity number of 18 characters, its check character verified.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ResidentId(Secret);

/// Sex as the sequence digit of a resident identity number tells it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Sex {
    /// Even sequence number.
    Female,
    /// Odd sequence number.
    Male,
}

impl ResidentId {
    /// Reads 18 characters, or 15 of the form issued before October 1999,
    /// which is upgraded. `today` is the date in China.
    ///
    /// # Errors
    ///
    /// In this order: length, character, birth date, checksum. An unknown area
    /// is no error: see [`ResidentId::area_known`].
    pub fn parse(text: &str, today: Date) -> Result<Self, IdentError> {
        let text = Secret::number(text);
        let id = match text.chars().count() {
            15 => upgrade(&text)?,
            18 => text,
            _ => return Err(IdentError::Length),
        };
        let bytes = id.as_bytes();
        let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
        if bytes.len() != 18
            || !digits(&bytes[..17])
            || !(digits(&bytes[17..]) || bytes[17] == b'X')
        {
            return Err(IdentError::Character);
        }
        let born = birth_date(bytes).ok_or(IdentError::Date)?;
        if born > today || born.year() < EARLIEST_YEAR {
            return Err(IdentError::Date);
        }
        if !resident_id_checksum_ok(&id) {
            return Err(IdentError::Checksum);
        }
        Ok(Self(id))
    }

    /// The 18 characters in clear: for the wire, the vault and matching only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The 15-digit form that an old account may carry: same area, birth date
    /// and sequence, for a person born before 2000. For matching, never to be
    /// sent as a new record.
    #[must_use]
    pub fn old_form(&self) -> Option<Zeroizing<String>> {
        let (area, rest) = self.0.split_at(6);
        let rest = rest.strip_prefix("19")?;
        Some(Zeroizing::new([area, &rest[..9]].concat()))
    }

    /// Date of birth.
    #[must_use]
    pub fn birth_date(&self) -> Date {
        // `parse` has read this date before.
        birth_date(self.0.as_bytes()).unwrap_or(Date::MIN)
    }

    /// Completed years of life on `today`.
    #[must_use]
    pub fn age(&self, today: Date) -> i16 {
        let born = self.birth_date();
        let had_birthday = (today.month(), today.day()) >= (born.month(), born.day());
        today.year() - born.year() - i16::from(!had_birthday)
    }

    /// Sex by the last digit of the sequence.
    #[must_use]
    pub fn sex(&self) -> Sex {
        if self.0.as_bytes()[16].is_multiple_of(2) {
            Sex::Female
        } else {
            Sex::Male
        }
    }

    /// Whether the province part of the area is one of GB/T 2260, or of the
    /// residence permits (81, 82, 83; from memory) and the foreign permanent
    /// resident card (9...). Counties merge and their codes vanish, so an
    /// unknown area is a warning, never a refusal.
    #[must_use]
    pub fn area_known(&self) -> bool {
        PROVINCES.contains(&&self.0[..2])
    }
}

/// Whether 18 characters carry the right check character (ISO 7064 MOD 11-2).
/// Shape and checksum only: the birth date may be impossible.
#[must_use]
pub fn resident_id_checksum_ok(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 18 && check_character(&bytes[..17]) == Some(bytes[17])
}

/// The check character of the first 17 digits.
fn check_character(body: &[u8]) -> Option<u8> {
    let mut sum = 0;
    for (byte, weight) in body.iter().zip(WEIGHTS) {
        sum += u32::from(byte.is_ascii_digit().then(|| byte - b'0')?) * weight;
    }
    Some(b"10X98765432"[sum as usize % 11])
}

/// Inserts the century and appends the check character.
fn upgrade(old: &str) -> Result<Secret, IdentError> {
    if !old.bytes().all(|b| b.is_ascii_digit()) {
        return Err(IdentError::Character);
    }
    let mut text = Zeroizing::new(String::with_capacity(18));
    text.push_str(&old[..6]);
    text.push_str("19");
    text.push_str(&old[6..]);
    let check = check_character(text.as_bytes()).ok_or(IdentError::Character)?;
    text.push(char::from(check));
    Ok(Secret(text))
}

/// Places 7-14, where they are a day of the calendar.
fn birth_date(bytes: &[u8]) -> Option<Date> {
    let number = |from: usize, to: usize| {
        bytes[from..to]
            .iter()
            .fold(0i16, |n, b| n * 10 + i16::from(b - b'0'))
    };
    let small = |from, to| i8::try_from(number(from, to)).ok();
    Date::new(number(6, 10), small(10, 12)?, small(12, 14)?).ok()
}

/// GB 11643-1999: 2^(18-i) mod 11 for place i.
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/// Nobody born earlier is alive; a date before is a typing error.
const EARLIEST_YEAR: i16 = 1850;

/// First two digits of GB/T 2260, then those of residence permits.
const PROVINCES: [&str; 36] = [
    "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41",
    "42", "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71",
    "81", "82", "83", "91",
];

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    const TODAY: Date = date(2026, 3, 16);

    #[test]
    fn resident_ids_follow_gb_11643() {
        use IdentError::{Character, Checksum, Date as Day, Length};
        let cases = [
            ("check 6", "999999199001010016", Ok("999999199001010016")),
            ("check 4", "999999199001010024", Ok("999999199001010024")),
            ("check 0", "999999199001010040", Ok("999999199001010040")),
            ("check X", "99999919900101018X", Ok("99999919900101018X")),
            ("check 1", "999999198506151231", Ok("999999198506151231")),
            ("check 9", "999999199912310079", Ok("999999199912310079")),
            (
                "leap day 2000",
                "99999920000229014X",
                Ok("99999920000229014X"),
            ),
            ("no leap day in 1900", "999999190002290004", Err(Day)),
            ("wrong check", "999999199001010017", Err(Checksum)),
            ("small x", "99999919900101018x", Ok("99999919900101018X")),
            (
                "full width, spaces",
                " ９９９９９９１９９００１０１００１６\u{3000}",
                Ok("999999199001010016"),
            ),
            ("15 digits", "999999900101001", Ok("999999199001010016")),
            ("15 with a letter", "99999990010100X", Err(Character)),
            ("space inside", "999999 9900101001", Err(Length)),
            ("hyphen inside", "999999-99001010016", Err(Character)),
            ("future", "999999202603170019", Err(Day)),
            ("before 1850", "999999184912310011", Err(Day)),
            ("month 13", "999999199013010016", Err(Day)),
            ("empty", "", Err(Length)),
            (
                "18 wide characters",
                "测测测测测测测测测测测测测测测测测测",
                Err(Character),
            ),
            (
                "right-to-left mark",
                "\u{200f}99999919900101001",
                Err(Character),
            ),
        ];
        for (name, text, expected) in cases {
            let parsed = ResidentId::parse(text, TODAY);
            let parsed = parsed.as_ref().map(ResidentId::expose).map_err(|e| *e);
            assert_eq!(parsed, expected, "case {name}");
        }
    }

    #[test]
    fn the_number_tells_birth_sex_age_and_area() {
        let id = |text| ResidentId::parse(text, TODAY).unwrap();
        let woman = id("999999199001010024");
        assert_eq!(woman.sex(), Sex::Female);
        assert_eq!(id("999999199001010016").sex(), Sex::Male);
        assert_eq!(woman.birth_date(), date(1990, 1, 1));
        assert_eq!(woman.age(date(2007, 12, 31)), 17);
        assert_eq!(woman.age(date(2008, 1, 1)), 18);
        assert!(!woman.area_known());
        assert_eq!(woman.old_form().unwrap().as_str(), "999999900101002");
        assert!(id("99999920000229014X").old_form().is_none());
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_found(place in 0usize..17, by in 1u8..10) {
            let mut bytes = *b"999999199001010016";
            bytes[place] = b'0' + (bytes[place] - b'0' + by) % 10;
            prop_assert!(!resident_id_checksum_ok(std::str::from_utf8(&bytes).unwrap()));
        }

        #[test]
        fn both_formulas_agree(body in "[0-9]{17}") {
            let p = body.bytes().fold(0u32, |p, b| (p + u32::from(b - b'0')) * 2 % 11);
            let second = b"0123456789X"[((12 - p) % 11) as usize];
            prop_assert_eq!(check_character(body.as_bytes()), Some(second));
        }

        #[test]
        fn any_text_is_answered(text in "\\PC{0,24}") {
            let _ = ResidentId::parse(&text, TODAY);
        }
    }
}
