//! The members in a run's folder, under the key that says what they were trained from.
//!
//! With them a run is made again from its folder alone: on a machine without the cache, or by a build that cannot train.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tidegate_forecast::TrainingReport;

use super::{FoldOutcome, MemberOutcome};

/// The list's name in the folder of the models.
pub(crate) const MEMBERS_FILE: &str = "members.json";

/// What the list says of a member.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    file: String,
    checkpoint_hash: String,
    report: TrainingReport,
}

/// The members of a run by their keys.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunMembers {
    folder: PathBuf,
    entries: BTreeMap<String, Entry>,
}

impl RunMembers {
    /// Reads the list in a folder of models; none where there is no list that can be read.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        let entries = std::fs::read(folder.join(MEMBERS_FILE)).ok();
        let entries = entries.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { folder: folder.to_owned(), entries }
    }

    /// Returns a member's file, bytes and report when they are what was written.
    pub(crate) fn load(&self, key: &str) -> Option<(PathBuf, Vec<u8>, TrainingReport)> {
        let entry = self.entries.get(key)?;
        let path = self.folder.join(&entry.file);
        let checkpoint = std::fs::read(&path).ok()?;
        let is_whole = blake3::hash(&checkpoint).to_hex().as_str() == entry.checkpoint_hash;
        is_whole.then(|| (path, checkpoint, entry.report.clone()))
    }
}

/// Returns the name of a member's file.
pub(crate) fn member_file(fold: u32, member: usize) -> String {
    format!("fold_{fold:03}_member_{member:02}.safetensors")
}

/// Lists the members of all folds, to be written beside them.
pub(crate) fn member_list(folds: &[FoldOutcome]) -> impl Serialize + use<> {
    let entry = |fold: &FoldOutcome, number: usize, member: &MemberOutcome| {
        let checkpoint_hash = blake3::hash(&member.checkpoint).to_hex().to_string();
        let file = member_file(fold.fold.index, number);
        (member.key.clone(), Entry { file, checkpoint_hash, report: member.report.clone() })
    };
    let of_fold = |fold| {
        let members = (fold as &FoldOutcome).members.iter().enumerate();
        members.map(move |(number, member)| entry(fold, number, member)).collect::<Vec<_>>()
    };
    folds.iter().flat_map(of_fold).collect::<BTreeMap<String, Entry>>()
}
