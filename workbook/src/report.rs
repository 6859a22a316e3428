//! Findings as tables for people and programs.

use rust_xlsxwriter::{Format, Workbook, XlsxError};
use schemas::text::Language;
use schemas::validate::Severity;
use serde_json::{Value, json};

use crate::dress::{Formats, pick};
use crate::finding::Located;
use crate::layout::Beside;
use crate::sheet::column_name;

/// The columns of a table of findings.
const COLUMNS: [(&str, &str); 12] = [
    ("sheet", "工作表"),
    ("row", "行"),
    ("column", "列"),
    ("seq", "记录序号"),
    ("record", "记录类型"),
    ("code", "错误代码"),
    ("severity", "级别"),
    ("path", "位置"),
    ("tag", "标签"),
    ("rule", "规则"),
    ("zh", "中文说明"),
    ("en", "英文说明"),
];

/// Links to cells that a table holds; a spreadsheet takes some 65,000.
const LINKS: usize = 10_000;

/// Findings as CSV in UTF-8, with a byte order mark for spreadsheets and a header line.
#[must_use]
pub fn to_csv(findings: &[Located]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::from("\u{feff}"));
    let written = writer.write_record(COLUMNS.map(|(name, _)| name));
    let written = findings
        .iter()
        .try_fold(written, |_, it| Ok(writer.write_record(cells(it))));
    // Writing into memory cannot fail.
    let _: Result<Result<(), csv::Error>, csv::Error> = written;
    writer.into_inner().unwrap_or_default()
}

/// Findings as a JSON array of objects.
#[must_use]
pub fn to_json(findings: &[Located]) -> Value {
    let object = |it: &Located| {
        let spot = it.spot.as_ref();
        json!({
            "sheet": spot.map(|it| &*it.sheet),
            "row": spot.map(|it| it.row).filter(|row| *row > 0),
            "column": column(it),
            "seq": it.seq,
            "record": it.finding.record,
            "code": it.finding.code,
            "severity": severity(it),
            "path": it.finding.path,
            "tag": it.finding.tag,
            "rule": it.finding.rule,
            "zh": it.finding.zh,
            "en": it.finding.en,
        })
    };
    findings.iter().map(object).collect()
}

/// Writes the sheet of findings.
pub(crate) fn write(
    workbook: &mut Workbook,
    findings: &[Located],
    formats: &Formats,
    language: Language,
) -> Result<(), XlsxError> {
    let sheet = workbook.add_worksheet();
    sheet.set_name(Beside::Findings.name(language))?;
    sheet.set_freeze_panes(1, 0)?;
    for (at, width) in [24, 8, 8, 10, 10, 20, 10, 36, 18, 20, 60, 60]
        .into_iter()
        .enumerate()
    {
        let column = at as u16;
        sheet.set_column_width(column, width)?;
        let (en, zh) = COLUMNS[at];
        sheet.write_string_with_format(0, column, pick(language, zh, en), &formats.optional)?;
    }
    let wrap = Format::new().set_text_wrap();
    for (at, located) in findings.iter().enumerate() {
        let row = at as u32 + 1;
        for (column, text) in cells(located).into_iter().enumerate() {
            sheet.write_string_with_format(row, column as u16, text, &wrap)?;
        }
        if let Some(spot) = located.spot.as_ref().filter(|it| it.row > 0 && at < LINKS) {
            let cell = format!("{}{}", column_name(spot.column), spot.row);
            let quoted = spot.sheet.replace('\'', "''");
            let link = format!("internal:'{quoted}'!{cell}");
            sheet.write_url_with_text(row, 2, link.as_str(), column_name(spot.column))?;
        }
    }
    Ok(())
}

fn cells(it: &Located) -> [String; 12] {
    let spot = it.spot.as_ref();
    let row = spot.map(|it| it.row).filter(|row| *row > 0);
    [
        spot.map(|it| it.sheet.to_string()).unwrap_or_default(),
        row.map(|row| row.to_string()).unwrap_or_default(),
        column(it).unwrap_or_default(),
        it.seq.map(|seq| seq.to_string()).unwrap_or_default(),
        it.finding.record.clone(),
        it.finding.code.clone(),
        severity(it).to_owned(),
        it.finding.path.clone(),
        it.finding.tag.clone(),
        it.finding.rule.clone(),
        it.finding.zh.clone(),
        it.finding.en.clone(),
    ]
}

fn column(it: &Located) -> Option<String> {
    let spot = it.spot.as_ref().filter(|spot| spot.row > 0);
    spot.map(|spot| column_name(spot.column))
}

fn severity(it: &Located) -> &'static str {
    match it.finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}
