//! Bets in proportion to the edge over the risk.

use crate::error::require;
use crate::sizing::{Edge, kelly};
use crate::strategies::needs_rebalance;
use crate::{BacktestError, Context, Requests, Strategy};

/// Parameters of [`Kelly`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KellyParams {
    /// The fraction of the full Kelly weight, above zero; practitioners take a half or less.
    pub fraction: f64,
    /// The largest absolute weight of one instrument, above zero.
    pub weight_max: f64,
    /// Whether a negative mean sells short instead of staying flat.
    pub allow_short: bool,
    /// How far the weight may be from its target before it is corrected, at least zero; leaving the market is never put off.
    pub rebalance_tolerance: f64,
}

/// Holds a fraction of the Kelly weight ([`kelly`]) in each instrument, clamped to `weight_max`.
///
/// Instruments are sized on their own, each up to `weight_max`: what the account as a whole may hold is the risk limits' business.
///
/// Without a forecast that still speaks about the future, or one without a variance above zero, it is flat.
#[derive(Debug, Clone)]
pub struct Kelly {
    params: KellyParams,
}

impl Kelly {
    /// Creates the strategy.
    ///
    /// # Errors
    /// [`BacktestError::Range`] for a fraction or weight not above zero, or a tolerance below it.
    pub fn new(params: KellyParams) -> Result<Self, BacktestError> {
        let KellyParams { fraction, weight_max, rebalance_tolerance: tolerance, .. } = params;
        require("fraction", "finite and above 0", fraction, fraction.is_finite() && fraction > 0.0)?;
        require("weight_max", "finite and above 0", weight_max, weight_max.is_finite() && weight_max > 0.0)?;
        let rule = "finite and at least 0";
        require("rebalance_tolerance", rule, tolerance, tolerance.is_finite() && tolerance >= 0.0)?;
        Ok(Self { params })
    }

    /// Returns the weight for a forecast.
    pub fn weight(&self, mean: f64, variance: Option<f64>) -> f64 {
        let Some(variance) = variance else { return 0.0 };
        let Some(weight) = kelly(self.params.fraction, Edge { mean, variance }) else { return 0.0 };
        let least = if self.params.allow_short { -self.params.weight_max } else { 0.0 };
        weight.clamp(least, self.params.weight_max)
    }
}

impl Strategy for Kelly {
    #[inline]
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        for instrument in context.instruments().filter(|&instrument| context.is_updated(instrument)) {
            let forecast = context.forecast(instrument);
            let weight = forecast.map_or(0.0, |forecast| self.weight(forecast.mean, forecast.variance));
            if needs_rebalance(context, instrument, weight, self.params.rebalance_tolerance) {
                requests.target_weight(instrument, weight);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(allow_short: bool, mean: f64, variance: Option<f64>, expected: f64) {
        let params = KellyParams { fraction: 0.5, weight_max: 1.5, allow_short, rebalance_tolerance: 0.0 };
        let weight = Kelly::new(params).expect("valid").weight(mean, variance);
        assert!((weight - expected).abs() < 1e-12, "{weight}");
    }

    #[test]
    fn the_weight_is_the_fraction_of_mean_over_variance() {
        check(false, 0.0002, Some(0.0001), 1.0);
        check(true, -0.0002, Some(0.0001), -1.0);
    }

    #[test]
    fn the_weight_is_clamped() {
        check(true, 0.01, Some(0.0001), 1.5);
        check(true, -0.01, Some(0.0001), -1.5);
        check(false, -0.01, Some(0.0001), 0.0);
    }

    #[test]
    fn without_a_variance_there_is_no_bet() {
        check(true, 0.01, None, 0.0);
        check(true, 0.01, Some(0.0), 0.0);
    }
}
