//! Who a subject is: a document and the name on it.
//!
//! # Promise
//!
//! Both are checked and in normal form, so two spellings of one person compare
//! equal. Nothing of them shows in `Debug`, there is no `Display`, and memory is
//! wiped on drop. The text leaves only through `expose`.
//!
//! # What is not here
//!
//! Nothing stores or looks up: that is [`vault`](super::vault).
//!
//! # Failure
//!
//! [`IdentError`] names the defect, never the value.

use jiff::civil::Date;
use schemas::ident::{
    CreditCode, EnterpriseName, IdentError, LoanCardCode, OrganizationCode, PersonId, PersonName,
    mask,
};
use zeroize::Zeroizing;

use super::digest::sha256;

/// Natural person or enterprise.
#[derive(
    Clone, Copy, Debug, Eq, Hash, PartialEq, serde::Deserialize, serde::Serialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// An enterprise or another organization.
    Enterprise,
    /// A natural person.
    Person,
}

impl SubjectKind {
    /// As the database and the API spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enterprise => "enterprise",
            Self::Person => "person",
        }
    }

    /// The kind that is spelled so.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "enterprise" => Some(Self::Enterprise),
            "person" => Some(Self::Person),
            _ => None,
        }
    }
}

/// A document: what a subject is known and found by.
#[derive(Clone, Eq, PartialEq)]
pub struct Document {
    kind: SubjectKind,
    id_type: String,
    number: Zeroizing<String>,
}

impl Document {
    /// Checks a document of a person; `id_type` is one of the bureau's list
    /// (`10`: resident identity card). `today` is the date in China.
    ///
    /// # Errors
    ///
    /// A type outside the list, or a number that does not fit it.
    pub fn person(id_type: &str, number: &str, today: Date) -> Result<Self, IdentError> {
        let id = PersonId::parse(id_type, number, today)?;
        Ok(Self {
            kind: SubjectKind::Person,
            id_type: id.id_type().to_owned(),
            number: Zeroizing::new(id.expose().to_owned()),
        })
    }

    /// Checks a document of an enterprise: `10` 中征码, `20` unified social
    /// credit code, `30` organization code (the list of the enterprise records).
    ///
    /// # Errors
    ///
    /// A type outside the list, or a number that does not fit it.
    pub fn enterprise(id_type: &str, number: &str) -> Result<Self, IdentError> {
        let number = match id_type {
            "10" => LoanCardCode::parse(number)?.expose().to_owned(),
            "20" => CreditCode::parse(number)?.expose().to_owned(),
            "30" => OrganizationCode::parse(number)?.expose().to_owned(),
            _ => return Err(IdentError::Type),
        };
        Ok(Self {
            kind: SubjectKind::Enterprise,
            id_type: id_type.to_owned(),
            number: Zeroizing::new(number),
        })
    }

    /// Checks a document of either kind.
    ///
    /// # Errors
    ///
    /// A type outside the list of its kind, or a number that does not fit it.
    pub fn parse(
        kind: SubjectKind,
        id_type: &str,
        number: &str,
        today: Date,
    ) -> Result<Self, IdentError> {
        match kind {
            SubjectKind::Enterprise => Self::enterprise(id_type, number),
            SubjectKind::Person => Self::person(id_type, number, today),
        }
    }

    /// Person or enterprise.
    #[must_use]
    pub fn kind(&self) -> SubjectKind {
        self.kind
    }

    /// Code of the document type.
    #[must_use]
    pub fn id_type(&self) -> &str {
        &self.id_type
    }

    /// The number in clear: for the wire and for matching.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.number
    }

    /// The number, partly hidden, for people who work on the case.
    #[must_use]
    pub fn masked(&self) -> String {
        match (self.kind, self.id_type.as_str()) {
            (SubjectKind::Person, "10") => mask::resident_id(&self.number),
            _ => mask::document(&self.number),
        }
    }

    /// Kind, type and number, a line each: what the blind index and the name in
    /// audit entries are computed from.
    #[must_use]
    pub fn canonical(&self) -> Zeroizing<Vec<u8>> {
        lines(&[self.kind.as_str(), &self.id_type, &self.number])
    }

    /// SHA-256 of [`Document::canonical`]. It can be guessed from a list of
    /// people, so it is as personal as the document.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        sha256(&self.canonical())
    }
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Document(masked)")
    }
}

impl AsRef<Document> for Document {
    fn as_ref(&self) -> &Document {
        self
    }
}

/// A document and the name on it.
#[derive(Clone, Eq, PartialEq)]
pub struct Identity {
    document: Document,
    name: Zeroizing<String>,
}

impl Identity {
    /// Adds the name to a document; a person's and an enterprise's names are
    /// checked by rules of their own.
    ///
    /// # Errors
    ///
    /// A name of a wrong length, or with a character that no name has.
    pub fn new(document: Document, name: &str) -> Result<Self, IdentError> {
        let name = match document.kind {
            SubjectKind::Enterprise => EnterpriseName::parse(name)?.expose().to_owned(),
            SubjectKind::Person => PersonName::parse(name)?.expose().to_owned(),
        };
        Ok(Self {
            document,
            name: Zeroizing::new(name),
        })
    }

    /// A person by document and name.
    ///
    /// # Errors
    ///
    /// Those of the document, then those of the name.
    pub fn person(
        id_type: &str,
        number: &str,
        name: &str,
        today: Date,
    ) -> Result<Self, IdentError> {
        Self::new(Document::person(id_type, number, today)?, name)
    }

    /// An enterprise by unified social credit code and name.
    ///
    /// # Errors
    ///
    /// Those of the code, then those of the name.
    pub fn enterprise(code: &str, name: &str) -> Result<Self, IdentError> {
        Self::new(Document::enterprise("20", code)?, name)
    }

    /// The document alone.
    #[must_use]
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Person or enterprise.
    #[must_use]
    pub fn kind(&self) -> SubjectKind {
        self.document.kind
    }

    /// Code of the document type.
    #[must_use]
    pub fn id_type(&self) -> &str {
        &self.document.id_type
    }

    /// The number in clear: for the wire and for matching.
    #[must_use]
    pub fn expose_number(&self) -> &str {
        &self.document.number
    }

    /// The name in clear: for the wire and for matching.
    #[must_use]
    pub fn expose_name(&self) -> &str {
        &self.name
    }

    /// The name, partly hidden, for people who work on the case.
    #[must_use]
    pub fn masked_name(&self) -> String {
        mask::name(&self.name)
    }

    /// What the vault keeps sealed. No part can hold a line feed: all have
    /// been parsed.
    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        lines(&[
            self.kind().as_str(),
            self.id_type(),
            self.expose_number(),
            self.expose_name(),
        ])
    }

    /// The inverse of [`Identity::to_bytes`]; what was checked once is not
    /// checked again, so a rule that became stricter locks nobody out.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(bytes).ok()?.split_terminator('\n');
        let document = Document {
            kind: SubjectKind::parse(parts.next()?)?,
            id_type: parts.next()?.to_owned(),
            number: Zeroizing::new(parts.next()?.to_owned()),
        };
        let name = Zeroizing::new(parts.next()?.to_owned());
        parts.next().is_none().then_some(Self { document, name })
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(masked)")
    }
}

impl AsRef<Document> for Identity {
    fn as_ref(&self) -> &Document {
        &self.document
    }
}

/// Each part and a line feed, in memory that is never moved and is wiped.
fn lines(parts: &[&str]) -> Zeroizing<Vec<u8>> {
    let length = parts.iter().map(|part| part.len() + 1).sum();
    let mut bytes = Zeroizing::new(Vec::with_capacity(length));
    for part in parts {
        bytes.extend_from_slice(part.as_bytes());
        bytes.push(b'\n');
    }
    bytes
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn person(number: &str, name: &str) -> Result<Identity, IdentError> {
        Identity::person("10", number, name, date(2026, 11, 24))
    }

    #[test]
    fn one_person_spelled_twice_is_one_identity() {
        let plain = person("99999919900101018X", "阿依·样本").unwrap();
        let other = person(" 99999919900101018ｘ", "阿依•样本 ").unwrap();
        assert_eq!(plain, other);
        assert_eq!(
            plain.document().canonical().as_slice(),
            b"person\n10\n99999919900101018X\n"
        );
    }

    #[test]
    fn a_person_and_an_enterprise_are_checked_by_their_own_rules() {
        use IdentError::{Character, Checksum, Type};
        let today = date(2026, 11, 24);
        let cases = [
            (
                "person",
                Identity::person("10", "999999199001010016", "测试甲", today),
                None,
            ),
            (
                "checksum",
                person("999999199001010017", "测试甲"),
                Some(Checksum),
            ),
            (
                "digit in a name",
                person("999999199001010016", "测试1"),
                Some(Character),
            ),
            (
                "unknown type",
                Identity::person("77", "1", "测试甲", today),
                Some(Type),
            ),
            (
                "enterprise",
                Identity::enterprise("91999999000000019D", "测试样本1有限公司"),
                None,
            ),
            (
                "enterprise check",
                Identity::enterprise("91999999000000019C", "测试样本有限公司"),
                Some(Checksum),
            ),
        ];
        for (name, made, expected) in cases {
            assert_eq!(made.err(), expected, "case {name}");
        }
    }

    #[test]
    fn what_the_vault_keeps_is_read_back_and_nothing_shows() {
        let one = person("999999199001010016", "测试甲").unwrap();
        let again = Identity::from_bytes(&one.to_bytes()).unwrap();
        assert_eq!(one, again);
        assert_eq!(format!("{one:?}"), "Identity(masked)");
        assert_eq!(format!("{:?}", one.document()), "Document(masked)");
        assert_eq!(one.masked_name(), "测**");
        assert_eq!(one.document().masked(), "9****************6");
        assert!(Identity::from_bytes(b"person\n10\n1\n").is_none());
        assert!(Identity::from_bytes(b"person\n10\n1\nx\ny\n").is_none());
    }
}
