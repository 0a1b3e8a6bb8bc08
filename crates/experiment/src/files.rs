//! Files that are written whole or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::ExperimentError;
use crate::error::cannot_write;

/// Writes beside, syncs, renames; makes the folders on the way.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), ExperimentError> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    make_folder(folder)?;
    let beside = temporary_beside(path);
    let written = std::fs::File::create(&beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|error| {
        // The half-written file is of no use to anyone; that it cannot be removed either changes nothing.
        let _ = std::fs::remove_file(&beside);
        cannot_write(path)(error)
    })
}

/// Makes a folder and those above it.
pub(crate) fn make_folder(folder: &Path) -> Result<(), ExperimentError> {
    std::fs::create_dir_all(folder).map_err(cannot_write(folder))
}

/// Names a file beside another that no second process uses.
fn temporary_beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.{:?}.tmp", std::process::id(), std::thread::current().id()));
    path.with_file_name(name)
}
