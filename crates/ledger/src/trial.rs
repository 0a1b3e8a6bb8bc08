//! Trials, on their way into the ledger and out of it.

use serde::Serialize;

use crate::MetricSetId;

/// What makes a trial the same trial: the content of its config and of its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrialKey {
    /// The first 64 bits of the config's hash.
    pub config_hash: u64,
    /// The first 64 bits of the hash of the bars and of whatever else is read from files.
    pub data_hash: u64,
}

impl TrialKey {
    /// Reads both hashes, each of 16 hexadecimal digits; `None` when one is not.
    pub fn from_hex(config_hash: &str, data_hash: &str) -> Option<Self> {
        Some(Self { config_hash: hash_from_hex(config_hash)?, data_hash: hash_from_hex(data_hash)? })
    }
}

fn hash_from_hex(text: &str) -> Option<u64> {
    let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

/// Which command evaluated a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A single run.
    Run,
    /// A sweep.
    Sweep,
    /// A training without a backtest.
    Train,
    /// A choice of parameters in a training window.
    WalkForward,
    /// A ledger of an earlier version, which said no more than the Sharpe ratio.
    Imported,
}

impl Source {
    /// Returns the word that the file holds.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Sweep => "sweep",
            Self::Train => "train",
            Self::WalkForward => "walk_forward",
            Self::Imported => "imported",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Run, Self::Sweep, Self::Train, Self::WalkForward, Self::Imported]
            .into_iter()
            .find(|source| source.name() == name)
    }
}

/// What the trials of a batch have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The command that evaluated them.
    pub source: Source,
    /// The program that evaluated them, such as a version with a commit; results of another build are not taken for its own.
    pub build: &'a str,
    /// What they were measured by.
    pub metrics: MetricSetId,
}

/// An evaluated trial, to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialRecord {
    /// What it evaluated.
    pub key: TrialKey,
    /// The seed of its config.
    pub seed: u64,
    /// The values of the swept keys as a JSON object; empty for a run of a file as it is.
    pub values: String,
    /// Its metrics in the order of the metric set, NaN where undefined; empty when it failed.
    pub metrics: Vec<f64>,
    /// When it was recorded, in nanoseconds since 1970.
    pub recorded_at_ns: i64,
    /// How long it took, in nanoseconds.
    pub elapsed_ns: u64,
    /// Why it has no result; `None` when it has one.
    pub failure: Option<String>,
}

/// A trial as the ledger holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTrial {
    /// Its place in the order in which trials were first recorded, from 1.
    pub number: u64,
    /// What it evaluated.
    pub key: TrialKey,
    /// The seed of its config; `None` when it was imported.
    pub seed: Option<u64>,
    /// The command that evaluated it.
    pub source: Source,
    /// The build that evaluated it; empty when it was imported.
    pub build: String,
    /// When its result was recorded, in nanoseconds since 1970; `None` when it was imported.
    pub recorded_at_ns: Option<i64>,
    /// How long it took, in nanoseconds; `None` when it was imported.
    pub elapsed_ns: Option<u64>,
    /// Why it has no result; `None` when it has one.
    pub failure: Option<String>,
    /// The values of the swept keys as a JSON object; empty for a run of a file as it is.
    pub values: String,
    /// Its metrics in the order that was asked for; `None` where undefined or not measured.
    pub metrics: Vec<Option<f64>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_sixteen_hexadecimal_digits() {
        let key = TrialKey::from_hex("00000000000000ff", "ffffffffffffffff").expect("two hashes");
        assert_eq!(key, TrialKey { config_hash: 255, data_hash: u64::MAX });
        for wrong in ["", "ff", "+0000000000000ff", "00000000000000fg", "00000000000000fff"] {
            assert_eq!(TrialKey::from_hex(wrong, "0000000000000000"), None, "{wrong}");
        }
    }

    #[test]
    fn a_source_reads_back_from_its_name() {
        for source in [Source::Run, Source::Sweep, Source::Train, Source::WalkForward, Source::Imported] {
            assert_eq!(Source::from_name(source.name()), Some(source));
            assert_eq!(serde_json::to_string(&source).expect("a word"), format!("\"{}\"", source.name()));
        }
    }
}
