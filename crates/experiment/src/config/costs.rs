//! `[execution.commission]` and `[execution.slippage]`: what a fill costs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a fill pays the broker, in the account's currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CommissionConfig {
    /// Nothing.
    None,
    /// Basis points of the traded value.
    Bps(f64),
    /// Money per order, due with its first fill.
    Fixed(f64),
    /// Money per order, due with its first fill, and basis points of the traded value besides.
    FixedPlusBps(FixedPlusBpsConfig),
    /// Money per unit, with a minimum and a cap per order.
    PerShare(PerShareConfig),
    /// Basis points of the traded value that depend on what was traded before in the calendar month: the first tier starts at zero,
    /// the others follow in ascending order.
    Tiered(Vec<TierConfig>),
    /// Basis points of the traded value, other ones for orders that rest in the book than for those that fill at once.
    MakerTaker(MakerTakerConfig),
}

/// `[execution.commission.fixed_plus_bps]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FixedPlusBpsConfig {
    /// Money per order.
    pub fixed: f64,
    /// Basis points of the traded value.
    pub bps: f64,
}

/// `[execution.commission.per_share]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PerShareConfig {
    /// Money per unit.
    pub rate: f64,
    /// The least money per order.
    pub minimum: f64,
    /// The most per order, as a fraction of its value; it wins over the minimum. Missing is no cap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_fraction: Option<f64>,
}

/// One entry of `execution.commission.tiered`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TierConfig {
    /// The value traded in the calendar month from which the rate holds.
    pub from_value: f64,
    /// Basis points of what is traded above it, up to the next tier.
    pub bps: f64,
}

/// `[execution.commission.maker_taker]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MakerTakerConfig {
    /// Basis points for limit orders that do not fill at once; below zero is a rebate.
    pub maker_bps: f64,
    /// Basis points for all other orders.
    pub taker_bps: f64,
}

/// How much worse than the quoted price a fill is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SlippageConfig {
    /// Not at all.
    None,
    /// Basis points of the price.
    Bps(f64),
    /// Money per unit: half of a constant spread.
    HalfSpread(f64),
    /// Steps of the price, by each instrument's `tick_size`.
    Ticks(f64),
    /// `impact * min(quantity / volume, share_max)^2` of the price, by the volume of the bar.
    VolumeShare(VolumeShareConfig),
    /// `coefficient * volatility * sqrt(quantity / average volume)` of the price, both over the last bars known.
    SquareRootImpact(SquareRootImpactConfig),
}

/// `[execution.slippage.volume_share]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VolumeShareConfig {
    /// The fraction of the price that a fill of the whole volume would lose.
    pub impact: f64,
    /// The share of the volume from which the loss grows no more.
    pub share_max: f64,
}

/// `[execution.slippage.square_root_impact]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SquareRootImpactConfig {
    /// The number in front, of the order of one.
    pub coefficient: f64,
    /// Bars over which volatility and average volume are measured.
    pub lookback_bars: std::num::NonZeroUsize,
}

/// Which fills have slippage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlippageScopeConfig {
    /// All but those at a limit.
    All,
    /// Those at a limit too, which may then be worse than the limit: for parity with other tools.
    Every,
    /// Those of market orders: a stop fills at its price or at the open that gapped through it.
    Market,
    /// Only units that open or add, at a limit too: a spread that is paid once, on entry.
    Entries,
}
