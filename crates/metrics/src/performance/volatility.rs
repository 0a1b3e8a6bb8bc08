//! Volatility.

use crate::Returns;
use crate::sample::{finite, standard_deviation};

/// Computes the annualized volatility, a fraction; `None` below two periods.
///
/// `sd(r) * sqrt(periods_per_year)`, `sd` the sample standard deviation (ddof 1). Source: the definition;
/// empyrical calls it `annual_volatility`.
pub fn volatility(returns: &Returns) -> Option<f64> {
    finite(standard_deviation(returns.values())? * returns.periods_per_year().sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{assert_close, periods, published, returns};

    #[test]
    fn it_equals_empyrical_and_quantstats() {
        assert_close(volatility(&returns()), published("empyrical", "annual_volatility(daily)"));
        assert_close(volatility(&returns()), published("quantstats", "volatility(periods=252)"));
    }

    #[test]
    fn a_constant_return_has_none() {
        assert_eq!(volatility(&periods(&[0.01, 0.01, 0.01])), Some(0.0));
    }

    #[test]
    fn one_period_says_nothing() {
        assert_eq!(volatility(&periods(&[0.01])), None);
    }
}
