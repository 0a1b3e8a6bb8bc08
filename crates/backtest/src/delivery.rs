//! The last forecast that each instrument has.

use tidegate_market::{Forecast, Timestamp};

use crate::forecast_source::check;
use crate::state::Feed;
use crate::{BacktestError, ForecastSource};

/// The last forecast known per instrument, and the bars that it had when the forecast arrived.
#[derive(Debug, Clone, Default)]
pub(crate) struct Delivery {
    latest: Vec<Option<(Forecast, u32)>>,
}

impl Delivery {
    /// Knows nothing yet, in the memory of an earlier run.
    pub(crate) fn renewed(mut self, instruments: usize) -> Self {
        self.latest.clear();
        self.latest.resize(instruments, None);
        self
    }

    /// Takes what a source knows at `now`, when each instrument has the bars of its feed.
    pub(crate) fn deliver(
        &mut self,
        source: &mut dyn ForecastSource,
        now: Timestamp,
        feeds: &[Feed],
    ) -> Result<(), BacktestError> {
        while let Some(forecast) = source.next(now) {
            check(&forecast, feeds.len())?;
            if forecast.known_time > now {
                return Err(BacktestError::ForecastFromTheFuture { known_time: forecast.known_time, now });
            }
            let index = forecast.instrument.index();
            self.latest[index] = Some((forecast, feeds[index].rows));
        }
        Ok(())
    }

    #[inline]
    pub(crate) fn latest(&self, instrument: usize) -> Option<&(Forecast, u32)> {
        self.latest[instrument].as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast_source::KnownForecasts;
    use crate::testing::forecast;

    fn feeds(rows: [u32; 2]) -> [Feed; 2] {
        rows.map(|rows| Feed { rows, ..Feed::default() })
    }

    #[test]
    fn the_last_forecast_known_stays_with_the_bars_at_its_arrival() {
        let forecasts = [forecast(0, 10), forecast(1, 10), forecast(0, 20)];
        let mut source = KnownForecasts::new(&forecasts, 2).expect("valid");
        let mut delivery = Delivery::default().renewed(2);
        let mut at = |now, rows| {
            delivery.deliver(&mut source, Timestamp::from_nanos(now), &feeds(rows)).expect("valid");
            [0, 1].map(|instrument| delivery.latest(instrument).copied())
        };
        assert_eq!(at(9, [1, 1]), [None, None]);
        assert_eq!(at(19, [2, 3]), [Some((forecasts[0], 2)), Some((forecasts[1], 3))]);
        assert_eq!(at(20, [3, 3]), [Some((forecasts[2], 3)), Some((forecasts[1], 3))]);
    }

    struct Hasty;

    impl ForecastSource for Hasty {
        fn next(&mut self, now: Timestamp) -> Option<Forecast> {
            Some(forecast(0, now.nanos() + 1))
        }
    }

    #[test]
    fn a_source_cannot_hand_over_what_is_not_known_yet() {
        let day = Timestamp::from_nanos(Timestamp::NANOS_PER_DAY - 1);
        let error = Delivery::default().renewed(1).deliver(&mut Hasty, day, &[Feed::default()]).expect_err("early");
        assert!(
            error.to_string().starts_with("a forecast must be known when it is handed over, at `1970-01-01"),
            "{error}"
        );
    }
}
