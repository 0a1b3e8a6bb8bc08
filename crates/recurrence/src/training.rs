//! Whole windows forward, keeping what the gradients need, and back again.

use std::ops::Range;

use crate::batch::Batch;
use crate::cell::{CellStep, Rows};
use crate::cell_gradient::{CellGradient, StateProduct};
use crate::lines::Lines;
use crate::weight_gradient::{OF_INPUT, ROWS, Summands, WeightSums};
use crate::weights::Weights;

/// What a forward pass leaves for the backward pass, in memory that is used again by the next.
#[derive(Debug, Default)]
pub struct Workspace {
    batch: usize,
    steps: usize,
    layers: Vec<Kept>,
    /// Gradient of the states of one step, `[B, width]`.
    carried: Lines,
    /// Gradient of all states of one layer, `[T, B, width]`.
    from_above: Lines,
    sums: WeightSums,
}

/// One layer's share.
#[derive(Debug, Default)]
struct Kept {
    /// What the layer read where that is not exactly the states below: time-major features, or states after dropout.
    inputs: Lines,
    /// Factors of the layer's inputs, `[T, B, width]`; empty without dropout.
    mask: Lines,
    /// `[T + 1, B, width]`, the initial ones first.
    states: Lines,
    /// `[T, B, 4, width]`.
    gates: Lines,
}

impl Workspace {
    /// Runs a stack over whole windows and keeps every state; a batch may have dropout.
    ///
    /// # Panics
    /// When the batch does not have the stack's sizes.
    pub fn forward(&mut self, weights: &Weights, batch: &Batch<'_>) {
        batch.check(weights.shape);
        (self.batch, self.steps) = (batch.size, batch.steps);
        self.layers.resize_with(weights.layers.len(), Kept::default);
        for layer in 0..weights.layers.len() {
            self.read(weights, batch, layer);
            self.run_layer(weights, layer);
        }
    }

    /// Copies the states of a layer after some steps, 0 for the initial ones.
    ///
    /// # Panics
    /// When `states` is not `[B, H]`.
    pub fn copy_states(&self, weights: &Weights, layer: usize, step: usize, states: &mut [f32]) {
        let (hidden, width) = (weights.shape.hidden, weights.layers[layer].width);
        assert_eq!(states.len(), self.batch * hidden, "one value per sample and hidden value");
        let kept = &self.layers[layer].states[step * self.batch * width..];
        for (states, kept) in states.chunks_exact_mut(hidden).zip(kept.chunks_exact(width)) {
            states.copy_from_slice(&kept[..hidden]);
        }
    }

    /// Returns the top layer's states after the last step, `[B, H]`.
    pub fn last_states(&self, weights: &Weights) -> Vec<f32> {
        let mut states = vec![0.0; self.batch * weights.shape.hidden];
        self.copy_states(weights, weights.layers.len() - 1, self.steps, &mut states);
        states
    }

    /// Takes the gradient of the top layer's last states back through the last forward pass, and writes the gradients of all
    /// weights in the order of [`Weights::new`].
    ///
    /// What the forward pass has kept is used up.
    ///
    /// # Panics
    /// When `last_gradient` is not `[B, H]` or `gradient` not one value per weight.
    pub fn backward(&mut self, weights: &Weights, last_gradient: &[f32], gradient: &mut [f32]) {
        let hidden = weights.shape.hidden;
        assert_eq!(last_gradient.len(), self.batch * hidden, "one gradient per sample and hidden value");
        assert_eq!(gradient.len(), weights.shape.weight_count(), "one gradient per weight");
        let top = weights.layers.len() - 1;
        self.from_above.resize(self.steps * self.batch * weights.layers[top].width);
        for layer in (0..=top).rev() {
            let packed = &weights.layers[layer];
            self.carried.resize(self.batch * packed.width);
            self.carried.fill(0.0);
            if layer == top {
                for (carried, last) in self.carried.chunks_exact_mut(packed.width).zip(last_gradient.chunks(hidden)) {
                    carried[..hidden].copy_from_slice(last);
                }
            }
            self.run_layer_back(weights, layer);
            let places = weights.shape.places(layer);
            let own = &mut gradient[places.weights_ih.start..places.biases_hh.end];
            self.sums.write(hidden, packed.width, own);
        }
    }

    /// Lays out what a layer reads, and its initial states.
    fn read(&mut self, weights: &Weights, batch: &Batch<'_>, layer: usize) {
        let (hidden, width) = (weights.shape.hidden, weights.layers[layer].width);
        let rows = self.steps * self.batch;
        let (below, kept) = self.layers.split_at_mut(layer);
        let kept = &mut kept[0];
        kept.states.resize((rows + self.batch) * width);
        kept.gates.resize(4 * rows * width);
        kept.mask.resize(0);
        kept.inputs.resize(0);
        for (sample, state) in kept.states.chunks_exact_mut(width).take(self.batch).enumerate() {
            batch.copy_initial(layer, hidden, sample, state);
        }
        if let Some(below) = below.last() {
            let Some(mask) = batch.mask(layer, hidden) else { return };
            kept.mask.resize(rows * width);
            for (row, mask) in kept.mask.chunks_exact_mut(width).zip(mask.chunks_exact(hidden)) {
                row[..hidden].copy_from_slice(mask);
                row[hidden..].fill(0.0);
            }
            kept.inputs.resize(rows * width);
            let states = below.states[self.batch * width..].iter().zip(kept.mask.iter());
            kept.inputs.iter_mut().zip(states).for_each(|(input, (state, factor))| *input = state * factor);
        } else {
            let features = weights.shape.inputs;
            kept.inputs.resize(rows * features);
            for (row, input) in kept.inputs.chunks_exact_mut(features).enumerate() {
                let (step, sample) = (row / self.batch, row % self.batch);
                input.copy_from_slice(&batch.windows[(sample * self.steps + step) * features..][..features]);
            }
        }
    }

    fn run_layer(&mut self, weights: &Weights, layer: usize) {
        let packed = &weights.layers[layer];
        let size = self.batch * packed.width;
        let (below, own) = self.layers.split_at_mut(layer);
        let Kept { inputs, states, gates, .. } = &mut own[0];
        let (inputs, stride) = inputs_of(below, inputs, size, packed.width, packed.inputs);
        for step in 0..self.steps {
            let (before, after) = states.split_at_mut((step + 1) * size);
            weights.arch.dispatch(CellStep {
                layer: packed,
                input: Rows { values: &inputs[step * self.batch * stride..], stride },
                states: &before[step * size..],
                next: &mut after[..size],
                kept: Some(&mut gates[4 * step * size..4 * (step + 1) * size]),
            });
        }
    }

    /// Goes back through the steps of a layer. A few steps at a time, while they are in the cache, their gradients join the
    /// sums for the weights and go down to the layer below.
    fn run_layer_back(&mut self, weights: &Weights, layer: usize) {
        let packed = &weights.layers[layer];
        let size = self.batch * packed.width;
        let is_top = layer + 1 == weights.layers.len();
        self.sums.reset(packed.inputs, packed.hidden, packed.width);
        let mut end = self.steps;
        for step in (0..self.steps).rev() {
            let own = step * size..(step + 1) * size;
            let Kept { states, gates, .. } = &mut self.layers[layer];
            weights.arch.dispatch(CellGradient {
                layer: packed,
                gates: &mut gates[4 * own.start..4 * own.end],
                states: &states[own.clone()],
                from_above: (!is_top).then(|| &self.from_above[own]),
                carried: &mut self.carried,
            });
            if (end - step) * self.batch >= ROWS || step == 0 {
                self.sum_weights(weights, layer, step..end);
                if layer > 0 {
                    self.hand_down(weights, layer, step..end);
                }
                end = step;
            }
        }
    }

    fn sum_weights(&mut self, weights: &Weights, layer: usize, steps: Range<usize>) {
        let width = weights.layers[layer].width;
        let (below, own) = self.layers.split_at(layer);
        let Kept { inputs, states, gates, .. } = &own[0];
        let (inputs, input_stride) = inputs_of(below, inputs, self.batch * width, width, weights.shape.inputs);
        let rows = steps.start * self.batch..steps.end * self.batch;
        let summands = Summands {
            gates: &gates[4 * rows.start * width..4 * rows.end * width],
            inputs: &inputs[rows.start * input_stride..rows.end * input_stride],
            input_stride,
            states: &states[rows.start * width..rows.end * width],
            width,
        };
        self.sums.add(weights.arch, &summands);
    }

    /// Takes the gradients of a layer's gates to the states of the layer below, in the place of those from above, which have
    /// been used.
    fn hand_down(&mut self, weights: &Weights, layer: usize, steps: Range<usize>) {
        let packed = &weights.layers[layer];
        let Kept { gates, mask, .. } = &self.layers[layer];
        let size = self.batch * packed.width;
        let own = steps.start * size..steps.end * size;
        let output = &mut self.from_above[own.clone()];
        output.fill(0.0);
        weights.arch.dispatch(StateProduct {
            hidden: packed.hidden,
            width: packed.width,
            weights: &packed.input_back,
            gates: &gates[4 * own.start..4 * own.end],
            slots: OF_INPUT,
            output,
        });
        if !mask.is_empty() {
            output.iter_mut().zip(&mask[own]).for_each(|(gradient, factor)| *gradient *= factor);
        }
    }
}

/// Returns what a layer reads, and the length of a row of it: its own inputs, else the states below after each step.
fn inputs_of<'a>(below: &'a [Kept], own: &'a [f32], size: usize, width: usize, features: usize) -> (&'a [f32], usize) {
    match below.last() {
        None => (own, features),
        Some(_) if !own.is_empty() => (own, width),
        Some(below) => (&below.states[size..], width),
    }
}

#[cfg(test)]
mod tests {
    use pulp::Arch;

    use super::*;
    use crate::weights::StackShape;

    #[test]
    fn every_vector_width_gives_the_same_bits() {
        let shape = StackShape { inputs: 5, hidden: 19, layers: 2 };
        let numbers = |len: usize| (0..len).map(|i| ((i + 1) as f32 * 12.9898).sin() * 0.3).collect::<Vec<f32>>();
        let run = |arch: Arch| {
            let mut weights = Weights::new(shape, &numbers(shape.weight_count()));
            weights.arch = arch;
            let mut workspace = Workspace::default();
            workspace.forward(&weights, &Batch::new(&numbers(7 * 4 * 5), 7, 4));
            let mut gradient = vec![0.0; shape.weight_count()];
            workspace.backward(&weights, &numbers(7 * 19), &mut gradient);
            (workspace.last_states(&weights), gradient)
        };
        let expected = run(Arch::Scalar);
        assert_eq!(run(Arch::new()), expected);
        #[cfg(target_arch = "x86_64")]
        if let Some(eight_wide) = pulp::x86::V3::try_new() {
            assert_eq!(run(Arch::V3(eight_wide)), expected);
        }
    }
}
