//! `[account]`, `[instruments.SYMBOL]`, `[risk]`: money, what is traded, limits.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[account]`: the account at the start, and what the broker lends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountConfig {
    /// Money at the start, in the account's currency.
    pub cash: f64,
    /// The account's currency, such as `USD`: an instrument in it needs no exchange rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// What the broker lends; missing lends anything, so that only `[risk]` binds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<AccountKindConfig>,
    /// What lending costs and cash earns; missing is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub financing: Option<FinancingConfig>,
    /// The smallest tradable step in units of instruments that state none of their own; missing trades fractions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot_size: Option<f64>,
}

/// What the broker lends.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AccountKindConfig {
    /// Nothing: no short positions, and no fill that cash does not pay for.
    Cash {},
    /// Lends no money, but any units: cash pays for purchases, and short sales without bound bring in cash. For parity with other tools.
    CashAndShorts {},
    /// As much as margin allows.
    Margin(MarginConfig),
}

/// `[account.kind.margin]`: equity needed per unit of gross exposure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarginConfig {
    /// To open: 0.5 allows positions of twice the equity.
    pub initial: f64,
    /// To hold; below it at a close, positions are cut to what `initial` allows.
    pub maintenance: f64,
}

/// `[account.financing]`: yearly rates as fractions, simple, over 365 days, charged from close to close.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FinancingConfig {
    /// Paid on the value of short positions.
    pub borrow_rate: f64,
    /// Paid on negative cash.
    pub margin_rate: f64,
    /// Earned on cash above the value of short positions.
    pub cash_rate: f64,
}

/// `[instruments.SYMBOL]`: what sets one symbol of `data.symbols` apart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstrumentConfig {
    /// The smallest tradable step in units; missing is `account.lot_size`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot_size: Option<f64>,
    /// The smallest step of a price; missing takes any price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tick_size: Option<f64>,
    /// Money per unit and point of price; missing is 1, as for stocks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiplier: Option<f64>,
    /// The group whose exposure `risk.group_weight_max` bounds, such as a sector; missing is in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The currency of its prices, which `[data.fx.CURRENCY]` converts; missing is the account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Funding rates of a perpetual contract; missing is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funding: Option<RateFileConfig>,
}

/// A file of rates with the columns `time, rate`: CSV or Parquet.
///
/// A rate acts from its time on. Where every time in the file is a date or midnight, each is known at the end of its day instead, in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateFileConfig {
    /// The file, relative to the strategy file.
    pub path: PathBuf,
}

/// `[risk]`: limits as fractions of equity; a missing key is no limit.
///
/// They bind when an order is made, and those on gross leverage when it fills; prices may carry a position past them afterwards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RiskConfig {
    /// The most gross exposure: long and short positions added up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gross_leverage_max: Option<f64>,
    /// The most net exposure, long or short: long positions less short ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_leverage_max: Option<f64>,
    /// The largest position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_max: Option<f64>,
    /// The most gross exposure of the instruments of one group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_weight_max: Option<f64>,
    /// The most that one day's requests add to positions; a day is a session of `[data.session]`, or a UTC day without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_turnover_max: Option<f64>,
    /// The most open positions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positions_max: Option<u32>,
    /// The loss from the peak, as a fraction, at which everything is closed and trading stops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawdown_stop: Option<f64>,
    /// The loss since the end of the day before, as a fraction, at which everything is closed until the day ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_loss_stop: Option<f64>,
    /// The number of losing round trips in a row, after costs, at which everything is closed and trading stops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub losing_trades_stop: Option<u32>,
}
