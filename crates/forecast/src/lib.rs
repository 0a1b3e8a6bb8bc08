//! From feature columns to out-of-sample forecasts: folds, samples, scalers, windows, the trait every model implements, and
//! the yardsticks that every model is shown beside.
//!
//! There is no network here, no file, no thread and no data frame: a [`Panel`] comes in, [`Predictive`] distributions go
//! out. Everything is a pure function of its arguments.
//!
//! Invariants:
//! - a window ending at row `i` reads rows `<= i` only, and only complete ones;
//! - a scaler is fitted on rows of a fold's training range only and never changes afterwards;
//! - no bar that a training label reads closes at or after the first validation bar's close, and none that a validation
//!   label reads at or after the first test bar's close ([`fold_samples`] has the exact rule); there is no switch for it.

mod checkpoint;
mod error;
#[cfg(test)]
mod fixture;
mod fold;
mod forecaster;
mod mixture;
mod panel;
mod sample;
#[cfg(test)]
mod sample_laws;
mod scaler;
mod seed;
mod statistics;
mod window;
mod yardsticks;

pub use error::ForecastError;
pub use fold::{Fold, WalkForward, folds};
pub use forecaster::{
    EpochProgress, EpochRecord, EpochStore, FitMonitor, FitTask, FittedForecaster, ForecastStream, Forecaster,
    NoMonitor, NoStore, Predictive, PredictiveShape, Quantile, TrainingReport,
};
pub use mixture::mixture;
pub use panel::{Panel, PanelSeries, Sample, ScaleSpec};
pub use sample::{FoldSamples, fold_samples};
pub use scaler::{ColumnScaling, Scaler, ScalerSpec};
pub use seed::derive_seed;
pub use window::{WindowBlock, Windows, windows};
pub use yardsticks::{EwmaVolatility, HistoricalMean, RIDGE_LAMBDAS, Ridge, Zero};
