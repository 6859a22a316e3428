//! Unpacks a report and makes sure whose it is.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::bufread::GzDecoder;
use schemas::message::Interface;
use schemas::xml;
use zeroize::Zeroizing;

use super::{Asked, Defect, limits};

/// The report in `ReportMessage`, if it is whole, well-formed and about the
/// subject.
pub(super) fn read(text: &str, asked: &Asked) -> Result<Zeroizing<Vec<u8>>, Defect> {
    let report = unpack(text)?;
    check_subject(&report, asked)?;
    Ok(report)
}

/// Base64, then GZIP where its mark stands (S5).
fn unpack(text: &str) -> Result<Zeroizing<Vec<u8>>, Defect> {
    // Encoders of the time break lines after 76 characters.
    let mut packed = Zeroizing::new(Vec::with_capacity(text.len()));
    packed.extend(text.bytes().filter(|b| !b.is_ascii_whitespace()));
    let bytes = Zeroizing::new(STANDARD.decode(&*packed).map_err(|_| Defect::Base64)?);
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut report = Zeroizing::new(Vec::new());
    let mut chunk = Zeroizing::new([0; 16 << 10]);
    let mut decoder = GzDecoder::new(&bytes[..]);
    loop {
        match decoder.read(&mut chunk[..]).map_err(|_| Defect::Gzip)? {
            0 => break,
            n => report.extend_from_slice(&chunk[..n]),
        }
        let dense = report.len() > RATIO_FREE_BYTES && report.len() / bytes.len() > MAX_RATIO;
        if dense || report.len() > MAX_REPORT_BYTES {
            return Err(Defect::TooLarge);
        }
    }
    if decoder.into_inner().is_empty() {
        Ok(report)
    } else {
        Err(Defect::Gzip)
    }
}

/// The report is well-formed and names whom we asked for.
///
/// The number decides, in its type. The name does not: the centre may write it
/// in other characters.
fn check_subject(report: &[u8], asked: &Asked) -> Result<(), Defect> {
    let (type_path, number_path) = match asked.interface {
        // One pair of each kind of number that the enterprise has.
        Interface::Enterprise => (
            "Document/EAA/EA01/EA01C/EA01CH/EA01CD01",
            "Document/EAA/EA01/EA01C/EA01CH/EA01CI01",
        ),
        Interface::Personal => (
            "Document/PRH/PA01/PA01B/PA01BD01",
            "Document/PRH/PA01/PA01B/PA01BI01",
        ),
    };
    let (mut types, mut numbers) = (Vec::new(), Vec::new());
    xml::leaves(report, limits(MAX_REPORT_BYTES), |path, text| {
        if path == type_path {
            types.push(text.trim().to_owned());
        } else if path == number_path {
            numbers.push(Zeroizing::new(text.trim().to_owned()));
        }
    })?;
    let same = match asked.interface {
        Interface::Personal => {
            matches!(&types[..], [one] if *one == asked.id_type)
                && matches!(&numbers[..], [one] if one.eq_ignore_ascii_case(&asked.id_number))
        }
        Interface::Enterprise => names(&types, &numbers, asked),
    };
    if same {
        Ok(())
    } else {
        Err(Defect::OtherSubject)
    }
}

/// Whether the numbers of an enterprise have the one asked for, once, and no
/// other of its type.
fn names(types: &[String], numbers: &[Zeroizing<String>], asked: &Asked) -> bool {
    if types.len() != numbers.len() {
        return false;
    }
    let of = |id_type: &str| {
        let pairs = types.iter().zip(numbers);
        let mut of = pairs.filter(|(found, _)| *found == id_type);
        let first = of.next().map(|(_, number)| number.replace('-', ""));
        match (first, of.next()) {
            (Some(number), None) => Some(Some(Zeroizing::new(number))),
            (None, _) => Some(None),
            (Some(_), Some(_)) => None,
        }
    };
    match (asked.id_type.as_str(), of(&asked.id_type)) {
        (_, Some(Some(number))) => number.eq_ignore_ascii_case(&asked.id_number),
        // Characters 9 to 17 of a unified social credit code are the
        // organization code (GB 32100-2015, 4.1), which it replaced.
        ("30", Some(None)) => of("20").flatten().is_some_and(|number| {
            let inner = number.get(8..17).unwrap_or_default();
            inner.eq_ignore_ascii_case(&asked.id_number)
        }),
        _ => false,
    }
}

/// A report beyond this is not unpacked. The limit is ours.
const MAX_REPORT_BYTES: usize = 32 << 20;

/// Bytes that one compressed byte may become, once a report is long. Reports
/// of the samples grow 14 times; DEFLATE can reach 1032.
const MAX_RATIO: usize = 200;

/// Up to here the ratio does not matter.
const RATIO_FREE_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{
        ENTERPRISE_REPORT, REPORT, answer, d102, d104, enterprise, enterprise_answer_to, gzip,
        soap, word,
    };

    #[test]
    fn a_report_is_unpacked_within_limits_and_is_about_the_subject() {
        let pack = |report: &[u8]| STANDARD.encode(report);
        let id = "<PA01BI01>99000019880412024X</PA01BI01>";
        let cases = [
            ("base64", pack(REPORT.as_bytes()), "report AAA000"),
            ("gzip", pack(&gzip(REPORT.as_bytes())), "report AAA000"),
            (
                "small x",
                pack(REPORT.replace("24X<", "24x<").as_bytes()),
                "report AAA000",
            ),
            (
                "twice gzip",
                pack(&gzip(&gzip(REPORT.as_bytes()))),
                "unreadable wrong_encoding",
            ),
            (
                "no base64",
                "<![CDATA[<Document/>]]>".to_owned(),
                "unreadable bad_base64",
            ),
            ("page", pack(b"<html></html>"), "unreadable other_subject"),
            (
                "nobody",
                pack(REPORT.replace(id, "").as_bytes()),
                "unreadable other_subject",
            ),
            (
                "two people",
                pack(REPORT.replace(id, &id.repeat(2)).as_bytes()),
                "unreadable other_subject",
            ),
            (
                "other type",
                pack(REPORT.replace("<PA01BD01>10<", "<PA01BD01>2<").as_bytes()),
                "unreadable other_subject",
            ),
            (
                "packed too tightly",
                pack(&gzip(&vec![b' '; 8 << 20])),
                "unreadable too_large",
            ),
            (
                "cut gzip",
                pack(&gzip(REPORT.as_bytes())[..999]),
                "unreadable bad_gzip",
            ),
        ];
        for (name, report, expected) in cases {
            assert_eq!(
                word(&answer(&soap(&d102("AAA000", &report)))),
                expected,
                "case {name}"
            );
        }
    }

    #[test]
    fn a_report_of_an_enterprise_has_the_number_asked_for() {
        let pair = |id_type: &str, number: &str| {
            format!("<EA01CH><EA01CD01>{id_type}</EA01CD01><EA01CI01>{number}</EA01CI01></EA01CH>")
        };
        let code = "91999999000000019D";
        let report = |pairs: &[(&str, &str)]| {
            let pairs: String = pairs.iter().map(|(t, n)| pair(t, n)).collect();
            format!(
                "<Document><EAA><EA01><EA01C><EA01CQ01>x</EA01CQ01>{pairs}</EA01C></EA01></EAA>\
                 </Document>"
            )
        };
        let loan_card = "9999000000000017";
        let cases = [
            ("alone", "20", code, report(&[("20", code)]), true),
            (
                "among others",
                "20",
                code,
                report(&[("10", loan_card), ("20", code)]),
                true,
            ),
            (
                "by the other",
                "10",
                loan_card,
                report(&[("10", loan_card), ("20", code)]),
                true,
            ),
            (
                "small letter",
                "20",
                code,
                report(&[("20", "91999999000000019d")]),
                true,
            ),
            (
                "other number",
                "20",
                code,
                report(&[("20", "91999999MA00TEXT0H")]),
                false,
            ),
            (
                "under another type",
                "20",
                code,
                report(&[("10", code)]),
                false,
            ),
            (
                "twice",
                "20",
                code,
                report(&[("20", code), ("20", code)]),
                false,
            ),
            (
                "two of a type",
                "20",
                code,
                report(&[("20", code), ("20", "x")]),
                false,
            ),
            ("none", "20", code, report(&[]), false),
            (
                "organization code within",
                "30",
                "000000019",
                report(&[("20", code)]),
                true,
            ),
            (
                "with its hyphen",
                "30",
                "000000019",
                report(&[("30", "00000001-9")]),
                true,
            ),
            (
                "another within",
                "30",
                "000000010",
                report(&[("20", code)]),
                false,
            ),
            (
                "a pair without its type",
                "20",
                code,
                report(&[("10", loan_card), ("20", code)]).replace("<EA01CD01>10</EA01CD01>", ""),
                false,
            ),
            ("a person's", "20", code, REPORT.to_owned(), false),
        ];
        for (name, id_type, number, report, right) in cases {
            let mut asked = enterprise();
            asked.id_type = id_type.to_owned();
            asked.id_number = Zeroizing::new(number.to_owned());
            let body = soap(&d104("AAA000", &STANDARD.encode(gzip(report.as_bytes()))));
            let expected = if right {
                "report AAA000"
            } else {
                "unreadable other_subject"
            };
            assert_eq!(
                word(&enterprise_answer_to(&asked, &body)),
                expected,
                "case {name}"
            );
        }
        let person = answer(&soap(&d102("AAA000", &STANDARD.encode(ENTERPRISE_REPORT))));
        assert_eq!(word(&person), "unreadable other_subject");
    }
}
