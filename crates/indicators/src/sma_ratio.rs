//! Price against its own mean.

use std::num::NonZeroUsize;

use crate::{Indicator, Sma};

/// `p_t / SMA(p, n)_t - 1`, as a fraction: the stationary form of a moving average.
///
/// Input: the close. Warm-up: `n - 1` bars.
#[derive(Debug, Clone)]
pub struct SmaRatio {
    mean: Sma,
}

impl SmaRatio {
    /// Creates a ratio to the mean of `bars` closes.
    pub fn new(bars: NonZeroUsize) -> Self {
        Self { mean: Sma::new(bars) }
    }
}

impl Indicator for SmaRatio {
    type Input = f64;
    type Output = f64;

    #[inline]
    fn update(&mut self, close: f64) -> Option<f64> {
        let mean = self.mean.update(close)?;
        Some(close / mean - 1.0)
    }

    fn lookback_bars(&self) -> usize {
        self.mean.lookback_bars()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{bars, check, talib};

    #[test]
    fn twenty_bars_equal_talibs_average() {
        let vectors = talib();
        let expected: Vec<_> = vectors
            .close
            .iter()
            .zip(vectors.expected("sma_20"))
            .map(|(close, mean)| Some(close / mean? - 1.0))
            .collect();
        check(SmaRatio::new(bars(20)), &vectors.close, &expected);
    }

    #[test]
    fn a_flat_price_is_at_its_mean() {
        let mut ratio = SmaRatio::new(bars(2));
        assert_eq!([3.0, 0.1, 0.1].map(|close| ratio.update(close))[2], Some(0.0));
    }
}
