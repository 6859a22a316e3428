use super::super::decode::tests::{
    HEALTHY, NEGATIVE, NORMAL, THIN, TROUBLED, decode, decode_enterprise,
};
use super::*;

/// All texts of a page that stand for values.
fn values(page: &Page<'_>) -> Vec<String> {
    fn of_block(block: &Block<'_>, values: &mut Vec<String>) {
        match block {
            Block::Fields { fields } => {
                values.extend(fields.iter().map(|field| field.cell.text.to_string()));
            }
            Block::Group { blocks, .. } => blocks.iter().for_each(|one| of_block(one, values)),
            Block::Table(table) => {
                values.extend(table.columns.iter().cloned());
                let cells = table.rows.iter().flatten();
                values.extend(cells.map(|cell| cell.text.to_string()));
            }
            Block::Grid(grid) => {
                for (year, months) in &grid.years {
                    for (place, month) in months.iter().enumerate() {
                        let Some(month) = month else { continue };
                        values.push(format!("{year}.{:02}", place + 1));
                        values.push(month.mark.to_owned());
                        values.extend(month.amount.as_ref().map(ToString::to_string));
                    }
                }
            }
        }
    }
    fn of_section(section: &PageSection<'_>, values: &mut Vec<String>) {
        section.blocks.iter().for_each(|one| of_block(one, values));
        section
            .sections
            .iter()
            .for_each(|one| of_section(one, values));
    }
    let mut values = Vec::new();
    page.sections
        .iter()
        .for_each(|one| of_section(one, &mut values));
    values
}

#[test]
fn everything_filled_is_on_the_page() {
    let reports = [
        decode(THIN),
        decode(NORMAL),
        decode(NEGATIVE),
        decode_enterprise(HEALTHY),
        decode_enterprise(TROUBLED),
    ];
    for report in reports.map(Result::unwrap) {
        for language in [Language::Zh, Language::En] {
            let page = report.page(language);
            let (shown, text) = (values(&page), report.render(language));
            for index in 0..report.nodes.len() {
                let is_item = matches!(
                    report.element(index).form,
                    crate::report::dictionary::Form::Item { .. }
                );
                let item = Item {
                    report: &report,
                    index,
                };
                if !is_item || !item.is_filled() {
                    continue;
                }
                let (raw, told) = (item.raw(), item.text(language));
                // A code may head a column together with what the column holds.
                let is_there = |shown: &String| *shown == told || shown == raw;
                let heads = |shown: &String| shown.starts_with(&*told);
                assert!(
                    shown.iter().any(is_there) || shown.iter().any(heads),
                    "{item:?}"
                );
                assert!(text.contains(&*told) || text.contains(raw), "{item:?}");
            }
        }
    }
}

#[test]
fn months_stand_in_a_grid_of_years_and_summaries_in_a_cross() {
    let negative = decode(NEGATIVE).unwrap();
    let text = negative.render(Language::En);
    let start = text.find("[Monthly history row").unwrap();
    let grid: Vec<_> = text[start..].lines().take(4).map(str::trim_end).collect();
    assert!(grid[0].starts_with("[Monthly history row 20"), "{grid:#?}");
    assert!(grid[1].ends_with("12"), "{grid:#?}");
    assert!(grid[2].trim_start().starts_with("20"), "{grid:#?}");
    assert!(text.contains("7 Overdue over 180 days"));
    let healthy = decode_enterprise(HEALTHY).unwrap();
    let page = healthy.page(Language::Zh);
    let summary = page
        .sections
        .iter()
        .find(|one| one.id == "summary")
        .unwrap();
    let open = summary
        .sections
        .iter()
        .find(|one| one.id == "open_summary")
        .unwrap();
    let Block::Group { blocks, .. } = &open.blocks[0] else {
        panic!("no group");
    };
    let Block::Table(table) = &blocks[1] else {
        panic!("no table");
    };
    assert_eq!(table.columns.len(), 9);
    assert_eq!(
        table.columns[..3],
        ["业务类型", "正常类 账户数", "正常类 余额"]
    );
    assert_eq!(table.rows.len(), 5);
    let row: Vec<_> = table.rows[0].iter().map(|cell| &*cell.text).collect();
    assert_eq!(row[..3], ["中长期借款", "1", "410"]);
}

#[test]
fn marks_in_one_value_are_a_grid_up_to_the_month_beside_them() {
    let report = decode(NEGATIVE).unwrap();
    let page = report.page(Language::Zh);
    let public = page
        .sections
        .iter()
        .find(|one| one.id == "noncredit")
        .unwrap();
    let Block::Group { blocks, .. } = &public.sections[0].blocks[0] else {
        panic!("no group");
    };
    let Block::Group { blocks, .. } = &blocks[0] else {
        panic!("no segment");
    };
    let Some(Block::Grid(grid)) = blocks.iter().find(|one| matches!(one, Block::Grid(_))) else {
        panic!("no grid");
    };
    let raw = report.first("PE01AQ02").unwrap().raw();
    let marks: String = grid
        .years
        .iter()
        .rev()
        .flat_map(|(_, months)| months.iter().flatten())
        .map(|month| month.mark)
        .collect();
    assert_eq!(marks, raw);
}

#[test]
fn what_has_no_place_in_a_grid_stands_in_a_table() {
    let month = NORMAL.find("<PD01ER03>").unwrap();
    let (before, after) = NORMAL.split_at(month);
    let twice = format!("{before}<PD01ER03>2020-01</PD01ER03>{after}");
    let report = decode(&twice).unwrap();
    let text = report.render(Language::Zh);
    assert!(text.contains("2020.01"));
    let broken = NORMAL.replacen("<PD01ER03>2026-", "<PD01ER03>2026/", 1);
    let text = decode(&broken).unwrap().render(Language::Zh);
    assert!(text.contains("2026/"));
}

#[test]
fn doubts_are_marked_where_they_stand_and_told_below() {
    let report = decode_enterprise(TROUBLED).unwrap();
    let page = report.page(Language::En);
    let notes: Vec<_> = page
        .notes
        .iter()
        .map(|note| (note.kind, &*note.text))
        .collect();
    let has = |kind, text: &str| {
        notes
            .iter()
            .any(|note| note.0 == kind && note.1.contains(text))
    };
    assert!(has(NoteKind::Reading, "10,000 yuan"), "{notes:#?}");
    assert!(
        has(NoteKind::Doubt, "(EI010D02): its meaning is disputed"),
        "{notes:#?}"
    );
    assert!(
        has(NoteKind::Doubt, "(ED04AD03): its meaning is not public"),
        "{notes:#?}"
    );
    assert!(
        has(NoteKind::Doubt, "(ED01AD04): its meaning is not confirmed"),
        "{notes:#?}"
    );
    let text = report.render(Language::Zh);
    assert!(text.contains("信息主体声明 或 本人声明") || text.contains("或 机构说明 [?]"));
    let odd = TROUBLED
        .replace("<EF040J01>5<", "<EF040J01>五<")
        .replace("<EHA>", "<EHA><EH99>示例</EH99>");
    let report = decode_enterprise(&odd).unwrap();
    let notes = report.page(Language::Zh).notes;
    let text: Vec<_> = notes.iter().map(|note| &*note.text).collect();
    assert!(
        text.contains(&"Document/EFC/EF04[1]/EF040J01: 数据类型不符"),
        "{text:#?}"
    );
    assert!(
        text.contains(&"Document/EHA/EH99: <EH99>示例</EH99>"),
        "{text:#?}"
    );
}

#[test]
fn a_value_cannot_forge_a_line_or_steer_a_terminal() {
    let xml = NORMAL.replacen("<PA01BQ01>", "<PA01BQ01>a&#10;b&#x9b;2J", 1);
    let text = decode(&xml).unwrap().render(Language::Zh);
    assert!(text.contains("a b 2J"));
    assert!(!text.contains('\u{9b}'));
}

#[test]
fn a_page_is_json_for_a_program_that_shows_it() {
    let report = decode(NORMAL).unwrap();
    let page = serde_json::to_value(report.page(Language::Zh)).unwrap();
    assert_eq!(page["title"], "个人信用报告");
    assert_eq!(page["sections"][0]["blocks"][0]["block"], "group");
    assert_eq!(
        page["sections"][0]["blocks"][0]["blocks"][0]["blocks"][0]["block"],
        "fields"
    );
    assert_eq!(
        format!("{:?}", report.page(Language::Zh))
            .matches("99000")
            .count(),
        0
    );
}
