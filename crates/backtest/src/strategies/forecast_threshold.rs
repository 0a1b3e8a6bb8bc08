//! A position while the forecast is large enough.

use crate::error::require;
use crate::{BacktestError, Context, Requests, Strategy};

/// Parameters of [`ForecastThreshold`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForecastThresholdParams {
    /// The expected return above which the strategy is long, and below whose negative it is short; at least zero.
    pub entry_threshold: f64,
    /// The weight when long, at least zero, divided by the number of instruments.
    pub long_weight: f64,
    /// The weight when short, at most zero, divided by the number of instruments; zero never sells short.
    pub short_weight: f64,
}

/// Is long while the forecast mean is above a threshold, short while it is below its negative, else flat.
///
/// Without a forecast that still speaks about the future ([`Context::forecast`]) it is flat. It trades when the wanted weight
/// changes, not to correct its drift.
#[derive(Debug, Clone)]
pub struct ForecastThreshold {
    params: ForecastThresholdParams,
    wanted: Vec<f64>,
}

impl ForecastThreshold {
    /// Creates the strategy for a number of instruments.
    ///
    /// # Errors
    /// [`BacktestError::Range`] for a threshold or long weight below zero or a short weight above it.
    pub fn new(params: ForecastThresholdParams, instruments: usize) -> Result<Self, BacktestError> {
        let ForecastThresholdParams { entry_threshold, long_weight, short_weight } = params;
        let at_least_zero = |value: f64| value.is_finite() && value >= 0.0;
        require("entry_threshold", "finite and at least 0", entry_threshold, at_least_zero(entry_threshold))?;
        require("long_weight", "finite and at least 0", long_weight, at_least_zero(long_weight))?;
        require("short_weight", "finite and at most 0", short_weight, at_least_zero(-short_weight))?;
        Ok(Self { params, wanted: vec![0.0; instruments] })
    }

    fn weight(&self, mean: f64) -> f64 {
        if mean > self.params.entry_threshold {
            self.params.long_weight
        } else if mean < -self.params.entry_threshold {
            self.params.short_weight
        } else {
            0.0
        }
    }
}

impl Strategy for ForecastThreshold {
    #[inline]
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        for instrument in context.instruments().filter(|&instrument| context.is_updated(instrument)) {
            let weight = context.forecast(instrument).map_or(0.0, |forecast| self.weight(forecast.mean));
            let weight = weight / context.instrument_count() as f64;
            if weight != self.wanted[instrument.index()] {
                self.wanted[instrument.index()] = weight;
                requests.target_weight(instrument, weight);
            }
        }
    }
}
