//! Trained members by the hash of everything they were trained from.
//!
//! An entry is the checkpoint's bytes and a sheet beside it with the training report and the checkpoint's own hash. An entry
//! that does not match its hash is damaged; it is reported and trained again, never used.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use tidegate_forecast::{EpochStore, ForecastError, TrainingReport};

use crate::ExperimentError;
use crate::files::write_atomically;

/// Checkpoints and training reports by their keys.
type MembersByKey = BTreeMap<String, (Vec<u8>, TrainingReport)>;

/// A folder of trained members; none when caching is off.
#[derive(Debug, Clone)]
pub struct ArtifactCache {
    folder: Option<PathBuf>,
    /// Members that are kept as long as this or a clone of it lives.
    memory: Option<Arc<Mutex<MembersByKey>>>,
}

/// What stands beside a cached checkpoint.
#[derive(Debug, Serialize, Deserialize)]
struct Sheet {
    checkpoint_hash: String,
    report: TrainingReport,
}

/// What the cache holds for a key.
#[derive(Debug)]
pub(crate) enum Cached {
    /// Nothing.
    Missing,
    /// A checkpoint and its report.
    Found {
        /// The checkpoint's file.
        path: PathBuf,
        /// Its bytes.
        checkpoint: Vec<u8>,
        /// How its training went.
        report: TrainingReport,
    },
    /// Something that is not what was written.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
}

impl ArtifactCache {
    /// Keeps members in a folder, which is made when first needed.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()), memory: None }
    }

    /// Keeps nothing.
    pub const fn off() -> Self {
        Self { folder: None, memory: None }
    }

    /// Returns this cache, or one in memory in place of none.
    pub(crate) fn or_in_memory(&self) -> Self {
        match self.folder {
            Some(_) => self.clone(),
            None => Self { folder: None, memory: Some(Arc::default()) },
        }
    }

    pub(crate) fn load(&self, key: &str) -> Cached {
        if let Some(memory) = &self.memory {
            let members = memory.lock().expect("no thread panics while it holds the members");
            return members.get(key).map_or(Cached::Missing, |(checkpoint, report)| Cached::Found {
                path: PathBuf::from("memory").join(key),
                checkpoint: checkpoint.clone(),
                report: report.clone(),
            });
        }
        let Some(folder) = &self.folder else { return Cached::Missing };
        let (checkpoint_path, sheet_path) = paths(folder, key);
        let (Ok(sheet), Ok(checkpoint)) = (std::fs::read(&sheet_path), std::fs::read(&checkpoint_path)) else {
            return Cached::Missing;
        };
        let sheet: Sheet = match serde_json::from_slice(&sheet) {
            Ok(sheet) => sheet,
            Err(error) => return Cached::Damaged { path: sheet_path, reason: error.to_string() },
        };
        let found = blake3::hash(&checkpoint).to_hex().to_string();
        if found != sheet.checkpoint_hash {
            let reason = format!("its hash must be `{}`, was `{found}`", sheet.checkpoint_hash);
            return Cached::Damaged { path: checkpoint_path, reason };
        }
        Cached::Found { path: checkpoint_path, checkpoint, report: sheet.report }
    }

    pub(crate) fn store(&self, key: &str, checkpoint: &[u8], report: &TrainingReport) -> Result<(), ExperimentError> {
        if let Some(memory) = &self.memory {
            let mut members = memory.lock().expect("no thread panics while it holds the members");
            members.insert(key.to_owned(), (checkpoint.to_vec(), report.clone()));
        }
        let Some(folder) = &self.folder else { return Ok(()) };
        let (checkpoint_path, sheet_path) = paths(folder, key);
        let sheet = Sheet { checkpoint_hash: blake3::hash(checkpoint).to_hex().to_string(), report: report.clone() };
        let sheet = serde_json::to_vec(&sheet).map_err(|error| ExperimentError::Internal(error.to_string()))?;
        write_atomically(&checkpoint_path, checkpoint)?;
        write_atomically(&sheet_path, &sheet)
    }

    /// Returns where the state of a member's training is kept between its epochs.
    pub(crate) fn unfinished(&self, key: &str) -> UnfinishedMember {
        UnfinishedMember { path: self.folder.as_ref().map(|folder| paths(folder, key).0.with_extension("unfinished")) }
    }
}

/// The state of a training that has not ended: one file, replaced as a whole after every epoch.
#[derive(Debug)]
pub(crate) struct UnfinishedMember {
    path: Option<PathBuf>,
}

impl UnfinishedMember {
    /// Takes the file away once the trained member is kept.
    pub(crate) fn remove(&self) {
        if let Some(path) = &self.path {
            // One that stays is overwritten or refused by a later training, never taken for its result.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl EpochStore for UnfinishedMember {
    fn load(&self) -> Option<Vec<u8>> {
        std::fs::read(self.path.as_ref()?).ok()
    }

    fn save(&self, _: usize, state: &[u8]) -> Result<(), ForecastError> {
        let Some(path) = &self.path else { return Ok(()) };
        write_atomically(path, state).map_err(|error| ForecastError::Model(error.to_string()))
    }

    fn keeps(&self) -> bool {
        self.path.is_some()
    }
}

fn paths(folder: &Path, key: &str) -> (PathBuf, PathBuf) {
    let entry = folder.join("members").join(&key[..2]).join(key);
    (entry.with_extension("checkpoint"), entry.with_extension("json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> TrainingReport {
        TrainingReport { parameters: 3, ..TrainingReport::default() }
    }

    #[test]
    fn what_was_stored_comes_back() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let cache = ArtifactCache::in_folder(folder.path());
        assert!(matches!(cache.load("abcd"), Cached::Missing));
        cache.store("abcd", b"weights", &report()).expect("writable");
        assert!(matches!(cache.load("abcd"), Cached::Found { checkpoint, .. } if checkpoint == b"weights"));
    }

    #[test]
    fn a_cache_in_memory_is_shared_by_its_clones_and_takes_the_place_of_none_alone() {
        let cache = ArtifactCache::off().or_in_memory();
        cache.clone().store("abcd", b"weights", &report()).expect("in memory");
        assert!(matches!(cache.load("abcd"), Cached::Found { checkpoint, .. } if checkpoint == b"weights"));
        assert!(matches!(ArtifactCache::off().load("abcd"), Cached::Missing));
        assert!(ArtifactCache::in_folder("somewhere").or_in_memory().memory.is_none());
    }

    #[test]
    fn a_training_finds_the_state_of_its_last_epoch_until_it_has_ended() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let unfinished = ArtifactCache::in_folder(folder.path()).unfinished("abcd");
        assert_eq!(unfinished.load(), None);
        unfinished.save(1, b"after one").expect("writable");
        unfinished.save(2, b"after two").expect("writable");
        assert_eq!(unfinished.load().as_deref(), Some(b"after two".as_slice()));
        unfinished.remove();
        assert_eq!(unfinished.load(), None);
        let off = ArtifactCache::off().unfinished("abcd");
        off.save(1, b"nowhere").expect("nothing to do");
        assert_eq!(off.load(), None);
        assert!(unfinished.keeps() && !off.keeps());
    }

    #[test]
    fn one_flipped_bit_is_noticed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let cache = ArtifactCache::in_folder(folder.path());
        cache.store("abcd", b"weights", &report()).expect("writable");
        std::fs::write(folder.path().join("members/ab/abcd.checkpoint"), b"weighti").expect("writable");
        assert!(matches!(cache.load("abcd"), Cached::Damaged { reason, .. } if reason.contains("hash must be")));
    }
}
