//! What trials share: data, features, models, forecasts, each computed once for all trials that agree in the keys they depend on.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tidegate_backtest::strategies::SharedAverages;
use tidegate_backtest::{Journal, Market};
use tidegate_market::Forecast;
use tidegate_search::Coordinate;

use super::plan::SweepPlan;
use super::template::{Section, Template};
use crate::ExperimentError;
use crate::config::{ConfigSource, ExperimentConfig, StrategyConfig};
use crate::dataset::Dataset;
use crate::observer::{Observer, Progress};
use crate::pipeline::{RunOptions, forecasts, market};
use crate::resolve::{ForecastSource, ResolvedExperiment};
use crate::trading::{StrategyInputs, read_inputs, trade_benchmark};

/// The most stages that are kept; more distinct sets of keys than this are prepared again when they come back.
const STAGES_MAX: usize = 256;

/// The most memory for the moving averages of one market.
const AVERAGES_BYTES_MAX: usize = 128 << 20;

/// What is computed before any trade.
pub(super) struct Shared {
    pub(super) dataset: Arc<Dataset>,
    pub(super) forecasts: Vec<Forecast>,
    pub(super) inputs: StrategyInputs,
    /// The hash of everything that is read.
    pub(super) input_hash: u64,
}

/// The trials that agree in every key but those of trading.
pub(super) struct Stage {
    pub(super) template: Template,
    pub(super) shared: Arc<Shared>,
    /// The market of the template's instruments.
    pub(super) market: Market,
    /// Buy-and-hold with the template's costs.
    pub(super) benchmark: Journal,
    /// The moving averages of that market, made when first asked for.
    pub(super) averages: SharedAverages,
}

/// What is known of the stages.
pub(super) struct Stages<'a> {
    source: &'a ConfigSource,
    unwritten: ConfigSource,
    plan: &'a SweepPlan,
    options: &'a RunOptions,
    observer: &'a dyn Observer,
    /// The section of each swept key; `None` for one that the stages depend on.
    sections: Vec<Option<Section>>,
    ready: BTreeMap<Vec<CoordinateKey>, Result<Arc<Stage>, String>>,
    datasets: BTreeMap<String, Arc<Dataset>>,
    shared: BTreeMap<String, Arc<Shared>>,
    prepared: u64,
}

/// A coordinate in a fixed order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct CoordinateKey(u8, u64);

impl From<Coordinate> for CoordinateKey {
    fn from(coordinate: Coordinate) -> Self {
        match coordinate {
            Coordinate::Choice(place) => Self(0, place as u64),
            Coordinate::Integer(value) => Self(1, value as u64),
            Coordinate::Float(value) => Self(2, value.to_bits()),
        }
    }
}

impl<'a> Stages<'a> {
    pub(super) fn new(
        source: &'a ConfigSource,
        plan: &'a SweepPlan,
        options: &'a RunOptions,
        observer: &'a dyn Observer,
    ) -> Self {
        let sections = plan.keys.iter().map(|key| Section::of(&key.key, &plan.base)).collect();
        Self {
            source,
            unwritten: source.unwritten(),
            plan,
            options,
            observer,
            sections,
            ready: BTreeMap::new(),
            datasets: BTreeMap::new(),
            shared: BTreeMap::new(),
            prepared: 0,
        }
    }

    /// Returns how many stages were prepared so far.
    pub(super) const fn prepared(&self) -> u64 {
        self.prepared
    }

    /// Returns the stage of a point, prepared now if it is the first of its stage; the inner error is why the trial is skipped.
    ///
    /// # Errors
    /// When the observer cancelled.
    pub(super) fn of(&mut self, point: &[Coordinate]) -> Result<Result<Arc<Stage>, String>, ExperimentError> {
        let key = self.key(point);
        if let Some(stage) = self.ready.get(&key) {
            return Ok(stage.clone());
        }
        // A point that breaks a rule says nothing of its stage.
        let resolved = self.plan.config(self.source, point);
        let experiment = match resolved.and_then(|config| ResolvedExperiment::from_config(&self.unwritten, config)) {
            Ok(experiment) => experiment,
            Err(error) => return Ok(Err(reason(&error))),
        };
        let stage = match self.prepare(experiment) {
            Err(error) if error.is_cancelled() => return Err(error),
            prepared => prepared.map(Arc::new).map_err(|error| reason(&error)),
        };
        self.prepared += 1;
        if self.ready.len() >= STAGES_MAX {
            self.ready.clear();
            self.shared.clear();
        }
        self.ready.insert(key, stage.clone());
        Ok(stage)
    }

    fn key(&self, point: &[Coordinate]) -> Vec<CoordinateKey> {
        let of_stage = self.sections.iter().zip(point).filter(|(section, _)| section.is_none());
        of_stage.map(|(_, coordinate)| CoordinateKey::from(*coordinate)).collect()
    }

    fn prepare(&mut self, experiment: ResolvedExperiment) -> Result<Stage, ExperimentError> {
        let shared = self.share(&experiment)?;
        let market = market(&experiment, &shared.dataset, &shared.forecasts)?;
        let benchmark = trade_benchmark(&market, &experiment.backtest)?;
        let template = Template::new(experiment, self.source, &self.plan.keys, &self.sections)?;
        let averages = SharedAverages::new(&market, AVERAGES_BYTES_MAX);
        Ok(Stage { template, shared, market, benchmark, averages })
    }

    fn share(&mut self, experiment: &ResolvedExperiment) -> Result<Arc<Shared>, ExperimentError> {
        let config = &experiment.config;
        let data_key = json(&(&config.data, &config.account.currency, &config.instruments, &config.execution.detail))?;
        let shared_key = format!("{data_key}{}", forecast_key(experiment)?);
        if let Some(shared) = self.shared.get(&shared_key) {
            return Ok(Arc::clone(shared));
        }
        let dataset = if let Some(dataset) = self.datasets.get(&data_key) {
            Arc::clone(dataset)
        } else {
            self.observer.notify(Progress::Stage { name: "reading bars", steps: 0 });
            let dataset = Arc::new(Dataset::load(&experiment.data)?);
            self.observer.notify(Progress::StageDone);
            self.datasets.insert(data_key, Arc::clone(&dataset));
            dataset
        };
        let (forecasts, _) = forecasts(experiment, &dataset, self.options, self.observer)?;
        let inputs = read_inputs(experiment, &dataset)?;
        let hash = dataset.input_hash(experiment)?;
        let input_hash =
            u64::from_str_radix(&hash, 16).map_err(|error| ExperimentError::Internal(error.to_string()))?;
        let shared = Arc::new(Shared { dataset, forecasts, inputs, input_hash });
        self.shared.insert(shared_key, Arc::clone(&shared));
        Ok(shared)
    }
}

/// Shows why a trial did not run: nobody wrote its config into a file, so there is no place in one.
pub(super) fn reason(error: &ExperimentError) -> String {
    let ExperimentError::Config(error) = error else { return error.to_string() };
    match &error.hint {
        Some(hint) => format!("{}\nhint: {hint}", error.message),
        None => error.message.clone(),
    }
}

/// The keys that forecasts depend on besides the data; the fill rule is one where a model learns what its fills earn.
fn forecast_key(experiment: &ResolvedExperiment) -> Result<String, ExperimentError> {
    let config = &experiment.config;
    let is_learned = matches!(experiment.forecasts, ForecastSource::WalkForward(_));
    json(&(
        is_learned.then_some(config.seed),
        &config.features,
        &config.target,
        (&config.walk_forward, &config.cross_validation),
        &config.model,
        &config.training,
        &config.forecasts,
        (weights_path(config), experiment.rules.is_some()),
        is_learned.then_some(config.execution.fill),
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
