//! Bollinger bands.

use std::num::NonZeroUsize;

use crate::Indicator;
use crate::moments::RollingMoments;

/// One bar's bands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BollingerBands {
    /// The mean plus `width` deviations.
    pub upper: f64,
    /// The mean.
    pub middle: f64,
    /// The mean minus `width` deviations.
    pub lower: f64,
    /// `(close - lower) / (upper - lower)`: 0 on the lower band, 1 on the upper; `None` where the bands coincide.
    pub percent_b: Option<f64>,
    /// `(upper - lower) / middle`, as a fraction.
    pub bandwidth: f64,
}

/// The mean of the last `n` closes plus and minus `width` population standard deviations (ddof 0).
///
/// Input: the close. Warm-up: `n - 1` bars. TA-Lib: `BBANDS` with a simple average.
/// Source: John Bollinger, *Bollinger on Bollinger Bands* (2001).
#[derive(Debug, Clone)]
pub struct Bollinger {
    moments: RollingMoments,
    inverse_bars: f64,
    width: f64,
}

impl Bollinger {
    /// Creates bands over `bars` closes, `width` deviations to each side.
    pub fn new(bars: NonZeroUsize, width: f64) -> Self {
        Self { moments: RollingMoments::new(bars), inverse_bars: 1.0 / bars.get() as f64, width }
    }
}

impl Indicator for Bollinger {
    type Input = f64;
    type Output = BollingerBands;

    #[inline]
    fn update(&mut self, close: f64) -> Option<BollingerBands> {
        let moments = self.moments.push(close)?;
        let middle = moments.mean;
        let reach = self.width * (moments.squared_deviations * self.inverse_bars).sqrt();
        let (upper, lower) = (middle + reach, middle - reach);
        let percent_b = (reach > 0.0).then(|| 0.5 + 0.5 * (close - middle) / reach);
        Some(BollingerBands { upper, middle, lower, percent_b, bandwidth: 2.0 * reach / middle })
    }

    fn lookback_bars(&self) -> usize {
        self.moments.bars() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{Projected, ProjectedOption, bars, check, reference, talib};

    #[test]
    fn the_bands_equal_talib() {
        let kernel = Bollinger::new(bars(20), 2.0);
        let vectors = talib();
        check(Projected(kernel.clone(), |b| b.upper), &vectors.close, &vectors.expected("bollinger_upper_20_2"));
        check(Projected(kernel.clone(), |b| b.middle), &vectors.close, &vectors.expected("bollinger_middle_20_2"));
        check(Projected(kernel, |b| b.lower), &vectors.close, &vectors.expected("bollinger_lower_20_2"));
    }

    #[test]
    fn percent_b_and_bandwidth_equal_the_textbook_definition() {
        let kernel = Bollinger::new(bars(20), 2.0);
        let close = &talib().close;
        check(ProjectedOption(kernel.clone(), |b| b.percent_b), close, &reference("bollinger_percent_b_20_2"));
        check(Projected(kernel, |b| b.bandwidth), close, &reference("bollinger_bandwidth_20_2"));
    }

    #[test]
    fn bands_of_a_flat_price_coincide_exactly() {
        let mut kernel = Bollinger::new(bars(3), 2.0);
        let bands = [1e6, 0.3, 0.3, 0.3].map(|close| kernel.update(close))[3];
        let expected = BollingerBands { upper: 0.3, middle: 0.3, lower: 0.3, percent_b: None, bandwidth: 0.0 };
        assert_eq!(bands, Some(expected));
    }
}
