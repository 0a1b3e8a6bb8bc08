//! Maximum drawdown.

use crate::{Returns, deepest_drawdown};

/// Computes the maximum drawdown, a negative fraction, 0 without any; `None` without periods.
///
/// `min_t(growth_t / max_{s <= t} growth_s) - 1`, the initial point included.
/// Source: Magdon-Ismail and Atiya (2004), "Maximum Drawdown".
pub fn max_drawdown(returns: &Returns) -> Option<f64> {
    if returns.is_empty() {
        return None;
    }
    Some(deepest_drawdown(returns).map_or(0.0, |deepest| deepest.depth))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{assert_close, periods, published, returns};

    #[test]
    fn it_equals_empyrical_and_quantstats() {
        assert_close(max_drawdown(&returns()), published("empyrical", "max_drawdown"));
        assert_close(max_drawdown(&returns()), published("quantstats", "max_drawdown"));
    }

    #[test]
    fn a_single_loss_is_a_drawdown() {
        assert_eq!(max_drawdown(&periods(&[-0.25])), Some(-0.25));
    }

    #[test]
    fn gains_alone_have_zero_and_nothing_has_none() {
        assert_eq!(max_drawdown(&periods(&[0.1])), Some(0.0));
        assert_eq!(max_drawdown(&periods(&[])), None);
    }
}
