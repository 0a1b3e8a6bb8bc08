//! What if the same trades had come in another order?

use serde::{Deserialize, Serialize};
use tidegate_backtest::Journal;
use tidegate_metrics::{TradeOrder, TradeOrderSettings, TradeOrders, trade_orders};

use super::CONFIDENCE;
use crate::ExperimentError;

/// What other orders of the trades make of drawdown and end; null without trades.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TradeOrderAnswer {
    /// The same trades shuffled: the end is the same, the drawdown is not.
    pub shuffled: Option<TradeOrders>,
    /// As many trades drawn from them with replacement.
    pub drawn: Option<TradeOrders>,
}

pub(super) fn answer(journal: &Journal, orders: usize, seed: u64) -> Result<TradeOrderAnswer, ExperimentError> {
    let gains: Vec<f64> = journal.trades.iter().map(|trade| trade.net_pnl().0).collect();
    let returns = returns_of_trades(journal.initial_cash.0, &gains);
    let of = |order| trade_orders(&returns, TradeOrderSettings { order, orders, confidence: CONFIDENCE, seed });
    Ok(TradeOrderAnswer { shuffled: of(TradeOrder::Shuffled)?, drawn: of(TradeOrder::Drawn)? })
}

/// Returns each trade's gain over what the trades that closed before it had left, so that all of them compounded are what all
/// trades gained. A loss of everything is the last.
fn returns_of_trades(initial: f64, gains: &[f64]) -> Vec<f64> {
    let mut equity = initial;
    let mut returns = Vec::with_capacity(gains.len());
    for gain in gains {
        if equity <= 0.0 {
            break;
        }
        returns.push(gain / equity);
        equity += gain;
    }
    returns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_return_of_a_trade_is_over_what_those_before_it_left() {
        // 100 -> 150 -> 75 -> 0 and nothing after that.
        assert_eq!(returns_of_trades(100.0, &[50.0, -75.0, -75.0, 10.0]), [0.5, -0.5, -1.0]);
        assert!(returns_of_trades(100.0, &[]).is_empty());
    }
}
