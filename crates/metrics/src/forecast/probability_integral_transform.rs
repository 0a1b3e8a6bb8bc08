//! Probability integral transform.

use super::scored_forecast::Standardized;
use crate::normal::standard_cumulative;
use crate::sample::sorted;

/// Computes the probability that each forecast gave to a value at most the observation: uniform on (0, 1) when calibrated.
///
/// `Phi(z)`. Source: Diebold, Gunther and Tay (1998), "Evaluating Density Forecasts".
pub(super) fn probability_integral_transform(errors: &[Standardized]) -> Vec<f64> {
    errors.iter().map(|row| standard_cumulative(row.error)).collect()
}

/// Counts transforms in ten equal bins of [0, 1]; a value on an edge belongs to the bin above, 1 to the last.
pub(super) fn histogram(transforms: &[f64]) -> [u64; 10] {
    let mut counts = [0; 10];
    for value in transforms {
        counts[((value * 10.0) as usize).min(9)] += 1;
    }
    counts
}

/// Computes the Kolmogorov-Smirnov distance of transforms from the uniform distribution; `None` without any.
///
/// `max_i max(i / n - u_i, u_i - (i - 1) / n)` over the ascending `u`. Source: Kolmogorov (1933).
pub(super) fn kolmogorov_smirnov(transforms: &[f64]) -> Option<f64> {
    let count = transforms.len() as f64;
    let distance = |(rank, value): (usize, f64)| ((rank + 1) as f64 / count - value).max(value - rank as f64 / count);
    sorted(transforms).into_iter().enumerate().map(distance).reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{FORECAST, assert_close, floats};

    #[test]
    fn transforms_equal_the_reference() {
        let read = |key: &str| floats(&FORECAST[key]);
        let (mean, deviation, actual, expected) = (read("mu"), read("sigma"), read("y"), read("pit"));
        for row in 0..expected.len() {
            let error = (actual[row] - mean[row]) / deviation[row];
            let found = probability_integral_transform(&[Standardized { error, deviation: deviation[row] }]);
            assert_close(Some(found[0]), expected[row]);
        }
    }

    #[test]
    fn an_edge_belongs_to_the_bin_above() {
        assert_eq!(histogram(&[0.0, 0.05, 0.5, 0.95, 1.0]), [2, 0, 0, 0, 0, 1, 0, 0, 0, 2]);
    }

    #[test]
    fn one_transform_is_as_far_as_its_farther_end() {
        assert_close(kolmogorov_smirnov(&[0.3]), 0.7);
        assert_eq!(kolmogorov_smirnov(&[]), None);
    }
}
