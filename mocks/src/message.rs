//! The mock's own reading of a message: header line, document, signature.
//!
//! Nothing is shared with the adapters, so that a misreading on their side meets
//! a refusal here instead of agreement.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::civil::{Date, DateTime};
use sm2::dsa::{Signature, VerifyingKey, signature::Verifier as _};

use crate::document::{Asks, Change, Fields};

/// A defect for which the bureau's table has no code; answered under the mock's
/// own code, since what the bureau says is not public.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Defect {
    Document(&'static str),
    Header(&'static str),
    Signature(&'static str),
}

impl Defect {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Header(_) => "MOCK01",
            Self::Document(_) => "MOCK02",
            Self::Signature(_) => "MOCK03",
        }
    }

    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Document(reason) | Self::Header(reason) | Self::Signature(reason) => reason,
        }
    }
}

/// The parts of a message on the wire.
pub(crate) struct Parts<'a> {
    pub(crate) header: Header<'a>,
    document: &'a str,
    /// What the signature covers: all before it.
    signed: &'a str,
    signature: &'a str,
}

/// The header line's fields.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Header<'a> {
    pub(crate) sender: &'a str,
    pub(crate) message_id: &'a str,
}

impl<'a> Parts<'a> {
    /// The parts of a message of type `kind`.
    pub(crate) fn split(message: &'a str, kind: &str) -> Result<Self, Defect> {
        let header = Header::read(message, kind)?;
        let (signed, signature) = message
            .rsplit_once("{S:")
            .and_then(|(signed, rest)| Some((signed, rest.strip_suffix(":S}")?)))
            .ok_or(Defect::Signature("no {S:...:S} at the end"))?;
        let document = signed
            .get(HEADER_CHARS..)
            .ok_or(Defect::Header("shorter than 80 characters"))?;
        Ok(Self {
            header,
            document,
            signed,
            signature,
        })
    }

    /// Checks that there is a signature, and against the key if there is one.
    pub(crate) fn verify(&self, key: Option<&VerifyingKey>) -> Result<(), Defect> {
        let bytes = BASE64_STANDARD
            .decode(self.signature)
            .map_err(|_| Defect::Signature("the signature is not Base64"))?;
        let Some(key) = key else { return Ok(()) };
        // 64 bytes are r and s; a DER sequence of the two has at least 68 in practice.
        let signature = match bytes.len() {
            64 => Signature::from_slice(&bytes),
            _ => Signature::from_der(&bytes),
        };
        let signature =
            signature.map_err(|_| Defect::Signature("neither 64 bytes nor a DER sequence"))?;
        key.verify(self.signed.as_bytes(), &signature)
            .map_err(|_| Defect::Signature("the signature does not fit header and document"))
    }

    /// Reads the document: the ten elements of D101 or D103, in order, and
    /// nothing else.
    pub(crate) fn fields(&self, asks: Asks) -> Result<Fields, Defect> {
        Fields::read(self.document, asks).map_err(Defect::Document)
    }

    /// Reads the document of L101.
    pub(crate) fn change(&self) -> Result<Change, Defect> {
        Change::read(self.document).map_err(Defect::Document)
    }
}

impl<'a> Header<'a> {
    /// 80 characters at fixed positions; one known client fills the last two
    /// with zeros instead of CR LF.
    fn read(message: &'a str, kind: &str) -> Result<Self, Defect> {
        let line = message.get(..HEADER_CHARS).filter(|line| line.is_ascii());
        let line = line.ok_or(Defect::Header("shorter than 80 characters"))?;
        let rule = |holds: bool, reason| {
            if holds {
                Ok(())
            } else {
                Err(Defect::Header(reason))
            }
        };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let organization = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        };

        rule(&line[..1] == "B", "1: not B")?;
        rule(&line[1..6] == "2.0.0", "2-6: version is not 2.0.0")?;
        rule(
            organization(&line[6..20]),
            "7-20: sender is no institution code",
        )?;
        rule(&line[20..34] == CENTER, "21-34: receiver is not the center")?;
        rule(
            digits(&line[34..48]) && DateTime::strptime("%Y%m%d%H%M%S", &line[34..48]).is_ok(),
            "35-48: time is not yyyyMMddHHmmss",
        )?;
        rule(
            &line[48..52] == kind,
            "49-52: not the type of the operation",
        )?;
        rule(
            digits(&line[52..68]) && Date::strptime("%Y%m%d", &line[52..60]).is_ok(),
            "53-68: identifier is not a date and eight digits",
        )?;
        rule(
            &line[68..78] == "0000000000",
            "69-78: reserved is not zeros",
        )?;
        rule(matches!(&line[78..], "\r\n" | "00"), "79-80: not CR LF")?;
        Ok(Self {
            sender: &line[6..20],
            message_id: &line[52..68],
        })
    }
}

/// The identifier of a message of which perhaps only the beginning arrived.
pub(crate) fn message_id_in(bytes: &[u8]) -> Option<String> {
    let at = bytes
        .windows(CENTER.len())
        .position(|window| window == CENTER.as_bytes())?;
    let id = bytes.get(at + 32..at + 48)?;
    let id = id.iter().all(u8::is_ascii_digit).then_some(id)?;
    String::from_utf8(id.to_vec()).ok()
}

/// The centre's institution code (interface.md, section 1).
pub(crate) const CENTER: &str = "B0000000000001";

/// The header line with its line end.
const HEADER_CHARS: usize = 80;

#[cfg(test)]
mod tests {
    use sm2::{
        SecretKey,
        dsa::{SigningKey, signature::Signer as _},
        elliptic_curve::Generate as _,
        pkcs8::DecodePublicKey as _,
    };

    use super::*;
    use crate::document::tests::DOCUMENT;

    const HEADER: &str =
        "B2.0.0Z99990000H0001B000000000000120260316100500D10120260316000000010000000000\r\n";
    fn message(header: &str, document: &str) -> String {
        format!("{header}{document}{{S:AAAA:S}}")
    }

    #[test]
    fn a_right_message_gives_its_fields() {
        let message = message(HEADER, DOCUMENT);
        let parts = Parts::split(&message, "D101").unwrap();
        assert_eq!(parts.header.sender, "Z99990000H0001");
        assert_eq!(parts.header.message_id, "2026031600000001");
        let fields = parts.fields(Asks::Person).unwrap();
        assert_eq!(
            (fields.name.as_str(), fields.id_type.as_str()),
            ("测试乙&", "10")
        );
        assert_eq!(fields.service, "FW_GRXYBG_0074");
    }

    #[test]
    fn every_position_of_the_header_line_is_checked() {
        for (from, wrong) in [
            (0, "A"),
            (1, "1.0.0"),
            (6, "z"),
            (20, "B0000000000002"),
            (34, "20261316100500"),
            (34, "2026031610050a"),
            (48, "D103"),
            (52, "20260230"),
            (60, " "),
            (68, "1"),
            (78, "\n\r"),
        ] {
            let mut header = HEADER.to_owned();
            header.replace_range(from..from + wrong.len(), wrong);
            let message = message(&header, DOCUMENT);
            let defect = Parts::split(&message, "D101").err().map(Defect::code);
            assert_eq!(defect, Some("MOCK01"), "{wrong} at {from}");
        }
        let lost_carriage_return = message(&HEADER.replace('\r', ""), DOCUMENT);
        assert!(Parts::split(&lost_carriage_return, "D101").is_err());
    }

    #[test]
    fn the_signature_covers_header_and_document() {
        let secret = SecretKey::generate();
        let signer = SigningKey::new("1234567812345678", &secret).unwrap();
        let key = signer.verifying_key();
        let signed = format!("{HEADER}{DOCUMENT}");
        let signature: Signature = signer.sign(signed.as_bytes());
        let raw = BASE64_STANDARD.encode(signature.to_bytes());
        let der = BASE64_STANDARD.encode(signature.to_der().as_bytes());
        let judge = |message: String| Parts::split(&message, "D101")?.verify(Some(key));

        assert_eq!(judge(format!("{signed}{{S:{raw}:S}}")), Ok(()));
        assert_eq!(judge(format!("{signed}{{S:{der}:S}}")), Ok(()));
        for (case, message) in [
            (
                "header changed",
                format!(
                    "{}{{S:{raw}:S}}",
                    signed.replace("2026031600000001", "2026031600000002")
                ),
            ),
            (
                "document changed",
                format!("{}{{S:{raw}:S}}", signed.replace(">02<", ">01<")),
            ),
            ("unsigned", format!("{signed}{{S::S}}")),
            ("not Base64", format!("{signed}{{S:?:S}}")),
            ("other end", format!("{signed}{{S:{raw}}}\r\n")),
            ("none", signed.clone()),
        ] {
            assert!(
                matches!(judge(message), Err(Defect::Signature(_))),
                "{case}"
            );
        }
    }

    #[test]
    fn openssl_signs_what_we_verify() {
        // openssl genpkey -algorithm SM2, then pkeyutl -sign -rawin -digest sm3
        // -pkeyopt distid:1234567812345678 (OpenSSL 3.0.19).
        let key = "-----BEGIN PUBLIC KEY-----\n\
            MFkwEwYHKoZIzj0CAQYIKoEcz1UBgi0DQgAE8CV+gVW4UcfJ2bW8cgtliu7XaVxY\n\
            aGQhE2h0q3xCFGCZZZhOfcEmN8oUGMwK5R+vIwH5vrjIj7E7dSfYuixKSg==\n\
            -----END PUBLIC KEY-----\n";
        let signature = "MEUCIFdOpVUXP+KkC0UJ6Tn2rOiw76okwagOBHoUQfYSJQTVAiEApGA4SpMqPfLdPX3e\
            ivfnUlXDctW+bf5K36WZptDbSOA=";
        let key = sm2::PublicKey::from_public_key_pem(key).unwrap();
        let key = VerifyingKey::new("1234567812345678", key).unwrap();
        let header = Header {
            sender: "",
            message_id: "",
        };
        let signed = "B2.0.0 signed by another hand\r\n";
        let parts = Parts {
            header,
            document: "",
            signed,
            signature,
        };
        assert_eq!(parts.verify(Some(&key)), Ok(()));
    }

    #[test]
    fn a_cut_request_gives_its_identifier_once_the_header_line_is_there() {
        let bytes = message(HEADER, DOCUMENT).into_bytes();
        assert_eq!(
            message_id_in(&bytes[..68]).as_deref(),
            Some("2026031600000001")
        );
        assert_eq!(message_id_in(&bytes[..67]), None);
        assert_eq!(message_id_in(b""), None);
    }
}
