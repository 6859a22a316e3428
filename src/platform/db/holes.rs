//! Parameters without names, for SQLite.
//!
//! SQLite looks for the name of a parameter along the list of all of them, so
//! that a statement of many takes time by the square of their number. Nameless
//! ones have no such list.

/// Statements of fewer parameters stay as they are.
const MANY: usize = 64;

/// The statement with `?` in the place of each `$n`; none where it has few, or
/// where they do not run `$1`, `$2`, `$3` …, each once: then only numbers tell
/// which is which.
pub(super) fn nameless(sql: &str, parameters: usize) -> Option<String> {
    if parameters < MANY {
        return None;
    }
    let mut out = String::with_capacity(sql.len());
    let mut next = 1;
    for (n, part) in sql.split('$').enumerate() {
        if n == 0 {
            out.push_str(part);
            continue;
        }
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = part.split_at(digits);
        if number.parse() != Ok(next) {
            return None;
        }
        next += 1;
        out.push('?');
        out.push_str(rest);
    }
    (next == parameters + 1).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_order_are_left_out() {
        let holes: Vec<String> = (2..=70).map(|n| format!("${n}")).collect();
        let sql = format!(
            "SELECT a FROM t WHERE b = $1 AND c IN ({})",
            holes.join(", ")
        );
        let holes = vec!["?"; 69];
        assert_eq!(
            nameless(&sql, 70).unwrap(),
            format!(
                "SELECT a FROM t WHERE b = ? AND c IN ({})",
                holes.join(", ")
            )
        );
    }

    #[test]
    fn few_or_repeated_or_disordered_ones_stay() {
        let all = |last: &str| {
            let holes: Vec<String> = (1..=69).map(|n| format!("${n}")).collect();
            format!("VALUES ({}, {last})", holes.join(", "))
        };
        assert!(nameless(&all("$70"), 70).is_some());
        for last in ["$69", "$71", "$1", "'$'"] {
            assert_eq!(nameless(&all(last), 70), None, "{last}");
        }
        assert_eq!(nameless("SELECT $1", 1), None);
    }
}
