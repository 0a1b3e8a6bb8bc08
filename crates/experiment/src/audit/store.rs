//! The audit of a run, beside its other files.

use std::path::{Path, PathBuf};

use tidegate_report::AuditStatus;

use super::{AuditOptions, AuditReport, audit_experiment};
use crate::ExperimentError;
use crate::observer::Observer;
use crate::pipeline::{default_directory, load};
use crate::resolve::ResolvedExperiment;
use crate::run_directory::RunDirectory;

/// The name of the file in a run's folder.
pub(crate) const AUDIT_FILE: &str = "audit.json";

/// Audits an experiment and writes `audit.json` into its run directory; the report of a run that lies there says so from then on.
///
/// # Errors
/// As [`audit_experiment`]; also when the data cannot be read or the file cannot be written.
pub fn audit_and_store(
    experiment: &ResolvedExperiment,
    options: &AuditOptions,
    observer: &dyn Observer,
) -> Result<(PathBuf, AuditReport), ExperimentError> {
    let folder = options.run.out.clone().unwrap_or_else(|| default_directory(experiment));
    let directory = RunDirectory::new(folder)?;
    let dataset = load(experiment, observer)?;
    let report = audit_experiment(experiment, &dataset, options, observer)?;
    directory.write_audit(&report)?;
    Ok((directory.path().join(AUDIT_FILE), report))
}

/// Returns what the audit in a run's folder says of a config and its data; one of another config, data or version says nothing.
pub(crate) fn stored_status(folder: &Path, config_hash: &str, data_hash: &str) -> AuditStatus {
    let stored = std::fs::read(folder.join(AUDIT_FILE)).ok();
    let stored: Option<AuditReport> = stored.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let is_of_this = |report: &AuditReport| {
        (report.config_hash.as_str(), report.data_hash.as_str()) == (config_hash, data_hash)
            && report.version == env!("CARGO_PKG_VERSION")
    };
    match stored.filter(is_of_this) {
        None => AuditStatus::NotRun,
        Some(report) if report.leak.is_some() => AuditStatus::Failed,
        Some(report) => AuditStatus::Passed { cuts: report.cuts.len() as u64 },
    }
}
