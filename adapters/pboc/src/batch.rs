//! Batch files of personal inquiries: D501 out, D502 back, D201 and D202 for
//! where a file stands.
//!
//! # Promise
//!
//! The same batch gives the same bytes. An answer is taken for an inquiry only
//! where its record repeats identifier and fields of the request; everything
//! that does not agree is found at once.

mod answer;
mod state;

use contract::{Batch, BatchError, BatchFile, InquiryRequest, RequestError};
use jiff::tz::Offset;
use schemas::message::Header;
use zeroize::Zeroizing;

pub(crate) use answer::read;
pub(crate) use state::ask;

use crate::Service;
use crate::request;
use crate::response::named;
use crate::wire::{self, Layout};

/// DBO003 (S3c; medium).
const MOST_RECORDS: usize = 2000;

/// Characters of an identifier; the mandated length is not public.
const LONGEST_ID: usize = 64;

/// Writes the file of a batch: a header line, then one document a line. What
/// ends a record is not public; CR LF is our reading (low).
pub(crate) fn write(batch: &Batch, service: &Service) -> Result<BatchFile, BatchError> {
    let file = |what| Err(BatchError::File(what));
    let Some(first) = batch.records.first() else {
        return file("a batch holds at least one inquiry");
    };
    if batch.records.len() > MOST_RECORDS {
        return file("a batch holds at most 2000 inquiries (DBO003)");
    }
    if !(1..=999).contains(&batch.number) {
        return file("the number of a file within its day is 1 to 999");
    }
    let wrong: Vec<_> = (1..)
        .zip(&batch.records)
        .filter_map(|(place, record)| {
            let mut fields = defects(&record.request, service);
            let request = &record.request;
            if !is_id(&record.id) {
                fields.push("id: must be 1 to 64 letters, digits or -".to_owned());
            }
            if batch.records[..place - 1]
                .iter()
                .any(|it| it.id == record.id)
            {
                fields.push("id: stands twice in the batch (DBE017)".to_owned());
            }
            if request.institution_code != first.request.institution_code {
                fields.push("institution_code: another one than that of the file".to_owned());
            }
            (!fields.is_empty()).then_some((place, RequestError { fields }))
        })
        .collect();
    if !wrong.is_empty() {
        return Err(BatchError::Records(wrong));
    }
    let institution = &first.request.institution_code;
    let (time, name) = (time(batch), name(batch, institution));
    let count = batch.records.len().to_string();
    let line = header("D501").write(|field| match field {
        "institution" => Some(institution),
        "time" => Some(&time),
        "count" => Some(&count),
        _ => None,
    });
    let Ok(line) = line else {
        return file("the institution code does not fit the header line");
    };
    let mut text = Zeroizing::new(String::with_capacity(batch.records.len() * 640 + 64));
    text.push_str(&line);
    text.push_str("\r\n");
    let format = named("D501");
    for record in &batch.records {
        wire::document(&mut text, format, Layout::Line, |tag| match tag {
            "RequestId" => Some(record.id.as_str()),
            tag => request::item(&record.request, service, "", tag).map(|(_, value)| value),
        });
        text.push_str("\r\n");
    }
    Ok(BatchFile {
        name,
        bytes: Zeroizing::new(std::mem::take(&mut *text).into_bytes()),
    })
}

fn defects(request: &InquiryRequest, service: &Service) -> Vec<String> {
    request::defects(request, service, named("D501"), "")
}

fn is_id(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(fits)
}

fn header(name: &str) -> &'static Header {
    // The table is part of the program, and a test of `schemas` reads it.
    Header::named(name).expect("a header of the tables")
}

/// The centre's time at which a file was made.
fn time(batch: &Batch) -> String {
    let at = Offset::constant(8).to_datetime(batch.at);
    at.strftime("%Y%m%d%H%M%S").to_string()
}

/// Institution 14, date 8, type 4, number 3, flag 1 (S6; medium). The flag of a
/// request is not shown; 0, as in submission files, is our reading (low).
fn name(batch: &Batch, institution_code: &str) -> String {
    let time = time(batch);
    let day = time.get(..8).unwrap_or_default();
    format!("{institution_code}{day}D501{:03}0", batch.number)
}

#[cfg(test)]
mod tests {
    use contract::BatchRecord;
    use schemas::xml::Limits;

    use super::*;
    use crate::tests::request;

    pub(super) fn batch() -> Batch {
        let record = |id: &str, name: &str, number: &str| {
            let mut request = request();
            request.subject_name = Zeroizing::new(name.to_owned());
            request.id_number = Zeroizing::new(number.to_owned());
            BatchRecord {
                id: id.to_owned(),
                request,
            }
        };
        Batch {
            number: 3,
            at: "2026-03-16T02:05:00Z".parse().unwrap(),
            records: vec![
                record("i-1", "示例乙", "99000019880412024X"),
                record("i-2", "测试<甲>&", "999999199001010016"),
            ],
        }
    }

    pub(super) fn written(batch: &Batch) -> Result<BatchFile, BatchError> {
        write(batch, &Service::personal())
    }

    #[test]
    fn a_batch_is_a_header_line_and_one_document_for_each_inquiry() {
        let file = written(&batch()).unwrap();
        assert_eq!(file.name, "Z99990000H000120260316D5010030");
        assert_eq!(file.name.len(), 30);
        let text = std::str::from_utf8(&file.bytes).unwrap();
        assert_eq!(text, include_str!("../testdata/batch-request.txt"));
        let mut lines = text.split_terminator("\r\n");
        assert_eq!(lines.next().unwrap().len(), 50);
        let format = named("D501");
        for (line, record) in lines.zip(&batch().records) {
            let fields = format.read(line.as_bytes(), Limits::default()).unwrap();
            assert_eq!(format.check(|tag| fields.get(tag)), []);
            assert_eq!(fields.get("RequestId"), Some(record.id.as_str()));
            assert_eq!(fields.get("Name"), Some(&**record.request.subject_name));
            // The password of the institution is no part of a batch.
            assert!(!line.contains("Password") && !line.contains("Head"));
        }
        assert!(!format!("{file:?} {:?}", batch()).contains("示例"));
    }

    #[test]
    fn every_inquiry_that_does_not_fit_is_named_by_its_place() {
        let mut bad = batch();
        bad.records[0].request.reason = "77".to_owned();
        bad.records[1].id = "i-1".to_owned();
        bad.records[1].request.institution_code = "Z99990000H0002".to_owned();
        let Err(BatchError::Records(wrong)) = written(&bad) else {
            panic!("it was written");
        };
        let found: Vec<_> = wrong
            .iter()
            .map(|(place, error)| (*place, error.fields.join("; ")))
            .collect();
        let second = "id: stands twice in the batch (DBE017); \
                      institution_code: another one than that of the file";
        assert_eq!(
            found,
            [
                (1, "reason: not in the code list".to_owned()),
                (2, second.to_owned()),
            ]
        );
    }

    #[test]
    fn a_file_holds_what_the_bureau_takes() {
        let some = batch();
        let many = |count: usize| Batch {
            records: (0..count)
                .map(|n| BatchRecord {
                    id: format!("i-{n}"),
                    ..some.records[0].clone()
                })
                .collect(),
            ..some.clone()
        };
        assert!(written(&many(2000)).is_ok());
        for (name, batch) in [
            ("none", many(0)),
            ("one too many", many(2001)),
            (
                "number 0",
                Batch {
                    number: 0,
                    ..batch()
                },
            ),
            (
                "number 1000",
                Batch {
                    number: 1000,
                    ..batch()
                },
            ),
        ] {
            assert!(
                matches!(written(&batch), Err(BatchError::File(_))),
                "{name}"
            );
        }
    }
}
