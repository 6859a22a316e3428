//! Reads a reply: HTTP status, SOAP envelope, header line, D102, report.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::{Answer, Failure, InquiryRequest, Outcome, Rejection, WireReply};
use flate2::bufread::GzDecoder;
use zeroize::Zeroizing;

use crate::codes::{self, Class};
use crate::{request, xml};

/// A reply beyond this is cut off. A long report in Base64 is under one; the
/// centre shortens what is too long (DBO004). The limit is ours.
pub(crate) const MAX_REPLY_BYTES: usize = 16 << 20;

/// A report beyond this is not unpacked. The limit is ours.
const MAX_REPORT_BYTES: usize = 64 << 20;

/// Bytes that one compressed byte may become, once a report is long. Reports
/// of the samples grow 14 times; DEFLATE can reach 1032.
const MAX_RATIO: usize = 200;

/// Up to here the ratio does not matter.
const RATIO_FREE_BYTES: usize = 1 << 20;

/// What a reply is held against.
pub(crate) struct Asked {
    institution_code: String,
    id_type: String,
    id_number: Zeroizing<String>,
}

impl From<&InquiryRequest> for Asked {
    fn from(request: &InquiryRequest) -> Self {
        Self {
            institution_code: request.institution_code.clone(),
            id_type: request.id_type.clone(),
            id_number: request.id_number.clone(),
        }
    }
}

/// Why an answer cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Defect {
    /// Characters outside Base64, or a length that Base64 cannot have.
    Base64,
    /// The code does not fit what came with it, or belongs to another operation.
    Contradiction,
    /// A document type declaration.
    Doctype,
    /// A reference to an entity that XML does not define.
    Entity,
    /// A compressed report that is cut, changed, or followed by more.
    Gzip,
    /// A header line of other fields, parties or type.
    Header,
    /// No result code, or none of six letters and digits.
    NoResultCode,
    /// Not well-formed XML.
    NotXml,
    /// Not one answer in a SOAP envelope.
    NotSoap,
    /// A report on somebody else, or on nobody.
    OtherSubject,
    /// Bytes after the document that are no signature.
    Trailer,
    /// An element that may come once came twice.
    Twice,
    /// Elements too deep inside each other.
    TooDeep,
    /// A report longer than the limits, or packed too tightly.
    TooLarge,
    /// Bytes that are not UTF-8, or a declaration that says so.
    WrongEncoding,
}

impl Defect {
    /// The stable code of [`Outcome::Unreadable`].
    fn code(self) -> &'static str {
        match self {
            Self::Base64 => "bad_base64",
            Self::Contradiction => "contradiction",
            Self::Doctype => "doctype",
            Self::Entity => "entity",
            Self::Gzip => "bad_gzip",
            Self::Header => "wrong_header",
            Self::NoResultCode => "no_result_code",
            Self::NotXml => "not_xml",
            Self::NotSoap => "not_soap",
            Self::OtherSubject => "other_subject",
            Self::Trailer => "bad_trailer",
            Self::Twice => "repeated_item",
            Self::TooDeep => "too_deep",
            Self::TooLarge => "too_large",
            Self::WrongEncoding => "wrong_encoding",
        }
    }
}

/// What the reply says, by the table in `README.md`.
pub(crate) fn read(reply: WireReply, asked: &Asked) -> Outcome {
    let unknown = |cause| Outcome::Failed(Failure::Unknown { cause });
    match reply.status {
        200 => {}
        // A front machine or the service itself; no source says at which point.
        500..=599 => return unknown("status_5xx"),
        400..=499 => return unknown("status_4xx"),
        300..=399 => return unknown("status_3xx"),
        _ => return unknown("status_other"),
    }
    if reply.body.len() > MAX_REPLY_BYTES {
        return unknown("reply_too_large");
    }
    if reply.body.is_empty() {
        return unknown("reply_empty");
    }
    match open(&reply.body).and_then(|words| match words {
        Words::Fault => Ok(unknown("soap_fault")),
        Words::Message(message) => judge(document(&message, asked)?, asked),
    }) {
        Ok(outcome) => outcome,
        Err(defect) => Outcome::Unreadable {
            defect: defect.code(),
            raw: reply.body,
        },
    }
}

/// What an envelope holds.
enum Words {
    Fault,
    Message(Zeroizing<String>),
}

fn open(body: &[u8]) -> Result<Words, Defect> {
    let mut fault = false;
    let mut message = None;
    xml::leaves(body, |path, text| {
        let Some(path) = path.strip_prefix("Envelope/Body/") else {
            return Ok(());
        };
        match path.split_once('/') {
            _ if path == "Fault" || path.starts_with("Fault/") => fault = true,
            Some((_, "return")) => once(&mut message, text)?,
            _ => {}
        }
        Ok(())
    })?;
    match (fault, message) {
        (true, None) => Ok(Words::Fault),
        (false, Some(message)) => Ok(Words::Message(message)),
        _ => Err(Defect::NotSoap),
    }
}

/// D102 as it came.
#[derive(Default)]
struct Document {
    code: Option<Zeroizing<String>>,
    report: Option<Zeroizing<String>>,
}

fn document(message: &str, asked: &Asked) -> Result<Document, Defect> {
    // Clients differ in the end of the header line, so the XML begins at its
    // first sign; the alphabet of the signature has no `>`.
    let begin = message.find('<').ok_or(Defect::NotXml)?;
    let end = message.rfind('>').map_or(message.len(), |at| at + 1);
    check_header(&message[..begin], asked)?;
    let Some(xml) = message.get(begin..end) else {
        return Err(Defect::NotXml);
    };
    let mut document = Document::default();
    xml::leaves(xml.as_bytes(), |path, text| match path {
        "Document/Msg/ResultCode" => once(&mut document.code, text.trim()),
        "Document/Msg/ReportMessage" => once(&mut document.report, text.trim()),
        _ => Ok(()),
    })?;
    check_trailer(&message[end..])?;
    Ok(document)
}

fn once(slot: &mut Option<Zeroizing<String>>, text: &str) -> Result<(), Defect> {
    match slot.replace(Zeroizing::new(text.to_owned())) {
        None => Ok(()),
        Some(_) => Err(Defect::Twice),
    }
}

/// The fields up to position 68, on which three clients agree; what follows is
/// reserved. The message id is not compared: no source says that it comes back.
fn check_header(header: &str, asked: &Asked) -> Result<(), Defect> {
    let header = header
        .strip_prefix('\u{feff}')
        .unwrap_or(header)
        .trim_end_matches(['\r', '\n']);
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let field = |range: std::ops::Range<usize>| header.get(range).ok_or(Defect::Header);
    let fits = header.is_ascii()
        && header.len() <= 80
        && field(0..1)? == "B"
        && field(1..6)? == "2.0.0"
        && field(6..20)?.trim_end() == request::CENTRE
        && field(20..34)?.trim_end() == asked.institution_code
        && digits(field(34..48)?)
        && field(48..52)? == "D102"
        && digits(field(52..68)?)
        && digits(&header[68..]);
    if fits { Ok(()) } else { Err(Defect::Header) }
}

/// Nothing or a signature. It is not verified: whether the centre signs its
/// answers is not known (S2; low).
fn check_trailer(trailer: &str) -> Result<(), Defect> {
    let trailer = trailer.trim();
    let signature = trailer
        .strip_prefix("{S:")
        .and_then(|rest| rest.strip_suffix(":S}").or_else(|| rest.strip_suffix('}')));
    match signature {
        None if trailer.is_empty() => Ok(()),
        Some(text) if STANDARD.decode(text).is_ok() => Ok(()),
        _ => Err(Defect::Trailer),
    }
}

fn judge(document: Document, asked: &Asked) -> Result<Outcome, Defect> {
    let code = document.code.ok_or(Defect::NoResultCode)?;
    if code.len() != 6 || !code.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(Defect::NoResultCode);
    }
    let report = document.report.filter(|text| !text.is_empty());
    let entry = codes::result(&code);
    let code = code.to_string();
    let partial = entry.is_some_and(|entry| entry.class == Class::Partial);
    match (entry.map(|entry| entry.class), report) {
        (Some(Class::Answered | Class::Partial), Some(text)) => {
            let report = unpack(&text)?;
            check_subject(&report, asked)?;
            Ok(Outcome::Answered(Answer {
                code,
                partial,
                report,
            }))
        }
        (Some(Class::NoHit), None) => Ok(Outcome::NoHit { code }),
        (Some(Class::Answered | Class::Foreign), None) | (_, Some(_)) => Err(Defect::Contradiction),
        (Some(Class::Partial | Class::Rejected) | None, None) => {
            let words = |pick: fn(&codes::Entry) -> [&'static str; 2]| {
                entry.map(pick).unwrap_or_default().map(str::to_owned)
            };
            Ok(Outcome::Rejected(Rejection {
                code,
                listed: entry.is_some(),
                meaning: words(|entry| entry.meaning),
                cure: words(|entry| entry.cure),
            }))
        }
    }
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
    let (mut id_type, mut id_number) = (None, None);
    xml::leaves(report, |path, text| match path {
        "Document/PRH/PA01/PA01B/PA01BD01" => once(&mut id_type, text.trim()),
        "Document/PRH/PA01/PA01B/PA01BI01" => once(&mut id_number, text.trim()),
        _ => Ok(()),
    })?;
    let same = id_type.is_some_and(|found| *found == asked.id_type)
        && id_number.is_some_and(|found| found.eq_ignore_ascii_case(&asked.id_number));
    if same {
        Ok(())
    } else {
        Err(Defect::OtherSubject)
    }
}
