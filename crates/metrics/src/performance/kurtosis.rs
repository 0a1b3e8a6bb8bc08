//! Kurtosis.

use crate::sample::{finite, moments};
use crate::{Convention, Returns};

/// Computes the *excess* kurtosis of the returns, 0 for a normal distribution; `None` when they do not vary.
///
/// `m4 / m2^2 - 3` of the population moments, as `scipy.stats.kurtosis` and pyfolio. [`Convention::Quantstats`] corrects for
/// bias as pandas does: `(n - 1) / ((n - 2)(n - 3)) * ((n + 1) g2 + 6)`, `None` below four periods. The Sharpe statistics read
/// the raw kurtosis, which is 3 more.
/// Source: Joanes and Gill (1998), "Comparing measures of sample skewness and kurtosis", g2 and G2.
pub fn kurtosis(returns: &Returns, convention: Convention) -> Option<f64> {
    sample_excess_kurtosis(returns.values(), convention)
}

/// Computes the excess kurtosis of a sample as [`kurtosis`] does.
pub(crate) fn sample_excess_kurtosis(values: &[f64], convention: Convention) -> Option<f64> {
    corrected_excess_kurtosis(moments(values)?.raw_kurtosis - 3.0, values.len(), convention)
}

/// Corrects the excess kurtosis of a population of so many values for bias, where the convention does.
pub(crate) fn corrected_excess_kurtosis(population: f64, count: usize, convention: Convention) -> Option<f64> {
    match convention {
        Convention::Tidegate | Convention::Empyrical => Some(population),
        Convention::Quantstats if count < 4 => None,
        Convention::Quantstats => {
            let count = count as f64;
            let weight = (count - 1.0) / ((count - 2.0) * (count - 3.0));
            finite(weight * ((count + 1.0) * population + 6.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{assert_close, periods, published, returns};

    #[test]
    fn it_is_excess_as_scipy_has_it() {
        let expected = published("scipy", "scipy.kurtosis(fisher,bias=True)");
        assert_close(kurtosis(&returns(), Convention::Tidegate), expected);
    }

    #[test]
    fn quantstats_corrects_for_bias() {
        let found = kurtosis(&returns(), Convention::Quantstats);
        assert_close(found, published("quantstats", "kurtosis (excess)"));
        assert_close(found, published("scipy", "scipy.kurtosis(fisher,bias=False)"));
        assert_eq!(kurtosis(&periods(&[0.0, 0.1, 0.3]), Convention::Quantstats), None);
    }

    #[test]
    fn returns_that_do_not_vary_have_none() {
        assert_eq!(kurtosis(&periods(&[0.01; 5]), Convention::Tidegate), None);
        assert_eq!(kurtosis(&periods(&[]), Convention::Tidegate), None);
    }
}
