//! The SOAP 1.1 envelope around a message.

use quick_xml::{
    NsReader,
    escape::partial_escape,
    events::Event,
    name::{Namespace, ResolveResult},
};

use crate::document::{Asks, character};

/// What a request wants, by the name of its operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Operation {
    Ask(Asks),
    ChangePassword,
}

impl Operation {
    const ALL: [Self; 3] = [
        Self::Ask(Asks::Enterprise),
        Self::Ask(Asks::Person),
        Self::ChangePassword,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Ask(Asks::Enterprise) => "bsCreditReportQueryReq",
            Self::Ask(Asks::Person) => "psCreditReportQueryReq",
            Self::ChangePassword => "passwordModifReq",
        }
    }

    fn namespace(self) -> &'static str {
        match self {
            Self::Ask(_) => QUERY,
            Self::ChangePassword => PASSWORD,
        }
    }

    /// The part of the address under which it is taken.
    pub(crate) fn channel(self) -> &'static str {
        match self {
            Self::Ask(_) => "/channel-query/",
            Self::ChangePassword => "/channel-change-password/",
        }
    }

    /// Types of the message that it takes, and of the one that answers.
    pub(crate) fn kinds(self) -> (&'static str, &'static str) {
        match self {
            Self::Ask(Asks::Enterprise) => ("D103", "D104"),
            Self::Ask(Asks::Person) => ("D101", "D102"),
            Self::ChangePassword => ("L101", "L102"),
        }
    }
}

/// Operation and message of a request body, or what is wrong with the envelope.
pub(crate) fn read(body: &[u8]) -> Result<(Operation, String), &'static str> {
    let text = std::str::from_utf8(body).map_err(|_| "not UTF-8")?;
    let mut reader = NsReader::from_str(text);
    let (mut depth, mut message, mut operation) = (0, None, None);
    loop {
        let (namespace, event) = reader
            .read_resolved_event()
            .map_err(|_| "not well-formed")?;
        match event {
            Event::Start(start) => {
                let name = start.local_name();
                let found = match namespace {
                    ResolveResult::Bound(Namespace(found)) => Some(found),
                    ResolveResult::Unbound => None,
                    ResolveResult::Unknown(_) => return Err("an unknown prefix"),
                };
                let right = match (depth, found, name.into_inner()) {
                    (0, Some(SOAP), "Envelope") | (1, Some(SOAP), "Body") => true,
                    (2, Some(found), name) => {
                        let mut all = Operation::ALL.into_iter();
                        operation = all.find(|it| it.name() == name && it.namespace() == found);
                        operation.is_some()
                    }
                    (3, None, "querymessage") => true,
                    (DEPTH, ..) => return Err("an element inside querymessage"),
                    _ => false,
                };
                if !right || message.is_some() {
                    return Err("not Envelope, Body, an operation, querymessage");
                }
                depth += 1;
                if depth == DEPTH {
                    message = Some(String::new());
                }
            }
            Event::End(_) => depth -= 1,
            Event::Text(part) if depth == DEPTH => {
                // A literal line end counts as LF, whatever it was (XML 1.0, 2.11).
                message
                    .get_or_insert_default()
                    .push_str(&part.xml10_content());
            }
            Event::CData(part) if depth == DEPTH => {
                message
                    .get_or_insert_default()
                    .push_str(&part.xml10_content());
            }
            Event::GeneralRef(name) if depth == DEPTH => {
                message.get_or_insert_default().push(character(&name)?);
            }
            Event::Text(part) if part.trim().is_empty() => {}
            Event::Comment(_) | Event::Decl(_) => {}
            Event::Eof if depth == 0 => {
                return operation.zip(message).ok_or("no querymessage");
            }
            _ => return Err("not an envelope"),
        }
    }
}

/// The reply of an operation with a message in it.
pub(crate) fn reply(operation: Operation, message: &str) -> String {
    let (name, namespace) = (operation.name(), operation.namespace());
    let message = partial_escape(message).replace('\r', "&#13;");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soap:Envelope xmlns:soap=\"{SOAP}\"><soap:Body>\
         <ns2:{name}Response xmlns:ns2=\"{namespace}\"><return>{message}</return>\
         </ns2:{name}Response></soap:Body></soap:Envelope>"
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

const QUERY: &str = "http://ws.serviceaccept.ws.service.query.channel.pbccrc.org/";
const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";

const PASSWORD: &str = "http://serviceaccept.ws.service.pwd.channel.pbccrc.org/";

/// Elements on the way to the message.
const DEPTH: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = include_str!("../testdata/request-soap.xml");

    #[test]
    fn the_message_comes_out_as_it_was_put_in() {
        let (operation, message) = read(REQUEST.as_bytes()).unwrap();
        assert_eq!(operation, Operation::Ask(Asks::Person));
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
            ("operation", "psCreditReportQueryReq", "passwordModifReq"),
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
        let enterprise = REQUEST.replace("psCreditReportQueryReq", "bsCreditReportQueryReq");
        let (operation, _) = read(enterprise.as_bytes()).unwrap();
        assert_eq!(operation, Operation::Ask(Asks::Enterprise));
        let twice = REQUEST.replace("</querymessage>", "</querymessage><querymessage/>");
        assert!(read(twice.as_bytes()).is_err());
    }
}
