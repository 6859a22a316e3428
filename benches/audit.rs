//! How fast entries go into the log, are proven, and are verified.
//!
//! Each append is a transaction of its own caller; beside it the same rows, with
//! the same indexes, go in by bare batches as large as there are callers.

#[path = "audit/append.rs"]
mod append;
#[path = "audit/prove.rs"]
mod prove;
mod support;

use creditgate::{
    audit::{Draft, Kind, SubjectTag, entry::EntryError, key::LogKey, merkle::sha256},
    platform::{clock::Clock, db::NewEntry},
};
use ring::rand::SystemRandom;

use support::{Database, Table, size};

/// What entries tell of.
const HAPPENED: Kind = Kind::new("bench.happened");

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = support::folder()?;
    let mut appends = Table::new(
        "Entries appended, one a transaction, against bare batches of the same rows",
        &[
            "database",
            "callers",
            "appends/s",
            "p50 ms",
            "p99 ms",
            "bare rows/s",
            "share",
        ],
    );
    let mut proofs = Table::new(
        "Inclusion proofs, against reading a row by its key",
        &[
            "database",
            "entries",
            "proof p50 ms",
            "p99 ms",
            "row p50 ms",
        ],
    );
    let mut verified = Table::new(
        "A folder verified, against one thread that only reads and hashes it",
        &["entries", "verified/s", "seconds", "hashed/s"],
    );
    for (ours, bare) in Database::all(folder.path())
        .await?
        .into_iter()
        .zip(Database::all(folder.path()).await?)
    {
        append::measure(&ours, &bare, &mut appends).await?;
        bare.remove().await?;
        ours.remove().await?;
    }
    for database in Database::all(folder.path()).await? {
        // Numbering a million waiting entries takes PostgreSQL a minute.
        let count = match database.name {
            "SQLite" => size(1_000_000, 2_000),
            _ => size(200_000, 2_000),
        };
        let log = prove::build(&database, count).await?;
        prove::proofs(&database, &log, count, &mut proofs).await?;
        if database.name == "SQLite" {
            prove::folder(&log, &mut verified).await?;
        }
        drop(log);
        database.remove().await?;
    }
    appends.print();
    proofs.print();
    verified.print();
    Ok(())
}

/// Entries as inquiries make them.
fn entries(count: usize) -> Result<Vec<NewEntry>, EntryError> {
    let clock = Clock::system();
    let tag = SubjectTag::new(&[7; 32], &sha256(b"synthetic"));
    (0..count)
        .map(|number| {
            let entry = Draft::new(HAPPENED, "demo-bank", clock.now())
                .actor("operator-7")
                .about(uuid::Uuid::now_v7())
                .subject(&tag)
                .word("bureau", "pboc")
                .word("purpose", "loan_approval")
                .number("serial", number)
                .finish()?;
            Ok(entry.into())
        })
        .collect()
}

fn key() -> anyhow::Result<LogKey> {
    let (key, _) = LogKey::generate("bench.invalid", &SystemRandom::new())?;
    Ok(key)
}
