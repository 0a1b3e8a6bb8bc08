//! The one file in a zip archive.

use std::io::{Cursor, Read};
use std::path::Path;

use zip::ZipArchive;

use crate::DataError;
use crate::nearest::listed;

/// Tells whether bytes start like a zip archive, empty ones included.
pub(crate) fn is_zip(bytes: &[u8]) -> bool {
    [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"].iter().any(|magic| bytes.starts_with(*magic))
}

/// Unpacks the only file of an archive and checks its sum.
pub(crate) fn only_file(path: &Path, bytes: &[u8]) -> Result<Vec<u8>, DataError> {
    let damaged = |reason: String| DataError::Damaged { path: path.to_owned(), format: "zip", reason };
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(error.to_string()))?;
    let names: Vec<String> = archive.file_names().filter(|name| !name.ends_with('/')).map(str::to_owned).collect();
    let [name] = names.as_slice() else {
        let found = if names.is_empty() { "none".to_owned() } else { listed(names.iter().map(String::as_str)) };
        return Err(DataError::Archive { path: path.to_owned(), found });
    };
    let mut file = archive.by_name(name).map_err(|error| damaged(error.to_string()))?;
    let mut unpacked = Vec::new();
    file.read_to_end(&mut unpacked).map_err(|error| damaged(error.to_string()))?;
    Ok(unpacked)
}
