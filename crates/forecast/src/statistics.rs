//! Order statistics and moments of a column without missing values.

/// Returns the smallest and the largest value.
pub(crate) fn extremes(values: &[f64]) -> [f64; 2] {
    values.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |[min, max], &value| [min.min(value), max.max(value)])
}

/// Returns the mean and the standard deviation over `n`.
pub(crate) fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

/// Returns the lower quartile, the median and the upper quartile, interpolated linearly between order statistics.
pub(crate) fn quartiles(values: &[f64]) -> [f64; 3] {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    [0.25, 0.5, 0.75].map(|fraction| {
        let place = fraction * (sorted.len() - 1) as f64;
        let below = sorted[place as usize];
        let above = sorted[(place as usize + 1).min(sorted.len() - 1)];
        below + (above - below) * place.fract()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_interpolated_between_order_statistics() {
        // numpy.quantile([7, 1, 3, 10], [0.25, 0.5, 0.75]) is 2.5, 5, 7.75.
        assert_eq!(quartiles(&[7.0, 1.0, 3.0, 10.0]), [2.5, 5.0, 7.75]);
        assert_eq!(quartiles(&[4.0]), [4.0; 3]);
    }

    #[test]
    fn the_deviation_is_over_n() {
        assert_eq!(mean_and_deviation(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]), (5.0, 2.0));
        assert_eq!(extremes(&[2.0, -4.0, 9.0]), [-4.0, 9.0]);
    }
}
