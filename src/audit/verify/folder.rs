//! A log as a folder of files, after C2SP tlog-tiles.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::scan::Slots;
use super::{Anchors, Finding, Options, Report, Source, Trust, anchor, verify_tree};
use crate::audit::error::AuditError;
use crate::audit::key::VerifierKey;
use crate::audit::merkle::Hash;
use crate::audit::note::Note;
use crate::audit::tile::{Resource, TILE_WIDTH, Tile, bundle_entries, tile_hashes};

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

/// How many entries the bundles in `folder`, named `path`, reach to.
fn extent(folder: &Path, path: &str) -> io::Result<u64> {
    let mut names = names(folder)?;
    // `x001` holds larger numbers than `999` beside it, `002` more than `002.p`.
    names.sort_by_cached_key(|name| (name.starts_with('x'), name.replace(".p", " ")));
    for name in names.into_iter().rev() {
        let (inner, path) = (folder.join(&name), format!("{path}/{name}"));
        let reached = if name.starts_with('x') {
            extent(&inner, &path)?
        } else if name.ends_with(".p") {
            let widths = self::names(&inner)?;
            let reached = widths.iter().map(|width| reach(&format!("{path}/{width}")));
            reached.max().unwrap_or(0)
        } else {
            reach(&path)
        };
        if reached > 0 {
            return Ok(reached);
        }
    }
    Ok(0)
}

fn reach(path: &str) -> u64 {
    match path.parse() {
        Ok(Resource::Entries(tile)) => tile.index * TILE_WIDTH + u64::from(tile.width),
        _ => 0,
    }
}

/// The names in a folder; none when there is no folder. Unfinished files are left out.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let names = entries.map(|entry| Ok(entry?.file_name().into_string().unwrap_or_default()));
    let names = names.collect::<io::Result<Vec<_>>>()?;
    Ok(names
        .into_iter()
        .filter(|name| !name.is_empty() && !name.ends_with(".new"))
        .collect())
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
