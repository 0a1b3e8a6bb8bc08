//! Rolling volatility.

use std::num::NonZeroUsize;

use crate::moments::RollingMoments;
use crate::{Indicator, LogReturn};

/// The sample standard deviation (ddof 1) of the last `n` one-bar log returns, not annualised.
///
/// Input: the close. Warm-up: `n` bars. One bar has no sample deviation: with `n = 1` there is never a value.
#[derive(Debug, Clone)]
pub struct Volatility {
    log_return: LogReturn,
    moments: RollingMoments,
    /// One over `n - 1`, infinite where there is no sample deviation.
    inverse_freedom: f64,
}

impl Volatility {
    /// Creates a volatility over `bars` returns.
    pub fn new(bars: NonZeroUsize) -> Self {
        Self {
            log_return: LogReturn::new(NonZeroUsize::MIN),
            moments: RollingMoments::new(bars),
            inverse_freedom: 1.0 / (bars.get() - 1) as f64,
        }
    }

    /// Takes a one-bar log return that the caller already has in place of a close; equal to [`Indicator::update`] to the bit.
    ///
    /// A kernel is fed either closes or returns, never both.
    #[inline]
    pub fn update_return(&mut self, log_return: f64) -> Option<f64> {
        let moments = self.moments.push(log_return)?;
        let variance = moments.squared_deviations * self.inverse_freedom;
        self.inverse_freedom.is_finite().then(|| variance.sqrt())
    }
}

impl Indicator for Volatility {
    type Input = f64;
    type Output = f64;

    #[inline]
    fn update(&mut self, close: f64) -> Option<f64> {
        let log_return = self.log_return.update(close)?;
        self.update_return(log_return)
    }

    fn lookback_bars(&self) -> usize {
        self.moments.bars()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{bars, check, reference, talib};

    #[test]
    fn twenty_bars_equal_the_textbook_definition() {
        check(Volatility::new(bars(20)), &talib().close, &reference("volatility_20"));
    }

    #[test]
    fn returns_and_closes_give_the_same_bits() {
        let [mut by_close, mut by_return] = [Volatility::new(bars(20)), Volatility::new(bars(20))];
        let mut log_return = LogReturn::new(bars(1));
        for &close in &talib().close {
            let value = log_return.update(close).and_then(|log_return| by_return.update_return(log_return));
            assert_eq!(by_close.update(close), value);
        }
    }

    #[test]
    fn a_flat_price_has_no_volatility_even_after_a_jump() {
        let mut volatility = Volatility::new(bars(3));
        let values = [100.0, 250.0, 97.3, 97.3, 97.3, 97.3].map(|close| volatility.update(close));
        assert_eq!(values[5], Some(0.0));
    }

    #[test]
    fn one_return_has_no_sample_deviation() {
        let mut volatility = Volatility::new(bars(1));
        assert_eq!([1.0, 2.0, 3.0].map(|close| volatility.update(close)), [None; 3]);
    }
}
