//! How deep a drawdown the same returns could have made in another order.

use serde::{Deserialize, Serialize};

use super::interval::{Interval, check_confidence};
use super::studentized::draw;
use crate::sample::{quantile, sorted};
use crate::{MetricsError, Resamples, Returns};

/// The maximum drawdown and what resampling makes of it, negative fractions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxDrawdownInterval {
    /// The maximum drawdown of the data.
    pub estimate: f64,
    /// The median of the resamples.
    pub median: f64,
    /// The confidence of the interval, such as 0.95.
    pub confidence: f64,
    /// The quantiles of the resamples; `low` is the deepest.
    pub percentile: Interval,
    /// The share of resamples with a drawdown at least as deep as that of the data.
    pub deeper_share: f64,
}

/// Computes the distribution of the maximum drawdown by the stationary bootstrap; `None` without periods.
///
/// Quantiles of the resampled drawdowns as they are: the drawdown is an extreme, for which no studentized interval is known to be
/// better. Source: Politis and Romano (1994); the drawdown is that of [`max_drawdown`](crate::max_drawdown()).
///
/// # Errors
/// [`MetricsError::Length`] when the resamples are of another length, [`MetricsError::Setting`] for a confidence outside (0, 1).
pub fn max_drawdown_interval(
    returns: &Returns,
    resamples: &Resamples,
    confidence: f64,
) -> Result<Option<MaxDrawdownInterval>, MetricsError> {
    check_confidence(confidence)?;
    resamples.check_length("returns", returns.len())?;
    let estimate = deepest(returns.values());
    let mut drawn = Vec::new();
    let depths: Vec<f64> =
        resamples.rows().map(|periods| deepest(draw(returns.values(), periods, &mut drawn))).collect();
    let depths = sorted(&depths);
    let tail = (1.0 - confidence) / 2.0;
    let of = |level| quantile(&depths, level);
    let (Some(low), Some(median), Some(high)) = (of(tail), of(0.5), of(1.0 - tail)) else { return Ok(None) };
    let deeper = depths.iter().filter(|&&depth| depth <= estimate).count();
    Ok(Some(MaxDrawdownInterval {
        estimate,
        median,
        confidence,
        percentile: Interval { low, high },
        deeper_share: deeper as f64 / depths.len() as f64,
    }))
}

/// Returns the maximum drawdown, a negative fraction, at least -1; nothing is earned on what a loss of everything leaves.
pub(super) fn deepest(returns: &[f64]) -> f64 {
    let (mut value, mut peak, mut deepest) = (1.0_f64, 1.0_f64, 0.0_f64);
    for return_ in returns {
        value *= 1.0 + return_;
        if value <= 0.0 {
            return -1.0;
        }
        peak = peak.max(value);
        deepest = deepest.min(value / peak - 1.0);
    }
    deepest
}
