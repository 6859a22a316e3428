//! One folder of tables, embedded or read from disk.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::Path;

use super::EditionError;
use crate::table::TableError;

/// The tables of a folder; each file is `<name>.tsv`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sheet {
    Classified,
    Codes,
    Conflicts,
    Cures,
    Edition,
    Errors,
    Forbidden,
    Items,
    Negative,
    Readings,
    Records,
    Restricted,
    Roles,
    Rules,
    Segments,
    Sources,
}

/// The texts of one folder.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    files: Vec<(Sheet, String, Cow<'static, str>)>,
}

impl Sheet {
    pub(super) const ALL: [Self; 16] = [
        Self::Classified,
        Self::Codes,
        Self::Conflicts,
        Self::Cures,
        Self::Edition,
        Self::Errors,
        Self::Forbidden,
        Self::Items,
        Self::Negative,
        Self::Readings,
        Self::Records,
        Self::Restricted,
        Self::Roles,
        Self::Rules,
        Self::Segments,
        Self::Sources,
    ];

    pub(super) fn file_name(self) -> &'static str {
        match self {
            Self::Classified => "classified.tsv",
            Self::Codes => "codes.tsv",
            Self::Conflicts => "conflicts.tsv",
            Self::Cures => "cures.tsv",
            Self::Edition => "edition.tsv",
            Self::Errors => "errors.tsv",
            Self::Forbidden => "forbidden.tsv",
            Self::Items => "items.tsv",
            Self::Negative => "negative.tsv",
            Self::Readings => "readings.tsv",
            Self::Records => "records.tsv",
            Self::Restricted => "restricted.tsv",
            Self::Roles => "roles.tsv",
            Self::Rules => "rules.tsv",
            Self::Segments => "segments.tsv",
            Self::Sources => "sources.tsv",
        }
    }

    /// Columns that must and that may stand in the table.
    pub(super) fn columns(self) -> (&'static [&'static str], &'static [&'static str]) {
        const PROVENANCE: &[&str] = &["source", "confidence"];
        match self {
            Self::Classified => (
                &["rule", "record", "code", "tags", "kind", "by", "zh", "en"],
                PROVENANCE,
            ),
            Self::Codes => (&["list", "code", "zh", "en"], PROVENANCE),
            Self::Conflicts => (&["conflict", "readings", "zh", "en"], PROVENANCE),
            Self::Cures => (&["cure", "zh", "en"], &[]),
            Self::Edition => (&["key", "value"], &[]),
            Self::Errors => (&["code", "record", "rule", "stage", "zh", "en"], PROVENANCE),
            Self::Items => (
                &[
                    "record",
                    "path",
                    "tag",
                    "zh",
                    "en",
                    "kind",
                    "length",
                    "codes",
                    "tag_when",
                    "tag_code",
                    "tag_forbidden_when",
                    "tag_forbidden_code",
                    "value_when",
                    "value_code",
                    "type_code",
                ],
                PROVENANCE,
            ),
            Self::Forbidden => (&["how", "name", "category", "zh", "en"], PROVENANCE),
            Self::Negative => (
                &["rule", "record", "item", "condition", "zh", "en"],
                PROVENANCE,
            ),
            Self::Readings => (
                &[
                    "conflict", "reading", "rule", "record", "when", "must", "code", "tags",
                ],
                &["note"],
            ),
            Self::Records => (&["code", "element", "zh", "en"], PROVENANCE),
            Self::Restricted => (&["record", "path", "category", "zh", "en"], PROVENANCE),
            Self::Roles => (
                &[
                    "record",
                    "role",
                    "family",
                    "category",
                    "key",
                    "new_key",
                    "subject",
                    "account_type",
                    "report_date",
                    "report_code",
                    "opens",
                    "month",
                    "range",
                    "status",
                    "closed",
                    "segment",
                    "marks",
                    "event",
                ],
                PROVENANCE,
            ),
            Self::Rules => (
                &["rule", "record", "when", "must", "code", "tags"],
                &["note"],
            ),
            Self::Segments => (
                &[
                    "record",
                    "path",
                    "zh",
                    "en",
                    "max",
                    "counter",
                    "required_when",
                    "required_code",
                    "forbidden_when",
                    "forbidden_code",
                ],
                PROVENANCE,
            ),
            Self::Sources => (&["id", "source"], &[]),
        }
    }
}

impl Layer {
    /// Reads every table of a folder. A `.tsv` file of another name is an error, since nothing
    /// would read it.
    pub(super) fn read(folder: &Path) -> Result<Self, EditionError> {
        let failed = |source| EditionError::File {
            file: folder.to_owned(),
            source,
        };
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let name = name.to_string_lossy();
            if name.ends_with(".tsv") && !Sheet::ALL.iter().any(|s| s.file_name() == name) {
                return Err(EditionError::Tables(vec![TableError {
                    file: folder.join(&*name).display().to_string(),
                    line: 1,
                    column: String::new(),
                    problem: "no table of this name is known".to_owned(),
                }]));
            }
        }
        let mut files = Vec::new();
        for sheet in Sheet::ALL {
            let file = folder.join(sheet.file_name());
            match std::fs::read_to_string(&file) {
                Ok(text) => files.push((sheet, file.display().to_string(), Cow::Owned(text))),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(source) => return Err(EditionError::File { file, source }),
            }
        }
        Ok(Self { files })
    }

    /// Name and text of a table, where the folder has it.
    pub(super) fn file(&self, sheet: Sheet) -> Option<(&str, &str)> {
        let found = self.files.iter().find(|(known, ..)| *known == sheet);
        found.map(|(_, name, text)| (name.as_str(), &**text))
    }
}

macro_rules! embedded {
    ($folder:literal) => {{
        let text = |sheet| match sheet {
            Sheet::Classified => include_str!(concat!("../../", $folder, "/classified.tsv")),
            Sheet::Codes => include_str!(concat!("../../", $folder, "/codes.tsv")),
            Sheet::Conflicts => include_str!(concat!("../../", $folder, "/conflicts.tsv")),
            Sheet::Cures => include_str!(concat!("../../", $folder, "/cures.tsv")),
            Sheet::Edition => include_str!(concat!("../../", $folder, "/edition.tsv")),
            Sheet::Errors => include_str!(concat!("../../", $folder, "/errors.tsv")),
            Sheet::Forbidden => include_str!(concat!("../../", $folder, "/forbidden.tsv")),
            Sheet::Items => include_str!(concat!("../../", $folder, "/items.tsv")),
            Sheet::Negative => include_str!(concat!("../../", $folder, "/negative.tsv")),
            Sheet::Readings => include_str!(concat!("../../", $folder, "/readings.tsv")),
            Sheet::Records => include_str!(concat!("../../", $folder, "/records.tsv")),
            Sheet::Restricted => include_str!(concat!("../../", $folder, "/restricted.tsv")),
            Sheet::Roles => include_str!(concat!("../../", $folder, "/roles.tsv")),
            Sheet::Rules => include_str!(concat!("../../", $folder, "/rules.tsv")),
            Sheet::Segments => include_str!(concat!("../../", $folder, "/segments.tsv")),
            Sheet::Sources => include_str!(concat!("../../", $folder, "/sources.tsv")),
        };
        let file = |sheet: Sheet| {
            let name = format!("{}/{}", $folder, sheet.file_name());
            (sheet, name, Cow::Borrowed(text(sheet)))
        };
        Layer {
            files: Sheet::ALL.map(file).into(),
        }
    }};
}

/// Enterprise records as submitted to the financial credit database, second generation.
pub(super) fn enterprise_2020() -> Layer {
    embedded!("pboc-submit-enterprise/2020-01-19")
}

/// Personal records as submitted to the financial credit database, second generation.
pub(super) fn personal_2020() -> Layer {
    embedded!("pboc-submit-personal/2020-01-19")
}
