//! Numbers of persons and organizations, code lists, and the calendar, as the
//! desk knows them.

use super::tables::RecordType;
use crate::subjects::is_synthetic;

/// Whether a code is in a list.
pub(crate) fn is_listed(kind: &RecordType, list: &str, code: &str) -> bool {
    kind.codes.contains(&(list, code))
}

/// A person's number under its document type. A resident identity number must be
/// synthetic, so that the desk cannot be used with real people.
pub(crate) fn is_person(kind: &RecordType, document: &str, number: &str) -> bool {
    let eight = |text: &str| text.len() == 8 && text.bytes().all(|it| it.is_ascii_digit());
    match document {
        "10" => is_synthetic(number) && ("1901".."2100").contains(&&number[6..10]),
        "2" => {
            let country: String = number.chars().take(3).collect();
            is_listed(kind, kind.countries, &country) && number.chars().count() <= 12
        }
        "5" => (number.starts_with('H') || number.starts_with('M')) && eight(&number[1..]),
        "6" => eight(number),
        _ => true,
    }
}

/// An organization's number under its kind.
pub(crate) fn is_organization(kind: &str, number: &str) -> bool {
    match kind {
        "10" => is_loan_card(number),
        "20" => is_credit_code(number),
        "30" => is_organization_code(number),
        _ => true,
    }
}

/// GB 32100-2015, with the organization code inside.
fn is_credit_code(number: &str) -> bool {
    let Some(values) = values(number, "0123456789ABCDEFGHJKLMNPQRTUWXY", 18) else {
        return false;
    };
    let powers = std::iter::successors(Some(1), |power| Some(power * 3 % 31));
    let sum: u32 = values
        .iter()
        .take(17)
        .zip(powers)
        .map(|(it, by)| it * by)
        .sum();
    (sum + values[17]).is_multiple_of(31) && is_organization_code(&number[8..17])
}

/// GB 11714-1997.
fn is_organization_code(number: &str) -> bool {
    let Some(values) = values(number, BASE36, 9) else {
        return false;
    };
    let check = match number.as_bytes()[8] {
        b'X' => 10,
        digit if digit.is_ascii_digit() => values[8],
        _ => return false,
    };
    let weights = [3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = values.iter().zip(weights).map(|(it, by)| it * by).sum();
    (sum + check).is_multiple_of(11)
}

/// The number that was called loan card code.
fn is_loan_card(number: &str) -> bool {
    let Some(values) = values(number, BASE36, 16) else {
        return false;
    };
    let weights = [1, 3, 5, 7, 11, 2, 13, 1, 1, 17, 19, 97, 23, 29];
    let sum: u32 = values.iter().zip(weights).map(|(it, by)| it * by).sum();
    values[3..].iter().all(|it| *it < 10) && values[14] * 10 + values[15] == sum % 97 + 1
}

/// What each sign of a number counts in an alphabet.
fn values(number: &str, alphabet: &str, length: usize) -> Option<Vec<u32>> {
    let value = |sign: char| Some(alphabet.find(sign)? as u32);
    let values: Vec<u32> = number.chars().map(value).collect::<Option<_>>()?;
    (values.len() == length).then_some(values)
}

/// Whether this is `yyyy-mm-dd` and a real day.
pub(crate) fn is_date(text: &str) -> bool {
    let at = |place: usize| text.as_bytes()[place];
    let form = text.len() == 10
        && (0..10).all(|place| at(place).is_ascii_digit() != (place == 4 || place == 7))
        && at(4) == b'-'
        && at(7) == b'-';
    form && text.parse::<jiff::civil::Date>().is_ok()
}

/// The days before a day `yyyymmdd`.
pub(crate) fn days(day: i128) -> Option<i128> {
    let part = |by: i128, of: i128| i16::try_from(day / by % of).ok();
    let (month, day) = (part(100, 100)? as i8, part(1, 100)? as i8);
    let year = part(10_000, 10_000)?;
    let date = jiff::civil::Date::new(year, month, day).ok()?;
    let since = date.since(jiff::civil::date(1901, 1, 1)).ok()?;
    Some(since.get_days().into())
}

/// The months before a day `yyyymmdd` or a month `yyyymm`.
pub(crate) fn months(day: i128) -> i128 {
    let month = if day > 999_999 { day / 100 } else { day };
    month / 100 * 12 + month % 100
}

const BASE36: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
