//! From a path to the files behind it: one file, a folder, or a pattern with `*` and `?`.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::DataError;
use crate::nearest::did_you_mean;

/// How a file's bytes are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileFormat {
    /// Text, possibly under gzip or zstd, or alone in a zip archive.
    Csv,
    /// Parquet.
    Parquet,
}

const ENDINGS: [(&str, FileFormat); 8] = [
    (".csv", FileFormat::Csv),
    (".csv.gz", FileFormat::Csv),
    (".csv.zst", FileFormat::Csv),
    (".txt", FileFormat::Csv),
    (".txt.gz", FileFormat::Csv),
    (".zip", FileFormat::Csv),
    (".parquet", FileFormat::Parquet),
    (".pq", FileFormat::Parquet),
];

/// Returns a file's stem without its known ending, and its format; `None` for other endings.
pub(crate) fn stem_and_format(path: &Path) -> Option<(String, FileFormat)> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let lower = name.to_ascii_lowercase();
    let (ending, format) = ENDINGS.into_iter().find(|(ending, _)| lower.ends_with(ending))?;
    let stem = name[..name.len() - ending.len()].to_owned();
    (!stem.is_empty()).then_some((stem, format))
}

/// Returns the files behind a path, sorted by name.
pub(crate) fn files(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    if path.is_dir() {
        return known_files(path, list(path)?);
    }
    if path.exists() {
        if stem_and_format(path).is_none() {
            let expected = "`.csv`, `.csv.gz`, `.csv.zst`, `.txt`, `.txt.gz`, `.zip`, `.parquet` or `.pq`";
            return Err(DataError::Extension { path: path.to_owned(), expected });
        }
        return Ok(vec![path.to_owned()]);
    }
    if is_pattern(&path.to_string_lossy()) {
        return known_files(path, matches(path)?);
    }
    Err(DataError::NotFound { path: path.to_owned(), hint: beside(path) })
}

fn known_files(path: &Path, found: Vec<PathBuf>) -> Result<Vec<PathBuf>, DataError> {
    let files: Vec<PathBuf> =
        found.into_iter().filter(|file| file.is_file() && !hidden(file) && stem_and_format(file).is_some()).collect();
    if files.is_empty() {
        return Err(DataError::NoFiles { path: path.to_owned() });
    }
    Ok(files)
}

fn hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// Returns a folder's entries, sorted.
fn list(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let error = |source| DataError::Read { path: folder.to_owned(), source };
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(error)? {
        entries.push(entry.map_err(error)?.path());
    }
    entries.sort();
    Ok(entries)
}

/// Says what lies where a missing file was looked for.
fn beside(path: &Path) -> String {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return format!("; hint: the folder `{}` does not exist either", folder.display());
    }
    let names: Vec<String> = list(folder)
        .unwrap_or_default()
        .iter()
        .filter_map(|entry| entry.file_name().map(|name| name.to_string_lossy().into_owned()))
        .collect();
    let wanted = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    did_you_mean(&wanted, names.iter().map(String::as_str))
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Returns the paths that match a pattern, component by component, sorted.
fn matches(pattern: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        let text = component.as_os_str().to_string_lossy();
        if !matches!(component, Component::Normal(_)) || !is_pattern(&text) {
            for path in &mut found {
                path.push(component);
            }
            continue;
        }
        let mut next = Vec::new();
        for folder in found {
            let listed = if folder.as_os_str().is_empty() { Path::new(".") } else { folder.as_path() };
            if !listed.is_dir() {
                continue;
            }
            for entry in list(listed)? {
                let name = entry.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                if matches_name(text.as_bytes(), name.as_bytes()) {
                    next.push(folder.join(name));
                }
            }
        }
        found = next;
    }
    Ok(found)
}

/// Tells whether a name matches a pattern of `*` (any run) and `?` (any one byte).
fn matches_name(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.first(), name.first()) {
        (None, None) => true,
        (Some(b'*'), _) => matches_name(&pattern[1..], name) || (!name.is_empty() && matches_name(pattern, &name[1..])),
        (Some(b'?'), Some(_)) => matches_name(&pattern[1..], &name[1..]),
        (Some(wanted), Some(found)) => wanted == found && matches_name(&pattern[1..], &name[1..]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, name: &str, expected: bool) {
        assert_eq!(matches_name(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
    }

    #[test]
    fn a_star_matches_any_run_and_a_question_mark_one() {
        check("*.csv", "SPX.csv", true);
        check("B*-1h-*.csv", "BTC-1h-2020.csv", true);
        check("SP?.csv", "SPX.csv", true);
        check("SP?.csv", "SP.csv", false);
        check("*.csv", "SPX.csv.gz", false);
    }

    #[test]
    fn the_stem_loses_the_whole_ending() {
        assert_eq!(stem_and_format(Path::new("a/BRK.B.csv.gz")), Some(("BRK.B".to_owned(), FileFormat::Csv)));
        assert_eq!(stem_and_format(Path::new("a/notes.md")), None);
        assert_eq!(stem_and_format(Path::new("a/.csv")), None);
    }

    #[test]
    fn a_missing_file_offers_the_nearest_name() {
        let folder = tempfile::tempdir().expect("temporary folder");
        std::fs::write(folder.path().join("sp500_daily.csv"), "").expect("written");
        let path = folder.path().join("sp500_dialy.csv");
        let error = files(&path).expect_err("missing").to_string();
        assert_eq!(error, format!("no file or folder at `{}`; hint: did you mean `sp500_daily.csv`?", path.display()));
        let path = folder.path().join("none/x.csv");
        let error = files(&path).expect_err("missing").to_string();
        let parent = folder.path().join("none");
        let hint = format!("; hint: the folder `{}` does not exist either", parent.display());
        assert_eq!(error, format!("no file or folder at `{}`{hint}", path.display()));
    }

    #[test]
    fn a_pattern_finds_files_below_folders_in_order() {
        let folder = tempfile::tempdir().expect("temporary folder");
        for name in ["b/x.csv", "a/y.parquet", "a/notes.md"] {
            std::fs::create_dir_all(folder.path().join(name).parent().expect("has one")).expect("made");
            std::fs::write(folder.path().join(name), "").expect("written");
        }
        let found = files(&folder.path().join("*/*")).expect("two");
        assert_eq!(found, [folder.path().join("a/y.parquet"), folder.path().join("b/x.csv")]);
    }

    #[test]
    fn a_folder_without_data_and_an_unknown_ending_are_errors() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let notes = folder.path().join("notes.md");
        std::fs::write(&notes, "").expect("written");
        let error = files(folder.path()).expect_err("nothing known").to_string();
        let rule = "must hold files that end in `.csv`, `.csv.gz`, `.csv.zst`, `.zip` or `.parquet`, holds none";
        assert_eq!(error, format!("`{}` {rule}", folder.path().display()));
        let error = files(&notes).expect_err("unknown").to_string();
        let rule =
            "file name must end in `.csv`, `.csv.gz`, `.csv.zst`, `.txt`, `.txt.gz`, `.zip`, `.parquet` or `.pq`";
        assert_eq!(error, format!("{rule}, was `{}`", notes.display()));
    }
}
