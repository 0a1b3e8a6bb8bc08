//! Which network reads the windows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CnnGruSpec, GruSpec, GruTransformerSpec, LinearSpec, LstmSpec, MlpSpec, TransformerSpec};
use crate::ModelError;

/// What turns windows `[B, T, F]` into one vector of values `[B, V]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Encoder {
    /// One GRU over the only scale, pooled over its steps.
    Gru(GruSpec),
    /// One GRU per scale; the pooled vectors are joined and fused by a linear layer and a ReLU.
    MultiScaleGru(GruSpec),
    /// One LSTM over the only scale, pooled over its steps.
    Lstm(LstmSpec),
    /// Causal convolutions over the steps, then a GRU.
    CnnGru(CnnGruSpec),
    /// A GRU, then causal self-attention over its states.
    GruTransformer(GruTransformerSpec),
    /// Causal self-attention over the steps.
    Transformer(TransformerSpec),
    /// The windows of all scales as one vector: with the head behind it, a linear model. A yardstick.
    Linear(LinearSpec),
    /// Linear layers with ReLU over the windows of all scales: a yardstick without an order of time.
    Mlp(MlpSpec),
}

impl Encoder {
    /// Returns the name as it is written in a config.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Gru(_) => "gru",
            Self::MultiScaleGru(_) => "multi_scale_gru",
            Self::Lstm(_) => "lstm",
            Self::CnnGru(_) => "cnn_gru",
            Self::GruTransformer(_) => "gru_transformer",
            Self::Transformer(_) => "transformer",
            Self::Linear(_) => "linear",
            Self::Mlp(_) => "mlp",
        }
    }

    /// Returns the encoder's GRU layers, where it has some.
    pub const fn gru(&self) -> Option<&GruSpec> {
        match self {
            Self::Gru(gru) | Self::MultiScaleGru(gru) => Some(gru),
            Self::CnnGru(spec) => Some(&spec.gru),
            Self::GruTransformer(spec) => Some(&spec.gru),
            Self::Lstm(_) | Self::Transformer(_) | Self::Linear(_) | Self::Mlp(_) => None,
        }
    }

    /// Returns the width of the encoder's hidden layers, the widest where they differ; `None` without hidden layers.
    pub fn hidden_size(&self) -> Option<usize> {
        match self {
            Self::Lstm(lstm) => Some(lstm.hidden_size),
            Self::Transformer(transformer) => Some(transformer.model_size),
            Self::Mlp(mlp) => mlp.hidden_sizes.iter().copied().max(),
            Self::Linear(_) => None,
            Self::Gru(_) | Self::MultiScaleGru(_) | Self::CnnGru(_) | Self::GruTransformer(_) => {
                self.gru().map(|gru| gru.hidden_size)
            }
        }
    }

    /// Returns whether the encoder reads several scales.
    pub const fn reads_scales(&self) -> bool {
        matches!(self, Self::MultiScaleGru(_) | Self::Linear(_) | Self::Mlp(_))
    }

    /// Returns whether the number of weights depends on the windows' lengths, so that windows of another length cannot be read.
    pub const fn needs_window_bars(&self) -> bool {
        matches!(self, Self::Linear(_) | Self::Mlp(_))
    }

    /// Returns whether nothing but plain GRU layers stands between the windows and the fusion or head, which the kernel of
    /// `tidegate-recurrence` can run.
    pub fn is_plain_gru(&self) -> bool {
        match self {
            Self::Gru(gru) | Self::MultiScaleGru(gru) => gru.is_plain(),
            _ => false,
        }
    }

    pub(super) fn validate(&self) -> Result<(), ModelError> {
        match self {
            Self::Gru(gru) | Self::MultiScaleGru(gru) => gru.validate(),
            Self::Lstm(lstm) => lstm.validate(),
            Self::CnnGru(cnn) => cnn.validate(),
            Self::GruTransformer(hybrid) => hybrid.validate(),
            Self::Transformer(transformer) => transformer.validate(),
            Self::Linear(LinearSpec {}) => Ok(()),
            Self::Mlp(mlp) => mlp.validate(),
        }
    }
}
