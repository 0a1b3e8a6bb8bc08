//! A trained network made smaller, and what that costs on the validation block of its fold.

use std::path::PathBuf;

use crate::stored_model::ModelRequest;

/// How a network is made smaller.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Compression {
    /// Weights of eight bits.
    Int8,
    /// So large a fraction of the hidden values goes, and the rest is trained on.
    Prune(f64),
    /// A student of so many hidden values per layer and direction.
    Distil {
        /// The student's hidden values.
        hidden_size: usize,
        /// The teacher's part of the loss.
        share: f64,
    },
}

/// What is made smaller, and how.
#[derive(Debug, Clone)]
pub struct CompressRequest {
    /// The network.
    pub model: ModelRequest,
    /// The strategy that it was trained with, for a file of its own; for a run, where its data lie now.
    pub strategy: Option<PathBuf>,
    /// How.
    pub compression: Compression,
    /// How often speed is measured; the median counts.
    pub rounds: usize,
    /// The file to write.
    pub out: PathBuf,
}

/// One network as it was measured.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct MeasuredNetwork {
    /// What it is, such as `pruned`.
    pub name: String,
    /// The number of its weights.
    pub parameters: usize,
    /// The size of its file.
    pub bytes: usize,
    /// Its loss on the validation block, in standardized units.
    pub valid_loss: f64,
    /// Windows evaluated per second on one thread, the median over rounds.
    pub windows_per_second: f64,
    /// The slowest and the fastest round.
    pub windows_per_second_range: [f64; 2],
}

/// What a compression cost and brought.
#[derive(Debug, Clone, PartialEq)]
pub struct CompressOutcome {
    /// The fold whose validation block was used.
    pub fold: u32,
    /// Windows in that block.
    pub valid_windows: usize,
    /// The network before, then each step on the way to the one that was written.
    pub networks: Vec<MeasuredNetwork>,
    /// Windows per second through the GRU layers alone, in single precision and with weights of eight bits, where there are only
    /// GRU layers of one direction.
    pub kernel: Option<[f64; 2]>,
    /// The file that was written.
    pub out: PathBuf,
}

#[cfg(feature = "libtorch")]
mod steps;

#[cfg(feature = "libtorch")]
pub use self::steps::compress;

/// Refuses: networks are measured, trained on and distilled by libtorch.
///
/// # Errors
/// [`tidegate_models::ModelError::NeedsLibtorch`].
#[cfg(not(feature = "libtorch"))]
pub fn compress(
    _: &CompressRequest,
    _: &mut dyn FnMut() -> f64,
    _: &dyn crate::Observer,
) -> Result<CompressOutcome, crate::ExperimentError> {
    let hint = "compress with a build with default features";
    Err(tidegate_models::ModelError::NeedsLibtorch { what: "compressing a network".to_owned(), hint }.into())
}
