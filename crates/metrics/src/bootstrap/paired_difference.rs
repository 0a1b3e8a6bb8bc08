//! Whether one strategy is better than another that was tried on the same periods.

use serde::{Deserialize, Serialize};

use super::interval::{BootstrapEstimate, check_confidence};
use super::studentized::{Statistic, Studentized, mean_of, sharpe_ratio_of};
use crate::performance::sharpe_ratio::excess;
use crate::{MetricOptions, MetricsError, Resamples, Returns};

/// The first strategy's statistics less the second's, both resampled with the same periods.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairedDifference {
    /// The difference of the annualized Sharpe ratios.
    pub sharpe_ratio: Option<BootstrapEstimate>,
    /// The difference of the mean returns, a fraction a year.
    pub mean_return_annual: Option<BootstrapEstimate>,
}

/// Tests whether two strategies differ in Sharpe ratio and in mean return by the paired stationary bootstrap; a part is `None` where
/// it is undefined or the two do not differ in any period.
///
/// Both are resampled with the same periods, which keeps what they have in common; intervals and p-values are those of
/// [`BootstrapEstimate`], two-sided. Source: Ledoit and Wolf (2008), "Robust performance hypothesis testing with the Sharpe ratio",
/// with the stationary instead of the circular block bootstrap.
///
/// # Errors
/// [`MetricsError::Length`] when a series has another length than the resamples, [`MetricsError::Setting`] for a confidence outside
/// (0, 1).
pub fn paired_difference(
    first: &Returns,
    second: &Returns,
    resamples: &Resamples,
    confidence: f64,
    options: &MetricOptions,
) -> Result<PairedDifference, MetricsError> {
    check_confidence(confidence)?;
    resamples.check_length("returns of the first strategy", first.len())?;
    resamples.check_length("returns of the second strategy", second.len())?;
    if first.is_ruined() || second.is_ruined() {
        return Ok(PairedDifference { sharpe_ratio: None, mean_return_annual: None });
    }
    let (left, right) = (excess(first, options), excess(second, options));
    let difference = |statistic: Statistic, scale: f64| {
        let found = Studentized::of(&left, Some(&right), resamples, statistic)?;
        BootstrapEstimate::of(&found, confidence, scale)
    };
    let periods = first.periods_per_year();
    Ok(PairedDifference {
        sharpe_ratio: difference(sharpe_ratio_of, periods.sqrt()),
        mean_return_annual: difference(mean_of, periods),
    })
}
