//! `creditgate schemas check`: anybody's submission files, judged as the centre
//! judges them before it loads anything.
//!
//! Needs no configuration and asks no gateway. Its exit codes are those of a
//! checker: clean, findings, or a file that could not be looked at.

mod open;
mod reply;

use std::{
    io::{self, BufWriter, ErrorKind, StdoutLock, Write as _},
    num::NonZero,
    path::{Path, PathBuf},
    thread,
};

use jiff::{Timestamp, civil::DateTime};
use pboc::pack::FileKey;
use schemas::{
    file::{Examined, Flag, Told, asked, examine},
    text::Language,
    validate::{Finding, Severity},
};
use serde::Serialize;

use super::super::{CliError, Common, Exit, language, report::pick};
use crate::platform::clock::china;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(in super::super) struct Args {
    /// Submission files: text (.txt), compressed (.txt.zip) or, with --key,
    /// sealed (.enc).
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Write beside each file the feedback file that the centre would answer
    /// with; one of that name is replaced.
    #[arg(long)]
    feedback: bool,
    /// A file with the bureau's file key, to look into sealed files.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The language of the findings.
    #[arg(long, default_value = "zh", value_parser = language())]
    lang: Language,
}

/// One finding as a program reads it.
#[derive(Serialize)]
struct Row<'f> {
    file: &'f str,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<u32>,
    #[serde(flatten)]
    what: What<'f>,
    tag: &'f str,
    rule: &'f str,
    message: &'f str,
}

/// The bureau's code; of what only warns and has none, the name of the check.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum What<'f> {
    Code(&'f str),
    Warning(&'f str),
}

pub(super) fn run(common: &Common, args: &Args, now: Timestamp) -> Result<Exit, CliError> {
    let key = args.key.as_deref().map(open::key).transpose()?;
    let mut checker = Checker {
        key,
        feedback: args.feedback,
        lang: args.lang,
        json: common.json,
        now: china(now).datetime(),
        out: BufWriter::new(io::stdout().lock()),
    };
    let mut worst = Exit::Done;
    for path in &args.files {
        let exit = match checker.file(path) {
            Ok(true) => Exit::Done,
            Ok(false) => Exit::Failed,
            // The reader has seen enough: `| head`.
            Err(CliError::Output(error)) if error.kind() == ErrorKind::BrokenPipe => {
                return Ok(Exit::Failed);
            }
            Err(error @ CliError::Output(_)) => return Err(error),
            Err(error) => {
                error.print(false);
                Exit::Usage
            }
        };
        if exit.code() > worst.code() {
            worst = exit;
        }
    }
    Ok(worst)
}

struct Checker<'o> {
    key: Option<FileKey>,
    feedback: bool,
    lang: Language,
    json: bool,
    /// Chinese time.
    now: DateTime,
    out: BufWriter<StdoutLock<'o>>,
}

/// Why the examination of a file stopped.
enum Stop {
    Printing(io::Error),
    Replying(CliError),
}

impl Checker<'_> {
    /// Whether the centre would take the file and all its records.
    fn file(&mut self, path: &Path) -> Result<bool, CliError> {
        let shown = path.display().to_string();
        let read = |source| CliError::Read {
            path: path.to_owned(),
            source,
        };
        let input = open::text(path, self.key.as_ref()).map_err(read)?;
        let mut reply = match self.feedback {
            true => Some(reply::Reply::begin(path)?),
            false => None,
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let threads = thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        let today = self.now.date();
        let mut stop = None;
        let examined = examine(&name, input, today, threads, &mut |told| {
            let done = self.tell(&shown, &told).map_err(Stop::Printing);
            let done = done.and_then(|()| match &mut reply {
                Some(reply) => reply.tell(&told).map_err(Stop::Replying),
                None => Ok(()),
            });
            done.map_err(|why| {
                stop = Some(why);
                ErrorKind::Interrupted.into()
            })
        });
        let examined = match (examined, stop) {
            (Ok(examined), _) => Some(examined),
            (_, Some(Stop::Printing(error))) => return Err(CliError::Output(error)),
            (_, Some(Stop::Replying(error))) => return Err(error),
            (Err(error), None) => {
                // Bytes that do not open are the centre's to refuse; others cannot be looked at.
                let check = open::defect(&error).ok_or_else(|| read(error))?;
                let findings: Vec<Finding> = asked()
                    .filter(|it| it.check == check)
                    .map(|it| it.finding())
                    .collect();
                let told = Told {
                    record: None,
                    line: &[],
                    findings: &findings,
                };
                self.tell(&shown, &told).map_err(CliError::Output)?;
                None
            }
        };
        let mut written = None;
        if let (Some(reply), Some(examined)) = (reply, &examined) {
            written = reply.finish(examined, self.now)?;
        }
        if !self.json {
            self.summary(&shown, examined.as_ref(), written.as_deref())
                .map_err(CliError::Output)?;
        }
        self.out.flush().map_err(CliError::Output)?;
        Ok(examined.is_some_and(|examined| examined.is_clean()))
    }

    /// Prints findings, a line each.
    fn tell(&mut self, file: &str, told: &Told<'_>) -> io::Result<()> {
        for finding in told.findings {
            let said = pick(self.lang, &finding.zh, &finding.en);
            let message = match finding.path.as_str() {
                "." => said.to_owned(),
                path => format!("{path}: {said}"),
            };
            let warns = finding.severity == Severity::Warning;
            let code = if finding.code.is_empty() {
                &finding.rule
            } else {
                &finding.code
            };
            if self.json {
                let row = Row {
                    file,
                    record: told.record,
                    what: if warns {
                        What::Warning(code)
                    } else {
                        What::Code(code)
                    },
                    tag: &finding.tag,
                    rule: &finding.rule,
                    message: &message,
                };
                serde_json::to_writer(&mut self.out, &row)?;
                self.out.write_all(b"\n")?;
                continue;
            }
            write!(self.out, "{file}")?;
            if let Some(record) = told.record {
                write!(self.out, "#{record}")?;
            }
            let mark = if warns {
                pick(self.lang, "提示 ", "warning ")
            } else {
                ""
            };
            writeln!(self.out, ": {mark}{code} {} {message}", finding.tag)?;
        }
        Ok(())
    }

    /// What became of a file, in one line.
    fn summary(
        &mut self,
        file: &str,
        examined: Option<&Examined>,
        written: Option<&Path>,
    ) -> io::Result<()> {
        let Some(examined) = examined else {
            let said = pick(self.lang, "未能打开其内容", "its content does not open");
            return writeln!(self.out, "{file}: {said}");
        };
        let Examined {
            records,
            rejected,
            warnings,
            ..
        } = examined;
        let answer = match (examined.flag, self.lang) {
            (Some(Flag::Accepted), Language::Zh) => "会被接收",
            (Some(Flag::Accepted), Language::En) => "would be accepted",
            (Some(Flag::Rejected), Language::Zh) => "部分或全部记录会被退回",
            (Some(Flag::Rejected), Language::En) => "records would be rejected",
            (Some(Flag::Refused), Language::Zh) => "文件头有误，整个文件会被拒收",
            (Some(Flag::Refused), Language::En) => "would be refused for its header",
            (None, Language::Zh) => "整个文件会被拒收，且没有反馈文件",
            (None, Language::En) => "would be refused without a feedback file",
        };
        match self.lang {
            Language::Zh => write!(
                self.out,
                "{file}：{records} 条记录，{rejected} 条有误，{warnings} 条提示；{answer}"
            )?,
            Language::En => write!(
                self.out,
                "{file}: {records} records, {rejected} wrong, {warnings} warnings; {answer}"
            )?,
        }
        match written {
            Some(path) => writeln!(self.out, " → {}", path.display()),
            None => writeln!(self.out),
        }
    }
}
