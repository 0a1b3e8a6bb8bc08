//! `[model.encoder.lstm]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::gru::check_stack;
use super::{Init, Pooling, check, check_fraction, is_default};
use crate::ModelError;

/// A stack of LSTM layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LstmSpec {
    /// Hidden values per layer and direction, `H`.
    pub hidden_size: usize,
    /// Stacked layers.
    pub layers: usize,
    /// Fraction of a layer's outputs dropped on the way to the next layer while training; in [0, 1), 0 for one layer.
    pub dropout: f64,
    /// Initial bias of the forget gate, rows `H..2H` of `bias_ih` (that of `bias_hh` is not touched): a positive one starts with a
    /// longer memory (Jozefowicz et al. 2015 advise 1). Absent: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forget_gate_bias: Option<f64>,
    /// Whether a second LSTM per layer reads the window from its end; the outputs of both are joined.
    #[serde(default, skip_serializing_if = "is_default")]
    pub bidirectional: bool,
    /// How the states of the steps become one vector.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pooling: Pooling,
    /// Probability that a state, and independently a cell, keeps its last value for a step while training (Krueger et al. 2017); in
    /// [0, 1). An evaluation takes the expectation.
    #[serde(default, skip_serializing_if = "is_default")]
    pub zoneout: f64,
    /// Whether both products of every gate are normalised over its `H` values (Ba et al. 2016), with a gain each; the biases are
    /// added after that. The cell is not normalised.
    #[serde(default, skip_serializing_if = "is_default")]
    pub layer_norm: bool,
    /// How the weights start.
    #[serde(default, skip_serializing_if = "is_default")]
    pub init: Init,
}

impl LstmSpec {
    /// Takes the sizes of a plain stack: forward, without dropout, read at the last step.
    pub const fn new(hidden_size: usize, layers: usize) -> Self {
        Self {
            hidden_size,
            layers,
            dropout: 0.0,
            forget_gate_bias: None,
            bidirectional: false,
            pooling: Pooling::Last,
            zoneout: 0.0,
            layer_norm: false,
            init: Init::XavierOrthogonal,
        }
    }

    /// Returns whether these are plain layers read at the last step.
    pub fn is_plain(&self) -> bool {
        !self.bidirectional && self.pooling == Pooling::Last && self.zoneout == 0.0 && !self.layer_norm
    }

    pub(super) fn validate(&self) -> Result<(), ModelError> {
        check_stack(self.hidden_size, self.layers, self.dropout)?;
        check_fraction("zoneout", self.zoneout)?;
        check("forget_gate_bias", "finite", self.forget_gate_bias.unwrap_or(0.0), f64::is_finite)
    }
}
