//! Reading a request about a subject: from a file, from standard input, or by
//! asking whoever sits at the terminal. Never from arguments.

use std::{
    fs::File,
    io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::CliError;

/// No request is longer.
const LONGEST_BYTES: u64 = 64 << 10;

const NO_OBJECT: CliError = CliError::Usage("the request is not one JSON object");

/// Where the request stands.
#[derive(Debug, clap::Args)]
pub(super) struct Request {
    /// A JSON file, or - for standard input; at a terminal you are asked.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// What a request tells.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Asked {
    /// An inquiry: subject, bureau, product, purpose, business reference.
    Inquiry,
    /// Whether one would be allowed: subject, bureau, purpose.
    Question,
}

impl Request {
    /// The request's bytes: one JSON object. Of an inquiry's file a question
    /// takes what it needs.
    pub(super) fn read(&self, asked: Asked) -> Result<Zeroizing<Vec<u8>>, CliError> {
        let bytes = match &self.file {
            None if io::stdin().is_terminal() => return prompt(asked),
            None => read(Path::new("-"))?,
            Some(path) => read(path)?,
        };
        match asked {
            Asked::Inquiry => Ok(bytes),
            Asked::Question => question(&bytes),
        }
    }
}

/// Reads a JSON object from a file, or from standard input for `-`.
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let failed = |source| CliError::Read {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    let input: Box<dyn io::Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(failed)?)
    };
    input
        .take(LONGEST_BYTES)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    // The parser's own words could repeat a part of the text.
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(_)) => Ok(bytes),
        _ => Err(NO_OBJECT),
    }
}

/// Asks for the parts of a request, with the usual answers in brackets.
fn prompt(asked: Asked) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let kind = ask("subject: person or enterprise", "person")?;
    let (types, usual, product) = match kind.as_str() {
        "enterprise" => (
            "ID type (10: 中征码, 20: unified social credit code, 30: organization code)",
            "20",
            "enterprise_report",
        ),
        _ => (
            "ID type (10: resident identity card)",
            "10",
            "personal_report",
        ),
    };
    let subject = json!({
        "kind": kind,
        "id_type": ask(types, usual)?,
        "id_number": ask("ID number", "")?,
        "name": ask("name", "")?,
    });
    let bureau = ask("bureau", "pboc")?;
    let purpose = ask("purpose", "loan_approval")?;
    let mut request = json!({ "subject": subject, "bureau": bureau, "purpose": purpose });
    if asked == Asked::Inquiry {
        request["product"] = ask("product", product)?.into();
        request["business_ref"] = ask("business reference", "")?.into();
    }
    to_bytes(&request)
}

/// The parts of a request that a question has.
fn question(bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let request: Value = serde_json::from_slice(bytes).map_err(|_| NO_OBJECT)?;
    let parts: Value = ["subject", "bureau", "purpose"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), request.get(name)?.clone())))
        .collect::<serde_json::Map<_, _>>()
        .into();
    to_bytes(&parts)
}

fn to_bytes(request: &Value) -> Result<Zeroizing<Vec<u8>>, CliError> {
    serde_json::to_vec(request)
        .map(Zeroizing::new)
        .map_err(|error| CliError::Output(error.into()))
}

fn ask(question: &str, usual: &str) -> Result<String, CliError> {
    let failed = |source| CliError::Read {
        path: "the terminal".into(),
        source,
    };
    let mut out = io::stderr().lock();
    if usual.is_empty() {
        write!(out, "{question}: ").map_err(failed)?;
    } else {
        write!(out, "{question} [{usual}]: ").map_err(failed)?;
    }
    out.flush().map_err(failed)?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(failed)?;
    let answer = line.trim();
    Ok(if answer.is_empty() { usual } else { answer }.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_taken_from_the_file_of_an_inquiry() {
        let inquiry = br#"{"subject":{"kind":"person"},"bureau":"pboc","purpose":"p",
            "product":"personal_report","business_ref":"LOAN-1"}"#;
        let asked: Value = serde_json::from_slice(&question(inquiry).unwrap()).unwrap();
        let expected = json!({ "subject": { "kind": "person" }, "bureau": "pboc", "purpose": "p" });
        assert_eq!(asked, expected);
    }

    #[test]
    fn a_broken_request_is_not_repeated_in_the_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("request.json");
        for text in ["{\"name\": \"测试甲\"", "[\"测试甲\"]", ""] {
            std::fs::write(&path, text).unwrap();
            let error = read(&path).unwrap_err();
            assert_eq!(
                error.to_string(),
                "the request is not one JSON object",
                "{text}"
            );
        }
    }
}
