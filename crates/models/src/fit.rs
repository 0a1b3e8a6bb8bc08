//! The epochs of a fit: order, progress, schedule, early stopping, what is kept between them, and what stops it.

use tch::Tensor;
use tidegate_forecast::{EpochProgress, EpochRecord, FitTask, ForecastError, GradientRecord, TrainingReport};

use crate::batches::BatchPlan;
use crate::checkpoint::CheckpointParts;
use crate::device::Device;
use crate::diagnostics;
use crate::fault::{self, StepPlace};
use crate::fitted::FittedNetwork;
use crate::samples::SampleTensors;
use crate::schedule::LearningRate;
use crate::spec::NetworkSpec;
use crate::stopping::EarlyStopping;
use crate::target::TargetScale;
use crate::trainer::{Step, Trainer};
use crate::training_spec::{Schedule, TrainingSpec};
use crate::training_state::{TaskIdentity, TrainingState};

/// Trains a network on one fold.
pub(crate) fn fit(
    network: &NetworkSpec,
    training: &TrainingSpec,
    device: Device,
    task: &FitTask<'_>,
) -> Result<FittedNetwork, ForecastError> {
    check_validation_set(training, task)?;
    let targets = TargetScale::of(task.train)?;
    let mut run = Run::start(network, training, device, task, &targets)?;
    let identity = task.store.keeps().then(|| TaskIdentity::of(network, training, device, task));
    if let Some(identity) = &identity {
        run.resume(identity, device);
    }
    while !run.is_over() {
        run.next_epoch()?;
        if let Some(identity) = &identity {
            run.keep(identity);
        }
    }
    let (trainer, report) = run.end();
    let (structure, parameters) = trainer.into_network();
    Ok(FittedNetwork::new(network.clone(), structure, parameters, targets, report, device))
}

/// Trains a network on from weights it already has, in units of the targets that they were trained for.
///
/// Nothing is kept between epochs: it is short, and what would be kept does not know the weights it started from.
pub(crate) fn fit_on(
    training: &TrainingSpec,
    device: Device,
    task: &FitTask<'_>,
    start: &CheckpointParts,
) -> Result<FittedNetwork, ForecastError> {
    check_validation_set(training, task)?;
    let mut run = Run::start(&start.network, training, device, task, &start.targets)?;
    run.trainer.restore_weights(&Tensor::from_slice(&start.values()));
    while !run.is_over() {
        run.next_epoch()?;
    }
    let (trainer, report) = run.end();
    let (structure, parameters) = trainer.into_network();
    Ok(FittedNetwork::new(start.network.clone(), structure, parameters, start.targets.clone(), report, device))
}

/// A fit between two epochs.
struct Run<'a> {
    training: &'a TrainingSpec,
    task: &'a FitTask<'a>,
    trainer: Trainer,
    train: SampleTensors,
    valid: SampleTensors,
    plan: BatchPlan,
    /// The batches of the first epoch, until it begins.
    first_batches: Option<Vec<Vec<i64>>>,
    learning_rate: LearningRate,
    stopping: Option<EarlyStopping>,
    epochs: Vec<EpochRecord>,
}

impl<'a> Run<'a> {
    fn start(
        network: &NetworkSpec,
        training: &'a TrainingSpec,
        device: Device,
        task: &'a FitTask<'a>,
        targets: &[TargetScale],
    ) -> Result<Self, ForecastError> {
        let trainer = Trainer::new(network, training, device, task.seed).map_err(|error| model_error(&error))?;
        let train = trainer.scaled_samples(task.train, "training", targets)?;
        let valid = trainer.scaled_samples(task.valid, "validation", targets)?;
        let mut plan = BatchPlan::new(training, &train, task.seed, network.loss.needs_order());
        let first_batches = plan.next_epoch();
        let steps_per_epoch = first_batches.len().div_ceil(training.accumulation_steps);
        Ok(Self {
            training,
            task,
            trainer,
            train,
            valid,
            plan,
            first_batches: Some(first_batches),
            learning_rate: LearningRate::new(training, steps_per_epoch),
            stopping: training.early_stopping_patience.map(EarlyStopping::new),
            epochs: Vec::with_capacity(training.epochs_max),
        })
    }

    fn is_over(&self) -> bool {
        self.epochs.len() >= self.training.epochs_max || self.stopping.as_ref().is_some_and(EarlyStopping::stops)
    }

    /// Runs one epoch and its validation.
    fn next_epoch(&mut self) -> Result<(), ForecastError> {
        let batches = self.first_batches.take().unwrap_or_else(|| self.plan.next_epoch());
        let mut record = self.train_on(&batches)?;
        record.valid_loss = (!self.valid.is_empty()).then(|| self.trainer.evaluate(&self.valid));
        if let Some(loss) = record.valid_loss {
            fault::check_validation(loss, record.epoch, &self.valid)?;
        }
        self.epochs.push(record);
        self.task.monitor.epoch(progress(record, self.training.epochs_max));
        if let Some(valid_loss) = record.valid_loss {
            self.learning_rate.epoch_ended(valid_loss);
            let weights = self.trainer.parameters().flat();
            if let Some(stopping) = &mut self.stopping {
                stopping.epoch_ended(record.epoch, valid_loss, weights);
            }
        }
        Ok(())
    }

    /// Runs one pass over the training set; every step counts by the weight of its labels.
    fn train_on(&mut self, batches: &[Vec<i64>]) -> Result<EpochRecord, ForecastError> {
        let epoch = self.epochs.len() + 1;
        let mut sums = EpochSums::default();
        for (step, batches) in batches.chunks(self.training.accumulation_steps).enumerate() {
            self.task.ensure_running()?;
            sums.learning_rate = self.learning_rate.rate(epoch - 1, self.trainer.steps());
            self.trainer.set_learning_rate(sums.learning_rate);
            let found = self.trainer.step_over(&self.train, batches);
            let place = StepPlace { epoch, batch: step + 1 };
            fault::check(&found, place, &self.trainer, &self.train, batches)?;
            sums.add(&found);
        }
        Ok(sums.record(epoch))
    }

    /// Goes on from the state that was kept of the same task, if there is one.
    fn resume(&mut self, identity: &TaskIdentity, device: Device) {
        let Some(bytes) = self.task.store.load() else { return };
        let restored = TrainingState::from_bytes(&bytes, identity, device.tch()).and_then(|state| self.restore(state));
        if let Err(reason) = restored {
            let message = format!("a saved training state is of no use: {reason}; the training starts anew");
            self.task.monitor.notice(&message);
        }
    }

    fn restore(&mut self, state: TrainingState) -> Result<(), String> {
        for _ in 1..state.epochs.len() {
            self.plan.next_epoch();
        }
        self.first_batches = None;
        assert_eq!(self.plan.words_used(), state.shuffle_words, "the order of samples follows from seed and epoch");
        self.trainer.restore(&state.trainer).map_err(|error| error.to_string())?;
        self.learning_rate.restore(state.plateau);
        if let Some((stopping, (best, since))) = self.stopping.as_mut().zip(state.stopping) {
            stopping.restore(best, since);
        }
        self.epochs = state.epochs;
        Ok(())
    }

    /// Keeps the state after an epoch; a fit goes on without where that fails.
    fn keep(&self, identity: &TaskIdentity) {
        let state = TrainingState {
            trainer: self.trainer.state(),
            plateau: self.learning_rate.state(),
            stopping: self.stopping.as_ref().map(EarlyStopping::state),
            shuffle_words: self.plan.words_used(),
            epochs: self.epochs.clone(),
        };
        let kept = state.to_bytes(identity).and_then(|bytes| self.task.store.save(self.epochs.len(), &bytes));
        if let Err(error) = kept {
            self.task
                .monitor
                .notice(&format!("the training state after epoch `{}` is not kept: {error}", self.epochs.len()));
        }
    }

    /// Restores the best weights and reports.
    fn end(mut self) -> (Trainer, TrainingReport) {
        let best = self.stopping.and_then(EarlyStopping::into_best);
        let best_epoch = best.as_ref().map_or(self.epochs.len(), |best| best.epoch);
        if let Some(best) = best {
            self.trainer.restore_weights(&best.weights);
        }
        let looked_at = if self.valid.is_empty() { &self.train } else { &self.valid };
        // Every epoch has the same samples, but not always the same batches.
        let padded = self.epochs.iter().map(|record| record.padded_share).sum::<f64>() / self.epochs.len() as f64;
        let network = self.trainer.look_inside(looked_at, padded);
        let report = TrainingReport {
            best_epoch: Some(best_epoch),
            parameters: self.trainer.parameters().flat().numel(),
            warnings: diagnostics::warnings(&network, &self.task.train.scales),
            network: Some(network),
            epochs: self.epochs,
        };
        (self.trainer, report)
    }
}

/// What the steps of an epoch add up to.
#[derive(Default)]
struct EpochSums {
    taken: usize,
    loss: f64,
    label_weight: f64,
    norm: f64,
    norm_max: f64,
    clipped: usize,
    steps: usize,
    padding: usize,
    learning_rate: f64,
}

impl EpochSums {
    fn add(&mut self, step: &Step) {
        self.taken += 1;
        self.loss += step.loss * step.label_weight;
        self.label_weight += step.label_weight;
        self.norm += step.gradient_norm;
        self.norm_max = self.norm_max.max(step.gradient_norm);
        self.clipped += usize::from(step.clipped);
        self.steps += step.steps;
        self.padding += step.padding;
    }

    fn record(&self, epoch: usize) -> EpochRecord {
        let gradients = GradientRecord {
            norm_mean: self.norm / self.taken as f64,
            norm_max: self.norm_max,
            clipped_share: self.clipped as f64 / self.taken as f64,
        };
        EpochRecord {
            epoch,
            train_loss: self.loss / self.label_weight,
            valid_loss: None,
            learning_rate: self.learning_rate,
            gradients: Some(gradients),
            padded_share: self.padding as f64 / self.steps as f64,
        }
    }
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
    let EpochRecord { epoch, train_loss, valid_loss, learning_rate, .. } = record;
    EpochProgress { epoch, epochs, train_loss, valid_loss, learning_rate }
}

/// Turns a refusal of this crate into the forecasters' common error.
pub(crate) fn model_error(error: &crate::ModelError) -> ForecastError {
    ForecastError::Model(error.to_string())
}

#[cfg(test)]
mod resume_tests;

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
    fn a_validation_loss_that_overflows_is_named_by_epoch_and_sample() {
        let mut valid = learnable(10, 1, 2);
        valid.target[3] = Some(1e30);
        let message = refused(&training(1), &learnable(40, 1, 1), &valid);
        let start = "the validation loss of epoch `1` (the target of horizon `0` of validation sample `3` lies `1.";
        assert!(message.starts_with(start), "{message}");
        assert!(message.ends_with("e32` standard deviations from the mean) must be finite, was `inf`"), "{message}");
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
