//! Log return over n bars.

use std::num::NonZeroUsize;

use crate::Indicator;
use crate::delay::Delay;

/// `ln(p_t / p_{t-n})`. Input: the close. Warm-up: `n` bars.
#[derive(Debug, Clone)]
pub struct LogReturn {
    delay: Delay,
}

impl LogReturn {
    /// Creates a return over `bars` bars.
    pub fn new(bars: NonZeroUsize) -> Self {
        Self { delay: Delay::new(bars) }
    }
}

impl Indicator for LogReturn {
    type Input = f64;
    type Output = f64;

    #[inline]
    fn update(&mut self, close: f64) -> Option<f64> {
        let then = self.delay.push(close)?;
        Some((close / then).ln())
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
    fn one_bar_equals_pandas() {
        check(LogReturn::new(bars(1)), &talib().close, &pandas("log_return_1"));
    }

    #[test]
    fn several_bars_are_the_sum_of_their_parts() {
        let mut two = LogReturn::new(bars(2));
        // ln(1.1) = 0.09531017980432493, ln(1.2) = 0.1823215567939546: 100, 110, 132.
        let returns = [100.0, 110.0, 132.0].map(|close| two.update(close));
        assert_eq!(returns[..2], [None, None]);
        assert!((returns[2].expect("warm") - 0.277_631_736_598_279_5).abs() < 1e-15);
    }
}
