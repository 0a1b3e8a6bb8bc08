//! How sure a Sharpe ratio is.

use super::interval::{BootstrapEstimate, check_confidence};
use super::studentized::{Studentized, sharpe_ratio_of};
use crate::performance::sharpe_ratio::excess;
use crate::{MetricOptions, MetricsError, Resamples, Returns};

/// Computes confidence intervals of the annualized Sharpe ratio by the stationary bootstrap; `None` where the ratio is undefined or
/// has no error.
///
/// Sources: Politis and Romano (1994); the studentized interval with block errors by Ledoit and Wolf (2008), "Robust performance
/// hypothesis testing with the Sharpe ratio".
///
/// # Errors
/// [`MetricsError::Length`] when the resamples are of another length, [`MetricsError::Setting`] for a confidence outside (0, 1).
pub fn sharpe_ratio_interval(
    returns: &Returns,
    resamples: &Resamples,
    confidence: f64,
    options: &MetricOptions,
) -> Result<Option<BootstrapEstimate>, MetricsError> {
    check_confidence(confidence)?;
    resamples.check_length("returns", returns.len())?;
    if returns.is_ruined() {
        return Ok(None);
    }
    let found = Studentized::of(&excess(returns, options), None, resamples, sharpe_ratio_of);
    let annual = returns.periods_per_year().sqrt();
    Ok(found.and_then(|found| BootstrapEstimate::of(&found, confidence, annual)))
}
