//! How much a rule buys or sells short.

use super::evaluate::View;
use super::expression::Number;
use crate::BacktestError;
use crate::error::require;

/// How the weight of an entry is found; one instrument's, as a fraction of equity, before the risk limits.
#[derive(Debug, Clone, PartialEq)]
pub enum RulesSize {
    /// The same weight at every entry, above zero.
    Weight(f64),
    /// The weight that loses `fraction` of equity when the price goes from the close to the stop, before costs and gaps:
    /// `fraction * close / |close - stop|`, at most `weight_max`.
    Risk {
        /// The part of equity at risk, above zero.
        fraction: f64,
        /// The largest weight, above zero.
        weight_max: f64,
    },
    /// The weight that has the stated volatility: `annual_volatility / (volatility * sqrt(periods_per_year))`, at most `weight_max`.
    VolatilityTarget {
        /// The wanted volatility per year, above zero.
        annual_volatility: f64,
        /// The instrument's volatility per bar.
        volatility: Number,
        /// Bars per year, above zero.
        periods_per_year: f64,
        /// The largest weight, above zero.
        weight_max: f64,
    },
}

impl RulesSize {
    pub(super) fn validate(&self) -> Result<(), BacktestError> {
        let positive = |name, value: f64| require(name, "finite and above 0", value, value.is_finite() && value > 0.0);
        match self {
            Self::Weight(weight) => positive("weight", *weight),
            Self::Risk { fraction, weight_max } => {
                positive("fraction", *fraction)?;
                positive("weight_max", *weight_max)
            }
            Self::VolatilityTarget { annual_volatility, periods_per_year, weight_max, .. } => {
                positive("annual_volatility", *annual_volatility)?;
                positive("periods_per_year", *periods_per_year)?;
                positive("weight_max", *weight_max)
            }
        }
    }

    /// Returns the weight without its side; `None` where what it needs is missing.
    pub(super) fn weight(&self, view: &View<'_>, close: f64, stop: Option<f64>) -> Option<f64> {
        match self {
            Self::Weight(weight) => Some(*weight),
            Self::Risk { fraction, weight_max } => {
                let distance = (close - stop?).abs();
                (distance > 0.0).then(|| (fraction * close / distance).min(*weight_max))
            }
            Self::VolatilityTarget { annual_volatility, volatility, periods_per_year, weight_max } => {
                let volatility = view.number(volatility).filter(|&volatility| volatility > 0.0)?;
                Some((annual_volatility / (volatility * periods_per_year.sqrt())).min(*weight_max))
            }
        }
    }
}
