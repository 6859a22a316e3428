//! Takes the answer file of a batch apart, and matches it record by record.

use std::collections::{HashMap, HashSet};

use contract::{Batch, BatchFinding, BatchRead, BatchRecord, Outcome};
use schemas::message::Fields;

use super::{header, name};
use crate::Service;
use crate::request;
use crate::response::{Asked, limits, named, outcome, result_code};

/// An answer file beyond this is not read: 2000 reports of the largest size
/// seen, in Base64. The limit is ours.
const MAX_FILE_BYTES: usize = 512 << 20;

/// Longest line: one report.
const MAX_LINE_BYTES: usize = crate::response::MAX_REPLY_BYTES;

/// The fields of a request that its answer repeats.
const REPEATED: [&str; 7] = [
    "OriginateOrgCode",
    "OriginateUserCode",
    "Name",
    "IDType",
    "IDNum",
    "QueryReason",
    "ServiceCode",
];

/// Reads the answer to the file of a batch.
pub(crate) fn read(batch: &Batch, service: &Service, bytes: &[u8]) -> BatchRead {
    let mut reading = Reading {
        batch,
        service,
        places: (0..)
            .zip(&batch.records)
            .map(|(n, it)| (it.id.as_str(), n))
            .collect(),
        seen: HashSet::new(),
        read: BatchRead::default(),
        counts: [0, 0],
    };
    reading.file(bytes);
    let Reading { seen, mut read, .. } = reading;
    let open = batch
        .records
        .iter()
        .filter(|it| !seen.contains(it.id.as_str()));
    read.unanswered = open.map(|it| it.id.clone()).collect();
    read
}

struct Reading<'b> {
    batch: &'b Batch,
    service: &'b Service,
    places: HashMap<&'b str, usize>,
    seen: HashSet<&'b str>,
    read: BatchRead,
    /// Records with a report or a no hit, and others.
    counts: [usize; 2],
}

impl<'b> Reading<'b> {
    fn file(&mut self, bytes: &[u8]) {
        let text = match std::str::from_utf8(bytes) {
            _ if bytes.len() > MAX_FILE_BYTES => return self.found(1, "too_large"),
            Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
            Err(_) => return self.found(1, "wrong_encoding"),
        };
        let mut lines = (1..).zip(text.lines());
        let (_, first) = lines.next().unwrap_or_default();
        let declared = self.header(first);
        for (line, text) in lines {
            if text.trim().is_empty() {
                continue;
            }
            if let Err(code) = self.record(text) {
                self.found(line, code);
            }
        }
        if declared.is_some_and(|declared| declared != self.counts) {
            self.found(1, "wrong_counts");
        }
    }

    /// The counts of a header line that is the answer to our file.
    fn header(&mut self, line: &str) -> Option<[usize; 2]> {
        let Ok(fields) = header("D502").read(line) else {
            self.found(1, "wrong_header");
            return None;
        };
        let field = |name: &str| {
            let mut fields = fields.iter();
            fields.find(|(it, _)| *it == name).map_or("", |(_, it)| *it)
        };
        let institution = self.batch.records.first();
        let institution = institution.map(|it| it.request.institution_code.as_str());
        if field("request_file") != name(self.batch, institution.unwrap_or_default()) {
            self.found(1, "other_file");
        }
        let count = |name| field(name).parse().unwrap_or(usize::MAX);
        Some([count("answered"), count("failed")])
    }

    fn record(&mut self, text: &str) -> Result<(), &'static str> {
        if text.len() > MAX_LINE_BYTES {
            return Err("too_large");
        }
        let fields = named("D502").read(text.as_bytes(), limits(MAX_LINE_BYTES));
        let fields = fields.map_err(|error| error.code())?;
        let id = fields.get("RequestId").unwrap_or_default().trim();
        let place = *self.places.get(id).ok_or("other_record")?;
        let record = &self.batch.records[place];
        if !self.seen.insert(record.id.as_str()) {
            return Err("record_twice");
        }
        if !self.repeats(record, &fields) {
            return Err("other_request");
        }
        let asked = Asked::new(&record.request, self.service);
        let became = result_code(fields.get("ResultCode"))
            .and_then(|code| outcome(code, fields.get("ReportMessage"), &asked));
        let became = became.map_err(|defect| defect.code())?;
        let is_answer = matches!(became, Outcome::Answered(_) | Outcome::NoHit { .. });
        self.counts[usize::from(!is_answer)] += 1;
        self.read.answers.push((record.id.clone(), became));
        Ok(())
    }

    /// Whether the answer repeats what was asked. A field that it leaves out is
    /// nothing to compare, but the ID number must be there.
    fn repeats(&self, record: &BatchRecord, fields: &Fields<'_>) -> bool {
        REPEATED.iter().all(|tag| match fields.get(tag) {
            None => *tag != "IDNum",
            Some(value) => {
                let ours = request::item(&record.request, self.service, "", tag);
                ours.is_some_and(|(_, ours)| ours == value.trim())
            }
        })
    }

    fn found(&mut self, line: usize, code: &'static str) {
        self.read.findings.push(BatchFinding { line, code });
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::batch::tests::{batch, written};
    use crate::tests::{REPORT, gzip, word};

    /// The answer to the batch of the tests: a report, and a refusal.
    fn answer() -> String {
        let file = written(&batch()).unwrap();
        let request = std::str::from_utf8(&file.bytes).unwrap();
        let mut records = request.split_terminator("\r\n").skip(1);
        let report = STANDARD.encode(gzip(REPORT.as_bytes()));
        let mut said = |code: &str, report: &str| {
            let result = format!(
                "<ResultCode>{code}</ResultCode><ResultDesc>示例</ResultDesc><ReportName/>\
                 <ReportMessage>{report}</ReportMessage></Msg></Document>"
            );
            records
                .next()
                .unwrap()
                .replace("</Msg></Document>", &result)
        };
        let (first, second) = (said("AAA000", &report), said("DBE004", ""));
        let header = format!("A2.0.0{}120260317080000D502000010000100000000", file.name);
        format!("{header}\r\n{first}\r\n{second}\r\n")
    }

    fn look(text: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
        let read = read(&batch(), &Service::personal(), text.as_bytes());
        let answers = read.answers.iter();
        let findings = read.findings.iter();
        (
            answers
                .map(|(id, it)| format!("{id} {}", word(it)))
                .collect(),
            findings
                .map(|it| format!("{} {}", it.line, it.code))
                .collect(),
            read.unanswered,
        )
    }

    #[test]
    fn each_inquiry_gets_the_answer_of_its_own_record() {
        let (answers, findings, unanswered) = look(&answer());
        assert_eq!(answers, ["i-1 report AAA000", "i-2 refused DBE004"]);
        assert!(findings.is_empty() && unanswered.is_empty());
        // Order and line ends are the bureau's.
        let text = answer();
        let lines: Vec<_> = text.lines().collect();
        let turned = [lines[0], lines[2], "", lines[1]].join("\n");
        let (answers, findings, _) = look(&turned);
        assert_eq!(answers, ["i-2 refused DBE004", "i-1 report AAA000"]);
        assert!(findings.is_empty(), "{findings:?}");
    }

    #[test]
    fn what_does_not_agree_is_found_at_once_and_what_is_missing_stays_open() {
        let whole = answer();
        let lines: Vec<_> = whole.lines().collect();
        let both = [lines[1], lines[2]].join("\n");
        let with = |header: &str, records: &str| format!("{header}\n{records}\n");
        let cases = [
            (
                "another file",
                with(&lines[0].replace("D5010030", "D5010040"), &both),
                "1 other_file",
                "",
            ),
            (
                "our request",
                whole.replacen("D50200", "D50100", 1),
                "1 wrong_header",
                "",
            ),
            (
                "counts",
                with(&lines[0].replace("D5020000100001", "D5020000200001"), &both),
                "1 wrong_counts",
                "",
            ),
            (
                "one missing",
                with(
                    &lines[0].replace("D5020000100001", "D5020000100000"),
                    lines[1],
                ),
                "",
                "i-2",
            ),
            (
                "one missing, counted",
                with(lines[0], lines[1]),
                "1 wrong_counts",
                "i-2",
            ),
            (
                "twice",
                with(lines[0], &format!("{both}\n{}", lines[2])),
                "4 record_twice",
                "",
            ),
            (
                "a stranger's",
                with(lines[0], &both.replace("i-2", "i-9")),
                "3 other_record",
                "i-2",
            ),
            (
                "another number",
                with(
                    lines[0],
                    &both.replace("999999199001010016", "999999199001010024"),
                ),
                "3 other_request",
                "",
            ),
            (
                "another reason",
                with(lines[0], &both.replacen(">02<", ">01<", 1)),
                "2 other_request",
                "",
            ),
            (
                "no code",
                with(lines[0], &both.replace("DBE004", "")),
                "3 no_result_code",
                "",
            ),
            (
                "cut",
                with(lines[0], &both[..both.len() - 20]),
                "3 cut_short",
                "i-2",
            ),
        ];
        for (name, text, finding, open) in cases {
            let (_, findings, unanswered) = look(&text);
            let is_found = finding.is_empty() || findings.contains(&finding.to_owned());
            assert!(is_found, "{name}: {findings:?}");
            assert_eq!(
                finding.is_empty(),
                findings.is_empty(),
                "{name}: {findings:?}"
            );
            let expected: Vec<_> = open.split_terminator(' ').collect();
            assert_eq!(unanswered, expected, "{name}");
        }
        let read = read(&batch(), &Service::personal(), &[0xff, 0xfe]);
        assert_eq!(read.findings[0].code, "wrong_encoding");
        assert_eq!(read.unanswered.len(), 2);
    }

    #[test]
    fn a_report_about_somebody_else_is_no_answer() {
        let other = REPORT.replace("99000019880412024X", "990000198804120250");
        let ours = STANDARD.encode(gzip(REPORT.as_bytes()));
        let text = answer().replace(&ours, &STANDARD.encode(gzip(other.as_bytes())));
        let (answers, findings, unanswered) = look(&text);
        assert_eq!(answers, ["i-2 refused DBE004"]);
        assert!(
            findings.contains(&"2 other_subject".to_owned()),
            "{findings:?}"
        );
        // The record came, so the inquiry was recorded: it is not open but to be
        // looked into.
        assert!(unanswered.is_empty());
    }
}
