//! The seam between a network and its encoders: windows go in, one vector per sample comes out.

use tch::Tensor;

use super::cnn_gru::CnnGru;
use super::gru_transformer::GruTransformer;
use super::layout::Layout;
use super::mlp::Mlp;
use super::pooled_stacks::PooledStacks;
use super::transformer::Transformer;
use crate::dropout::DropoutMasks;
use crate::spec::{Encoder, NetworkSpec};

/// What turns windows into one vector per sample. One file each: from the specification to the layout to the computation.
#[derive(Debug, Clone)]
pub(crate) enum EncoderNetwork {
    /// GRU, multi-scale GRU, LSTM.
    Stacks(PooledStacks),
    CnnGru(CnnGru),
    GruTransformer(GruTransformer),
    Transformer(Transformer),
    /// The windows as they are, with so many values.
    Linear(usize),
    Mlp(Mlp),
}

/// Windows as a batch keeps them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WindowTensors<'a> {
    /// One `[B, T, F]` per scale.
    pub(crate) inputs: &'a [Tensor],
    /// Valid steps per scale, `[B]` each; a shorter window lies at the end of its `T` steps, zeros before it.
    pub(crate) lengths: &'a [Option<Vec<u32>>],
}

impl WindowTensors<'_> {
    /// Returns the valid steps of a scale's windows, where some are short.
    pub(crate) fn lengths(&self, scale: usize) -> Option<&[u32]> {
        self.lengths[scale].as_deref()
    }

    /// Returns the values of all scales side by side, `[B, T F + ...]`.
    pub(crate) fn flat(&self) -> Tensor {
        let flat: Vec<Tensor> = self.inputs.iter().map(|input| input.flatten(1, 2)).collect();
        if let [only] = flat.as_slice() { only.shallow_clone() } else { Tensor::cat(&flat, 1) }
    }
}

impl EncoderNetwork {
    /// Appends the weights of a valid specification's encoder and their initial values.
    pub(crate) fn build(spec: &NetworkSpec, layout: &mut Layout) -> Self {
        let features = spec.feature_counts.as_slice();
        let flat_size = || features.iter().zip(&spec.window_bars).map(|(features, steps)| features * steps).sum();
        match &spec.encoder {
            Encoder::Gru(gru) => Self::Stacks(PooledStacks::single(&gru.into(), gru.pooling, features[0], layout)),
            Encoder::MultiScaleGru(gru) => {
                Self::Stacks(PooledStacks::fused(&gru.into(), gru.pooling, features, layout))
            }
            Encoder::Lstm(lstm) => Self::Stacks(PooledStacks::single(&lstm.into(), lstm.pooling, features[0], layout)),
            Encoder::CnnGru(cnn) => Self::CnnGru(CnnGru::build(cnn, features[0], layout)),
            Encoder::GruTransformer(hybrid) => Self::GruTransformer(GruTransformer::build(hybrid, features[0], layout)),
            Encoder::Transformer(spec) => Self::Transformer(Transformer::build(spec, features[0], layout)),
            Encoder::Linear(_) => Self::Linear(flat_size()),
            Encoder::Mlp(mlp) => Self::Mlp(Mlp::build(mlp, flat_size(), layout)),
        }
    }

    /// Returns the values of a vector, `V`.
    pub(crate) fn width(&self) -> usize {
        match self {
            Self::Stacks(stacks) => stacks.width(),
            Self::CnnGru(cnn) => cnn.width(),
            Self::GruTransformer(hybrid) => hybrid.width(),
            Self::Transformer(transformer) => transformer.width(),
            Self::Linear(size) => *size,
            Self::Mlp(mlp) => mlp.width(),
        }
    }

    /// Returns whether windows may have any number of steps.
    pub(crate) const fn reads_any_length(&self) -> bool {
        !matches!(self, Self::Linear(_) | Self::Mlp(_))
    }

    /// Returns one vector per sample, `[B, V]`; `masks` are given in training only.
    ///
    /// A short window gives what it would give alone, in a batch of windows of its own length.
    pub(crate) fn forward(
        &self,
        weights: &[Tensor],
        windows: WindowTensors<'_>,
        masks: Option<&mut DropoutMasks>,
    ) -> Tensor {
        match self {
            Self::Stacks(stacks) => stacks.forward(weights, windows, masks),
            Self::CnnGru(cnn) => cnn.forward(weights, windows, masks),
            Self::GruTransformer(hybrid) => hybrid.forward(weights, windows, masks),
            Self::Transformer(transformer) => transformer.forward(weights, windows, masks),
            Self::Linear(_) => windows.flat(),
            Self::Mlp(mlp) => mlp.forward(weights, windows, masks),
        }
    }
}
