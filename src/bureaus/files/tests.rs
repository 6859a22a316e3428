//! Both ways as their callers see them.

mod desk;
mod exchange;
mod https;
mod seal;

use std::{fs, path::PathBuf, sync::Arc};

use contract::{Adapter, Delivery, Failure, FileToSend};

use super::*;
use crate::platform::{
    certs::{Existing, write_secret},
    config::bureau::{FileTransport, ReporterConfig, SealConfig, SubmissionConfig, tests::plain},
    digest::sha256,
};

const NAME: &str = "T99999999H00012024060121000010";
const FEEDBACK: &str = "T99999999H00012024060121000013";

/// A file in a folder of its own, and what is known of it.
struct Sent {
    folder: tempfile::TempDir,
    path: PathBuf,
    file: FileToSend,
}

fn sent(bytes: &[u8]) -> Sent {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("outbox.enc");
    fs::write(&path, bytes).unwrap();
    let file = FileToSend {
        name: NAME.to_owned(),
        size_bytes: bytes.len() as u64,
        sha256: sha256(bytes),
    };
    Sent { folder, path, file }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The way that a configuration names, with one institution that reports.
async fn line(
    transport: FileTransport,
    change: impl FnOnce(&mut crate::platform::config::bureau::BureauConfig),
) -> Result<FileLine, FileLineError> {
    let keys = tempfile::tempdir().unwrap();
    let file = keys.path().join("file.key");
    write_secret(&file, b"demo0123456789ab\n", Existing::Keep).unwrap();
    let mut config = plain();
    config.submission = Some(SubmissionConfig {
        transport,
        transfer_seconds: 20,
        members: vec![ReporterConfig {
            institution: "demo-bank".to_owned(),
            organization_code: "T99999999H0001".to_owned(),
            profile: None,
            seal: SealConfig::File { file },
        }],
    });
    change(&mut config);
    let adapter: Arc<dyn Adapter> = Arc::new(pboc::Pboc::new());
    let clock = Clock::standing("2026-03-16T02:00:00Z".parse().unwrap());
    FileLine::open(&config, &adapter, &clock)
        .await
        .map(|line| line.expect("a way is configured"))
}

fn not_sent(cause: &'static str) -> Delivery {
    Delivery::NotSent { cause }
}

fn unknown(cause: &'static str) -> Delivery {
    Delivery::Unknown { cause }
}
