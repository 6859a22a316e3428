//! How far a folder of bundles reaches, judged by names alone.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::audit::tile::{Resource, TILE_WIDTH};

/// How many entries the bundles in `folder`, named `path`, reach to.
pub(super) fn extent(folder: &Path, path: &str) -> io::Result<u64> {
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
pub(super) fn names(folder: &Path) -> io::Result<Vec<String>> {
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
