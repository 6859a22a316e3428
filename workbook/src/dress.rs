//! What a sheet for records looks like: names, tags, notes, drop-downs.

use std::collections::BTreeMap;

use rust_xlsxwriter::{
    Color, DataValidation, Format, FormatAlign, FormatBorder, Formula, Note, Workbook, Worksheet,
    XlsxError,
};
use schemas::kind::{Kind, Length};
use schemas::plan::{Element, What};
use schemas::text::{Label, Language};

use crate::code;
use crate::layout::{Beside, HEADER, KEY, Layout, Sheet};
use crate::sheet::{ROWS, column_name};

/// The code lists of a workbook, each with its column in the sheet of codes.
#[derive(Default)]
pub(crate) struct CodeSheet {
    /// The names of the lists, joined; and what they offer.
    lists: Vec<(String, Vec<String>)>,
    by_name: BTreeMap<String, usize>,
}

/// The formats that all sheets share.
pub(crate) struct Formats {
    pub(crate) heading: Format,
    pub(crate) required: Format,
    pub(crate) conditional: Format,
    pub(crate) optional: Format,
    pub(crate) tag: Format,
    pub(crate) text: Format,
    pub(crate) number: Format,
    pub(crate) day: Format,
}

impl Formats {
    pub(crate) fn new() -> Self {
        let name = |color: u32| {
            Format::new()
                .set_bold()
                .set_text_wrap()
                .set_align(FormatAlign::Top)
                .set_border(FormatBorder::Thin)
                .set_background_color(Color::RGB(color))
        };
        Self {
            heading: Format::new().set_bold().set_font_size(14),
            required: name(0xf8_cb_ad),
            conditional: name(0xff_e6_99),
            optional: name(0xe2_ef_da),
            tag: Format::new()
                .set_italic()
                .set_font_color(Color::RGB(0x80_80_80))
                .set_num_format("@"),
            text: Format::new().set_num_format("@"),
            number: Format::new(),
            day: Format::new().set_num_format("yyyy-mm-dd"),
        }
    }
}

impl CodeSheet {
    /// All lists of these record types.
    pub(crate) fn of(layouts: &[Layout<'_>], language: Language) -> Self {
        let mut codes = Self::default();
        for layout in layouts {
            for id in layout.sheets.iter().flat_map(|sheet| &sheet.items) {
                codes.add(layout.plan.element(*id), language);
            }
        }
        codes
    }

    fn add(&mut self, item: Element<'_>, language: Language) {
        let name = name_of(item);
        if name.is_empty() || self.by_name.contains_key(&name) {
            return;
        }
        let mut offered: Vec<String> = Vec::new();
        let mut known = std::collections::HashSet::new();
        for meaning in item.codes() {
            let text = code::offered(&meaning, language);
            if known.insert(text.clone()) {
                offered.push(text);
            }
        }
        self.by_name.insert(name.clone(), self.lists.len());
        self.lists.push((name, offered));
    }

    /// Where an item finds its codes.
    fn range(&self, item: Element<'_>, language: Language) -> Option<String> {
        let at = *self.by_name.get(&name_of(item))?;
        let (column, last) = (column_name(at as u16), self.lists[at].1.len() + 1);
        let sheet = Beside::Codes.name(language);
        Some(format!("='{sheet}'!${column}$2:${column}${last}"))
    }

    /// Writes the sheet of codes.
    pub(crate) fn write(
        &self,
        workbook: &mut Workbook,
        formats: &Formats,
        language: Language,
    ) -> Result<(), XlsxError> {
        let sheet = workbook.add_worksheet();
        sheet.set_name(Beside::Codes.name(language))?;
        sheet.set_freeze_panes(1, 0)?;
        for (at, (name, offered)) in self.lists.iter().enumerate() {
            let column = at as u16;
            sheet.set_column_width(column, 28)?;
            sheet.write_string_with_format(0, column, name, &formats.optional)?;
            for (row, text) in offered.iter().enumerate() {
                sheet.write_string_with_format(row as u32 + 1, column, text, &formats.text)?;
            }
        }
        Ok(())
    }
}

/// The lists of an item, by name.
fn name_of(item: Element<'_>) -> String {
    item.list_names().collect::<Vec<_>>().join("|")
}

/// Makes a sheet ready to be filled: what its columns are and what may stand in them. `columns`
/// tells which column holds which item.
pub(crate) fn dress(
    worksheet: &mut Worksheet,
    columns: &[(Element<'_>, u16)],
    (codes, language): (&CodeSheet, Language),
) -> Result<(), XlsxError> {
    let formats = Formats::new();
    worksheet.set_freeze_panes(HEADER, 1)?;
    worksheet.set_column_width(0, 14)?;
    worksheet.set_column_format(0, &formats.text)?;
    for (item, column) in columns {
        let width = item.zh().chars().count().clamp(8, 20) * 2 + 2;
        worksheet.set_column_width(*column, width as f64)?;
        let What::Item { kind, .. } = item.what() else {
            continue;
        };
        let is_number = matches!(kind, Kind::Decimal2 | Kind::Uint);
        let format = if is_number {
            &formats.number
        } else {
            &formats.text
        };
        worksheet.set_column_format(*column, format)?;
        let note = Note::new(explained(*item, language))
            .add_author_prefix(false)
            .set_width(320)
            .set_height(160);
        worksheet.insert_note(0, *column, &note)?;
        if let Some(range) = codes.range(*item, language) {
            // A code alone, or one chosen elsewhere, may be written too: the intake judges it.
            let choice = DataValidation::new()
                .allow_list_formula(Formula::new(range))
                .show_error_message(false);
            worksheet.add_data_validation(HEADER, *column, ROWS - 1, *column, &choice)?;
        }
    }
    Ok(())
}

/// Writes names and tags.
pub(crate) fn write_header(
    worksheet: &mut Worksheet,
    layout: &Layout<'_>,
    sheet: &Sheet,
    language: Language,
) -> Result<(), XlsxError> {
    write_header_at(worksheet, 0, layout, sheet, language)
}

/// Writes names and tags from a row on.
pub(crate) fn write_header_at(
    worksheet: &mut Worksheet,
    row: u32,
    layout: &Layout<'_>,
    sheet: &Sheet,
    language: Language,
) -> Result<(), XlsxError> {
    let formats = Formats::new();
    let key = pick(language, "记录键 *", "Key *");
    worksheet.write_string_with_format(row, 0, key, &formats.required)?;
    worksheet.write_string_with_format(row + 1, 0, KEY, &formats.tag)?;
    for (at, id) in sheet.items.iter().enumerate() {
        let item = layout.plan.element(*id);
        let column = at as u16 + 1;
        let need = item.need();
        let (mark, format) = match (need.always, need.when.is_empty()) {
            (true, _) => (" *", &formats.required),
            (false, false) => (" (*)", &formats.conditional),
            (false, true) => ("", &formats.optional),
        };
        let name = format!("{}{mark}", name(item, language));
        worksheet.write_string_with_format(row, column, name, format)?;
        worksheet.write_string_with_format(row + 1, column, item.tag(), &formats.tag)?;
    }
    Ok(())
}

pub(crate) fn name(element: Element<'_>, language: Language) -> &str {
    let label = Label {
        zh: element.zh(),
        en: element.en(),
    };
    label.text(language)
}

/// What may stand in a column, in words.
pub(crate) fn explained(item: Element<'_>, language: Language) -> String {
    let What::Item { kind, length } = item.what() else {
        return String::new();
    };
    let mut text = format!(
        "{} ({})\n{}",
        name(item, language),
        item.tag(),
        form(kind, length, language)
    );
    let lists = name_of(item);
    if !lists.is_empty() {
        text.push_str(pick(
            language,
            "：从下拉列表选择（",
            ": choose from the list (",
        ));
        text.push_str(&lists);
        text.push(if language == Language::Zh { '）' } else { ')' });
    }
    let need = item.need();
    let clause = |(zh, en): &(String, String)| pick(language, zh, en).to_owned();
    if need.always {
        text.push_str(pick(language, "\n必填", "\nrequired"));
    }
    for when in &need.when {
        text.push_str(pick(language, "\n须填：当", "\nrequired when "));
        text.push_str(&clause(when));
    }
    for barred in &need.barred {
        text.push_str(pick(language, "\n不得填写：当", "\nmust stay blank when "));
        text.push_str(&clause(barred));
    }
    // The longest note that every spreadsheet shows.
    text.chars().take(1_500).collect()
}

fn form(kind: Kind, length: Length, language: Language) -> String {
    let (zh, en) = match kind {
        Kind::Ascii => (
            "半角字母、数字或符号",
            "half-width letters, digits or signs",
        ),
        Kind::Code => ("代码", "a code"),
        Kind::Date => ("日期，如2026-11-24", "a date such as 2026-11-24"),
        Kind::Decimal2 => (
            "金额，两位小数，小数点前",
            "an amount with two decimals, before the point",
        ),
        Kind::Digits => ("数字（文本）", "digits, as text"),
        Kind::Month => ("月份，如2026-11", "a month such as 2026-11"),
        Kind::Text => ("文字", "text"),
        Kind::Uint => ("非负整数", "a whole number, not negative"),
        Kind::Year => ("年份，如2026", "a year such as 2026"),
    };
    let (zh_length, en_length) = match length {
        Length::Any => (String::new(), String::new()),
        Length::Exactly(n) => (
            format!("，恰为{n}个字符"),
            format!(", exactly {n} characters"),
        ),
        Length::UpTo(n) => (
            format!("，至多{n}个字符"),
            format!(", at most {n} characters"),
        ),
    };
    match language {
        Language::En => format!("{en}{en_length}"),
        Language::Zh => format!("{zh}{zh_length}"),
    }
}

pub(crate) fn pick<'t>(language: Language, zh: &'t str, en: &'t str) -> &'t str {
    match language {
        Language::En => en,
        Language::Zh => zh,
    }
}
