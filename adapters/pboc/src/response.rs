//! Reads a reply: HTTP status, SOAP envelope, header line, document, report.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::{Answer, Failure, InquiryRequest, Outcome, WireReply};
use schemas::message::{Interface, Message, MessageError};
use schemas::xml::{self, Limits, XmlError};
use zeroize::Zeroizing;

use crate::{Service, codes, wire};

mod report;

/// A reply beyond this is cut off. A long report in Base64 is under one; the
/// centre shortens what is too long (DBO004). The limit is ours.
pub(crate) const MAX_REPLY_BYTES: usize = 16 << 20;

/// What a reply is held against.
pub(crate) struct Asked {
    interface: Interface,
    institution_code: String,
    id_type: String,
    id_number: Zeroizing<String>,
}

impl Asked {
    pub(crate) fn new(request: &InquiryRequest, service: &Service) -> Self {
        Self {
            interface: service.interface,
            institution_code: request.institution_code.clone(),
            id_type: request.id_type.clone(),
            id_number: request.id_number.clone(),
        }
    }
}

/// Why an answer cannot be read. Its stable code is that of [`Outcome::Unreadable`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Defect {
    /// Characters outside Base64, or a length that Base64 cannot have.
    Base64,
    /// The code does not fit what came with it.
    Contradiction,
    /// Not a document of the answer.
    Document(MessageError),
    /// A compressed report that is cut, changed, or followed by more.
    Gzip,
    /// A header line of other fields, parties or type.
    Header,
    /// No result code, or none of six letters and digits.
    NoResultCode,
    /// Not one answer in a SOAP envelope.
    NotSoap,
    /// A report on somebody else, or on nobody.
    OtherSubject,
    /// A report longer than the limits, or packed too tightly.
    TooLarge,
    /// Bytes after the document that are no signature.
    Trailer,
    /// No XML that we accept, in the envelope or in the report.
    Xml(XmlError),
}

impl Defect {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Base64 => "bad_base64",
            Self::Contradiction => "contradiction",
            Self::Document(error) => error.code(),
            Self::Gzip => "bad_gzip",
            Self::Header => "wrong_header",
            Self::NoResultCode => "no_result_code",
            Self::NotSoap => "not_soap",
            Self::OtherSubject => "other_subject",
            Self::TooLarge => "too_large",
            Self::Trailer => "bad_trailer",
            Self::Xml(error) => error.code(),
        }
    }
}

impl From<MessageError> for Defect {
    fn from(error: MessageError) -> Self {
        Self::Document(error)
    }
}

impl From<XmlError> for Defect {
    fn from(error: XmlError) -> Self {
        Self::Xml(error)
    }
}

/// Why there is no document to be read.
pub(crate) enum Deaf {
    /// Nothing that the bureau says.
    Failed(Failure),
    /// A whole answer that cannot be read.
    Unreadable(Defect),
}

impl From<Defect> for Deaf {
    fn from(defect: Defect) -> Self {
        Self::Unreadable(defect)
    }
}

/// What the reply says, by the table in `README.md`.
pub(crate) fn read(reply: WireReply, asked: &Asked) -> Outcome {
    let answer = asked.interface.answer();
    let heard = document(&reply, &asked.institution_code, answer);
    match heard.and_then(|document| Ok(judge(&document, asked)?)) {
        Ok(outcome) => outcome,
        Err(Deaf::Failed(failure)) => failure.into(),
        Err(Deaf::Unreadable(defect)) => Outcome::Unreadable {
            defect: defect.code(),
            raw: reply.body,
        },
    }
}

/// The document of an answer of type `answer` to an institution.
pub(crate) fn document(
    reply: &WireReply,
    institution_code: &str,
    answer: &str,
) -> Result<Zeroizing<String>, Deaf> {
    let unknown = |cause| Err(Deaf::Failed(Failure::Unknown { cause }));
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
    let message = match open(&reply.body)? {
        // No source says at which point the centre raises one.
        Words::Fault => return unknown("soap_fault"),
        Words::Message(message) => message,
    };
    // Clients differ in the end of the header line, so the XML begins at its
    // first sign; the alphabet of the signature has no `>`.
    let begin = message.find('<').unwrap_or(message.len());
    let end = message
        .rfind('>')
        .map_or(message.len(), |at| at + 1)
        .max(begin);
    check_header(&message[..begin], institution_code, answer)?;
    check_trailer(&message[end..])?;
    Ok(Zeroizing::new(message[begin..end].to_owned()))
}

/// What an envelope holds.
enum Words {
    Fault,
    Message(Zeroizing<String>),
}

fn open(body: &[u8]) -> Result<Words, Defect> {
    let mut fault = false;
    let mut messages = Vec::new();
    xml::leaves(body, limits(MAX_REPLY_BYTES), |path, text| {
        let inside = path.strip_prefix("Envelope/Body/").unwrap_or_default();
        match inside.split_once('/') {
            _ if inside == "Fault" || inside.starts_with("Fault/") => fault = true,
            Some((_, "return")) => messages.push(Zeroizing::new(text.to_owned())),
            _ => {}
        }
    })?;
    match (fault, messages.pop()) {
        (true, None) => Ok(Words::Fault),
        (false, Some(message)) if messages.is_empty() => Ok(Words::Message(message)),
        _ => Err(Defect::NotSoap),
    }
}

fn judge(document: &str, asked: &Asked) -> Result<Outcome, Defect> {
    let fields =
        named(asked.interface.answer()).read(document.as_bytes(), limits(MAX_REPLY_BYTES))?;
    let code = result_code(fields.get("ResultCode"))?;
    outcome(code, fields.get("ReportMessage"), asked)
}

/// What a result code, and a report or none, say of an inquiry.
pub(crate) fn outcome(
    code: String,
    report: Option<&str>,
    asked: &Asked,
) -> Result<Outcome, Defect> {
    match report.map(str::trim).filter(|text| !text.is_empty()) {
        None => codes::without_report(asked.interface, code).ok_or(Defect::Contradiction),
        Some(text) => {
            let partial = codes::is_partial(asked.interface, &code);
            let partial = partial.ok_or(Defect::Contradiction)?;
            let report = report::read(text, asked)?;
            Ok(Outcome::Answered(Answer {
                code,
                partial,
                report,
            }))
        }
    }
}

/// A result code of the mandated form.
pub(crate) fn result_code(text: Option<&str>) -> Result<String, Defect> {
    let code = text.unwrap_or_default().trim();
    if code.len() != 6 || !code.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(Defect::NoResultCode);
    }
    Ok(code.to_owned())
}

/// A message of the tables.
pub(crate) fn named(name: &str) -> &'static Message {
    // The tables are part of the program, and a test of `schemas` reads them.
    Message::named(name).expect("a message of the tables")
}

pub(crate) fn limits(bytes: usize) -> Limits {
    Limits {
        bytes,
        ..Limits::default()
    }
}

/// The fields up to position 68, on which three clients agree; what follows is
/// reserved. The message id is not compared: no source says that it comes back.
fn check_header(header: &str, institution_code: &str, answer: &str) -> Result<(), Defect> {
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
        && field(6..20)?.trim_end() == wire::CENTRE
        && field(20..34)?.trim_end() == institution_code
        && digits(field(34..48)?)
        && field(48..52)? == answer
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{
        ENTERPRISE_REPORT, HEADER, REPORT, answer, d102, d104, enterprise_answer, gzip, reply,
        soap, word,
    };

    #[test]
    fn code_and_report_decide_together() {
        let report = STANDARD.encode(REPORT);
        let cases = [
            ("AAA000", report.as_str(), "report AAA000"),
            ("AAA000", "", "unreadable contradiction"),
            ("AAA001", "", "no hit AAA001"),
            ("AAA001", &report, "unreadable contradiction"),
            ("DBE004", "", "refused DBE004"),
            ("DBE004", &report, "unreadable contradiction"),
            ("DBO004", &report, "partial DBO004"),
            ("DBO004", "", "refused DBO004"),
            ("DBE999", "", "unlisted DBE999"),
            ("DBE999", &report, "unreadable contradiction"),
            (" AAA001\n", "", "no hit AAA001"),
            ("aaa001", "", "unlisted aaa001"),
            ("", "", "unreadable no_result_code"),
            ("AAA0000", "", "unreadable no_result_code"),
            ("甲", "", "unreadable no_result_code"),
        ];
        for (code, report, expected) in cases {
            let outcome = answer(&soap(&d102(code, report)));
            assert_eq!(
                word(&outcome),
                expected,
                "code {code}, {} characters",
                report.len()
            );
        }
    }

    #[test]
    fn an_enterprise_is_answered_by_d104_with_its_own_codes() {
        let report = STANDARD.encode(gzip(ENTERPRISE_REPORT.as_bytes()));
        let cases = [
            ("AAA000", report.as_str(), "report AAA000"),
            ("AAA000", "", "unreadable contradiction"),
            ("AAA001", "", "no hit AAA001"),
            ("DBO004", &report, "partial DBO004"),
            ("DBE006", "", "refused DBE006"),
            ("FBE004", "", "refused FBE004"),
            ("ATO002", "", "undecided ATO002"),
            ("ATO002", &report, "unreadable contradiction"),
            ("QQQ999", "", "unlisted QQQ999"),
        ];
        for (code, report, expected) in cases {
            let outcome = enterprise_answer(&soap(&d104(code, report)));
            assert_eq!(word(&outcome), expected, "code {code}");
        }
        // The answer to a person's inquiry is none to an enterprise's, and the
        // reverse.
        let crossed = enterprise_answer(&soap(&d102("AAA001", "")));
        assert_eq!(word(&crossed), "unreadable wrong_header");
        let crossed = answer(&soap(&d104("AAA001", "")));
        assert_eq!(word(&crossed), "unreadable wrong_header");
    }

    #[test]
    fn an_envelope_holds_one_answer() {
        let message = d102("AAA001", "");
        let text = String::from_utf8(soap(&message)).unwrap();
        let fault = "<e:Envelope xmlns:e='x'><e:Body><e:Fault><faultcode>e:Server</faultcode>\
            </e:Fault></e:Body></e:Envelope>";
        let cases = [
            ("as it is", text.clone(), "no hit AAA001"),
            ("fault", fault.to_owned(), "unknown soap_fault"),
            (
                "empty fault",
                "<Envelope><Body><Fault/></Body></Envelope>".into(),
                "unknown soap_fault",
            ),
            (
                "fault and answer",
                text.replace("</S:Body>", "<Fault/></S:Body>"),
                "unreadable not_soap",
            ),
            ("no body", "<Envelope/>".into(), "unreadable not_soap"),
            (
                "page of a proxy",
                "<html><body>x</body></html>".into(),
                "unreadable not_soap",
            ),
            ("bare message", message, "unreadable not_xml"),
            (
                "two answers",
                text.replace("<return>", "<return/><return>"),
                "unreadable not_soap",
            ),
            (
                "answer outside",
                text.replace("S:Body", "S:Header"),
                "unreadable not_soap",
            ),
            ("nothing", String::new(), "unknown reply_empty"),
        ];
        for (name, body, expected) in cases {
            assert_eq!(word(&answer(body.as_bytes())), expected, "case {name}");
        }
    }

    #[test]
    fn the_header_line_is_held_against_the_request() {
        let rest = d102("AAA001", "").split_off(HEADER.len());
        let put = |from: usize, text: &str| {
            let mut header = HEADER.to_owned();
            header.replace_range(from..from + text.len(), text);
            header
        };
        let line = HEADER.trim_end();
        let cases = [
            ("as it is", HEADER.to_owned(), true),
            ("zeros and no line end", format!("{line}00"), true),
            ("up to position 68 only", line[..68].to_owned(), true),
            ("line feed only", format!("{line}\n"), true),
            ("other message id", put(67, "9"), true),
            ("none", String::new(), false),
            ("one short of 68", line[..67].to_owned(), false),
            ("one beyond 80", format!("{line}000"), false),
            ("batch", put(0, "A"), false),
            ("version", put(1, "3"), false),
            ("not the centre", put(19, "2"), false),
            ("to another institution", put(33, "2"), false),
            ("our own request", put(48, "D101"), false),
            ("letters in the time", put(34, "x"), false),
            ("letters in the id", put(60, "x"), false),
            ("letters in the reserve", put(70, "x"), false),
            ("beyond ASCII", line.replace("B2.0.0", "B2.0.０"), false),
        ];
        for (name, header, fits) in cases {
            let outcome = answer(&soap(&format!("{header}{rest}")));
            let expected = if fits {
                "no hit AAA001"
            } else {
                "unreadable wrong_header"
            };
            assert_eq!(word(&outcome), expected, "case {name}");
        }
    }

    #[test]
    fn what_follows_the_document_is_a_signature_or_nothing() {
        let message = d102("AAA001", "");
        let (document, _) = message.split_once("{S:").unwrap();
        let cases = [
            ("", true),
            ("\r\n", true),
            ("{S:AAAA:S}", true),
            ("{S:AAAA}\r\n", true),
            ("{S:AAAA", false),
            ("{S:AAA:S}", false),
            ("{S:AAAA:S}x", false),
            ("AAAA", false),
        ];
        for (trailer, fits) in cases {
            let outcome = answer(&soap(&format!("{document}{trailer}")));
            let expected = if fits {
                "no hit AAA001"
            } else {
                "unreadable bad_trailer"
            };
            assert_eq!(word(&outcome), expected, "trailer {trailer:?}");
        }
        let second = answer(&soap(&message.replace("{S:", "<x/>{S:")));
        assert_eq!(word(&second), "unreadable not_xml");
    }

    #[test]
    fn only_status_200_speaks_for_the_bureau() {
        let body = soap(&d102("AAA001", ""));
        let cases = [
            (200, "no hit AAA001"),
            (202, "unknown status_other"),
            (307, "unknown status_3xx"),
            (404, "unknown status_4xx"),
            (500, "unknown status_5xx"),
            (503, "unknown status_5xx"),
        ];
        for (status, expected) in cases {
            assert_eq!(word(&reply(status, &body)), expected, "status {status}");
        }
    }
}
