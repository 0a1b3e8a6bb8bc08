//! What a study has tried: its trials listed, shown and exported from its ledger.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value};
use tidegate_data::{Column, Table, TimeKind};
use tidegate_ledger::{FILE_NAME, Ledger, LedgerError, Order, StoredTrial, TrialQuery};
use tidegate_market::Timestamp;

use crate::ExperimentError;
use crate::error::cannot_read;

/// How deep below the folder of runs a study may lie: `runs/<study>` or `runs/<file stem>/<study>`.
const DEPTH: usize = 2;

/// The metrics that a terminal shows beside the one that orders the trials.
const METRICS_SHOWN: [&str; 4] = ["sharpe_ratio", "cagr", "max_drawdown", "trades"];

/// A study in one line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StudySummary {
    /// Its folder.
    pub study: PathBuf,
    /// The different trials that were ever evaluated.
    pub trials: u64,
    /// Configurations that failed; they are no trials.
    pub failed: u64,
    /// The largest annual Sharpe ratio of them; null when none is defined.
    pub best_sharpe_ratio: Option<f64>,
    /// When a trial was recorded last; null when none says so.
    pub last_recorded_at: Option<Timestamp>,
    /// Why the ledger cannot be read; null when it can.
    pub problem: Option<String>,
}

/// Returns the studies below a folder in the order of their names; none when there is no such folder.
///
/// # Errors
/// When the folder cannot be read. A ledger that cannot be read is a study with a problem.
pub fn list_studies(runs: &Path) -> Result<Vec<StudySummary>, ExperimentError> {
    let mut ledgers = Vec::new();
    find_ledgers(runs, DEPTH, &mut ledgers)?;
    ledgers.sort();
    Ok(ledgers.iter().map(|path| summary_of(path)).collect())
}

fn find_ledgers(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), ExperimentError> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(cannot_read(folder))?,
    };
    for entry in entries {
        let path = entry.map_err(cannot_read(folder))?.path();
        if !path.is_dir() {
            continue;
        }
        if path.join(FILE_NAME).exists() {
            found.push(path.join(FILE_NAME));
        }
        if depth > 1 {
            find_ledgers(&path, depth - 1, found)?;
        }
    }
    Ok(())
}

fn summary_of(path: &Path) -> StudySummary {
    let study = path.parent().unwrap_or(path).to_owned();
    let read = || -> Result<StudySummary, LedgerError> {
        let ledger = Ledger::open_read_only(path)?;
        Ok(StudySummary {
            study: study.clone(),
            trials: ledger.count()?,
            failed: ledger.failed()?,
            best_sharpe_ratio: ledger.sharpe_ratios()?.into_iter().reduce(f64::max),
            last_recorded_at: ledger.last_recorded_at_ns()?.map(to_the_second),
            problem: None,
        })
    };
    read().unwrap_or_else(|error| StudySummary {
        study: study.clone(),
        trials: 0,
        failed: 0,
        best_sharpe_ratio: None,
        last_recorded_at: None,
        problem: Some(error.to_string()),
    })
}

fn to_the_second(nanos: i64) -> Timestamp {
    Timestamp::from_nanos(nanos - nanos.rem_euclid(1_000_000_000))
}

/// Which trials of a study are shown.
#[derive(Debug, Clone)]
pub struct StudyRequest {
    /// The study's folder, its ledger, or its name below the folder of runs.
    pub study: PathBuf,
    /// The folder of runs.
    pub runs: PathBuf,
    /// The metric that orders the trials.
    pub sort: String,
    /// Whether the smallest comes first.
    pub ascending: bool,
    /// How many are shown at most.
    pub limit: u64,
}

/// The first trials of a study by a metric.
#[derive(Debug, Clone, Serialize)]
pub struct StudyTrials {
    /// The study's folder.
    pub study: PathBuf,
    /// The different trials that were ever evaluated.
    pub trials: u64,
    /// Configurations that failed; they are no trials.
    pub failed: u64,
    /// The metric that orders the rows.
    pub sorted_by: String,
    /// The rows.
    pub rows: Vec<TrialLine>,
}

/// A trial as a command shows it.
#[derive(Debug, Clone, Serialize)]
pub struct TrialLine {
    /// Its place in the order in which trials were first recorded, from 1.
    pub number: u64,
    /// The hash of its config, as in the names of run directories.
    pub config_hash: String,
    /// The hash of its data.
    pub data_hash: String,
    /// The command that evaluated it.
    pub source: &'static str,
    /// The seed of its config; null when an earlier version recorded it.
    pub seed: Option<u64>,
    /// The build that evaluated it.
    pub build: String,
    /// When it was recorded; null when an earlier version did.
    pub recorded_at: Option<Timestamp>,
    /// Why it has no result; null when it has one.
    pub failure: Option<String>,
    /// The values of the swept keys.
    pub values: Map<String, Value>,
    /// Its metrics; null where undefined or not measured.
    pub metrics: Map<String, Value>,
}

impl TrialLine {
    fn new(trial: StoredTrial, names: &[String]) -> Self {
        let metrics = names.iter().cloned().zip(trial.metrics.into_iter().map(Value::from)).collect();
        Self {
            number: trial.number,
            config_hash: format!("{:016x}", trial.key.config_hash),
            data_hash: format!("{:016x}", trial.key.data_hash),
            source: trial.source.name(),
            seed: trial.seed,
            build: trial.build,
            recorded_at: trial.recorded_at_ns.map(to_the_second),
            failure: trial.failure,
            values: serde_json::from_str(&trial.values).unwrap_or_default(),
            metrics,
        }
    }
}

/// Returns the first trials of a study by a metric.
///
/// # Errors
/// When there is no such study, it cannot be read, or no trial was measured by the metric.
pub fn show_study(request: &StudyRequest) -> Result<StudyTrials, ExperimentError> {
    let ledger = Ledger::open_read_only(&ledger_path(&request.study, &request.runs))?;
    let metrics = ledger.metric_names()?;
    let sort = request.sort.clone();
    let order = if request.ascending { Order::Smallest(sort) } else { Order::Largest(sort) };
    let query = TrialQuery { metrics: metrics.clone(), order, limit: Some(request.limit) };
    Ok(StudyTrials {
        study: ledger.path().parent().unwrap_or(ledger.path()).to_owned(),
        trials: ledger.count()?,
        failed: ledger.failed()?,
        sorted_by: request.sort.clone(),
        rows: ledger.trials(&query)?.into_iter().map(|trial| TrialLine::new(trial, &metrics)).collect(),
    })
}

/// Takes a ledger, its folder, or the name of a study below the folder of runs.
fn ledger_path(study: &Path, runs: &Path) -> PathBuf {
    if study.is_file() {
        return study.to_owned();
    }
    let here = study.join(FILE_NAME);
    if here.exists() { here } else { runs.join(study).join(FILE_NAME) }
}

/// Writes every trial of a study, as first recorded, as CSV or Parquet, and returns how many there are.
///
/// Every swept key and every metric is a column.
///
/// # Errors
/// When there is no such study, it cannot be read, or the file cannot be written.
pub fn export_study(study: &Path, runs: &Path, out: &Path) -> Result<usize, ExperimentError> {
    let ledger = Ledger::open_read_only(&ledger_path(study, runs))?;
    let metrics = ledger.metric_names()?;
    let trials = ledger.trials(&TrialQuery { metrics: metrics.clone(), ..TrialQuery::default() })?;
    let table = table_of(trials, &metrics)?;
    table.write(out)?;
    Ok(table.rows())
}

fn table_of(mut trials: Vec<StoredTrial>, metrics: &[String]) -> Result<Table, ExperimentError> {
    let swept: Vec<Map<String, Value>> =
        trials.iter().map(|trial| serde_json::from_str(&trial.values).unwrap_or_default()).collect();
    let keys: BTreeSet<&String> = swept.iter().flat_map(Map::keys).collect();
    let time = |trial: &StoredTrial| trial.recorded_at_ns.map(to_the_second);
    let mut columns: Vec<(String, Column)> = vec![
        ("number".to_owned(), Column::Int(trials.iter().map(|trial| trial.number as i64).collect())),
        ("config_hash".to_owned(), hashes(trials.iter().map(|trial| trial.key.config_hash))),
        ("data_hash".to_owned(), hashes(trials.iter().map(|trial| trial.key.data_hash))),
        ("source".to_owned(), Column::Text(trials.iter().map(|trial| trial.source.name().to_owned()).collect())),
        ("seed".to_owned(), Column::OptionalInt(trials.iter().map(|trial| trial.seed.map(|s| s as i64)).collect())),
        ("recorded_at".to_owned(), Column::OptionalTime(trials.iter().map(time).collect(), TimeKind::Instant)),
    ];
    columns.extend(keys.into_iter().map(|key| (key.clone(), value_column(&swept, key))));
    for (place, name) in metrics.iter().enumerate() {
        let values = trials.iter().map(|trial| trial.metrics[place]).collect();
        columns.push((name.clone(), Column::OptionalFloat(values)));
    }
    let failures = trials.iter_mut().map(|trial| trial.failure.take().unwrap_or_default()).collect();
    columns.push(("failure".to_owned(), Column::Text(failures)));
    columns.push(("build".to_owned(), Column::Text(trials.into_iter().map(|trial| trial.build).collect())));
    Ok(Table::new(columns)?)
}

fn hashes(hashes: impl Iterator<Item = u64>) -> Column {
    Column::Text(hashes.map(|hash| format!("{hash:016x}")).collect())
}

/// Numbers stay numbers; anything else becomes text.
fn value_column(swept: &[Map<String, Value>], key: &str) -> Column {
    let values: Vec<Option<&Value>> = swept.iter().map(|values| values.get(key)).collect();
    let present = || values.iter().flatten();
    if present().all(|value| value.is_i64()) {
        return Column::OptionalInt(values.iter().map(|value| value.and_then(Value::as_i64)).collect());
    }
    if present().all(|value| value.is_number()) {
        return Column::OptionalFloat(values.iter().map(|value| value.and_then(Value::as_f64)).collect());
    }
    Column::OptionalText(values.into_iter().map(|value| value.map(plain)).collect())
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl fmt::Display for StudyTrials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} trials, {} failed", self.study.display(), self.trials, self.failed)?;
        let keys: BTreeSet<&String> = self.rows.iter().flat_map(|row| row.values.keys()).collect();
        let known = |name: &&str| self.rows.iter().any(|row| row.metrics.contains_key(*name));
        let others = METRICS_SHOWN.into_iter().filter(|name| *name != self.sorted_by).filter(known);
        let metrics: Vec<&str> = std::iter::once(self.sorted_by.as_str()).chain(others).collect();
        let short = keys.iter().map(|key| key.rsplit('.').next().unwrap_or(key));
        let header: Vec<String> = ["number", "config_hash", "source"]
            .into_iter()
            .chain(short)
            .chain(metrics.iter().copied())
            .map(str::to_owned)
            .collect();
        let cells = self.rows.iter().map(|row| {
            let values = keys.iter().map(|key| row.values.get(*key).map_or_else(String::new, plain));
            let metrics = metrics.iter().map(|name| {
                row.metrics
                    .get(*name)
                    .and_then(Value::as_f64)
                    .map_or_else(|| "n/a".to_owned(), |value| format!("{value:.4}"))
            });
            [row.number.to_string(), row.config_hash.clone(), row.source.to_owned()]
                .into_iter()
                .chain(values)
                .chain(metrics)
                .collect()
        });
        let lines: Vec<Vec<String>> = std::iter::once(header).chain(cells).collect();
        write!(f, "{}", aligned(&lines))
    }
}

/// Sets cells under each other, numbers and names to the right.
fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |line: &Vec<String>| {
        let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
        cells.join("  ")
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A table of studies for a terminal.
#[derive(Debug)]
pub struct StudyTable<'a>(pub &'a [StudySummary]);

impl fmt::Display for StudyTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["study", "trials", "failed", "best sharpe", "last"].map(str::to_owned).to_vec();
        let cells = self.0.iter().filter(|study| study.problem.is_none()).map(|study| {
            vec![
                study.study.display().to_string(),
                study.trials.to_string(),
                study.failed.to_string(),
                study.best_sharpe_ratio.map_or_else(|| "n/a".to_owned(), |value| format!("{value:.4}")),
                study.last_recorded_at.map_or_else(|| "n/a".to_owned(), |time| time.to_string()),
            ]
        });
        let lines: Vec<Vec<String>> = std::iter::once(header).chain(cells).collect();
        write!(f, "{}", aligned(&lines))
    }
}
