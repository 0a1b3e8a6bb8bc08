//! What a user writes: the strategy file, key by key.
//!
//! Variants are tagged by sub-tables (`[strategy.kelly]`), unknown keys are errors, and nothing that changes a result has a
//! default. [`crate::ResolvedExperiment`] is what runs.

mod execution;
mod model;
mod source;
mod strategy;
mod sweep;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use tidegate_data::{Adjustment, ColumnMapping, OffencePolicy};
use tidegate_features::FeatureSpec;
use tidegate_forecast::{ScalerSpec, WalkForward};
use tidegate_market::{BarInterval, BarLabel, Timestamp, TradingCalendar};

pub use execution::{
    AccountConfig, CommissionConfig, ExecutionConfig, FillConfig, PerShareConfig, RiskConfig, SlippageConfig,
};
pub use model::{ModelConfig, RidgeConfig, ScaleConfig, YardstickConfig};
pub use source::{ConfigError, ConfigSource, Place};
pub(crate) use source::{nearest, set};
pub use strategy::{
    ForecastThresholdConfig, KellyConfig, MomentumRotationConfig, SmaCrossConfig, StrategyConfig, TargetWeightsConfig,
    VolatilityTargetConfig,
};
pub use sweep::SweepConfig;

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
    /// How orders become fills, and what they cost.
    pub execution: ExecutionConfig,
    /// Limits; a missing key is no limit.
    #[serde(default)]
    pub risk: RiskConfig,
    /// Which keys a sweep varies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<SweepConfig>,
}

/// `[data]`: where the bars come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// Files, folders or globs, relative to the strategy file.
    pub path: OneOrMany,
    /// The symbols to load; their order breaks ties between instruments.
    pub symbols: Vec<String>,
    /// The length of a bar: `1d`, `1h`, `5m`.
    #[schemars(with = "String")]
    pub interval: BarInterval,
    /// Which end of the bar the file's time names; a date names the session, which is `open`.
    #[schemars(with = "BarLabelSchema")]
    pub timestamp: BarLabel,
    /// How many bars make a year, where the calendar's own count is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub periods_per_year: Option<f64>,
    /// When the market trades: `sessions` (252 days a year) or `round_the_clock` (365).
    #[schemars(with = "TradingCalendarSchema")]
    pub calendar: TradingCalendar,
    /// The first bar to use: a date or a time, with or without quotes.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "moment")]
    #[schemars(with = "Option<String>")]
    pub start: Option<Timestamp>,
    /// The last bar to use: a date, which means its whole day, or a time; with or without quotes.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "moment")]
    #[schemars(with = "Option<String>")]
    pub end: Option<Timestamp>,
    /// Names of the columns in the file, where they are not the usual ones.
    #[serde(default)]
    pub columns: ColumnMapping,
    /// What to do with rows that break a rule: `error` unless stated.
    #[serde(default)]
    pub policy: OffencePolicy,
    /// Which corporate actions prices are adjusted for, by the file's adjusted close or split ratio.
    pub adjustment: Adjustment,
}

/// Reads a moment as text or as TOML's own date or time.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = match toml::Value::deserialize(deserializer)? {
        toml::Value::String(text) => text,
        toml::Value::Datetime(datetime) => datetime.to_string(),
        other => return Err(D::Error::custom(format!("must be a date or a time, was {}", other.type_str()))),
    };
    text.parse().map(Some).map_err(D::Error::custom)
}

/// A path, or a list of paths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "toml::Value", into = "toml::Value")]
#[schemars(with = "OneOrManySchema")]
pub struct OneOrMany(pub Vec<PathBuf>);

impl TryFrom<toml::Value> for OneOrMany {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        let text = |value: toml::Value| match value {
            toml::Value::String(text) => Ok(PathBuf::from(text)),
            other => Err(format!("path must be text or a list of texts, was {}", other.type_str())),
        };
        match value {
            toml::Value::Array(items) if items.is_empty() => Err("path must name at least one file".to_owned()),
            toml::Value::Array(items) => items.into_iter().map(text).collect::<Result<_, _>>().map(Self),
            single => text(single).map(|path| Self(vec![path])),
        }
    }
}

impl From<OneOrMany> for toml::Value {
    fn from(paths: OneOrMany) -> Self {
        let mut texts: Vec<Self> =
            paths.0.into_iter().map(|path| Self::String(path.to_string_lossy().into_owned())).collect();
        if texts.len() == 1 { texts.remove(0) } else { Self::Array(texts) }
    }
}

/// The schema of a path or a list of paths.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes the accepted forms for editors; values are read by `OneOrMany`")]
enum OneOrManySchema {
    One(String),
    Many(Vec<String>),
}

/// The schema of [`BarLabel`].
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the accepted forms for editors")]
enum BarLabelSchema {
    Open,
    Close,
}

/// The schema of [`TradingCalendar`].
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the accepted forms for editors")]
enum TradingCalendarSchema {
    Sessions,
    RoundTheClock,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TargetConfig {
    /// The log return over the horizon.
    LogReturn(HorizonConfig),
    /// The simple return over the horizon.
    SimpleReturn(HorizonConfig),
}

/// How far a target looks, and between which prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HorizonConfig {
    /// Bars between the two prices.
    pub horizon_bars: u32,
    /// The prices; where missing, those at which `execution.fill` trades.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<TargetPriceConfig>,
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
