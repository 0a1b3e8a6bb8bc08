//! Simple moving average.

use std::num::NonZeroUsize;

use crate::Indicator;
use crate::rolling::{First, Rolling};

/// The arithmetic mean of the last `n` values. Input: any value, usually the close. Warm-up: `n - 1` bars. TA-Lib: `SMA`.
///
/// The mean of equal values is exactly that value, so that two averages of a flat price never cross.
#[derive(Debug, Clone)]
pub struct Sma {
    window: Rolling<First>,
    inverse_bars: f64,
}

impl Sma {
    /// Creates a mean over `bars` values.
    pub fn new(bars: NonZeroUsize) -> Self {
        Self { window: Rolling::new(bars), inverse_bars: 1.0 / bars.get() as f64 }
    }
}

impl Indicator for Sma {
    type Input = f64;
    type Output = f64;

    #[inline]
    fn update(&mut self, value: f64) -> Option<f64> {
        let window = self.window.push(value)?;
        Some(window.anchor + window.sums.0 * self.inverse_bars)
    }

    fn lookback_bars(&self) -> usize {
        self.window.bars() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{bars, check, talib};

    #[test]
    fn twenty_and_fifty_bars_equal_talib() {
        check(Sma::new(bars(20)), &talib().close, &talib().expected("sma_20"));
        check(Sma::new(bars(50)), &talib().close, &talib().expected("sma_50"));
    }

    #[test]
    fn averages_of_a_flat_price_are_equal() {
        let [mut fast, mut slow] = [Sma::new(bars(7)), Sma::new(bars(30))];
        let prices = std::iter::repeat_n(88.1, 40).chain(std::iter::repeat_n(0.1, 200));
        let (fast, slow) = prices.map(|price| (fast.update(price), slow.update(price))).last().expect("not empty");
        assert_eq!((fast, slow), (Some(0.1), Some(0.1)));
    }
}
