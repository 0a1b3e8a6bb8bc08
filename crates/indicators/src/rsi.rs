//! Relative strength index with Wilder's smoothing.

use std::num::NonZeroUsize;

use crate::Indicator;
use crate::wilder::Wilder;

/// `100 * gain / (gain + loss)`, the Wilder-smoothed sizes of rises and falls from close to close; 0 to 100.
///
/// Input: the close. Warm-up: `n` bars. Undefined while the price has never moved, where TA-Lib says 0. TA-Lib: `RSI`.
/// Source: J. Welles Wilder, *New Concepts in Technical Trading Systems* (1978).
#[derive(Debug, Clone)]
pub struct Rsi {
    previous: Option<f64>,
    gain: Wilder,
    loss: Wilder,
}

impl Rsi {
    /// Creates an index over `bars` changes.
    pub fn new(bars: NonZeroUsize) -> Self {
        Self { previous: None, gain: Wilder::new(bars), loss: Wilder::new(bars) }
    }
}

impl Indicator for Rsi {
    type Input = f64;
    type Output = f64;

    #[inline]
    fn update(&mut self, close: f64) -> Option<f64> {
        let change = close - self.previous.replace(close)?;
        let (gain, loss) = (self.gain.push(change.max(0.0)), self.loss.push((-change).max(0.0)));
        relative_strength(gain?, loss?)
    }

    fn lookback_bars(&self) -> usize {
        self.gain.bars()
    }
}

/// Returns the share of gains in all movement, in percent; `None` when nothing moved.
#[inline]
pub(crate) fn relative_strength(gain: f64, loss: f64) -> Option<f64> {
    let movement = gain + loss;
    (movement > 0.0).then_some(100.0 * gain / movement)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{bars, check, talib};

    #[test]
    fn fourteen_bars_equal_talib() {
        check(Rsi::new(bars(14)), &talib().close, &talib().expected("rsi_14"));
    }

    #[test]
    fn the_published_example_is_met() {
        // StockCharts ChartSchool, "Relative Strength Index": 33 closes of QQQQ, RSI(14) from the 15th to two places.
        let closes = [
            44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826, 45.8931, 46.0328,
            45.6140, 46.2820, 46.2820, 46.0028, 46.0328, 46.4116, 46.2222, 45.6439, 46.2122, 46.2521, 45.7137, 46.4515,
            45.7835, 45.3548, 44.0288, 44.1783, 44.2181, 44.5672, 43.4205, 42.6628, 43.1314,
        ];
        let expected = [
            70.53, 66.32, 66.55, 69.41, 66.36, 57.97, 62.93, 63.26, 56.06, 62.38, 54.71, 50.42, 39.99, 41.46, 41.87,
            45.46, 37.30, 33.08, 37.77,
        ];
        let mut rsi = Rsi::new(bars(14));
        let values = closes.map(|close| rsi.update(close));
        assert_eq!(values[..14], [None; 14]);
        for (value, expected) in values[14..].iter().zip(expected) {
            assert!((value.expect("warm") - expected).abs() < 0.005, "{value:?} {expected}");
        }
    }

    #[test]
    fn only_rises_give_100_and_only_falls_0() {
        let [mut rising, mut falling] = [Rsi::new(bars(2)), Rsi::new(bars(2))];
        assert_eq!([1.0, 2.0, 4.0].map(|close| rising.update(close)), [None, None, Some(100.0)]);
        assert_eq!([4.0, 2.0, 1.0].map(|close| falling.update(close)), [None, None, Some(0.0)]);
    }

    #[test]
    fn a_price_that_never_moved_has_none() {
        let mut rsi = Rsi::new(bars(2));
        assert_eq!([5.0; 4].map(|close| rsi.update(close)), [None; 4]);
    }
}
