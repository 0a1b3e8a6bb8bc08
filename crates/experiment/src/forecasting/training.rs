//! Walk-forward: every member of every fold is one job, and jobs share nothing.
//!
//! A job's result depends on its fold, its member number and the seed, never on which thread ran it or when, so the outcome is
//! the same bytes on any number of threads.

use rayon::prelude::*;
use tidegate_features::TargetSpec;
use tidegate_forecast::{
    EwmaVolatility, FitTask, FittedForecaster, FoldSamples, ForecastError, Forecaster, Garch, GradientBoostedTrees,
    HistoricalMean, KnownLabel, NoMonitor, NoStore, Outcomes, Panel, PathPart, PerHorizon, Predictive, Recalibrated,
    Recalibration, Ridge, Sample, SampleSet, Scaler, Split, TrainingReport, Windows, Zero, derive_seed, mixture, paths,
    split_samples, splits, windows,
};
use tidegate_market::{TargetColumn, Timestamp};

use super::cache::{ArtifactCache, Cached};
use super::statements::PathSpan;
use super::streams::{MemberStreams, StreamedForecasts};
use super::suspicions::{check_samples, constant_features};
use super::{FoldOutcome, ForecastOutcome, MemberOutcome, RunMembers, YardstickOutcome};
use crate::ExperimentError;
use crate::observer::{MemberMonitor, Observer, Progress};
use crate::resolve::{ForecastPlan, Inference};

/// Raised when a checkpoint's meaning or the arithmetic of training changes, so that old cache entries are not taken for new ones.
const MEMBER_FORMAT: u32 = 3;

/// What training needs besides the plan and the panel.
pub(crate) struct TrainingContext<'a> {
    /// The experiment's seed.
    pub seed: u64,
    /// Where trained members are kept.
    pub cache: &'a ArtifactCache,
    /// Members that lie in the run's folder.
    pub run_members: &'a RunMembers,
    /// The device that networks train on: other devices round differently.
    pub device: &'a str,
    /// Who watches.
    pub observer: &'a dyn Observer,
    /// Whether the yardsticks are fitted and scored beside the members.
    pub yardsticks: bool,
    /// The fold whose members are trained whatever the cache holds.
    pub retrained: Option<u32>,
}

/// Everything of a fold that does not depend on a member.
#[derive(Debug, Clone)]
pub(crate) struct PreparedFold {
    pub(crate) fold: Split,
    pub(crate) samples: FoldSamples,
    pub(crate) scaler: Scaler,
}

impl PreparedFold {
    fn windows(&self, panel: &Panel, plan: &ForecastPlan, samples: &SampleSet) -> Windows {
        windows(panel, samples, &plan.scales, &self.scaler)
    }
}

/// What a member says about the test samples, or what will say it.
enum MemberForecasts {
    Made(Vec<Predictive>),
    Streams(MemberStreams),
}

/// Trains every fold in parallel on the current thread pool, and forecasts it where forecasts are made from windows. Otherwise
/// what makes them comes along, and the outcome lacks predictions and forecasts until [`StreamedForecasts::finish`].
///
/// # Errors
/// When no fold fits the data, a member cannot be trained, or the observer cancelled; finished members stay in the cache.
pub(crate) fn train_walk_forward(
    plan: &ForecastPlan,
    forecaster: &dyn Forecaster,
    panel: &Panel,
    context: &TrainingContext<'_>,
) -> Result<(ForecastOutcome, Option<StreamedForecasts>), ExperimentError> {
    let prepared = prepare(plan, panel)?;
    let train_bars: Vec<_> = prepared.iter().map(|fold| fold.samples.train_bars.as_slice()).collect();
    let warnings = constant_features(panel, &train_bars);
    for warning in &warnings {
        context.observer.notify(Progress::Note(warning.clone()));
    }
    let (outcome, streams) = train_prepared(plan, forecaster, panel, prepared, context)?;
    Ok((ForecastOutcome { warnings, ..outcome }, streams))
}

/// Trains folds whose samples and scalers are there, each with at least one bar to test.
///
/// # Errors
/// As [`train_walk_forward`].
pub(crate) fn train_prepared(
    plan: &ForecastPlan,
    forecaster: &dyn Forecaster,
    panel: &Panel,
    prepared: Vec<PreparedFold>,
    context: &TrainingContext<'_>,
) -> Result<(ForecastOutcome, Option<StreamedForecasts>), ExperimentError> {
    let jobs: Vec<(usize, u32)> =
        (0..prepared.len()).flat_map(|fold| (0..plan.ensemble_size).map(move |member| (fold, member))).collect();
    context.observer.notify(Progress::Stage { name: "training folds", steps: jobs.len() as u64 });
    let members: Vec<(MemberOutcome, MemberForecasts)> = jobs
        .par_iter()
        .with_max_len(1)
        .map(|&(fold, member)| run_member(plan, forecaster, panel, &prepared[fold], member, context))
        .collect::<Result<_, _>>()?;
    context.observer.notify(Progress::StageDone);
    let yardsticks = if context.yardsticks { run_yardsticks(plan, panel, &prepared, context)? } else { Vec::new() };
    assemble(plan, panel, prepared, members, yardsticks)
}

fn prepare(plan: &ForecastPlan, panel: &Panel) -> Result<Vec<PreparedFold>, ExperimentError> {
    prepare_splits(plan, panel, splits(panel.axis.len(), &plan.scheme)?)
}

/// Picks the samples of each split and fits its scaler.
///
/// # Errors
/// When a split has too few samples, or its scaler cannot be fitted.
pub(crate) fn prepare_splits(
    plan: &ForecastPlan,
    panel: &Panel,
    splits: Vec<Split>,
) -> Result<Vec<PreparedFold>, ExperimentError> {
    splits
        .into_iter()
        .map(|fold| {
            let mut samples = split_samples(panel, &fold, &plan.scales);
            check_samples(plan, fold.index, [samples.train.len(), samples.valid.len()])?;
            if let Some(weights) = &plan.sample_weights {
                samples.train.weigh(panel, weights)?;
            }
            let scaler = Scaler::fit(panel, &samples.train_bars, &plan.scaler)?;
            Ok(PreparedFold { fold, samples, scaler })
        })
        .collect()
}

/// Returns what a fold's members learn from and what they are validated on, scaled as in the walk-forward.
///
/// # Errors
/// When no fold fits the data, or there is no such fold.
#[cfg(feature = "libtorch")]
pub(crate) fn fold_windows(
    plan: &ForecastPlan,
    panel: &Panel,
    fold: Option<u32>,
) -> Result<FoldWindows, ExperimentError> {
    let prepared = prepare(plan, panel)?;
    let last = prepared.last().map(|prepared| prepared.fold.index);
    let found = prepared.iter().find(|prepared| Some(prepared.fold.index) == fold.or(last));
    let Some(prepared) = found else {
        let (count, fold) = (prepared.len(), fold.unwrap_or_default());
        return Err(ExperimentError::Sample(format!(
            "fold must be below `{count}`, the folds of the data, was `{fold}`"
        )));
    };
    Ok(FoldWindows {
        fold: prepared.fold.index,
        train: prepared.windows(panel, plan, &prepared.samples.train),
        valid: prepared.windows(panel, plan, &prepared.samples.valid),
    })
}

/// The windows of a fold before its test block.
#[cfg(feature = "libtorch")]
pub(crate) struct FoldWindows {
    /// The fold.
    pub fold: u32,
    /// What members learn from.
    pub train: Windows,
    /// What they are validated on.
    pub valid: Windows,
}

fn run_member(
    plan: &ForecastPlan,
    forecaster: &dyn Forecaster,
    panel: &Panel,
    prepared: &PreparedFold,
    member: u32,
    context: &TrainingContext<'_>,
) -> Result<(MemberOutcome, MemberForecasts), ExperimentError> {
    if context.observer.cancelled() {
        return Err(ExperimentError::Cancelled);
    }
    let fold = prepared.fold.index;
    let seed = derive_seed(context.seed, fold, member);
    let train = prepared.windows(panel, plan, &prepared.samples.train);
    let valid = prepared.windows(panel, plan, &prepared.samples.valid);
    let key = member_key(plan, context.device, seed, &train, &valid)?;
    let restored = if context.retrained == Some(fold) { None } else { restore(forecaster, &key, context) };
    let unfinished = context.cache.unfinished(&key);
    let (fitted, checkpoint, report, reused) = if let Some((fitted, checkpoint, report)) = restored {
        (fitted, checkpoint, report, true)
    } else {
        let monitor = MemberMonitor::new(context.observer, fold, member);
        let fitted =
            forecaster.fit(&FitTask { train: &train, valid: &valid, seed, monitor: &monitor, store: &unfinished });
        let fitted = fitted.map_err(|error| match error {
            ForecastError::Cancelled => ExperimentError::Cancelled,
            other => other.into(),
        })?;
        let (checkpoint, report) = (fitted.checkpoint()?, fitted.report());
        if let Err(error) = context.cache.store(&key, &checkpoint, &report) {
            // A full or read-only cache costs the next run its time, not this run its result.
            context.observer.notify(Progress::Note(format!("the trained model is not kept for later runs: {error}")));
        }
        (fitted, checkpoint, report, false)
    };
    unfinished.remove();
    let forecasts = match plan.inference {
        Inference::Window => {
            MemberForecasts::Made(fitted.forecast(&prepared.windows(panel, plan, &prepared.samples.test))?)
        }
        Inference::Stream => {
            let streams = (0..panel.series.len() as u32).map(|series| fitted.stream(series)).collect::<Option<_>>();
            MemberForecasts::Streams(streams.ok_or_else(|| no_stream(forecaster))?)
        }
    };
    context.observer.notify(Progress::Step);
    let valid_predictions = match plan.recalibration {
        Recalibration::None {} => Vec::new(),
        _ => fitted.forecast(&valid)?,
    };
    Ok((MemberOutcome { checkpoint, report, predictions: Vec::new(), valid_predictions, key, reused }, forecasts))
}

fn no_stream(forecaster: &dyn Forecaster) -> ForecastError {
    let name = forecaster.name();
    ForecastError::Model(format!(
        "forecaster `{name}` cannot be stepped bar by bar\nhint: use `inference = \"window\"`, or encoder `gru`"
    ))
}

/// Takes a member from the cache or the run's folder; what cannot be used is reported and trained again.
fn restore(
    forecaster: &dyn Forecaster,
    key: &str,
    context: &TrainingContext<'_>,
) -> Option<(Box<dyn FittedForecaster>, Vec<u8>, TrainingReport)> {
    let cached = match (context.cache.load(key), context.run_members.load(key)) {
        (Cached::Missing | Cached::Damaged { .. }, Some((path, checkpoint, report))) => {
            Cached::Found { path, checkpoint, report }
        }
        (cached, _) => cached,
    };
    let (path, reason) = match cached {
        Cached::Missing => return None,
        Cached::Damaged { path, reason } => (path, reason),
        Cached::Found { path, checkpoint, report } => match forecaster.restore(&checkpoint) {
            Ok(fitted) => return Some((fitted, checkpoint, report)),
            Err(error) => (path, error.to_string()),
        },
    };
    let reason = reason.lines().next().unwrap_or_default();
    let note = format!("cached model `{}` is damaged ({reason}); it is trained again", path.display());
    context.observer.notify(Progress::Note(note));
    None
}

/// Hashes everything a trained member depends on: its specification, its seed, and the very numbers it learns from.
fn member_key(
    plan: &ForecastPlan,
    device: &str,
    seed: u64,
    train: &Windows,
    valid: &Windows,
) -> Result<String, ExperimentError> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&MEMBER_FORMAT.to_le_bytes());
    let specification = serde_json::to_vec(&(
        &plan.forecaster,
        plan.target.parameters().horizon_bars.bars().collect::<Vec<_>>(),
        device,
        env!("CARGO_PKG_VERSION"),
    ))
    .map_err(|error| ExperimentError::Internal(error.to_string()))?;
    hasher.update(&specification);
    hasher.update(&seed.to_le_bytes());
    for windows in [train, valid] {
        hasher.update(&(windows.samples.len() as u64).to_le_bytes());
        hasher.update(&(windows.horizons as u64).to_le_bytes());
        update_with(&mut hasher, windows.samples.iter().map(|sample| sample.series.to_le_bytes()));
        update_with(&mut hasher, windows.weight.iter().map(|weight| weight.to_bits().to_le_bytes()));
        for block in &windows.scales {
            hasher.update(&(block.steps as u64).to_le_bytes());
            hasher.update(&(block.features as u64).to_le_bytes());
            update_with(&mut hasher, block.lengths.iter().map(|length| length.to_le_bytes()));
            update_with(&mut hasher, block.values.iter().map(|value| value.to_bits().to_le_bytes()));
        }
        update_with(&mut hasher, windows.target.iter().map(|value| value.unwrap_or(f64::NAN).to_bits().to_le_bytes()));
        let variance = windows.ewma_variance.iter().map(|value| value.unwrap_or(f64::NAN).to_bits().to_le_bytes());
        update_with(&mut hasher, variance);
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn update_with<const N: usize>(hasher: &mut blake3::Hasher, words: impl Iterator<Item = [u8; N]>) {
    let bytes: Vec<u8> = words.flatten().collect();
    hasher.update(&bytes);
}

/// Returns the forecasters that every model is measured against, at all horizons of the plan.
fn standard_yardsticks(plan: &ForecastPlan) -> Vec<Box<dyn Forecaster>> {
    let horizons = || plan.target.parameters().horizon_bars.bars();
    let of_kind = |kind: &dyn Fn(u32) -> Box<dyn Forecaster>| {
        Box::new(PerHorizon::new(horizons().map(kind).collect())) as Box<dyn Forecaster>
    };
    let mut yardsticks = vec![of_kind(&|_| Box::new(Zero)), of_kind(&|_| Box::new(HistoricalMean))];
    // Their variance is that of returns, which says nothing of anything else.
    if matches!(plan.target, TargetSpec::LogReturn(_) | TargetSpec::SimpleReturn(_)) && plan.rank.is_none() {
        yardsticks.push(of_kind(&|horizon_bars| Box::new(EwmaVolatility { horizon_bars })));
        yardsticks.push(of_kind(&|horizon_bars| Box::new(Garch { horizon_bars })));
    }
    yardsticks.push(of_kind(&|_| Box::new(Ridge { lambda: None })));
    yardsticks.push(of_kind(&|_| Box::new(GradientBoostedTrees::STANDARD)));
    yardsticks
}

fn run_yardsticks(
    plan: &ForecastPlan,
    panel: &Panel,
    prepared: &[PreparedFold],
    context: &TrainingContext<'_>,
) -> Result<Vec<YardstickOutcome>, ExperimentError> {
    let yardsticks = standard_yardsticks(plan);
    context.observer.notify(Progress::Stage { name: "fitting yardsticks", steps: prepared.len() as u64 });
    let by_fold: Vec<Vec<Vec<Predictive>>> = prepared
        .par_iter()
        .map(|fold| {
            let train = fold.windows(panel, plan, &fold.samples.train);
            let valid = fold.windows(panel, plan, &fold.samples.valid);
            let test = fold.windows(panel, plan, &fold.samples.test);
            let seed = derive_seed(context.seed, fold.fold.index, 0);
            let task = FitTask { train: &train, valid: &valid, seed, monitor: &NoMonitor, store: &NoStore };
            let predictions = yardsticks.iter().map(|yardstick| yardstick.fit(&task)?.forecast(&test));
            let predictions = predictions.collect::<Result<Vec<_>, _>>();
            context.observer.notify(Progress::Step);
            predictions
        })
        .collect::<Result<_, _>>()?;
    context.observer.notify(Progress::StageDone);
    let outcomes = yardsticks.iter().enumerate().map(|(index, yardstick)| YardstickOutcome {
        name: yardstick.name().to_owned(),
        by_fold: by_fold.iter().map(|fold| fold[index].clone()).collect(),
    });
    Ok(outcomes.collect())
}

fn assemble(
    plan: &ForecastPlan,
    panel: &Panel,
    prepared: Vec<PreparedFold>,
    members: Vec<(MemberOutcome, MemberForecasts)>,
    yardsticks: Vec<YardstickOutcome>,
) -> Result<(ForecastOutcome, Option<StreamedForecasts>), ExperimentError> {
    let mut members = members.into_iter();
    let mut outcome = ForecastOutcome {
        paths: Vec::new(),
        path_spans: path_spans(panel, &prepared.iter().map(|prepared| prepared.fold.clone()).collect::<Vec<_>>()),
        statements: Vec::new(),
        horizon_bars: plan.target.parameters().horizon_bars.bars().collect(),
        start_prices: Vec::new(),
        folds: Vec::with_capacity(prepared.len()),
        yardsticks,
        warnings: Vec::new(),
        members_reused: 0,
        members_trained: 0,
    };
    let mut streamed = StreamedForecasts::new(plan.horizon_bars(), plan.ensemble_size);
    for fold in prepared {
        let (mut trained, mut streams) = (Vec::new(), Vec::new());
        for (mut member, forecasts) in members.by_ref().take(plan.ensemble_size as usize) {
            let count = if member.reused { &mut outcome.members_reused } else { &mut outcome.members_trained };
            *count += 1;
            match forecasts {
                MemberForecasts::Made(predictions) => member.predictions = predictions,
                MemberForecasts::Streams(own) => streams.push(own),
            }
            trained.push(member);
        }
        if plan.inference == Inference::Stream {
            streamed.push_fold(panel, plan.scales[0], fold.fold.index, &fold.samples.test, &fold.scaler, streams);
        }
        outcome.folds.push(finish_fold(plan, panel, fold, trained)?);
    }
    if plan.inference == Inference::Stream {
        streamed.arrange();
        return Ok((outcome, Some(streamed)));
    }
    outcome.state();
    Ok((outcome, None))
}

/// Returns the test blocks of every path, in the time at which their forecasts are known.
fn path_spans(panel: &Panel, splits: &[Split]) -> Vec<Vec<PathSpan>> {
    let span = |part: PathPart| PathSpan {
        fold: part.split,
        first: panel.axis[part.test.start],
        last: panel.axis[part.test.end - 1],
    };
    paths(splits).into_iter().map(|parts| parts.into_iter().map(span).collect()).collect()
}

fn finish_fold(
    plan: &ForecastPlan,
    panel: &Panel,
    prepared: PreparedFold,
    members: Vec<MemberOutcome>,
) -> Result<FoldOutcome, ExperimentError> {
    let PreparedFold { fold, samples, scaler } = prepared;
    let train = &samples.train;
    let train_mean = |horizon: usize| {
        let labels = || train.target.iter().skip(horizon).step_by(train.horizons).flatten();
        labels().sum::<f64>() / labels().count() as f64
    };
    let mixed = |predictions: fn(&MemberOutcome) -> &Vec<Predictive>| {
        mixture(&members.iter().map(predictions).cloned().collect::<Vec<_>>())
    };
    let made = Recalibrated {
        forecasts: mixed(|member| &member.predictions),
        intervals: Vec::new(),
        variance_factors: Vec::new(),
    };
    let recalibrated = match plan.recalibration {
        Recalibration::None {} => made,
        recalibration => {
            let validated = mixed(|member| &member.valid_predictions);
            let dated = |set: &SampleSet| dated_labels(panel, set);
            let times = |set: &SampleSet| set.iter().map(|sample| known_time(panel, *sample)).collect::<Vec<_>>();
            let (valid_labels, test_labels) = (dated(&samples.valid), dated(&samples.test));
            let (valid_times, test_times) = (times(&samples.valid), times(&samples.test));
            let outcomes =
                |made_at, forecasts, labels| Outcomes { horizons: train.horizons, made_at, forecasts, labels };
            recalibration.apply(
                &outcomes(&valid_times, &validated, &valid_labels),
                &outcomes(&test_times, &made.forecasts, &test_labels),
            )?
        }
    };
    Ok(FoldOutcome {
        test_first: panel.axis[fold.test[0].start],
        test_last: panel.axis[fold.test[fold.test.len() - 1].end - 1],
        train_samples: samples.train.len(),
        valid_samples: samples.valid.len(),
        purged: samples.purged,
        scaler,
        predictions: recalibrated.forecasts,
        intervals: recalibrated.intervals,
        variance_factors: recalibrated.variance_factors,
        members,
        train_mean: (0..train.horizons).map(train_mean).collect(),
        time: samples
            .test
            .iter()
            .map(|sample| panel.series[sample.series as usize].time[sample.row as usize])
            .collect(),
        known_time: samples.test.iter().map(|sample| known_time(panel, *sample)).collect(),
        actual: samples.test.target,
        samples: samples.test.samples,
        fold,
    })
}

/// Returns the labels of a set with the time at which each became known; those that the set has not are left out.
fn dated_labels(panel: &Panel, set: &SampleSet) -> Vec<Option<KnownLabel>> {
    let of_sample = |(place, sample): (usize, &Sample)| {
        let (series, row) = (&panel.series[sample.series as usize], sample.row as usize);
        let dated = move |(target, kept): (&TargetColumn, &Option<f64>)| {
            kept.and(target.labels[row]).map(|label| KnownLabel::new(series, label))
        };
        series.targets.iter().zip(set.labels(place)).map(dated).collect::<Vec<_>>()
    };
    set.iter().enumerate().flat_map(of_sample).collect()
}

fn known_time(panel: &Panel, sample: Sample) -> Timestamp {
    panel.series[sample.series as usize].known_time[sample.row as usize]
}
