//! One function for each reader of what comes from outside: it takes any bytes and must not panic.
//!
//! What a reader takes, its writer must be able to write, and what was written must be read back
//! the same: these are asserted here, too. `adapters/pboc/tests/regressions.rs` runs the same
//! functions over what was found before.

use std::io::Cursor;
use std::num::NonZero;

use contract::{Adapter as _, Happened, InquiryRequest, Step, WireReply};
use schemas::edition::Edition;
use schemas::file::{
    FeedbackHeader, FeedbackLine, FeedbackName, FeedbackReader, FeedbackWriter, FileName, Flag,
    Header, examine,
};
use schemas::intake::csv::Input;
use schemas::intake::{Intake, Names, Taken, to_json};
use schemas::report::Dictionary;
use schemas::text::Language;
use schemas::validate::{FileHeader, Scratch, Severity};
use schemas::xml::Limits;
use zeroize::Zeroizing;

/// Parts the tables of a CSV intake: ASCII's record separator, which stands in no table.
const BETWEEN: u8 = 0x1e;

/// A name that fits most samples.
const FILE: &str = "T99999999H00012024060121000010.txt";

/// What is done with the bytes of a fuzzer.
pub type Target = fn(&[u8]);

/// All targets by name.
pub const ALL: [(&str, Target); 7] = [
    ("csv", csv),
    ("feedback", feedback),
    ("header", header),
    ("jsonl", jsonl),
    ("report", report),
    ("soap", soap),
    ("submission", submission),
];

/// The intake of CSV: record type, main table, then names and texts of child tables, with
/// [`BETWEEN`] between all of them.
pub fn csv(bytes: &[u8]) {
    let mut parts = bytes.split(|byte| *byte == BETWEEN);
    let mut part = || parts.next().map(<[u8]>::to_vec);
    let (Some(record), Some(main)) = (part(), part()) else {
        return;
    };
    let input = |text: &Vec<u8>| -> Input<'static> { Box::new(Cursor::new(text.clone())) };
    let mut tables = Vec::new();
    while let (Some(name), Some(text)) = (part(), part()) {
        tables.push((String::from_utf8_lossy(&name).into_owned(), text));
    }
    let record = String::from_utf8_lossy(&record);
    for edition in editions() {
        let children = tables.iter();
        let children = children.map(|(name, text)| (name.clone(), input(text)));
        let source = Intake::new(edition).csv(&record, input(&main), children.collect());
        let Ok(mut source) = source else {
            continue;
        };
        while let Some(taken) = source.read(Default::default()) {
            if let Ok(taken) = taken {
                take_in(taken);
            }
        }
    }
}

/// A feedback file.
pub fn feedback(bytes: &[u8]) {
    for flag in ['1', '2', '3'] {
        let name = FILE.replace("0.txt", &flag.to_string());
        let Ok(name) = FeedbackName::parse(&name) else {
            unreachable!("the name is one");
        };
        let Ok(mut reader) = FeedbackReader::open(&name, None, bytes) else {
            continue;
        };
        while let Ok(Some(line)) = reader.read() {
            let mut written = Vec::new();
            line.write(&mut written);
            let text = written.strip_suffix(b"\r\n");
            assert_eq!(text.map(FeedbackLine::parse), Some(Ok(line)));
        }
    }
}

/// Names and header lines of submissions and feedback files.
pub fn header(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(name) = FileName::parse(text) {
        assert_eq!(FileName::parse(&name.to_string()), Ok(name));
    }
    if let Ok(name) = FeedbackName::parse(text) {
        assert_eq!(FeedbackName::parse(&name.to_string()), Ok(name));
    }
    if let Ok(header) = Header::parse(text) {
        assert_eq!(header.to_string(), text);
    }
    if let Ok(header) = FeedbackHeader::parse(text) {
        assert_eq!(header.to_string(), text);
    }
    examined(text, b"");
}

/// The intake of JSON Lines.
pub fn jsonl(bytes: &[u8]) {
    for edition in editions() {
        let intake = Intake::new(edition);
        for line in bytes.split(|byte| *byte == b'\n') {
            if let Ok(taken) = intake.json(line) {
                take_in(taken);
            }
        }
    }
}

/// A report: read, figured out and shown.
pub fn report(bytes: &[u8]) {
    let Some(dictionary) = Dictionary::embedded("pboc-query-personal") else {
        unreachable!("the dictionary is embedded");
    };
    let Ok(report) = dictionary.decode(bytes, &Limits::default()) else {
        return;
    };
    let _ = report.variables();
    for language in [Language::En, Language::Zh] {
        let _ = report.render(language);
    }
}

/// The reply of the inquiry service.
pub fn soap(bytes: &[u8]) {
    let request = InquiryRequest {
        product: "personal_report".to_owned(),
        subject_name: Zeroizing::new("示例乙".to_owned()),
        id_type: "10".to_owned(),
        id_number: Zeroizing::new("99000019880412024X".to_owned()),
        reason: "02".to_owned(),
        institution_code: "Z99990000H0001".to_owned(),
        originator_code: "Z99990000H0001".to_owned(),
        user: "demo_query_user".to_owned(),
        password: Zeroizing::new("Example-1".to_owned()),
        originator_user: "demo_query_user".to_owned(),
        serial: 1,
        at: jiff::Timestamp::constant(1_773_626_700, 0),
    };
    let Ok(mut conversation) = pboc::Pboc::new().inquire(request) else {
        unreachable!("the request is one");
    };
    let mut last = None;
    loop {
        last = Some(match conversation.next(last) {
            Step::Sign { .. } => Happened::Signed(b"SYNTHETIC".to_vec()),
            Step::Http(_) => Happened::Replied(WireReply {
                status: 200,
                body: Zeroizing::new(bytes.to_vec()),
            }),
            _ => return,
        });
    }
}

/// A submission file of any record type.
pub fn submission(bytes: &[u8]) {
    examined(FILE, bytes);
}

/// Examines a file and reads the answer to it back.
fn examined(name: &str, bytes: &[u8]) {
    let today = day();
    let Ok(mut writer) = FeedbackWriter::begin(Cursor::new(Vec::new())) else {
        unreachable!("memory can be written");
    };
    let (mut errors, mut unreturned) = (0, false);
    let examined = examine(name, bytes, today, NonZero::<usize>::MIN, &mut |told| {
        errors += told.errors().count();
        // The answer returns each record, and can return neither an empty one nor one so long.
        unreturned |= told.record.is_some() && !(1..=75_000).contains(&told.line.len());
        writer.tell(&told)
    });
    let Ok(examined) = examined else {
        unreachable!("memory can be read");
    };
    assert_eq!(examined.is_clean(), errors == 0);
    let time = today.at(12, 0, 0, 0);
    let Ok(Some((name, answer))) = writer.finish(&examined, time) else {
        return;
    };
    // The tool takes names that our own reader of answers does not.
    if let Ok(name) = FeedbackName::parse(&name.to_string()) {
        let answer = answer.into_inner();
        let sent = (name.flag() != Flag::Refused).then_some(examined.records);
        let Ok(mut reader) = FeedbackReader::open(&name, sent, &answer[..]) else {
            panic!("our own answer is refused");
        };
        let mut lines = 0;
        while let Ok(Some(_)) = reader.read() {
            lines += 1;
        }
        assert!(lines == reader.header().lines() || unreturned);
    }
}

/// Judges a record that was taken in, and reads back what is written of it.
fn take_in(mut taken: Taken<'_>) {
    let header = FileHeader {
        date: day(),
        record: taken.plan.code().to_owned(),
        org: "T99999999H0001".to_owned(),
        template: Header::template_of(taken.plan.code()).to_owned(),
    };
    let findings = taken.judge(&header, &mut Scratch::default());
    for names in [Names::Tag, Names::Chinese] {
        let _ = to_json(taken.plan, &taken.record, names);
    }
    let mut line = Vec::new();
    if taken.plan.write(&taken.record, &mut line).is_err() {
        return;
    }
    let Ok(back) = taken.plan.read(&line) else {
        panic!("what was written cannot be read");
    };
    assert_eq!(taken.plan.values(&back), taken.plan.values(&taken.record));
    if findings.iter().all(|it| it.severity != Severity::Error) {
        let again = taken.plan.validate(&back, &header);
        assert!(again.iter().all(|it| it.severity != Severity::Error));
    }
}

fn day() -> jiff::civil::Date {
    jiff::civil::date(2024, 6, 1)
}

fn editions() -> impl Iterator<Item = &'static Edition> {
    let edition = |format| Edition::embedded(format, day());
    Edition::FORMATS.into_iter().filter_map(edition)
}
