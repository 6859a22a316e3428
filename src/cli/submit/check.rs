//! A dry run: every record judged by the tables, nothing sent.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
};

use schemas::{
    edition::Edition,
    file::Header,
    intake::{Intake, MOST_BYTES, Taken, csv::CsvError},
    record::Record,
    text::Language,
    validate::{FileHeader, Finding, Scratch, Severity},
};
use serde_json::{Value, json};
use workbook::{Located, Origin};

use super::{
    super::{CliError, Common, Exit, out, report},
    Args, SHOWN, book,
    stream::{Table, edition},
};
use crate::platform::clock::{Clock, china_date};

/// What was seen so far.
pub(super) struct Check<'c> {
    header: FileHeader,
    scratch: Scratch,
    lang: Language,
    json: bool,
    file: &'c str,
    records: u64,
    bad: u64,
    rows: Vec<Value>,
    text: String,
    /// All findings, where they are to be written into a file.
    found: Option<Vec<Located>>,
}

pub(super) fn run(common: &Common, args: &Args) -> Result<Exit, CliError> {
    let today = china_date(Clock::system().now());
    let mut bad = 0;
    for path in &args.files {
        let table = Table::of(path, args.record.as_deref(), &args.children)?;
        let name = path.display().to_string();
        let failed = |source| CliError::Read {
            path: path.clone(),
            source,
        };
        let mut check = Check {
            header: FileHeader {
                date: today,
                record: String::new(),
                // The gateway knows the code; no rule of the tables asks for it.
                org: "T0000000000000".to_owned(),
                template: String::new(),
            },
            scratch: Scratch::default(),
            lang: args.lang,
            json: common.json,
            file: &name,
            records: 0,
            bad: 0,
            rows: Vec::new(),
            text: String::new(),
            found: args.findings.is_some().then(Vec::new),
        };
        let tables = edition().map_err(failed)?;
        match table.record() {
            Some(record) => check.csv(&table, record, tables, args)?,
            None if table.is_workbook() => book::check(path, &mut check)?,
            None => check.lines(&table, tables).map_err(failed)?,
        }
        bad += check.bad;
        if let (Some(into), Some(found)) = (&args.findings, check.found.take()) {
            book::write(&table, into, &found, args.lang)?;
        }
        check.print()?;
    }
    Ok(if bad == 0 { Exit::Done } else { Exit::Refused })
}

impl Check<'_> {
    fn lines(&mut self, table: &Table, edition: &Edition) -> std::io::Result<()> {
        let mut input = BufReader::new(File::open(table.main())?);
        let intake = Intake::new(edition);
        let mut line = Vec::new();
        loop {
            line.clear();
            let most = MOST_BYTES as u64 + 2;
            if input.by_ref().take(most).read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            if !line.trim_ascii().is_empty() {
                self.record(edition, intake.json(line.trim_ascii()), None);
            }
        }
    }

    fn csv(
        &mut self,
        table: &Table,
        record: &str,
        edition: &Edition,
        args: &Args,
    ) -> Result<(), CliError> {
        let open = |path: &std::path::Path| {
            File::open(path).map_err(|source| CliError::Read {
                path: path.to_owned(),
                source,
            })
        };
        let mut inputs = Vec::new();
        for (text, path) in args.children.iter().zip(table.paths().skip(1)) {
            let group = text.split('=').next().unwrap_or_default().to_owned();
            let input: schemas::intake::csv::Input<'_> = Box::new(open(path)?);
            inputs.push((group, input));
        }
        let main = Box::new(BufReader::new(open(table.main())?));
        let broken = |source| CliError::Read {
            path: table.main().to_owned(),
            source,
        };
        let mut source = match Intake::new(edition).csv(record, main, inputs) {
            Ok(source) => source,
            Err(CsvError::Io(error)) => return Err(broken(error)),
            Err(CsvError::Findings(findings)) => {
                self.record(edition, Err(findings), None);
                return Ok(());
            }
            Err(error) => return Err(broken(std::io::Error::other(error))),
        };
        while let Some(read) = source.read(Record::default()) {
            match read {
                Ok(taken) => self.record(edition, Ok(taken), None),
                Err(CsvError::Findings(findings)) => self.record(edition, Err(findings), None),
                Err(CsvError::Io(error)) => return Err(broken(error)),
                Err(error) => return Err(broken(std::io::Error::other(error))),
            }
        }
        Ok(())
    }

    /// Judges a record; `origin` tells its rows where it comes from a workbook.
    pub(super) fn record(
        &mut self,
        edition: &Edition,
        taken: Result<Taken<'_>, Vec<Finding>>,
        origin: Option<&Origin>,
    ) {
        self.records += 1;
        let findings = match taken {
            Err(findings) => findings,
            Ok(mut taken) => {
                self.header.record = taken.plan.code().to_owned();
                Header::template_of(taken.plan.code()).clone_into(&mut self.header.template);
                assume_point(edition, &mut taken);
                taken.judge(&self.header, &mut self.scratch)
            }
        };
        let located: Vec<Located> = findings
            .into_iter()
            .map(|finding| Located {
                seq: Some(self.records),
                spot: origin.map(|origin| origin.spot(&finding.path)),
                finding,
            })
            .collect();
        self.tell(located);
    }

    /// Tells the findings on one record, or on the sheets of a workbook.
    pub(super) fn tell(&mut self, located: Vec<Located>) {
        let stops = |it: &Located| it.finding.severity == Severity::Error;
        if located.iter().any(stops) {
            self.bad += 1;
            self.show(&located);
        }
        if let Some(found) = &mut self.found {
            found.extend(located);
        }
    }

    fn show(&mut self, located: &[Located]) {
        let seq = located.first().and_then(|it| it.seq);
        if self.json {
            let findings = located.iter().map(|it| {
                let (at, it) = (it.spot.as_ref().map(ToString::to_string), &it.finding);
                let mut row = json!({"rule": it.rule, "code": it.code, "path": it.path, "zh": it.zh, "en": it.en});
                if let Some(at) = at {
                    row["at"] = at.into();
                }
                row
            });
            let findings: Vec<Value> = findings.collect();
            self.rows.push(json!({"seq": seq, "findings": findings}));
        } else if self.bad as usize <= SHOWN {
            if let Some(seq) = seq {
                report::line(&mut self.text, 1, &format!("#{seq}"));
            }
            for it in located {
                let said = report::pick(self.lang, &it.finding.zh, &it.finding.en);
                let path = &it.finding.path;
                let at = it
                    .spot
                    .as_ref()
                    .map_or_else(|| path.clone(), ToString::to_string);
                report::line(
                    &mut self.text,
                    2,
                    &format!("{} {at}: {said}", it.finding.code),
                );
            }
        }
    }

    fn print(self) -> Result<(), CliError> {
        if self.json {
            return out::json(&json!({
                "file": self.file, "records": self.records, "bad": self.bad, "records_with_findings": self.rows,
            }));
        }
        let head = match self.lang {
            Language::En => format!(
                "{}: {} records, {} with findings",
                self.file, self.records, self.bad
            ),
            Language::Zh => format!(
                "{}：{} 条记录，{} 条有问题",
                self.file, self.records, self.bad
            ),
        };
        let note = report::pick(
            self.lang,
            "未询问授权、告知与台账；报告时点说明代码如未填写，按首次上报校验",
            "authorizations, notices and the ledger were not asked; a code of the reporting point \
             that is left out was taken to be that of a first report",
        );
        out::text(&format!("{head}\n{}{note}", self.text))
    }
}

/// Puts a code of the reporting point where none is given: the ledger would know
/// it, and here the first that opens an account stands for it.
fn assume_point(edition: &Edition, taken: &mut Taken<'_>) {
    let Some(role) = edition.role(taken.plan.code()) else {
        return;
    };
    if role.report_code(taken.plan, &taken.record).is_some() {
        return;
    }
    let has_month = role.month(taken.plan, &taken.record).is_some();
    let month_end = role
        .report_date(taken.plan, &taken.record)
        .is_some_and(|day| day == day.last_of_month());
    let code = match taken.plan.code() {
        "210" if has_month && month_end => "31",
        _ => "10",
    };
    role.put_report_code(taken.plan, &mut taken.record, code);
}
