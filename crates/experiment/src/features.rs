//! `tidegate features`: the feature columns of an experiment as a file.

use std::path::Path;

use crate::ExperimentError;
use crate::config::ConfigSource;
use crate::dataset::Dataset;
use crate::resolve::ResolvedExperiment;

/// Computes the features of `[features]` on the data's own bars and writes them; returns the number of rows.
///
/// # Errors
/// When the config has no features, the data is wrong, or the file cannot be written.
pub fn write_features(source: &ConfigSource, out: &Path) -> Result<usize, ExperimentError> {
    let experiment = ResolvedExperiment::from_source(source)?;
    let Some(features) = &experiment.config.features else {
        return Err(source.error_at("features", "is missing: there is nothing to compute").into());
    };
    let dataset = Dataset::load(&experiment.data)?;
    let matrices = tidegate_features::compute_panel(&features.columns, &dataset.signal_bars, 1)?;
    let frame = tidegate_features::to_frame(&dataset.symbols, &dataset.signal_bars, &matrices)?;
    tidegate_features::write(&frame, out)?;
    Ok(matrices.iter().map(tidegate_market::FeatureMatrix::rows).sum())
}
