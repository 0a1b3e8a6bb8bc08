//! The mean and variance that quantiles stand for.

/// Returns mean and variance of the distribution that is linear between its quantiles and exponential beyond the outer ones,
/// with a density that does not jump there: `Q(p) = v_0 + b ln(p / l_0)` below, `b = l_0 (v_1 - v_0) / (l_1 - l_0)`, and its mirror
/// image above. It is the distribution that the scores of quantile forecasts mean.
pub(crate) fn moments(levels: &[f64], values: &[f64]) -> (f64, f64) {
    let last = levels.len() - 1;
    let lower_tail = levels[0] * (values[1] - values[0]) / (levels[1] - levels[0]);
    let above = 1.0 - levels[last];
    let upper_tail = above * (values[last] - values[last - 1]) / (levels[last] - levels[last - 1]);
    // Integrals of Q and, around the mean, of its square: of an exponential tail `v - b` and `(v - b)^2 + b^2` times its share,
    // of a line `(a + c) / 2` and `(a^2 + a c + c^2) / 3` times its share.
    let (low, high) = (values[0] - lower_tail, values[last] + upper_tail);
    let shares = || levels.windows(2).zip(values.windows(2)).map(|(level, value)| (level[1] - level[0], value));
    let mean = levels[0] * low + above * high + shares().map(|(share, v)| share * (v[0] + v[1]) / 2.0).sum::<f64>();
    let tail = |value: f64, width: f64| (value - mean).powi(2) + width.powi(2);
    let line = |v: &[f64]| {
        let (a, c) = (v[0] - mean, v[1] - mean);
        (a * a + a * c + c * c) / 3.0
    };
    let tails = levels[0] * tail(low, lower_tail) + above * tail(high, upper_tail);
    (mean, tails + shares().map(|(share, v)| share * line(v)).sum::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_quantiles_of_a_line_with_exponential_tails() {
        // Levels 1/4 and 3/4 at -1 and 1: tails of width (1/4) 2 / (1/2) = 1. By symmetry the mean is 0; the variance is
        // 2 (1/4) ((-1 - 1)^2 + 1) + (1/2) (1 - 1 + 1) / 3 = 5/2 + 1/6.
        let (mean, variance) = moments(&[0.25, 0.75], &[-1.0, 1.0]);
        assert!(mean.abs() < 1e-15 && (variance - (2.5 + 1.0 / 6.0)).abs() < 1e-14, "{mean} {variance}");
    }
}
