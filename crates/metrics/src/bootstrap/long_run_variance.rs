//! The variance that the stationary bootstrap gives to a mean, without drawing anything.

/// Returns the number of periods times the variance of the mean of a stationary resample of a series whose mean is 0.
///
/// `g_0 + 2 sum_i ((1 - i / n) q^i + (i / n) q^(n - i)) g_i`, `q = 1 - 1 / mean_block_length`, `g_i` autocovariances over `n`: the
/// expectation over all resamples. Computed by a recursion backwards over the circle of periods, in one pass.
/// Source: Politis and Romano (1994), lemma 1.
pub(crate) fn stationary_variance(centered: &[f64], mean_block_length: f64) -> f64 {
    let count = centered.len();
    let n = count as f64;
    let stay = 1.0 - mean_block_length.recip();
    let squares: f64 = centered.iter().map(|value| value * value).sum();
    if stay <= 0.0 || count < 2 {
        return squares / n;
    }
    // For period t: ahead = sum_i q^i x[t + i] and weighted = sum_i i q^i x[t + i] over i = 1 to n - 1, round the circle.
    let around = stay.powi(count as i32);
    let (mut ahead, mut weighted) = (0.0, 0.0);
    for &value in centered[..count - 1].iter().rev() {
        ahead = stay * (value + ahead);
        weighted = stay * weighted + ahead;
    }
    let mut crossed = centered[count - 1] * (ahead - weighted / n);
    for (&value, &next) in centered[..count - 1].iter().zip(&centered[1..]).rev() {
        weighted = stay * (next + weighted + ahead) - n * around * value;
        ahead = stay * (next + ahead) - around * value;
        crossed += value * (ahead - weighted / n);
    }
    ((squares + 2.0 * crossed) / n).max(0.0)
}

/// Returns the square of the standard error of a mean over a resample, from the sums of its blocks: `sum_b (sum of block b)^2 / n^2`.
///
/// Source: Goetze and Kuensch (1996), "Second-order correctness of the blockwise bootstrap for stationary observations".
pub(crate) fn block_variance(centered: &[f64], periods: &[u32]) -> f64 {
    let (mut total, mut block, mut expected) = (0.0, 0.0, u32::MAX);
    for (&value, &period) in centered.iter().zip(periods) {
        if period != expected {
            total += block * block;
            block = 0.0;
        }
        block += value;
        expected = period + 1;
    }
    let n = centered.len() as f64;
    (total + block * block) / (n * n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{LUCK, assert_close, floats};

    #[test]
    fn it_equals_the_double_sum_of_the_reference_program() {
        for case in LUCK["stationary_variances"].as_array().expect("a list") {
            let values = floats(&case["centered"]);
            let length = case["mean_block_length"].as_f64().expect("a number");
            let expected = case["variance"].as_f64().expect("a number");
            assert_close(Some(stationary_variance(&values, length) / expected), 1.0);
        }
    }

    #[test]
    fn blocks_of_one_have_the_variance_of_the_values() {
        // 1, -1, 2, -2: (1 + 1 + 4 + 4) / 4.
        assert_eq!(stationary_variance(&[1.0, -1.0, 2.0, -2.0], 1.0), 2.5);
    }

    #[test]
    fn three_periods_by_hand() {
        // 1, 1, -2 with q = 1/2: g_0 = 2, g_1 = (1 - 2) / 3 = -1/3, g_2 = -2/3. Weights: i = 1: 2/3 * 1/2 + 1/3 * 1/4 = 5/12;
        // i = 2: 1/3 * 1/4 + 2/3 * 1/2 = 5/12. 2 + 2 * 5/12 * (-1) = 7/6.
        assert!((stationary_variance(&[1.0, 1.0, -2.0], 2.0) - 7.0 / 6.0).abs() < 1e-15);
    }

    #[test]
    fn blocks_are_told_by_their_periods() {
        // Periods 4, 5 and 0, 1: (1 + 2)^2 + (-1 + 0.5)^2 = 9.25 over 16.
        assert_eq!(block_variance(&[1.0, 2.0, -1.0, 0.5], &[4, 5, 0, 1]), 9.25 / 16.0);
    }
}
