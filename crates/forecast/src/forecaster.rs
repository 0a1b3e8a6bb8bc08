//! The trait that every model implements, and what passes through it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{ForecastError, NetworkDiagnostics, Windows};

/// What a forecaster says about one sample's target at one horizon.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictive {
    /// The expected value of the target.
    pub mean: f64,
    /// The total predictive variance, above 0; `None` when the forecaster states none.
    pub variance: Option<f64>,
    /// The part of the variance that comes from disagreement between ensemble members; `None` for a single model.
    pub epistemic_variance: Option<f64>,
    /// The form of the distribution around the mean.
    pub shape: PredictiveShape,
}

/// The form of a predictive distribution.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum PredictiveShape {
    /// Normal, where a variance is stated.
    #[default]
    Normal,
    /// Student's t with the stated mean and variance, hence of scale `sqrt(variance (nu - 2) / nu)`.
    StudentT {
        /// `nu`, above 2.
        degrees_of_freedom: f64,
    },
    /// The values of the target at some levels of probability, in rising order of both.
    Quantiles(Arc<[Quantile]>),
}

/// One point of a distribution function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantile {
    /// The probability of a target at or below the value, in (0, 1).
    pub level: f64,
    /// The value, in the target's units.
    pub value: f64,
}

/// How far a fit has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpochProgress {
    /// The epoch that just ended, from 1.
    pub epoch: usize,
    /// The largest number of epochs.
    pub epochs: usize,
    /// The loss on the training set.
    pub train_loss: f64,
    /// The loss on the validation set; `None` when that set is empty.
    pub valid_loss: Option<f64>,
    /// The learning rate of the epoch.
    pub learning_rate: f64,
}

/// Watches a fit and may stop it. It must not influence the numbers in any other way.
pub trait FitMonitor: Sync {
    /// Is told about every finished epoch.
    fn epoch(&self, progress: EpochProgress);

    /// Returns whether the fit should stop with [`ForecastError::Cancelled`].
    fn cancelled(&self) -> bool;

    /// Is told in a sentence about something that did not go as planned and stops nothing, such as a saved state of another
    /// task.
    fn notice(&self, message: &str) {
        let _ = message;
    }
}

/// Watches nothing and never stops a fit.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoMonitor;

impl FitMonitor for NoMonitor {
    fn epoch(&self, _: EpochProgress) {}

    fn cancelled(&self) -> bool {
        false
    }
}

/// Where a fit keeps what it needs to go on after an interruption.
///
/// A state that was saved makes the fit go on bit for bit as if it had never stopped.
pub trait EpochStore: Sync {
    /// Returns the last state that was saved whole; `None` at a fresh start.
    fn load(&self) -> Option<Vec<u8>>;

    /// Keeps the state after an epoch, from 1, in place of the one before.
    ///
    /// # Errors
    /// [`ForecastError::Model`] when it cannot be kept. A fit goes on without.
    fn save(&self, epoch: usize, state: &[u8]) -> Result<(), ForecastError>;

    /// Returns whether anything is kept at all; a fit for a store that keeps nothing need not gather its state.
    fn keeps(&self) -> bool {
        true
    }
}

/// Keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoStore;

impl EpochStore for NoStore {
    fn load(&self) -> Option<Vec<u8>> {
        None
    }

    fn save(&self, _: usize, _: &[u8]) -> Result<(), ForecastError> {
        Ok(())
    }

    fn keeps(&self) -> bool {
        false
    }
}

/// Everything a fit may look at.
#[derive(Clone, Copy)]
pub struct FitTask<'a> {
    /// The training set; every sample has a label at one horizon at least.
    pub train: &'a Windows,
    /// The validation set; every sample has a label at one horizon at least.
    pub valid: &'a Windows,
    /// The seed of everything random in the fit.
    pub seed: u64,
    /// Is told about progress.
    pub monitor: &'a dyn FitMonitor,
    /// Keeps the state between epochs.
    pub store: &'a dyn EpochStore,
}

impl FitTask<'_> {
    /// Returns an error when the monitor asks for a stop.
    ///
    /// # Errors
    /// [`ForecastError::Cancelled`].
    pub fn ensure_running(&self) -> Result<(), ForecastError> {
        if self.monitor.cancelled() { Err(ForecastError::Cancelled) } else { Ok(()) }
    }
}

/// One epoch of a finished fit.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct EpochRecord {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The loss on the training set.
    pub train_loss: f64,
    /// The loss on the validation set; `None` when that set is empty.
    pub valid_loss: Option<f64>,
    /// The learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// The gradients of the epoch's steps; `None` where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradients: Option<GradientRecord>,
    /// Share of the steps of the epoch's batches that were padding.
    #[serde(default)]
    pub padded_share: f64,
}

/// The gradients of one epoch's steps.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct GradientRecord {
    /// Mean of the global norms, before clipping.
    pub norm_mean: f64,
    /// The largest global norm, before clipping.
    pub norm_max: f64,
    /// Share of the steps whose gradient was scaled down.
    pub clipped_share: f64,
}

/// How a fit went.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TrainingReport {
    /// Every epoch in order; empty for a forecaster that does not iterate.
    pub epochs: Vec<EpochRecord>,
    /// The epoch whose weights were kept, from 1; `None` for a forecaster that does not iterate.
    pub best_epoch: Option<usize>,
    /// How many numbers were fitted.
    pub parameters: usize,
    /// What a network looks like inside; `None` for other forecasters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkDiagnostics>,
    /// What looks wrong with the data or the fit, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A recipe that turns training windows into a fitted forecaster. The same task gives the same bits.
pub trait Forecaster: Send + Sync {
    /// Returns the name shown in reports, such as `ridge`.
    fn name(&self) -> &str;

    /// Fits on one fold's training and validation sets.
    ///
    /// # Errors
    /// [`ForecastError::TooFewSamples`] for sets that are too small, [`ForecastError::MissingTarget`] for a sample without a
    /// label, [`ForecastError::NotFinite`] when a loss or a fitted number is not finite, [`ForecastError::Cancelled`] when the
    /// monitor asks for a stop, and whatever else the forecaster states.
    fn fit(&self, task: &FitTask<'_>) -> Result<Box<dyn FittedForecaster>, ForecastError>;

    /// Rebuilds a fitted forecaster from its checkpoint; its forecasts equal the original's bit for bit.
    ///
    /// # Errors
    /// [`ForecastError::Checkpoint`] for bytes that are damaged or belong to another forecaster.
    fn restore(&self, checkpoint: &[u8]) -> Result<Box<dyn FittedForecaster>, ForecastError>;
}

/// A forecaster after its fit. It may move to another thread, and need not be shared between threads.
pub trait FittedForecaster: Send {
    /// Returns one predictive distribution per sample and horizon.
    ///
    /// # Shapes
    /// `[N, K]`, row-major: the samples in their order, each with its horizons from the nearest to the farthest.
    ///
    /// # Errors
    /// [`ForecastError::Shape`] for windows of another shape than at fit, [`ForecastError::NotFinite`] for a forecast that is
    /// not finite.
    fn forecast(&self, windows: &Windows) -> Result<Vec<Predictive>, ForecastError>;

    /// Returns bytes from which [`Forecaster::restore`] rebuilds it; the same fit gives the same bytes.
    ///
    /// # Errors
    /// [`ForecastError::Model`] when the state cannot be written.
    fn checkpoint(&self) -> Result<Vec<u8>, ForecastError>;

    /// Returns how the fit went. After a restore only `parameters` is certain to be filled.
    fn report(&self) -> TrainingReport;

    /// Returns a forecaster of one of the panel's series that reads one step after another and carries its state on; `None` where
    /// there is no such thing.
    fn stream(&self, _series: u32) -> Option<Box<dyn ForecastStream>> {
        None
    }
}

/// A forecaster that is stepped bar by bar.
///
/// From a fresh start, the steps of a window give the forecast that the window gives.
pub trait ForecastStream: Send {
    /// Reads the scaled features of one step and returns the forecasts made at it, one per horizon.
    ///
    /// # Shapes
    /// `features` is `[F]`, the result `[K]`.
    ///
    /// # Errors
    /// [`ForecastError::Shape`] for another number of features, [`ForecastError::NotFinite`] for a forecast that is not finite.
    fn step(&mut self, features: &[f32]) -> Result<&[Predictive], ForecastError>;

    /// Forgets everything read.
    fn reset(&mut self);
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Stop;

    impl FitMonitor for Stop {
        fn epoch(&self, _: EpochProgress) {}

        fn cancelled(&self) -> bool {
            true
        }
    }

    #[test]
    fn a_cancelled_fit_says_so() {
        let empty = Windows::default();
        let task = FitTask { train: &empty, valid: &empty, seed: 0, monitor: &NoMonitor, store: &NoStore };
        assert_eq!(task.ensure_running(), Ok(()));
        let task = FitTask { monitor: &Stop, ..task };
        assert_eq!(task.ensure_running(), Err(ForecastError::Cancelled));
    }
}
