//! Encoder `gru_transformer`: a GRU, then Transformer layers over its states.

use tch::Tensor;

use super::encoder::WindowTensors;
use super::layout::Layout;
use super::recurrent::RecurrentStack;
use super::sequence::Sequence;
use super::transformer::TransformerLayers;
use super::transformer_layer::LayerSizes;
use crate::dropout::DropoutMasks;
use crate::spec::GruTransformerSpec;

/// The GRU layers and the Transformer layers behind them.
#[derive(Debug, Clone)]
pub(crate) struct GruTransformer {
    gru: RecurrentStack,
    layers: TransformerLayers,
}

impl GruTransformer {
    /// Appends the weights `gru.*`, `transformer.*` and `attention.*`.
    pub(crate) fn build(spec: &GruTransformerSpec, features: usize, layout: &mut Layout) -> Self {
        let gru = RecurrentStack::build(&(&spec.gru).into(), features, "gru", layout);
        let sizes = LayerSizes { model: gru.width(), heads: spec.heads, feedforward: spec.feedforward_size };
        let layers = TransformerLayers::build(sizes, spec.layers, spec.dropout, spec.pooling, layout);
        Self { gru, layers }
    }

    pub(crate) const fn width(&self) -> usize {
        self.layers.width()
    }

    pub(crate) fn forward(
        &self,
        weights: &[Tensor],
        windows: WindowTensors<'_>,
        mut masks: Option<&mut DropoutMasks>,
    ) -> Tensor {
        let steps = Sequence::new(&windows.inputs[0], windows.lengths(0));
        let states = self.gru.forward(weights, &steps, None, masks.as_deref_mut());
        self.layers.forward(weights, &states.steps, masks)
    }
}
