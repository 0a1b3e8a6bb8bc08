//! The trial ledger: every configuration a study ever evaluated, one line each, appended before the result is shown.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::ExperimentError;
use crate::error::{cannot_read, cannot_write};
use crate::files::make_folder;

/// One evaluated configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The hash of its config.
    pub config_hash: String,
    /// The hash of its data: the bars, and what else it reads from files.
    pub data_hash: String,
    /// Its Sharpe ratio per year; `None` when undefined.
    pub sharpe_ratio: Option<f64>,
}

/// A study's ledger: an append-only file of JSON lines.
#[derive(Debug, Clone)]
pub struct Ledger {
    path: PathBuf,
}

impl Ledger {
    /// Opens the ledger in a study's folder, which is made; the file is made by the first entry.
    ///
    /// # Errors
    /// When the folder cannot be made, or what the file holds is damaged.
    pub fn open(folder: &Path) -> Result<Self, ExperimentError> {
        make_folder(folder)?;
        let ledger = Self { path: folder.join("trials.jsonl") };
        ledger.trials()?;
        Ok(ledger)
    }

    #[cfg(test)]
    fn in_study(folder: &Path) -> Self {
        Self { path: folder.join("trials.jsonl") }
    }

    /// Appends trials that the ledger does not have yet, and returns all the different ones it then holds.
    ///
    /// # Errors
    /// When the file cannot be read or written, or a line is damaged.
    pub fn record(&self, trials: &[Trial]) -> Result<Vec<Trial>, ExperimentError> {
        let mut held = self.trials()?;
        let mut known: BTreeSet<(String, String)> = held.iter().map(identity).collect();
        let fresh: Vec<Trial> = trials.iter().filter(|trial| known.insert(identity(trial))).cloned().collect();
        if !fresh.is_empty() {
            self.append(&fresh)?;
            held.extend(fresh);
        }
        Ok(held)
    }

    /// Returns every trial in the order of evaluation. A last line without its end was torn by a crash and is not one.
    ///
    /// # Errors
    /// When the file cannot be read or a whole line is damaged.
    pub fn trials(&self) -> Result<Vec<Trial>, ExperimentError> {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(cannot_read(&self.path)(error)),
        };
        let parse = |(index, line): (usize, &str)| {
            serde_json::from_str(line).map_err(|error| ExperimentError::Damaged {
                path: self.path.clone(),
                reason: format!("line {}: {error}", index + 1),
                hint: "the trial count would be wrong; mend or move the file away to start a new count",
            })
        };
        let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
        whole.lines().enumerate().map(parse).collect()
    }

    fn append(&self, trials: &[Trial]) -> Result<(), ExperimentError> {
        let mut lines = String::new();
        for trial in trials {
            let line = serde_json::to_string(trial).map_err(|error| ExperimentError::Internal(error.to_string()))?;
            lines.push_str(&line);
            lines.push('\n');
        }
        self.cut_torn_line().map_err(cannot_write(&self.path))?;
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&self.path);
        // One write per batch: on a local disk an append of this kind is not torn apart by another process.
        file.and_then(|mut file| file.write_all(lines.as_bytes()).and_then(|()| file.sync_all()))
            .map_err(cannot_write(&self.path))
    }

    /// Cuts off what a crash left of a last line, so that the next one does not grow onto it.
    fn cut_torn_line(&self) -> std::io::Result<()> {
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        if whole == bytes.len() {
            return Ok(());
        }
        std::fs::OpenOptions::new().write(true).open(&self.path)?.set_len(whole as u64)
    }
}

fn identity(trial: &Trial) -> (String, String) {
    (trial.config_hash.clone(), trial.data_hash.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(config_hash: &str) -> Trial {
        Trial { config_hash: config_hash.to_owned(), data_hash: "d".to_owned(), sharpe_ratio: Some(0.5) }
    }

    #[test]
    fn the_same_trial_counts_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ledger = Ledger::in_study(folder.path());
        assert_eq!(ledger.record(&[trial("a"), trial("b"), trial("a")]).expect("writable").len(), 2);
        assert_eq!(ledger.record(&[trial("b"), trial("c")]).expect("writable").len(), 3);
        assert_eq!(ledger.trials().expect("readable"), [trial("a"), trial("b"), trial("c")]);
    }

    #[test]
    fn a_damaged_line_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ledger = Ledger::in_study(folder.path());
        ledger.record(&[trial("a")]).expect("writable");
        std::fs::write(folder.path().join("trials.jsonl"), "{\"config_hash\"\n").expect("writable");
        let error = ledger.record(&[trial("b")]).expect_err("damaged").to_string();
        assert!(error.contains("trials.jsonl` is damaged: line 1"), "{error}");
    }

    #[test]
    fn a_torn_last_line_is_cut_and_nothing_else_is_lost() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ledger = Ledger::in_study(folder.path());
        ledger.record(&[trial("a"), trial("b")]).expect("writable");
        let path = folder.path().join("trials.jsonl");
        let text = std::fs::read_to_string(&path).expect("readable");
        std::fs::write(&path, &text[..text.len() - 9]).expect("writable");
        assert_eq!(ledger.record(&[trial("c")]).expect("writable"), [trial("a"), trial("c")]);
        assert_eq!(ledger.trials().expect("whole lines"), [trial("a"), trial("c")]);
    }
}
