//! What an import finds wrong, and the file that says so.

use std::io;

use serde::Serialize;
use utoipa::ToSchema;

use crate::authorizations::Bilingual;

/// One thing wrong with one row. It never holds the value.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, ToSchema)]
pub struct Finding {
    /// Line of the file, from 1; that of a row's first character.
    pub line: u64,
    /// The column; empty where it is about the whole row.
    pub field: &'static str,
    /// Stable code.
    pub code: &'static str,
    /// What is wrong.
    pub wrong: Bilingual,
    /// What would be right.
    pub right: Bilingual,
}

/// A kind of finding.
pub(super) struct Problem {
    pub(super) code: &'static str,
    pub(super) wrong: Bilingual,
    pub(super) right: Bilingual,
}

/// A findings file: CSV with the columns line, field, code, and what is wrong
/// and right in both languages.
pub struct FindingsFile<W: io::Write>(csv::Writer<W>);

impl<W: io::Write> FindingsFile<W> {
    /// Begins a file with its header.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn new(writer: W) -> io::Result<Self> {
        let mut file = csv::Writer::from_writer(writer);
        file.write_record([
            "line", "field", "code", "wrong_zh", "right_zh", "wrong_en", "right_en",
        ])?;
        Ok(Self(file))
    }

    /// Adds a finding.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn add(&mut self, finding: &Finding) -> io::Result<()> {
        self.0.write_record([
            &finding.line.to_string(),
            finding.field,
            finding.code,
            finding.wrong.zh,
            finding.right.zh,
            finding.wrong.en,
            finding.right.en,
        ])?;
        Ok(())
    }

    /// Writes out what is buffered.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

macro_rules! problems {
    ($($name:ident $code:literal $wrong_zh:literal $wrong_en:literal
        => $right_zh:literal $right_en:literal;)+) => {$(
        pub(super) static $name: Problem = Problem {
            code: $code,
            wrong: Bilingual { zh: $wrong_zh, en: $wrong_en },
            right: Bilingual { zh: $right_zh, en: $right_en },
        };
    )+};
}

problems! {
    COLUMN_MISSING "column_missing" "缺少该列" "the column is missing"
        => "表头须含该列" "a header that names this column";
    COLUMN_UNKNOWN "column_unknown" "表头含有未知的列" "the header names an unknown column"
        => "仅使用规定的列名" "the columns of the template, and no others";
    CONFLICT "reference_taken" "该编号已登记，内容不同" "the reference is recorded with other content"
        => "新的授权使用新的编号" "a new reference for a new authorization";
    DATE "date_malformed" "不是日期" "not a date"
        => "如 2026-03-01" "such as 2026-03-01";
    EMPTY "empty" "为空" "it is empty"
        => "填写该项" "a value";
    EVIDENCE_MISSING "original_unreadable" "授权原件不存在或无法读取" "the original is not there or cannot be read"
        => "文件置于原件目录之内" "a file inside the folder of originals";
    EVIDENCE_SIZE "original_size" "授权原件为空或过大" "the original is empty or too large"
        => "1 字节至 8 MiB" "1 byte to 8 MiB";
    FUTURE "signed_in_future" "签署时间晚于导入时间" "signed after the time of the import"
        => "不晚于导入时间的签署时间" "the time of signing";
    KIND "kind_unknown" "未知的授权种类" "unknown kind of authorization"
        => "inquire 或 provide" "inquire or provide";
    LIST "list_unknown" "含有未知的值" "it holds an unknown value"
        => "模板所列的值，以分号分隔" "the names of the template, separated by semicolons";
    NAME "name_malformed" "名称格式错误" "malformed name"
        => "与证件一致的姓名或名称" "the name as on the document";
    ONE_DAY "one_day_only" "起止日期须同时填写或同时为空" "one of the two days is blank"
        => "两个日期，或均为空（用户期间有效）" "both days, or neither (while a member)";
    ORDER "days_reversed" "终止日早于起始日" "the last day is before the first"
        => "终止日不早于起始日" "a last day that is not before the first";
    POLICY "policy_unknown" "授权文本的版本未登记，或签署时尚未启用" "the version of the text is not registered, or was not in force when signed"
        => "先登记该版本的文本" "a registered version, in force on the day of signing";
    REFERENCE "reference_malformed" "编号格式错误" "malformed reference"
        => "1 至 64 位字母、数字或 . _ : / -，不得为证件、卡或电话号码" "1 to 64 of A-Z a-z 0-9 . _ : / - and no identity, card or telephone number";
    ROW "row_length" "列数与表头不符" "not as many fields as the header"
        => "每行与表头列数一致" "as many fields as the header";
    SEVERAL "form_of_several" "一份授权书上有多个信息主体" "the form names several subjects"
        => "每个信息主体各签一份" "one form signed by each subject";
    SUBJECT_KIND "subject_kind_unknown" "未知的信息主体种类" "unknown kind of subject"
        => "person 或 enterprise" "person or enterprise";
    TIME "time_malformed" "不是日期或时间" "not a day or time"
        => "如 2026-03-01 或 2026-03-01T09:30:00+08:00" "such as 2026-03-01 or 2026-03-01T09:30:00+08:00";
    UTF8 "not_utf8" "不是 UTF-8 编码" "not UTF-8"
        => "文件另存为 UTF-8 编码" "a file saved as UTF-8";
}

/// What makes an identifier right.
pub(super) const DOCUMENT: Bilingual = Bilingual {
    zh: "按证件核对后重新填写",
    en: "the number and type as on the document",
};
