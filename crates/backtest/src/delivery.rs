//! Forecasts on their way to the strategy.

use tidegate_market::{Forecast, Timestamp};

use crate::BacktestError;
use crate::state::Feed;

/// Forecasts in the order in which they become known, and the last one known per instrument.
#[derive(Debug, Clone)]
pub(crate) struct Delivery<'a> {
    forecasts: &'a [Forecast],
    next: usize,
    /// The last forecast and the bars that its instrument had when it arrived.
    latest: Vec<Option<(&'a Forecast, u32)>>,
}

impl<'a> Delivery<'a> {
    pub(crate) fn new(forecasts: &'a [Forecast], instruments: usize) -> Result<Self, BacktestError> {
        for (index, forecast) in forecasts.iter().enumerate() {
            check(forecast, instruments)?;
            if index > 0 && forecast.known_time < forecasts[index - 1].known_time {
                let previous = forecasts[index - 1].known_time;
                return Err(BacktestError::UnsortedForecasts { index, known_time: forecast.known_time, previous });
            }
        }
        Ok(Self { forecasts, next: 0, latest: vec![None; instruments] })
    }

    /// Returns whether anything is left to deliver.
    #[inline]
    pub(crate) const fn is_pending(&self) -> bool {
        self.next < self.forecasts.len()
    }

    /// Delivers what is known at `now`, when each instrument has the bars of its feed.
    pub(crate) fn deliver(&mut self, now: Timestamp, feeds: &[Feed]) {
        while let Some(forecast) = self.forecasts.get(self.next).filter(|forecast| forecast.known_time <= now) {
            let index = forecast.instrument.index();
            self.latest[index] = Some((forecast, feeds[index].rows));
            self.next += 1;
        }
    }

    #[inline]
    pub(crate) fn latest(&self, instrument: usize) -> Option<(&'a Forecast, u32)> {
        self.latest[instrument]
    }
}

fn check(forecast: &Forecast, instruments: usize) -> Result<(), BacktestError> {
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
    use tidegate_market::InstrumentId;

    fn forecast(instrument: u32, known: i64) -> Forecast {
        Forecast {
            instrument: InstrumentId(instrument),
            time: Timestamp::from_nanos(known),
            known_time: Timestamp::from_nanos(known),
            horizon_bars: 1,
            mean: 0.01,
            variance: None,
            fold: 0,
        }
    }

    fn feeds(rows: [u32; 2]) -> [Feed; 2] {
        rows.map(|rows| Feed { rows, ..Feed::default() })
    }

    #[test]
    fn a_forecast_arrives_when_it_is_known_and_not_before() {
        let forecasts = [forecast(0, 10), forecast(1, 10), forecast(0, 20)];
        let mut delivery = Delivery::new(&forecasts, 2).expect("valid");
        delivery.deliver(Timestamp::from_nanos(9), &feeds([1, 1]));
        assert!(delivery.latest(0).is_none());
        delivery.deliver(Timestamp::from_nanos(19), &feeds([2, 3]));
        assert_eq!(delivery.latest(0), Some((&forecasts[0], 2)));
        assert_eq!(delivery.latest(1), Some((&forecasts[1], 3)));
        delivery.deliver(Timestamp::from_nanos(20), &feeds([3, 3]));
        assert!(!delivery.is_pending());
    }

    #[test]
    fn bad_forecasts_are_refused_with_what_was_found() {
        let day = Timestamp::NANOS_PER_DAY;
        let error = Delivery::new(&[forecast(0, day), forecast(0, 0)], 1).expect_err("unsorted");
        assert!(error.to_string().contains("forecast `1` known at `1970-01-01` comes after one known at `1970-01-02`"));
        let error = Delivery::new(&[forecast(3, 0)], 2).expect_err("unknown");
        assert_eq!(error.to_string(), "a forecast must name one of the market's `2` instruments, was number `3`");
        let error = Delivery::new(&[Forecast { mean: f64::NAN, ..forecast(0, 0) }], 1).expect_err("not a number");
        assert_eq!(error.to_string(), "forecast mean must be finite, was `NaN`");
    }
}
