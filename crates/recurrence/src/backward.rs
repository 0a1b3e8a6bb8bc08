//! Gradients back through the windows of a forward pass.

use std::ops::Range;

use crate::cell_gradient::{CellGradient, StateProduct};
use crate::kind::{Gru, Kind};
use crate::lines::padded;
use crate::training::{Kept, Workspace, inputs_of};
use crate::weight_gradient::{OF_INPUT, ROWS, Summands};
use crate::weights::Weights;

/// Gradients of a loss with respect to states of the top layer, which add up.
#[derive(Debug, Clone, Copy, Default)]
pub struct Upstream<'a> {
    /// Of the states after the last step that each window takes, `[B, H]`.
    pub last: Option<&'a [f32]>,
    /// Of the states after every step, `[B, T, H]`; those of padding count nothing.
    pub all: Option<&'a [f32]>,
}

/// Where the gradients of a loss go.
#[derive(Debug)]
pub struct Downstream<'a> {
    /// Of all weights, in the order of [`Weights::new`].
    pub weights: &'a mut [f32],
    /// Of the windows, `[B, T, I]`; zero where a window is padded.
    pub windows: Option<&'a mut [f32]>,
    /// Of the initial states, `[L, B, H]`.
    pub initial_states: Option<&'a mut [f32]>,
}

impl Workspace {
    /// Takes the gradient of the top layer's last states back through the last forward pass, and writes the gradients of all
    /// weights in the order of [`Weights::new`].
    ///
    /// What the forward pass has kept is used up.
    ///
    /// # Panics
    /// When `last_gradient` is not `[B, H]` or `gradient` not one value per weight.
    pub fn backward(&mut self, weights: &Weights, last_gradient: &[f32], gradient: &mut [f32]) {
        let upstream = Upstream { last: Some(last_gradient), all: None };
        self.backward_to(weights, upstream, Downstream { weights: gradient, windows: None, initial_states: None });
    }

    /// Takes gradients of the top layer's states back through the last forward pass to all that is asked for.
    ///
    /// What the forward pass has kept is used up.
    ///
    /// # Panics
    /// When a gradient does not have the sizes that its field says.
    pub fn backward_to(&mut self, weights: &Weights, upstream: Upstream<'_>, mut downstream: Downstream<'_>) {
        let (hidden, top) = (weights.shape.hidden, weights.layers.len() - 1);
        self.check_sizes(weights, upstream, &downstream);
        self.from_above.resize(self.schedule.steps * self.size() * weights.layers[top].width);
        if let Some(all) = upstream.all {
            self.schedule.gather(&mut self.from_above, weights.layers[top].width, |schedule, row, place| {
                &all[schedule.index(row, place) * hidden..][..hidden]
            });
        }
        for layer in (0..=top).rev() {
            let packed = &weights.layers[layer];
            self.carried.resize(self.size() * packed.width);
            self.carried.fill(0.0);
            if let Some(last) = upstream.last.filter(|_| layer == top) {
                for (carried, sample) in self.carried.chunks_exact_mut(packed.width).zip(&self.schedule.samples) {
                    carried[..hidden].copy_from_slice(&last[sample * hidden..][..hidden]);
                }
            }
            let has_above = layer < top || upstream.all.is_some();
            let windows = downstream.windows.as_deref_mut().filter(|_| layer == 0);
            self.run_layer_back(weights, layer, has_above, windows);
            let places = weights.shape.places(layer, Gru::GATES);
            let own = &mut downstream.weights[places.weights_ih.start..places.biases_hh.end];
            self.sums.write(hidden, packed.width, own);
            if let Some(initial) = &mut downstream.initial_states {
                let initial = &mut initial[layer * self.schedule.samples.len() * hidden..];
                for (carried, sample) in self.carried.chunks_exact(packed.width).zip(&self.schedule.samples) {
                    initial[sample * hidden..][..hidden].copy_from_slice(&carried[..hidden]);
                }
            }
        }
    }

    fn check_sizes(&self, weights: &Weights, upstream: Upstream<'_>, downstream: &Downstream<'_>) {
        let (shape, size, steps) = (weights.shape, self.size(), self.schedule.steps);
        if let Some(last) = upstream.last {
            assert_eq!(last.len(), size * shape.hidden, "one gradient per sample and hidden value");
        }
        if let Some(all) = upstream.all {
            assert_eq!(all.len(), size * steps * shape.hidden, "gradients of all states are `[B, T, H]`");
        }
        assert_eq!(downstream.weights.len(), shape.weight_count(), "one gradient per weight");
        if let Some(windows) = &downstream.windows {
            assert_eq!(windows.len(), size * steps * shape.inputs, "gradients of windows are `[B, T, I]`");
        }
        if let Some(initial) = &downstream.initial_states {
            assert_eq!(
                initial.len(),
                shape.layers * size * shape.hidden,
                "gradients of initial states are `[L, B, H]`"
            );
        }
    }

    /// Goes back through the steps of a layer. A few steps at a time, while they are in the cache, their gradients join the
    /// sums for the weights and go down to what the layer has read.
    fn run_layer_back(&mut self, weights: &Weights, layer: usize, has_above: bool, mut windows: Option<&mut [f32]>) {
        let packed = &weights.layers[layer];
        let batch = self.size();
        let size = batch * packed.width;
        self.sums.reset(packed.inputs, packed.hidden, packed.width);
        if let Some(windows) = &mut windows {
            windows.fill(0.0);
        }
        let mut end = self.schedule.steps;
        for step in (0..self.schedule.steps).rev() {
            let rows = self.schedule.rows(step);
            let own = step * size..step * size + rows * packed.width;
            let Kept { states, gates, .. } = &mut self.layers[layer];
            weights.arch.dispatch(CellGradient {
                layer: packed,
                gates: &mut gates[4 * own.start..4 * own.end],
                states: &states[own.clone()],
                from_above: has_above.then(|| &self.from_above[own.clone()]),
                carried: &mut self.carried[..rows * packed.width],
            });
            // The rows of several steps lie side by side where every window takes them.
            let is_whole = rows == batch && step > 0;
            if is_whole && (end - step) * batch < ROWS {
                continue;
            }
            let rows = step * batch..(end - 1) * batch + rows;
            end = step;
            self.sum_weights(weights, layer, rows.clone());
            if layer > 0 {
                self.hand_down(weights, layer, rows);
            } else if let Some(windows) = windows.as_deref_mut() {
                self.hand_to_windows(weights, rows, windows);
            }
        }
    }

    fn sum_weights(&mut self, weights: &Weights, layer: usize, rows: Range<usize>) {
        let width = weights.layers[layer].width;
        let size = self.size() * width;
        let (below, own) = self.layers.split_at(layer);
        let Kept { inputs, states, gates, .. } = &own[0];
        let (inputs, input_stride) = inputs_of(below, inputs, size, width, weights.shape.inputs);
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
    fn hand_down(&mut self, weights: &Weights, layer: usize, rows: Range<usize>) {
        let packed = &weights.layers[layer];
        let Kept { gates, mask, .. } = &self.layers[layer];
        let own = rows.start * packed.width..rows.end * packed.width;
        let output = &mut self.from_above[own.clone()];
        output.fill(0.0);
        weights.arch.dispatch(StateProduct {
            hidden: packed.hidden,
            width: packed.width,
            output_width: packed.width,
            weights: &packed.input_back,
            gates: &gates[4 * own.start..4 * own.end],
            slots: OF_INPUT,
            output,
        });
        if !mask.is_empty() {
            output.iter_mut().zip(&mask[own]).for_each(|(gradient, factor)| *gradient *= factor);
        }
    }

    /// Takes the gradients of the lowest layer's gates to the features.
    fn hand_to_windows(&mut self, weights: &Weights, rows: Range<usize>, windows: &mut [f32]) {
        let packed = &weights.layers[0];
        let output_width = padded(packed.inputs);
        self.of_features.resize(rows.len() * output_width);
        self.of_features.fill(0.0);
        weights.arch.dispatch(StateProduct {
            hidden: packed.hidden,
            width: packed.width,
            output_width,
            weights: &packed.input_back,
            gates: &self.layers[0].gates[4 * rows.start * packed.width..4 * rows.end * packed.width],
            slots: OF_INPUT,
            output: &mut self.of_features,
        });
        for (row, gradient) in rows.zip(self.of_features.chunks_exact(output_width)) {
            let index = self.schedule.index(row % self.schedule.samples.len(), row / self.schedule.samples.len());
            windows[index * packed.inputs..][..packed.inputs].copy_from_slice(&gradient[..packed.inputs]);
        }
    }
}
