//! Each check of a file, by itself: a file that keeps it, and one that breaks it.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::num::NonZero;

use schemas::file::{
    Asked, FeedbackLine, FeedbackName, FeedbackReader, FileError, FileName, asked, examine,
};
use schemas::validate::{Finding, Severity};

use crate::support::{personal, testdata};

const NAME: &str = "T99999999H00012024060121000010.txt";
const ANSWER: &str = "T99999999H00012024060121000013";
const REFUSAL: &str = "T99999999H00012024060121000022";

fn sample(kind: &str, name: &str) -> String {
    let file = format!("{kind}-{}.txt", name.trim_end_matches(".txt"));
    std::fs::read_to_string(testdata("pboc-submit-files").join(file)).unwrap()
}

/// A file and what it is called.
struct File(String, Vec<u8>);

/// A file that keeps a check, one that breaks it, and what the second is told.
struct Case {
    check: &'static str,
    keeps: File,
    breaks: File,
    told: Severity,
}

/// All findings on a submission file.
fn examined(File(name, bytes): &File) -> Vec<Finding> {
    let mut found = Vec::new();
    let today = "2024-06-30".parse().unwrap();
    let mut tell = |told: schemas::file::Told<'_>| {
        found.extend_from_slice(told.findings);
        Ok(())
    };
    examine(
        name,
        Cursor::new(bytes),
        today,
        NonZero::<usize>::MIN,
        &mut tell,
    )
    .unwrap();
    found
}

/// All findings on a feedback file that answers the sample.
fn answered(File(name, bytes): &File) -> Vec<Finding> {
    let mut found = Vec::new();
    let read = (|| {
        let name = FeedbackName::parse(name).map_err(FileError::Findings)?;
        let mut reader = FeedbackReader::open(&name, Some(2), Cursor::new(bytes))?;
        let sent = sample("file", NAME);
        let sent: Vec<&str> = sent.split("\r\n").collect();
        let plan = personal().plan("210").unwrap();
        while let Some(line) = reader.read()? {
            let of_line = |line: &FeedbackLine| line.line.map(|at| sent[at as usize - 1]);
            found.extend(of_line(&line).and_then(|sent| line.check_record(sent.as_bytes())));
            found.extend(line.check_codes(personal(), plan));
        }
        Ok(())
    })();
    match read {
        Err(FileError::Findings(findings)) => found.extend(findings),
        other => other.unwrap(),
    }
    found
}

/// A case of a submission file: another name, or another text than the sample's.
fn submission(check: &'static str, told: Severity, name: &str, change: [&str; 2]) -> Case {
    let text = sample("file", NAME);
    let changed = text.replacen(change[0], change[1], 1);
    assert!(
        name != NAME || changed != text,
        "{check}: the case changes something"
    );
    Case {
        check,
        keeps: File(NAME.to_owned(), text.into_bytes()),
        breaks: File(name.to_owned(), changed.into_bytes()),
        told,
    }
}

fn keeping(mut case: Case, name: &str, text: String) -> Case {
    case.keeps = File(name.to_owned(), text.into_bytes());
    case
}

fn breaking(mut case: Case, bytes: Vec<u8>) -> Case {
    case.breaks.1 = bytes;
    case
}

/// A line of so many characters, most of them Chinese.
fn line(characters: usize) -> String {
    let (before, after) = ("<Document><InAcctInf>", "</InAcctInf></Document>");
    let filling = "测".repeat(characters - before.len() - after.len());
    format!("{before}{filling}{after}")
}

fn of_files() -> Vec<Case> {
    use Severity::{Error, Warning};
    let name = |from: &str, to: &str| NAME.replacen(from, to, 1);
    let named = |check, told, from: &str, to: &str| {
        let (name, same) = (name(from, to), ["", ""]);
        submission(check, told, &name, same)
    };
    let text = |check, told, from, to| submission(check, told, NAME, [from, to]);
    let good = sample("file", NAME);
    let (header, body) = good.split_once("\r\n").unwrap();
    let of_110 = "T99999999H00012024060111000010";
    let mut broken = good.clone().into_bytes();
    let at = broken.len() - 40;
    broken[at] = 0xff;
    let counted = |count: u32| header.replacen("0000002", &format!("{count:07}"), 1);
    let million = |lines: u32| {
        let lines_of = "x\r\n".repeat(lines as usize);
        format!("{}\r\n{lines_of}", counted(lines))
    };
    vec![
        named("name-length", Error, "T9", "T"),
        named("name-org", Error, "H", "测"),
        named("name-org", Warning, "H", "h"),
        named("name-date", Error, "20240601", "20240631"),
        named("name-record", Error, "210000", "999000"),
        named("name-reserved", Error, "2100001", "2101001"),
        named("name-serial", Error, "0010", "测测测0"),
        named("name-serial", Warning, "0010", "0000"),
        named("name-flag", Error, "0010.", "0011."),
        keeping(
            named("name-extension", Warning, ".txt", ".zip"),
            &name(".txt", ".enc"),
            good.clone(),
        ),
        named("name-today", Warning, "20240601", "20240701"),
        text("header-line", Error, "A050", "A05"),
        breaking(
            text("header-line", Error, "A", "B"),
            format!("\u{feff}{good}").into_bytes(),
        ),
        breaking(
            text("header-line", Error, "A", "B"),
            good.replace("\r\n", "\n").into_bytes(),
        ),
        breaking(
            text("header-line", Error, "A", "B"),
            good.replace("\r\n", "\r").into_bytes(),
        ),
        breaking(text("header-line", Error, "A", "B"), Vec::new()),
        breaking(
            text("header-line", Error, "A", "B"),
            good.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ),
        text("header-mark", Error, "A050", "B050"),
        text("header-size", Error, "A050", "A051"),
        text("header-record", Error, "A050210", "A050999"),
        text("header-version", Error, "2.0.0", "2.00."),
        text("header-version-2", Warning, "2.0.0", "3.0.0"),
        keeping(
            text("header-template", Error, "2.0.0  ", "2.0.010"),
            of_110,
            sample("file", of_110),
        ),
        text("header-org", Error, "  T99999999H", "  T99999999测"),
        text("header-org", Warning, "  T99999999H", "  T99999999h"),
        text("header-time", Error, "093000", "243000"),
        text("header-reserved", Error, "0930000", "093000测"),
        text("header-reserved", Warning, "0930000", "0930001"),
        text("header-count", Error, "0000002\r", "000002 \r"),
        text("header-count-true", Warning, "0000002\r", "0000003\r"),
        text("same-org", Error, "  T99999999H0001", "  T99999999H0002"),
        text("same-date", Error, "20240601093000", "20240602093000"),
        text("same-record", Error, "A050210", "A050220"),
        breaking(text("file-encoding", Warning, "A", "B"), broken),
        breaking(
            text("file-last-line", Error, "A", "B"),
            good.trim_end().into(),
        ),
        breaking(
            text("file-last-line", Error, "A", "B"),
            format!("{}\n", good.trim_end()).into(),
        ),
        breaking(
            text("file-size", Warning, "A", "B"),
            million(1_000_001).into(),
        ),
        breaking(
            text("file-empty-body", Warning, "A", "B"),
            format!("{}\r\n", counted(0)).into(),
        ),
        breaking(
            text("line-length", Error, "A", "B"),
            format!("{}\r\n{}\r\n", counted(1), line(10_000_000)).into(),
        ),
        breaking(
            text("line-length", Error, "A", "B"),
            format!("{}\r\n{}\r\n", counted(1), line(13_400_000)).into(),
        ),
        breaking(
            text("line-blank", Error, "A", "B"),
            format!("{good} \t\r\n").into(),
        ),
        text("line-end", Warning, "<AcctBsSgmt>", "\n<AcctBsSgmt>"),
        text("line-frame", Error, "<Document>", " <Document>"),
        text("line-frame", Error, "<Document>", "<Document a=\"b\">"),
        text("line-frame", Error, "</Document>\r\n", "</Document>\n"),
        text("line-frame", Warning, "<Document>", "<Document> "),
        text(
            "line-plain",
            Warning,
            "<AcctBsSgmt>",
            "<!-- --><AcctBsSgmt>",
        ),
        keeping(
            text(
                "line-plain",
                Warning,
                "<CloseDate></CloseDate>",
                "<CloseDate/>",
            ),
            NAME,
            format!("{header}\r\n{body}"),
        ),
    ]
}

/// A case of a feedback file: another name, or another text than the sample's.
fn feedback(check: &'static str, name: &str, change: [&str; 2]) -> Case {
    let text = sample("feedback", ANSWER);
    let changed = text.replacen(change[0], change[1], 1);
    assert!(
        name != ANSWER || changed != text,
        "{check}: the case changes something"
    );
    Case {
        check,
        keeps: File(ANSWER.to_owned(), text.into_bytes()),
        breaks: File(name.to_owned(), changed.into_bytes()),
        told: Severity::Error,
    }
}

fn of_answers() -> Vec<Case> {
    let text = |check, from, to| feedback(check, ANSWER, [from, to]);
    let answer = sample("feedback", ANSWER);
    let (header, _) = answer.split_once("\r\n").unwrap();
    let accepted = header
        .replace("132.0.0", "112.0.0")
        .replace("00000010000001", "00000020000000");
    let of_flag_1 = ANSWER.replace("00013", "00011");
    let refusal = sample("feedback", REFUSAL).replace("00022", "00012");
    let of_flag_2 = ANSWER.replace("00013", "00012");
    let counted = |count: usize| {
        let fault = "<ErrInf><FbCode>BLR024</FbCode><FbMsg>0000</FbMsg></ErrInf>";
        let said = format!("<FbErrNum>{count}</FbErrNum>{}", fault.repeat(count));
        answer.replace(&format!("<FbErrNum>1</FbErrNum>{fault}"), &said)
    };
    let flag_1 = |rest: &str| {
        let name = of_flag_1.clone();
        File(name, format!("{accepted}\r\n{rest}").into_bytes())
    };
    let flag_2 = |text: String| File(of_flag_2.clone(), text.into_bytes());
    vec![
        feedback("fb-name", "T99999999H00012024060121000014", ["", ""]),
        text("fb-header", "A072", "A071"),
        text("fb-header-time", "20240601120000", "20240601250000"),
        text(
            "fb-header-name",
            "T99999999H000120240601210",
            "T99999999H000120240601220",
        ),
        text("fb-header-flag", "132.0.0", "122.0.0"),
        Case {
            keeps: flag_1(""),
            breaks: flag_1("x\r\n"),
            ..text("fb-flag-1", "A", "B")
        },
        Case {
            keeps: flag_2(refusal.clone()),
            breaks: flag_2(refusal.replace("00000000000001", "00000010000001")),
            ..text("fb-flag-2", "A", "B")
        },
        text("fb-flag-3", "</Document>\r\n", "</Document>\r\nx\r\n"),
        text("fb-sum", "00000010000001", "00000020000001"),
        text("fb-line", "<FbErrNum>1</FbErrNum>", ""),
        Case {
            keeps: File(ANSWER.to_owned(), counted(5).into_bytes()),
            breaks: File(ANSWER.to_owned(), counted(6).into_bytes()),
            ..text("fb-line-count", "A", "B")
        },
        text("fb-line-id", "<ErrRecId>3<", "<ErrRecId>1<"),
        text("fb-line-record", "<ErrRecId>3<", "<ErrRecId>2<"),
        text("fb-line-code", "BLR024", "ZZZ999"),
    ]
}

/// The row of a check.
fn row(check: &str) -> &'static Asked {
    asked().find(|asked| asked.check == check).unwrap()
}

fn told<'f>(findings: &'f [Finding], check: &str) -> Option<&'f Finding> {
    findings.iter().find(|finding| finding.rule == check)
}

#[test]
fn every_check_made_here_has_a_file_that_keeps_it_and_one_that_breaks_it() {
    let (files, answers) = (of_files(), of_answers());
    let shown: BTreeSet<&str> = files
        .iter()
        .chain(&answers)
        .map(|case| case.check)
        .collect();
    let made = asked()
        .filter(|asked| asked.how == "here")
        .map(|asked| asked.check);
    assert_eq!(shown, made.collect());
    for (cases, judge) in [
        (files, examined as fn(&File) -> Vec<Finding>),
        (answers, answered),
    ] {
        for Case {
            check,
            keeps,
            breaks,
            told: severity,
        } in cases
        {
            let found = judge(&keeps);
            let stops = found.iter().any(|it| it.severity == Severity::Error);
            assert!(
                !stops && told(&found, check).is_none(),
                "{check} kept: {found:?}"
            );
            let found = judge(&breaks);
            let broken = told(&found, check);
            let broken = broken.unwrap_or_else(|| panic!("{check} broken: {found:?}"));
            let asked = row(check);
            assert!(broken.code == asked.code || check == "fb-line", "{check}");
            // What answers us is judged by its own reader, which knows no warnings.
            if !check.starts_with("fb-") {
                assert_eq!(broken.severity, severity, "{check}");
                let never = match severity {
                    Severity::Error => "no",
                    Severity::Warning => "yes",
                };
                assert_ne!(asked.tool, never, "{check}");
            }
        }
    }
}

#[test]
fn our_own_names_and_headers_keep_to_the_texts_where_the_tool_does_not() {
    for (check, told) in [("name-org", "H"), ("name-serial", "0010")] {
        let text = NAME.replacen(told, if told == "H" { "h" } else { "0000" }, 1);
        let findings = FileName::parse(&text).unwrap_err();
        assert_eq!(findings[0].rule, check);
        assert_eq!(findings[0].severity, Severity::Error);
    }
}
