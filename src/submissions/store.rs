//! The rows of submissions, records and files.
//!
//! Every change of a file's state compares and sets; records change in chunks,
//! by conditions on their state.

pub(super) mod accounts;
pub(super) mod answers;
pub(super) mod clocks;
pub(super) mod files;
pub(super) mod imports;
pub(super) mod names;
pub(super) mod records;
pub(super) mod submissions;

/// Columns and values of many rows in one statement: `($1, $2), ($3, $4)`.
pub(super) fn holes(rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 6);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            if column > 0 {
                text.push_str(", ");
            }
            text.push('$');
            text.push_str(&(row * columns + column + 1).to_string());
        }
        text.push(')');
    }
    text
}

/// As [`holes`], of numbers: PostgreSQL does not see of what type they are.
pub(super) fn numbers(rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 16);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            if column > 0 {
                text.push_str(", ");
            }
            // Only the first row tells the types.
            let number = row * columns + column + 1;
            if row == 0 {
                text.push_str(&format!("CAST(${number} AS BIGINT)"));
            } else {
                text.push_str(&format!("${number}"));
            }
        }
        text.push(')');
    }
    text
}

/// `$first, $first+1, …`.
pub(super) fn list(first: usize, count: usize) -> String {
    let holes: Vec<String> = (first..first + count).map(|n| format!("${n}")).collect();
    holes.join(", ")
}
