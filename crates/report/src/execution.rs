//! What was traded and what it cost.

use serde::{Deserialize, Serialize};
use tidegate_market::{Side, Timestamp};

/// One closed round trip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TradeRow {
    /// The instrument's symbol.
    pub symbol: String,
    /// The side of the entry: a buy opens a long position, a sell a short one.
    pub side: Side,
    /// Units traded, positive.
    pub quantity: f64,
    /// The time label of the entry's bar.
    pub entry_time: Timestamp,
    /// The entry's fill price.
    pub entry_price: f64,
    /// The time label of the exit's bar.
    pub exit_time: Timestamp,
    /// The exit's fill price.
    pub exit_price: f64,
    /// Bars between entry and exit.
    pub bars_held: u64,
    /// Profit or loss in the account's currency.
    pub realized_pnl: f64,
    /// Commission of both ends in the account's currency.
    pub commission: f64,
    /// Slippage of both ends in the account's currency.
    pub slippage: f64,
    /// Maximum adverse excursion in the account's currency, zero or negative.
    pub mae: f64,
    /// Maximum favorable excursion in the account's currency, zero or positive.
    pub mfe: f64,
}

/// Orders, costs and exposure of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExecutionPanel {
    /// Orders submitted.
    pub n_orders: u64,
    /// Fills.
    pub n_fills: u64,
    /// Closed round trips.
    pub n_trades: u64,
    /// The share of closed trades with a gain after costs, as a fraction; `None` when undefined.
    pub win_rate: Option<f64>,
    /// Money won by the winners over money lost by the losers; `None` when undefined.
    pub profit_factor: Option<f64>,
    /// The mean gain of a closed trade after costs, in the account's currency; `None` when undefined.
    pub expectancy: Option<f64>,
    /// The mean number of bars between entry and exit; `None` when undefined.
    pub average_bars_held: Option<f64>,
    /// Commission paid in the account's currency.
    pub commission: f64,
    /// Slippage paid in the account's currency.
    pub slippage: f64,
    /// Traded notional over mean equity, per year; `None` when undefined.
    pub turnover: Option<f64>,
    /// The share of bars with a position, as a fraction; `None` when undefined.
    pub exposure: Option<f64>,
    /// Bars on which the order of fills inside the bar had to be assumed.
    pub ambiguous_bars: u64,
    /// Orders that the risk check denied.
    pub denials: u64,
}
