//! Empty workbooks to be filled, with an example beside.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use schemas::codes::Meaning;
use schemas::plan::{Element, NodeId, RecordPlan};
use schemas::record::{Place, Record};
use schemas::text::Language;

use crate::code;
use crate::dress::{CodeSheet, Formats, dress, name, pick, write_header, write_header_at};
use crate::error::BookError;
use crate::layout::{Beside, CORRECTS, DISPUTE, Layout, Sheet};
use crate::samples::sample;

/// The key of the example.
const EXAMPLE_KEY: &str = "1";

/// A workbook to be filled with records of these types: for each of them a sheet for each segment
/// and repeating group, and beside them a guide, an example and the code lists. The same plans
/// give the same bytes.
///
/// # Errors
///
/// That it cannot be written.
pub fn template(plans: &[&RecordPlan], language: Language) -> Result<Vec<u8>, BookError> {
    let layouts: Vec<Layout<'_>> = plans.iter().map(|plan| Layout::new(plan)).collect();
    let codes = CodeSheet::of(&layouts, language);
    let mut workbook = new_workbook()?;
    let formats = Formats::new();
    guide(workbook.add_worksheet(), &layouts, &formats, language)?;
    for layout in &layouts {
        for (at, sheet) in layout.sheets.iter().enumerate() {
            let worksheet = workbook.add_worksheet();
            worksheet.set_name(sheet.name(language))?;
            let items = sheet.items.iter().enumerate();
            let columns = items.map(|(at, id)| (layout.plan.element(*id), at as u16 + 1));
            let columns: Vec<(Element<'_>, u16)> = columns.collect();
            dress(worksheet, &columns, (&codes, language))?;
            write_header(worksheet, layout, sheet, language)?;
            if at == 0 {
                meta(worksheet, sheet, &formats, language)?;
            }
        }
    }
    example(workbook.add_worksheet(), &layouts, &formats, language)?;
    codes.write(&mut workbook, &formats, language)?;
    Ok(workbook.save_to_buffer()?)
}

/// A workbook that says nothing of when it was made.
pub(crate) fn new_workbook() -> Result<Workbook, XlsxError> {
    let mut workbook = Workbook::new();
    let day = ExcelDateTime::from_ymd(2020, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&day));
    Ok(workbook)
}

/// What may be said of a record beside its content.
fn meta(
    worksheet: &mut Worksheet,
    sheet: &Sheet,
    formats: &Formats,
    language: Language,
) -> Result<(), XlsxError> {
    let first = sheet.items.len() as u16 + 1;
    for (at, (tag, zh, en)) in [
        (DISPUTE, "异议编号", "Dispute"),
        (
            CORRECTS,
            "更正的记录（报送/序号）",
            "Corrects (submission/seq)",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let column = first + at as u16;
        worksheet.set_column_width(column, 20)?;
        worksheet.set_column_format(column, &formats.text)?;
        worksheet.write_string_with_format(0, column, pick(language, zh, en), &formats.optional)?;
        worksheet.write_string_with_format(1, column, tag, &formats.tag)?;
    }
    Ok(())
}

fn guide(
    sheet: &mut Worksheet,
    layouts: &[Layout<'_>],
    formats: &Formats,
    language: Language,
) -> Result<(), XlsxError> {
    sheet.set_name(Beside::Guide.name(language))?;
    sheet.set_column_width(0, 34)?.set_column_width(1, 90)?;
    let title = pick(language, "填写说明", "How to fill this workbook");
    sheet.write_string_with_format(0, 0, title, &formats.heading)?;
    let wrap = Format::new().set_text_wrap();
    let mut row = 1;
    for (zh, en) in STEPS {
        sheet.write_string_with_format(row, 1, pick(language, zh, en), &wrap)?;
        row += 1;
    }
    for layout in layouts {
        row += 1;
        let title = format!(
            "{} {}",
            layout.plan.code(),
            name(layout.plan.root(), language)
        );
        sheet.write_string_with_format(row, 0, title, &formats.heading)?;
        row += 1;
        for it in &layout.sheets {
            let element = layout.plan.element(it.node);
            sheet.write_string(row, 0, it.name(language))?;
            sheet.write_string_with_format(
                row,
                1,
                needed(element, it.is_group, language),
                &wrap,
            )?;
            row += 1;
        }
    }
    Ok(())
}

/// When a sheet must have a row for a record.
fn needed(element: Element<'_>, is_group: bool, language: Language) -> String {
    let need = element.need();
    let rows = match is_group {
        true => pick(
            language,
            "每条记录可有多行。",
            "any number of rows for a record. ",
        ),
        false => pick(
            language,
            "每条记录至多一行。",
            "at most one row for a record. ",
        ),
    };
    let mut text = rows.to_owned();
    if need.always {
        text.push_str(pick(language, "必填。", "Required."));
    }
    for (zh, en) in &need.when {
        text.push_str(&match language {
            Language::En => format!("Required when {en}. "),
            Language::Zh => format!("当{zh}时必填。"),
        });
    }
    for (zh, en) in &need.barred {
        text.push_str(&match language {
            Language::En => format!("Must not be there when {en}. "),
            Language::Zh => format!("当{zh}时不得填写。"),
        });
    }
    text
}

const STEPS: [(&str, &str); 9] = [
    (
        "1. 每张表对应记录的一个段或循环组；第1行为名称，第2行为标签，从第3行起填写。不得改动第2行及工作表名称。",
        "1. Each sheet is a segment or repeating group of the record; row 1 holds names, row 2 tags, records begin in row 3. Leave row 2 and the names of the sheets as they are.",
    ),
    (
        "2. 第1列为记录键（任意文字或数字），同一记录在各表使用同一键；第一张表决定有哪些记录。",
        "2. The first column is a key of your own (any text or number): the rows of one record bear the same key in all sheets; the first sheet tells which records there are.",
    ),
    (
        "3. 橙色并带*的列必填，黄色并带(*)的列在条件成立时必填（见列名的批注），绿色的列可不填。",
        "3. Orange columns marked * are required, yellow ones marked (*) are under a condition (see the note on the name), green ones may stay blank.",
    ),
    (
        "4. 代码从下拉列表选择（代码与名称），也可只写代码。",
        "4. Choose codes from the lists (code and name), or write the code alone.",
    ),
    (
        "5. 标识、号码、日期均按文本填写（列已设为文本）；日期如2026-11-24。以数字保存的标识会丢失前导零和第15位以后的数字，因此不予接收。",
        "5. Write identifiers, numbers of documents and dates as text (the columns are set to text); dates such as 2026-11-24. An identifier kept as a number loses leading zeros and the digits beyond 15 and is not taken.",
    ),
    (
        "6. 不使用公式；请粘贴为值。",
        "6. No formulas; paste values.",
    ),
    (
        "7. 记录类型、循环组的个数由系统填写，无需填写。",
        "7. The record type and the counters of groups are filled in for you.",
    ),
    (
        "8. 检查：creditgate submit 文件.xlsx --dry-run --findings 结果.xlsx；在结果.xlsx中改正标红的单元格后可直接再次提交。",
        "8. Check: creditgate submit FILE.xlsx --dry-run --findings MARKED.xlsx; mend the colored cells in MARKED.xlsx and hand that in.",
    ),
    (
        "9. 报送：creditgate submit 文件.xlsx。",
        "9. Hand in: creditgate submit FILE.xlsx.",
    ),
];

/// The rows of a sound record, below the header of each of its sheets: to be looked at, or copied.
fn example(
    worksheet: &mut Worksheet,
    layouts: &[Layout<'_>],
    formats: &Formats,
    language: Language,
) -> Result<(), XlsxError> {
    worksheet.set_name(Beside::Example.name(language))?;
    let mut row = 0;
    for layout in layouts {
        let plan = layout.plan;
        let Some(Ok(record)) = sample(plan.code()).map(|line| plan.read(line.as_bytes())) else {
            continue;
        };
        for sheet in &layout.sheets {
            let rows = rows_of(plan, &record, sheet);
            if rows.is_empty() {
                continue;
            }
            worksheet.write_string_with_format(row, 0, sheet.name(language), &formats.heading)?;
            write_header_at(worksheet, row + 1, layout, sheet, language)?;
            row += 3;
            for values in rows {
                worksheet.write_string_with_format(row, 0, EXAMPLE_KEY, &formats.text)?;
                for (at, (id, value)) in sheet.items.iter().zip(values).enumerate() {
                    let value = shown(plan.element(*id), &value, language);
                    let column = at as u16 + 1;
                    worksheet.write_string_with_format(row, column, value, &formats.text)?;
                }
                row += 1;
            }
            row += 1;
        }
    }
    worksheet.set_column_range_width(0, 30, 22)?;
    Ok(())
}

/// The rows of a record in one sheet.
fn rows_of(plan: &RecordPlan, record: &Record, sheet: &Sheet) -> Vec<Vec<String>> {
    let value = |place: Place, id: &NodeId| {
        let value = plan.value(record, place, *id);
        value.unwrap_or_default().trim().to_owned()
    };
    let row =
        |place: Place| -> Vec<String> { sheet.items.iter().map(|id| value(place, id)).collect() };
    let rows: Vec<Vec<String>> = match sheet.is_group {
        true => plan
            .entries(record, Place::RECORD, sheet.node)
            .map(row)
            .collect(),
        false => vec![row(Place::RECORD)],
    };
    let has_content = |row: &Vec<String>| row.iter().any(|value| !value.is_empty());
    rows.into_iter().filter(has_content).collect()
}

/// A value as a person would put it there: a code with its name, where it has one name only.
fn shown(item: Element<'_>, value: &str, language: Language) -> String {
    let mut meanings = item.codes().filter(|it| it.code == value);
    let offered = |it: Meaning<'_>| code::offered(&it, language);
    match (meanings.next(), meanings.next()) {
        (Some(only), None) => offered(only),
        _ => value.to_owned(),
    }
}

/// The sheets of a workbook filled with one record: what the key stands for everywhere.
#[cfg(test)]
pub(crate) fn filled(
    plan: &RecordPlan,
    records: &[Record],
    language: Language,
) -> Result<Vec<u8>, BookError> {
    let mut workbook = new_workbook()?;
    let layout = Layout::new(plan);
    for sheet in &layout.sheets {
        let worksheet = workbook.add_worksheet();
        worksheet.set_name(sheet.name(language))?;
        write_header(worksheet, &layout, sheet, language)?;
        let mut row = 2;
        for (at, record) in records.iter().enumerate() {
            for values in rows_of(plan, record, sheet) {
                worksheet.write_string(row, 0, format!("K{at}"))?;
                for (column, (id, value)) in sheet.items.iter().zip(values).enumerate() {
                    let value = shown(plan.element(*id), &value, language);
                    worksheet.write_string(row, column as u16 + 1, value)?;
                }
                row += 1;
            }
        }
    }
    Ok(workbook.save_to_buffer()?)
}
