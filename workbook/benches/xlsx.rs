//! How fast, and in how much memory, a workbook of records 410 is read, judged and marked.
//! `--smoke` takes a small one.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufReader, Write};
use std::time::Instant;

use jiff::civil::date;
use rust_xlsxwriter::Workbook;
use schemas::edition::Edition;
use schemas::plan::{Element, RecordPlan, What};
use schemas::record::{Place, Record};
use schemas::text::Language;
use schemas::validate::{FileHeader, Scratch};
use workbook::{Book, Limits, Located, annotate, read, sample};

fn main() -> Result<(), Box<dyn Error>> {
    let smoke = std::env::args().any(|it| it == "--smoke" || it == "--test");
    let rows = if smoke { 500 } else { 50_000 };
    let edition = Edition::embedded("pboc-submit-enterprise", date(2026, 11, 24));
    let edition = edition.ok_or("no edition")?;
    let plan = edition.plan("410").ok_or("no record 410")?;
    let folder = std::env::temp_dir().join(format!("xlsx-bench-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let path = folder.join("410.xlsx");
    make(plan, rows, File::create(&path)?)?;
    let size = fs::metadata(&path)?.len();
    println!(
        "workbook of {rows} records 410, {} KiB; peak so far {}",
        size >> 10,
        peak()
    );

    let began = Instant::now();
    let mut book = Book::open(BufReader::new(File::open(&path)?), Limits::default())?;
    let mut source = read(&mut book, &[edition])?.map_err(|found| format!("{found:?}"))?;
    let read_in = began.elapsed();
    let (mut records, mut found, mut scratch) = (0, Vec::new(), Scratch::default());
    let header = FileHeader {
        date: date(2026, 11, 24),
        record: "410".to_owned(),
        org: "T99999999H0001".to_owned(),
        template: "  ".to_owned(),
    };
    let mut record = Record::default();
    while let Some(taken) = source.next_record(record) {
        let mut taken = taken.map_err(|found| format!("{found:?}"))?;
        records += 1;
        let findings = taken.judge(&header, &mut scratch);
        found.extend(findings.into_iter().map(|finding| Located {
            seq: Some(records),
            spot: Some(source.origin().spot(&finding.path)),
            finding,
        }));
        record = taken.record;
    }
    let all = began.elapsed();
    println!("| step | seconds | records/s | peak memory |\n|---|---|---|---|");
    let row = |step: &str, seconds: f64| {
        println!(
            "| {step} | {seconds:.2} | {:.0} | {} |",
            f64::from(rows) / seconds,
            peak()
        );
    };
    row("read", read_in.as_secs_f64());
    row("read and judged", all.as_secs_f64());
    drop(source);
    let began = Instant::now();
    annotate(
        &mut book,
        &[edition],
        &found,
        Language::Zh,
        File::create(folder.join("marked.xlsx"))?,
    )?;
    row("marked copy", began.elapsed().as_secs_f64());
    println!("{records} records, {} findings", found.len());
    std::io::stdout().flush()?;
    fs::remove_dir_all(folder)?;
    Ok(())
}

/// A workbook with the example again and again; one in a hundred has a fault.
fn make(plan: &RecordPlan, rows: u32, into: File) -> Result<(), Box<dyn Error>> {
    let line = sample("410").ok_or("no example")?;
    let record = plan.read(line.as_bytes())?;
    let mut workbook = Workbook::new();
    for segment in plan.root().children() {
        let groups = segment
            .children()
            .filter(|it| matches!(it.what(), What::Group { .. }));
        for element in [segment].into_iter().chain(groups) {
            let items = element.children();
            let items: Vec<Element<'_>> = items
                .filter(|it| matches!(it.what(), What::Item { .. }) && !it.follows())
                .collect();
            let is_group = matches!(element.what(), What::Group { .. });
            let place = match is_group {
                true => plan.entries(&record, Place::RECORD, element.id()).next(),
                false => Some(Place::RECORD),
            };
            let (false, Some(place)) = (items.is_empty(), place) else {
                continue;
            };
            let sheet = workbook.add_worksheet_with_constant_memory()?;
            sheet.set_name(format!("410 {}", element.tag()))?;
            sheet.write_string(0, 0, "Key")?;
            sheet.write_string(1, 0, "@key")?;
            for (at, item) in items.iter().enumerate() {
                sheet.write_string(1, at as u16 + 1, item.tag())?;
            }
            for row in 0..rows {
                let mut empty = true;
                for (at, item) in items.iter().enumerate() {
                    let value = plan.value(&record, place, item.id()).unwrap_or_default();
                    let value = match item.tag() {
                        "AcctCode" => format!("{value}{row:06}"),
                        "Cy" if row % 100 == 0 => "XXX".to_owned(),
                        _ => value.to_owned(),
                    };
                    if !value.is_empty() {
                        if empty {
                            sheet.write_number(row + 2, 0, row)?;
                        }
                        empty = false;
                        sheet.write_string(row + 2, at as u16 + 1, value)?;
                    }
                }
            }
        }
    }
    workbook.save_to_writer(into)?;
    Ok(())
}

/// The most memory that this process has held.
fn peak() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|it| it.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kib.map_or("?".to_owned(), |kib| format!("{} MB", kib / 1024))
}
