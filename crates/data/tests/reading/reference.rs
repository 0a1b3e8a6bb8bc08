//! Real files: dirty, unadjusted, local. They are not part of the repository.
//!
//! `TIDEGATE_REFERENCE_DATA` names their folder; without it these tests pass with a note. The expected numbers come from other programs: counts from
//! a reading of the same files in Python, prices and results from the files' own publishers.

mod dirty;
mod lean;
mod sessions;
mod unadjusted;

use std::path::PathBuf;

use tidegate_data::{ColumnMapping, ReadOptions};
use tidegate_market::BarLabel;

/// Returns the path of a reference file, or nothing, said once, where there are none.
fn reference(name: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("TIDEGATE_REFERENCE_DATA") else {
        #[expect(clippy::print_stderr, reason = "a test that checks nothing says so")]
        {
            eprintln!("skipped: TIDEGATE_REFERENCE_DATA does not name a folder with `{name}`");
        }
        return None;
    };
    let path = PathBuf::from(folder).join(name);
    assert!(path.exists() || name.contains('*'), "`{}` is not there", path.display());
    Some(path)
}

fn every(interval: &str, label: BarLabel) -> ReadOptions {
    ReadOptions::new(interval.parse().expect("valid interval"), label)
}

/// Prices in ten-thousandths.
fn scaled() -> ColumnMapping {
    ColumnMapping { price_scale: Some(0.0001), ..ColumnMapping::default() }
}
