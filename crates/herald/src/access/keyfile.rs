//! Files that only their owner may read.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be made or read.
    #[error("The key file {} cannot be used: {error}.", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Its content is no key.
    #[error("The key file {} does not hold {expected}.", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
    },
}

/// Reads the file, or makes it with what `make` returns. Readable by others is mended, not refused: a restored backup
/// must start.
pub(super) fn read_or_make(path: &Path, make: impl FnOnce() -> String) -> Result<String, KeyFileError> {
    let at = |error| KeyFileError::Io { path: path.to_owned(), error };
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            let content = make();
            file.write_all(content.as_bytes()).and_then(|()| file.write_all(b"\n")).map_err(at)?;
            // What is sealed with it is durable at once, so the key must be too: the file, and its name in the folder.
            file.sync_all().map_err(at)?;
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(at)?;
            }
            Ok(content)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let content = fs::read_to_string(path).map_err(at)?;
            if fs::metadata(path).map_err(at)?.mode() & 0o077 != 0 {
                tracing::warn!(path = %path.display(), "access.key_file_was_readable_by_others");
                fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(at)?;
            }
            Ok(content.trim().to_owned())
        }
        Err(error) => Err(at(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        assert_eq!(read_or_make(&path, || "one".into()).unwrap(), "one");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(read_or_make(&path, || "two".into()).unwrap(), "one");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert!(read_or_make(&folder.path().join("no/folder"), || "x".into()).is_err());
    }
}
