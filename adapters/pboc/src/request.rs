//! Writes D101: header line, XML, signature, SOAP envelope.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::{InquiryRequest, RequestError, WireRequest};
use jiff::{Timestamp, tz::Offset};
use schemas::message::{Defect, Message as Format};
use sm3::{Digest, Sm3};
use zeroize::Zeroizing;

use crate::{codes, escape, response};

/// Institution code of the centre (S2, S5; high).
pub(crate) const CENTRE: &str = "B0000000000001";

/// Service below the base address of an environment, `.../v2/prod` (S2, S6; medium).
const PATH: &str = "/channel-query/ServiceAccept";

/// Base64 characters of a signature that D101 has room for (S2; high).
const MAX_SIGNATURE: usize = 1024;

/// Header line and XML: what the signature covers.
pub(crate) struct Message(Zeroizing<String>);

impl Message {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Composes the message, or names every field that does not fit.
pub(crate) fn message(request: &InquiryRequest) -> Result<Message, RequestError> {
    let password = Zeroizing::new(sm3_hex(request.password.as_bytes()));
    check(request, &password)?;
    Ok(compose(request, &password))
}

/// The signed message in its envelope. The signature stays as the signer made
/// it: raw, DER and PKCS#7 all occur (`README.md`).
///
/// The error is the cause of a failure before sending.
pub(crate) fn envelope(message: &Message, signature: &[u8]) -> Result<WireRequest, &'static str> {
    if signature.is_empty() {
        return Err("signature_empty");
    }
    let signature = STANDARD.encode(signature);
    if signature.len() > MAX_SIGNATURE {
        return Err("signature_too_long");
    }
    let signed = trailed(message, &signature);
    // Escaping adds less than a half to these messages.
    let mut body = Zeroizing::new(String::with_capacity(signed.len() * 3 / 2 + 1024));
    body.push_str(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:q=\"http://ws.serviceaccept.ws.service.query.channel.pbccrc.org/\">\n \
         <soapenv:Body>\n  \
         <q:psCreditReportQueryReq>\n   \
         <querymessage>",
    );
    escape::escape_into(&mut body, &signed);
    body.push_str(
        "</querymessage>\n  \
         </q:psCreditReportQueryReq>\n \
         </soapenv:Body>\n\
         </soapenv:Envelope>\n",
    );
    Ok(WireRequest {
        path: PATH.to_owned(),
        headers: vec![
            ("content-type", "text/xml; charset=utf-8".to_owned()),
            ("soapaction", "\"\"".to_owned()),
        ],
        body: Zeroizing::new(std::mem::take(&mut *body).into_bytes()),
        reply_limit_bytes: response::MAX_REPLY_BYTES,
    })
}

fn trailed(message: &Message, signature: &str) -> Zeroizing<String> {
    let mut signed = Zeroizing::new(String::with_capacity(message.0.len() + signature.len() + 6));
    for part in [&message.0, "{S:", signature, ":S}"] {
        signed.push_str(part);
    }
    signed
}

/// The message identifier: the centre's day and eight digits.
pub(crate) fn message_id(serial: u32, at: Timestamp) -> String {
    let day = Offset::constant(8).to_datetime(at);
    format!("{}{serial:08}", day.strftime("%Y%m%d"))
}

fn compose(request: &InquiryRequest, password_sm3: &str) -> Message {
    // File and message dates are fixed to the centre's time.
    let at = Offset::constant(8).to_datetime(request.at);
    let header = format!(
        "B2.0.0{}{CENTRE}{}D101{}{:010}\r\n",
        request.institution_code,
        at.strftime("%Y%m%d%H%M%S"),
        message_id(request.serial, request.at),
        0,
    );
    let mut text = Zeroizing::new(String::with_capacity(2048));
    text.push_str(&header);
    text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document>\n");
    let mut group = "";
    for element in Format::d101().elements() {
        let above = element.path.split('/').nth(1).unwrap_or_default();
        if above != group {
            close_group(&mut text, group);
            text.push_str(&format!(" <{above}>\n"));
            group = above;
        }
        text.push_str(&format!("  <{}>", element.tag));
        let (_, value) = item(request, password_sm3, element.tag).unwrap_or_default();
        escape::escape_into(&mut text, value);
        text.push_str(&format!("</{}>\n", element.tag));
    }
    close_group(&mut text, group);
    text.push_str("</Document>");
    Message(text)
}

fn close_group(text: &mut String, group: &str) {
    if !group.is_empty() {
        text.push_str(&format!(" </{group}>\n"));
    }
}

/// Field of the request and value of an element of D101.
fn item<'a>(
    request: &'a InquiryRequest,
    password_sm3: &'a str,
    tag: &str,
) -> Option<(&'static str, &'a str)> {
    Some(match tag {
        "IDNum" => ("id_number", &request.id_number),
        "IDType" => ("id_type", &request.id_type),
        "Name" => ("subject_name", &request.subject_name),
        "OriginateOrgCode" => ("originator_code", &request.originator_code),
        "OriginateUserCode" => ("originator_user", &request.originator_user),
        "Password" => ("password", password_sm3),
        "QueryOrgCode" => ("institution_code", &request.institution_code),
        "QueryReason" => ("reason", &request.reason),
        "ServiceCode" => ("product", codes::PERSONAL_SERVICE),
        "UserCode" => ("user", &request.user),
        _ => return None,
    })
}

/// Lower case: the samples have it, one client writes capitals.
fn sm3_hex(bytes: &[u8]) -> String {
    Sm3::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The limits of the format's table, and what the table cannot say.
fn check(request: &InquiryRequest, password_sm3: &str) -> Result<(), RequestError> {
    let value = |tag: &str| item(request, password_sm3, tag).map(|(_, value)| value);
    let defects = Format::d101().check(value);
    let mut fields: Vec<String> = defects.iter().map(|defect| name(request, defect)).collect();
    let mut must = |holds: bool, field: &str, defect: &str| {
        if !holds {
            fields.push(format!("{field}: {defect}"));
        }
    };
    for (field, code) in [
        ("institution_code", &request.institution_code),
        ("originator_code", &request.originator_code),
    ] {
        // The header line has fixed widths, so a byte must be a character.
        let plain = code
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        must(plain, field, "holds more than capital letters and digits");
    }
    let texts: [(&str, &str); 4] = [
        ("subject_name", &request.subject_name),
        ("id_number", &request.id_number),
        ("user", &request.user),
        ("originator_user", &request.originator_user),
    ];
    for (field, text) in texts {
        must(text.trim() == text, field, "begins or ends with a space");
        let carried = !text.contains(['\u{fffe}', '\u{ffff}']);
        must(carried, field, "holds a character that XML cannot carry");
    }
    must(
        request.product == crate::PERSONAL_REPORT,
        "product",
        "not offered",
    );
    must(!request.password.is_empty(), "password", "missing");
    must(
        request.serial < 100_000_000,
        "serial",
        "longer than 8 digits",
    );
    let year = Offset::constant(8).to_datetime(request.at).year();
    must(
        (2000..=9999).contains(&year),
        "at",
        "not a year of this century or later",
    );
    if fields.is_empty() {
        Ok(())
    } else {
        Err(RequestError { fields })
    }
}

/// The finding under the name of the request's field.
fn name(request: &InquiryRequest, defect: &Defect) -> String {
    let field = item(request, "", defect.tag).map_or(defect.tag, |(field, _)| field);
    let finding = defect.to_string();
    format!(
        "{field}{}",
        finding.strip_prefix(defect.tag).unwrap_or(&finding)
    )
}

#[cfg(test)]
mod tests {
    use schemas::xml::Limits;

    use super::*;
    use crate::tests::{SIGNATURE, request};

    /// The samples carry zeros where the digest of the password stands.
    fn sample() -> Message {
        compose(&request(), &"0".repeat(64))
    }

    #[test]
    fn the_message_is_the_sample_byte_for_byte() {
        let signed = trailed(&sample(), &STANDARD.encode(SIGNATURE));
        assert_eq!(*signed, include_str!("../testdata/request.msg"));
        assert_eq!(signed.find("\r\n"), Some(78));
    }

    #[test]
    fn the_envelope_is_the_sample_byte_for_byte() {
        let wire = envelope(&sample(), SIGNATURE).unwrap();
        let body = std::str::from_utf8(&wire.body).unwrap();
        assert_eq!(body, include_str!("../testdata/request-soap.xml"));
        assert_eq!(wire.path, "/channel-query/ServiceAccept");
    }

    #[test]
    fn the_password_goes_out_as_its_sm3_digest() {
        // GB/T 32905-2016, annex A.1.
        let expected = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
        assert_eq!(sm3_hex(b"abc"), expected);
        let mut request = request();
        request.password = Zeroizing::new("abc".to_owned());
        let message = message(&request).unwrap();
        assert!(
            message
                .0
                .contains(&format!("<Password>{expected}</Password>"))
        );
    }

    #[test]
    fn times_are_those_of_the_centre() {
        let mut request = request();
        request.at = "2026-03-15T16:00:00Z".parse().unwrap();
        request.serial = 99_999_999;
        let message = message(&request).unwrap();
        assert_eq!(&message.0[34..68], "20260316000000D1012026031699999999");
    }

    #[test]
    fn markup_in_a_value_stays_text() {
        let mut request = request();
        request.subject_name = Zeroizing::new("甲</Name>&\u{20BB7}".to_owned());
        let message = message(&request).unwrap();
        assert!(
            message
                .0
                .contains("<Name>甲&lt;/Name&gt;&amp;\u{20BB7}</Name>")
        );
        let wire = envelope(&message, SIGNATURE).unwrap();
        let mut found = None;
        let read = schemas::xml::leaves(&wire.body, Limits::default(), |path, text| {
            assert_eq!(path, "Envelope/Body/psCreditReportQueryReq/querymessage");
            found = Some(text.to_owned());
        });
        assert_eq!(read, Ok(()));
        assert_eq!(
            found.unwrap(),
            *trailed(&message, &STANDARD.encode(SIGNATURE))
        );
    }

    #[test]
    fn every_field_that_does_not_fit_is_named_at_once_and_without_its_value() {
        let text = |s: &str| Zeroizing::new(s.to_owned());
        let bad = InquiryRequest {
            product: "company_report".to_owned(),
            subject_name: text(&"测".repeat(31)),
            id_type: "99".to_owned(),
            id_number: text(" 1\n"),
            reason: "2".to_owned(),
            institution_code: "z99990000h0001".to_owned(),
            originator_code: "Z9999".to_owned(),
            user: String::new(),
            password: text(""),
            originator_user: "u".repeat(65),
            serial: 100_000_000,
            at: "1999-12-31T00:00:00Z".parse().unwrap(),
        };
        let error = message(&bad).map(|_| ()).unwrap_err();
        let expected = [
            "user: missing",
            "originator_code: not 14 characters long",
            "originator_user: longer than 64 characters",
            "subject_name: longer than 30 characters",
            "id_type: not in the code list",
            "id_number: holds a forbidden character",
            "reason: not in the code list",
            "institution_code: holds more than capital letters and digits",
            "id_number: begins or ends with a space",
            "product: not offered",
            "password: missing",
            "serial: longer than 8 digits",
            "at: not a year of this century or later",
        ];
        assert_eq!(error.fields, expected);
    }

    #[test]
    fn a_signature_that_has_no_room_is_not_sent() {
        let cases = [
            (0, Some("signature_empty")),
            (768, None),
            (769, Some("signature_too_long")),
        ];
        for (bytes, expected) in cases {
            let refused = envelope(&sample(), &vec![0; bytes]).map(|_| ()).err();
            assert_eq!(refused, expected, "{bytes} bytes");
        }
    }
}
