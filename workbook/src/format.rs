//! Which number formats show a number as a day or a time.

/// Whether a format that every spreadsheet knows by its number does (ECMA-376 part 1, 18.8.30; 27
/// to 36 and 50 to 58 are those of Chinese, Japanese and Korean).
pub(crate) fn known_date(id: u32) -> bool {
    matches!(id, 14..=22 | 27..=36 | 45..=47 | 50..=58)
}

/// Whether a format that is written out does: outside of quotes, escapes and brackets it names
/// years, months, days, hours or seconds.
pub(crate) fn is_date(code: &str) -> bool {
    let mut chars = code.split(';').next().unwrap_or_default().chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => while chars.next().is_some_and(|c| c != '"') {},
            '\\' | '_' | '*' => {
                chars.next();
            }
            '[' => {
                let inside: String = chars.by_ref().take_while(|c| *c != ']').collect();
                // Hours, minutes or seconds that go on beyond a day; all else is color or locale.
                if !inside.is_empty()
                    && inside
                        .to_ascii_lowercase()
                        .bytes()
                        .all(|b| b"hms".contains(&b))
                {
                    return true;
                }
            }
            'd' | 'D' | 'h' | 'H' | 'm' | 'M' | 's' | 'S' | 'y' | 'Y' => return true,
            'G' | 'g' => return false,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_of_days_and_times_are_told_from_those_of_numbers() {
        for code in [
            "yyyy-mm-dd",
            "yyyy\"年\"m\"月\"d\"日\"",
            "[$-804]yyyy/m/d",
            "h:mm",
            "[hh]:mm",
            "mmm-yy",
        ] {
            assert!(is_date(code), "{code}");
        }
        for code in [
            "General",
            "0.00",
            "#,##0",
            "@",
            "0\"days\"",
            "[Red]0.00",
            "0.00E+00",
            "\\d0",
            "G/通用格式",
        ] {
            assert!(!is_date(code), "{code}");
        }
        assert!(known_date(14) && known_date(31) && !known_date(49) && !known_date(2));
    }
}
