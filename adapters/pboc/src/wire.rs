//! What every message of the dialect shares: header line, XML, signature, SOAP
//! envelope, and the exchange that carries it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::{Conversation, Failure, Happened, Step, WireReply, WireRequest};
use jiff::{Timestamp, tz::Offset};
use schemas::message::{Interface, Message as Format};
use sm3::{Digest, Sm3};
use zeroize::Zeroizing;

use crate::{escape, response};

/// Institution code of the centre (S2, S5; high).
pub(crate) const CENTRE: &str = "B0000000000001";

/// Base64 characters of a signature that a message has room for (S2; high).
const MAX_SIGNATURE: usize = 1024;

/// Where a kind of message is taken in, below the base address of an
/// environment, `.../v2/prod` (S2, S6; medium).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Door {
    pub(crate) path: &'static str,
    pub(crate) namespace: &'static str,
    pub(crate) operation: &'static str,
}

impl Door {
    const fn query(operation: &'static str) -> Self {
        Self {
            path: "/channel-query/ServiceAccept",
            namespace: "http://ws.serviceaccept.ws.service.query.channel.pbccrc.org/",
            operation,
        }
    }

    /// The door of an inquiry.
    pub(crate) fn of(interface: Interface) -> Self {
        match interface {
            Interface::Enterprise => Self::query("bsCreditReportQueryReq"),
            Interface::Personal => Self::query("psCreditReportQueryReq"),
        }
    }

    /// The door of a change of password.
    pub(crate) const PASSWORD: Self = Self {
        path: "/channel-change-password/ServiceAccept",
        namespace: "http://serviceaccept.ws.service.pwd.channel.pbccrc.org/",
        operation: "passwordModifReq",
    };

    /// The door of a question for the state of a batch file (pairing of
    /// operation and message: low).
    pub(crate) const STATE: Self = Self::query("statusQueryReq");
}

/// Header line and XML: what the signature covers.
pub(crate) struct Message {
    door: Door,
    text: Zeroizing<String>,
}

/// What a header line is made of, beside the type.
pub(crate) struct Sender<'a> {
    pub(crate) institution_code: &'a str,
    pub(crate) serial: u32,
    pub(crate) at: Timestamp,
}

impl Message {
    /// The message of a format, with the values that `value` gives for its tags.
    pub(crate) fn compose<'v>(
        door: Door,
        format: &Format,
        sender: &Sender<'_>,
        value: impl Fn(&str) -> Option<&'v str>,
    ) -> Self {
        // File and message dates are fixed to the centre's time.
        let at = Offset::constant(8).to_datetime(sender.at);
        let mut text = Zeroizing::new(String::with_capacity(2048));
        text.push_str(&format!(
            "B2.0.0{}{CENTRE}{}{}{}{:010}\r\n",
            sender.institution_code,
            at.strftime("%Y%m%d%H%M%S"),
            format.name(),
            message_id(sender.serial, sender.at),
            0,
        ));
        document(&mut text, format, Layout::Indented, value);
        Self { door, text }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    pub(crate) fn trailed(&self, signature: &str) -> Zeroizing<String> {
        let length = self.text.len() + signature.len() + 6;
        let mut signed = Zeroizing::new(String::with_capacity(length));
        for part in [&self.text, "{S:", signature, ":S}"] {
            signed.push_str(part);
        }
        signed
    }

    /// The signed message in its envelope. The signature stays as the signer
    /// made it: raw, DER and PKCS#7 all occur (`README.md`).
    ///
    /// The error is the cause of a failure before sending.
    pub(crate) fn envelope(&self, signature: &[u8]) -> Result<WireRequest, &'static str> {
        if signature.is_empty() {
            return Err("signature_empty");
        }
        let signature = STANDARD.encode(signature);
        if signature.len() > MAX_SIGNATURE {
            return Err("signature_too_long");
        }
        let signed = self.trailed(&signature);
        let Door {
            path,
            namespace,
            operation,
        } = self.door;
        // Escaping adds less than a half to these messages.
        let mut body = Zeroizing::new(String::with_capacity(signed.len() * 3 / 2 + 1024));
        body.push_str(&format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns:q=\"{namespace}\">\n \
             <soapenv:Body>\n  \
             <q:{operation}>\n   \
             <querymessage>"
        ));
        escape::escape_into(&mut body, &signed);
        body.push_str(&format!(
            "</querymessage>\n  \
             </q:{operation}>\n \
             </soapenv:Body>\n\
             </soapenv:Envelope>\n"
        ));
        Ok(WireRequest {
            path: path.to_owned(),
            headers: vec![
                ("content-type", "text/xml; charset=utf-8".to_owned()),
                ("soapaction", "\"\"".to_owned()),
            ],
            body: Zeroizing::new(std::mem::take(&mut *body).into_bytes()),
            reply_limit_bytes: response::MAX_REPLY_BYTES,
        })
    }
}

/// How a document is written.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Layout {
    /// As the samples of messages: an element a line.
    Indented,
    /// On one line: a record of a batch file.
    Line,
}

/// Appends the XML of a format.
pub(crate) fn document<'v>(
    text: &mut String,
    format: &Format,
    layout: Layout,
    value: impl Fn(&str) -> Option<&'v str>,
) {
    let line = |text: &mut String, indent: &str| {
        if layout == Layout::Indented {
            text.push('\n');
            text.push_str(indent);
        }
    };
    text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    line(text, "");
    text.push_str("<Document>");
    let mut group = "";
    for element in format.elements() {
        let above = element.path.split('/').nth(1).unwrap_or_default();
        if above != group {
            if !group.is_empty() {
                line(text, " ");
                text.push_str(&format!("</{group}>"));
            }
            line(text, " ");
            text.push_str(&format!("<{above}>"));
            group = above;
        }
        line(text, "  ");
        text.push_str(&format!("<{}>", element.tag));
        escape::escape_into(text, value(element.tag).unwrap_or_default());
        text.push_str(&format!("</{}>", element.tag));
    }
    if !group.is_empty() {
        line(text, " ");
        text.push_str(&format!("</{group}>"));
    }
    line(text, "");
    text.push_str("</Document>");
}

/// The message identifier: the centre's day and eight digits.
pub(crate) fn message_id(serial: u32, at: Timestamp) -> String {
    let day = Offset::constant(8).to_datetime(at);
    format!("{}{serial:08}", day.strftime("%Y%m%d"))
}

/// Lower case: the samples have it, one client writes capitals.
pub(crate) fn sm3_hex(bytes: &[u8]) -> Zeroizing<String> {
    let digits = Sm3::digest(bytes);
    Zeroizing::new(digits.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What no table of elements can say of a header line.
pub(crate) fn check_sender(sender: &Sender<'_>, mut must: impl FnMut(bool, &str, &str)) {
    must(
        sender.serial < 100_000_000,
        "serial",
        "longer than 8 digits",
    );
    let year = Offset::constant(8).to_datetime(sender.at).year();
    must(
        (2000..=9999).contains(&year),
        "at",
        "not a year of this century or later",
    );
}

/// Whether a code fits a header line of fixed widths, where a byte must be a
/// character.
pub(crate) fn is_plain(code: &str) -> bool {
    let mut bytes = code.bytes();
    bytes.all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// What is made of a whole reply.
type Read<O> = Box<dyn FnOnce(WireReply) -> O + Send>;

/// One exchange: sign, send, read. It sends once and never again.
pub(crate) struct Exchange<O> {
    state: State,
    read: Option<Read<O>>,
}

enum State {
    /// Composed, nothing asked for yet.
    Unsigned(Message),
    /// Waiting for the signature.
    Signing(Message),
    /// On the line; the bureau may act from here on.
    Sent,
    Over,
}

impl<O> Exchange<O> {
    pub(crate) fn new(
        message: Message,
        read: impl FnOnce(WireReply) -> O + Send + 'static,
    ) -> Self {
        Self {
            state: State::Unsigned(message),
            read: Some(Box::new(read)),
        }
    }
}

impl<O: From<Failure>> Conversation<O> for Exchange<O> {
    fn next(&mut self, last: Option<Happened>) -> Step<O> {
        match (std::mem::replace(&mut self.state, State::Over), last) {
            (State::Unsigned(message), None) => {
                let bytes = Zeroizing::new(message.as_bytes().to_vec());
                self.state = State::Signing(message);
                Step::Sign { bytes }
            }
            (State::Signing(message), Some(Happened::Signed(signature))) => {
                match message.envelope(&signature) {
                    Ok(request) => {
                        self.state = State::Sent;
                        Step::Http(request)
                    }
                    Err(cause) => not_sent(cause),
                }
            }
            // A signer that may have signed has sent nothing to the bureau.
            (State::Signing(_), Some(Happened::Failed(failure))) => match failure {
                Failure::NotSent { cause } | Failure::Unknown { cause } => not_sent(cause),
            },
            (State::Unsigned(_) | State::Signing(_), _) => not_sent("out_of_turn"),
            (State::Sent, Some(Happened::Replied(reply))) => match self.read.take() {
                Some(read) => Step::Done(read(reply)),
                None => unknown("out_of_turn"),
            },
            (State::Sent, Some(Happened::Failed(failure))) => Step::Done(failure.into()),
            (State::Sent | State::Over, _) => unknown("out_of_turn"),
        }
    }
}

fn not_sent<O: From<Failure>>(cause: &'static str) -> Step<O> {
    Step::Done(Failure::NotSent { cause }.into())
}

fn unknown<O: From<Failure>>(cause: &'static str) -> Step<O> {
    Step::Done(Failure::Unknown { cause }.into())
}
