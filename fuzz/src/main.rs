//! Writes the seeds of all fuzzers into a folder, one below it for each.

use std::fs;
use std::path::{Path, PathBuf};

use fuzz::seeds::{self, Done, Seed};

fn main() -> Done<()> {
    let out: PathBuf = std::env::args_os().nth(1).ok_or("seeds FOLDER")?.into();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for Seed {
        target,
        name,
        bytes,
    } in seeds::all(&root)?
    {
        let folder = out.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}
