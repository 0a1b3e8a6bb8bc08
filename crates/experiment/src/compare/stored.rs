//! A finished run as a comparison reads it.

use std::path::Path;

use tidegate_market::Timestamp;
use tidegate_report::ComparedRun;

use crate::ExperimentError;
use crate::compare::config::{Flat, flat};
use crate::explain::damaged;
use crate::explain::run_files::RunFiles;

/// What is compared of a run.
pub(super) struct Stored {
    pub(super) facts: ComparedRun,
    /// The content of `metrics.json`.
    pub(super) metrics: serde_json::Value,
    pub(super) config: Flat,
    pub(super) periods_per_year: f64,
    pub(super) risk_free_rate: f64,
    pub(super) time: Vec<Timestamp>,
    pub(super) equity: Vec<f64>,
}

impl Stored {
    /// # Errors
    /// When the folder is no finished run's, or a file in it is missing or was changed.
    pub(super) fn read(number: usize, run_dir: &Path) -> Result<Self, ExperimentError> {
        finished(run_dir)?;
        let files = RunFiles::open(run_dir)?;
        let config = flat(&files.config_text()?).map_err(|reason| damaged(&files.place("config.toml"), reason))?;
        let place = files.place("metrics.json");
        let metrics: serde_json::Value = serde_json::from_slice(&files.unchanged("metrics.json")?)
            .map_err(|error| damaged(&place, error.to_string()))?;
        let table = files.table("equity.parquet")?;
        let (time, equity) = (table.times("time")?, table.floats("equity")?);
        let (Some(&first_bar), Some(&last_bar)) = (time.first(), time.last()) else {
            return Err(damaged(&files.place("equity.parquet"), "it has no row".to_owned()));
        };
        let execution = &metrics["execution"];
        let number_of = |key: &str| {
            let missing = || damaged(&place, format!("it has no number `execution.{key}`"));
            execution[key].as_f64().ok_or_else(missing)
        };
        let text_of = |key: &str| config.get(key).and_then(|value| value.as_str()).unwrap_or("?").to_owned();
        Ok(Self {
            periods_per_year: number_of("periods_per_year")?,
            risk_free_rate: number_of("risk_free_rate")?,
            facts: ComparedRun {
                number,
                run_dir: run_dir.to_owned(),
                name: files.name().to_owned(),
                config_hash: files.config_hash().to_owned(),
                data_hash: files.data_hash().to_owned(),
                bars_hash: files.bars_hash().to_owned(),
                seed: files.seed(),
                interval: text_of("data.interval"),
                fill: execution["fill"].as_str().unwrap_or("?").to_owned(),
                first_bar,
                last_bar,
                bars: time.len(),
            },
            metrics,
            config,
            time,
            equity,
        })
    }
}

/// Tells a folder that is no run's from a run that was not finished.
fn finished(run_dir: &Path) -> Result<(), ExperimentError> {
    let has = |name: &str| run_dir.join(name).exists();
    if has("manifest.json") {
        return Ok(());
    }
    let shown = run_dir.display();
    let message = if has("forecast_scores.json") {
        format!(
            "`{shown}` holds what `tidegate train` wrote, which has no returns\nhint: trade its forecasts with `tidegate backtest`"
        )
    } else if has("config.toml") || has("metrics.json") {
        format!(
            "`{shown}` holds a run that was not finished: it has no `manifest.json`\nhint: run the experiment again"
        )
    } else {
        let reason = if run_dir.is_dir() { "it has no `manifest.json`" } else { "there is no such folder" };
        format!("`{shown}` is not a run directory: {reason}\nhint: name the run directory that `tidegate run` printed")
    };
    Err(ExperimentError::Sample(message))
}
