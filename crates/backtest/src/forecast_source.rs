//! Where a run's forecasts come from: a list of them, or something that makes them while the run goes on.

use tidegate_market::{Forecast, Timestamp};

use crate::BacktestError;

/// Hands forecasts over as they become known.
///
/// The engine asks after every close, before the strategy is called, until there is no answer. A source that makes forecasts
/// does so then, from what was known by then, and a strategy sees them at the same close.
pub trait ForecastSource {
    /// Returns the next forecast that is known at `now`; `None` when there is none, or none yet.
    ///
    /// `now` never goes back. The engine refuses a forecast that is known later than `now`, so that the order in which a source
    /// hands them over cannot show the future.
    fn next(&mut self, now: Timestamp) -> Option<Forecast>;
}

/// Forecasts that were made before the run.
#[derive(Debug, Clone)]
pub(crate) struct KnownForecasts<'a> {
    forecasts: &'a [Forecast],
    next: usize,
}

impl<'a> KnownForecasts<'a> {
    /// Checks all of them, so that what is wrong is found before anything runs.
    pub(crate) fn new(forecasts: &'a [Forecast], instruments: usize) -> Result<Self, BacktestError> {
        for (index, forecast) in forecasts.iter().enumerate() {
            check(forecast, instruments)?;
            if index > 0 && forecast.known_time < forecasts[index - 1].known_time {
                let previous = forecasts[index - 1].known_time;
                return Err(BacktestError::UnsortedForecasts { index, known_time: forecast.known_time, previous });
            }
        }
        Ok(Self { forecasts, next: 0 })
    }
}

impl ForecastSource for KnownForecasts<'_> {
    #[inline]
    fn next(&mut self, now: Timestamp) -> Option<Forecast> {
        let forecast = *self.forecasts.get(self.next)?;
        if forecast.known_time > now {
            return None;
        }
        self.next += 1;
        Some(forecast)
    }
}

/// Refuses a forecast that no strategy can use.
pub(crate) fn check(forecast: &Forecast, instruments: usize) -> Result<(), BacktestError> {
    if forecast.instrument.index() >= instruments {
        let instrument = forecast.instrument;
        return Err(BacktestError::UnknownInstrument { source_name: "a forecast", instrument, instruments });
    }
    crate::error::require("forecast mean", "finite", forecast.mean, forecast.mean.is_finite())?;
    let variance = forecast.variance.unwrap_or(0.0);
    crate::error::require(
        "forecast variance",
        "finite and at least 0",
        variance,
        variance.is_finite() && variance >= 0.0,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::forecast;

    #[test]
    fn a_forecast_is_handed_over_when_it_is_known_and_not_before() {
        let forecasts = [forecast(0, 10), forecast(1, 10), forecast(0, 20)];
        let mut known = KnownForecasts::new(&forecasts, 2).expect("valid");
        let mut at = |now| known.next(Timestamp::from_nanos(now));
        assert_eq!(at(9), None);
        assert_eq!([at(19), at(19), at(19)], [Some(forecasts[0]), Some(forecasts[1]), None]);
        assert_eq!([at(20), at(20)], [Some(forecasts[2]), None]);
    }

    #[test]
    fn bad_forecasts_are_refused_with_what_was_found() {
        let day = Timestamp::NANOS_PER_DAY;
        let error = KnownForecasts::new(&[forecast(0, day), forecast(0, 0)], 1).expect_err("unsorted");
        assert!(error.to_string().contains("forecast `1` known at `1970-01-01` comes after one known at `1970-01-02`"));
        let error = KnownForecasts::new(&[forecast(3, 0)], 2).expect_err("unknown");
        assert_eq!(error.to_string(), "a forecast must name one of the market's `2` instruments, was number `3`");
        let error = KnownForecasts::new(&[Forecast { mean: f64::NAN, ..forecast(0, 0) }], 1).expect_err("not a number");
        assert_eq!(error.to_string(), "forecast mean must be finite, was `NaN`");
    }
}
