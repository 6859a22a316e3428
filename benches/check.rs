//! How fast `creditgate schemas check` goes through 1,000,000 records 210, and
//! what memory it needs; beside it `xmllint --stream --schema` over the same
//! records, one document of them all: a file in the mandated form is no XML.

mod support;

use std::{
    fs::{self, File},
    io::{BufReader, BufWriter, Write as _},
    num::NonZero,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use jiff::civil::date;
use schemas::{
    edition::Edition,
    file::{FileName, FileWriter, Header, examine},
};
use support::{Table, grouped, megabytes, rate, size};

/// Record 210 in four shapes.
const RECORDS: [&str; 4] = [
    include_str!("../schemas/testdata/pboc-submit-personal/210.xml"),
    include_str!("../schemas/testdata/pboc-submit-personal/210-c1.xml"),
    include_str!("../schemas/testdata/pboc-submit-personal/210-d1-special.xml"),
    include_str!("../schemas/testdata/pboc-submit-personal/210-r2.xml"),
];

/// Between two looks at the memory of a process.
const LOOK: Duration = Duration::from_millis(10);

fn main() -> anyhow::Result<()> {
    let records = size(1_000_000, 2_000);
    let folder = support::folder()?;
    let input = Input::write(folder.path(), records)?;
    let mut table = Table::new(
        format!(
            "{} records 210 checked, {} MB (target: 60,000 records/s, 128 MB)",
            grouped(records.into()),
            input.bytes >> 20
        ),
        &["what", "records/s", "MB/s", "peak memory"],
    );
    let mut row = |what: &str, (time, memory): (Duration, String)| {
        let count = records as usize;
        table.row([
            what.to_owned(),
            rate(count, time),
            megabytes(input.bytes, time),
            memory,
        ]);
    };
    let command = env!("CARGO_BIN_EXE_creditgate");
    let mut check = Command::new(command);
    check.args(["schemas", "check"]).arg(&input.file);
    row("creditgate schemas check", run(&mut check)?);
    for threads in [1, 2] {
        let time = examined(&input, threads)?;
        row(
            &format!("the engine alone, {threads} threads"),
            (time, "-".to_owned()),
        );
    }
    let mut xmllint = Command::new("xmllint");
    xmllint.args(["--noout", "--stream", "--schema"]);
    xmllint.args([&input.schema, &input.document]);
    match run(&mut xmllint) {
        Ok(figures) => row("xmllint --stream --schema", figures),
        Err(error) => eprintln!("xmllint NOT MEASURED: {error:#}"),
    }
    table.print();
    Ok(())
}

/// A submission file, and its records as one XML document with its schema.
struct Input {
    name: String,
    file: PathBuf,
    document: PathBuf,
    schema: PathBuf,
    bytes: usize,
}

impl Input {
    fn write(folder: &Path, records: u32) -> anyhow::Result<Self> {
        let day = date(2025, 12, 31);
        let edition = Edition::embedded("pboc-submit-personal", day).context("no edition")?;
        let plan = edition.plan("210").context("no record 210")?;
        let lines = RECORDS.map(|line| -> anyhow::Result<Vec<u8>> {
            let (record, mut out) = (plan.read(line.trim_end().as_bytes())?, Vec::new());
            plan.write(&record, &mut out)?;
            Ok(out)
        });
        let lines = lines.into_iter().collect::<Result<Vec<_>, _>>()?;
        let wrong = |_| anyhow::anyhow!("the name or the header is wrong");
        let name = FileName::new("T99999999H0001", day, "210", 1).map_err(wrong)?;
        let header = Header::new(&name, day.at(9, 30, 0, 0), records).map_err(wrong)?;
        let file = folder.join(format!("{name}.txt"));
        let document = folder.join("lines.xml");
        let schema = folder.join("lines.xsd");
        let mut writer = FileWriter::begin(&header, BufWriter::new(File::create(&file)?))?;
        let mut xml = BufWriter::new(File::create(&document)?);
        xml.write_all(b"<Lines>\n")?;
        for line in lines.iter().cycle().take(records as usize) {
            writer.line(line)?;
            xml.write_all(line)?;
            xml.write_all(b"\n")?;
        }
        xml.write_all(b"</Lines>\n")?;
        xml.flush()?;
        writer.finish()?.flush()?;
        let wrapper = "<xs:element name=\"Lines\"><xs:complexType><xs:sequence>\
             <xs:element ref=\"Document\" minOccurs=\"0\" maxOccurs=\"unbounded\"/>\
             </xs:sequence></xs:complexType></xs:element>\n</xs:schema>";
        fs::write(&schema, plan.xsd().replace("</xs:schema>", wrapper))?;
        Ok(Self {
            name: name.to_string(),
            bytes: usize::try_from(fs::metadata(&file)?.len())?,
            file,
            document,
            schema,
        })
    }
}

/// The engine within this process.
fn examined(input: &Input, threads: usize) -> anyhow::Result<Duration> {
    let threads = NonZero::new(threads).context("no thread")?;
    let began = Instant::now();
    let text = BufReader::with_capacity(1 << 18, File::open(&input.file)?);
    let today = date(2026, 1, 1);
    let examined = examine(&input.name, text, today, threads, &mut |_| Ok(()))?;
    ensure!(examined.is_clean(), "the file is not clean");
    Ok(began.elapsed())
}

/// Runs a command that must succeed, and watches its memory.
fn run(command: &mut Command) -> anyhow::Result<(Duration, String)> {
    let began = Instant::now();
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = quiet.stderr(Stdio::null()).spawn()?;
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = None;
    let ended = loop {
        if let Some(ended) = child.try_wait()? {
            break ended;
        }
        peak = memory(&status).max(peak);
        thread::sleep(LOOK);
    };
    let time = began.elapsed();
    ensure!(ended.success(), "it ended with {ended}");
    Ok((
        time,
        peak.map_or("?".to_owned(), |kib| format!("{} MB", kib / 1024)),
    ))
}

/// The most memory that a process had so far, in KiB.
fn memory(status: &Path) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
