//! Files that are written whole or not at all, in folders that are made on the way.

use std::path::Path;

use crate::ExperimentError;
use crate::error::cannot_write;

/// Makes the folder, then writes the file whole or not at all.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), ExperimentError> {
    make_folder(path.parent().unwrap_or_else(|| Path::new(".")))?;
    Ok(tidegate_data::write_atomically(path, bytes)?)
}

/// Makes a folder and those above it.
pub(crate) fn make_folder(folder: &Path) -> Result<(), ExperimentError> {
    std::fs::create_dir_all(folder).map_err(cannot_write(folder))
}
