//! What a trained network looks like inside.

use serde::{Deserialize, Serialize};

/// Measurements of a network's weights and activations after a fit, in evaluation, on at most 512 samples spread evenly over the
/// validation set (over the training set where there is none).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct NetworkDiagnostics {
    /// One entry per weight matrix and bias vector, in the network's order.
    pub weights: Vec<WeightNorm>,
    /// One entry per GRU layer; empty for networks without.
    pub gates: Vec<GateActivations>,
    /// Share of the hidden values before the head that hardly differ between samples; `None` where they were not looked at.
    pub dead_hidden_share: Option<f64>,
    /// Standard deviation of the expected values over samples, in units of the training targets' deviation: near 0 for a
    /// network that has learned a constant. One entry per horizon.
    pub forecast_deviation: Vec<f64>,
    /// Share of the steps of training batches that were padding, averaged over the epochs.
    pub padded_share: f64,
}

/// The Euclidean norm of one weight matrix or bias vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeightNorm {
    /// Its name, such as `gru.weight_hh_l0`.
    pub name: String,
    /// Square root of the sum of squares.
    pub norm: f64,
}

/// The gates of one GRU layer over all samples, valid steps and hidden values; both lie in (0, 1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateActivations {
    /// The layer, such as `gru.l0`.
    pub layer: String,
    /// Near 1, the state hardly changes from step to step.
    pub update: GateActivation,
    /// Near 0, the new value does not see the state before.
    pub reset: GateActivation,
}

/// The distribution of a gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateActivation {
    /// Mean.
    pub mean: f64,
    /// Shares of the values in ten bins of equal width from 0 to 1.
    pub histogram: [f64; 10],
}
