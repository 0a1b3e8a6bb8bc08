//! What the same trades could have made in another order.

use serde::{Deserialize, Serialize};

use super::interval::{Interval, check_confidence};
use super::max_drawdown_interval::deepest;
use super::split_mix::SplitMix64;
use crate::MetricsError;
use crate::sample::{quantile, sorted};

/// How other orders of trades are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TradeOrder {
    /// The same trades in another order: the end is the same, the way there is not.
    Shuffled,
    /// As many trades drawn from them, each as often as it comes: the end differs too.
    Drawn,
}

/// How many other orders, and how.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TradeOrderSettings {
    /// How other orders are made.
    pub order: TradeOrder,
    /// How many, at least 1.
    pub orders: usize,
    /// The confidence of the intervals, such as 0.95.
    pub confidence: f64,
    /// The seed: equal settings give equal orders.
    pub seed: u64,
}

/// A quantity of the trades as they came, and of other orders.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderSpread {
    /// That of the trades as they came.
    pub actual: f64,
    /// The median of the orders.
    pub median: f64,
    /// The quantiles of the orders.
    pub percentile: Interval,
    /// The share of orders that came out at least as badly as the trades as they came.
    pub as_bad_share: f64,
}

/// What other orders of the trades make of drawdown and end.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TradeOrders {
    /// How many trades there were.
    pub trades: usize,
    /// How the orders were made.
    pub settings: TradeOrderSettings,
    /// The maximum drawdown from trade to trade, a negative fraction.
    pub max_drawdown: OrderSpread,
    /// The total return, a fraction.
    pub total_return: OrderSpread,
}

/// Computes the distribution of drawdown and total return over other orders of the trades; `None` without trades.
///
/// A trade's return is its pnl over the equity before it, a fraction; returns are compounded one after another, and a loss of all is the
/// end. Shuffles by Fisher and Yates (1938); drawing with replacement by Efron (1979). Neither keeps what one trade owes to the
/// one before it.
///
/// # Errors
/// [`MetricsError::Setting`] for no orders or a confidence outside (0, 1), [`MetricsError::Row`] for a return that is not finite.
pub fn trade_orders(returns: &[f64], settings: TradeOrderSettings) -> Result<Option<TradeOrders>, MetricsError> {
    check_confidence(settings.confidence)?;
    if settings.orders == 0 {
        return Err(MetricsError::Setting { name: "orders", rule: "at least 1", value: 0.0 });
    }
    if let Some(row) = returns.iter().position(|value| !value.is_finite()) {
        let (name, rule, value) = ("a trade's return", "finite", returns[row]);
        return Err(MetricsError::Row { name, rule, value, row });
    }
    let mut order = returns.to_vec();
    let (mut drawdowns, mut totals) = (Vec::new(), Vec::new());
    for number in 0..settings.orders {
        let mut generator = SplitMix64::stream(settings.seed, number as u64);
        order.copy_from_slice(returns);
        match settings.order {
            TradeOrder::Shuffled => shuffle(&mut order, &mut generator),
            TradeOrder::Drawn => order.fill_with(|| returns[generator.below(returns.len())]),
        }
        drawdowns.push(deepest(&order));
        totals.push(total(&order));
    }
    let spread = |actual, values: &[f64]| spread(actual, values, settings.confidence);
    let (max_drawdown, total_return) = (spread(deepest(returns), &drawdowns), spread(total(returns), &totals));
    Ok(max_drawdown.zip(total_return).filter(|_| !returns.is_empty()).map(|(max_drawdown, total_return)| TradeOrders {
        trades: returns.len(),
        settings,
        max_drawdown,
        total_return,
    }))
}

fn shuffle(values: &mut [f64], generator: &mut SplitMix64) {
    for last in (1..values.len()).rev() {
        values.swap(last, generator.below(last + 1));
    }
}

/// Returns what compounding leaves, less 1, at least -1.
fn total(returns: &[f64]) -> f64 {
    let mut value = 1.0;
    for return_ in returns {
        value *= 1.0 + return_;
        if value <= 0.0 {
            return -1.0;
        }
    }
    value - 1.0
}

/// Returns the spread of values of which lower ones are worse. What differs by rounding alone is as bad.
fn spread(actual: f64, values: &[f64], confidence: f64) -> Option<OrderSpread> {
    let tail = (1.0 - confidence) / 2.0;
    let values = sorted(values);
    let percentile = Interval { low: quantile(&values, tail)?, high: quantile(&values, 1.0 - tail)? };
    let rounding = 1e-12 * (1.0 + actual.abs());
    let as_bad = values.iter().filter(|&&value| value <= actual + rounding).count();
    let as_bad_share = as_bad as f64 / values.len() as f64;
    Some(OrderSpread { actual, median: quantile(&values, 0.5)?, percentile, as_bad_share })
}
