//! A stack of GRU layers: where its weights lie, how they start, and its computation in libtorch.
//!
//! With the gates packed reset, update, new along the rows of the weights:
//!
//! ```text
//! r  = sigmoid(W_ir x + b_ir + W_hr h + b_hr)
//! z  = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
//! n  = tanh(W_in x + b_in + r * (W_hn h + b_hn))
//! h' = (1 - z) * n + z * h
//! ```
//!
//! A *large* update gate keeps the past here; a common textbook writes the last line with `z` and `1 - z` exchanged. A bias
//! that is meant to lengthen the memory therefore goes on rows `H..2H`, the update gate, and on one of the two bias vectors
//! only, since they add up.

use tch::{Kind, Tensor};
use tidegate_recurrence::StackShape;

use crate::dropout::DropoutMasks;
use crate::initial_weights::{orthogonal, xavier_uniform};
use crate::parameters::ParameterShape;
use crate::random::SeededRandom;
use crate::spec::GruSpec;

/// Weights of a layer: `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`.
const WEIGHTS_PER_LAYER: usize = 4;

/// Where a stack's weights lie among a network's, and its sizes.
#[derive(Debug, Clone)]
pub(crate) struct GruStack {
    first_weight: usize,
    features: usize,
    layers: usize,
    hidden_size: usize,
}

impl GruStack {
    /// Appends the stack's weights, named as in a PyTorch module called `module`, and their initial values.
    pub(crate) fn build(
        spec: &GruSpec,
        features: usize,
        module: &str,
        shapes: &mut Vec<ParameterShape>,
        values: &mut Vec<f32>,
        random: &mut SeededRandom,
    ) -> Self {
        let hidden = spec.hidden_size;
        let first_weight = shapes.len();
        for layer in 0..spec.layers {
            let inputs = if layer == 0 { features } else { hidden };
            shapes.push(ParameterShape::new(format!("{module}.weight_ih_l{layer}"), &[3 * hidden, inputs]));
            shapes.push(ParameterShape::new(format!("{module}.weight_hh_l{layer}"), &[3 * hidden, hidden]));
            shapes.push(ParameterShape::new(format!("{module}.bias_ih_l{layer}"), &[3 * hidden]));
            shapes.push(ParameterShape::new(format!("{module}.bias_hh_l{layer}"), &[3 * hidden]));
            (0..3).for_each(|_| values.extend(xavier_uniform(hidden, inputs, random)));
            (0..3).for_each(|_| values.extend(orthogonal(hidden, random)));
            let update_gate = spec.update_gate_bias.unwrap_or(0.0) as f32;
            values.extend((0..3 * hidden).map(|row| if row / hidden == 1 { update_gate } else { 0.0 }));
            values.extend(std::iter::repeat_n(0.0, 3 * hidden));
        }
        Self { first_weight, features, layers: spec.layers, hidden_size: hidden }
    }

    /// Returns the stack's sizes.
    pub(crate) const fn shape(&self) -> StackShape {
        StackShape { inputs: self.features, hidden: self.hidden_size, layers: self.layers }
    }

    /// Runs the stack over whole windows in libtorch; returns the last layer's states at every step, `[T, B, H]`, and every layer's state
    /// after the last step, `[B, H]` each.
    ///
    /// Layers run one by one, so dropout between them is ours; without masks nothing is dropped.
    ///
    /// # Shapes
    /// `input` is `[T, B, F]`; `initial_states` is one `[B, H]` per layer, zeros when absent.
    pub(crate) fn forward(
        &self,
        weights: &[Tensor],
        input: &Tensor,
        initial_states: Option<&[Tensor]>,
        mut masks: Option<&mut DropoutMasks>,
    ) -> (Tensor, Vec<Tensor>) {
        let zeros = || Tensor::zeros([1, input.size()[1], self.hidden_size as i64], (Kind::Float, input.device()));
        let mut outputs = input.shallow_clone();
        let mut last_states = Vec::with_capacity(self.layers);
        for layer in 0..self.layers {
            if layer > 0
                && let Some(masks) = masks.as_deref_mut()
            {
                outputs = masks.apply(outputs);
            }
            let first = self.first_weight + layer * WEIGHTS_PER_LAYER;
            let initial = initial_states.map_or_else(zeros, |states| states[layer].unsqueeze(0));
            let (has_biases, layers, dropout, train, bidirectional, batch_first) = (true, 1, 0.0, false, false, false);
            let (states, last) = outputs.gru(
                &initial,
                &weights[first..first + WEIGHTS_PER_LAYER],
                has_biases,
                layers,
                dropout,
                train,
                bidirectional,
                batch_first,
            );
            outputs = states;
            last_states.push(last.squeeze_dim(0));
        }
        (outputs, last_states)
    }
}
