//! Walk-forward: every member of every fold is one job, and jobs share nothing.
//!
//! A job's result depends on its fold, its member number and the seed, never on which thread ran it or when, so the outcome is
//! the same bytes on any number of threads.

use rayon::prelude::*;
use tidegate_forecast::{
    EwmaVolatility, FitTask, FittedForecaster, Fold, FoldSamples, ForecastError, Forecaster, HistoricalMean, NoMonitor,
    NoStore, Panel, Predictive, Ridge, Sample, Scaler, TrainingReport, Windows, Zero, derive_seed, fold_samples, folds,
    mixture, windows,
};
use tidegate_market::Forecast;

use super::cache::{ArtifactCache, Cached};
use super::{FoldOutcome, ForecastOutcome, MemberOutcome, YardstickOutcome};
use crate::ExperimentError;
use crate::observer::{MemberMonitor, Observer, Progress};
use crate::resolve::ForecastPlan;

/// Raised when a checkpoint's meaning or the arithmetic of training changes, so that old cache entries are not taken for new ones.
const MEMBER_FORMAT: u32 = 2;

/// What training needs besides the plan and the panel.
pub(crate) struct TrainingContext<'a> {
    /// The experiment's seed.
    pub seed: u64,
    /// Where trained members are kept.
    pub cache: &'a ArtifactCache,
    /// The device that networks train on: other devices round differently.
    pub device: &'a str,
    /// Who watches.
    pub observer: &'a dyn Observer,
}

/// Everything of a fold that does not depend on a member.
struct PreparedFold {
    fold: Fold,
    samples: FoldSamples,
    scaler: Scaler,
}

impl PreparedFold {
    fn windows(&self, panel: &Panel, plan: &ForecastPlan, samples: &[Sample]) -> Windows {
        windows(panel, samples, &plan.scales, &self.scaler)
    }
}

/// Trains and forecasts every fold in parallel on the current thread pool.
///
/// # Errors
/// When no fold fits the data, a member cannot be trained, or the observer cancelled; finished members stay in the cache.
pub(crate) fn forecast_walk_forward(
    plan: &ForecastPlan,
    forecaster: &dyn Forecaster,
    panel: &Panel,
    context: &TrainingContext<'_>,
) -> Result<ForecastOutcome, ExperimentError> {
    let prepared = prepare(plan, panel)?;
    let jobs: Vec<(usize, u32)> =
        (0..prepared.len()).flat_map(|fold| (0..plan.ensemble_size).map(move |member| (fold, member))).collect();
    context.observer.notify(Progress::Stage { name: "training folds", steps: jobs.len() as u64 });
    let members: Vec<(MemberOutcome, Vec<Predictive>)> = jobs
        .par_iter()
        .with_max_len(1)
        .map(|&(fold, member)| run_member(plan, forecaster, panel, &prepared[fold], member, context))
        .collect::<Result<_, _>>()?;
    context.observer.notify(Progress::StageDone);
    let yardsticks = run_yardsticks(plan, panel, &prepared, context)?;
    Ok(assemble(plan, panel, prepared, members, yardsticks))
}

fn prepare(plan: &ForecastPlan, panel: &Panel) -> Result<Vec<PreparedFold>, ExperimentError> {
    folds(panel.axis.len(), &plan.walk_forward)?
        .into_iter()
        .map(|fold| {
            let samples = fold_samples(panel, &fold, &plan.scales);
            let scaler = Scaler::fit(panel, &fold.train, &plan.scaler)?;
            Ok(PreparedFold { fold, samples, scaler })
        })
        .collect()
}

fn run_member(
    plan: &ForecastPlan,
    forecaster: &dyn Forecaster,
    panel: &Panel,
    prepared: &PreparedFold,
    member: u32,
    context: &TrainingContext<'_>,
) -> Result<(MemberOutcome, Vec<Predictive>), ExperimentError> {
    if context.observer.cancelled() {
        return Err(ExperimentError::Cancelled);
    }
    let fold = prepared.fold.index;
    let seed = derive_seed(context.seed, fold, member);
    let train = prepared.windows(panel, plan, &prepared.samples.train);
    let valid = prepared.windows(panel, plan, &prepared.samples.valid);
    let test = prepared.windows(panel, plan, &prepared.samples.test);
    let key = member_key(plan, context.device, seed, &train, &valid)?;
    let restored = restore(forecaster, &key, context);
    let (fitted, checkpoint, report, reused) = if let Some((fitted, checkpoint, report)) = restored {
        (fitted, checkpoint, report, true)
    } else {
        let monitor = MemberMonitor { observer: context.observer, fold, member };
        let fitted =
            forecaster.fit(&FitTask { train: &train, valid: &valid, seed, monitor: &monitor, store: &NoStore });
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
    let predictions = fitted.forecast(&test)?;
    context.observer.notify(Progress::Step);
    Ok((MemberOutcome { checkpoint, report, reused }, predictions))
}

/// Takes a member from the cache; what cannot be used is reported and trained again.
fn restore(
    forecaster: &dyn Forecaster,
    key: &str,
    context: &TrainingContext<'_>,
) -> Option<(Box<dyn FittedForecaster>, Vec<u8>, TrainingReport)> {
    let (path, reason) = match context.cache.load(key) {
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
    let specification = serde_json::to_vec(&(&plan.forecaster, plan.horizon_bars(), device, env!("CARGO_PKG_VERSION")))
        .map_err(|error| ExperimentError::Internal(error.to_string()))?;
    hasher.update(&specification);
    hasher.update(&seed.to_le_bytes());
    for windows in [train, valid] {
        hasher.update(&(windows.samples.len() as u64).to_le_bytes());
        for block in &windows.scales {
            hasher.update(&(block.steps as u64).to_le_bytes());
            hasher.update(&(block.features as u64).to_le_bytes());
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

fn run_yardsticks(
    plan: &ForecastPlan,
    panel: &Panel,
    prepared: &[PreparedFold],
    context: &TrainingContext<'_>,
) -> Result<Vec<YardstickOutcome>, ExperimentError> {
    let yardsticks: Vec<Box<dyn Forecaster>> = vec![
        Box::new(Zero),
        Box::new(HistoricalMean),
        Box::new(EwmaVolatility { horizon_bars: plan.horizon_bars() }),
        Box::new(Ridge { lambda: None }),
    ];
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
    members: Vec<(MemberOutcome, Vec<Predictive>)>,
    yardsticks: Vec<YardstickOutcome>,
) -> ForecastOutcome {
    let mut members = members.into_iter();
    let mut outcome = ForecastOutcome {
        forecasts: Vec::new(),
        folds: Vec::with_capacity(prepared.len()),
        yardsticks,
        members_reused: 0,
        members_trained: 0,
    };
    for fold in prepared {
        let (members, predictions): (Vec<MemberOutcome>, Vec<Vec<Predictive>>) =
            members.by_ref().take(plan.ensemble_size as usize).unzip();
        for member in &members {
            let count = if member.reused { &mut outcome.members_reused } else { &mut outcome.members_trained };
            *count += 1;
        }
        let fold = finish_fold(panel, fold, members, mixture(&predictions));
        outcome.forecasts.extend(fold_forecasts(panel, &fold, plan.horizon_bars()));
        outcome.folds.push(fold);
    }
    outcome.forecasts.sort_by_key(|forecast| (forecast.known_time, forecast.instrument));
    outcome
}

fn finish_fold(
    panel: &Panel,
    prepared: PreparedFold,
    members: Vec<MemberOutcome>,
    predictions: Vec<Predictive>,
) -> FoldOutcome {
    let label = |sample: &Sample| {
        let target = &panel.series[sample.series as usize].target;
        target.labels[sample.row as usize].map(|label| label.value)
    };
    let PreparedFold { fold, samples, scaler } = prepared;
    let train_targets: Vec<f64> = samples.train.iter().filter_map(label).collect();
    FoldOutcome {
        test_first: panel.axis[fold.test.start],
        test_last: panel.axis[fold.test.end - 1],
        train_samples: samples.train.len(),
        valid_samples: samples.valid.len(),
        purged: samples.purged,
        scaler,
        members,
        actual: samples.test.iter().map(label).collect(),
        samples: samples.test,
        predictions,
        train_mean: train_targets.iter().sum::<f64>() / train_targets.len() as f64,
        fold,
    }
}

fn fold_forecasts<'a>(
    panel: &'a Panel,
    fold: &'a FoldOutcome,
    horizon_bars: u32,
) -> impl Iterator<Item = Forecast> + 'a {
    fold.samples.iter().zip(&fold.predictions).map(move |(sample, prediction)| {
        let series = &panel.series[sample.series as usize];
        Forecast {
            instrument: series.instrument,
            time: series.time[sample.row as usize],
            known_time: series.known_time[sample.row as usize],
            horizon_bars,
            mean: prediction.mean,
            variance: prediction.variance,
            fold: fold.fold.index,
        }
    })
}
