//! Unpacks a report and makes sure whose it is.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::bufread::GzDecoder;
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

/// The report is well-formed and names whom we asked for (segment PA01B).
///
/// The number decides, in its type. The name does not: the centre may write it
/// in other characters.
fn check_subject(report: &[u8], asked: &Asked) -> Result<(), Defect> {
    let (mut types, mut numbers) = (Vec::new(), Vec::new());
    xml::leaves(report, limits(MAX_REPORT_BYTES), |path, text| match path {
        "Document/PRH/PA01/PA01B/PA01BD01" => types.push(text.trim().to_owned()),
        "Document/PRH/PA01/PA01B/PA01BI01" => numbers.push(Zeroizing::new(text.trim().to_owned())),
        _ => {}
    })?;
    let same = matches!(&types[..], [one] if *one == asked.id_type)
        && matches!(&numbers[..], [one] if one.eq_ignore_ascii_case(&asked.id_number));
    if same {
        Ok(())
    } else {
        Err(Defect::OtherSubject)
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
    use crate::tests::{REPORT, answer, d102, gzip, soap, word};

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
}
