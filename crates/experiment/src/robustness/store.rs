//! The check of a run, beside its other files.

use std::path::PathBuf;

use super::{RobustnessOptions, RobustnessReport, robustness};
use crate::ExperimentError;
use crate::files::write_atomically;
use crate::observer::Observer;
use crate::pipeline::{default_directory, load};
use crate::resolve::ResolvedExperiment;
use crate::run_directory::RunDirectory;

/// Checks the result of an experiment and writes `robustness.json` into its run directory.
///
/// # Errors
/// As [`robustness`]; also when the data cannot be read or the file cannot be written.
pub fn robustness_and_store(
    experiment: &ResolvedExperiment,
    options: &RobustnessOptions,
    observer: &dyn Observer,
) -> Result<(PathBuf, RobustnessReport), ExperimentError> {
    let folder = options.run.out.clone().unwrap_or_else(|| default_directory(experiment));
    let directory = RunDirectory::new(folder)?;
    let dataset = load(experiment, observer)?;
    let report = robustness(experiment, &dataset, options, observer)?;
    let path = directory.path().join("robustness.json");
    let mut text =
        serde_json::to_string_pretty(&report).map_err(|error| ExperimentError::Internal(error.to_string()))?;
    text.push('\n');
    write_atomically(&path, text.as_bytes())?;
    Ok((path, report))
}
