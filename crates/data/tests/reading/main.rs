//! Files to bars: what is read, and what is said of files that cannot be.

mod bundled;
mod corporate_actions;
mod layouts;
mod lean;
mod messages;
mod policies;
mod reference;
mod round_trip;
mod time_zones;

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use tidegate_data::{DataError, ReadOptions, SymbolBars};
use tidegate_market::BarLabel;
use zip::write::SimpleFileOptions;

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

    /// Adds a file below folders.
    fn add(&self, name: &str, content: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("made");
        fs::write(path, content).expect("written");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Returns an error's message without the folder.
    fn message(&self, error: &DataError) -> String {
        error.to_string().replace(&format!("{}/", self.0.path().display()), "")
    }
}

/// A zip archive of files of given names and contents.
fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        archive.start_file(*name, SimpleFileOptions::default()).expect("a new file");
        archive.write_all(content.as_bytes()).expect("in memory");
    }
    archive.finish().expect("in memory").into_inner()
}

fn daily() -> ReadOptions {
    ReadOptions::new("1d".parse().expect("valid interval"), BarLabel::Open)
}

fn read(path: &Path) -> Vec<SymbolBars> {
    tidegate_data::read(path, &daily()).expect("readable")
}
