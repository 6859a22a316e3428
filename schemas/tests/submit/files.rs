//! Whole files: the samples come back byte for byte, and each fault has its check.

use std::io::Cursor;

use proptest::prelude::*;
use schemas::file::{
    Fault, FeedbackHeader, FeedbackLine, FeedbackName, FeedbackReader, FileError, FileName,
    FileReader, FileWriter, Flag, Header, record_types,
};
use schemas::validate::{Finding, Severity};

use crate::support::{personal, testdata};

const FILES: [&str; 2] = [
    "T99999999H00012024060111000010",
    "T99999999H00012024060121000010",
];

const ANSWERS: [&str; 2] = [
    "T99999999H00012024060121000013",
    "T99999999H00012024060121000022",
];

fn file(kind: &str, name: &str) -> Vec<u8> {
    std::fs::read(testdata("pboc-submit-files").join(format!("{kind}-{name}.txt"))).unwrap()
}

/// All findings on a file, with the line they are about.
fn judged(name: &str, bytes: &[u8]) -> Vec<(u32, String)> {
    let name = FileName::parse(name).unwrap();
    let told = |line: u32, findings: Vec<Finding>| {
        findings
            .into_iter()
            .map(move |f| (line, format!("{} {}", f.code, f.rule)))
    };
    let mut reader = match FileReader::open(&name, Cursor::new(bytes)) {
        Ok(reader) => reader,
        Err(FileError::Findings(findings)) => return told(1, findings).collect(),
        Err(error) => panic!("{error}"),
    };
    let mut found = Vec::new();
    while let Some(line) = reader.read().unwrap() {
        found.extend(told(line.number, line.findings));
    }
    found.extend(told(0, reader.end()));
    found
}

#[test]
fn a_sample_file_is_read_judged_and_written_byte_for_byte() {
    for name in FILES {
        let bytes = file("file", name);
        let name = FileName::parse(name).unwrap();
        let plan = personal().plan(name.record()).unwrap();
        let mut reader = FileReader::open(&name, Cursor::new(&bytes)).unwrap();
        let read = reader.header().clone();
        let header = Header::new(&name, read.time, read.count).unwrap();
        assert_eq!(header, read);
        let mut writer = FileWriter::begin(&header, Vec::new()).unwrap();
        while let Some(line) = reader.read().unwrap() {
            assert!(line.findings.is_empty());
            let record = plan.read(line.bytes).unwrap();
            assert_eq!(plan.validate(&record, &header.for_records()), []);
            let mut written = Vec::new();
            plan.write(&record, &mut written).unwrap();
            let number = line.number;
            assert_eq!(writer.line(&written).unwrap(), number);
        }
        assert!(reader.end().is_empty());
        assert!(writer.finish().unwrap() == bytes, "{name}");
    }
}

#[test]
fn a_sample_answer_is_read_and_written_byte_for_byte() {
    for name in ANSWERS {
        let bytes = file("feedback", name);
        let name = FeedbackName::parse(name).unwrap();
        let mut reader = FeedbackReader::open(&name, None, Cursor::new(&bytes)).unwrap();
        let mut written = format!("{}\r\n", reader.header()).into_bytes();
        let plan = personal().plan("210").unwrap();
        while let Some(line) = reader.read().unwrap() {
            line.write(&mut written);
            assert_eq!(line.check_codes(personal(), plan), None);
        }
        assert!(written == bytes, "{name}");
    }
}

#[test]
fn an_answer_names_the_very_line_that_was_sent() {
    let (sent, answer) = (file("file", FILES[1]), file("feedback", ANSWERS[0]));
    let name = FeedbackName::parse(ANSWERS[0]).unwrap();
    assert!(name.answers(&FileName::parse(FILES[1]).unwrap()));
    let mut reader = FeedbackReader::open(&name, Some(2), Cursor::new(answer)).unwrap();
    let line = reader.read().unwrap().unwrap();
    let sent = String::from_utf8(sent).unwrap();
    let lines: Vec<&str> = sent.split("\r\n").collect();
    let told = line.line.unwrap() as usize;
    assert_eq!(line.check_record(lines[told - 1].as_bytes()), None);
    let other = line.check_record(lines[told - 2].as_bytes()).unwrap();
    assert_eq!(other.rule, "fb-line-record");
    assert!(reader.read().unwrap().is_none());
}

#[test]
fn each_fault_of_a_file_is_told_with_its_code() {
    let good = String::from_utf8(file("file", FILES[1])).unwrap();
    let (header, body) = good.split_once("\r\n").unwrap();
    let long = format!(
        "<Document><InAcctInf>{}</InAcctInf></Document>",
        "x".repeat(9_999_999)
    );
    type Case<'c> = (&'c str, String, &'c [(u32, &'c str)]);
    let cases: [Case<'_>; 18] = [
        ("empty", String::new(), &[(1, "ABH005 header-line")]),
        (
            "line feeds alone",
            good.replace("\r\n", "\n"),
            &[(1, "ABH005 header-line")],
        ),
        (
            "byte order mark",
            format!("\u{feff}{good}"),
            &[(1, "ABH005 header-line")],
        ),
        (
            "short header",
            good.replacen("A050", "A05", 1),
            &[(1, "ABH005 header-line")],
        ),
        (
            "other organization",
            good.replacen("H0001", "H0002", 1),
            &[(1, "ABF007 same-org")],
        ),
        (
            "other day",
            good.replacen("20240601", "20240602", 1),
            &[(1, "ABF007 same-date")],
        ),
        (
            "other record",
            good.replacen("A050210", "A050220", 1),
            &[(1, "ABF007 same-record")],
        ),
        (
            "other version",
            good.replacen("2.0.0", "1.0.0", 1),
            &[(1, "ABH006 header-version-2")],
        ),
        (
            "cut end",
            good.trim_end().to_owned(),
            &[(0, "ABF010 file-last-line")],
        ),
        (
            "header alone",
            format!("{header}\r\n"),
            &[(0, " file-empty-body"), (0, " header-count-true")],
        ),
        (
            "blank line",
            format!("{header}\r\n{body} \r\n"),
            &[(4, "ABR000 line-blank"), (0, " header-count-true")],
        ),
        (
            "one line less",
            good.replacen("0000002", "0000003", 1),
            &[(0, " header-count-true")],
        ),
        (
            "declaration",
            good.replacen("<Document>", "<?xml version=\"1.0\"?><Document>", 1),
            &[(2, "ABR000 line-frame"), (2, " line-plain")],
        ),
        (
            "blank before",
            good.replacen("<Document>", " <Document>", 1),
            &[(2, "ABR000 line-frame")],
        ),
        (
            "comment",
            good.replacen("<AcctBsSgmt>", "<!-- --><AcctBsSgmt>", 1),
            &[(2, " line-plain")],
        ),
        (
            "line end within",
            good.replacen("<AcctBsSgmt>", "\n<AcctBsSgmt>", 1),
            &[(2, " line-end")],
        ),
        (
            "two in a line",
            good.replacen("</Document>", "</Document><Document>", 1),
            &[(2, "ABR000 line-frame")],
        ),
        (
            "long line",
            format!("{header}\r\n{long}\r\n{long}\r\n"),
            &[(2, "ABF008 line-length"), (3, "ABF008 line-length")],
        ),
    ];
    for (case, text, expected) in cases {
        let expected: Vec<_> = expected
            .iter()
            .map(|(at, e)| (*at, (*e).to_owned()))
            .collect();
        assert_eq!(judged(FILES[1], text.as_bytes()), expected, "case {case}");
    }
    let mut bytes = good.into_bytes();
    let at = bytes.len() - 40;
    bytes[at] = 0xff;
    assert_eq!(
        judged(FILES[1], &bytes),
        [(3, "ABF011 file-encoding".to_owned())]
    );
}

#[test]
fn a_writer_keeps_to_its_header() {
    let name = FileName::parse(FILES[1]).unwrap();
    let header = Header::new(&name, name.date().at(9, 30, 0, 0), 1).unwrap();
    let rules = |result: Result<_, FileError>| match result {
        Err(FileError::Findings(found)) => found.into_iter().map(|f| f.rule).collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    let writer = FileWriter::begin(&header, Vec::new()).unwrap();
    assert_eq!(rules(writer.finish().map(drop)), ["header-count-true"]);
    let mut writer = FileWriter::begin(&header, Vec::new()).unwrap();
    assert_eq!(rules(writer.line(b"a\nb").map(drop)), ["line-end"]);
    assert_eq!(rules(writer.line(b" ").map(drop)), ["line-blank"]);
    assert_eq!(rules(writer.line(b"\xff").map(drop)), ["file-encoding"]);
    assert_eq!(writer.line(b"<Document>").unwrap(), 2);
    assert_eq!(
        rules(writer.line(b"<Document>").map(drop)),
        ["header-count-true"]
    );
}

#[test]
fn each_fault_of_an_answer_stops_its_reader() {
    let good = String::from_utf8(file("feedback", ANSWERS[0])).unwrap();
    let (header, line) = good.split_once("\r\n").unwrap();
    let line = line.trim_end();
    let two = header.replace("00000010000001", "00000000000002");
    let cases = [
        ("one line too few", format!("{header}\r\n"), "fb-flag-3"),
        (
            "one line too many",
            format!("{good}{line}\r\n"),
            "fb-flag-3",
        ),
        ("cut", good.trim_end().to_owned(), "file-last-line"),
        (
            "line 1",
            good.replace("<ErrRecId>3<", "<ErrRecId>1<"),
            "fb-line-id",
        ),
        (
            "line 4",
            good.replace("<ErrRecId>3<", "<ErrRecId>4<"),
            "fb-line-id",
        ),
        (
            "twice",
            format!("{two}\r\n{line}\r\n{line}\r\n"),
            "fb-line-id",
        ),
        ("no xml", format!("{header}\r\nx\r\n"), "fb-line"),
        (
            "sum",
            good.replace("00000010000001", "00000020000001"),
            "fb-sum",
        ),
        ("flag", good.replace("132.0.0", "122.0.0"), "fb-header-flag"),
    ];
    let name = FeedbackName::parse(ANSWERS[0]).unwrap();
    for (case, text, rule) in cases {
        let read = || {
            let mut reader = FeedbackReader::open(&name, Some(2), Cursor::new(&text))?;
            while reader.read()?.is_some() {}
            Ok::<_, FileError>(())
        };
        match read() {
            Err(FileError::Findings(found)) => {
                assert!(
                    found.iter().any(|f| f.rule == rule),
                    "case {case}: {found:?}"
                );
            }
            other => panic!("case {case}: {other:?}"),
        }
    }
}

#[test]
fn answers_of_all_three_flags_are_written_and_read() {
    let file = FileName::parse(FILES[1]).unwrap();
    for (flag, accepted, rejected) in [
        (Flag::Accepted, 2, 0),
        (Flag::Refused, 0, 1),
        (Flag::Rejected, 1, 1),
    ] {
        let name = file.feedback(flag);
        let header = FeedbackHeader {
            version: "2.0.0".to_owned(),
            original: file.stem(),
            flag,
            file_version: "2.0.0".to_owned(),
            time: file.date().at(12, 0, 0, 0),
            accepted,
            rejected,
        };
        assert!(header.check(&name, Some(2)).is_empty());
        let told = FeedbackHeader::parse(&header.to_string()).unwrap();
        assert_eq!(told, header);
        assert_eq!(told.lines(), rejected);
    }
}

#[test]
fn what_is_only_practice_warns() {
    let name = FileName::parse(FILES[1]).unwrap();
    let findings = name.check("2024-05-01".parse().unwrap());
    assert_eq!(findings[0].severity, Severity::Warning);
    assert!(findings[0].code.is_empty());
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        org in "[0-9A-Z]{14}",
        days in 0..70_000_i32,
        second in 0..86_400_i32,
        serial in 1..1000_u16,
        record in prop::sample::select(record_types().map(|(code, ..)| code).collect::<Vec<_>>()),
        count in 0..=1_000_000_u32,
        line in prop::option::of(2..10_000_000_u32),
        faults in prop::collection::vec(("[A-Z]{3}[0-9]{3}", "[A-Za-z0-9_<>&测]{1,20}"), 1..6),
        sent in prop::collection::vec(any::<u8>(), 1..200),
        flag in prop::sample::select(vec![Flag::Accepted, Flag::Refused, Flag::Rejected]),
    ) {
        let first: jiff::civil::Date = "1901-01-01".parse().unwrap();
        let date = first.checked_add(jiff::Span::new().days(days)).unwrap();
        let name = FileName::new(&org, date, record, serial).unwrap();
        prop_assert_eq!(name.to_string().len(), 30);
        prop_assert_eq!(&FileName::parse(&name.to_string()).unwrap(), &name);
        let time = date.at(0, 0, 0, 0).checked_add(jiff::Span::new().seconds(second)).unwrap();
        let header = Header::new(&name, time, count).unwrap();
        prop_assert_eq!(header.to_string().len(), 50);
        prop_assert_eq!(&Header::parse(&header.to_string()).unwrap(), &header);
        let answer = name.feedback(flag);
        prop_assert!(answer.answers(&name));
        prop_assert_eq!(&FeedbackName::parse(&answer.to_string()).unwrap(), &answer);
        let faults = faults.into_iter().map(|(code, tag)| Fault { code, tag }).collect();
        let told = FeedbackLine { line, faults, record: line.map(|_| sent) };
        let mut text = Vec::new();
        told.write(&mut text);
        let read = FeedbackLine::parse(text.strip_suffix(b"\r\n").unwrap());
        prop_assert_eq!(read.unwrap(), told);
    }

    #[test]
    fn no_text_stops_a_reader(
        at in any::<prop::sample::Index>(),
        c in any::<char>(),
        text in "\\PC{0,80}",
    ) {
        let swapped = |good: &str| {
            let mut chars: Vec<char> = good.chars().collect();
            let at = at.index(chars.len());
            chars[at] = c;
            chars.into_iter().collect::<String>()
        };
        let header = "A0502102.0.0  T99999999H00012024060109300000000002";
        let answer = String::from_utf8(file("feedback", ANSWERS[1])).unwrap();
        let (told, line) = answer.split_once("\r\n").unwrap();
        for text in [text.clone(), swapped(FILES[0]), swapped(ANSWERS[0])] {
            let _ = (FileName::parse(&text), FeedbackName::parse(&text));
        }
        for text in [text, swapped(header), swapped(told), swapped(line)] {
            let _ = (Header::parse(&text), FeedbackHeader::parse(&text));
            let _ = FeedbackLine::parse(text.as_bytes());
        }
        let damaged = swapped(&answer);
        let name = FeedbackName::parse(ANSWERS[1]).unwrap();
        if let Ok(mut reader) = FeedbackReader::open(&name, None, Cursor::new(&damaged)) {
            while let Ok(Some(_)) = reader.read() {}
        }
    }
}
