//! Simple return over n bars.

use std::num::NonZeroUsize;

use crate::Indicator;
use crate::delay::Delay;

/// `p_t / p_{t-n} - 1`, as a fraction. Input: the close. Warm-up: `n` bars. TA-Lib: `ROCP`.
#[derive(Debug, Clone)]
pub struct SimpleReturn {
    delay: Delay,
}

impl SimpleReturn {
    /// Creates a return over `bars` bars.
    pub fn new(bars: NonZeroUsize) -> Self {
        Self { delay: Delay::new(bars) }
    }
}

impl Indicator for SimpleReturn {
    type Input = f64;
    type Output = f64;

    #[inline]
    fn update(&mut self, close: f64) -> Option<f64> {
        let then = self.delay.push(close)?;
        Some(close / then - 1.0)
    }

    fn lookback_bars(&self) -> usize {
        self.delay.bars()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{bars, check, pandas, talib};

    #[test]
    fn ten_bars_equal_talib() {
        check(SimpleReturn::new(bars(10)), &talib().close, &talib().expected("simple_return_10"));
    }

    #[test]
    fn one_bar_equals_pandas() {
        check(SimpleReturn::new(bars(1)), &talib().close, &pandas("simple_return_1"));
    }
}
