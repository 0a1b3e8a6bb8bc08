//! From feature columns to out-of-sample forecasts: folds and splits, samples, scalers, windows, the trait every model
//! implements, and the yardsticks that every model is shown beside.
//!
//! There is no network here, no file, no thread and no data frame: a [`Panel`] comes in, [`Predictive`] distributions go
//! out. Everything is a pure function of its arguments.
//!
//! Invariants:
//! - a window ending at row `i` reads rows `<= i` only, and only complete ones;
//! - a scaler is fitted on rows of a fold's training bars only and never changes afterwards;
//! - no bar that a training label reads is one that a validation or test label reads, and none that a validation label reads
//!   is one that a test label reads ([`split_samples`] has the exact rule); there is no switch for it.

#![cfg_attr(test, allow(clippy::single_range_in_vec_init, reason = "bars to train on are a list of ranges"))]

mod checkpoint;
mod cross_validation;
mod diagnostics;
mod distribution;
mod error;
#[cfg(test)]
mod fixture;
mod fold;
mod forecaster;
mod history;
mod horizon;
mod mixture;
mod panel;
mod purge;
#[cfg(test)]
mod rank_laws;
mod rank_target;
mod recalibration;
mod return_history;
mod sample;
#[cfg(test)]
mod sample_laws;
mod sample_set;
mod sample_weight;
mod scaler;
mod seed;
mod split;
#[cfg(test)]
mod split_laws;
mod statistics;
mod window;
#[cfg(test)]
mod window_laws;
mod yardsticks;

pub use cross_validation::CrossValidation;
pub use diagnostics::{GateActivation, GateActivations, NetworkDiagnostics, WeightNorm};
pub use error::ForecastError;
pub use fold::{Fold, WalkForward, folds};
pub use forecaster::{
    EpochProgress, EpochRecord, EpochStore, FitMonitor, FitTask, FittedForecaster, ForecastStream, Forecaster,
    GradientRecord, NoMonitor, NoStore, Predictive, PredictiveShape, Quantile, TrainingReport,
};
pub use mixture::mixture;
pub use panel::{Panel, PanelSeries, Sample, ScaleSpec};
pub use rank_target::{RankScore, RankSpec, cross_sectional_rank};
pub use recalibration::{
    AdaptiveConformal, AdaptiveSettings, ConformalScore, Interval, KnownLabel, Outcomes, Recalibrated, Recalibration,
    SplitConformal, VarianceScaling,
};
pub use return_history::{ReturnHistory, one_bar_returns};
pub use sample::{FoldSamples, fold_samples, split_samples};
pub use sample_set::SampleSet;
pub use sample_weight::{LabelWeight, WeightSpec};
pub use scaler::{ColumnScaling, Scaler, ScalerSpec};
pub use seed::derive_seed;
pub use split::{FoldScheme, PathPart, Split, paths, splits};
pub use window::{WindowBlock, Windows, windows};
pub use yardsticks::{
    EwmaVolatility, Garch, GradientBoostedTrees, HistoricalMean, PerHorizon, RIDGE_LAMBDAS, Ridge, Zero,
};
