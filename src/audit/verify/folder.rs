//! A log as a folder of files, after C2SP tlog-tiles.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::extent::{extent, names};
use super::scan::Slots;
use super::{Anchors, Finding, Options, Report, Source, Trust, anchor, verify_tree};
use crate::audit::error::AuditError;
use crate::audit::key::VerifierKey;
use crate::audit::merkle::Hash;
use crate::audit::note::Note;
use crate::audit::tile::{TILE_WIDTH, Tile, bundle_entries, tile_hashes};

pub(super) fn verify(folder: &Path, options: &Options) -> Result<Report, AuditError> {
    let (key, trust) = match &options.vkey {
        Some(key) => (key.clone(), Trust::Key(key.to_string())),
        None => {
            let text = fs::read_to_string(folder.join("log.vkey"))?;
            (
                text.trim_end().parse::<VerifierKey>()?,
                Trust::SelfConsistent,
            )
        }
    };
    let mut bad = Vec::new();
    let mut anchors = Anchors::default();
    let mut signed = None;
    match read_note(&folder.join("checkpoint"), "checkpoint", &key)? {
        Ok(anchor) => {
            signed = Some(anchor.size());
            anchors.0.push(anchor);
        }
        Err(finding) => bad.push(finding),
    }
    for (size, path) in older_checkpoints(folder)? {
        match read_note(&path, &format!("checkpoints/{size}"), &key)? {
            Ok(anchor) => anchors.0.push(anchor),
            Err(finding) => bad.push(finding),
        }
    }
    for (place, note) in &options.since {
        match anchor(place, note, &key) {
            Ok(anchor) => anchors.0.push(anchor.brought()),
            Err(finding) => bad.push(finding),
        }
    }
    // A folder may hold more than its checkpoint covers: files come first.
    let present = extent(&folder.join("tile/entries"), "tile/entries")?;
    let size = signed.unwrap_or(present).min(present);
    let mut verified = verify_tree(
        &Folder {
            root: folder.to_owned(),
        },
        size,
        &anchors,
        &options.progress,
    )?;
    verified.findings.extend(bad);
    Ok(Report {
        origin: key.name().to_owned(),
        size,
        signed: signed.unwrap_or(0),
        root: verified.root,
        trust,
        since: verified.since,
        findings: verified.findings.into_iter().collect(),
    })
}

fn read_note(
    path: &Path,
    place: &str,
    key: &VerifierKey,
) -> Result<Result<super::Anchor, Finding>, AuditError> {
    let bad = |cause: String| Finding::BadCheckpoint {
        place: place.to_owned(),
        cause,
    };
    let Some(bytes) = read_if_there(path)? else {
        return Ok(Err(bad("it is missing".into())));
    };
    let Ok(text) = String::from_utf8(bytes) else {
        return Ok(Err(bad("not UTF-8".into())));
    };
    Ok(match text.parse::<Note>() {
        Ok(note) => anchor(place, &note, key),
        Err(cause) => Err(bad(cause.to_string())),
    })
}

fn older_checkpoints(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found: Vec<_> = names(&folder.join("checkpoints"))?
        .into_iter()
        .filter_map(|name| Some((name.parse().ok()?, folder.join("checkpoints").join(&name))))
        .collect();
    found.sort();
    Ok(found)
}

struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The file of a tile or bundle; in place of a partial one the full one will do.
    fn read(&self, tile: Tile, path: fn(&Tile) -> String) -> io::Result<Option<Vec<u8>>> {
        let exact = read_if_there(&self.root.join(path(&tile)))?;
        if exact.is_some() || !tile.is_partial() {
            return Ok(exact);
        }
        read_if_there(&self.root.join(path(&tile.full())))
    }
}

impl Source for Folder {
    fn entries(&self, tile: Tile, slots: &mut Slots) -> Result<(), AuditError> {
        let Some(bytes) = self.read(tile, Tile::entries_path)? else {
            return Ok(());
        };
        slots.bytes = bytes;
        let start = slots.bytes.as_ptr() as usize;
        let width = usize::from(tile.width);
        let mut whole = true;
        for entry in bundle_entries(&slots.bytes) {
            match entry {
                Ok(entry) => {
                    let from = entry.as_ptr() as usize - start;
                    slots.entries.push(Some(from..from + entry.len()));
                }
                Err(_) => whole = false,
            }
        }
        let count = slots.entries.len();
        let full_for_partial = tile.is_partial() && count == TILE_WIDTH as usize;
        if !whole || (count != width && !full_for_partial) {
            slots.entries.clear();
            slots.broken = Some(tile.entries_path());
        }
        Ok(())
    }

    fn hashes(&self, tile: Tile) -> Result<Option<Vec<Hash>>, AuditError> {
        let Some(bytes) = self.read(tile, Tile::path)? else {
            return Ok(None);
        };
        let full = tile_hashes(&bytes, TILE_WIDTH as u16);
        let hashes = tile_hashes(&bytes, tile.width).or(full);
        Ok(hashes
            .ok()
            .map(|hashes| hashes[..usize::from(tile.width)].to_vec()))
    }
}

fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::audit::checkpoint::Checkpoint;
    use crate::audit::entry::EntryError;
    use crate::audit::json::JsonError;
    use crate::audit::testing::{HandMade, entry, key};
    use crate::audit::verify::verify_folder;

    fn written(log: &HandMade) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        log.write(folder.path());
        folder
    }

    fn trusting() -> Options {
        Options {
            vkey: Some(key(1).verifier().clone()),
            ..Options::default()
        }
    }

    /// What is found after one file was changed.
    fn found(folder: &Path, path: &str, change: impl FnOnce(&mut Vec<u8>)) -> Vec<Finding> {
        let file = folder.join(path);
        let before = fs::read(&file).unwrap();
        let mut bytes = before.clone();
        change(&mut bytes);
        fs::write(&file, bytes).unwrap();
        let findings = verify_folder(folder, &trusting()).unwrap().findings;
        fs::write(file, before).unwrap();
        findings
    }

    fn flip(at: usize) -> impl FnOnce(&mut Vec<u8>) {
        move |bytes| bytes[at] ^= 1
    }

    fn altered_tile(path: &str) -> Vec<Finding> {
        vec![Finding::AlteredTile {
            path: path.to_owned(),
        }]
    }

    #[test]
    fn a_whole_folder_is_good_and_says_how_far_it_can_be_trusted() {
        for size in [0, 1, 255, 256, 257, 700] {
            let log = HandMade::new(size);
            let folder = written(&log);
            let report = verify_folder(folder.path(), &trusting()).unwrap();
            assert_eq!(report.findings, [], "size {size}");
            assert_eq!((report.size, report.signed), (size, size));
            assert_eq!(report.root, log.root(size as usize));
            assert_eq!(report.trust, Trust::Key(key(1).verifier().to_string()));
            let report = verify_folder(folder.path(), &Options::default()).unwrap();
            assert_eq!(
                (report.is_good(), report.trust),
                (true, Trust::SelfConsistent)
            );
            let other = Options {
                vkey: Some(key(2).verifier().clone()),
                ..Options::default()
            };
            let report = verify_folder(folder.path(), &other).unwrap();
            assert!(
                matches!(report.findings[..], [Finding::BadCheckpoint { .. }]),
                "size {size}"
            );
        }
    }

    #[test]
    fn one_changed_byte_is_named_where_it_is() {
        let log = HandMade::new(700);
        let folder = written(&log);
        let offset = |n: usize| {
            log.bodies[n / 256 * 256..n]
                .iter()
                .map(|b| b.len() + 2)
                .sum::<usize>()
        };
        let changed = |index: u64| vec![Finding::AlteredEntry { index }];
        let cases = [
            (
                "first entry",
                "tile/entries/000",
                offset(0) + 20,
                changed(0),
            ),
            (
                "an entry",
                "tile/entries/001",
                offset(300) + 50,
                changed(300),
            ),
            (
                "last entry",
                "tile/entries/002.p/188",
                offset(699) + 50,
                changed(699),
            ),
            (
                "a full tile",
                "tile/0/001",
                32 * 7,
                altered_tile("tile/0/001"),
            ),
            (
                "a partial tile",
                "tile/0/002.p/188",
                9,
                altered_tile("tile/0/002.p/188"),
            ),
            (
                "an upper tile",
                "tile/1/000.p/2",
                40,
                altered_tile("tile/1/000.p/2"),
            ),
            (
                "the length of an entry",
                "tile/entries/001",
                offset(300) + 1,
                vec![Finding::AlteredBundle {
                    path: "tile/entries/001".into(),
                }],
            ),
        ];
        for (name, path, at, expected) in cases {
            assert_eq!(found(folder.path(), path, flip(at)), expected, "{name}");
        }
        for at in [0, 25, 30, 60, 120] {
            let findings = found(folder.path(), "checkpoint", flip(at));
            assert!(
                matches!(findings[..], [Finding::BadCheckpoint { .. }]),
                "{at}: {findings:?}"
            );
        }
    }

    #[test]
    fn several_changes_are_all_named() {
        let log = HandMade::new(700);
        let folder = written(&log);
        let tile = folder.path().join("tile/1/000.p/2");
        let mut bytes = fs::read(&tile).unwrap();
        bytes[0] ^= 1;
        fs::write(tile, bytes).unwrap();
        let findings = found(folder.path(), "tile/entries/002.p/188", flip(9));
        let entry = Finding::AlteredEntry { index: 512 };
        assert_eq!(
            findings,
            [
                entry,
                Finding::AlteredTile {
                    path: "tile/1/000.p/2".into()
                }
            ]
        );
    }

    #[test]
    fn a_tree_of_three_tile_levels_names_changes_at_each() {
        let log = HandMade::new(66_000);
        let folder = written(&log);
        let path = folder.path();
        assert_eq!(verify_folder(path, &trusting()).unwrap().findings, []);
        let findings = found(path, "tile/entries/003", flip(60));
        assert_eq!(findings, [Finding::AlteredEntry { index: 768 }]);
        for tile in [
            "tile/1/000",
            "tile/1/001.p/1",
            "tile/2/000.p/1",
            "tile/0/200",
        ] {
            assert_eq!(found(path, tile, flip(5)), altered_tile(tile));
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let log = HandMade::new(700);
        let missing = |path: &str| Finding::MissingTile {
            path: path.to_owned(),
        };
        let cut = Finding::CutTail {
            present: 512,
            promised: 700,
            place: "checkpoint".into(),
        };
        let cases = [
            ("a tile", "tile/0/000", vec![missing("tile/0/000")]),
            (
                "a partial tile",
                "tile/0/002.p/188",
                vec![missing("tile/0/002.p/188")],
            ),
            (
                "an upper tile",
                "tile/1/000.p/2",
                vec![missing("tile/1/000.p/2")],
            ),
            (
                "a bundle within",
                "tile/entries/001",
                vec![Finding::MissingEntries {
                    first: 256,
                    last: 511,
                }],
            ),
            ("the last bundle", "tile/entries/002.p/188", vec![cut]),
        ];
        for (name, path, expected) in cases {
            let folder = written(&log);
            fs::remove_file(folder.path().join(path)).unwrap();
            let report = verify_folder(folder.path(), &trusting()).unwrap();
            assert_eq!(report.findings, expected, "{name}");
        }
    }

    #[test]
    fn a_history_signed_anew_with_the_true_key_fails_against_an_older_checkpoint() {
        let mut log = HandMade::new(700);
        let since = |size: usize, log: &HandMade| ("regulator".to_owned(), log.checkpoint(size));
        let with = |since| Options {
            since: vec![since],
            ..trusting()
        };
        let old = with(since(300, &log));
        let folder = written(&log);
        let report = verify_folder(folder.path(), &old).unwrap();
        assert_eq!((report.findings, report.since), (vec![], vec![300]));

        log.bodies[299] = entry(1_000_000).body().to_vec();
        let folder = written(&log);
        assert!(
            verify_folder(folder.path(), &trusting()).unwrap().is_good(),
            "whole by itself"
        );
        let rewritten = |place: &str| Finding::Rewritten {
            size: 300,
            place: place.into(),
        };
        let report = verify_folder(folder.path(), &old).unwrap();
        assert_eq!(
            (report.findings, report.since),
            (vec![rewritten("regulator")], vec![])
        );

        // An older checkpoint that lies in the folder itself tells as well.
        fs::create_dir(folder.path().join("checkpoints")).unwrap();
        let kept = &old.since[0].1;
        fs::write(folder.path().join("checkpoints/300"), kept.to_string()).unwrap();
        let report = verify_folder(folder.path(), &trusting()).unwrap();
        assert_eq!(report.findings, [rewritten("checkpoints/300")]);

        let older = written(&HandMade {
            bodies: log.bodies[..200].to_vec(),
        });
        let report = verify_folder(older.path(), &old).unwrap();
        let cut = Finding::CutTail {
            present: 200,
            promised: 300,
            place: "regulator".into(),
        };
        assert_eq!(report.findings, [cut]);
    }

    #[test]
    fn a_changed_history_under_an_old_checkpoint_is_rewritten() {
        let mut log = HandMade::new(700);
        let signed = log.checkpoint(700).to_string();
        log.bodies[5] = entry(1_000_000).body().to_vec();
        let folder = written(&log);
        fs::write(folder.path().join("checkpoint"), signed).unwrap();
        let report = verify_folder(folder.path(), &trusting()).unwrap();
        assert_eq!(
            report.findings,
            [Finding::Rewritten {
                size: 700,
                place: "checkpoint".into()
            }]
        );
    }

    #[test]
    fn entries_that_should_never_have_been_logged_are_named() {
        let mut log = HandMade::new(300);
        log.bodies[7].push(b' ');
        log.bodies[280] = log.bodies[9].clone();
        let id = serde_json::from_slice::<serde_json::Value>(&log.bodies[9]).unwrap()["id"].clone();
        let folder = written(&log);
        let report = verify_folder(folder.path(), &trusting()).unwrap();
        let cause = EntryError::Json(JsonError::Syntax);
        let expected = [
            Finding::DuplicateId {
                id: id.as_str().unwrap().to_owned(),
            },
            Finding::NotCanonical { index: 7, cause },
        ];
        assert_eq!(report.findings, expected);
    }

    #[test]
    fn a_forged_size_does_not_make_the_walk_endless() {
        let folder = written(&HandMade::new(10));
        let huge = Checkpoint::sign(&key(1), u64::MAX, &[0; 32])
            .unwrap()
            .to_string();
        fs::write(folder.path().join("checkpoint"), huge).unwrap();
        let report = verify_folder(folder.path(), &trusting()).unwrap();
        let place = "checkpoint".to_owned();
        assert_eq!(
            report.findings,
            [Finding::CutTail {
                present: 10,
                promised: u64::MAX,
                place
            }]
        );
    }
}
