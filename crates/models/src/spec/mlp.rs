//! `[model.encoder.mlp]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{check_fraction, check_layers, check_size, is_default};
use crate::ModelError;

/// Linear layers, each with a ReLU, over the windows of all scales, joined into one vector; a short window's missing steps are 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MlpSpec {
    /// Values of every layer, the one nearest the windows first.
    pub hidden_sizes: Vec<usize>,
    /// Fraction of every layer's outputs dropped while training; in [0, 1).
    #[serde(default, skip_serializing_if = "is_default")]
    pub dropout: f64,
}

impl MlpSpec {
    pub(super) fn validate(&self) -> Result<(), ModelError> {
        check_layers("number of hidden_sizes", self.hidden_sizes.len())?;
        self.hidden_sizes.iter().try_for_each(|&size| check_size("hidden_sizes", size))?;
        check_fraction("dropout", self.dropout)
    }
}
