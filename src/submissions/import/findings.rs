//! What is wrong with an input, and the codes of it.

use schemas::{file::FileError, validate::Finding};
use serde::Serialize;

use crate::bureaus::Seal;

/// One thing that is wrong with an input. It quotes no value.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ImportFinding {
    /// The name of the file.
    pub file: String,
    /// The line; of a stock the place of the record, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<i64>,
    /// One of [`CODES`], the rule of a table, or the bureau's code.
    pub code: String,
    /// Where in the record; `.` is all of it.
    pub path: String,
    /// What is wrong and what would be right, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

/// An account that could not get its new name.
pub(super) const NAME_TAKEN: &str = "name_taken";

/// Our own codes: of an input as a whole, then of a record. Code, Chinese,
/// English.
pub const CODES: [(&str, &str, &str); 19] = [
    (
        "file_differs",
        "同名报文此前已以不同内容或不同反馈导入；请核对哪一个有效",
        "a file of this name was imported with other content or feedback; find out which holds",
    ),
    (
        "file_is_own",
        "该报文由本系统报送，台账已有其结果，无需导入",
        "this gateway sent the file itself and has its answer; leave it out",
    ),
    (
        "file_twice",
        "同一报文给出了两次",
        "the same file is given twice",
    ),
    (
        "feedback_twice",
        "同一报文有两个反馈文件；请只给出有效的一个",
        "two feedback files answer the same file; give the one that holds",
    ),
    (
        "feedback_without_file",
        "反馈文件所对应的报文没有给出",
        "the file that this feedback answers is not given",
    ),
    (
        "no_feedback",
        "没有该报文的反馈文件，不能确定哪些记录已被接收；请提供反馈，或以--assume-accepted视为全部接收",
        "there is no feedback to the file, so what of it was accepted is not known; bring the \
         feedback, or take all of it as accepted with --assume-accepted",
    ),
    (
        "organization_differs",
        "报文名称中的数据提供机构区段码不是本机构的",
        "the name of the file begins with another institution's code",
    ),
    (
        "unreadable",
        "文件不能打开：密钥不符、已损坏，或不是报文",
        "the file does not open: another key, damaged, or no such file",
    ),
    (
        "account_in_flight",
        "该账户有本系统的记录正在报送，待其反馈后再导入",
        "a record of this gateway is under way for the account; import after its answer",
    ),
    (
        "account_unknown",
        "台账没有该账户，且本记录不含信息主体；请一并导入更早的报文或存量",
        "the ledger has no such account, and the record names no subject; import the files before \
         it, or the stock, as well",
    ),
    (
        "key_missing",
        "记录缺少账户的标识项",
        "the record lacks what names its account",
    ),
    (
        "ledger_is_later",
        "台账中该账户的状态晚于本记录，不以旧状态覆盖",
        "what the ledger has of the account is later than this record, and stays",
    ),
    (
        NAME_TAKEN,
        "更名记录的新标识在台账中已属另一账户：记录已导入，账户仍以原标识登记；请核对两个账户",
        "in the ledger the new identifier belongs to another account: the record was taken, and \
         the account keeps its old identifier; find out which of the two holds",
    ),
    (
        "record_unreadable",
        "该行不能按记录格式读取",
        "the line cannot be read as a record of its type",
    ),
    (
        "record_without_ledger",
        "本系统尚不能报送该类记录，台账不收",
        "records of this type cannot be submitted yet and have no place in the ledger",
    ),
    (
        "stock_not_a_state",
        "存量只收账户的正常记录（如210、110），不收更正、删除等",
        "a stock holds the normal records of accounts, such as 210 or 110, and no corrections or \
         deletions",
    ),
    (
        "stock_twice",
        "同一账户在存量中出现两次",
        "the account stands twice in the stock",
    ),
    (
        "subject_differs",
        "台账中该账户的信息主体与本记录不同",
        "the account is another subject's in the ledger",
    ),
    (
        "subject_other_name",
        "该证件已以另一姓名登记；请核对，或先办理更名",
        "the document is known under another name; check it, or record the change of name first",
    ),
];

impl ImportFinding {
    /// A finding of ours, by its code.
    pub(super) fn ours(file: &str, line: Option<i64>, code: &str) -> Self {
        let known = CODES.iter().find(|(known, ..)| *known == code);
        let (_, zh, en) = known.copied().unwrap_or((code, "", ""));
        Self {
            file: file.to_owned(),
            line,
            code: code.to_owned(),
            path: ".".to_owned(),
            zh: zh.to_owned(),
            en: en.to_owned(),
        }
    }

    /// What a check of the tables says of a file.
    pub(super) fn of_file(file: &str, line: Option<i64>, finding: Finding) -> Self {
        Self {
            code: finding.rule,
            ..Self::of_record(
                file,
                line,
                Finding {
                    rule: String::new(),
                    ..finding
                },
            )
        }
    }

    /// What is wrong with a record.
    pub(super) fn of_record(file: &str, line: Option<i64>, finding: Finding) -> Self {
        Self {
            file: file.to_owned(),
            line,
            code: finding.code,
            path: finding.path,
            zh: finding.zh,
            en: finding.en,
        }
    }

    /// All that speaks against a file that does not open.
    pub(super) fn of_error(file: &str, seal: Option<&Seal>, error: FileError) -> Vec<Self> {
        match error {
            FileError::Findings(findings) => findings
                .into_iter()
                .map(|finding| Self::of_file(file, None, finding))
                .collect(),
            FileError::Io(error) => {
                let defect = seal.and_then(|seal| seal.defect(&error));
                let mut finding = Self::ours(file, None, "unreadable");
                if let Some(code) = defect {
                    code.clone_into(&mut finding.code);
                }
                vec![finding]
            }
            _ => vec![Self::ours(file, None, "unreadable")],
        }
    }
}

/// A finding of ours on a record, by its code.
pub(super) fn of_row(record: &str, code: &str) -> Finding {
    let known = CODES.iter().find(|(known, ..)| *known == code);
    let (_, zh, en) = known.copied().unwrap_or((code, "", ""));
    super::super::candidate::finding(record, code, "0000", zh, en)
}
