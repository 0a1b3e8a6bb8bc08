//! More when it is calm, less when it is not.

use std::num::NonZeroUsize;

use tidegate_indicators::{Indicator, Volatility};
use tidegate_market::InstrumentId;

use crate::error::require;
use crate::sizing::{AnnualVolatility, volatility_target};
use crate::strategies::needs_rebalance;
use crate::{BacktestError, Context, Requests, Strategy};

/// Where the volatility comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VolatilitySource {
    /// The forecast's variance, divided by its horizon.
    Forecast,
    /// The sample standard deviation of the last log returns.
    Rolling {
        /// The number of log returns.
        bars: NonZeroUsize,
    },
}

/// Parameters of [`VolatilityTarget`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VolatilityTargetParams {
    /// The wanted volatility of the account per year, above zero.
    pub annual_volatility: f64,
    /// Where the volatility of a bar comes from.
    pub source: VolatilitySource,
    /// Bars per year, above zero.
    pub periods_per_year: f64,
    /// The largest weight of one instrument before the division, above zero.
    pub weight_max: f64,
    /// How far the weight may be from its target before it is corrected, at least zero.
    pub rebalance_tolerance: f64,
}

/// Holds each instrument long with the weight of [`volatility_target`], at most `weight_max`, divided by the number of instruments.
///
/// Without a known volatility above zero it is flat.
#[derive(Debug, Clone)]
pub struct VolatilityTarget {
    params: VolatilityTargetParams,
    rolling: Vec<Volatility>,
}

impl VolatilityTarget {
    /// Creates the strategy for a number of instruments.
    ///
    /// # Errors
    /// [`BacktestError::Range`] for a number outside its range, and a rolling window of fewer than two returns.
    pub fn new(params: VolatilityTargetParams, instruments: usize) -> Result<Self, BacktestError> {
        let positive = |name, value: f64| require(name, "finite and above 0", value, value.is_finite() && value > 0.0);
        positive("annual_volatility", params.annual_volatility)?;
        positive("periods_per_year", params.periods_per_year)?;
        positive("weight_max", params.weight_max)?;
        let tolerance = params.rebalance_tolerance;
        let rule = "finite and at least 0";
        require("rebalance_tolerance", rule, tolerance, tolerance.is_finite() && tolerance >= 0.0)?;
        let rolling = match params.source {
            VolatilitySource::Forecast => Vec::new(),
            VolatilitySource::Rolling { bars } => {
                require("volatility bars", "at least 2", bars.get() as f64, bars.get() >= 2)?;
                vec![Volatility::new(bars); instruments]
            }
        };
        Ok(Self { params, rolling })
    }

    fn bar_volatility(&mut self, context: &Context<'_>, instrument: InstrumentId) -> Option<f64> {
        match self.params.source {
            VolatilitySource::Forecast => {
                let forecast = context.forecast(instrument)?;
                Some((forecast.variance? / f64::from(forecast.horizon_bars.max(1))).sqrt())
            }
            VolatilitySource::Rolling { .. } => self.rolling[instrument.index()].update(context.close(instrument)?),
        }
    }
}

impl Strategy for VolatilityTarget {
    #[inline]
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        let VolatilityTargetParams { annual_volatility: volatility, periods_per_year, weight_max, .. } = self.params;
        let wanted = AnnualVolatility { volatility, periods_per_year };
        for instrument in context.instruments().filter(|&instrument| context.is_updated(instrument)) {
            let volatility = self.bar_volatility(context, instrument);
            let weight = volatility.and_then(|volatility| volatility_target(wanted, volatility));
            let weight = weight.map_or(0.0, |weight| weight.min(weight_max));
            let weight = weight / context.instrument_count() as f64;
            if needs_rebalance(context, instrument, weight, self.params.rebalance_tolerance) {
                requests.target_weight(instrument, weight);
            }
        }
    }
}
