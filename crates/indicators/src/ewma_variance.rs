//! Exponentially weighted variance of returns.

use std::num::NonZeroUsize;

use crate::{Indicator, LogReturn};

/// `v_t = decay * v_{t-1} + (1 - decay) * r_t^2` of one-bar log returns about zero, seeded with the first squared return.
///
/// The variance per bar known at the close: its forecast for the next bar is the same number. Input: the close. Warm-up: one
/// bar. Source: J.P. Morgan and Reuters, `RiskMetrics` technical document (1996).
#[derive(Debug, Clone)]
pub struct EwmaVariance {
    log_return: LogReturn,
    decay: f64,
    variance: Option<f64>,
}

impl EwmaVariance {
    /// The decay that `RiskMetrics` uses for daily bars.
    pub const DECAY_DAILY: f64 = 0.94;

    /// Creates a variance with a decay (lambda); `None` unless `0 < decay < 1`.
    pub fn new(decay: f64) -> Option<Self> {
        let log_return = LogReturn::new(NonZeroUsize::MIN);
        (decay > 0.0 && decay < 1.0).then_some(Self { log_return, decay, variance: None })
    }
}

impl Indicator for EwmaVariance {
    type Input = f64;
    type Output = f64;

    #[inline]
    fn update(&mut self, close: f64) -> Option<f64> {
        let squared = self.log_return.update(close)?.powi(2);
        let previous = self.variance.unwrap_or(squared);
        self.variance = Some(previous + (1.0 - self.decay) * (squared - previous));
        self.variance
    }

    fn lookback_bars(&self) -> usize {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{check, reference, talib};

    #[test]
    fn the_daily_decay_equals_the_weighted_sum_written_out() {
        let kernel = EwmaVariance::new(EwmaVariance::DECAY_DAILY).expect("0.94 is within (0, 1)");
        check(kernel, &talib().close, &reference("ewma_variance_94"));
    }

    #[test]
    fn a_decay_outside_its_range_does_not_construct() {
        for decay in [0.0, 1.0, -0.5, f64::NAN] {
            assert!(EwmaVariance::new(decay).is_none(), "{decay}");
        }
    }
}
