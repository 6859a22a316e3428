//! Workbooks in a dry run, and findings into a file.

use std::{fs::File, io::Write as _, path::Path};

use schemas::{record::Record, text::Language};
use workbook::{Book, Limits, Located};

use super::{
    super::CliError,
    check::Check,
    extension,
    stream::{Table, edition, editions},
};

/// Judges the records of a workbook.
pub(super) fn check(path: &Path, check: &mut Check<'_>) -> Result<(), CliError> {
    let failed = |source| CliError::Read {
        path: path.to_owned(),
        source,
    };
    let tables = editions().map_err(failed)?;
    let mut book = open(path)?;
    let read = workbook::read(&mut book, &tables).map_err(|source| broken(path, source))?;
    drop(book);
    let mut source = match read {
        Ok(source) => source,
        Err(findings) => {
            check.tell(findings);
            return Ok(());
        }
    };
    while let Some(taken) = source.next_record(Record::default()) {
        let of = taken.as_ref().ok().map(|taken| taken.plan.code());
        let own = tables
            .iter()
            .find(|it| of.is_none_or(|code| it.plan(code).is_some()));
        let own = own.copied().unwrap_or(edition().map_err(failed)?);
        check.record(own, taken, Some(source.origin()));
    }
    Ok(())
}

/// Writes findings into a file, in the form that its name says.
pub(super) fn write(
    table: &Table,
    into: &Path,
    findings: &[Located],
    language: Language,
) -> Result<(), CliError> {
    let failed = |source| CliError::Write {
        path: into.to_owned(),
        source,
    };
    let bytes = match extension(into).as_str() {
        "csv" => workbook::to_csv(findings),
        "json" => format!("{:#}\n", workbook::to_json(findings)).into_bytes(),
        "xlsx" if table.is_workbook() => {
            let same = |path: &Path| path.canonicalize().ok();
            if same(into).is_some_and(|it| same(table.main()) == Some(it)) {
                return Err(CliError::Usage(
                    "--findings should not name the workbook itself",
                ));
            }
            let tables = editions().map_err(failed)?;
            let mut book = open(table.main())?;
            let copy = File::create(into).map_err(failed)?;
            return workbook::annotate(&mut book, &tables, findings, language, copy)
                .map_err(|source| broken(into, source));
        }
        "xlsx" => return Err(CliError::Usage("a marked copy is made of a workbook only")),
        _ => {
            return Err(CliError::Usage(
                "findings go to a file named .csv, .json or .xlsx",
            ));
        }
    };
    File::create(into)
        .and_then(|mut file| file.write_all(&bytes))
        .map_err(failed)
}

fn open(path: &Path) -> Result<Book<'static>, CliError> {
    let file = File::open(path).map_err(|source| CliError::Read {
        path: path.to_owned(),
        source,
    })?;
    let input = std::io::BufReader::new(file);
    Book::open(input, Limits::default()).map_err(|source| broken(path, source))
}

fn broken(path: &Path, source: workbook::BookError) -> CliError {
    CliError::Book {
        path: path.to_owned(),
        source,
    }
}
