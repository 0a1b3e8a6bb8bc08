//! The recurrent layers of one scale, of either kind.

use tidegate_recurrence::{Batch, LstmWeights, Recurrent, StackShape, Stream, Weights, last_states};

/// Layers and their weights.
#[derive(Debug)]
pub(super) enum Stack {
    Gru(Weights),
    Lstm(LstmWeights),
}

impl Stack {
    /// Returns the sizes.
    pub(super) fn shape(&self) -> StackShape {
        match self {
            Self::Gru(weights) => weights.shape(),
            Self::Lstm(weights) => weights.shape(),
        }
    }

    /// Returns the states of every layer after the last step of windows, `[L, B, H]`.
    pub(super) fn last_states(&self, batch: &Batch<'_>) -> Vec<f32> {
        match self {
            Self::Gru(weights) => last_states(weights, batch),
            Self::Lstm(weights) => last_states(weights, batch),
        }
    }

    /// Starts a stream from zero.
    pub(super) fn stream(&self) -> Stream {
        match self {
            Self::Gru(weights) => Stream::new(weights),
            Self::Lstm(weights) => Stream::new(weights),
        }
    }

    /// Takes a step of a stream that this stack started; returns the top layer's state after it, `[H]`.
    pub(super) fn step<'a>(&self, stream: &'a mut Stream, features: &[f32]) -> &'a [f32] {
        match self {
            Self::Gru(weights) => stream.step(weights, features),
            Self::Lstm(weights) => stream.step(weights, features),
        }
    }
}
