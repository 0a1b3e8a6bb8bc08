//! `[model]`: a network, or a yardstick in its place.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_forecast::{GradientBoostedTrees, Recalibration, WeightSpec};
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
    /// How much each training sample counts; missing counts all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_weights: Option<WeightSpec>,
    /// What is done to forecasts once a fold's validation set is known; missing leaves them as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recalibration: Option<Recalibration>,
    /// The part of a network that reads windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<Encoder>,
    /// The part of a network that states the forecast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Head>,
    /// What training minimises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Loss>,
    /// Learned values per symbol, appended to what the encoder says before the head reads it; missing learns none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol_embedding: Option<usize>,
    /// Hidden values of a layer with a ReLU before the head; missing has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_hidden_size: Option<usize>,
    /// Fraction of what the head reads that is dropped while training; missing drops none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_dropout: Option<f64>,
    /// A forecaster without a network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yardstick: Option<YardstickConfig>,
    /// How a trained network reads the test bars; missing is `window`.
    #[serde(default, skip_serializing_if = "InferenceConfig::is_default")]
    pub inference: InferenceConfig,
}

/// How a trained network reads the test bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InferenceConfig {
    /// Every forecast is made from its own window, all of them before the backtest.
    #[default]
    Window,
    /// The network is stepped inside the backtest, once per bar, and carries its state on. In each test block a series starts from
    /// its first bar's window and then reads one bar after the other to the end of the block; where a bar has no forecast, it starts
    /// anew from the next one's window. For a network of one scale at the data's own interval.
    Stream,
}

impl InferenceConfig {
    /// Returns whether nothing has to be written.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// One window of `window_bars` bars, each made of `bar_multiple` bars of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScaleConfig {
    /// Bars in the window.
    pub window_bars: usize,
    /// Bars of the data in one bar of the window.
    pub bar_multiple: usize,
    /// The fewest bars that a window may have where a history is short; `window_bars` where missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_bars_min: Option<usize>,
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
    /// A return of the training mean with the variance of a GARCH(1,1) process per symbol.
    Garch {},
    /// A linear model with an L2 penalty on the last row of every window.
    Ridge(RidgeConfig),
    /// Gradient boosted trees on a summary of every window.
    BoostedTrees(GradientBoostedTrees),
}

/// `[model.yardstick.ridge]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RidgeConfig {
    /// The penalty per sample; missing takes the one with the smallest validation error from 1e-4, 1e-3, ... 1e4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lambda: Option<f64>,
}
