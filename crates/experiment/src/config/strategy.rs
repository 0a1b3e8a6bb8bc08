//! `[strategy]`: what is traded, when.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[strategy.<name>]`: exactly one strategy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StrategyConfig {
    /// Buys every instrument in equal parts and keeps it.
    BuyAndHold {},
    /// Long from the cross of a fast moving average above a slow one to the cross below.
    SmaCross(SmaCrossConfig),
    /// Long or short by the sign of the forecast.
    ForecastThreshold(ForecastThresholdConfig),
    /// Sizes by forecast mean over forecast variance.
    Kelly(KellyConfig),
    /// Long at the size that brings the account to a stated volatility.
    VolatilityTarget(VolatilityTargetConfig),
    /// Holds the instruments that rose most.
    MomentumRotation(MomentumRotationConfig),
    /// Weights read from a file.
    TargetWeights(TargetWeightsConfig),
}

impl StrategyConfig {
    /// Returns whether the strategy trades on forecasts.
    pub const fn needs_forecasts(&self) -> bool {
        matches!(
            self,
            Self::ForecastThreshold(_)
                | Self::Kelly(_)
                | Self::VolatilityTarget(VolatilityTargetConfig { lookback_bars: None, .. })
        )
    }
}

/// `[strategy.sma_cross]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SmaCrossConfig {
    /// Bars of the fast average.
    pub fast_bars: NonZeroUsize,
    /// Bars of the slow average.
    pub slow_bars: NonZeroUsize,
    /// The share of equity, split over the instruments, after the fast average crossed above.
    pub weight: f64,
    /// Whether the same share is sold short after it crossed below, in place of holding cash.
    pub allow_short: bool,
}

/// `[strategy.forecast_threshold]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForecastThresholdConfig {
    /// The forecast return beyond which a position is taken, as a fraction.
    pub entry_threshold: f64,
    /// The share of equity, split over the instruments, above the threshold.
    pub long_weight: f64,
    /// The share of equity, zero or negative, below minus the threshold.
    pub short_weight: f64,
}

/// `[strategy.kelly]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KellyConfig {
    /// The part of the full Kelly weight that is traded.
    pub fraction: f64,
    /// The largest weight of one instrument, long or short.
    pub weight_max: f64,
    /// Whether a negative forecast is sold short, in place of holding cash.
    pub allow_short: bool,
    /// The change of weight below which nothing is traded.
    pub rebalance_tolerance: f64,
}

/// `[strategy.volatility_target]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VolatilityTargetConfig {
    /// The volatility to reach, per year, as a fraction.
    pub annual_volatility: f64,
    /// Bars of the trailing estimate; missing uses the forecast variance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookback_bars: Option<NonZeroUsize>,
    /// The largest weight of one instrument.
    pub weight_max: f64,
    /// The change of weight below which nothing is traded.
    pub rebalance_tolerance: f64,
}

/// `[strategy.momentum_rotation]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MomentumRotationConfig {
    /// Bars over which the rise is measured.
    pub lookback_bars: NonZeroUsize,
    /// How many instruments are held, in equal parts.
    pub top: NonZeroUsize,
    /// Bars between rebalances.
    pub rebalance_bars: NonZeroUsize,
}

/// `[strategy.target_weights]`: a weight whose time labels a bar is known at that bar's close and acts at the next fill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetWeightsConfig {
    /// A CSV or Parquet file with the columns `time, symbol, weight`, relative to the strategy file.
    pub path: PathBuf,
}
