//! What is odd about a report that could be read.

use std::fmt;

use crate::text::Language;

/// Something that the dictionary does not expect; no reason to refuse a report.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Remark {
    /// What it is.
    pub kind: RemarkKind,
    /// Where: element codes from the root, `[n]` for the n-th of several.
    pub path: String,
}

/// Kinds of remark.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum RemarkKind {
    /// The code list depends on an item that is absent or has no list.
    CodeListUnknown,
    /// A required element is absent.
    Missing,
    /// Filled where another item says that it does not come.
    NotExpected,
    /// Longer than the dictionary allows.
    TooLong,
    /// More often than the dictionary allows.
    TooMany,
    /// The dictionary does not know the code.
    UnknownCode,
    /// The dictionary does not know the element, or text stands between elements.
    UnknownElement,
    /// An item tells another number of rows than came.
    WrongCount,
    /// Not of the kind that the dictionary says: no date, no number.
    WrongKind,
}

impl RemarkKind {
    /// Stable code for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.words().0
    }

    /// What is odd, in words.
    #[must_use]
    pub fn text(self, language: Language) -> &'static str {
        match language {
            Language::En => self.words().1,
            Language::Zh => self.words().2,
        }
    }

    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::CodeListUnknown => (
                "code_list_unknown",
                "the code list cannot be told",
                "无法确定代码表",
            ),
            Self::Missing => ("missing", "a required element is missing", "缺少必有元素"),
            Self::NotExpected => ("not_expected", "not expected here", "此处不应出现"),
            Self::TooLong => ("too_long", "longer than expected", "超过规定长度"),
            Self::TooMany => ("too_many", "more often than expected", "超过规定次数"),
            Self::UnknownCode => (
                "unknown_code",
                "the code is not in its list",
                "代码不在代码表中",
            ),
            Self::UnknownElement => ("unknown_element", "unknown element", "未知元素"),
            Self::WrongCount => (
                "wrong_count",
                "tells another number than came",
                "条数与内容不符",
            ),
            Self::WrongKind => ("wrong_kind", "not of the expected kind", "数据类型不符"),
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.kind.words().1)
    }
}
