//! Whether child rows follow the order of their records, before anything is taken.

use super::table::Column;
use super::{CsvError, Input, Source};
use crate::intake::Intake;
use crate::validate::Finding;

/// Reads all tables once, side by side, and tells the first row of each child table whose record
/// does not come. Without this, records after such a row would go without their entries.
///
/// # Errors
///
/// As [`Intake::csv`] and [`Source::read`].
pub fn misplaced<'e>(
    intake: &Intake<'e>,
    record: &str,
    main: Input<'e>,
    children: Vec<(String, Input<'e>)>,
) -> Result<Vec<Finding>, CsvError> {
    let mut source: Source<'e> = intake.csv(record, main, children)?;
    let Some(key) = source.key.filter(|_| !source.children.is_empty()) else {
        return Ok(Vec::new());
    };
    debug_assert!(!matches!(source.columns[key], Column::Dispute));
    loop {
        match source.main.read() {
            Ok(true) => {}
            Ok(false) => break,
            // A row that is no text has no key; its finding comes when it is taken.
            Err(CsvError::Findings(_)) => continue,
            Err(error) => return Err(error),
        }
        let key = source.main.row().cell(key);
        for child in &mut source.children {
            while child.key() == Some(key) {
                match child.pass() {
                    Ok(()) => {}
                    Err(CsvError::Findings(_)) => child.pass()?,
                    Err(error) => return Err(error),
                }
            }
        }
    }
    let plan = source.plan;
    let left = source.children.iter_mut();
    Ok(left.filter_map(|child| child.left(plan)).collect())
}
