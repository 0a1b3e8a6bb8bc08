//! Calmar ratio.

use crate::sample::ratio;
use crate::{Convention, Returns, cagr, max_drawdown};

/// Computes the Calmar ratio over all periods; `None` without a drawdown, without periods, and after ruin.
///
/// `cagr / |max_drawdown|`. Source: Young (1991), "Calmar Ratio: A Smoother Tool", over the whole history instead of his 36
/// months.
pub fn calmar_ratio(returns: &Returns, convention: Convention) -> Option<f64> {
    if returns.is_ruined() {
        return None;
    }
    ratio(cagr(returns, convention)?, max_drawdown(returns)?.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{assert_close, periods, published, returns};

    #[test]
    fn it_equals_empyrical_and_quantstats_by_their_count_of_periods() {
        let found = calmar_ratio(&returns(), Convention::Empyrical);
        assert_close(found, published("empyrical", "calmar_ratio(daily)"));
        assert_close(found, published("quantstats", "calmar(periods=252)"));
    }

    #[test]
    fn gains_alone_have_none() {
        assert_eq!(calmar_ratio(&periods(&[0.01, 0.02]), Convention::Tidegate), None);
        assert_eq!(calmar_ratio(&periods(&[]), Convention::Tidegate), None);
    }

    #[test]
    fn ruin_has_none() {
        assert_eq!(calmar_ratio(&periods(&[0.5, -1.0]), Convention::Tidegate), None);
    }

    #[test]
    fn two_periods_by_hand() {
        // One year (two of two periods): growth 1.5 * 0.8 = 1.2, drawdown 0.2: 0.2 / 0.2.
        let returns = Returns::from_periods(vec![0.5, -0.2], 2.0).expect("valid");
        assert_close(calmar_ratio(&returns, Convention::Tidegate), 1.0);
    }
}
