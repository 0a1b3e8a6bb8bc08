//! `[account]`, `[execution]`, `[risk]`: money, fills, limits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[account]`: the account at the start.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountConfig {
    /// Money at the start.
    pub cash: f64,
    /// The smallest tradable step in units; missing trades fractions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot_size: Option<f64>,
}

/// `[execution]`: how orders become fills, and what they cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecutionConfig {
    /// When a market order fills.
    pub fill: FillConfig,
    /// What a fill pays the broker.
    pub commission: CommissionConfig,
    /// How much worse than the quoted price a fill is.
    pub slippage: SlippageConfig,
}

/// When a market order fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FillConfig {
    /// At the next bar's open.
    NextOpen,
    /// At the next bar's close.
    NextClose,
    /// At the close the decision was made from: optimistic, for parity with other tools.
    SameClose,
}

/// What a fill pays the broker.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CommissionConfig {
    /// Nothing.
    None,
    /// Basis points of the traded value.
    Bps(f64),
    /// Money per unit, with a minimum per order.
    PerShare(PerShareConfig),
}

/// `[execution.commission.per_share]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PerShareConfig {
    /// Money per unit.
    pub rate: f64,
    /// The least money per fill.
    pub minimum: f64,
}

/// How much worse than the quoted price a fill is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SlippageConfig {
    /// Not at all.
    None,
    /// Basis points of the price.
    Bps(f64),
}

/// `[risk]`: limits; a missing key is no limit.
///
/// They bind when an order is made and when it fills; prices may carry a position past them afterwards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RiskConfig {
    /// The most gross exposure, over equity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gross_leverage_max: Option<f64>,
    /// The largest position, over equity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_max: Option<f64>,
    /// The most open positions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positions_max: Option<u32>,
    /// The loss from the peak, as a fraction, at which everything is closed and trading stops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawdown_stop: Option<f64>,
}
