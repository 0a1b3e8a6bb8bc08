//! What a user writes: the strategy file, key by key.
//!
//! Variants are tagged by sub-tables (`[strategy.kelly]`), unknown keys are errors, and nothing that changes a result has a
//! default. [`crate::ResolvedExperiment`] is what runs.

mod account;
mod costs;
mod data;
mod delay;
mod execution;
mod model;
mod rules;
mod source;
mod strategy;
mod sweep;

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_features::{FeatureSpec, Horizons};
use tidegate_forecast::{CrossValidation, RankSpec, ScalerSpec, WalkForward};

pub use account::{
    AccountConfig, AccountKindConfig, FinancingConfig, InstrumentConfig, MarginConfig, RateFileConfig, RiskConfig,
};
pub use costs::{
    CommissionConfig, FixedPlusBpsConfig, MakerTakerConfig, PerShareConfig, SlippageConfig, SlippageScopeConfig,
    SquareRootImpactConfig, TierConfig, VolumeShareConfig,
};
pub(crate) use data::BarLabelSchema;
pub use data::{CorporateActionsConfig, DataConfig, OneOrMany, SignalsConfig};
pub use delay::Delay;
pub use execution::{
    AtDecisionConfig, AtFillConfig, BracketLegsConfig, DataEndConfig, DetailConfig, ExecutionConfig, FeeBasisConfig,
    FillConfig, FillOrderConfig, LatencyConfig, LimitFillConfig, PathConfig, ProfileConfig, ShortfallConfig,
    SizingConfig,
};
pub use model::{InferenceConfig, ModelConfig, RidgeConfig, ScaleConfig, YardstickConfig};
pub use rules::{RulesConfig, RulesRiskConfig, RulesSizeConfig, RulesVolatilityConfig};
pub use source::{ConfigError, ConfigSource, Place};
pub(crate) use source::{key_part, nearest, set};
pub use strategy::{
    EqualRiskContributionConfig, FixedWeightsConfig, ForecastThresholdConfig, KellyConfig, MomentumRotationConfig,
    RebalanceConfig, ScheduleConfig, SmaCrossConfig, StrategyConfig, TargetWeightsConfig, VolatilityTargetConfig,
    WeightsConfig,
};
pub use sweep::{
    AxisConfig, DrawsConfig, HalvingConfig, MethodConfig, Number, RangeConfig, ScaleKind, SweepConfig, TpeConfig,
};

/// One experiment, as written in a strategy file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExperimentConfig {
    /// A title for the report.
    pub name: String,
    /// A sentence or two for the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The seed of everything random: initial weights, shuffles, dropout.
    pub seed: u64,
    /// Where the bars come from.
    pub data: DataConfig,
    /// What a forecaster sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<FeaturesConfig>,
    /// What a forecaster learns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetConfig>,
    /// How time is cut into training, validation and test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub walk_forward: Option<WalkForward>,
    /// How time is cut to measure a recipe on several pasts, in place of `[walk_forward]`: nothing of it could have been traded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_validation: Option<CrossValidation>,
    /// The forecaster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelConfig>,
    /// How a network is trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<tidegate_models::TrainingSpec>,
    /// Forecasts made elsewhere, in place of `[model]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecasts: Option<ForecastsConfig>,
    /// What is traded, when.
    pub strategy: StrategyConfig,
    /// The account at the start.
    pub account: AccountConfig,
    /// What sets single symbols apart: lots, ticks, multipliers, currencies.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub instruments: BTreeMap<String, InstrumentConfig>,
    /// How orders become fills, and what they cost.
    pub execution: ExecutionConfig,
    /// Limits; a missing key is no limit.
    #[serde(default)]
    pub risk: RiskConfig,
    /// What the metrics are measured against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<MetricsConfig>,
    /// Which keys a sweep varies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<SweepConfig>,
}

/// `[features]`: what a forecaster sees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeaturesConfig {
    /// The features, in column order.
    pub columns: Vec<FeatureSpec>,
    /// How columns are scaled, fitted on each fold's training rows only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaler: Option<ScalerSpec>,
}

/// `[target]`: what a forecaster learns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TargetConfig {
    /// The log return over the horizon.
    LogReturn(HorizonConfig),
    /// The simple return over the horizon.
    SimpleReturn(HorizonConfig),
    /// The later price minus the earlier, for series such as exchange rates and yields.
    Difference(HorizonConfig),
    /// The sum of the squared one-bar log returns over the horizon.
    RealizedVariance(HorizonConfig),
    /// The logarithm of the volatility per bar over the horizon.
    LogVolatility(HorizonConfig),
}

impl TargetConfig {
    /// Returns the name as it is written in a config.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::LogReturn(_) => "log_return",
            Self::SimpleReturn(_) => "simple_return",
            Self::Difference(_) => "difference",
            Self::RealizedVariance(_) => "realized_variance",
            Self::LogVolatility(_) => "log_volatility",
        }
    }

    /// Returns how far it looks, and between which prices.
    pub const fn horizon(&self) -> &HorizonConfig {
        match self {
            Self::LogReturn(horizon)
            | Self::SimpleReturn(horizon)
            | Self::Difference(horizon)
            | Self::RealizedVariance(horizon)
            | Self::LogVolatility(horizon) => horizon,
        }
    }
}

/// How far a target looks, and between which prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HorizonConfig {
    /// Bars between the two prices: one number, or several that rise. The nearest is the one that is traded.
    pub horizon_bars: Horizons,
    /// The prices; where missing, those at which `execution.fill` trades.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<TargetPriceConfig>,
    /// Learn each symbol's rank among the symbols of the same time in place of the number itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_sectional_rank: Option<RankSpec>,
}

/// The prices between which a target is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetPriceConfig {
    /// From the next bar's open.
    NextOpen,
    /// From the next bar's close.
    NextClose,
    /// From this bar's close, at which nobody who saw it could trade.
    Close,
}

/// `[forecasts]`: forecasts made elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForecastsConfig {
    /// A CSV or Parquet file with the columns of `forecasts.parquet`, relative to the strategy file.
    pub path: PathBuf,
}

/// `[metrics]`: what the metrics are measured against.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricsConfig {
    /// The risk-free rate a year, as a fraction; without this table it is zero.
    pub risk_free_rate: f64,
}
