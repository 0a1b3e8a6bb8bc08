//! How far from these returns could the same strategy have ended by chance?

use serde::{Deserialize, Serialize};
use tidegate_metrics::{
    BootstrapEstimate, BootstrapSettings, MaxDrawdownInterval, Resamples, automatic_block_length,
    max_drawdown_interval, sharpe_ratio_interval,
};

use super::CONFIDENCE;
use crate::ExperimentError;
use crate::measure::Measured;

/// The most periods that are drawn in all, so that long series fit in memory: a quarter of a gibibyte.
const DRAWS_MAX: usize = 1 << 26;

/// The fewest resamples that quantiles are read from.
const RESAMPLES_MIN: usize = 100;

/// Intervals by the stationary bootstrap of the returns per bar.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct IntervalsAnswer {
    /// How the resamples were drawn; null where there are fewer than two returns or too many to draw them often enough.
    pub settings: Option<BootstrapSettings>,
    /// The annual Sharpe ratio.
    pub sharpe_ratio: Option<BootstrapEstimate>,
    /// The maximum drawdown.
    pub max_drawdown: Option<MaxDrawdownInterval>,
}

pub(super) fn answer(measured: &Measured, resamples: usize, seed: u64) -> Result<IntervalsAnswer, ExperimentError> {
    let returns = &measured.returns;
    let Some(resamples) = affordable(returns.len(), resamples) else {
        return Ok(IntervalsAnswer { settings: None, sharpe_ratio: None, max_drawdown: None });
    };
    let mean_block_length = automatic_block_length(returns.values()).unwrap_or(1.0);
    let settings = BootstrapSettings { resamples, mean_block_length, seed };
    let drawn = Resamples::new(returns.len(), settings)?;
    Ok(IntervalsAnswer {
        settings: Some(settings),
        sharpe_ratio: sharpe_ratio_interval(returns, &drawn, CONFIDENCE, &measured.options)?,
        max_drawdown: max_drawdown_interval(returns, &drawn, CONFIDENCE)?,
    })
}

/// Returns how many resamples of a series can be kept; `None` for a series too short or too long for any.
fn affordable(periods: usize, wanted: usize) -> Option<usize> {
    let most = if periods < 2 { 0 } else { DRAWS_MAX / periods };
    (most >= RESAMPLES_MIN.min(wanted)).then(|| wanted.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_series_is_drawn_less_often_and_one_without_an_end_not_at_all() {
        assert_eq!([0, 1, 2, 2_520].map(|periods| affordable(periods, 1_000)), [None, None, Some(1_000), Some(1_000)]);
        // 2^26 / 262144 = 256.
        assert_eq!(affordable(262_144, 1_000), Some(256));
        assert_eq!(affordable(10_000_000, 1_000), None);
    }
}
