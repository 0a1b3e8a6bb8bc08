//! Value at risk.

use crate::normal::standard_quantile;
use crate::sample::{finite, mean, quantile, standard_deviation};
use crate::{Convention, Returns};

/// Computes the 95 % value at risk of one period as a return: a loss is negative; `None` without periods.
///
/// The 5 % quantile of the returns, linear between order statistics (historical simulation).
/// [`Convention::Quantstats`] fits a normal distribution: `mean(r) + sd(r) * Phi^-1(0.05)`, `None` below two periods.
/// Source: Jorion (2006), "Value at Risk".
pub fn value_at_risk_95(returns: &Returns, convention: Convention) -> Option<f64> {
    match convention {
        Convention::Tidegate | Convention::Empyrical => quantile(returns.values(), 0.05),
        Convention::Quantstats => {
            let spread = standard_deviation(returns.values())?;
            finite(mean(returns.values())? + spread * standard_quantile(0.05)?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{assert_close, periods, published, returns};

    #[test]
    fn it_equals_empyrical() {
        let expected = published("empyrical", "value_at_risk(cutoff=0.05) np.percentile linear");
        assert_close(value_at_risk_95(&returns(), Convention::Tidegate), expected);
        assert_close(value_at_risk_95(&returns(), Convention::Empyrical), expected);
    }

    #[test]
    fn quantstats_fits_a_normal_distribution() {
        let expected = published("quantstats", "value_at_risk(confidence=0.95) parametric");
        assert_close(value_at_risk_95(&returns(), Convention::Quantstats), expected);
    }

    #[test]
    fn nothing_has_none_and_one_period_is_its_own() {
        assert_eq!(value_at_risk_95(&periods(&[]), Convention::Tidegate), None);
        assert_eq!(value_at_risk_95(&periods(&[-0.02]), Convention::Tidegate), Some(-0.02));
        assert_eq!(value_at_risk_95(&periods(&[-0.02]), Convention::Quantstats), None);
    }
}
