//! Moving average convergence divergence.

use std::num::NonZeroUsize;

use crate::{Ema, Indicator};

/// The three periods of a [`Macd`], in bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MacdBars {
    /// The shorter average.
    pub fast: NonZeroUsize,
    /// The longer average.
    pub slow: NonZeroUsize,
    /// The average of the difference.
    pub signal: NonZeroUsize,
}

/// One bar's values, in units of price.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MacdValue {
    /// Fast average minus slow average.
    pub macd: f64,
    /// The exponential average of `macd`.
    pub signal: f64,
    /// `macd - signal`.
    pub histogram: f64,
}

/// `macd = EMA_fast - EMA_slow`, `signal = EMA_signal(macd)`, `histogram = macd - signal`.
///
/// Input: the close. Warm-up: `slow + signal - 2` bars, for all three: as in TA-Lib's `MACD`, there is no value before the
/// signal has one, and the fast average is seeded with the `fast` closes that end where the slow one's seed ends.
#[derive(Debug, Clone)]
pub struct Macd {
    bars: MacdBars,
    fast: Ema,
    slow: Ema,
    signal: Ema,
    /// Closes that the fast average still passes over, so that both seeds end together.
    fast_delay: usize,
}

impl Macd {
    /// Creates the indicator; `None` unless `fast < slow`.
    pub fn new(bars: MacdBars) -> Option<Self> {
        (bars.fast < bars.slow).then(|| Self {
            bars,
            fast: Ema::new(bars.fast),
            slow: Ema::new(bars.slow),
            signal: Ema::new(bars.signal),
            fast_delay: bars.slow.get() - bars.fast.get(),
        })
    }
}

impl Indicator for Macd {
    type Input = f64;
    type Output = MacdValue;

    #[inline]
    fn update(&mut self, close: f64) -> Option<MacdValue> {
        let slow = self.slow.update(close);
        if self.fast_delay > 0 {
            self.fast_delay -= 1;
            return None;
        }
        let fast = self.fast.update(close);
        let macd = fast? - slow?;
        let signal = self.signal.update(macd)?;
        Some(MacdValue { macd, signal, histogram: macd - signal })
    }

    fn lookback_bars(&self) -> usize {
        (self.bars.slow.get() - 1).saturating_add(self.bars.signal.get() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{Projected, bars, check, talib};

    fn macd(fast: usize, slow: usize, signal: usize) -> Option<Macd> {
        Macd::new(MacdBars { fast: bars(fast), slow: bars(slow), signal: bars(signal) })
    }

    #[test]
    fn all_three_lines_equal_talib() {
        let kernel = macd(12, 26, 9).expect("12 < 26");
        let vectors = talib();
        check(Projected(kernel.clone(), |v| v.macd), &vectors.close, &vectors.expected("macd_12_26_9"));
        check(Projected(kernel.clone(), |v| v.signal), &vectors.close, &vectors.expected("macd_signal_12_26_9"));
        check(Projected(kernel, |v| v.histogram), &vectors.close, &vectors.expected("macd_histogram_12_26_9"));
    }

    #[test]
    fn the_fast_average_must_be_faster() {
        assert!(macd(26, 26, 9).is_none());
        assert!(macd(26, 12, 9).is_none());
    }

    #[test]
    fn seeds_end_together_by_hand() {
        // slow(3) seed (3+6+9)/3 = 6, fast(2) seed (6+9)/2 = 7.5: 1.5; then slow 6+(12-6)/2 = 9, fast 7.5+2(12-7.5)/3 = 10.5: 1.5.
        // signal(2) seed (1.5+1.5)/2 = 1.5.
        let mut kernel = macd(2, 3, 2).expect("2 < 3");
        let values = [3.0, 6.0, 9.0, 12.0].map(|close| kernel.update(close));
        assert_eq!(values, [None, None, None, Some(MacdValue { macd: 1.5, signal: 1.5, histogram: 0.0 })]);
    }
}
