//! The mean block length that a series' own dependence asks for.

use crate::sample::{is_constant, mean};

/// Computes the mean block length of the stationary bootstrap that suits a series, in periods, at least 1; `None` below eight
/// values and for a series that does not vary.
///
/// `(G^2 n / s^2)^(1/3)`, with `G = sum_k w(k) |k| g_k` and `s = sum_k w(k) g_k` over the autocovariances `g_k` of lags `-M` to
/// `M`, `w` flat to `M / 2` and falling to 0 at `M`; `M` is twice the first lag from which `max(5, log10 n)` autocorrelations in a
/// row are within `2 sqrt(log10(n) / n)`. At most `ceil(min(3 sqrt(n), n / 3))`.
/// Source: Politis and White (2004), "Automatic Block-Length Selection for the Dependent Bootstrap", with the correction of
/// Patton, Politis and White (2009).
pub fn automatic_block_length(values: &[f64]) -> Option<f64> {
    let count = values.len();
    if count < 8 || is_constant(values) {
        return None;
    }
    let n = count as f64;
    let center = mean(values)?;
    let centered: Vec<f64> = values.iter().map(|value| value - center).collect();
    let lags = lags_of_dependence(&centered);
    let (mut slope, mut variance) = (0.0, product(&centered, 0) / n);
    for lag in 1..=lags {
        let share = lag as f64 / lags as f64;
        let weight = if share <= 0.5 { 1.0 } else { 2.0 * (1.0 - share) };
        let covariance = product(&centered, lag) / n;
        slope += 2.0 * weight * lag as f64 * covariance;
        variance += 2.0 * weight * covariance;
    }
    let longest = (3.0 * n.sqrt()).min(n / 3.0).ceil();
    let length = (slope * slope / (variance * variance) * n).cbrt();
    Some(if length.is_finite() { length.clamp(1.0, longest) } else { longest })
}

/// Returns the median of the [`automatic_block_length`]s of several series, 1 where none has any: one length for all of them.
pub fn common_block_length<'a>(series: impl IntoIterator<Item = &'a [f64]>) -> f64 {
    let lengths: Vec<f64> = series.into_iter().filter_map(automatic_block_length).collect();
    crate::sample::quantile(&lengths, 0.5).unwrap_or(1.0)
}

/// Returns the lags that the flat-top window spans: twice the first from which enough autocorrelations in a row are small.
fn lags_of_dependence(centered: &[f64]) -> usize {
    let count = centered.len();
    let n = count as f64;
    let in_a_row = 5.max(n.log10() as usize);
    let most = (n.sqrt().ceil() as usize + in_a_row).min(count - 2);
    let bound = 2.0 * (n.log10() / n).sqrt();
    let mut small = 0;
    for lag in 1..most {
        small = if autocorrelation(centered, lag).abs() < bound { small + 1 } else { 0 };
        if small == in_a_row {
            return (2 * (lag + 1 - in_a_row)).min(most);
        }
    }
    most
}

/// Returns the correlation of a series with itself `lag` periods later, over the values that both ends leave.
fn autocorrelation(centered: &[f64], lag: usize) -> f64 {
    let squares = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>();
    let late = squares(&centered[lag + 1..]);
    let early = squares(&centered[..centered.len() - lag - 1]);
    product(centered, lag) / (late * early).sqrt()
}

fn product(centered: &[f64], lag: usize) -> f64 {
    centered.iter().zip(&centered[lag..]).map(|(early, late)| early * late).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{LUCK, assert_close, floats};

    #[test]
    fn it_equals_the_reference_program() {
        for case in LUCK["block_lengths"].as_array().expect("a list") {
            let expected = case["stationary"].as_f64().expect("a number");
            assert_close(automatic_block_length(&floats(&case["values"])), expected.max(1.0));
        }
    }

    #[test]
    fn short_and_constant_series_have_none() {
        assert_eq!(automatic_block_length(&[0.1, 0.2, 0.1, 0.3, 0.1, 0.2, 0.5]), None);
        assert_eq!(automatic_block_length(&[0.1; 100]), None);
        assert!(automatic_block_length(&[0.1, 0.2, 0.1, 0.3, 0.1, 0.2, 0.5, 0.1]).expect("eight") >= 1.0);
        assert_eq!(common_block_length([&[0.1; 100][..]]), 1.0);
    }
}
