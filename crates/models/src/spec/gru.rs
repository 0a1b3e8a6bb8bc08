//! `[model.encoder.gru]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Init, Pooling, check, check_fraction, check_layers, check_size, is_default};
use crate::ModelError;

/// A stack of GRU layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GruSpec {
    /// Hidden values per layer and direction, `H`. Advice: 32-64 below 1,000 training samples, 64-128 up to 10,000.
    pub hidden_size: usize,
    /// Stacked layers.
    pub layers: usize,
    /// Fraction of a layer's outputs dropped on the way to the next layer while training; in [0, 1), 0 for one layer.
    pub dropout: f64,
    /// Initial bias of the update gate, rows `H..2H` of `bias_ih` (that of `bias_hh` is not touched). libtorch's update gate keeps
    /// the past, so a positive bias starts with a longer memory. Absent: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_gate_bias: Option<f64>,
    /// Whether a second GRU per layer reads the window from its end; the outputs of both are joined, so that the vector has `2 H`
    /// values. It stays inside the window, hence in the past.
    #[serde(default, skip_serializing_if = "is_default")]
    pub bidirectional: bool,
    /// How the states of the steps become one vector.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pooling: Pooling,
    /// Probability that a state keeps its last value for a step while training (Krueger et al. 2017); in [0, 1). An evaluation takes
    /// the expectation, `zoneout h + (1 - zoneout) h'`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub zoneout: f64,
    /// Whether both products of every gate are normalised over its `H` values (Ba et al. 2016), with a gain each; the biases are
    /// added after that.
    #[serde(default, skip_serializing_if = "is_default")]
    pub layer_norm: bool,
    /// How the weights start.
    #[serde(default, skip_serializing_if = "is_default")]
    pub init: Init,
}

impl GruSpec {
    /// Takes the sizes of a plain stack: forward, without dropout, read at the last step.
    pub const fn new(hidden_size: usize, layers: usize) -> Self {
        Self {
            hidden_size,
            layers,
            dropout: 0.0,
            update_gate_bias: None,
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
        check("update_gate_bias", "finite", self.update_gate_bias.unwrap_or(0.0), f64::is_finite)
    }

    /// Likewise for layers whose states something else pools.
    pub(super) fn validate_without_pooling(&self) -> Result<(), ModelError> {
        self.validate()?;
        if self.pooling == Pooling::Last { Ok(()) } else { Err(ModelError::InnerPooling) }
    }
}

/// Checks what all stacks of recurrent layers share.
pub(super) fn check_stack(hidden_size: usize, layers: usize, dropout: f64) -> Result<(), ModelError> {
    check_size("hidden_size", hidden_size)?;
    check_layers("layers", layers)?;
    check_fraction("dropout", dropout)?;
    if layers == 1 {
        check("dropout", "0 when `layers` is 1 (it acts between layers)", dropout, |dropout| dropout == 0.0)?;
    }
    Ok(())
}
