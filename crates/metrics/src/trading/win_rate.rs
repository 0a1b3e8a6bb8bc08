//! Win rate.

use crate::sample::finite;

/// Computes the share of closed trades that gained; `None` without trades.
///
/// `count(pnl > 0) / count(pnl)`: a trade that came out even did not win. Source: the definition.
pub fn win_rate(pnl: &[f64]) -> Option<f64> {
    finite(pnl.iter().filter(|&&pnl| pnl > 0.0).count() as f64 / pnl.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_trade_did_not_win() {
        assert_eq!(win_rate(&[10.0, 0.0, -5.0, 20.0]), Some(0.5));
        assert_eq!(win_rate(&[]), None);
    }
}
