//! The SOAP 1.1 envelope around a message.

use quick_xml::{
    NsReader,
    escape::partial_escape,
    events::Event,
    name::{Namespace, ResolveResult},
};

use crate::document::character;

/// The message in a request body, or what is wrong with the envelope.
pub(crate) fn read(body: &[u8]) -> Result<String, &'static str> {
    let text = std::str::from_utf8(body).map_err(|_| "not UTF-8")?;
    let mut reader = NsReader::from_str(text);
    let (mut depth, mut message) = (0, None);
    loop {
        let (namespace, event) = reader
            .read_resolved_event()
            .map_err(|_| "not well-formed")?;
        match event {
            Event::Start(start) => {
                let Some((expected, name)) = ENVELOPE.get(depth) else {
                    return Err("an element inside querymessage");
                };
                let right = match (expected, namespace) {
                    (Some(expected), ResolveResult::Bound(Namespace(found))) => *expected == found,
                    (None, ResolveResult::Unbound) => true,
                    _ => false,
                };
                if !right || start.local_name().into_inner() != *name || message.is_some() {
                    return Err("not Envelope, Body, psCreditReportQueryReq, querymessage");
                }
                depth += 1;
                if depth == ENVELOPE.len() {
                    message = Some(String::new());
                }
            }
            Event::End(_) => depth -= 1,
            Event::Text(part) if depth == ENVELOPE.len() => {
                // A literal line end counts as LF, whatever it was (XML 1.0, 2.11).
                message
                    .get_or_insert_default()
                    .push_str(&part.xml10_content());
            }
            Event::CData(part) if depth == ENVELOPE.len() => {
                message
                    .get_or_insert_default()
                    .push_str(&part.xml10_content());
            }
            Event::GeneralRef(name) if depth == ENVELOPE.len() => {
                message.get_or_insert_default().push(character(&name)?);
            }
            Event::Text(part) if part.trim().is_empty() => {}
            Event::Comment(_) | Event::Decl(_) => {}
            Event::Eof if depth == 0 => return message.ok_or("no querymessage"),
            _ => return Err("not an envelope"),
        }
    }
}

/// The reply with a message in it.
pub(crate) fn reply(message: &str) -> String {
    let message = partial_escape(message).replace('\r', "&#13;");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soap:Envelope xmlns:soap=\"{SOAP}\"><soap:Body>\
         <ns2:{OPERATION}Response xmlns:ns2=\"{QUERY}\"><return>{message}</return>\
         </ns2:{OPERATION}Response></soap:Body></soap:Envelope>"
    )
}

/// The reply to what is no request.
pub(crate) fn fault(reason: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soap:Envelope xmlns:soap=\"{SOAP}\"><soap:Body>\
         <soap:Fault><faultcode>soap:Client</faultcode><faultstring>{reason}</faultstring>\
         </soap:Fault></soap:Body></soap:Envelope>"
    )
}

const OPERATION: &str = "psCreditReportQueryReq";
const QUERY: &str = "http://ws.serviceaccept.ws.service.query.channel.pbccrc.org/";
const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";

/// Namespace and name of each element on the way to the message.
const ENVELOPE: [(Option<&str>, &str); 4] = [
    (Some(SOAP), "Envelope"),
    (Some(SOAP), "Body"),
    (Some(QUERY), OPERATION),
    (None, "querymessage"),
];

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = include_str!("../testdata/request-soap.xml");

    #[test]
    fn the_message_comes_out_as_it_was_put_in() {
        let message = read(REQUEST.as_bytes()).unwrap();
        assert!(message.starts_with("B2.0.0Z99990000H0001"));
        assert_eq!(&message[78..86], "\r\n<?xml ");
        assert!(message.ends_with("</Document>{S:U1lOVEhFVElDLURFVEFDSEVELVNJR05BVFVSRQ==:S}"));
    }

    #[test]
    fn another_envelope_is_no_request() {
        for (case, from, to) in [
            (
                "soap namespace",
                "schemas.xmlsoap.org/soap",
                "www.w3.org/2003/05/soap",
            ),
            ("operation namespace", "service.query", "service.other"),
            (
                "operation",
                "psCreditReportQueryReq",
                "bsCreditReportQueryReq",
            ),
            ("part", "querymessage", "message"),
            ("qualified part", "querymessage", "q:querymessage"),
            ("entity", "&#13;", "&cr;"),
            ("end", "</soapenv:Envelope>", ""),
        ] {
            assert!(
                read(REQUEST.replace(from, to).as_bytes()).is_err(),
                "{case}"
            );
        }
        let twice = REQUEST.replace("</querymessage>", "</querymessage><querymessage/>");
        assert!(read(twice.as_bytes()).is_err());
    }
}
