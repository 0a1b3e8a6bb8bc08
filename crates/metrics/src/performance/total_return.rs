//! Total return.

use crate::Returns;
use crate::sample::finite;

/// Computes the compounded return over all periods, a fraction; `None` without periods.
///
/// `prod(1 + r) - 1`. Source: the definition of a simple return; empyrical calls it `cum_returns_final`.
pub fn total_return(returns: &Returns) -> Option<f64> {
    if returns.is_empty() {
        return None;
    }
    finite(returns.values().iter().map(|value| 1.0 + value).product::<f64>() - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{assert_close, periods, published, returns};

    #[test]
    fn it_equals_empyrical_and_quantstats() {
        assert_close(total_return(&returns()), published("empyrical", "cum_returns_final"));
        assert_close(total_return(&returns()), published("quantstats", "comp (total return)"));
    }

    #[test]
    fn half_lost_and_doubled_is_nothing() {
        assert_eq!(total_return(&periods(&[-0.5, 1.0])), Some(0.0));
    }

    #[test]
    fn ruin_loses_everything() {
        assert_eq!(total_return(&periods(&[0.5, -1.0, 0.0])), Some(-1.0));
    }

    #[test]
    fn no_periods_have_no_return() {
        assert_eq!(total_return(&periods(&[])), None);
    }
}
