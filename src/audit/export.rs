//! Writes the log as a tlog-tiles folder that strangers verify with their own tools.
//!
//! # Promise
//!
//! The `checkpoint` is replaced last, so a folder is whole at every moment for
//! the checkpoint that it shows. A folder that exists is continued from its own
//! checkpoint, after that was found in this log.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::checkpoint::Checkpoint;
use super::error::AuditError;
use super::note::Note;
use super::reader::Reader;
use super::sink::{blocking, write_durably};
use super::tile::{TILE_WIDTH, Tile};
use crate::platform::db::Db;

/// What an export wrote.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Exported {
    /// Entries that the folder holds now.
    pub size: u64,
    /// Entries that it held before.
    pub before: u64,
}

/// Exports the log as far as its newest signed checkpoint reaches.
///
/// # Errors
///
/// [`AuditError::Unsigned`]; [`AuditError::Rewritten`] when the folder holds
/// another log; those of database and files.
pub async fn export(db: &Db, folder: &Path) -> Result<Exported, AuditError> {
    let reader = Reader::new(db);
    let head = reader.head().await?;
    let (checkpoint, note) = reader
        .last_checkpoint()
        .await?
        .ok_or(AuditError::Unsigned)?;
    let vkey = head.vkey.ok_or(AuditError::Unsigned)?;
    let size = checkpoint.size;
    let before = known_size(&reader, folder).await?;
    if before > size {
        let sink = folder.display().to_string();
        return Err(AuditError::Ahead {
            sink,
            theirs: before,
            ours: size,
        });
    }
    write(folder, "log.vkey", format!("{vkey}\n").into_bytes()).await?;
    let mut grown = Vec::new();
    for level in 0..Tile::levels(size) {
        let first = (before >> (8 * u32::from(level))) / TILE_WIDTH;
        for tile in Tile::level_of_tree(level, size).skip(first as usize) {
            let hashes = reader
                .tile(tile)
                .await?
                .ok_or(AuditError::Damaged("tiles"))?;
            write(folder, &tile.path(), hashes.concat()).await?;
            grown.push((tile.full().path(), tile.width));
            if level == 0 {
                let bundle = reader
                    .bundle(tile)
                    .await?
                    .ok_or(AuditError::Damaged("entries"))?;
                write(folder, &tile.entries_path(), bundle).await?;
                grown.push((tile.full().entries_path(), tile.width));
            }
        }
    }
    for (size, text) in reader.all_checkpoints().await? {
        if size > before || size == 0 {
            write(folder, &format!("checkpoints/{size}"), text.into_bytes()).await?;
        }
    }
    write(folder, "checkpoint", note.to_string().into_bytes()).await?;
    let root = folder.to_owned();
    blocking(move || {
        Ok(grown
            .iter()
            .try_for_each(|(path, width)| prune(&root, path, *width))?)
    })
    .await?;
    Ok(Exported { size, before })
}

/// How far the folder reaches already, if it is a folder of this log.
async fn known_size(reader: &Reader<'_>, folder: &Path) -> Result<u64, AuditError> {
    let path = folder.join("checkpoint");
    let text = blocking(move || match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    })
    .await?;
    let Some(text) = text else { return Ok(0) };
    let known = Checkpoint::unverified(&text.parse::<Note>()?)?;
    let ours = reader.head().await?.size;
    if known.size <= ours && reader.root_at(known.size).await? != known.root {
        let place = folder.display().to_string();
        return Err(AuditError::Rewritten {
            place,
            size: known.size,
        });
    }
    Ok(known.size)
}

async fn write(folder: &Path, path: &str, bytes: Vec<u8>) -> Result<(), AuditError> {
    let path: PathBuf = folder.join(path);
    blocking(move || Ok(write_durably(&path, &bytes)?)).await
}

/// Removes the narrower partial files of a tile that has grown to `width`.
fn prune(root: &Path, path: &str, width: u16) -> io::Result<()> {
    let partials = root.join(format!("{path}.p"));
    let files = match fs::read_dir(&partials) {
        Ok(files) => files,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for file in files {
        let file = file?;
        let narrower = file
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u16>().ok());
        if narrower.is_some_and(|narrower| narrower < width) {
            fs::remove_file(file.path())?;
        }
    }
    if u64::from(width) == TILE_WIDTH {
        fs::remove_dir(&partials)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
    use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::audit::appender::Appender;
    use crate::audit::log::Log;
    use crate::audit::testing::{append_many, key};
    use crate::audit::verify::{Options, verify_folder};
    use crate::testing::databases;

    /// Every file below a folder, by its path.
    fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut open = vec![root.to_owned()];
        while let Some(folder) = open.pop() {
            for file in fs::read_dir(folder).unwrap() {
                let path = file.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    let name = path.strip_prefix(root).unwrap().display().to_string();
                    found.insert(name, fs::read(path).unwrap());
                }
            }
        }
        found
    }

    /// A verifier that shares no line with the log: other hashing, other
    /// signatures, other parsing. Returns the root over all bundles.
    fn strangers_root(files: &BTreeMap<String, Vec<u8>>) -> [u8; 32] {
        fn mth(leaves: &[[u8; 32]]) -> [u8; 32] {
            if let [leaf] = leaves {
                return *leaf;
            }
            let mut k = 1;
            while k * 2 < leaves.len() {
                k *= 2;
            }
            let node = [&[1_u8][..], &mth(&leaves[..k]), &mth(&leaves[k..])].concat();
            Sha256::digest(node).into()
        }
        let bundles = files
            .iter()
            .filter(|(name, _)| name.starts_with("tile/entries/"));
        let mut leaves = Vec::new();
        for (_, bundle) in bundles {
            let mut rest = &bundle[..];
            while let [high, low, more @ ..] = rest {
                let length = usize::from(*high) * 256 + usize::from(*low);
                let leaf = [&[0_u8][..], &more[..length]].concat();
                leaves.push(Sha256::digest(leaf).into());
                rest = &more[length..];
            }
        }
        mth(&leaves)
    }

    #[tokio::test]
    async fn a_stranger_agrees_with_an_exported_log_that_grows() {
        for test in databases(Arc::new(Appender)).await {
            let log = Log::open(test.db.clone(), key(1), vec![]).await.unwrap();
            let folder = tempfile::tempdir().unwrap();
            let unsigned = export(&test.db, folder.path()).await;
            assert!(matches!(unsigned, Err(AuditError::Unsigned)));
            let mut before = 0;
            for count in [1, 200, 55, 244, 300] {
                append_many(&test.db, count).await;
                log.sign().await.unwrap();
                let size = before + count;
                let exported = export(&test.db, folder.path()).await.unwrap();
                assert_eq!(exported, Exported { size, before }, "{}", test.name);
                before = size;

                let files = files(folder.path());
                let text = |name: &str| String::from_utf8(files[name].clone()).unwrap();
                let checkpoint = text("checkpoint");
                let lines: Vec<_> = checkpoint.split('\n').collect();
                assert_eq!(lines[..2], ["log.example/demo-bank", &size.to_string()]);
                assert_eq!(
                    lines[2],
                    BASE64.encode(strangers_root(&files)),
                    "{}",
                    test.name
                );
                let vkey = text("log.vkey");
                let vkey = BASE64
                    .decode(vkey.trim().rsplit('+').next().unwrap())
                    .unwrap();
                let vkey = VerifyingKey::from_bytes(vkey[1..].try_into().unwrap()).unwrap();
                let signature = lines[4].rsplit(' ').next().unwrap();
                let signature = BASE64.decode(signature).unwrap();
                let signature = Signature::from_slice(&signature[4..]).unwrap();
                let signed = format!("{}\n", lines[..3].join("\n"));
                assert!(vkey.verify(signed.as_bytes(), &signature).is_ok());

                let report = verify_folder(folder.path(), &Options::default()).unwrap();
                assert_eq!(
                    (report.findings, report.size),
                    (vec![], size),
                    "{}",
                    test.name
                );
                let bundles = files
                    .keys()
                    .filter(|name| name.starts_with("tile/entries/"));
                assert_eq!(
                    bundles.count() as u64,
                    size.div_ceil(256),
                    "no stale partial files"
                );
            }
        }
    }

    #[tokio::test]
    async fn a_folder_of_another_log_is_not_continued() {
        for test in databases(Arc::new(Appender)).await {
            let log = Log::open(test.db.clone(), key(1), vec![]).await.unwrap();
            append_many(&test.db, 10).await;
            log.sign().await.unwrap();
            for (size, name) in [(5, "another history"), (20, "a longer log")] {
                let folder = tempfile::tempdir().unwrap();
                crate::audit::testing::HandMade::new(size).write(folder.path());
                let error = export(&test.db, folder.path()).await.unwrap_err();
                let expected = match error {
                    AuditError::Rewritten { size, .. } => size == 5,
                    AuditError::Ahead { theirs, .. } => theirs == 20,
                    _ => false,
                };
                assert!(expected, "{name} on {}", test.name);
            }
        }
    }
}
