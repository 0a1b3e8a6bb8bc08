//! Conditional value at risk, or expected shortfall.

use crate::normal::{standard_density, standard_quantile};
use crate::sample::{finite, mean, sorted, standard_deviation};
use crate::{Convention, Returns};

/// Computes the 95 % conditional value at risk of one period as a return: a loss is negative; `None` without periods.
///
/// The mean of the `floor((n - 1) / 20) + 1` lowest returns: those at or below the 5 % quantile of
/// [`value_at_risk_95`](crate::value_at_risk_95). [`Convention::Quantstats`] fits a normal distribution:
/// `mean(r) - sd(r) * phi(Phi^-1(0.05)) / 0.05`, `None` below two periods.
/// Source: Rockafellar and Uryasev (2000), "Optimization of Conditional Value-at-Risk".
pub fn conditional_value_at_risk_95(returns: &Returns, convention: Convention) -> Option<f64> {
    match convention {
        Convention::Tidegate | Convention::Empyrical => {
            let last = returns.len().checked_sub(1)?;
            mean(&sorted(returns.values())[..=last / 20])
        }
        Convention::Quantstats => {
            let spread = standard_deviation(returns.values())?;
            finite(mean(returns.values())? - spread * standard_density(standard_quantile(0.05)?) / 0.05)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{assert_close, periods, published, returns};

    #[test]
    fn it_equals_empyrical_scipy_and_the_historical_one_of_quantstats() {
        let found = conditional_value_at_risk_95(&returns(), Convention::Tidegate);
        assert_close(found, published("empyrical", "conditional_value_at_risk(cutoff=0.05)"));
        assert_close(found, published("quantstats", "cvar(confidence=0.95,method=historical)"));
        assert_close(found, published("scipy", "historical CVaR95 = mean(r[r <= quantile(r,.05,linear)])"));
    }

    #[test]
    fn quantstats_fits_a_normal_distribution() {
        let expected = published("quantstats", "cvar(confidence=0.95,method=parametric)");
        assert_close(conditional_value_at_risk_95(&returns(), Convention::Quantstats), expected);
    }

    #[test]
    fn twenty_one_periods_average_the_two_worst() {
        let values: Vec<f64> = (0..21).map(|period| f64::from(period) / 100.0 - 0.1).collect();
        assert_close(conditional_value_at_risk_95(&periods(&values), Convention::Tidegate), -0.095);
        assert_eq!(conditional_value_at_risk_95(&periods(&values[..20]), Convention::Tidegate), Some(-0.1));
    }

    #[test]
    fn nothing_has_none() {
        assert_eq!(conditional_value_at_risk_95(&periods(&[]), Convention::Tidegate), None);
    }
}
