//! `creditgate schemas export`: the formats as files for other programs, and for people.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jiff::civil::Date;
use schemas::{manual::Manual, text::Language};

use super::super::{CliError, Common, Exit, language, out};
use super::{editions, known};

/// Arguments.
#[derive(Debug, clap::Args)]
pub(in super::super) struct Args {
    #[command(flatten)]
    form: Form,
    /// Record types; all where none is named.
    records: Vec<String>,
    /// The folder to write to, one below it for each format.
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// The language of manual pages.
    #[arg(long, default_value = "zh", value_parser = language())]
    lang: Language,
}

/// What to write of each record type.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct Form {
    /// An XML schema.
    #[arg(long)]
    xsd: bool,
    /// A JSON schema of the lines that `creditgate submit` takes.
    #[arg(long)]
    json_schema: bool,
    /// A manual page.
    #[arg(long)]
    markdown: bool,
}

pub(super) fn run(common: &Common, args: &Args, today: Date) -> Result<Exit, CliError> {
    let editions = editions(today);
    known(&args.records, &editions)?;
    let mut written = Vec::new();
    for (format, edition) in editions {
        let folder = args.out.join(format);
        let manual = Manual::of(format, edition, args.lang);
        for plan in edition.plans() {
            let code = plan.code();
            if !args.records.is_empty() && !args.records.iter().any(|record| record == code) {
                continue;
            }
            if args.form.xsd {
                written.push(put(&folder, &format!("{code}.xsd"), &plan.xsd())?);
            }
            if args.form.json_schema {
                let schema = format!("{:#}\n", plan.json_schema());
                written.push(put(&folder, &format!("{code}.schema.json"), &schema)?);
            }
            if args.form.markdown
                && let Some(page) = manual.page(code)
            {
                written.push(put(&folder, &format!("{code}.md"), &page)?);
            }
        }
    }
    if common.json {
        out::json(&written)?;
    } else {
        let names: Vec<String> = written.iter().map(|it| it.display().to_string()).collect();
        out::text(&names.join("\n"))?;
    }
    Ok(Exit::Done)
}

fn put(folder: &Path, name: &str, text: &str) -> Result<PathBuf, CliError> {
    let path = folder.join(name);
    let failed = |source| CliError::Write {
        path: path.clone(),
        source,
    };
    fs::create_dir_all(folder).map_err(failed)?;
    fs::write(&path, text).map_err(failed)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::super::{Cli, main};
    use super::*;

    #[test]
    fn a_record_is_written_in_every_form_asked_for_once_for_each_format() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().to_str().unwrap();
        let line = format!(
            "creditgate schemas export --xsd --json-schema --markdown 511 --lang en -o {out}"
        );
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        assert_eq!(main(cli), Exit::Done);
        for format in ["pboc-submit-personal", "pboc-submit-enterprise"] {
            let read =
                |name: &str| fs::read_to_string(folder.path().join(format).join(name)).unwrap();
            assert!(read("511.xsd").starts_with("<?xml"));
            assert!(read("511.schema.json").contains("\"const\": \"511\""));
            assert!(
                read("511.md").starts_with("# 511 Identifier-change request")
                    || format.ends_with("enterprise")
            );
            assert_eq!(fs::read_dir(folder.path().join(format)).unwrap().count(), 3);
        }
    }

    #[test]
    fn a_form_must_be_chosen_and_a_record_must_exist() {
        assert!(Cli::try_parse_from(["creditgate", "schemas", "export"]).is_err());
        let cli = Cli::try_parse_from(["creditgate", "schemas", "show", "999"]).unwrap();
        assert_eq!(main(cli), Exit::Usage);
    }
}
