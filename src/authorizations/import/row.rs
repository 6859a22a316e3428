//! From a row of the file to an authorization, with all that is wrong at once.

use std::{collections::BTreeSet, collections::HashMap};

use csv::ByteRecord;
use jiff::{Timestamp, civil::Date};
use zeroize::Zeroizing;

use super::{
    Originals,
    finding::{self, Finding, Problem},
};
use crate::{
    authorizations::{
        Category, Kind, MAX_EVIDENCE_BYTES, NewAuthorization, PolicyVersion, Purpose, Validity,
        decision::malformed, service::word,
    },
    platform::{
        clock::{china_date, china_midnight},
        identity::{Document, Identity, SubjectKind},
        ids::{BureauId, PolicyId},
    },
};

/// The columns, all required, in any order.
pub const COLUMNS: [&str; 16] = [
    "external_ref",
    "kind",
    "subject_kind",
    "id_type",
    "id_number",
    "name",
    "bureaus",
    "purposes",
    "categories",
    "signed_at",
    "valid_from",
    "valid_until",
    "policy",
    "policy_version",
    "subjects_on_form",
    "evidence_file",
];

/// First days of the registered versions.
pub(super) type Policies = HashMap<(String, String), Date>;

/// Which column stands where.
pub(super) struct Columns(HashMap<&'static str, usize>);

impl Columns {
    /// Reads the header.
    pub(super) fn read(header: &ByteRecord) -> Result<Self, Vec<Finding>> {
        let mut places = HashMap::new();
        let mut findings = Vec::new();
        for (place, name) in header.iter().enumerate() {
            // Spreadsheets begin UTF-8 files with a byte order mark.
            let name = name.strip_prefix(b"\xef\xbb\xbf").unwrap_or(name);
            let known = COLUMNS
                .into_iter()
                .find(|it| it.as_bytes() == name.trim_ascii());
            match known {
                Some(name) if !places.contains_key(name) => {
                    places.insert(name, place);
                }
                _ => findings.push(problem(1, "", &finding::COLUMN_UNKNOWN)),
            }
        }
        let missing = COLUMNS.into_iter().filter(|it| !places.contains_key(it));
        findings.extend(missing.map(|name| problem(1, name, &finding::COLUMN_MISSING)));
        if findings.is_empty() {
            Ok(Self(places))
        } else {
            Err(findings)
        }
    }
}

/// What a row is read with.
pub(super) struct Reading<'a> {
    pub(super) columns: &'a Columns,
    pub(super) policies: &'a Policies,
    pub(super) originals: &'a dyn Originals,
    pub(super) now: Timestamp,
}

impl Reading<'_> {
    /// Reads a row, or says all that is wrong with it.
    pub(super) fn row(
        &self,
        line: u64,
        record: &ByteRecord,
    ) -> Result<NewAuthorization, Vec<Finding>> {
        if record.len() != self.columns.0.len() {
            return Err(vec![problem(line, "", &finding::ROW)]);
        }
        let mut row = Row {
            columns: self.columns,
            record,
            line,
            findings: Vec::new(),
        };
        let read = self.fields(&mut row);
        match read {
            Some(new) if row.findings.is_empty() => Ok(new),
            _ => Err(row.findings),
        }
    }

    /// `None` only with a finding.
    fn fields(&self, row: &mut Row<'_>) -> Option<NewAuthorization> {
        let external_ref = row.required("external_ref");
        if external_ref.is_some_and(|it| word("external_ref", it).is_err()) {
            row.fail("external_ref", &finding::REFERENCE);
        }
        let kind = row.parse("kind", Kind::named, &finding::KIND);
        let subject = self.subject(row);
        let bureaus: BTreeSet<BureauId> = row.list("bureaus", true, |it| {
            word("bureaus", it).is_ok().then(|| it.into())
        });
        let inquires = kind == Some(Kind::Inquire);
        let purposes = row.list("purposes", inquires, Purpose::named);
        let categories = row.list("categories", kind == Some(Kind::Provide), Category::named);
        let signed_at = row.parse("signed_at", time, &finding::TIME);
        if signed_at.is_some_and(|it| it > self.now) {
            row.fail("signed_at", &finding::FUTURE);
        }
        let validity = validity(row);
        let policy = self.policy(row, signed_at);
        let on_form = row.parse("subjects_on_form", |it| it.parse().ok(), &finding::SEVERAL);
        if on_form.is_some_and(|count: i64| count != 1) {
            row.fail("subjects_on_form", &finding::SEVERAL);
        }
        let evidence = self.evidence(row);
        let subject = subject?;
        Some(NewAuthorization {
            external_ref: external_ref?.to_owned(),
            signer: Some(subject.clone()),
            subject,
            kind: kind?,
            bureaus,
            purposes,
            categories,
            signed_at: Some(signed_at?),
            validity: validity?,
            policy: Some(policy?),
            subjects_on_form: on_form?,
            evidence: Some(evidence?),
        })
    }

    fn subject(&self, row: &mut Row<'_>) -> Option<Identity> {
        let kind = row.parse("subject_kind", SubjectKind::parse, &finding::SUBJECT_KIND);
        let id_type = row.required("id_type");
        let number = row.required("id_number");
        let name = row.required("name");
        let document = Document::parse(kind?, id_type?, number?, china_date(self.now));
        let document = match document {
            Ok(document) => document,
            Err(error) => {
                row.findings.push(Finding {
                    line: row.line,
                    field: "id_number",
                    code: error.code(),
                    wrong: malformed(error),
                    right: finding::DOCUMENT,
                });
                return None;
            }
        };
        match Identity::new(document, name?) {
            Ok(identity) => Some(identity),
            Err(_) => {
                row.fail("name", &finding::NAME);
                None
            }
        }
    }

    fn policy(&self, row: &mut Row<'_>, signed_at: Option<Timestamp>) -> Option<PolicyVersion> {
        let policy = row.required("policy");
        let version = row.required("policy_version");
        let (policy, version) = (policy?.to_owned(), version?.to_owned());
        let key = (policy, version);
        let first_day = self.policies.get(&key);
        let signed = signed_at.map(china_date);
        let in_force = first_day.is_some_and(|first| signed.is_none_or(|day| *first <= day));
        if !in_force {
            row.fail("policy_version", &finding::POLICY);
            return None;
        }
        let (policy, version) = key;
        Some(PolicyVersion {
            policy: PolicyId::from(policy),
            version,
        })
    }

    fn evidence(&self, row: &mut Row<'_>) -> Option<Zeroizing<Vec<u8>>> {
        let name = row.required("evidence_file")?;
        match self.originals.read(name) {
            Ok(bytes) if (1..=MAX_EVIDENCE_BYTES).contains(&bytes.len()) => Some(bytes),
            Ok(_) => {
                row.fail("evidence_file", &finding::EVIDENCE_SIZE);
                None
            }
            Err(_) => {
                row.fail("evidence_file", &finding::EVIDENCE_MISSING);
                None
            }
        }
    }
}

/// A row and what was found so far.
struct Row<'a> {
    columns: &'a Columns,
    record: &'a ByteRecord,
    line: u64,
    findings: Vec<Finding>,
}

impl<'a> Row<'a> {
    fn fail(&mut self, field: &'static str, what: &Problem) {
        self.findings.push(problem(self.line, field, what));
    }

    /// The text of a field without space around; empty where it is not UTF-8,
    /// with a finding.
    fn text(&mut self, field: &'static str) -> &'a str {
        let place = self.columns.0.get(field);
        let bytes = place
            .and_then(|place| self.record.get(*place))
            .unwrap_or_default();
        match std::str::from_utf8(bytes) {
            Ok(text) => text.trim(),
            Err(_) => {
                self.fail(field, &finding::UTF8);
                ""
            }
        }
    }

    fn required(&mut self, field: &'static str) -> Option<&'a str> {
        let found = self.findings.len();
        let text = self.text(field);
        if text.is_empty() {
            if found == self.findings.len() {
                self.fail(field, &finding::EMPTY);
            }
            return None;
        }
        Some(text)
    }

    fn parse<T>(
        &mut self,
        field: &'static str,
        read: impl Fn(&str) -> Option<T>,
        otherwise: &Problem,
    ) -> Option<T> {
        let value = read(self.required(field)?);
        if value.is_none() {
            self.fail(field, otherwise);
        }
        value
    }

    fn list<T: Ord>(
        &mut self,
        field: &'static str,
        required: bool,
        read: impl Fn(&str) -> Option<T>,
    ) -> BTreeSet<T> {
        let text = if required {
            self.required(field).unwrap_or_default()
        } else {
            self.text(field)
        };
        let names = text.split(';').map(str::trim).filter(|it| !it.is_empty());
        let values: Option<BTreeSet<T>> = names.map(read).collect();
        if values.is_none() || (values.as_ref().is_some_and(BTreeSet::is_empty) && text == ";") {
            self.fail(field, &finding::LIST);
        }
        values.unwrap_or_default()
    }
}

/// Two days, or none.
fn validity(row: &mut Row<'_>) -> Option<Validity> {
    let mut day = |field| {
        let text = row.text(field);
        if text.is_empty() {
            return Some(None);
        }
        let day = text.parse::<Date>().ok();
        if day.is_none() {
            row.fail(field, &finding::DATE);
        }
        day.map(Some)
    };
    let (from, until) = (day("valid_from"), day("valid_until"));
    match (from?, until?) {
        (None, None) => Some(Validity::WhileMember),
        (Some(from), Some(until)) if from <= until => Some(Validity::Days { from, until }),
        (Some(_), Some(_)) => {
            row.fail("valid_until", &finding::ORDER);
            None
        }
        _ => {
            row.fail("valid_until", &finding::ONE_DAY);
            None
        }
    }
}

/// A time with its offset, or a day at +08:00, which counts from its beginning:
/// that the original was stored before the inquiry is checked apart.
fn time(text: &str) -> Option<Timestamp> {
    let day = || text.parse::<Date>().ok().filter(|_| text.len() == 10);
    text.parse::<Timestamp>()
        .ok()
        .or_else(|| day().map(china_midnight))
}

pub(super) fn problem(line: u64, field: &'static str, what: &Problem) -> Finding {
    Finding {
        line,
        field,
        code: what.code,
        wrong: what.wrong,
        right: what.right,
    }
}
