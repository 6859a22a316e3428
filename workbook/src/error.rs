//! Why a file is no workbook that can be read.

/// Why a file is no workbook that can be read. No text quotes what is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BookError {
    /// It is no Office Open XML workbook, or one cut short.
    #[error("{part} is not as a workbook should be: {problem}; save the file as .xlsx once more")]
    Broken {
        /// The part.
        part: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// It is an old `.xls` file, or protected by a password.
    #[error(
        "the file is in the old .xls form or protected by a password; save it as .xlsx without one"
    )]
    Compound,
    /// A part of it declares a document type or an entity, which no workbook needs.
    #[error("{part} declares or uses entities, which are not allowed")]
    Entity {
        /// The part.
        part: String,
    },
    /// It cannot be read.
    #[error("the file cannot be read")]
    Io(#[source] std::io::Error),
    /// It holds more than is taken.
    #[error("the workbook is too large: {what}; at most {limit} are taken")]
    TooLarge {
        /// Of what there is too much.
        what: &'static str,
        /// How much may be.
        limit: u64,
    },
    /// It cannot be written.
    #[error("the workbook cannot be written")]
    Write(#[from] rust_xlsxwriter::XlsxError),
}

impl BookError {
    /// Stable code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Broken { .. } => "workbook_broken",
            Self::Compound => "workbook_old_or_locked",
            Self::Entity { .. } => "workbook_entity",
            Self::Io(_) => "workbook_unreadable",
            Self::TooLarge { .. } => "workbook_too_large",
            Self::Write(_) => "workbook_not_written",
        }
    }

    /// The same in Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::Broken { .. } => "文件不是完好的.xlsx工作簿；请重新另存为.xlsx".to_owned(),
            Self::Compound => "文件是旧的.xls格式或设有密码；请另存为不带密码的.xlsx".to_owned(),
            Self::Entity { .. } => "工作簿中声明或使用了实体，不允许".to_owned(),
            Self::Io(_) => "文件无法读取".to_owned(),
            Self::TooLarge { limit, .. } => {
                format!("工作簿过大（上限{limit}）；请拆分为几个工作簿")
            }
            Self::Write(_) => "工作簿无法写出".to_owned(),
        }
    }

    pub(crate) fn broken(part: &str, problem: &'static str) -> Self {
        Self::Broken {
            part: part.to_owned(),
            problem,
        }
    }
}
