//! Writes the request of an inquiry: D101 or D103.

use contract::{InquiryRequest, RequestError};
use schemas::message::{Defect, Interface, Message as Format};

use crate::Service;
use crate::wire::{self, Door, Message, Sender};

/// Composes the message, or names every field that does not fit.
pub(crate) fn message(
    request: &InquiryRequest,
    service: &Service,
) -> Result<Message, RequestError> {
    let password = wire::sm3_hex(request.password.as_bytes());
    let fields = defects(request, service, format(service.interface), &password);
    if !fields.is_empty() {
        return Err(RequestError { fields });
    }
    Ok(compose(request, service, &password))
}

fn format(interface: Interface) -> &'static Format {
    // The tables are part of the program, and a test of `schemas` reads them.
    Format::named(interface.request()).expect("a message of the tables")
}

fn compose(request: &InquiryRequest, service: &Service, password_sm3: &str) -> Message {
    let door = Door::of(service.interface);
    Message::compose(
        door,
        format(service.interface),
        &sender(request),
        |tag: &str| item(request, service, password_sm3, tag).map(|(_, value)| value),
    )
}

fn sender(request: &InquiryRequest) -> Sender<'_> {
    Sender {
        institution_code: &request.institution_code,
        serial: request.serial,
        at: request.at,
    }
}

/// Field of the request and value of an element.
pub(crate) fn item<'a>(
    request: &'a InquiryRequest,
    service: &'a Service,
    password_sm3: &'a str,
    tag: &str,
) -> Option<(&'static str, &'a str)> {
    Some(match tag {
        "EntCertNum" | "IDNum" => ("id_number", &request.id_number),
        "EntCertType" | "IDType" => ("id_type", &request.id_type),
        "EntName" | "Name" => ("subject_name", &request.subject_name),
        "OriginateOrgCode" => ("originator_code", &request.originator_code),
        "OriginateUserCode" => ("originator_user", &request.originator_user),
        "Password" => ("password", password_sm3),
        "QueryOrgCode" => ("institution_code", &request.institution_code),
        "QueryReason" => ("reason", &request.reason),
        "ServiceCode" => ("product", &service.code),
        "UserCode" => ("user", &request.user),
        _ => return None,
    })
}

/// The limits of a format's table, and what a table cannot say.
pub(crate) fn defects(
    request: &InquiryRequest,
    service: &Service,
    format: &Format,
    password_sm3: &str,
) -> Vec<String> {
    let value = |tag: &str| item(request, service, password_sm3, tag).map(|(_, value)| value);
    // What is no field of the request is the caller's to check.
    let defects = format.check(value).into_iter();
    let defects = defects.filter(|it| item(request, service, "", it.tag).is_some());
    let mut fields: Vec<String> = defects
        .map(|defect| name(request, service, &defect))
        .collect();
    let mut must = |holds: bool, field: &str, defect: &str| {
        if !holds {
            fields.push(format!("{field}: {defect}"));
        }
    };
    for (field, code) in [
        ("institution_code", &request.institution_code),
        ("originator_code", &request.originator_code),
    ] {
        let what = "holds more than capital letters and digits";
        must(wire::is_plain(code), field, what);
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
    let lists = service.interface.reason_lists();
    let of_another = lists.iter().filter(|list| **list != service.reasons);
    let lists_it = |list: &str| {
        let list = service.interface.list(list);
        list.is_some_and(|list| list.contains(&request.reason))
    };
    must(
        lists_it(service.reasons) || !of_another.into_iter().any(|list| lists_it(list)),
        "reason",
        "of another list than the one in force",
    );
    must(
        request.product == service.interface.product(),
        "product",
        "not offered",
    );
    must(!request.password.is_empty(), "password", "missing");
    wire::check_sender(&sender(request), must);
    fields
}

/// The finding under the name of the request's field.
fn name(request: &InquiryRequest, service: &Service, defect: &Defect) -> String {
    let field = item(request, service, "", defect.tag).map_or(defect.tag, |(field, _)| field);
    let finding = defect.to_string();
    format!(
        "{field}{}",
        finding.strip_prefix(defect.tag).unwrap_or(&finding)
    )
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use schemas::xml::Limits;
    use zeroize::Zeroizing;

    use super::*;
    use crate::tests::{SIGNATURE, enterprise, request};

    /// The samples carry zeros where the digest of the password stands.
    fn sample() -> Message {
        compose(&request(), &Service::personal(), &"0".repeat(64))
    }

    fn text(message: &Message) -> &str {
        std::str::from_utf8(message.as_bytes()).unwrap()
    }

    fn message(request: &InquiryRequest) -> Result<Message, RequestError> {
        super::message(request, &Service::personal())
    }

    #[test]
    fn the_message_is_the_sample_byte_for_byte() {
        let signed = sample().trailed(&STANDARD.encode(SIGNATURE));
        assert_eq!(*signed, include_str!("../testdata/request.msg"));
        assert_eq!(signed.find("\r\n"), Some(78));
    }

    #[test]
    fn the_envelope_is_the_sample_byte_for_byte() {
        let wire = sample().envelope(SIGNATURE).unwrap();
        let body = std::str::from_utf8(&wire.body).unwrap();
        assert_eq!(body, include_str!("../testdata/request-soap.xml"));
        assert_eq!(wire.path, "/channel-query/ServiceAccept");
    }

    #[test]
    fn the_password_goes_out_as_its_sm3_digest() {
        // GB/T 32905-2016, annex A.1.
        let expected = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
        assert_eq!(*wire::sm3_hex(b"abc"), expected);
        let mut request = request();
        request.password = Zeroizing::new("abc".to_owned());
        let message = message(&request).unwrap();
        assert!(text(&message).contains(&format!("<Password>{expected}</Password>")));
    }

    #[test]
    fn times_are_those_of_the_centre() {
        let mut request = request();
        request.at = "2026-03-15T16:00:00Z".parse().unwrap();
        request.serial = 99_999_999;
        let message = message(&request).unwrap();
        assert_eq!(
            &text(&message)[34..68],
            "20260316000000D1012026031699999999"
        );
    }

    #[test]
    fn markup_in_a_value_stays_text() {
        let mut request = request();
        request.subject_name = Zeroizing::new("甲</Name>&\u{20BB7}".to_owned());
        let message = message(&request).unwrap();
        assert!(text(&message).contains("<Name>甲&lt;/Name&gt;&amp;\u{20BB7}</Name>"));
        let wire = message.envelope(SIGNATURE).unwrap();
        let mut found = None;
        let read = schemas::xml::leaves(&wire.body, Limits::default(), |path, text| {
            assert_eq!(path, "Envelope/Body/psCreditReportQueryReq/querymessage");
            found = Some(text.to_owned());
        });
        assert_eq!(read, Ok(()));
        assert_eq!(
            found.unwrap(),
            *message.trailed(&STANDARD.encode(SIGNATURE))
        );
    }

    #[test]
    fn every_field_that_does_not_fit_is_named_at_once_and_without_its_value() {
        let secret = |s: &str| Zeroizing::new(s.to_owned());
        let bad = InquiryRequest {
            product: "company_report".to_owned(),
            subject_name: secret(&"测".repeat(31)),
            id_type: "99".to_owned(),
            id_number: secret(" 1\n"),
            reason: "2".to_owned(),
            institution_code: "z99990000h0001".to_owned(),
            originator_code: "Z9999".to_owned(),
            user: String::new(),
            password: secret(""),
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
    fn an_enterprise_is_asked_for_by_d103_through_its_own_operation() {
        let service = Service::enterprise();
        let message = super::message(&enterprise(), &service).unwrap();
        let text = text(&message);
        assert_eq!(&text[48..52], "D103");
        for element in [
            "<EntName>样例精工机械有限公司</EntName>",
            "<EntCertType>20</EntCertType>",
            "<EntCertNum>91999900MA0000015N</EntCertNum>",
            "<QueryReason>01</QueryReason>",
            "<ServiceCode>FW_QYXYBG_0043</ServiceCode>",
        ] {
            assert!(text.contains(element), "{element}: {text}");
        }
        let read = Format::named("D103").unwrap();
        let fields = read
            .read(&text.as_bytes()[80..], Limits::default())
            .unwrap();
        assert_eq!(read.check(|tag| fields.get(tag)), []);
        let wire = message.envelope(SIGNATURE).unwrap();
        let body = std::str::from_utf8(&wire.body).unwrap();
        assert!(body.contains("<q:bsCreditReportQueryReq>"), "{body}");
        assert_eq!(wire.path, "/channel-query/ServiceAccept");
    }

    #[test]
    fn a_reason_is_of_the_list_in_force() {
        let mut service = Service::enterprise();
        for (reasons, reason, expected) in [
            ("2004", "01", None),
            (
                "2004",
                "10",
                Some("reason: of another list than the one in force"),
            ),
            ("2004-B", "10", None),
            (
                "2004-B",
                "01",
                Some("reason: of another list than the one in force"),
            ),
            ("2004-B", "22", Some("reason: not in the code list")),
        ] {
            service.reasons = reasons;
            let request = InquiryRequest {
                reason: reason.to_owned(),
                ..enterprise()
            };
            let refused = super::message(&request, &service).map(|_| ()).err();
            let found = refused.map(|error| error.fields);
            assert_eq!(
                found,
                expected.map(|it| vec![it.to_owned()]),
                "{reasons} {reason}"
            );
        }
    }

    #[test]
    fn a_product_is_never_asked_for_by_the_other_message() {
        let crossed = super::message(&enterprise(), &Service::personal());
        let fields = crossed.map(|_| ()).unwrap_err().fields;
        assert!(
            fields.contains(&"product: not offered".to_owned()),
            "{fields:?}"
        );
        assert!(super::message(&request(), &Service::enterprise()).is_err());
    }

    #[test]
    fn a_signature_that_has_no_room_is_not_sent() {
        let cases = [
            (0, Some("signature_empty")),
            (768, None),
            (769, Some("signature_too_long")),
        ];
        for (bytes, expected) in cases {
            let refused = sample().envelope(&vec![0; bytes]).map(|_| ()).err();
            assert_eq!(refused, expected, "{bytes} bytes");
        }
    }
}
