//! The statistics of closed trades, all at once.

use serde::{Deserialize, Serialize};

use crate::MetricsError;
use crate::lanes::RunningSum;
use crate::sample::finite;

/// The statistics of closed trades; the function of the same name defines each. Undefined is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TradeStatistics {
    /// How many trades were closed.
    pub number_of_trades: usize,
    /// [`win_rate`](crate::win_rate()).
    pub win_rate: Option<f64>,
    /// [`profit_factor`](crate::profit_factor()).
    pub profit_factor: Option<f64>,
    /// [`expectancy`](crate::expectancy()), in money.
    pub expectancy: Option<f64>,
    /// [`average_win`](crate::average_win()), in money.
    pub average_win: Option<f64>,
    /// [`average_loss`](crate::average_loss()), in money.
    pub average_loss: Option<f64>,
    /// The highest pnl of a trade, in money.
    pub best_trade: Option<f64>,
    /// The lowest pnl of a trade, in money.
    pub worst_trade: Option<f64>,
    /// [`average_bars_held`](crate::average_bars_held()).
    pub average_bars_held: Option<f64>,
}

impl TradeStatistics {
    /// Computes the statistics of closed trades, each its pnl in money after costs and the bars that it was held, without keeping them.
    ///
    /// # Errors
    /// [`MetricsError::Row`] for a pnl that is not finite.
    pub fn of(trades: impl IntoIterator<Item = (f64, u64)>) -> Result<Self, MetricsError> {
        let mut count = 0_usize;
        let (mut all, mut wins, mut losses) = <(RunningSum, RunningSum, RunningSum)>::default();
        let (mut gained, mut lost, mut won, mut bars) = (0.0, 0.0, 0_usize, 0_u64);
        let (mut best, mut worst) = (f64::NEG_INFINITY, f64::INFINITY);
        for (row, (pnl, bars_held)) in trades.into_iter().enumerate() {
            if !pnl.is_finite() {
                return Err(MetricsError::Row { name: "the pnl of a trade", rule: "finite", value: pnl, row });
            }
            count += 1;
            bars += bars_held;
            all.push(pnl);
            (best, worst) = (best.max(pnl), worst.min(pnl));
            if pnl > 0.0 {
                won += 1;
                gained += pnl;
                wins.push(pnl);
            } else if pnl < 0.0 {
                lost -= pnl;
                losses.push(pnl);
            }
        }
        let share = |part: f64| finite(part / count as f64);
        Ok(Self {
            number_of_trades: count,
            win_rate: share(won as f64),
            profit_factor: if lost > 0.0 { finite(gained / lost) } else { None },
            expectancy: all.mean(),
            average_win: wins.mean(),
            average_loss: losses.mean(),
            best_trade: finite(best),
            worst_trade: finite(worst),
            average_bars_held: share(bars as f64),
        })
    }
}

/// Computes the statistics of closed trades from the pnl of each, in money after costs, and the bars that each was held.
///
/// # Errors
/// [`MetricsError::Length`] when the two differ in number, [`MetricsError::Row`] for a pnl that is not finite.
pub fn trade_statistics(pnl: &[f64], bars_held: &[u64]) -> Result<TradeStatistics, MetricsError> {
    if pnl.len() != bars_held.len() {
        return Err(MetricsError::Length { name: "bars held", expected: pnl.len(), found: bars_held.len() });
    }
    TradeStatistics::of(pnl.iter().copied().zip(bars_held.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{assert_close, published, returns};
    use crate::{average_bars_held, average_loss, average_win, expectancy, profit_factor, win_rate};

    #[test]
    fn four_trades_by_hand() {
        let found = trade_statistics(&[30.0, -10.0, 0.0, 10.0], &[1, 2, 3, 6]).expect("valid");
        let expected = TradeStatistics {
            number_of_trades: 4,
            win_rate: Some(0.5),
            profit_factor: Some(4.0),
            expectancy: Some(7.5),
            average_win: Some(20.0),
            average_loss: Some(-10.0),
            best_trade: Some(30.0),
            worst_trade: Some(-10.0),
            average_bars_held: Some(3.0),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn each_has_the_bits_of_its_function() {
        let pnl: Vec<f64> = returns().values().iter().map(|value| 1e4 * value).collect();
        let bars: Vec<u64> = (0..750).map(|trade| trade % 7).collect();
        let found = trade_statistics(&pnl, &bars).expect("valid");
        assert_eq!(found.win_rate, win_rate(&pnl));
        assert_eq!(found.profit_factor, profit_factor(&pnl));
        assert_eq!(found.expectancy, expectancy(&pnl));
        assert_eq!((found.average_win, found.average_loss), (average_win(&pnl), average_loss(&pnl)));
        assert_eq!(found.average_bars_held, average_bars_held(&bars));
    }

    #[test]
    fn average_win_over_average_loss_is_the_payoff_ratio_of_quantstats() {
        let found = trade_statistics(returns().values(), &[1; 750]).expect("valid");
        let payoff = found.average_win.zip(found.average_loss).map(|(win, loss)| win / -loss);
        assert_close(payoff, published("quantstats", "payoff_ratio"));
    }

    #[test]
    fn no_trades_are_zero_of_them_and_nothing_else() {
        assert_eq!(trade_statistics(&[], &[]), Ok(TradeStatistics::default()));
    }

    #[test]
    fn columns_that_do_not_match_are_refused() {
        let error = trade_statistics(&[1.0], &[]).expect_err("no bars").to_string();
        assert_eq!(error, "bars held must have `1` rows, has `0`");
        let error = trade_statistics(&[f64::NAN], &[1]).expect_err("no pnl").to_string();
        assert_eq!(error, "the pnl of a trade must be finite, was `NaN` at row `0`");
    }
}
