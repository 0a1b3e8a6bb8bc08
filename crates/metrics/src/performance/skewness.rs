//! Skewness.

use crate::sample::{finite, moments};
use crate::{Convention, Returns};

/// Computes the skewness of the returns; `None` when they do not vary.
///
/// `m3 / m2^1.5` of the population moments, as `scipy.stats.skew` and pyfolio. [`Convention::Quantstats`] corrects for bias as
/// pandas does: times `sqrt(n (n - 1)) / (n - 2)`, `None` below three periods.
/// Source: Joanes and Gill (1998), "Comparing measures of sample skewness and kurtosis", g1 and G1.
pub fn skewness(returns: &Returns, convention: Convention) -> Option<f64> {
    sample_skewness(returns.values(), convention)
}

/// Computes the skewness of a sample as [`skewness`] does.
pub(crate) fn sample_skewness(values: &[f64], convention: Convention) -> Option<f64> {
    corrected_skewness(moments(values)?.skewness, values.len(), convention)
}

/// Corrects the skewness of a population of so many values for bias, where the convention does.
pub(crate) fn corrected_skewness(population: f64, count: usize, convention: Convention) -> Option<f64> {
    match convention {
        Convention::Tidegate | Convention::Empyrical => Some(population),
        Convention::Quantstats if count < 3 => None,
        Convention::Quantstats => {
            let count = count as f64;
            finite(population * (count * (count - 1.0)).sqrt() / (count - 2.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{assert_close, periods, published, returns};

    #[test]
    fn it_equals_scipy() {
        assert_close(skewness(&returns(), Convention::Tidegate), published("scipy", "scipy.skew(bias=True)"));
    }

    #[test]
    fn quantstats_corrects_for_bias() {
        assert_close(skewness(&returns(), Convention::Quantstats), published("quantstats", "skew"));
        assert_close(skewness(&returns(), Convention::Quantstats), published("scipy", "scipy.skew(bias=False)"));
        assert_eq!(skewness(&periods(&[0.0, 0.1]), Convention::Quantstats), None);
    }

    #[test]
    fn returns_that_do_not_vary_have_none() {
        assert_eq!(skewness(&periods(&[0.01; 5]), Convention::Tidegate), None);
        assert_eq!(skewness(&periods(&[]), Convention::Tidegate), None);
    }
}
