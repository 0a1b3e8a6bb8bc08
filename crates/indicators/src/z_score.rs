//! Rolling z-score.

use std::num::NonZeroUsize;

use crate::Indicator;
use crate::moments::RollingMoments;

/// `(x_t - mean) / deviation`, both over the last `n` values, the sample deviation (ddof 1) as in [`crate::Volatility`].
///
/// Input: any value, usually the close. Warm-up: `n - 1` bars. Undefined where the window is flat, and for `n = 1`.
#[derive(Debug, Clone)]
pub struct ZScore {
    moments: RollingMoments,
    degrees_of_freedom: f64,
}

impl ZScore {
    /// Creates a score within `bars` values.
    pub fn new(bars: NonZeroUsize) -> Self {
        Self { moments: RollingMoments::new(bars), degrees_of_freedom: (bars.get() - 1) as f64 }
    }
}

impl Indicator for ZScore {
    type Input = f64;
    type Output = f64;

    #[inline]
    fn update(&mut self, value: f64) -> Option<f64> {
        let moments = self.moments.push(value)?;
        let deviation = (moments.squared_deviations / self.degrees_of_freedom).sqrt();
        (deviation > 0.0).then(|| (value - moments.mean) / deviation)
    }

    fn lookback_bars(&self) -> usize {
        self.moments.bars() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{bars, check, reference, talib};

    #[test]
    fn twenty_bars_equal_the_textbook_definition() {
        check(ZScore::new(bars(20)), &talib().close, &reference("z_score_20"));
    }

    #[test]
    fn a_flat_window_has_no_score() {
        let mut score = ZScore::new(bars(3));
        let values = [9.0, 0.1, 0.1, 0.1].map(|value| score.update(value));
        assert_eq!(values[3], None);
    }

    #[test]
    fn one_value_has_no_score() {
        let mut score = ZScore::new(bars(1));
        assert_eq!([1.0, 2.0].map(|value| score.update(value)), [None; 2]);
    }
}
