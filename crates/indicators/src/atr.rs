//! Average true range.

use std::num::NonZeroUsize;

use crate::Indicator;
use crate::wilder::Wilder;

/// What an [`Atr`] takes of a bar, in units of price.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HighLowClose {
    /// The highest price.
    pub high: f64,
    /// The lowest price.
    pub low: f64,
    /// The last price.
    pub close: f64,
}

/// The Wilder-smoothed true range `max(high - low, |high - close_{t-1}|, |low - close_{t-1}|)`, in units of price.
///
/// Warm-up: `n` bars, the first bar having no close before it. TA-Lib: `ATR`.
/// Source: J. Welles Wilder, *New Concepts in Technical Trading Systems* (1978).
#[derive(Debug, Clone)]
pub struct Atr {
    previous_close: Option<f64>,
    mean: Wilder,
}

impl Atr {
    /// Creates a mean over `bars` true ranges.
    pub fn new(bars: NonZeroUsize) -> Self {
        Self { previous_close: None, mean: Wilder::new(bars) }
    }
}

impl Indicator for Atr {
    type Input = HighLowClose;
    type Output = f64;

    #[inline]
    fn update(&mut self, bar: HighLowClose) -> Option<f64> {
        let previous_close = self.previous_close.replace(bar.close)?;
        self.mean.push(bar.high.max(previous_close) - bar.low.min(previous_close))
    }

    fn lookback_bars(&self) -> usize {
        self.mean.bars()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{bars, check, talib};

    #[test]
    fn fourteen_bars_equal_talib() {
        let vectors = talib();
        let inputs: Vec<_> = (0..vectors.close.len())
            .map(|row| HighLowClose { high: vectors.high[row], low: vectors.low[row], close: vectors.close[row] })
            .collect();
        check(Atr::new(bars(14)), &inputs, &vectors.expected("atr_14"));
    }

    #[test]
    fn a_gap_counts_from_the_close_before() {
        // True ranges: 14 - 10 = 4 (gap up), 14 - 6 = 8 (gap down); seed 4, then 4 + (8 - 4) / 1 = 8.
        let mut atr = Atr::new(bars(1));
        let bar = |high, low, close| HighLowClose { high, low, close };
        let values = [bar(11.0, 9.0, 10.0), bar(14.0, 13.0, 14.0), bar(7.0, 6.0, 6.5)].map(|bar| atr.update(bar));
        assert_eq!(values, [None, Some(4.0), Some(8.0)]);
    }
}
