//! A person's identity document: its type in the bureau's list, and its number.

use jiff::civil::Date;

use super::{IdentError, ResidentId, Secret};

/// Codes of the bureau's list `ID_TYPE` (`pboc-query-personal/codes.tsv`).
pub const ID_TYPES: [&str; 12] = ["1", "10", "2", "20", "5", "6", "8", "9", "A", "B", "C", "X"];

/// A document type and a number that fits it.
///
/// Two of them are equal when both parts are; the type is never guessed from
/// the number, since several documents share one scheme.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct PersonId {
    kind: &'static str,
    number: Secret,
}

impl PersonId {
    /// Reads a document. A resident identity card (`10`) is checked as
    /// [`ResidentId`]; of other types only length (20, as the request has it)
    /// and characters are known.
    ///
    /// # Errors
    ///
    /// A type outside [`ID_TYPES`], or a number that does not fit.
    pub fn parse(id_type: &str, number: &str, today: Date) -> Result<Self, IdentError> {
        let kind = ID_TYPES
            .into_iter()
            .find(|t| *t == id_type)
            .ok_or(IdentError::Type)?;
        if kind == "10" {
            return ResidentId::parse(number, today).map(Self::from);
        }
        let number = Secret::number(number);
        if !(1..=20).contains(&number.chars().count()) {
            return Err(IdentError::Length);
        }
        let allowed = |c: char| c.is_alphanumeric() || matches!(c, '(' | ')' | '-' | '/');
        if !number.chars().all(allowed) {
            return Err(IdentError::Character);
        }
        Ok(Self { kind, number })
    }

    /// Code of the document type.
    #[must_use]
    pub fn id_type(&self) -> &'static str {
        self.kind
    }

    /// The number in clear.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.number
    }

    /// Partly hidden, for people who work on the case; see [`super::mask`].
    #[must_use]
    pub fn masked(&self) -> String {
        if self.kind == "10" {
            super::mask::resident_id(&self.number)
        } else {
            super::mask::document(&self.number)
        }
    }
}

impl From<ResidentId> for PersonId {
    fn from(id: ResidentId) -> Self {
        Self {
            kind: "10",
            number: Secret::number(id.expose()),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_types_are_those_of_the_bureaus_list() {
        let dictionary = crate::report::Dictionary::embedded("pboc-query-personal").unwrap();
        let list = dictionary.list("ID_TYPE").unwrap();
        let mut codes: Vec<_> = list.iter().map(|code| code.code).collect();
        codes.sort_unstable();
        assert_eq!(codes, ID_TYPES);
    }

    #[test]
    fn a_document_fits_its_type() {
        let today = date(2026, 3, 16);
        let cases = [
            (
                "resident card",
                "10",
                "99999919900101018x",
                Ok("99999919900101018X"),
            ),
            (
                "resident card, wrong",
                "10",
                "999999199001010017",
                Err(IdentError::Checksum),
            ),
            ("passport", "2", " e00000000", Ok("E00000000")),
            ("Hong Kong card", "A", "A000000（0）", Ok("A000000(0)")),
            ("unknown type", "77", "1", Err(IdentError::Type)),
            ("empty", "2", " ", Err(IdentError::Length)),
            (
                "too long",
                "2",
                "000000000000000000000",
                Err(IdentError::Length),
            ),
            ("mark-up", "2", "E0<0", Err(IdentError::Character)),
        ];
        for (name, id_type, number, expected) in cases {
            let parsed = PersonId::parse(id_type, number, today);
            let parsed = parsed.as_ref().map(PersonId::expose).map_err(|e| *e);
            assert_eq!(parsed, expected, "case {name}");
        }
    }
}
