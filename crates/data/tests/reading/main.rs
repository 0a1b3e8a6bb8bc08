//! Files to bars: what is read, and what is said of files that cannot be.

mod bundled;
mod layouts;
mod messages;
mod policies;
mod round_trip;

use std::fs;
use std::path::{Path, PathBuf};

use tidegate_data::{DataError, ReadOptions, SymbolBars};
use tidegate_market::BarLabel;

/// A folder with files of given names and contents.
struct Folder(tempfile::TempDir);

impl Folder {
    fn with(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        for (name, content) in files {
            fs::write(folder.path().join(name), content).expect("written");
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Returns an error's message without the folder.
    fn message(&self, error: &DataError) -> String {
        error.to_string().replace(&format!("{}/", self.0.path().display()), "")
    }
}

fn daily() -> ReadOptions {
    ReadOptions::new("1d".parse().expect("valid interval"), BarLabel::Open)
}

fn read(path: &Path) -> Vec<SymbolBars> {
    tidegate_data::read(path, &daily()).expect("readable")
}
