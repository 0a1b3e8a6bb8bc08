//! A strategy file to its result: load, forecast, trade, measure, write.

use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use tidegate_backtest::{Journal, Market};
use tidegate_features::{TargetSpec, start_prices};
use tidegate_forecast::{
    EwmaVolatility, FoldScheme, Forecaster, Garch, HistoricalMean, Panel, PerHorizon, Ridge, Zero,
};
use tidegate_ledger::{Ledger, Source, TrialRecord};
use tidegate_market::Forecast;
use tidegate_models::{Device, NeuralForecaster};
use tidegate_report::RunReport;

use crate::ExperimentError;
use crate::audit::stored_status;
use crate::config::YardstickConfig;
use crate::dataset::Dataset;
use crate::forecasting::{
    ArtifactCache, ForecastOutcome, ForecastSummary, RunMembers, StreamedForecasts, TrainingContext, build_panel,
    train_walk_forward,
};
use crate::ledger::{TrialCount, now_ns, record, saturated_ns, trial_key};
use crate::measure::{CrossValidationSummary, Measured, PathSummary, measure};
use crate::observer::{Observer, Progress};
use crate::resolve::{ForecastPlan, ForecastSource, ForecasterPlan, ResolvedExperiment};
use crate::run_directory::{RunDirectory, RunFacts, StoredRun};
use crate::sweep::trial_metrics;
use crate::tear_sheet::tear_sheet;
use crate::traded_market::{traded_market, traded_market_from};
use crate::trading::{read_forecasts, read_inputs, trade, trade_benchmark, trade_in_the_loop};

/// How an experiment is run, as opposed to what it computes.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The run directory; `None` is `runs/<file stem>/<config hash>`.
    pub out: Option<PathBuf>,
    /// The folder of the study's trial ledger; a bare name is a folder in `runs/<file stem>`, and `None` is `runs/<file stem>` itself.
    pub study: Option<PathBuf>,
    /// Where trained members are kept between runs.
    pub cache: ArtifactCache,
    /// Whether a finished run of the same config, data and build is returned as it is, and members that lie in the run's folder are
    /// taken from there.
    pub reuse_finished: bool,
    /// Threads for training and sweeps; `None` is one per core.
    pub threads: Option<usize>,
    /// The device networks train on, such as `cpu` or `cuda:0`.
    pub device: String,
}

impl RunOptions {
    /// Returns options that reuse nothing and write to a folder, the trial ledger included.
    pub fn fresh(out: impl Into<PathBuf>) -> Self {
        let out = out.into();
        Self {
            study: Some(out.clone()),
            out: Some(out),
            cache: ArtifactCache::off(),
            reuse_finished: false,
            threads: None,
            device: "cpu".to_owned(),
        }
    }
}

/// A finished run.
#[derive(Debug)]
pub struct RunOutcome {
    /// Where its files are.
    pub run_dir: PathBuf,
    /// The content of `metrics.json`.
    pub metrics: serde_json::Value,
    /// What the report shows.
    pub report: RunReport,
    /// Whether nothing had to be trained: the run was finished, or every member came from the cache.
    pub cached: bool,
}

/// What a run computes, before anything is written.
pub struct Computed {
    /// The bars.
    pub dataset: Dataset,
    /// The forecasts the strategy saw; empty when it uses none.
    pub forecasts: Vec<Forecast>,
    /// The walk-forward that made them; `None` when they came from a file or there are none.
    pub walk_forward: Option<ForecastOutcome>,
    /// The scores of the walk-forward.
    pub scores: Option<ForecastSummary>,
    /// The strategy's journal.
    pub journal: Journal,
    /// The benchmark's journal.
    pub benchmark: Journal,
    /// The numbers.
    pub measured: Measured,
}

/// Runs an experiment and writes its run directory.
///
/// # Errors
/// Anything between the strategy file and the result; nothing half-written is left behind.
pub fn run_experiment(
    experiment: &ResolvedExperiment,
    options: &RunOptions,
    observer: &dyn Observer,
) -> Result<RunOutcome, ExperimentError> {
    let started = Instant::now();
    let directory = RunDirectory::new(options.out.clone().unwrap_or_else(|| default_directory(experiment)))?;
    let mut ledger = open_ledger(experiment, options)?;
    let dataset = load(experiment, observer)?;
    if options.reuse_finished
        && let Some(StoredRun { metrics, report }) = directory.finished(experiment, &dataset, &options.device)
    {
        observer.notify(Progress::Note("this run is finished already; showing its stored result".to_owned()));
        return Ok(RunOutcome { run_dir: directory.path().to_owned(), metrics, report, cached: true });
    }
    let computed = in_pool(options.threads, || compute(experiment, dataset, options, observer))??;
    let metrics = computed.measured.to_json(computed.scores.as_ref());
    let trials = count_trial(experiment, &computed, &mut ledger, started.elapsed())?;
    let mut report = tear_sheet(experiment, &computed, &trials);
    let data_hash = computed.dataset.input_hash(experiment)?;
    report.header.audit = stored_status(directory.path(), &experiment.config_hash, &data_hash);
    observer.notify(Progress::Stage { name: "writing results", steps: 0 });
    directory.write(
        experiment,
        &computed,
        &metrics,
        &report,
        &RunFacts { device: &options.device, elapsed: started.elapsed() },
    )?;
    observer.notify(Progress::StageDone);
    let cached = computed.walk_forward.as_ref().is_some_and(|outcome| outcome.members_trained == 0);
    Ok(RunOutcome { run_dir: directory.path().to_owned(), metrics, report, cached })
}

/// Writes the run into its study's ledger, before its result is shown, and returns how many the study then has.
fn count_trial(
    experiment: &ResolvedExperiment,
    computed: &Computed,
    ledger: &mut Ledger,
    elapsed: Duration,
) -> Result<TrialCount, ExperimentError> {
    let (names, metrics): (Vec<&str>, Vec<f64>) =
        trial_metrics(&computed.measured).into_iter().map(|(name, value)| (name, value.unwrap_or(f64::NAN))).unzip();
    let trial = TrialRecord {
        key: trial_key(&experiment.config_hash, &computed.dataset.input_hash(experiment)?)?,
        seed: experiment.seed,
        values: String::new(),
        metrics,
        recorded_at_ns: now_ns(),
        elapsed_ns: saturated_ns(elapsed),
        failure: None,
    };
    record(ledger, Source::Run, &names, &[trial])
}

/// What a training without a backtest delivers.
#[derive(Debug)]
pub struct TrainOutcome {
    /// Where its files are.
    pub run_dir: PathBuf,
    /// How many forecasts were made.
    pub forecasts: usize,
    /// Members that were trained.
    pub members_trained: usize,
    /// Members that came from the cache.
    pub members_reused: usize,
    /// The scores, as in `metrics.json`.
    pub scores: ForecastSummary,
}

/// Trains, forecasts and writes both, without a backtest.
///
/// # Errors
/// As [`run_experiment`]; also when the config trains nothing.
pub fn train(
    experiment: &ResolvedExperiment,
    options: &RunOptions,
    observer: &dyn Observer,
) -> Result<TrainOutcome, ExperimentError> {
    let ForecastSource::WalkForward(plan) = &experiment.forecasts else {
        return Err(ExperimentError::Sample("there is nothing to train: the config has no `[model]`".to_owned()));
    };
    let directory = RunDirectory::new(options.out.clone().unwrap_or_else(|| default_directory(experiment)))?;
    let dataset = load(experiment, observer)?;
    let (_, outcome) = in_pool(options.threads, || forecasts(experiment, &dataset, options, observer))??;
    let outcome = outcome.ok_or_else(|| ExperimentError::Internal("a walk-forward has an outcome".to_owned()))?;
    let scores = ForecastSummary::new(plan, &outcome)?;
    let document = serde_json::to_value(&scores).map_err(|error| ExperimentError::Internal(error.to_string()))?;
    directory.write_training(experiment, &dataset, &outcome, &document)?;
    Ok(TrainOutcome {
        run_dir: directory.path().to_owned(),
        forecasts: outcome.statements.len(),
        members_trained: outcome.members_trained,
        members_reused: outcome.members_reused,
        scores,
    })
}

/// Loads the bars of an experiment.
///
/// # Errors
/// When they cannot be read or break a rule.
pub fn load(experiment: &ResolvedExperiment, observer: &dyn Observer) -> Result<Dataset, ExperimentError> {
    observer.notify(Progress::Stage { name: "reading bars", steps: 0 });
    let dataset = Dataset::load(&experiment.data)?;
    observer.notify(Progress::StageDone);
    Ok(dataset)
}

/// Computes a run on bars in memory, writing nothing but the cache.
///
/// # Errors
/// As [`run_experiment`].
pub fn compute(
    experiment: &ResolvedExperiment,
    dataset: Dataset,
    options: &RunOptions,
    observer: &dyn Observer,
) -> Result<Computed, ExperimentError> {
    let prepared = prepare_forecasts(experiment, &dataset, options, observer)?;
    observer.notify(Progress::Stage { name: "backtesting", steps: 0 });
    let Traded { forecasts, walk_forward, market, journal } = trade_prepared(experiment, &dataset, prepared)?;
    let benchmark = trade_benchmark(&market, &experiment.backtest)?;
    let mut measured = measure(experiment, &journal, &benchmark)?;
    if let Some(outcome) = walk_forward.as_ref().filter(|_| is_cross_validated(experiment)) {
        measured.cross_validation = Some(trade_paths(experiment, &dataset, outcome)?);
    }
    let scores = match (&experiment.forecasts, &walk_forward) {
        (ForecastSource::WalkForward(plan), Some(outcome)) => Some(ForecastSummary::new(plan, outcome)?),
        _ => None,
    };
    observer.notify(Progress::StageDone);
    Ok(Computed { dataset, forecasts, walk_forward, scores, journal, benchmark, measured })
}

fn is_cross_validated(experiment: &ResolvedExperiment) -> bool {
    match &experiment.forecasts {
        ForecastSource::WalkForward(plan) => matches!(plan.scheme, FoldScheme::CrossValidation(_)),
        _ => false,
    }
}

/// Trades the forecasts of every path of a cross-validation.
fn trade_paths(
    experiment: &ResolvedExperiment,
    dataset: &Dataset,
    outcome: &ForecastOutcome,
) -> Result<CrossValidationSummary, ExperimentError> {
    let inputs = &read_inputs(experiment, dataset)?;
    let trade_path = |forecasts: &Vec<Forecast>| {
        let market = market(experiment, dataset, forecasts)?;
        let journal = trade(experiment, dataset, &market, forecasts, inputs)?;
        let benchmark = trade_benchmark(&market, &experiment.backtest)?;
        Ok(PathSummary::new(&measure(experiment, &journal, &benchmark)?.performance))
    };
    let paths = outcome.paths.par_iter().map(trade_path).collect::<Result<_, ExperimentError>>()?;
    Ok(CrossValidationSummary::new(paths))
}

/// Forecasts before a backtest.
enum Prepared {
    /// All of them, and the walk-forward that made them, if one did.
    Ready(Vec<Forecast>, Option<ForecastOutcome>),
    /// What will make them, and the walk-forward without them.
    InTheLoop(ForecastOutcome, StreamedForecasts),
}

/// What a backtest leaves behind.
struct Traded {
    forecasts: Vec<Forecast>,
    walk_forward: Option<ForecastOutcome>,
    market: Market,
    journal: Journal,
}

fn trade_prepared(
    experiment: &ResolvedExperiment,
    dataset: &Dataset,
    prepared: Prepared,
) -> Result<Traded, ExperimentError> {
    let inputs = read_inputs(experiment, dataset)?;
    match prepared {
        Prepared::Ready(forecasts, walk_forward) => {
            let market = market(experiment, dataset, &forecasts)?;
            let journal = trade(experiment, dataset, &market, &forecasts, &inputs)?;
            Ok(Traded { forecasts, walk_forward, market, journal })
        }
        Prepared::InTheLoop(mut outcome, mut streams) => {
            let market = traded_market_from(dataset, &experiment.instruments, streams.first_label())?;
            let journal = trade_in_the_loop(experiment, dataset, &market, &mut streams, &inputs)?;
            streams.finish(&mut outcome)?;
            Ok(Traded { forecasts: outcome.paths[0].clone(), walk_forward: Some(outcome), market, journal })
        }
    }
}

/// Returns what the engine trades: with forecasts, only the bars from the first of them on.
pub(crate) fn market(
    experiment: &ResolvedExperiment,
    dataset: &Dataset,
    forecasts: &[Forecast],
) -> Result<Market, ExperimentError> {
    let limit = match &experiment.forecasts {
        ForecastSource::None => None,
        ForecastSource::File(_) | ForecastSource::WalkForward(_) => Some(forecasts),
    };
    traded_market(dataset, &experiment.instruments, limit)
}

/// Returns the forecasts of an experiment, made or read.
///
/// # Errors
/// As [`run_experiment`].
pub fn forecasts(
    experiment: &ResolvedExperiment,
    dataset: &Dataset,
    options: &RunOptions,
    observer: &dyn Observer,
) -> Result<(Vec<Forecast>, Option<ForecastOutcome>), ExperimentError> {
    match prepare_forecasts(experiment, dataset, options, observer)? {
        Prepared::Ready(forecasts, outcome) => Ok((forecasts, outcome)),
        Prepared::InTheLoop(mut outcome, streams) => {
            streams.finish(&mut outcome)?;
            Ok((outcome.paths[0].clone(), Some(outcome)))
        }
    }
}

/// Reads or makes forecasts, or gets ready to make them bar by bar.
fn prepare_forecasts(
    experiment: &ResolvedExperiment,
    dataset: &Dataset,
    options: &RunOptions,
    observer: &dyn Observer,
) -> Result<Prepared, ExperimentError> {
    let plan = match &experiment.forecasts {
        ForecastSource::None => return Ok(Prepared::Ready(Vec::new(), None)),
        ForecastSource::File(path) => return Ok(Prepared::Ready(read_forecasts(path, dataset)?, None)),
        ForecastSource::WalkForward(plan) => plan,
    };
    observer.notify(Progress::Stage { name: "computing features", steps: 0 });
    let panel = build_panel(plan, dataset)?;
    observer.notify(Progress::StageDone);
    let forecaster = build_forecaster(plan, &panel, &options.device)?;
    let run_members = if options.reuse_finished {
        let directory = options.out.clone().unwrap_or_else(|| default_directory(experiment));
        RunMembers::in_folder(&directory.join("models"))
    } else {
        RunMembers::default()
    };
    let context = TrainingContext {
        seed: experiment.seed,
        cache: &options.cache,
        run_members: &run_members,
        device: &options.device,
        observer,
        yardsticks: true,
        retrained: None,
    };
    let (mut outcome, streams) = train_walk_forward(plan, forecaster.as_ref(), &panel, &context)?;
    if matches!(plan.target, TargetSpec::Difference(_)) {
        outcome.start_prices = dataset.signal_bars.iter().map(|bars| start_prices(&plan.target, bars)).collect();
    }
    note_reuse(&outcome, observer);
    Ok(match streams {
        None => Prepared::Ready(outcome.paths[0].clone(), Some(outcome)),
        Some(streams) => Prepared::InTheLoop(outcome, streams),
    })
}

fn note_reuse(outcome: &ForecastOutcome, observer: &dyn Observer) {
    let (reused, trained) = (outcome.members_reused, outcome.members_trained);
    if reused > 0 {
        observer.notify(Progress::Note(format!("{reused} trained models came from the cache, {trained} were trained")));
    }
}

/// Builds the forecaster of a plan.
///
/// # Errors
/// When the network's specification is wrong, its device is missing, or this build cannot run it.
pub(crate) fn build_forecaster(
    plan: &ForecastPlan,
    panel: &Panel,
    device: &str,
) -> Result<Box<dyn Forecaster>, ExperimentError> {
    match &plan.forecaster {
        ForecasterPlan::Yardstick(yardstick) => {
            let of_horizon = |horizon_bars: u32| -> Box<dyn Forecaster> {
                match yardstick {
                    YardstickConfig::Zero {} => Box::new(Zero),
                    YardstickConfig::HistoricalMean {} => Box::new(HistoricalMean),
                    YardstickConfig::EwmaVolatility {} => Box::new(EwmaVolatility { horizon_bars }),
                    YardstickConfig::Garch {} => Box::new(Garch { horizon_bars }),
                    YardstickConfig::Ridge(ridge) => Box::new(Ridge { lambda: ridge.lambda }),
                    YardstickConfig::BoostedTrees(trees) => Box::new(*trees),
                }
            };
            let horizons = plan.target.parameters().horizon_bars.bars();
            Ok(Box::new(PerHorizon::new(horizons.map(of_horizon).collect())))
        }
        ForecasterPlan::Network(network, training) => {
            let feature_counts = panel.series[0].scales.iter().map(|scale| scale.columns().len()).collect();
            let (network, training) = (network.spec(feature_counts, panel.series.len()), training.as_ref().clone());
            Ok(Box::new(NeuralForecaster::new(network, training, Device::parse(device)?)?))
        }
    }
}

/// Runs a job on a pool of its own, so that the number of threads is the caller's.
///
/// # Errors
/// When the threads cannot be started.
pub(crate) fn in_pool<T: Send>(threads: Option<usize>, job: impl FnOnce() -> T + Send) -> Result<T, ExperimentError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0)).build();
    Ok(pool.map_err(|error| ExperimentError::Internal(error.to_string()))?.install(job))
}

/// Opens the ledger before anything is computed, so that a study that cannot count is known early.
pub(crate) fn open_ledger(experiment: &ResolvedExperiment, options: &RunOptions) -> Result<Ledger, ExperimentError> {
    Ok(Ledger::open(&study_folder(experiment, options))?)
}

/// Returns the folder of the study's ledger: `runs/<file stem>`, a folder of a name inside it, or one elsewhere.
pub(crate) fn study_folder(experiment: &ResolvedExperiment, options: &RunOptions) -> PathBuf {
    let own = study_directory(experiment);
    let Some(study) = &options.study else { return own };
    let mut parts = study.components();
    let is_name = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
    if is_name { own.join(study) } else { study.clone() }
}

/// Returns `runs/<file stem>/<config hash>`.
pub fn default_directory(experiment: &ResolvedExperiment) -> PathBuf {
    study_directory(experiment).join(&experiment.config_hash)
}

/// Returns `runs/<file stem>`, where a study's runs and its ledger lie.
pub fn study_directory(experiment: &ResolvedExperiment) -> PathBuf {
    Path::new("runs").join(&experiment.stem)
}
