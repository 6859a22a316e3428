//! Files that appear whole or not at all.

use std::{fs, io, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use super::CertError;

/// What to do where a file stands already.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Existing {
    /// Leave it and fail.
    Keep,
    /// Put the new one in its place, at once.
    Replace,
}

/// Writes a secret, readable by its owner only, durable when this returns.
///
/// # Errors
///
/// [`CertError::File`], also where the file exists and is to be kept.
pub fn write_secret(path: &Path, bytes: &[u8], existing: Existing) -> Result<(), CertError> {
    write_file(path, bytes, 0o600, existing)
}

/// Writes what everybody may read, otherwise as [`write_secret`].
pub(super) fn write_public(path: &Path, bytes: &[u8], existing: Existing) -> Result<(), CertError> {
    write_file(path, bytes, 0o644, existing)
}

fn write_file(path: &Path, bytes: &[u8], mode: u32, existing: Existing) -> Result<(), CertError> {
    let failed = |source| CertError::File {
        path: path.to_owned(),
        source,
    };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let draft = folder.join(format!(".{}.new", uuid::Uuid::new_v4().simple()));
    let result = write_draft(&draft, bytes, mode).and_then(|()| match existing {
        // A link refuses to take the place of a file, which a rename does not.
        Existing::Keep => fs::hard_link(&draft, path),
        Existing::Replace => fs::rename(&draft, path),
    });
    // After a rename there is no draft; after a failure none must stay.
    let _ = fs::remove_file(&draft);
    result.map_err(failed)?;
    fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed)
}

fn write_draft(draft: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(draft)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_is_private_and_never_overwritten_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        write_secret(&path, b"first", Existing::Keep).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );

        let refused = write_secret(&path, b"second", Existing::Keep);
        assert!(matches!(refused, Err(CertError::File { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"first");

        write_secret(&path, b"third", Existing::Replace).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"third");
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "a draft was left behind"
        );
    }
}
