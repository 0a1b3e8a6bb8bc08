//! `[strategy]`: what is traded, when.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules::RulesConfig;

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
    /// The same weights again and again.
    FixedWeights(FixedWeightsConfig),
    /// As much risk from one instrument as from any other.
    EqualRiskContribution(EqualRiskContributionConfig),
    /// Weights read from a file.
    TargetWeights(TargetWeightsConfig),
    /// Enters and leaves by conditions.
    Rules(RulesConfig),
}

impl StrategyConfig {
    /// Returns whether the strategy trades on forecasts.
    pub fn needs_forecasts(&self) -> bool {
        match self {
            Self::ForecastThreshold(_) | Self::Kelly(_) => true,
            Self::VolatilityTarget(target) => target.lookback_bars.is_none(),
            Self::Rules(rules) => rules.names_forecasts(),
            Self::BuyAndHold {}
            | Self::SmaCross(_)
            | Self::MomentumRotation(_)
            | Self::FixedWeights(_)
            | Self::EqualRiskContribution(_)
            | Self::TargetWeights(_) => false,
        }
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
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MomentumRotationConfig {
    /// Bars over which the rise is measured.
    pub lookback_bars: NonZeroUsize,
    /// How many instruments are held, in equal parts.
    pub top: NonZeroUsize,
    /// When instruments are ranked, and how far their weights may drift.
    pub rebalance: RebalanceConfig,
}

/// `[strategy.fixed_weights]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FixedWeightsConfig {
    /// The weights.
    pub weights: WeightsConfig,
    /// When weights are looked at, and how far they may drift.
    pub rebalance: RebalanceConfig,
}

/// The weights of `[strategy.fixed_weights]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WeightsConfig {
    /// The same share of equity in every symbol, together all of it.
    Equal,
    /// A share of equity for each symbol, negative for short.
    BySymbol(BTreeMap<String, f64>),
}

/// `[strategy.equal_risk_contribution]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EqualRiskContributionConfig {
    /// Simple returns over which the covariance is measured.
    pub lookback_bars: NonZeroUsize,
    /// When it is measured, and how far weights may drift.
    pub rebalance: RebalanceConfig,
}

/// `rebalance` of a strategy: when weights are looked at, and how far off they must be to be corrected.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RebalanceConfig {
    /// The closes at which weights are looked at; the first is the first at which the strategy can.
    pub schedule: ScheduleConfig,
    /// How far a weight may be from its target; leaving an instrument is never put off.
    pub tolerance: f64,
}

/// The closes at which weights are looked at. A period ends with the first close on its last trading day, by `data.calendar`; where that
/// day has no bar, with the first close after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ScheduleConfig {
    /// One close out of so many; one is every close.
    EveryBars(NonZeroUsize),
    /// The first close of each day.
    Daily,
    /// The end of each week.
    Weekly,
    /// The end of each month.
    MonthEnd,
    /// The end of each quarter.
    QuarterEnd,
    /// The end of each year.
    YearEnd,
}

/// `[strategy.target_weights]`: a weight whose time labels a bar is known at that bar's close and acts at the next fill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetWeightsConfig {
    /// A CSV or Parquet file with the columns `time, symbol, weight`, relative to the strategy file.
    pub path: PathBuf,
}
