//! What can go wrong with a ledger, by file and with the next step.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// A ledger that cannot be read or written. Whatever was recorded before is still there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The study's folder cannot be made, or a file in it cannot be read or renamed.
    #[error("cannot {action} `{path}`: {source}\nhint: choose a folder you may write to with `--out DIR`")]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// The file or its folder does not let itself be written.
    #[error(
        "cannot write the trial ledger `{path}`: {reason}; every trial recorded before is kept\nhint: make the file and its folder writable, or choose another folder with `--out DIR`"
    )]
    NotWritable {
        /// The ledger.
        path: PathBuf,
        /// What the database said.
        reason: String,
    },
    /// There is no room for the batch.
    #[error(
        "cannot write the trial ledger `{path}`: {reason}; every trial recorded before is kept\nhint: free space on that disk and run the same command again"
    )]
    Full {
        /// The ledger.
        path: PathBuf,
        /// What the database said.
        reason: String,
    },
    /// Another process did not let go of the file in time.
    #[error(
        "the trial ledger `{path}` has been locked by another process for {seconds} seconds\nhint: run the same command again when that process is done"
    )]
    Busy {
        /// The ledger.
        path: PathBuf,
        /// How long was waited.
        seconds: u64,
    },
    /// The file's content is broken. It is not written to.
    #[error(
        "the trial ledger `{path}` is damaged: {reason}; nothing was written to it\nhint: bring back a copy, or save what `sqlite3 {path} .recover` still reads and move the file away to start a new count"
    )]
    Damaged {
        /// The ledger.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The file is something else. It is not written to.
    #[error(
        "`{path}` is not a trial ledger: {reason}; nothing was written to it\nhint: move the file away to start a new count, or choose another folder with `--out DIR`"
    )]
    NotALedger {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A newer program made the file. It is not written to.
    #[error(
        "the trial ledger `{path}` has schema version {found}, and this program knows versions up to {known}; nothing was written to it\nhint: use the newer tidegate that made it"
    )]
    Newer {
        /// The ledger.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that can be read.
        known: i64,
    },
    /// There is no ledger to read.
    #[error(
        "there is no trial ledger `{path}`\nhint: `tidegate study list` shows the studies; `tidegate run` and `tidegate sweep` make one"
    )]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A line of the ledger of an earlier version is broken.
    #[error(
        "`{path}` is damaged: line {line}: {reason}\nhint: the trial count would be wrong; mend the line, or move the file away to start a new count"
    )]
    Import {
        /// The file of lines.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What was found.
        reason: String,
    },
    /// A metric that cannot be a column.
    #[error("a metric's name must {rule}, was `{name}`")]
    MetricName {
        /// The name.
        name: String,
        /// What it must be.
        rule: &'static str,
    },
    /// A metric that no trial was measured by.
    #[error("no trial of `{path}` has the metric `{name}`\nhint: it has {known}")]
    UnknownMetric {
        /// The ledger.
        path: PathBuf,
        /// What was asked for.
        name: String,
        /// The metrics that it has.
        known: String,
    },
    /// A trial with more or fewer metrics than its set.
    #[error("a trial must have the {expected} metrics of its set, or none and a failure; had {found}")]
    MetricCount {
        /// The size of the set.
        expected: usize,
        /// What the trial had.
        found: usize,
    },
    /// Any other answer of the database.
    #[error(
        "the trial ledger `{path}`: {reason}\nhint: every trial recorded before is kept; run the same command again"
    )]
    Database {
        /// The ledger.
        path: PathBuf,
        /// What the database said.
        reason: String,
    },
}

impl LedgerError {
    /// Sorts an answer of the database.
    pub(crate) fn of(path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        let reason = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::Busy { path, seconds: crate::open::PATIENCE.as_secs() }
            }
            Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => Self::Full { path, reason: write_failure(error) },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                Self::NotWritable { path, reason }
            }
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { path, reason },
            Some(ErrorCode::NotADatabase) => Self::NotALedger { path, reason },
            _ => match error {
                rusqlite::Error::InvalidColumnType(..) | rusqlite::Error::FromSqlConversionFailure(..) => {
                    Self::Damaged { path, reason }
                }
                _ => Self::Database { path, reason },
            },
        }
    }
}

/// A failed read or write of the operating system is mostly a disk or a quota that is full.
fn write_failure(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full".to_owned(),
        _ => format!("{error}, as when a disk or a quota is full"),
    }
}
