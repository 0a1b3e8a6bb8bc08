//! Volume against its own mean.

use std::num::NonZeroUsize;

use crate::{Indicator, Sma};

/// `volume_t / SMA(volume, n)_t`; the mean includes the bar itself.
///
/// Input: the volume. Warm-up: `n - 1` bars. Undefined where nothing traded for `n` bars.
#[derive(Debug, Clone)]
pub struct VolumeRatio {
    mean: Sma,
}

impl VolumeRatio {
    /// Creates a ratio to the mean of `bars` volumes.
    pub fn new(bars: NonZeroUsize) -> Self {
        Self { mean: Sma::new(bars) }
    }
}

impl Indicator for VolumeRatio {
    type Input = f64;
    type Output = f64;

    #[inline]
    fn update(&mut self, volume: f64) -> Option<f64> {
        let mean = self.mean.update(volume)?;
        (mean > 0.0).then_some(volume / mean)
    }

    fn lookback_bars(&self) -> usize {
        self.mean.lookback_bars()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{bars, check, pandas, talib};

    #[test]
    fn twenty_bars_equal_pandas() {
        check(VolumeRatio::new(bars(20)), &talib().volume, &pandas("volume_ratio_20"));
    }

    #[test]
    fn no_trade_in_the_window_has_no_ratio() {
        let mut ratio = VolumeRatio::new(bars(2));
        let values = [1e12, 0.0, 0.0, 3.0].map(|volume| ratio.update(volume));
        assert_eq!(values, [None, Some(0.0), None, Some(2.0)]);
    }
}
