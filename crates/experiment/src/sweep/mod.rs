//! Many configs of one study: every combination of a grid, with what they share computed once.
//!
//! Data is read once per distinct `[data]`, forecasts are made once per distinct set of keys they depend on, and only then do
//! the backtests run, in parallel over shared read-only bars. A trial's result does not depend on which thread ran it.

mod grid;
mod outcome;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::*;
use tidegate_ledger::{Source, TrialRecord};
use tidegate_market::Forecast;

pub(crate) use outcome::trial_metrics;

pub use grid::{SweepPlan, SweepRequest};
pub use outcome::{SweepOutcome, TrialRow, TrialValue};

use crate::ExperimentError;
use crate::config::{ConfigSource, ExperimentConfig, StrategyConfig};
use crate::dataset::Dataset;
use crate::ledger::record;
use crate::measure::{Measured, measure};
use crate::observer::{Observer, Progress};
use crate::pipeline::{RunOptions, forecasts, in_pool, market, open_ledger, study_directory};
use crate::resolve::ResolvedExperiment;
use crate::trading::{StrategyInputs, read_inputs, trade, trade_benchmark};

/// What several trials share.
struct Shared {
    dataset: Arc<Dataset>,
    forecasts: Vec<Forecast>,
    inputs: StrategyInputs,
}

/// One combination, ready to run.
struct ReadyTrial {
    experiment: ResolvedExperiment,
    shared: Arc<Shared>,
}

/// Runs every combination and writes `trials.parquet` and `sweep.json`.
///
/// # Errors
/// When the grid is empty or too large, a key does not exist, the shared stages fail, or the observer cancelled.
pub fn run_sweep(
    source: &ConfigSource,
    request: &SweepRequest,
    options: &RunOptions,
    observer: &dyn Observer,
) -> Result<SweepOutcome, ExperimentError> {
    let base = ResolvedExperiment::from_source(source)?;
    let plan = SweepPlan::new(source, request)?;
    let folder = options.out.clone().unwrap_or_else(|| study_directory(&base).join("sweep"));
    crate::files::make_folder(&folder)?;
    let mut ledger = open_ledger(&base, options)?;
    let rows = in_pool(options.threads, || run_trials(source, &plan, options, observer))??;
    let trials = rows
        .iter()
        .filter_map(|row| row.ledger_entry(&plan, base.seed))
        .collect::<Result<Vec<TrialRecord>, ExperimentError>>()?;
    let counted = record(&mut ledger, Source::Sweep, &outcome::metric_names(), &trials)?.trials;
    let outcome = SweepOutcome::new(folder, &plan, rows, counted, base.data.periods_per_year)?;
    outcome.write()?;
    Ok(outcome)
}

fn run_trials(
    source: &ConfigSource,
    plan: &SweepPlan,
    options: &RunOptions,
    observer: &dyn Observer,
) -> Result<Vec<TrialRow>, ExperimentError> {
    let configs: Vec<Result<ResolvedExperiment, ExperimentError>> = (0..plan.len())
        .into_par_iter()
        .map(|index| ResolvedExperiment::from_config(source, plan.config(source, index)?))
        .collect();
    let mut sharing = Sharing::default();
    let mut ready = Vec::with_capacity(configs.len());
    for config in configs {
        ready.push(match config {
            Ok(experiment) => match sharing.prepare(experiment, options, observer) {
                Err(error) if error.is_cancelled() => return Err(error),
                prepared => prepared.map_err(|error| error.to_string()),
            },
            Err(error) => Err(error.to_string()),
        });
    }
    observer.notify(Progress::Stage { name: "running trials", steps: ready.len() as u64 });
    let rows = ready
        .par_iter()
        .enumerate()
        .map(|(index, trial)| {
            if observer.cancelled() {
                return Err(ExperimentError::Cancelled);
            }
            let row = match trial {
                Ok(trial) => {
                    let started = Instant::now();
                    let result = run_trial(trial);
                    TrialRow::new(
                        plan,
                        index,
                        trial.experiment.config_hash.clone(),
                        trial.shared.dataset.input_hash(&trial.experiment)?,
                        result,
                        started.elapsed(),
                    )
                }
                Err(reason) => TrialRow::skipped(plan, index, reason.clone()),
            };
            observer.notify(Progress::Step);
            Ok(row)
        })
        .collect::<Result<Vec<_>, _>>()?;
    observer.notify(Progress::StageDone);
    Ok(rows)
}

fn run_trial(trial: &ReadyTrial) -> Result<Measured, ExperimentError> {
    let ReadyTrial { experiment, shared } = trial;
    let market = market(experiment, &shared.dataset, &shared.forecasts)?;
    let journal = trade(experiment, &shared.dataset, &market, &shared.forecasts, &shared.inputs)?;
    let benchmark = trade_benchmark(&market, &experiment.backtest)?;
    measure(experiment, &journal, &benchmark)
}

/// What was computed already, by the keys it depends on.
#[derive(Default)]
struct Sharing {
    datasets: BTreeMap<String, Arc<Dataset>>,
    stages: BTreeMap<String, Arc<Shared>>,
}

impl Sharing {
    fn prepare(
        &mut self,
        experiment: ResolvedExperiment,
        options: &RunOptions,
        observer: &dyn Observer,
    ) -> Result<ReadyTrial, ExperimentError> {
        let config = &experiment.config;
        let data_key = json(&(&config.data, &config.account.currency, &config.instruments, &config.execution.detail))?;
        let stage_key = format!("{data_key}{}", forecast_key(&experiment.config)?);
        if let Some(shared) = self.stages.get(&stage_key) {
            return Ok(ReadyTrial { experiment, shared: Arc::clone(shared) });
        }
        let dataset = if let Some(dataset) = self.datasets.get(&data_key) {
            Arc::clone(dataset)
        } else {
            let dataset = Arc::new(Dataset::load(&experiment.data)?);
            self.datasets.insert(data_key, Arc::clone(&dataset));
            dataset
        };
        let (forecasts, _) = forecasts(&experiment, &dataset, options, observer)?;
        let inputs = read_inputs(&experiment, &dataset)?;
        let shared = Arc::new(Shared { dataset, forecasts, inputs });
        self.stages.insert(stage_key, Arc::clone(&shared));
        Ok(ReadyTrial { experiment, shared })
    }
}

/// The keys that forecasts depend on besides the data; the fill rule is one, because the target follows it.
fn forecast_key(config: &ExperimentConfig) -> Result<String, ExperimentError> {
    json(&(
        config.seed,
        &config.features,
        &config.target,
        (&config.walk_forward, &config.cross_validation),
        &config.model,
        &config.training,
        &config.forecasts,
        weights_path(config),
        config.execution.fill,
    ))
}

/// The file of weights, which is read once for all trials that share it.
fn weights_path(config: &ExperimentConfig) -> Option<&Path> {
    match &config.strategy {
        StrategyConfig::TargetWeights(weights) => Some(&weights.path),
        _ => None,
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, ExperimentError> {
    serde_json::to_string(value).map_err(|error| ExperimentError::Internal(error.to_string()))
}
