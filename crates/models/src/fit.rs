//! The epochs of a fit: order, progress, schedule, early stopping, and what stops it.

use tidegate_forecast::{EpochProgress, EpochRecord, FitTask, ForecastError, TrainingReport};

use crate::device::Device;
use crate::forecaster::FittedNetwork;
use crate::random::{SeededRandom, Stream};
use crate::samples::SampleTensors;
use crate::schedule::LearningRate;
use crate::spec::NetworkSpec;
use crate::stopping::EarlyStopping;
use crate::target::TargetScale;
use crate::trainer::Trainer;
use crate::training_spec::{Schedule, TrainingSpec};

/// Trains a network on one fold.
pub(crate) fn fit(
    network: &NetworkSpec,
    training: &TrainingSpec,
    device: Device,
    task: &FitTask<'_>,
) -> Result<FittedNetwork, ForecastError> {
    check_validation_set(training, task)?;
    let mut trainer = Trainer::new(network, training, device, task.seed).map_err(|error| model_error(&error))?;
    let target = TargetScale::of(&task.train.target)?;
    let train = trainer.scaled_samples(task.train, "training", target)?;
    let valid = trainer.scaled_samples(task.valid, "validation", target)?;
    let mut learning_rate = LearningRate::new(training.schedule.clone(), training.optimizer.learning_rate());
    let mut stopping = training.early_stopping_patience.map(EarlyStopping::new);
    let mut shuffle = SeededRandom::new(task.seed, Stream::Shuffle);
    let mut places: Vec<i64> = (0..train.len() as i64).collect();
    let mut epochs = Vec::with_capacity(training.epochs_max);
    for epoch in 1..=training.epochs_max {
        shuffle.shuffle(&mut places);
        trainer.set_learning_rate(learning_rate.rate());
        let train_loss = run_epoch(&mut trainer, &train, &places, training.batch_size, epoch, task)?;
        let valid_loss = (!valid.is_empty()).then(|| trainer.evaluate(&valid));
        if let Some(value) = valid_loss.filter(|loss| !loss.is_finite()) {
            return Err(ForecastError::NotFinite { what: format!("the validation loss of epoch `{epoch}`"), value });
        }
        let record = EpochRecord { epoch, train_loss, valid_loss, learning_rate: learning_rate.rate() };
        epochs.push(record);
        task.monitor.epoch(progress(record, training.epochs_max));
        let Some(valid_loss) = valid_loss else { continue };
        learning_rate.epoch_ended(valid_loss);
        let weights = trainer.parameters().flat();
        if stopping.as_mut().is_some_and(|stopping| stopping.epoch_ended(epoch, valid_loss, weights)) {
            break;
        }
    }
    let best = stopping.and_then(EarlyStopping::into_best);
    let best_epoch = best.as_ref().map_or(epochs.len(), |best| best.epoch);
    if let Some(best) = best {
        trainer.restore_weights(&best.weights);
    }
    let (structure, parameters) = trainer.into_network();
    let report = TrainingReport { epochs, best_epoch: Some(best_epoch), parameters: parameters.flat().numel() };
    Ok(FittedNetwork::new(network.clone(), structure, parameters, target, report, device))
}

/// Runs one pass over the training set and returns its mean loss; the last, smaller batch counts by its size.
fn run_epoch(
    trainer: &mut Trainer,
    train: &SampleTensors,
    places: &[i64],
    batch_size: usize,
    epoch: usize,
    task: &FitTask<'_>,
) -> Result<f64, ForecastError> {
    let mut sum = 0.0;
    for (batch, places) in places.chunks(batch_size).enumerate() {
        task.ensure_running()?;
        let step = trainer.step(train, places);
        for (what, value) in [("training loss", step.loss), ("gradient norm", step.gradient_norm)] {
            if !value.is_finite() {
                let what = format!("the {what} of epoch `{epoch}`, batch `{}`", batch + 1);
                return Err(ForecastError::NotFinite { what, value });
            }
        }
        sum += step.loss * places.len() as f64;
    }
    Ok(sum / train.len() as f64)
}

/// Refuses a training that watches a validation loss which does not exist.
fn check_validation_set(training: &TrainingSpec, task: &FitTask<'_>) -> Result<(), ForecastError> {
    let watched = training.early_stopping_patience.is_some() || matches!(training.schedule, Schedule::Plateau { .. });
    if watched && task.valid.samples.is_empty() {
        return Err(ForecastError::TooFewSamples { set: "validation set", needed: 1, found: 0 });
    }
    Ok(())
}

fn progress(record: EpochRecord, epochs: usize) -> EpochProgress {
    let EpochRecord { epoch, train_loss, valid_loss, learning_rate } = record;
    EpochProgress { epoch, epochs, train_loss, valid_loss, learning_rate }
}

/// Turns a refusal of this crate into the forecasters' common error.
pub(crate) fn model_error(error: &crate::ModelError) -> ForecastError {
    ForecastError::Model(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tidegate_forecast::{FitMonitor, NoStore, Windows};

    use super::*;
    use crate::fixture::{learnable, point, training};

    /// Counts polls, keeps progress, and cancels after some polls.
    struct Watch {
        polls: AtomicUsize,
        polls_max: usize,
        epochs: Mutex<Vec<EpochProgress>>,
    }

    impl Watch {
        const fn new(polls_max: usize) -> Self {
            Self { polls: AtomicUsize::new(0), polls_max, epochs: Mutex::new(Vec::new()) }
        }
    }

    impl FitMonitor for Watch {
        fn epoch(&self, progress: EpochProgress) {
            self.epochs.lock().expect("no panic while held").push(progress);
        }

        fn cancelled(&self) -> bool {
            self.polls.fetch_add(1, Ordering::Relaxed) >= self.polls_max
        }
    }

    fn fit_watched(
        training: &TrainingSpec,
        train: &Windows,
        valid: &Windows,
        watch: &Watch,
    ) -> Result<FittedNetwork, ForecastError> {
        fit(&point(), training, Device::Cpu, &FitTask { train, valid, seed: 7, monitor: watch, store: &NoStore })
    }

    fn refused(training: &TrainingSpec, train: &Windows, valid: &Windows) -> String {
        fit_watched(training, train, valid, &Watch::new(usize::MAX)).expect_err("the task is wrong").to_string()
    }

    #[test]
    fn the_monitor_sees_every_epoch_and_every_batch_is_a_chance_to_stop() {
        let watch = Watch::new(usize::MAX);
        let fitted =
            fit_watched(&training(3), &learnable(40, 1, 1), &learnable(10, 1, 2), &watch).expect("a sane task");
        // 40 samples in batches of 16 are 16, 16 and 8: the last one is kept.
        assert_eq!(watch.polls.load(Ordering::Relaxed), 3 * 3);
        let epochs = watch.epochs.into_inner().expect("no panic while held");
        assert_eq!(
            epochs.iter().map(|progress| (progress.epoch, progress.epochs)).collect::<Vec<_>>(),
            [(1, 3), (2, 3), (3, 3)]
        );
        assert_eq!(fitted.report.epochs.iter().map(|record| progress(*record, 3)).collect::<Vec<_>>(), epochs);
    }

    #[test]
    fn a_cancelled_fit_stops_within_the_epoch() {
        let watch = Watch::new(4);
        let error =
            fit_watched(&training(3), &learnable(40, 1, 1), &learnable(10, 1, 2), &watch).expect_err("cancelled");
        assert_eq!(error, ForecastError::Cancelled);
        assert_eq!(watch.epochs.into_inner().expect("no panic while held").len(), 1);
    }

    #[test]
    fn an_input_that_is_not_a_number_is_named_by_column_and_sample() {
        let mut train = learnable(40, 1, 1);
        // Sample 2, step 4, feature 1 of windows of 6 steps and 3 features.
        train.scales[0].values[2 * 18 + 4 * 3 + 1] = f32::NAN;
        let message = refused(&training(1), &train, &learnable(10, 1, 2));
        assert_eq!(
            message,
            "feature column `1` of scale `0` at step `4` of training sample `2` must be finite, was `NaN`"
        );
    }

    #[test]
    fn a_training_loss_that_overflows_is_named_by_epoch_and_batch() {
        let windows = learnable(40, 1, 1);
        let mut trainer = Trainer::new(&point(), &training(1), Device::Cpu, 7).expect("valid specifications");
        // Finite targets of about 1e28, whose squares are not finite in single precision.
        let scale = TargetScale { mean: 0.0, standard_deviation: 1e-30 };
        let samples = trainer.scaled_samples(&windows, "training", scale).expect("finite");
        let task =
            FitTask { train: &windows, valid: &windows, seed: 7, monitor: &Watch::new(usize::MAX), store: &NoStore };
        let places: Vec<i64> = (0..40).collect();
        let message = run_epoch(&mut trainer, &samples, &places, 16, 3, &task).expect_err("overflow").to_string();
        assert_eq!(message, "the training loss of epoch `3`, batch `1` must be finite, was `inf`");
    }

    #[test]
    fn a_validation_loss_that_overflows_is_named_by_epoch() {
        let mut valid = learnable(10, 1, 2);
        valid.target[3] = Some(1e30);
        let message = refused(&training(1), &learnable(40, 1, 1), &valid);
        assert_eq!(message, "the validation loss of epoch `1` must be finite, was `inf`");
    }

    #[test]
    fn a_plateau_without_a_validation_set_is_refused() {
        let (train, empty) = (learnable(40, 1, 1), learnable(0, 1, 2));
        let message = refused(&training(1), &train, &empty);
        assert!(message.starts_with("validation set must have at least `1` samples, has `0`"), "{message}");
        let unwatched = TrainingSpec { schedule: Schedule::Constant, early_stopping_patience: None, ..training(2) };
        let fitted = fit_watched(&unwatched, &train, &empty, &Watch::new(usize::MAX)).expect("nothing is watched");
        assert_eq!((fitted.report.best_epoch, fitted.report.epochs[1].valid_loss), (Some(2), None));
    }

    #[test]
    fn a_sample_without_a_label_is_refused() {
        let mut train = learnable(40, 1, 1);
        train.target[5] = None;
        assert_eq!(
            refused(&training(1), &train, &learnable(10, 1, 2)),
            "every sample of a fit must have a label, sample `5` has none"
        );
    }
}
