//! What a sweep found: one row per trial, the best of them, and how much of it is luck.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tidegate_data::{Column, Table};
use tidegate_ledger::TrialRecord;
use tidegate_metrics::{Performance, SharpeStatistics, Trials, sample_variance};

use super::SweepPlan;
use crate::ExperimentError;
use crate::files::write_atomically;
use crate::ledger::{now_ns, saturated_ns, trial_key};
use crate::measure::Measured;

/// The most trials that the terminal shows.
const TRIALS_SHOWN: usize = 10;

/// One combination and what came of it.
#[derive(Debug, Clone)]
pub struct TrialRow {
    /// Its number.
    pub index: usize,
    /// The values of the swept keys, in their order.
    pub values: Vec<toml::Value>,
    /// What came of it.
    pub value: TrialValue,
}

/// What came of a combination.
#[derive(Debug, Clone)]
pub enum TrialValue {
    /// It ran.
    Ran {
        /// The hash of its config.
        config_hash: String,
        /// The hash of its data.
        data_hash: String,
        /// The metrics of `metrics.json`'s `performance`, and the counts of `execution`.
        metrics: Vec<(&'static str, Option<f64>)>,
        /// The Sharpe ratio of one period with its moments; `None` when undefined.
        sharpe: Option<SharpeStatistics>,
        /// How long it took.
        elapsed: Duration,
    },
    /// Its values do not go together, or it failed.
    Skipped(String),
}

impl TrialRow {
    pub(super) fn new(
        plan: &SweepPlan,
        index: usize,
        config_hash: String,
        data_hash: String,
        result: Result<Measured, ExperimentError>,
        elapsed: Duration,
    ) -> Self {
        let value = match result {
            Err(error) => TrialValue::Skipped(error.to_string()),
            Ok(measured) => TrialValue::Ran {
                config_hash,
                data_hash,
                metrics: trial_metrics(&measured),
                sharpe: SharpeStatistics::of(&measured.returns, &measured.options),
                elapsed,
            },
        };
        Self { index, values: plan.values(index), value }
    }

    pub(super) fn skipped(plan: &SweepPlan, index: usize, reason: String) -> Self {
        Self { index, values: plan.values(index), value: TrialValue::Skipped(reason) }
    }

    /// Returns what the ledger keeps; nothing of a combination that did not run.
    pub(super) fn ledger_entry(
        &self,
        plan: &SweepPlan,
        base_seed: u64,
    ) -> Option<Result<TrialRecord, ExperimentError>> {
        let TrialValue::Ran { config_hash, data_hash, metrics, elapsed, .. } = &self.value else { return None };
        let swept = || plan.keys().zip(&self.values);
        let seed = swept().find(|(key, _)| *key == "seed").and_then(|(_, value)| value.as_integer());
        Some(trial_key(config_hash, data_hash).map(|key| TrialRecord {
            key,
            seed: seed.map_or(base_seed, |seed| seed as u64),
            values: Value::Object(swept().map(|(key, value)| (key.to_owned(), json!(value))).collect()).to_string(),
            metrics: metrics.iter().map(|(_, value)| value.unwrap_or(f64::NAN)).collect(),
            recorded_at_ns: now_ns(),
            elapsed_ns: saturated_ns(*elapsed),
            failure: None,
        }))
    }

    fn metric(&self, name: &str) -> Option<f64> {
        match &self.value {
            TrialValue::Skipped(_) => None,
            TrialValue::Ran { metrics, .. } => metrics.iter().find(|(key, _)| *key == name)?.1,
        }
    }

    fn sharpe(&self) -> Option<SharpeStatistics> {
        match &self.value {
            TrialValue::Skipped(_) => None,
            TrialValue::Ran { sharpe, .. } => *sharpe,
        }
    }
}

/// The counts that stand beside the performance metrics.
const COUNTS: [&str; 6] = ["final_equity", "trades", "commission", "slippage", "turnover", "exposure"];

/// The metrics of which the best trial has the least; losses are negative, so of them the largest is best.
const SMALLER_IS_BETTER: [&str; 6] =
    ["volatility", "max_drawdown_periods", "kurtosis", "commission", "slippage", "turnover"];

/// Returns the names of everything a trial is measured by.
pub(super) fn metric_names() -> Vec<&'static str> {
    Performance::default().entries().into_iter().map(|(name, _)| name).chain(COUNTS).collect()
}

/// Returns everything a trial is measured by.
pub(crate) fn trial_metrics(measured: &Measured) -> Vec<(&'static str, Option<f64>)> {
    let execution = &measured.execution;
    let counts = [
        Some(execution.final_equity),
        Some(execution.trades.number_of_trades as f64),
        Some(execution.commission),
        Some(execution.slippage),
        execution.turnover,
        execution.exposure,
    ];
    measured.performance.entries().into_iter().chain(COUNTS.into_iter().zip(counts)).collect()
}

/// A finished sweep.
#[derive(Debug)]
pub struct SweepOutcome {
    /// Where its files are.
    pub folder: PathBuf,
    /// The content of `sweep.json`.
    pub summary: Value,
    rows: Vec<TrialRow>,
    keys: Vec<String>,
    objective: String,
    /// Trials by rank, best first; those without the objective last.
    ranking: Vec<usize>,
}

impl SweepOutcome {
    pub(super) fn new(
        folder: PathBuf,
        plan: &SweepPlan,
        rows: Vec<TrialRow>,
        counted: u64,
        periods_per_year: f64,
    ) -> Result<Self, ExperimentError> {
        let objective = plan.objective.clone();
        let ran = rows.iter().filter_map(|row| match &row.value {
            TrialValue::Ran { metrics, .. } => Some(metrics),
            TrialValue::Skipped(_) => None,
        });
        let names: Vec<&'static str> = ran.clone().next().into_iter().flatten().map(|(name, _)| *name).collect();
        if let Some(reason) = rows.iter().find_map(|row| match &row.value {
            TrialValue::Skipped(reason) if names.is_empty() => Some(reason),
            _ => None,
        }) {
            return Err(ExperimentError::Sweep(format!(
                "no combination of the grid could run; the first says: {reason}"
            )));
        }
        let mut ranking: Vec<usize> = (0..rows.len()).collect();
        let sign = if SMALLER_IS_BETTER.contains(&objective.as_str()) { -1.0 } else { 1.0 };
        let key = |index: usize| rows[index].metric(&objective).map_or(f64::NEG_INFINITY, |value| sign * value);
        ranking.sort_by(|&a, &b| key(b).total_cmp(&key(a)).then(a.cmp(&b)));
        let keys = plan.keys().map(str::to_owned).collect();
        let mut outcome = Self { folder, summary: Value::Null, rows, keys, objective, ranking };
        outcome.summary = outcome.summarise(counted, periods_per_year);
        Ok(outcome)
    }

    fn summarise(&self, counted: u64, periods_per_year: f64) -> Value {
        let best =
            self.ranking.first().map(|&index| &self.rows[index]).filter(|row| row.metric(&self.objective).is_some());
        let skipped = self.rows.iter().filter(|row| matches!(row.value, TrialValue::Skipped(_))).count();
        let undefined = self.rows.iter().filter(|row| row.metric(&self.objective).is_none()).count() - skipped;
        let sharpes: Vec<f64> = self.rows.iter().filter_map(|row| Some(row.sharpe()?.sharpe_ratio)).collect();
        let deflated = best.and_then(TrialRow::sharpe).and_then(|statistics| {
            statistics.deflated(&Trials { count: counted, sharpe_ratio_variance: sample_variance(&sharpes)? })
        });
        json!({
            "objective": self.objective,
            "combinations": self.rows.len(),
            "skipped": skipped,
            "objective_undefined": undefined,
            "trials_in_study": counted,
            "best": best.map(|row| self.describe(row)),
            "statistics": {
                "deflated_sharpe_ratio": deflated,
                "sharpe_ratio_standard_deviation": sample_variance(&sharpes).map(|v| (v * periods_per_year).sqrt()),
            },
        })
    }

    fn describe(&self, row: &TrialRow) -> Value {
        let values: Map<String, Value> =
            self.keys.iter().cloned().zip(row.values.iter().map(|value| json!(value))).collect();
        let metrics: Map<String, Value> = match &row.value {
            TrialValue::Skipped(_) => Map::new(),
            TrialValue::Ran { metrics, .. } => {
                metrics.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect()
            }
        };
        json!({ "trial": row.index, "values": values, "metrics": metrics })
    }

    pub(super) fn write(&self) -> Result<(), ExperimentError> {
        self.table()?.write(&self.folder.join("trials.parquet"))?;
        let mut text = serde_json::to_string_pretty(&self.summary)
            .map_err(|error| ExperimentError::Internal(error.to_string()))?;
        text.push('\n');
        write_atomically(&self.folder.join("sweep.json"), text.as_bytes())
    }

    fn table(&self) -> Result<Table, ExperimentError> {
        let mut columns: Vec<(String, Column)> =
            vec![("trial".to_owned(), Column::Int(self.rows.iter().map(|row| row.index as i64).collect()))];
        for (place, key) in self.keys.iter().enumerate() {
            columns.push((key.clone(), value_column(self.rows.iter().map(|row| &row.values[place]))));
        }
        let names = self.rows.iter().find_map(|row| match &row.value {
            TrialValue::Ran { metrics, .. } => Some(metrics.iter().map(|(name, _)| *name).collect::<Vec<_>>()),
            TrialValue::Skipped(_) => None,
        });
        for name in names.unwrap_or_default() {
            let values = self.rows.iter().map(|row| row.metric(name)).collect();
            columns.push((name.to_owned(), Column::OptionalFloat(values)));
        }
        let reason = |row: &TrialRow| match &row.value {
            TrialValue::Ran { .. } => String::new(),
            TrialValue::Skipped(reason) => reason.clone(),
        };
        columns.push(("skipped".to_owned(), Column::Text(self.rows.iter().map(reason).collect())));
        Ok(Table::new(columns)?)
    }
}

/// Numbers stay numbers; anything else becomes text.
fn value_column<'a>(values: impl Iterator<Item = &'a toml::Value> + Clone) -> Column {
    let float = |value: &toml::Value| value.as_float().or_else(|| value.as_integer().map(|value| value as f64));
    if let Some(values) = values.clone().map(toml::Value::as_integer).collect::<Option<Vec<i64>>>() {
        return Column::Int(values);
    }
    if let Some(values) = values.clone().map(float).collect::<Option<Vec<f64>>>() {
        return Column::Float(values);
    }
    Column::Text(values.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect())
}

impl fmt::Display for SweepOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |key: &str| self.summary[key].as_u64().unwrap_or(0);
        writeln!(
            f,
            "{} combinations, {} skipped, {} trials in this study\n",
            self.rows.len(),
            count("skipped"),
            count("trials_in_study")
        )?;
        let reasons = self.rows.iter().filter_map(|row| match &row.value {
            TrialValue::Skipped(reason) => Some((row.index, reason)),
            TrialValue::Ran { .. } => None,
        });
        for (index, reason) in reasons.take(1) {
            writeln!(f, "skipped, the first is trial {index}: {}\n", reason.lines().next().unwrap_or_default())?;
        }
        let short: Vec<&str> = self.keys.iter().map(|key| key.rsplit('.').next().unwrap_or(key)).collect();
        let mut columns = vec!["trial"];
        columns.extend(&short);
        let metrics = ["sharpe_ratio", "cagr", "max_drawdown", "trades"];
        let metrics =
            std::iter::once(self.objective.as_str()).chain(metrics.into_iter().filter(|name| *name != self.objective));
        let metrics: Vec<&str> = metrics.collect();
        columns.extend(&metrics);
        let widths: Vec<usize> = columns.iter().map(|name| name.len().max(9)).collect();
        let line = |cells: &[String]| -> String {
            cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}")).collect::<Vec<_>>().join("  ")
        };
        writeln!(f, "{}", line(&columns.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()))?;
        for &index in self.ranking.iter().take(TRIALS_SHOWN) {
            let row = &self.rows[index];
            if matches!(row.value, TrialValue::Skipped(_)) {
                continue;
            }
            let mut cells = vec![row.index.to_string()];
            cells
                .extend(row.values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
            cells.extend(
                metrics.iter().map(|name| row.metric(name).map_or_else(|| "n/a".to_owned(), |v| format!("{v:.4}"))),
            );
            writeln!(f, "{}", line(&cells))?;
        }
        let deflated = self.summary["statistics"]["deflated_sharpe_ratio"].as_f64();
        let deflated = deflated.map_or_else(|| "n/a".to_owned(), |value| format!("{value:.3}"));
        writeln!(
            f,
            "\ndeflated Sharpe ratio of the best: {deflated} (the chance that it beats the best of as many worthless trials)"
        )?;
        write!(f, "trials: {}", self.folder.join("trials.parquet").display())
    }
}
