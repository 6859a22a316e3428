//! Anybody's file: what the tool overlooks warns, all is told in order, and the answer is the
//! mandated one.

use std::io::{self, Cursor};
use std::num::NonZero;

use schemas::file::{
    Examined, FeedbackLine, FeedbackName, FeedbackReader, FeedbackWriter, Flag, Told, examine,
};
use schemas::validate::{Finding, Severity};

use crate::support::testdata;

const NAME: &str = "T99999999H00012024060121000010";

fn good() -> String {
    let file = testdata("pboc-submit-files").join(format!("file-{NAME}.txt"));
    std::fs::read_to_string(file).unwrap()
}

/// What was told of each record, by number, and what it came to.
struct Seen {
    told: Vec<(Option<u32>, Vec<Finding>)>,
    examined: Examined,
    answer: Option<(FeedbackName, Vec<u8>)>,
}

impl Seen {
    /// Codes, with a `~` before what only warns; of a check without a code, its name.
    fn codes(&self) -> Vec<(u32, String)> {
        let code = |(record, finding): (u32, &Finding)| {
            let code = match finding.code.as_str() {
                "" => &finding.rule,
                code => code,
            };
            match finding.severity {
                Severity::Error => (record, code.to_owned()),
                Severity::Warning => (record, format!("~{code}")),
            }
        };
        let told = self.told.iter();
        let each =
            told.flat_map(|(record, found)| found.iter().map(|it| (record.unwrap_or(0), it)));
        each.map(code).collect()
    }

    /// The lines of the answer, read back by the reader of answers.
    fn lines(&self) -> Vec<FeedbackLine> {
        let (name, bytes) = self.answer.as_ref().unwrap();
        let sent = (name.flag() != Flag::Refused).then_some(self.examined.records);
        let mut reader = FeedbackReader::open(name, sent, Cursor::new(bytes)).unwrap();
        let mut lines = Vec::new();
        while let Some(line) = reader.read().unwrap() {
            lines.push(line);
        }
        lines
    }
}

fn seen(name: &str, bytes: &[u8], threads: usize) -> Seen {
    let today = "2024-06-30".parse().unwrap();
    let mut told = Vec::new();
    let mut writer = FeedbackWriter::begin(Cursor::new(Vec::new())).unwrap();
    let mut tell = |it: Told<'_>| -> io::Result<()> {
        told.push((it.record, it.findings.to_vec()));
        writer.tell(&it)
    };
    let threads = NonZero::new(threads).unwrap();
    let examined = examine(name, bytes, today, threads, &mut tell).unwrap();
    let time = today.at(12, 0, 0, 0);
    let answer = writer.finish(&examined, time).unwrap();
    Seen {
        told,
        examined,
        answer: answer.map(|(name, out)| (name, out.into_inner())),
    }
}

#[test]
fn what_the_pre_check_tool_overlooks_in_a_record_warns() {
    let of = |from: &str, to: &str| {
        let text = good().replacen(from, to, 1);
        assert_ne!(text, good(), "{to} changes something");
        seen(NAME, text.as_bytes(), 1).codes()
    };
    type Told = &'static [(u32, &'static str)];
    let cases: [(&str, &str, Told); 8] = [
        (
            "<AcctCode>T99999999H0001DK",
            "<AcctCode>T99999999H0001ＤK",
            &[(1, "~ABE001")],
        ),
        ("<Name>测试", "<Name>测\t试", &[(1, "~ABE001")]),
        (
            "<Name>测试",
            "<Name>测\n试",
            &[(1, "~line-end"), (1, "~ABE001")],
        ),
        ("<LoanAmt>", "<LoanAmt>+", &[(1, "~ABE001")]),
        ("<LoanAmt>", "<LoanAmt>0", &[]),
        ("<LoanAmt>", "<LoanAmt>x", &[(1, "ABE001")]),
        ("<InAcctInf>", " <InAcctInf>", &[(1, "~ABR000")]),
        ("<InAcctInf>", "x<InAcctInf>", &[(1, "ABR000")]),
    ];
    for (from, to, expected) in cases {
        let expected: Vec<_> = expected
            .iter()
            .map(|(at, it)| (*at, (*it).to_owned()))
            .collect();
        assert_eq!(of(from, to), expected, "case {to:?}");
    }
}

#[test]
fn a_file_in_gb18030_is_refused_by_its_texts() {
    // 测试甲 in GB18030.
    let gb: &[u8] = &[0xb2, 0xe2, 0xca, 0xd4, 0xbc, 0xd7];
    let text = good().into_bytes();
    let at = text
        .windows(9)
        .position(|it| it == "测试甲".as_bytes())
        .unwrap();
    let mut bytes = text.clone();
    bytes.splice(at..at + 9, gb.iter().copied());
    let seen = seen(NAME, &bytes, 1);
    let expected = [(1, "~ABF011".to_owned()), (1, "ABE001".to_owned())];
    assert_eq!(seen.codes(), expected);
    let path = &seen.told[0].1[1].path;
    assert!(path.ends_with("/Name"), "{path}");
}

#[test]
fn findings_quote_nothing_of_the_file() {
    let bad = good()
        .replace("999999198808080010", "999999198808080011")
        .replace("测试甲", "测试\u{7}甲机密")
        .replace("T99999999H0001", "h99999999H0001");
    let seen = seen(NAME, bad.as_bytes(), 1);
    assert!(seen.examined.rejected > 0);
    for finding in seen.told.iter().flat_map(|(_, found)| found) {
        for secret in ["9999991988", "机密", "h99999999"] {
            let said = format!("{finding:?}");
            assert!(!said.contains(secret), "{}", finding.rule);
        }
    }
}

#[test]
fn many_lines_are_told_in_their_order_by_any_number_of_threads() {
    let text = good();
    let lines: Vec<&str> = text.split("\r\n").collect();
    let count = 2_000;
    let mut many = lines[0].replace("0000002", &format!("{count:07}"));
    many.push_str("\r\n");
    for at in 1..=count {
        // Each seventh is wrong.
        let line = lines[1].to_owned();
        many.push_str(&match at % 7 {
            0 => line.replace("<LoanAmt>", "<LoanAmt>x"),
            _ => line,
        });
        many.push_str("\r\n");
    }
    let one = seen(NAME, many.as_bytes(), 1);
    let expected: Vec<_> = (1..=count / 7)
        .map(|at| (at * 7, "ABE001".to_owned()))
        .collect();
    assert_eq!(one.codes(), expected);
    assert_eq!(
        (one.examined.records, one.examined.rejected),
        (count, count / 7)
    );
    let three = seen(NAME, many.as_bytes(), 3);
    assert_eq!(three.codes(), expected);
    assert_eq!(three.answer, one.answer);
}

#[test]
fn the_answer_is_the_one_that_the_centre_would_write() {
    let good = good();
    let (header, body) = good.split_once("\r\n").unwrap();
    let accepted = seen(NAME, good.as_bytes(), 1);
    let (name, bytes) = accepted.answer.as_ref().unwrap();
    assert_eq!(name.to_string(), NAME.replace("0010", "0011"));
    let expected = "A0722.0.0T99999999H000120240601210000112.0.02024063012000000000020000000\r\n";
    assert_eq!(std::str::from_utf8(bytes).unwrap(), expected);
    assert!(accepted.examined.is_clean() && accepted.lines().is_empty());

    let alone = seen(NAME, format!("{header}\r\n").as_bytes(), 1);
    assert_eq!(alone.examined.flag, Some(Flag::Accepted));

    // Six faults, of which five are told; the second record is good.
    let bad = good.replacen("<AcctType>D1", "<AcctType>ZZ", 1).replacen(
        "<RptDate>2024-05-20",
        "<RptDate>2024-05-99",
        1,
    );
    let rejected = seen(NAME, bad.as_bytes(), 1);
    assert_eq!(rejected.examined.flag, Some(Flag::Rejected));
    let lines = rejected.lines();
    assert_eq!((lines.len(), lines[0].line), (1, Some(2)));
    assert!(lines[0].faults.len() <= 5);
    let sent = bad.split("\r\n").nth(1).unwrap();
    assert_eq!(lines[0].check_record(sent.as_bytes()), None);

    // The header is wrong, and so is a record: nothing is loaded, and one line says why.
    let bad = bad.replacen("A050", "B051", 1);
    let refused = seen(NAME, bad.as_bytes(), 1);
    assert_eq!(refused.examined.flag, Some(Flag::Refused));
    assert_eq!(refused.examined.rejected, 1);
    let lines = refused.lines();
    assert_eq!(
        (lines.len(), lines[0].line, &lines[0].record),
        (1, None, &None)
    );
    let fault = &lines[0].faults[0];
    assert_eq!(
        (fault.code.as_str(), fault.tag.as_str()),
        ("ABH005", "0000")
    );
    assert_eq!(lines[0].faults.len(), 1);

    // A wrong name and a last line without end have no answer.
    assert_eq!(seen("x.txt", good.as_bytes(), 1).answer, None);
    let cut = format!("{header}\r\n{}", body.trim_end());
    let cut = seen(NAME, cut.as_bytes(), 1);
    assert_eq!((cut.answer.as_ref(), cut.examined.records), (None, 2));
    assert_eq!(cut.codes(), [(0, "ABF010".to_owned())]);
}

#[test]
fn records_are_judged_even_where_name_or_header_are_wrong() {
    let bad = good().replacen("<LoanAmt>", "<LoanAmt>x", 1);
    let nameless = seen("x.txt", bad.as_bytes(), 1);
    assert_eq!(
        nameless.codes(),
        [(0, "ABN003".to_owned()), (1, "ABE001".to_owned())]
    );
    let headless = bad.replacen("A050", "A05", 1);
    let headless = seen(NAME, headless.as_bytes(), 1);
    assert_eq!(
        headless.codes(),
        [(0, "ABH005".to_owned()), (1, "ABE001".to_owned())]
    );
    // Neither tells the record type.
    let neither = seen("x.txt", bad.replacen("A050", "A05", 1).as_bytes(), 1);
    assert_eq!(
        neither.codes(),
        [(0, "ABN003".to_owned()), (0, "ABH005".to_owned())]
    );
    assert_eq!(neither.examined.records, 2);
}

#[test]
fn two_tags_go_by_another_name_in_the_answer() {
    let line = std::fs::read_to_string(testdata("pboc-submit-personal").join("514.xml")).unwrap();
    let line = line
        .trim_end()
        .replace("<InfRecType>514", "<InfRecType>999");
    let header = "A0505142.0.0  T99999999H00012024060109300000000001";
    let name = NAME.replace("210", "514");
    let seen = seen(&name, format!("{header}\r\n{line}\r\n").as_bytes(), 1);
    assert_eq!(seen.examined.record.as_deref(), Some("514"));
    let lines = seen.lines();
    assert_eq!(lines[0].faults[0].tag, "DelRecType");
}

#[test]
fn a_line_beyond_all_limits_costs_the_file_and_no_memory() {
    let text = good();
    let (header, body) = text.split_once("\r\n").unwrap();
    let mut bytes = format!("{header}\r\n").into_bytes();
    bytes.resize(bytes.len() + 45_000_000, b'x');
    bytes.extend_from_slice(format!("\r\n{body}").as_bytes());
    let seen = seen(NAME, &bytes, 2);
    let expected = [
        (1, "ABF008".to_owned()),
        (0, "~header-count-true".to_owned()),
    ];
    assert_eq!(seen.codes(), expected);
    assert_eq!((seen.examined.records, seen.answer), (3, None));
}
