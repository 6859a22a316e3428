//! Imports, on both databases: files as an earlier system would have sent them,
//! made by the tests themselves.

mod history;
mod stock;

use std::{fs, path::PathBuf};

use jiff::civil::DateTime;
use schemas::{
    edition::Edition,
    file::{Fault, FeedbackHeader, FeedbackLine, FileName, FileWriter, Flag, Header},
    intake::Intake,
    validate::{Scratch, Severity},
};
use serde_json::Value;

use super::{row::Row, *};
use crate::{
    demo::loans::{Loan, ORGANIZATION},
    submissions::{
        RecordState,
        service::Inner,
        store::accounts::{self, Sought},
        take::digests,
        tests::{Site, at_month_end, loan, sites},
    },
};

/// What earlier files and their feedback are made of.
struct Earlier<'s> {
    site: &'s Site,
    folder: tempfile::TempDir,
}

/// What an import gave.
struct Got {
    report: ImportReport,
    codes: Vec<String>,
}

impl<'s> Earlier<'s> {
    fn of(site: &'s Site) -> Self {
        Self {
            site,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// An earlier file of records, made on that day at nine; `point` is the code
    /// of the reporting point of its records 210.
    fn file(&self, day: &str, serial: u16, point: &str, records: &[Value]) -> PathBuf {
        let code = records[0]["record"].as_str().unwrap().to_owned();
        let day: jiff::civil::Date = day.parse().unwrap();
        let name = FileName::new(ORGANIZATION, day, &code, serial).unwrap();
        let header = Header::new(&name, day.at(9, 0, 0, 0), records.len() as u32).unwrap();
        let path = self.folder.path().join(format!("{name}.txt"));
        let mut writer = FileWriter::begin(&header, fs::File::create(&path).unwrap()).unwrap();
        for record in records {
            writer.line(&line(record, point, day)).unwrap();
        }
        writer.finish().unwrap();
        path
    }

    /// The bureau's answer to it: these lines are rejected.
    fn answer(&self, file: &std::path::Path, rejected: &[u32]) -> PathBuf {
        let text = fs::read_to_string(file).unwrap();
        let lines: Vec<&str> = text.split_terminator("\r\n").collect();
        let name = FileName::parse(file.file_name().unwrap().to_str().unwrap()).unwrap();
        let flag = if rejected.is_empty() {
            Flag::Accepted
        } else {
            Flag::Rejected
        };
        let sent = lines.len() as u32 - 1;
        let header = FeedbackHeader {
            version: "2.0.0".to_owned(),
            original: name.stem(),
            flag,
            file_version: "2.0.0".to_owned(),
            time: DateTime::constant(2026, 9, 2, 12, 0, 0, 0),
            accepted: sent - rejected.len() as u32,
            rejected: rejected.len() as u32,
        };
        let mut text = format!("{header}\r\n").into_bytes();
        for line in rejected {
            let returned = FeedbackLine {
                line: Some(*line),
                faults: vec![Fault {
                    code: "BLR001".to_owned(),
                    tag: "0000".to_owned(),
                }],
                record: Some(lines[*line as usize - 1].as_bytes().to_vec()),
            };
            returned.write(&mut text);
        }
        let path = self
            .folder
            .path()
            .join(format!("{}.txt", name.feedback(flag)));
        fs::write(&path, text).unwrap();
        path
    }

    fn stock(&self, records: &[Value]) -> StockFiles {
        let text: String = records.iter().map(|it| format!("{it}\n")).collect();
        let main = self.folder.path().join("stock.jsonl");
        fs::write(&main, text).unwrap();
        StockFiles {
            main,
            ..StockFiles::default()
        }
    }

    fn importer(&self) -> Importer {
        Importer {
            clock: self.site.clock.clone(),
            db: self.site.db.clone(),
            vault: self.site.vault(),
            institution: "demo-bank".into(),
            bureau: "pboc".into(),
            organization: ORGANIZATION.to_owned(),
            seal: Some(self.site.seal()),
        }
    }

    async fn import(&self, wanted: &Wanted) -> Got {
        let importer = self.importer();
        let mut codes = Vec::new();
        let mut tell = |finding: ImportFinding| {
            assert!(
                !finding.zh.is_empty() && !finding.en.is_empty(),
                "{finding:?}"
            );
            codes.push(finding.code);
        };
        let report = importer.run(wanted, &mut tell).await.unwrap();
        Got { report, codes }
    }

    /// Standing, report date and accepted record of accounts, by their number.
    async fn accounts(&self) -> Vec<(String, Option<String>, i64, i64)> {
        self.site
            .db
            .all(
                "SELECT state, reported_on, COALESCE(accepted_submission, 0), \
                 COALESCE(accepted_seq, 0) FROM accounts ORDER BY id",
                crate::args![],
            )
            .await
            .unwrap()
    }

    async fn count(&self, sql: &'static str) -> i64 {
        let row: Option<(i64,)> = self.site.db.first(sql, crate::args![]).await.unwrap();
        row.unwrap().0
    }
}

/// A record as a line of the bureau's.
fn line(record: &Value, point: &str, day: jiff::civil::Date) -> Vec<u8> {
    let edition = Edition::embedded("pboc-submit-personal", day).unwrap();
    let taken = Intake::new(edition).json(record.to_string().as_bytes());
    let mut taken = taken.unwrap();
    let plan = taken.plan;
    let role = edition.role(plan.code()).unwrap();
    role.put_report_code(plan, &mut taken.record, point);
    let header = Inner::header(plan.code(), ORGANIZATION, day);
    let findings = taken.judge(&header, &mut Scratch::default());
    let errors = findings.iter().filter(|it| it.severity == Severity::Error);
    assert_eq!(errors.count(), 0, "{findings:?}");
    let mut line = Vec::new();
    plan.write(&taken.record, &mut line).unwrap();
    line
}

/// Files with the feedback to each.
fn with_feedback(files: &[PathBuf], feedback: &[PathBuf]) -> Wanted {
    Wanted {
        files: files.to_vec(),
        feedback: feedback.to_vec(),
        ..Wanted::default()
    }
}

fn codes(got: &Got) -> Vec<&str> {
    got.codes.iter().map(String::as_str).collect()
}
