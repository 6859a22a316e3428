//! Findings of ours, and where in a workbook a finding is.

use schemas::plan::Element;
use schemas::validate::{Finding, Severity};

use crate::place::Spot;

/// A finding and its cell.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Located {
    /// The record, counted from 1 in the order in which the workbook gives them; `None` for what
    /// concerns the workbook or a whole sheet.
    pub seq: Option<u64>,
    /// The cell; `None` where the whole workbook is meant, or no workbook at all.
    pub spot: Option<Spot>,
    /// What is wrong.
    pub finding: Finding,
}

/// What can be wrong before a record is one. The codes are ours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    Beyond,
    Code,
    Column,
    Day,
    DayNumber,
    Digits,
    Formula,
    Key,
    KeyMissing,
    KeyRepeated,
    Number,
    Orphan,
    Record,
    Repeated,
    Sheet,
    Value,
}

impl Fault {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Beyond => "intake_row_width",
            Self::Code => "intake_cell_code",
            Self::Column => "intake_column",
            Self::Day | Self::DayNumber => "intake_cell_date",
            Self::Digits | Self::Number => "intake_cell_number",
            Self::Formula => "intake_cell_formula",
            Self::Key => "intake_key_column",
            Self::KeyMissing => "intake_key_missing",
            Self::KeyRepeated => "intake_key_repeated",
            Self::Orphan => "intake_child_orphan",
            Self::Record => "intake_record_unknown",
            Self::Repeated => "intake_name_repeated",
            Self::Sheet => "intake_sheet",
            Self::Value => "intake_value",
        }
    }

    fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::Beyond => (
                "该行在没有标签的列中有内容；应删去，或在第2行写明标签",
                "the row has content in a column without a tag; take it out, or write the tag in \
                 row 2",
            ),
            Self::Code => (
                "代码与其后的名称不一致；应从下拉列表中选择，或只写代码",
                "the code and the name behind it do not agree; choose from the list, or write the \
                 code alone",
            ),
            Self::Column => (
                "第2行应为数据项的标签，与模板一致",
                "row 2 should hold the tags of items, as in the template",
            ),
            Self::Day => (
                "单元格为日期格式，但不是该数据项的整日（或整月）；应写成文本，如2026-11-24",
                "the cell is formatted as a date but holds no whole day (or month) of this item; \
                 write it as text, such as 2026-11-24",
            ),
            Self::DayNumber => (
                "单元格是未设日期格式的数字，无法确定日期；应写成文本，如2026-11-24",
                "the cell holds a number without a date format, which names no day; write it as \
                 text, such as 2026-11-24",
            ),
            Self::Digits => (
                "单元格的数字有该数据项没有的小数位，或超过表格软件所能保存的15位；应写成文本",
                "the number in the cell has decimals that the item has not, or more than the 15 \
                 digits that a spreadsheet keeps; write it as text",
            ),
            Self::Formula => (
                "单元格是公式；应粘贴为值",
                "the cell holds a formula; paste its value",
            ),
            Self::Key => (
                "第1列应为连接各表的记录键，标签@key",
                "the first column should be the key that joins the sheets, tag @key",
            ),
            Self::KeyMissing => (
                "该行有内容但没有记录键（第1列）；应填写其所属记录的键",
                "the row has content but no key (first column); write the key of its record",
            ),
            Self::KeyRepeated => (
                "该记录键在本表出现两次；每条记录在本表应只有一行",
                "the key stands twice in this sheet; a record should have one row here",
            ),
            Self::Number => (
                "此项为标识或代码，而单元格是数字：前导零和第15位以后的数字可能已丢失；应将单元格设为文本后重新填写",
                "the item is an identifier or code and the cell holds a number, so that leading \
                 zeros and digits beyond 15 may be lost; format the cell as text and write it again",
            ),
            Self::Orphan => (
                "该记录键不在本记录类型的第一张表中；应先在第一张表填写该记录",
                "the key is not in the first sheet of this record type; the record should begin \
                 there",
            ),
            Self::Record => (
                "不是可用的记录类型；应使用模板的工作表名称，如“410 基础段”",
                "no record type that can be used; sheets should bear the names of the template, \
                 such as \"410 AcctBsSgmt\"",
            ),
            Self::Repeated => (
                "两列是同一数据项；应只有一列",
                "two columns hold the same; there should be one",
            ),
            Self::Sheet => (
                "工作表不是该记录类型的段或循环组；应使用模板的工作表名称，或删去该表",
                "the sheet is no segment or group of its record type; it should bear a name of \
                 the template, or be taken out",
            ),
            Self::Value => (
                "单元格为逻辑值或错误值；应为文字或数字",
                "the cell holds true, false or an error; it should hold text or a number",
            ),
        }
    }

    /// The finding about an element of a record.
    pub(crate) fn at(self, record: &str, element: Element<'_>) -> Finding {
        self.finding(record, element.path(), element.tag())
    }

    /// The finding about a record, or about none.
    pub(crate) fn whole(self, record: &str) -> Finding {
        self.finding(record, ".".to_owned(), "0000")
    }

    pub(crate) fn finding(self, record: &str, path: String, tag: &str) -> Finding {
        let (zh, en) = self.texts();
        Finding {
            rule: self.code().to_owned(),
            record: record.to_owned(),
            tag: if path == "." { "0000" } else { tag }.to_owned(),
            path,
            code: self.code().to_owned(),
            severity: Severity::Error,
            zh: zh.to_owned(),
            en: en.to_owned(),
        }
    }
}
