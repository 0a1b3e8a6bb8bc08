//! Encoder `transformer`: features are projected, placed, and attended to.

use tch::{Kind, Tensor};

use super::encoder::WindowTensors;
use super::layer_norm::LayerNorm;
use super::layout::Layout;
use super::linear::Linear;
use super::pooling::StepPooling;
use super::sequence::Sequence;
use super::transformer_layer::{LayerSizes, TransformerLayer};
use crate::dropout::DropoutMasks;
use crate::spec::{Pooling, TransformerSpec};

/// The projection and the layers behind it.
#[derive(Debug, Clone)]
pub(crate) struct Transformer {
    projection: Linear,
    dropout: f64,
    layers: TransformerLayers,
}

/// Transformer layers, a last normalisation and a pooling.
#[derive(Debug, Clone)]
pub(crate) struct TransformerLayers {
    layers: Vec<TransformerLayer>,
    norm: LayerNorm,
    pooling: StepPooling,
    width: usize,
}

impl Transformer {
    /// Appends the weights `projection.*`, `transformer.layers.0.*` and so on, `transformer.norm.*`, `attention.*`.
    pub(crate) fn build(spec: &TransformerSpec, features: usize, layout: &mut Layout) -> Self {
        let projection = Linear::unbiased("projection", features, spec.model_size, layout);
        let sizes = LayerSizes { model: spec.model_size, heads: spec.heads, feedforward: spec.feedforward_size };
        let layers = TransformerLayers::build(sizes, spec.layers, spec.dropout, spec.pooling, layout);
        Self { projection, dropout: spec.dropout, layers }
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
        let mut values = self.projection.forward(weights, &steps.values);
        let [count, _, model] = values.size3().expect("steps are `[T, B, D]`").into();
        values += places(count, model).to_device(values.device()).unsqueeze(1);
        if let Some(masks) = masks.as_deref_mut() {
            values = masks.apply(values, self.dropout);
        }
        self.layers.forward(weights, &steps.with(values), masks)
    }
}

impl TransformerLayers {
    /// Appends the layers' weights, the last normalisation's and the pooling's.
    pub(crate) fn build(sizes: LayerSizes, count: usize, dropout: f64, pooling: Pooling, layout: &mut Layout) -> Self {
        let layers = (0..count)
            .map(|layer| TransformerLayer::build(sizes, dropout, &format!("transformer.layers.{layer}"), layout))
            .collect();
        let norm = LayerNorm::build("transformer.norm", sizes.model, layout);
        let pooling = StepPooling::build(pooling, "attention", sizes.model, layout);
        Self { layers, norm, pooling, width: sizes.model }
    }

    pub(crate) const fn width(&self) -> usize {
        self.width
    }

    /// Runs the layers on `[T, B, D]` and returns one vector per window, `[B, D]`.
    pub(crate) fn forward(&self, weights: &[Tensor], steps: &Sequence, mut masks: Option<&mut DropoutMasks>) -> Tensor {
        let mut values = steps.values.transpose(0, 1).contiguous();
        for layer in &self.layers {
            values = layer.forward(weights, &values, masks.as_deref_mut());
        }
        let steps = steps.with(self.norm.forward(weights, &values).transpose(0, 1).contiguous());
        self.pooling.forward(weights, &steps, || steps.last())
    }
}

/// Returns `[T, D]` with `sin(t / 10000^(2 i / D))` at place `2 i` and the cosine at `2 i + 1` (Vaswani et al. 2017).
fn places(count: i64, model: i64) -> Tensor {
    let kind = (Kind::Float, tch::Device::Cpu);
    let rates = (Tensor::arange_start_step(0, model, 2, kind) * (-(1e4_f64.ln()) / model as f64)).exp();
    let angles = Tensor::arange(count, kind).unsqueeze(1) * rates;
    Tensor::stack(&[angles.sin(), angles.cos()], 2).view([count, model])
}
