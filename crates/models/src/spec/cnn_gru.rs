//! `[model.encoder.cnn_gru]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{GruSpec, check, check_layers, check_size, is_one, one};
use crate::ModelError;

/// Causal convolutions over the steps of a window, each with a ReLU, then a GRU over what they put out.
///
/// Layer `i` of the convolutions reads `kernel_size` steps, `dilation^i` steps apart, the last of them its own step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CnnGruSpec {
    /// Channels of every convolution.
    pub channels: usize,
    /// Steps that a convolution reads.
    pub kernel_size: usize,
    /// Stacked convolutions.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub convolutions: usize,
    /// How many times farther apart the steps are that the next convolution reads; 1 or 2 are usual.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub dilation: usize,
    /// The GRU layers, which read `channels` features.
    pub gru: GruSpec,
}

impl CnnGruSpec {
    pub(super) fn validate(&self) -> Result<(), ModelError> {
        check_size("channels", self.channels)?;
        check("kernel_size", "in [1, 64]", self.kernel_size as f64, |size| (1.0..=64.0).contains(&size))?;
        check_layers("convolutions", self.convolutions)?;
        check("dilation", "in [1, 4]", self.dilation as f64, |dilation| (1.0..=4.0).contains(&dilation))?;
        self.gru.validate()
    }
}
