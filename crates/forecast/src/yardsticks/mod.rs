//! Yardsticks: forecasters so plain that a model which does not beat them has learned nothing.

mod ewma_volatility;
mod historical_mean;
mod least_squares;
mod ridge;
mod zero;

pub use ewma_volatility::EwmaVolatility;
pub use historical_mean::HistoricalMean;
pub use ridge::{RIDGE_LAMBDAS, Ridge};
pub use zero::Zero;

use crate::{ForecastError, Predictive, PredictiveShape, Windows};

/// Returns every sample's label.
fn targets(set: &'static str, windows: &Windows, needed: usize) -> Result<Vec<f64>, ForecastError> {
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

fn finite(value: f64, what: impl FnOnce() -> String) -> Result<f64, ForecastError> {
    if value.is_finite() { Ok(value) } else { Err(ForecastError::NotFinite { what: what(), value }) }
}

/// A single model's statement; a variance of 0, which only data that never move give, is none.
fn predictive(mean: f64, variance: Option<f64>) -> Predictive {
    let variance = variance.filter(|variance| *variance > 0.0);
    Predictive { mean, variance, epistemic_variance: None, shape: PredictiveShape::Normal }
}
