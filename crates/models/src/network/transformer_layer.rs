//! A Transformer layer over steps that sees no later step, normalised before its parts (Xiong et al. 2020):
//!
//! ```text
//! x <- x + Attention(Norm(x))
//! x <- x + W_2 relu(W_1 Norm(x) + b_1) + b_2
//! ```
//!
//! Weights have the names and shapes of PyTorch's `TransformerEncoderLayer(norm_first=True)`.

use tch::{Kind, Tensor};

use super::layer_norm::LayerNorm;
use super::layout::Layout;
use super::linear::Linear;
use crate::dropout::DropoutMasks;

/// Where a layer's weights lie among a network's, and its sizes.
#[derive(Debug, Clone)]
pub(crate) struct TransformerLayer {
    heads: usize,
    dropout: f64,
    /// `[3 D, D]`: queries, keys and values; the bias follows.
    in_projection: usize,
    out_projection: Linear,
    hidden: Linear,
    output: Linear,
    attention_norm: LayerNorm,
    feedforward_norm: LayerNorm,
}

/// The sizes of a layer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LayerSizes {
    /// Values per step, `D`.
    pub(crate) model: usize,
    pub(crate) heads: usize,
    pub(crate) feedforward: usize,
}

impl TransformerLayer {
    /// Appends the layer's weights under `name`: matrices Xavier uniform, biases 0.
    pub(crate) fn build(sizes: LayerSizes, dropout: f64, name: &str, layout: &mut Layout) -> Self {
        let LayerSizes { model, heads, feedforward } = sizes;
        let in_projection = layout.push_xavier(format!("{name}.self_attn.in_proj_weight"), 3 * model, model);
        layout.push_constant(format!("{name}.self_attn.in_proj_bias"), 3 * model, 0.0);
        let mut linear =
            |part: &str, inputs, outputs| Linear::unbiased(&format!("{name}.{part}"), inputs, outputs, layout);
        let out_projection = linear("self_attn.out_proj", model, model);
        let (hidden, output) = (linear("linear1", model, feedforward), linear("linear2", feedforward, model));
        let [attention_norm, feedforward_norm] =
            ["norm1", "norm2"].map(|norm| LayerNorm::build(&format!("{name}.{norm}"), model, layout));
        Self { heads, dropout, in_projection, out_projection, hidden, output, attention_norm, feedforward_norm }
    }

    /// Runs the layer on `[B, T, D]`.
    pub(crate) fn forward(&self, weights: &[Tensor], steps: &Tensor, mut masks: Option<&mut DropoutMasks>) -> Tensor {
        let mut drop = |values: Tensor| match masks.as_deref_mut() {
            None => values,
            Some(masks) => masks.apply(values, self.dropout),
        };
        let attended = self.attention(weights, &self.attention_norm.forward(weights, steps));
        let steps = steps + drop(attended);
        let hidden = self.hidden.forward(weights, &self.feedforward_norm.forward(weights, &steps)).relu();
        let output = self.output.forward(weights, &drop(hidden));
        steps + drop(output)
    }

    /// Returns `softmax(Q K^T / sqrt(D / heads)) V` per head, over the steps up to each step's own, projected once more.
    fn attention(&self, weights: &[Tensor], steps: &Tensor) -> Tensor {
        let (batch, count, model) = steps.size3().expect("steps are `[B, T, D]`");
        let head_size = model / self.heads as i64;
        let projected = steps.linear(&weights[self.in_projection], Some(&weights[self.in_projection + 1]));
        let by_head =
            |part: &Tensor| part.view([batch, count, self.heads as i64, head_size]).transpose(1, 2).contiguous();
        let parts: Vec<Tensor> = projected.chunk(3, 2).iter().map(|part| by_head(&part.contiguous())).collect();
        let [queries, keys, values] = parts.as_slice() else { unreachable!("three parts were asked for") };
        let later = Tensor::ones([count, count], (Kind::Bool, steps.device())).triu(1);
        let scores = queries.matmul(&keys.transpose(2, 3)) / (head_size as f64).sqrt();
        let shares = scores.masked_fill(&later, f64::NEG_INFINITY).softmax(-1, None);
        let mixed = shares.matmul(values).transpose(1, 2).contiguous().view([batch, count, model]);
        self.out_projection.forward(weights, &mixed)
    }
}
