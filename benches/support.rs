//! What the benches share: the smoke switch, databases, times, tables.

// Each bench uses its part of it.
#![allow(dead_code)]

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use sqlx::{Connection as _, PgConnection};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Whether a run of some seconds is wanted, that proves only that it runs.
pub(crate) fn smoke() -> bool {
    std::env::args().any(|argument| argument == "--smoke")
}

/// `full`, or in a smoke run `smoke`.
pub(crate) fn size<T>(full: T, in_smoke: T) -> T {
    if smoke() { in_smoke } else { full }
}

/// A folder on the file system of the build, not on one in memory.
pub(crate) fn folder() -> anyhow::Result<tempfile::TempDir> {
    Ok(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?)
}

/// A fresh database, taken away at the end.
pub(crate) struct Database {
    pub(crate) name: &'static str,
    /// What configuration calls it.
    pub(crate) address: String,
    /// For PostgreSQL: the server, and the name of the database there.
    server: Option<(String, String)>,
}

impl Database {
    /// SQLite in a folder and, where `DATABASE_URL` names a server, PostgreSQL.
    pub(crate) async fn all(folder: &Path) -> anyhow::Result<Vec<Self>> {
        let file: PathBuf = folder.join(format!("{}.db", uuid::Uuid::now_v7().simple()));
        let mut all = vec![Self {
            name: "SQLite",
            address: format!("sqlite:{}", file.display()),
            server: None,
        }];
        match std::env::var("DATABASE_URL") {
            Ok(server) => all.push(Self::on(server).await?),
            Err(_) => eprintln!("PostgreSQL NOT MEASURED: set DATABASE_URL"),
        }
        Ok(all)
    }

    async fn on(server: String) -> anyhow::Result<Self> {
        let name = format!("bench_{}", uuid::Uuid::now_v7().simple());
        let mut conn = PgConnection::connect(&server).await?;
        let create = format!("CREATE DATABASE {name}");
        sqlx::query(sqlx::AssertSqlSafe(create))
            .execute(&mut conn)
            .await?;
        let (front, _) = server
            .rsplit_once('/')
            .context("DATABASE_URL names no database")?;
        Ok(Self {
            name: "PostgreSQL",
            address: format!("{front}/{name}"),
            server: Some((server, name)),
        })
    }

    pub(crate) async fn remove(self) -> anyhow::Result<()> {
        if let Some((server, name)) = self.server {
            let mut conn = PgConnection::connect(&server).await?;
            let drop = format!("DROP DATABASE {name} WITH (FORCE)");
            sqlx::query(sqlx::AssertSqlSafe(drop))
                .execute(&mut conn)
                .await?;
        }
        Ok(())
    }
}

/// Times that something took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The time that `share` of all did not exceed.
    pub(crate) fn at(&self, share: f64) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() as f64 * share).ceil() as usize;
        sorted
            .get(rank.saturating_sub(1))
            .copied()
            .unwrap_or_default()
    }

    pub(crate) fn p50(&self) -> Duration {
        self.at(0.50)
    }

    pub(crate) fn p99(&self) -> Duration {
        self.at(0.99)
    }
}

/// A file to which a page is appended and synced: the floor under every commit.
pub(crate) struct Disk(File);

impl Disk {
    pub(crate) fn new(folder: &Path) -> anyhow::Result<Self> {
        Ok(Self(File::create(folder.join("syncs"))?))
    }

    /// Appends 4 KiB and waits for `fdatasync`; blocks.
    pub(crate) fn sync(&mut self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        self.0.write_all(&[7; 4096])?;
        self.0.sync_data()?;
        Ok(began.elapsed())
    }
}

/// Rows of text under a heading, in columns.
pub(crate) struct Table {
    title: String,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(title: impl Into<String>, heads: &[&str]) -> Self {
        Self {
            title: title.into(),
            rows: vec![heads.iter().map(|&head| head.to_owned()).collect()],
        }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// Prints it as Markdown, which can be read as it is.
    pub(crate) fn print(&self) {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
                .max(3)
        };
        println!("\n### {}\n", self.title);
        for (number, row) in self.rows.iter().enumerate() {
            let cells: Vec<_> = row
                .iter()
                .enumerate()
                .map(|(column, cell)| format!("{cell:<width$}", width = width(column)))
                .collect();
            println!("| {} |", cells.join(" | "));
            if number == 0 {
                let rules: Vec<_> = (0..columns)
                    .map(|column| "-".repeat(width(column)))
                    .collect();
                println!("| {} |", rules.join(" | "));
            }
        }
    }
}

/// Milliseconds with two decimals.
pub(crate) fn ms(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}

/// Milliseconds that one time exceeds another by, which may be less than none.
pub(crate) fn ms_between(less: Duration, more: Duration) -> f64 {
    (more.as_secs_f64() - less.as_secs_f64()) * 1e3
}

/// So many in that time, each second, in groups of three digits.
pub(crate) fn rate(count: usize, time: Duration) -> String {
    grouped((count as f64 / time.as_secs_f64()) as u64)
}

/// A number in groups of three digits.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Millions of bytes a second.
pub(crate) fn megabytes(bytes: usize, time: Duration) -> String {
    format!("{:.0}", bytes as f64 / 1e6 / time.as_secs_f64())
}
