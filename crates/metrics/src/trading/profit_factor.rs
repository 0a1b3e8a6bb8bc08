//! Profit factor.

use crate::sample::finite;

/// Computes what the winning trades gained over what the losing ones lost; `None` without a losing trade.
///
/// `sum(max(pnl, 0)) / sum(max(-pnl, 0))`. Source: the definition.
pub fn profit_factor(pnl: &[f64]) -> Option<f64> {
    let gained: f64 = pnl.iter().map(|pnl| pnl.max(0.0)).sum();
    let lost: f64 = pnl.iter().map(|pnl| (-pnl).max(0.0)).sum();
    if lost > 0.0 { finite(gained / lost) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{assert_close, published, returns};

    #[test]
    fn of_returns_it_equals_quantstats() {
        assert_close(profit_factor(returns().values()), published("quantstats", "profit_factor"));
    }

    #[test]
    fn gains_alone_have_none_and_losses_alone_zero() {
        assert_eq!(profit_factor(&[30.0, -10.0, 0.0]), Some(3.0));
        assert_eq!(profit_factor(&[10.0]), None);
        assert_eq!(profit_factor(&[-10.0]), Some(0.0));
        assert_eq!(profit_factor(&[]), None);
    }
}
