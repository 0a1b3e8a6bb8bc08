//! Statistics of a sample that several metrics read: mean, spread, moments, quantiles.
//!
//! Nothing here returns a NaN or an infinity, and a sample that is constant up to rounding has a spread of exactly 0, so
//! that no ratio is ever a mean over noise.

use crate::lanes::{Lanes, sum_of, sums_of};

/// Differences below this are rounding: a return computed from two prices is off by a few 1e-16.
pub(crate) const ROUNDING: f64 = 1e-14;

/// Returns the value, or `None` for a NaN or an infinity.
pub(crate) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// Returns the quotient; `None` when the divisor is 0 up to rounding or the quotient is not finite.
pub(crate) fn ratio(dividend: f64, divisor: f64) -> Option<f64> {
    if divisor.abs() < ROUNDING { None } else { finite(dividend / divisor) }
}

/// Returns the mean; `None` of nothing.
pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() { None } else { finite(sum_of(values, |value| value) / values.len() as f64) }
}

/// Returns whether all values are the same up to rounding.
pub(crate) fn is_constant(values: &[f64]) -> bool {
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
    high - low < ROUNDING
}

/// Returns the sample standard deviation (ddof 1); `None` below two values, exactly 0 for a constant sample.
pub(crate) fn standard_deviation(values: &[f64]) -> Option<f64> {
    sample_variance(values).map(f64::sqrt)
}

/// Computes the sample variance (ddof 1), the square of the values' unit; `None` below two values or when it is not finite, exactly 0
/// for values that are the same up to rounding.
///
/// `sum((x - mean)^2) / (n - 1)`. Source: the definition.
pub fn sample_variance(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    if is_constant(values) {
        return Some(0.0);
    }
    let mean = mean(values)?;
    finite(
        sum_of(values, |value| (value - Lanes::all(mean)).map(|difference| difference * difference))
            / (values.len() - 1) as f64,
    )
}

/// The population moments of a sample that varies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moments {
    /// Third central moment over the 1.5th power of the second.
    pub(crate) skewness: f64,
    /// Fourth central moment over the square of the second; 3 for a normal distribution.
    pub(crate) raw_kurtosis: f64,
}

/// Returns the population moments (ddof 0); `None` for a sample that does not vary.
pub(crate) fn moments(values: &[f64]) -> Option<Moments> {
    if values.len() < 2 || is_constant(values) {
        return None;
    }
    let mean = mean(values)?;
    Moments::of_powers(powers(values, mean), values.len())
}

/// Returns the sums of the second, third and fourth powers of the differences to the mean.
#[inline]
pub(crate) fn powers(values: &[f64], mean: f64) -> [f64; 3] {
    sums_of(values, |value| {
        let difference = value - Lanes::all(mean);
        let square = difference * difference;
        [square, square * difference, square * square]
    })
}

impl Moments {
    /// Returns the moments of a sample that varies by the [`powers`] of its differences to the mean.
    pub(crate) fn of_powers(powers: [f64; 3], count: usize) -> Option<Self> {
        let [second, third, fourth] = powers.map(|power| power / count as f64);
        Some(Self { skewness: finite(third / second.powf(1.5))?, raw_kurtosis: finite(fourth / second.powi(2))? })
    }
}

/// Returns the quantile at `level` in [0, 1], linear between order statistics (type 7 of Hyndman and Fan 1996, the default
/// of `NumPy`); `None` of nothing.
pub(crate) fn quantile(values: &[f64], level: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    let sorted = sorted(values);
    let position = level * last as f64;
    let below = (position.floor() as usize).min(last);
    let above = (below + 1).min(last);
    Some(sorted[below] + (sorted[above] - sorted[below]) * (position - below as f64))
}

/// Returns the values in ascending order.
pub(crate) fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// Returns the Pearson correlation; `None` when a side does not vary.
pub(crate) fn correlation(x: &[f64], y: &[f64]) -> Option<f64> {
    if x.len() != y.len() || x.len() < 2 || is_constant(x) || is_constant(y) {
        return None;
    }
    let (mean_x, mean_y) = (mean(x)?, mean(y)?);
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        xx += (x - mean_x).powi(2);
        xy += (x - mean_x) * (y - mean_y);
        yy += (y - mean_y).powi(2);
    }
    finite(xy / (xx * yy).sqrt()).map(|value| value.clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_sample_has_no_spread_whatever_its_rounding() {
        // (1.01^(n+1) / 1.01^n) - 1 differs from 0.01 in the last bits.
        let returns: Vec<f64> = (0..50).map(|n| 1.01_f64.powi(n + 1) / 1.01_f64.powi(n) - 1.0).collect();
        assert!(returns.windows(2).any(|pair| pair[0] != pair[1]));
        assert_eq!(standard_deviation(&returns), Some(0.0));
        assert!(moments(&returns).is_none());
    }

    #[test]
    fn the_sample_variance_by_hand() {
        // 1, 2, 6 around 3: (4 + 1 + 9) / 2.
        assert_eq!(sample_variance(&[1.0, 2.0, 6.0]), Some(7.0));
        assert_eq!((sample_variance(&[5.0]), sample_variance(&[0.3, 0.3])), (None, Some(0.0)));
    }

    #[test]
    fn a_quantile_lies_on_the_line_between_two_values() {
        // Position 0.05 * 3 = 0.15 between 1 and 2.
        assert!((quantile(&[4.0, 2.0, 1.0, 3.0], 0.05).expect("four values") - 1.15).abs() < 1e-15);
        assert_eq!(quantile(&[7.0], 0.05), Some(7.0));
        assert_eq!(quantile(&[1.0, 2.0], 1.0), Some(2.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn moments_of_three_values_by_hand() {
        // 0, 0, 3: mean 1, m2 = (1 + 1 + 4)/3 = 2, m3 = (-1 - 1 + 8)/3 = 2, m4 = (1 + 1 + 16)/3 = 6.
        let moments = moments(&[0.0, 0.0, 3.0]).expect("varies");
        assert!((moments.skewness - 2.0 / 2.0_f64.powf(1.5)).abs() < 1e-15);
        assert!((moments.raw_kurtosis - 1.5).abs() < 1e-15);
    }

    #[test]
    fn a_line_correlates_perfectly_and_a_constant_with_nothing() {
        assert_eq!(correlation(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0]), Some(1.0));
        assert_eq!(correlation(&[1.0, 2.0, 3.0], &[5.0, 5.0, 5.0]), None);
    }
}
