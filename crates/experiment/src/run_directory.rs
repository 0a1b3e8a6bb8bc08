//! The files of a run: written whole, in a fixed order, the manifest last.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidegate_data::Table;
use tidegate_report::RunReport;

use crate::ExperimentError;
use crate::audit::{AUDIT_FILE, AuditReport, stored_status};
use crate::dataset::Dataset;
use crate::error::{cannot_read, cannot_write};
use crate::files::{make_folder, write_atomically};
use crate::forecasting::{ForecastOutcome, MEMBERS_FILE, member_file, member_list};
use crate::pipeline::Computed;
use crate::resolve::ResolvedExperiment;
use crate::tables::{self, Naming};

/// Raised when the meaning of a run's files changes.
pub(crate) const RUN_FORMAT: u32 = 2;

/// A run's folder.
#[derive(Debug, Clone)]
pub struct RunDirectory {
    path: PathBuf,
}

/// What says that a run is finished, and of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) format: u32,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) config_hash: String,
    pub(crate) data_hash: String,
    /// The hash of the bars alone.
    pub(crate) bars_hash: String,
    pub(crate) seed: u64,
    pub(crate) version: String,
    pub(crate) build: String,
    pub(crate) device: String,
    /// The hash of each result file.
    pub(crate) files: std::collections::BTreeMap<String, String>,
}

/// What no result depends on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Circumstances {
    pub(crate) wall_seconds: f64,
    /// Where the paths of the config start.
    pub(crate) strategy_folder: PathBuf,
}

/// A finished run, read back.
#[derive(Debug, Clone)]
pub struct StoredRun {
    /// The content of `metrics.json`.
    pub metrics: serde_json::Value,
    /// What the report shows.
    pub report: RunReport,
}

impl RunDirectory {
    /// Makes the folder, so that one that cannot be written is known before anything is computed.
    ///
    /// # Errors
    /// When the folder cannot be made or written to.
    pub fn new(path: PathBuf) -> Result<Self, ExperimentError> {
        make_folder(&path)?;
        let probe = path.join(".writable");
        std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe)).map_err(cannot_write(&path))?;
        Ok(Self { path })
    }

    /// Returns the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the stored result when the folder holds a finished, undamaged run of this config, data and build.
    pub fn finished(&self, experiment: &ResolvedExperiment, dataset: &Dataset, device: &str) -> Option<StoredRun> {
        let manifest: Manifest = serde_json::from_slice(&std::fs::read(self.path.join("manifest.json")).ok()?).ok()?;
        let expected = Manifest { files: manifest.files.clone(), ..manifest_of(experiment, dataset, device).ok()? };
        let intact = manifest == expected
            && manifest.files.iter().all(|(name, hash)| {
                std::fs::read(self.path.join(name)).is_ok_and(|bytes| blake3::hash(&bytes).to_hex().as_str() == hash)
            });
        if !intact {
            return None;
        }
        let metrics = serde_json::from_slice(&std::fs::read(self.path.join("metrics.json")).ok()?).ok()?;
        Some(StoredRun { metrics, report: read_report(&self.path).ok()? })
    }

    /// Writes every file of a run; the manifest, which says that the run is finished, comes last.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(
        &self,
        experiment: &ResolvedExperiment,
        computed: &Computed,
        metrics: &serde_json::Value,
        report: &RunReport,
        facts: &RunFacts<'_>,
    ) -> Result<(), ExperimentError> {
        self.unfinish()?;
        let naming = naming(experiment, &computed.dataset);
        let journal = &computed.journal;
        let config = toml::to_string(&experiment.config).map_err(internal)?;
        self.put("config.toml", config.as_bytes())?;
        self.put("metrics.json", pretty(metrics)?.as_bytes())?;
        self.put_table("equity.parquet", &tables::equity(journal, naming)?)?;
        self.put_table("trades.parquet", &tables::trades(journal, naming)?)?;
        self.put_table("orders.parquet", &tables::orders(journal, naming)?)?;
        self.put_table("fills.parquet", &tables::fills(journal, naming)?)?;
        self.put_table("positions.parquet", &tables::positions(journal, naming)?)?;
        self.put_table("cash_flows.parquet", &tables::cash_flows(journal, naming)?)?;
        self.put_table("corporate_actions.parquet", &tables::corporate_actions(journal, naming)?)?;
        let forecasts = match &computed.walk_forward {
            Some(outcome) => tables::statements(&outcome.statements, naming)?,
            None => tables::forecasts(&computed.forecasts, naming)?,
        };
        self.put_table("forecasts.parquet", &forecasts)?;
        if let Some(outcome) = &computed.walk_forward {
            self.write_models(outcome)?;
        }
        self.put("report.json", pretty(report)?.as_bytes())?;
        self.put("report.html", tidegate_report::html(report)?.as_bytes())?;
        self.put("timings.json", pretty(&circumstances(experiment, facts)?)?.as_bytes())?;
        self.finish(experiment, &computed.dataset, facts.device)
    }

    /// Writes what a walk-forward made, without a backtest.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write_training(
        &self,
        experiment: &ResolvedExperiment,
        dataset: &Dataset,
        outcome: &ForecastOutcome,
        scores: &serde_json::Value,
    ) -> Result<(), ExperimentError> {
        self.unfinish()?;
        let config = toml::to_string(&experiment.config).map_err(internal)?;
        self.put("config.toml", config.as_bytes())?;
        self.put("forecast_scores.json", pretty(scores)?.as_bytes())?;
        let naming = naming(experiment, dataset);
        self.put_table("forecasts.parquet", &tables::statements(&outcome.statements, naming)?)?;
        self.write_models(outcome)
    }

    /// Writes an audit, and writes the report of a finished run that lies here again, with what the audit says of it.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn write_audit(&self, audit: &AuditReport) -> Result<(), ExperimentError> {
        self.put(AUDIT_FILE, pretty(audit)?.as_bytes())?;
        let Ok(report) = read_report(&self.path) else { return Ok(()) };
        self.put("report.json", pretty(&report)?.as_bytes())?;
        self.put("report.html", tidegate_report::html(&report)?.as_bytes())
    }

    fn write_models(&self, outcome: &ForecastOutcome) -> Result<(), ExperimentError> {
        for fold in &outcome.folds {
            let index = fold.fold.index;
            self.put(&format!("models/fold_{index:03}_scaler.json"), pretty(&fold.scaler)?.as_bytes())?;
            for (number, member) in fold.members.iter().enumerate() {
                self.put(&format!("models/{}", member_file(index, number)), &member.checkpoint)?;
            }
        }
        self.put(&format!("models/{MEMBERS_FILE}"), pretty(&member_list(&outcome.folds))?.as_bytes())
    }

    /// Takes an older run's files away, its manifest first: a run that is cut short must not be taken for a finished one, and
    /// nothing of another config may stay beside the new files. Files that a run does not write are left alone.
    fn unfinish(&self) -> Result<(), ExperimentError> {
        let models = std::fs::read_dir(self.path.join("models")).into_iter().flatten().filter_map(Result::ok);
        let is_ours = |name: &str| name.starts_with("fold_") || name == MEMBERS_FILE;
        let models = models.filter(|entry| is_ours(&entry.file_name().to_string_lossy()));
        let files =
            std::iter::once("manifest.json").chain(RESULT_FILES).chain(OTHER_FILES).map(|name| self.path.join(name));
        for file in files.chain(models.map(|entry| entry.path())) {
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(cannot_write(&file)(error)),
                _ => {}
            }
        }
        Ok(())
    }

    fn finish(&self, experiment: &ResolvedExperiment, dataset: &Dataset, device: &str) -> Result<(), ExperimentError> {
        let mut manifest = manifest_of(experiment, dataset, device)?;
        for name in RESULT_FILES {
            let path = self.path.join(name);
            let bytes = std::fs::read(&path).map_err(cannot_read(&path))?;
            manifest.files.insert(name.to_owned(), blake3::hash(&bytes).to_hex().to_string());
        }
        self.put("manifest.json", pretty(&manifest)?.as_bytes())
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), ExperimentError> {
        write_atomically(&self.path.join(name), bytes)
    }

    fn put_table(&self, name: &str, table: &Table) -> Result<(), ExperimentError> {
        Ok(table.write(&self.path.join(name))?)
    }
}

/// The files whose bytes depend on config, data, seed and build alone.
const RESULT_FILES: [&str; 10] = [
    "config.toml",
    "metrics.json",
    "equity.parquet",
    "trades.parquet",
    "orders.parquet",
    "fills.parquet",
    "positions.parquet",
    "cash_flows.parquet",
    "corporate_actions.parquet",
    "forecasts.parquet",
];

/// The files that also show how many trials the study had, or how long something took.
const OTHER_FILES: [&str; 4] = ["report.json", "report.html", "timings.json", "forecast_scores.json"];

/// How a run was made, as opposed to what it computed.
pub struct RunFacts<'a> {
    /// The device that networks trained on.
    pub device: &'a str,
    /// How long it took.
    pub elapsed: Duration,
}

/// Reads the report of a finished run.
///
/// # Errors
/// When the folder is not a finished run's.
pub fn read_report(run_dir: &Path) -> Result<RunReport, ExperimentError> {
    let path = run_dir.join(if run_dir.join("manifest.json").exists() { "report.json" } else { "manifest.json" });
    let bytes = std::fs::read(&path).map_err(|source| ExperimentError::File {
        action: "cannot read",
        path: path.clone(),
        source,
        hint: "\nhint: name the run directory that `tidegate run` printed",
    })?;
    let damaged = |error: serde_json::Error| ExperimentError::Damaged {
        path: path.clone(),
        reason: error.to_string(),
        hint: "run the experiment again",
    };
    let mut report: RunReport = serde_json::from_slice(&bytes).map_err(damaged)?;
    let manifest = std::fs::read(run_dir.join("manifest.json")).ok();
    if let Some(manifest) = manifest.and_then(|bytes| serde_json::from_slice::<Manifest>(&bytes).ok()) {
        report.header.audit = stored_status(run_dir, &manifest.config_hash, &manifest.data_hash);
    }
    Ok(report)
}

const fn naming<'a>(experiment: &ResolvedExperiment, dataset: &'a Dataset) -> Naming<'a> {
    Naming { symbols: dataset.symbols.as_slice(), interval: experiment.data.interval, fill: experiment.backtest.fill }
}

/// Returns what no result depends on: how long the run took, and the folder that the config's paths start from.
fn circumstances(experiment: &ResolvedExperiment, facts: &RunFacts<'_>) -> Result<Circumstances, ExperimentError> {
    // The folder of a bare file name is an empty path.
    let folder = Path::new(".").join(&experiment.folder);
    let folder = std::path::absolute(&folder).map_err(cannot_read(&folder))?;
    Ok(Circumstances { wall_seconds: facts.elapsed.as_secs_f64(), strategy_folder: folder })
}

fn manifest_of(experiment: &ResolvedExperiment, dataset: &Dataset, device: &str) -> Result<Manifest, ExperimentError> {
    Ok(Manifest {
        format: RUN_FORMAT,
        name: experiment.name.clone(),
        description: experiment.description.clone(),
        config_hash: experiment.config_hash.clone(),
        data_hash: dataset.input_hash(experiment)?,
        bars_hash: dataset.hash.clone(),
        seed: experiment.seed,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        build: if cfg!(feature = "libtorch") { "with libtorch" } else { "without libtorch" }.to_owned(),
        device: device.to_owned(),
        files: std::collections::BTreeMap::new(),
    })
}

fn pretty(value: &impl Serialize) -> Result<String, ExperimentError> {
    let mut text = serde_json::to_string_pretty(value).map_err(internal)?;
    text.push('\n');
    Ok(text)
}

fn internal(error: impl std::fmt::Display) -> ExperimentError {
    ExperimentError::Internal(error.to_string())
}
