//! `[model.encoder.transformer]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Pooling, check, check_fraction, check_layers, check_size, is_default};
use crate::ModelError;

/// A Transformer over the steps of a window: no step sees a later one.
///
/// The features are projected to `model_size` values, to which the sines and cosines of the step's place are added (Vaswani et al.
/// 2017). Layers are normalised before attention and before the feed-forward part (Xiong et al. 2020), and once more at the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransformerSpec {
    /// Values per step, `D`; even, and a multiple of `heads`.
    pub model_size: usize,
    /// Attention heads.
    pub heads: usize,
    /// Stacked layers.
    pub layers: usize,
    /// Values of the hidden layer, with a ReLU, of the feed-forward part.
    pub feedforward_size: usize,
    /// Fraction of the values dropped behind the positional encoding, the attention, the feed-forward part and its hidden layer while
    /// training; in [0, 1).
    pub dropout: f64,
    /// How the values of the steps become one vector.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pooling: Pooling,
}

impl TransformerSpec {
    pub(super) fn validate(&self) -> Result<(), ModelError> {
        check_attention(self.model_size, self.heads, "model_size")?;
        check("model_size", "even", self.model_size as f64, |size| size % 2.0 == 0.0)?;
        check_layers("layers", self.layers)?;
        check_size("feedforward_size", self.feedforward_size)?;
        check_fraction("dropout", self.dropout)
    }
}

/// Refuses a width that the heads cannot share.
pub(super) fn check_attention(size: usize, heads: usize, key: &'static str) -> Result<(), ModelError> {
    check_size(key, size)?;
    check("heads", "in [1, 64]", heads as f64, |heads| (1.0..=64.0).contains(&heads))?;
    check(key, "a multiple of `heads`", size as f64, |_| size.is_multiple_of(heads))
}
