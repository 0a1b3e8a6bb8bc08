//! Kupiec's test of unconditional coverage.

use crate::chi_squared::upper_tail;
use crate::{MetricsError, TestOutcome};

/// Tests whether observations missed their prediction intervals as often as stated, from the number of misses; `None` without
/// observations.
///
/// `LR = -2 ln((1 - p)^(n - x) p^x / ((1 - x / n)^(n - x) (x / n)^x))` with `p = 1 - coverage`, `x` misses in `n` observations and
/// `0 ln 0 = 0`; chi-squared with one degree of freedom. Source: Kupiec (1995), "Techniques for Verifying the Accuracy of Risk
/// Measurement Models". The p-value is that of many observations: misses are counted in whole numbers, so that with few expected
/// (`n p` below 10 or so) it takes few values.
///
/// # Errors
/// [`MetricsError::Setting`] when the coverage is outside (0, 1), [`MetricsError::Misses`] for more misses than observations.
pub fn kupiec(misses: u64, observations: u64, coverage: f64) -> Result<Option<TestOutcome>, MetricsError> {
    if !(coverage > 0.0 && coverage < 1.0) {
        let name = "the coverage of an interval";
        return Err(MetricsError::Setting { name, rule: "in (0, 1)", value: coverage });
    }
    if misses > observations {
        return Err(MetricsError::Misses { misses, observations });
    }
    Ok(kupiec_of(misses, observations, coverage))
}

/// Tests the number of misses; `None` without observations.
pub(super) fn kupiec_of(misses: u64, observations: u64, coverage: f64) -> Option<TestOutcome> {
    if observations == 0 {
        return None;
    }
    let hits = observations - misses;
    let stated = log_likelihood(misses, 1.0 - coverage) + log_likelihood(hits, coverage);
    let found = log_likelihood(misses, misses as f64 / observations as f64)
        + log_likelihood(hits, hits as f64 / observations as f64);
    let statistic = (2.0 * (found - stated)).max(0.0);
    Some(TestOutcome { statistic, p_value: upper_tail(statistic, 1.0) })
}

/// Returns `count ln(probability)`, 0 for a count of 0.
pub(super) fn log_likelihood(count: u64, probability: f64) -> f64 {
    if count == 0 { 0.0 } else { count as f64 * probability.ln() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::assert_close;

    #[test]
    fn no_miss_in_a_hundred_by_hand() {
        // -2 ln(0.95^100) = -200 ln 0.95 = 10.2586588775; 0.95^100 = 0.00592.
        let found = kupiec(0, 100, 0.95).expect("valid").expect("observations");
        assert_close(Some(found.statistic), -200.0 * 0.95_f64.ln());
        // The 0.1 % point of one degree of freedom is 10.828, the 0.2 % point 9.550.
        assert!(found.p_value > 0.001 && found.p_value < 0.002);
    }

    #[test]
    fn as_many_misses_as_stated_are_no_surprise() {
        let found = kupiec(25, 100, 0.75).expect("valid").expect("observations");
        assert_eq!((found.statistic, found.p_value), (0.0, 1.0));
        assert_eq!(kupiec(0, 0, 0.95), Ok(None));
        let all = kupiec(10, 10, 0.9).expect("valid").expect("observations");
        // -2 ln(0.1^10).
        assert_close(Some(all.statistic), 20.0 * 10.0_f64.ln());
    }

    #[test]
    fn what_cannot_be_counted_is_named() {
        let error = kupiec(1, 10, 1.0).expect_err("everything").to_string();
        assert_eq!(error, "the coverage of an interval must be in (0, 1), was `1`");
        let error = kupiec(11, 10, 0.9).expect_err("too many").to_string();
        assert_eq!(error, "misses must be at most the `10` observations, were `11`");
    }
}
