//! Files written whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::DataError;

/// Writes a file whole or not at all: beside it under another name, synced to the disk, then renamed.
///
/// # Errors
/// [`DataError::Write`] when the system refuses; what was there before stays as it was.
pub fn write_atomically(path: &Path, content: &[u8]) -> Result<(), DataError> {
    let beside = beside(path);
    write_and_rename(path, &beside, content).map_err(|source| {
        // The error that matters is the first; a leftover beside is harmless.
        let _ = fs::remove_file(&beside);
        DataError::Write { path: path.to_owned(), source }
    })
}

fn write_and_rename(path: &Path, beside: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::create(beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(beside, path)
}

/// Two processes that write the same file do not share the name beside it.
pub(crate) fn beside(path: &Path) -> PathBuf {
    path.with_file_name(format!("{}{}{ENDING}", beside_stem(path), std::process::id()))
}

/// The ending of a file that is being written.
const ENDING: &str = ".tmp";

fn beside_stem(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    format!(".{name}.")
}

/// Removes what processes that no longer exist left of a file; a system that does not list its processes keeps it.
pub(crate) fn remove_leftovers(path: &Path) {
    let processes = Path::new("/proc");
    let stem = beside_stem(path);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let Ok(entries) = fs::read_dir(folder) else { return };
    if !processes.join("self").exists() {
        return;
    }
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix(&stem).and_then(|rest| rest.strip_suffix(ENDING));
        if process.is_some_and(|process| process.parse::<u32>().is_ok() && !processes.join(process).exists()) {
            // One that cannot be removed is harmless.
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("a.json");
        write_atomically(&path, b"old").expect("written");
        write_atomically(&path, b"new").expect("written");
        assert_eq!(fs::read(&path).expect("there"), b"new");
        assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 1);
    }

    #[test]
    fn an_unwritable_place_is_named() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("none").join("a.json");
        let error = write_atomically(&path, b"new").expect_err("no such folder").to_string();
        assert_eq!(error, format!("cannot write `{}`: No such file or directory (os error 2)", path.display()));
    }

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("a");
        fs::create_dir(&path).expect("made");
        assert!(write_atomically(&path, b"new").is_err());
        assert!(path.is_dir());
        assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 1);
    }
}
