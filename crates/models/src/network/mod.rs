//! A network: an encoder, an embedding of symbols, a head; from the specification to the layout to the computation.

mod cnn_gru;
mod convolution;
mod embedding;
mod encoder;
mod gru_transformer;
mod head;
mod layer_norm;
mod layout;
mod linear;
mod mlp;
mod output;
mod pooled_stacks;
mod pooling;
mod recurrent;
mod sequence;
mod transformer;
mod transformer_layer;

use tch::Tensor;
use tidegate_recurrence::StackShape;

use self::embedding::Embedding;
use self::encoder::EncoderNetwork;
pub(crate) use self::encoder::WindowTensors;
use self::head::HeadNetwork;
use self::layout::Layout;
pub(crate) use self::output::NetworkOutput;
use crate::dropout::DropoutMasks;
use crate::parameters::Parameters;
use crate::random::{SeededRandom, Stream};
use crate::samples::Batch;
use crate::spec::NetworkSpec;

/// A network's structure; its weights are in [`Parameters`].
#[derive(Debug, Clone)]
pub(crate) struct Network {
    encoder: EncoderNetwork,
    /// The dropout between plain GRU layers, where nothing else reads the windows.
    plain_dropout: Option<f64>,
    embedding: Option<Embedding>,
    head: HeadNetwork,
}

impl Network {
    /// Lays out a valid specification and draws its initial weights from a seed.
    pub(crate) fn build(spec: &NetworkSpec, seed: u64, device: tch::Device) -> (Self, Parameters) {
        let mut layout = Layout::new(SeededRandom::new(seed, Stream::Weights));
        let encoder = EncoderNetwork::build(spec, &mut layout);
        let embedding = spec.symbol_embedding.map(|size| Embedding::build(spec.symbols, size, &mut layout));
        let inputs = encoder.width() + spec.symbol_embedding.unwrap_or(0);
        let head = HeadNetwork::build(spec, inputs, &mut layout);
        let plain_dropout = spec.encoder.gru().filter(|_| spec.encoder.is_plain_gru()).map(|gru| gru.dropout);
        (Self { encoder, plain_dropout, embedding, head }, layout.finish(device))
    }

    /// Returns the sizes of the GRU stacks, one per scale, and the dropout between their layers, where nothing but plain GRU layers
    /// reads the windows; their weights come first, in this order.
    pub(crate) fn plain_stacks(&self) -> Option<(Vec<StackShape>, f64)> {
        match &self.encoder {
            EncoderNetwork::Stacks(stacks) => self.plain_dropout.map(|dropout| (stacks.shapes(), dropout)),
            _ => None,
        }
    }

    /// Takes steps that are padding in every window from a batch, where the encoder reads any number of steps.
    pub(crate) fn cut(&self, batch: Batch) -> Batch {
        if self.encoder.reads_any_length() { batch.cut_to_longest() } else { batch }
    }

    /// Returns whether the encoder's vectors are made by weights, and are not the windows themselves.
    pub(crate) const fn has_hidden_values(&self) -> bool {
        !matches!(self.encoder, EncoderNetwork::Linear(_))
    }

    /// Runs the encoder in libtorch and returns one vector per sample, `[B, V]`; `masks` are given in training only.
    pub(crate) fn encode(
        &self,
        weights: &[Tensor],
        windows: WindowTensors<'_>,
        masks: Option<&mut DropoutMasks>,
    ) -> Tensor {
        self.encoder.forward(weights, windows, masks)
    }

    /// Makes the encoder's vector of what other code computed as the last states of its plain stacks, `[B, H]` per scale.
    pub(crate) fn fuse(&self, weights: &[Tensor], last_states: &[Tensor]) -> Tensor {
        match &self.encoder {
            EncoderNetwork::Stacks(stacks) => stacks.fuse(weights, last_states),
            _ => unreachable!("`plain_stacks` says that this encoder has none"),
        }
    }

    /// Runs embedding and head on the encoder's vectors `[B, V]`.
    ///
    /// # Shapes
    /// `symbols` is `[B]`: each sample's place in the panel.
    pub(crate) fn read(
        &self,
        weights: &[Tensor],
        vectors: &Tensor,
        symbols: &Tensor,
        masks: Option<&mut DropoutMasks>,
    ) -> NetworkOutput {
        match &self.embedding {
            None => self.head.forward(weights, vectors, masks),
            Some(embedding) => self.head.forward(weights, &embedding.append(weights, vectors, symbols), masks),
        }
    }
}

#[cfg(test)]
mod encoder_tests;
#[cfg(test)]
mod head_tests;
#[cfg(test)]
mod pytorch_vectors;
#[cfg(test)]
mod reference_file;
#[cfg(test)]
mod tests;
