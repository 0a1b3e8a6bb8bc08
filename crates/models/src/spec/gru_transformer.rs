//! `[model.encoder.gru_transformer]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::transformer::check_attention;
use super::{GruSpec, Pooling, check_fraction, check_layers, check_size, is_default};
use crate::ModelError;

/// GRU layers, then Transformer layers over their states: no step sees a later one.
///
/// The states know their place, so nothing is added for it. A bidirectional GRU is refused: its states know the later steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GruTransformerSpec {
    /// The GRU layers; their `hidden_size` is a multiple of `heads`, their `pooling` stays `last`.
    pub gru: GruSpec,
    /// Attention heads.
    pub heads: usize,
    /// Stacked Transformer layers.
    pub layers: usize,
    /// Values of the hidden layer, with a ReLU, of the feed-forward part.
    pub feedforward_size: usize,
    /// Fraction of the values dropped behind the attention, the feed-forward part and its hidden layer while training; in [0, 1).
    pub dropout: f64,
    /// How the values of the steps become one vector.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pooling: Pooling,
}

impl GruTransformerSpec {
    pub(super) fn validate(&self) -> Result<(), ModelError> {
        self.gru.validate_without_pooling()?;
        if self.gru.bidirectional {
            return Err(ModelError::InnerDirection);
        }
        check_attention(self.gru.hidden_size, self.heads, "hidden_size")?;
        check_layers("layers", self.layers)?;
        check_size("feedforward_size", self.feedforward_size)?;
        check_fraction("dropout", self.dropout)
    }
}
