//! Yardsticks: forecasters so plain that a model which does not beat them has learned nothing.

mod boosted_trees;
mod ewma_volatility;
mod garch;
mod historical_mean;
#[cfg(test)]
mod laws;
mod least_squares;
#[cfg(test)]
mod null_laws;
mod per_horizon;
mod ridge;
mod window_summary;
mod zero;

pub use boosted_trees::GradientBoostedTrees;
pub use ewma_volatility::EwmaVolatility;
pub use garch::Garch;
pub use historical_mean::HistoricalMean;
pub use per_horizon::PerHorizon;
pub use ridge::{RIDGE_LAMBDAS, Ridge};
pub use zero::Zero;

use crate::{ForecastError, Predictive, PredictiveShape, Windows};

/// Refuses windows of several horizons: [`PerHorizon`] fits and asks for one at a time.
fn ensure_one_horizon(windows: &Windows) -> Result<(), ForecastError> {
    match windows.horizons {
        1 => Ok(()),
        found => Err(ForecastError::Shape { what: "the horizons of a yardstick", expected: 1, found }),
    }
}

/// Returns every sample's label.
fn targets(set: &'static str, windows: &Windows, needed: usize) -> Result<Vec<f64>, ForecastError> {
    ensure_one_horizon(windows)?;
    if windows.len() < needed {
        return Err(ForecastError::TooFewSamples { set, needed, found: windows.len() });
    }
    windows
        .target
        .iter()
        .enumerate()
        .map(|(sample, target)| {
            let value = target.ok_or(ForecastError::MissingTarget { sample })?;
            finite(value, || format!("the label of sample `{sample}` of the {set}"))
        })
        .collect()
}

/// Returns how much each sample counts: all the same where the windows say nothing.
fn weights(windows: &Windows) -> Vec<f64> {
    if windows.weight.is_empty() { vec![1.0; windows.len()] } else { windows.weight.clone() }
}

fn weighted_mean(values: impl Iterator<Item = f64>, weights: &[f64]) -> f64 {
    values.zip(weights).map(|(value, weight)| value * weight).sum::<f64>() / weights.iter().sum::<f64>()
}

fn finite(value: f64, what: impl FnOnce() -> String) -> Result<f64, ForecastError> {
    if value.is_finite() { Ok(value) } else { Err(ForecastError::NotFinite { what: what(), value }) }
}

/// A single model's statement; a variance of 0, which only data that never move give, is none.
fn predictive(mean: f64, variance: Option<f64>) -> Predictive {
    let variance = variance.filter(|variance| *variance > 0.0);
    Predictive { mean, variance, epistemic_variance: None, shape: PredictiveShape::Normal }
}
