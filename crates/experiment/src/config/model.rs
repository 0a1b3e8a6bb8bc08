//! `[model]`: a network, or a yardstick in its place.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_models::{Encoder, Head, Loss};

/// `[model]`: the forecaster.
///
/// Either `encoder`, `head` and `loss` are given, which is a network, or `yardstick` is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The windows a forecaster reads, finest first.
    pub scales: Vec<ScaleConfig>,
    /// How many members, trained from different seeds, are mixed into one forecast.
    pub ensemble_size: u32,
    /// The part of a network that reads windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<Encoder>,
    /// The part of a network that states the forecast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Head>,
    /// What training minimises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Loss>,
    /// A forecaster without a network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yardstick: Option<YardstickConfig>,
}

/// One window of `window_bars` bars, each made of `bar_multiple` bars of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScaleConfig {
    /// Bars in the window.
    pub window_bars: usize,
    /// Bars of the data in one bar of the window.
    pub bar_multiple: usize,
}

/// A forecaster without a network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum YardstickConfig {
    /// A return of zero with the variance of the training returns.
    Zero {},
    /// The mean and variance of the training returns.
    HistoricalMean {},
    /// A return of zero with the exponentially weighted variance of recent returns.
    EwmaVolatility {},
    /// A linear model with an L2 penalty on the last row of every window.
    Ridge(RidgeConfig),
}

/// `[model.yardstick.ridge]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RidgeConfig {
    /// The penalty per sample; missing takes the one with the smallest validation error from 1e-4, 1e-3, ... 1e4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lambda: Option<f64>,
}
