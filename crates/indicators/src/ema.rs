//! Exponential moving average.

use std::num::NonZeroUsize;

use crate::Indicator;

/// `e_t = e_{t-1} + k (x_t - e_{t-1})` with `k = 2 / (n + 1)`, seeded as TA-Lib does with the mean of the first `n` values.
///
/// Input: any value, usually the close. Warm-up: `n - 1` bars. TA-Lib: `EMA`.
#[derive(Debug, Clone)]
pub struct Ema {
    bars: usize,
    smoothing: f64,
    seen: usize,
    /// The sum of the values while the seed is incomplete, then the mean.
    value: f64,
}

impl Ema {
    /// Creates a mean over `bars` values.
    pub fn new(bars: NonZeroUsize) -> Self {
        Self { bars: bars.get(), smoothing: 2.0 / (bars.get() as f64 + 1.0), seen: 0, value: 0.0 }
    }
}

impl Indicator for Ema {
    type Input = f64;
    type Output = f64;

    #[inline]
    fn update(&mut self, value: f64) -> Option<f64> {
        if self.seen >= self.bars {
            self.value += self.smoothing * (value - self.value);
            return Some(self.value);
        }
        self.seen += 1;
        self.value += value;
        if self.seen < self.bars {
            return None;
        }
        self.value /= self.bars as f64;
        Some(self.value)
    }

    fn lookback_bars(&self) -> usize {
        self.bars - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{bars, check, talib};

    #[test]
    fn twelve_and_twenty_six_bars_equal_talib() {
        check(Ema::new(bars(12)), &talib().close, &talib().expected("ema_12"));
        check(Ema::new(bars(26)), &talib().close, &talib().expected("ema_26"));
    }

    #[test]
    fn the_seed_is_the_mean_of_the_first_values() {
        // k = 2 / 4; seed (1 + 2 + 6) / 3 = 3; then 3 + (5 - 3) / 2 = 4.
        let mut ema = Ema::new(bars(3));
        assert_eq!([1.0, 2.0, 6.0, 5.0].map(|value| ema.update(value)), [None, None, Some(3.0), Some(4.0)]);
    }
}
