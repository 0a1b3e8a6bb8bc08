//! Whole windows forward, keeping what the gradients need.

use crate::batch::{Batch, copy_initial};
use crate::cell::{Input, LayerStep, Rows};
use crate::lines::Lines;
use crate::recurrent::sealed::Packed;
use crate::schedule::Schedule;
use crate::weight_gradient::WeightSums;
use crate::weights::Weights;

/// What a forward pass leaves for the backward pass, in memory that is used again by the next.
#[derive(Debug, Default)]
pub struct Workspace {
    pub(crate) schedule: Schedule,
    pub(crate) layers: Vec<Kept>,
    /// Gradient of the states of one step, `[B, width]`.
    pub(crate) carried: Lines,
    /// Gradient of all states of one layer, `[T, B, width]`.
    pub(crate) from_above: Lines,
    /// Gradient of the features of some steps, `[rows, padded I]`.
    pub(crate) of_features: Lines,
    pub(crate) sums: WeightSums,
}

/// One layer's share. Rows come in the order of the schedule, steps in the order in which they are taken; what belongs to steps
/// that a row does not take is not there.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// What the layer read where that is not exactly the states below: time-major features, or states after dropout.
    pub(crate) inputs: Lines,
    /// Factors of the layer's inputs, `[T, B, width]`; empty without dropout.
    pub(crate) mask: Lines,
    /// `[T + 1, B, width]`, the initial ones first.
    pub(crate) states: Lines,
    /// `[T, B, 4, width]`.
    pub(crate) gates: Lines,
}

impl Workspace {
    /// Runs a stack over windows and keeps every state; a batch may have dropout.
    ///
    /// # Panics
    /// When the batch does not have the stack's sizes, or has cells.
    pub fn forward(&mut self, weights: &Weights, batch: &Batch<'_>) {
        batch.check(weights.shape);
        assert!(batch.initial_cells.is_none(), "only LSTM layers have cells");
        self.schedule.set(batch);
        self.layers.resize_with(weights.layers.len(), Kept::default);
        for layer in 0..weights.layers.len() {
            self.read(weights, batch, layer);
            self.run_layer(weights, layer);
        }
    }

    /// Returns the number of windows.
    pub(crate) fn size(&self) -> usize {
        self.schedule.samples.len()
    }

    /// Copies the states of a layer after some steps, 0 for the initial ones: of each window the steps that it takes, in the
    /// order in which it takes them, and all of them if it takes fewer.
    ///
    /// # Panics
    /// When `states` is not `[B, H]`.
    pub fn copy_states(&self, weights: &Weights, layer: usize, step: usize, states: &mut [f32]) {
        let (hidden, width, size) = (weights.shape.hidden, weights.layers[layer].width, self.size());
        assert_eq!(states.len(), size * hidden, "one value per sample and hidden value");
        for (row, (&sample, &count)) in self.schedule.samples.iter().zip(&self.schedule.counts).enumerate() {
            let kept = &self.layers[layer].states[(step.min(count) * size + row) * width..];
            states[sample * hidden..][..hidden].copy_from_slice(&kept[..hidden]);
        }
    }

    /// Copies the top layer's states after every step, `[B, T, H]`; zero where a window is padded.
    ///
    /// # Panics
    /// When `states` is not `[B, T, H]`.
    pub fn copy_all_states(&self, weights: &Weights, states: &mut [f32]) {
        let (hidden, top) = (weights.shape.hidden, weights.layers.len() - 1);
        let (width, size) = (weights.layers[top].width, self.size());
        assert_eq!(states.len(), size * self.schedule.steps * hidden, "all states are `[B, T, H]`");
        states.fill(0.0);
        for place in 0..self.schedule.steps {
            let kept = self.layers[top].states[(place + 1) * size * width..].chunks_exact(width);
            for (row, kept) in kept.take(self.schedule.rows(place)).enumerate() {
                states[self.schedule.index(row, place) * hidden..][..hidden].copy_from_slice(&kept[..hidden]);
            }
        }
    }

    /// Returns the top layer's states after the last step, `[B, H]`.
    pub fn last_states(&self, weights: &Weights) -> Vec<f32> {
        let mut states = vec![0.0; self.size() * weights.shape.hidden];
        self.copy_states(weights, weights.layers.len() - 1, self.schedule.steps, &mut states);
        states
    }

    /// Lays out what a layer reads, and its initial states.
    fn read(&mut self, weights: &Weights, batch: &Batch<'_>, layer: usize) {
        let (hidden, width) = (weights.shape.hidden, weights.layers[layer].width);
        let size = batch.size;
        let rows = batch.steps * size;
        let (below, kept) = self.layers.split_at_mut(layer);
        let kept = &mut kept[0];
        kept.states.resize((rows + size) * width);
        kept.gates.resize(4 * rows * width);
        kept.mask.resize(0);
        kept.inputs.resize(0);
        for (sample, state) in self.schedule.samples.iter().zip(kept.states.chunks_exact_mut(width)) {
            copy_initial(batch.initial_states, [layer, size, *sample], hidden, state);
        }
        let Some(below) = below.last() else {
            let features = weights.shape.inputs;
            kept.inputs.resize(rows * features);
            self.schedule.gather(&mut kept.inputs, features, |schedule, row, place| {
                &batch.windows[schedule.index(row, place) * features..]
            });
            return;
        };
        let Some(mask) = batch.mask(layer, hidden) else { return };
        kept.mask.resize(rows * width);
        self.schedule.gather(&mut kept.mask, width, |schedule, row, place| {
            &mask[schedule.time_major_index(row, place) * hidden..][..hidden]
        });
        kept.inputs.resize(rows * width);
        let states = below.states[size * width..].iter().zip(kept.mask.iter());
        kept.inputs.iter_mut().zip(states).for_each(|(input, (state, factor))| *input = state * factor);
    }

    fn run_layer(&mut self, weights: &Weights, layer: usize) {
        let packed = &weights.layers[layer];
        let batch = self.size();
        let size = batch * packed.width;
        let (below, own) = self.layers.split_at_mut(layer);
        let Kept { inputs, states, gates, .. } = &mut own[0];
        let (inputs, stride) = inputs_of(below, inputs, size, packed.width, packed.inputs);
        for place in 0..self.schedule.steps {
            let taken = self.schedule.rows(place) * packed.width;
            let (before, after) = states.split_at_mut((place + 1) * size);
            let step = LayerStep {
                input: Input::Values(Rows { values: &inputs[place * batch * stride..], stride }),
                states: &before[place * size..][..taken],
                next: &mut after[..taken],
                cells: &mut [],
                kept: Some(&mut gates[4 * place * size..][..4 * taken]),
                from_last: false,
            };
            weights.step_layer(layer, step, &[]);
        }
    }
}

/// Returns what a layer reads, and the length of a row of it: its own inputs, else the states below after each step.
pub(crate) fn inputs_of<'a>(
    below: &'a [Kept],
    own: &'a [f32],
    size: usize,
    width: usize,
    features: usize,
) -> (&'a [f32], usize) {
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
            let windows = numbers(7 * 4 * 5);
            let batch = Batch { starts: Some(&[0, 2, 1, 0, 3, 0, 1]), ..Batch::new(&windows, 7, 4) };
            workspace.forward(&weights, &batch);
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
