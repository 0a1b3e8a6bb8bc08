//! How training went, and what the networks look like inside.

use serde::{Deserialize, Serialize};

/// How training went; empty for a forecaster that is not trained by epochs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TrainingPanel {
    /// Losses and gradients by epoch, one curve per fitted member.
    pub loss_curves: Vec<LossCurve>,
    /// What the networks have in common; `None` for other forecasters.
    pub network: Option<NetworkFacts>,
    /// The gates of recurrent layers, averaged over folds and members.
    pub gates: Vec<GateHistogram>,
    /// What looks wrong, with the number of members that it was found in.
    pub warnings: Vec<String>,
}

/// Losses and gradients of one fitted member by epoch, the first entry being epoch 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LossCurve {
    /// The fold, from zero.
    pub fold: u32,
    /// The ensemble member, from zero.
    pub member: u32,
    /// Training loss, in the loss function's unit.
    pub train: Vec<f64>,
    /// Validation loss, in the loss function's unit.
    pub valid: Vec<f64>,
    /// Gradients; empty where there are none.
    pub gradients: Vec<GradientNorms>,
}

/// The global norms of one epoch's gradients, before clipping.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GradientNorms {
    /// Their mean.
    pub mean: f64,
    /// The largest.
    pub max: f64,
    /// The share of steps that were scaled down.
    pub clipped_share: f64,
}

/// What the networks of all folds and members look like inside.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NetworkFacts {
    /// Fitted numbers of one member.
    pub parameters: u64,
    /// The largest share of any member's hidden values that hardly differ between samples; `None` where none was looked at.
    pub dead_hidden_share_max: Option<f64>,
    /// The smallest deviation of any member's forecasts over samples, in deviations of its training targets: near 0 for one that
    /// has learned a constant.
    pub forecast_deviation_min: Option<f64>,
    /// The mean share of steps that were padding.
    pub padded_share: f64,
}

/// How often a gate was how far open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateHistogram {
    /// The layer, such as `gru.l0`.
    pub layer: String,
    /// The gate: `update` or `reset`.
    pub gate: String,
    /// Mean activation, from 0 to 1.
    pub mean: f64,
    /// Shares of the activations in ten bins of equal width from 0 to 1.
    pub histogram: [f64; 10],
}
