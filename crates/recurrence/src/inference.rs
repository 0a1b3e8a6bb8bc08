//! Whole windows, keeping nothing but what is asked for.

use crate::batch::{Batch, Direction, copy_initial};
use crate::cell::{Input, LayerStep, Rows};
use crate::element::Whole;
use crate::kind::Kind;
use crate::lines::{Lines, padded};
use crate::panels::Panels;
use crate::recurrent::Recurrent;
use crate::weights::StackShape;
use crate::window::{BLOCK, WindowRun};

/// Windows that run together, few enough for their states to stay in the cache.
const ROWS: usize = 64;

/// What a run writes. The last states are those after the last step that is taken, which is a window's first when it runs
/// backward.
#[derive(Debug, Default)]
pub struct Outputs<'a> {
    /// States of every layer after the last step, `[L, B, H]`.
    pub last: Option<&'a mut [f32]>,
    /// Cells likewise, of LSTM layers.
    pub last_cells: Option<&'a mut [f32]>,
    /// States of the top layer after every step, `[B, T, H]`; zero where a window is padded.
    pub all: Option<&'a mut [f32]>,
}

/// The states of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct States {
    /// States of the top layer after every step, `[B, T, H]`; zero where a window is padded.
    pub all: Vec<f32>,
    /// States of every layer after the last step, `[L, B, H]`.
    pub last: Vec<f32>,
    /// Cells likewise, of LSTM layers; else empty.
    pub last_cells: Vec<f32>,
}

/// Returns the states of every layer after the last step, `[L, B, H]`.
///
/// # Panics
/// When the batch does not have the stack's sizes, or has dropout.
pub fn last_states<W: Recurrent>(weights: &W, batch: &Batch<'_>) -> Vec<f32> {
    let StackShape { layers, hidden, .. } = weights.shape();
    let mut last = vec![0.0; layers * batch.size * hidden];
    Inference::default().run(weights, batch, Outputs { last: Some(&mut last), ..Outputs::default() });
    last
}

/// Returns the states of the top layer after every step, and of every layer after the last.
///
/// # Panics
/// When the batch does not have the stack's sizes, or has dropout.
pub fn all_states<W: Recurrent>(weights: &W, batch: &Batch<'_>) -> States {
    let StackShape { layers, hidden, .. } = weights.shape();
    let size = layers * batch.size * hidden;
    let mut states = States {
        all: vec![0.0; batch.size * batch.steps * hidden],
        last: vec![0.0; size],
        last_cells: vec![0.0; if W::Kind::HAS_CELLS { size } else { 0 }],
    };
    let last_cells = W::Kind::HAS_CELLS.then_some(states.last_cells.as_mut_slice());
    let outputs = Outputs { last: Some(&mut states.last), last_cells, all: Some(&mut states.all) };
    Inference::default().run(weights, batch, outputs);
    states
}

/// Memory for runs, used again by the next.
///
/// A window's states do not depend, by a single bit, on the windows beside it or on its padding, and equal those of a
/// [`Stream`](crate::Stream) and of a training's forward pass.
#[derive(Debug, Default)]
pub struct Inference {
    /// Of each layer, `[rows, width]`: the present states come first.
    states: Vec<[Lines; 2]>,
    cells: Vec<Lines>,
    /// Features of one step, `[rows, I]`, where windows do not run in the order in which they lie.
    features: Lines,
    /// Input's share of sums of a single window.
    sums: Lines,
    /// Cells of a single window, `[width]`.
    cells_alone: Lines,
    /// States of a single window, `[T + 1, width]`, of a layer and the one below.
    sequences: [Lines; 2],
    /// Windows, those of the most steps first.
    order: Vec<usize>,
    /// Weights in the form in which windows read them, where that is not the stored one.
    unpacked: Vec<Panels<Whole>>,
}

impl Inference {
    /// Runs a stack over a batch.
    ///
    /// # Panics
    /// When the batch or an output does not have the stack's sizes, when a batch has dropout, and when cells are given to or
    /// asked of layers that have none.
    pub fn run<W: Recurrent>(&mut self, weights: &W, batch: &Batch<'_>, mut outputs: Outputs<'_>) {
        let shape = weights.shape();
        batch.check(shape);
        assert!(batch.masks.is_none(), "dropout belongs to a training");
        outputs.check::<W>(batch, shape);
        // All else is overwritten.
        if let Some(all) = outputs.all.as_mut().filter(|_| batch.starts.is_some()) {
            all.fill(0.0);
        }
        weights.unpack(&mut self.unpacked);
        let mut order = std::mem::take(&mut self.order);
        batch.order_by_start(&mut order);
        for samples in order.chunks(ROWS) {
            match samples {
                [sample] => self.run_one(weights, batch, *sample, &mut outputs),
                _ => self.run_together(weights, batch, samples, &mut outputs),
            }
        }
        self.order = order;
    }

    /// Runs one window layer by layer.
    fn run_one<W: Recurrent>(&mut self, weights: &W, batch: &Batch<'_>, sample: usize, outputs: &mut Outputs<'_>) {
        let shape = weights.shape();
        let (hidden, width, features) = (shape.hidden, padded(shape.hidden), shape.inputs);
        let start = batch.start(sample);
        let steps = batch.steps - start;
        self.sums.resize(BLOCK.min(steps) * W::Kind::GATES * width);
        let cells = &mut self.cells_alone;
        cells.resize(if W::Kind::HAS_CELLS { width } else { 0 });
        let [states, below] = &mut self.sequences;
        for sequence in [&mut *states, &mut *below] {
            sequence.resize((steps + 1) * width);
        }
        for layer in 0..shape.layers {
            copy_initial(batch.initial_states, [layer, batch.size, sample], hidden, &mut states[..width]);
            copy_initial(batch.initial_cells, [layer, batch.size, sample], hidden.min(cells.len()), cells);
            // A layer above the lowest reads states in the order in which they came.
            let (input, direction) = if layer == 0 {
                let values = &batch.windows[(sample * batch.steps + start) * features..][..steps * features];
                (Rows { values, stride: features }, batch.direction)
            } else {
                (Rows { values: &below[width..], stride: width }, Direction::Forward)
            };
            let run = WindowRun { input, direction, sums: &mut self.sums, states, cells };
            weights.run_window(layer, run, &self.unpacked);
            outputs.write_last([layer, batch.size, sample], hidden, &states[steps * width..], cells);
            std::mem::swap(states, below);
        }
        for (place, state) in below.chunks_exact(width).skip(1).enumerate() {
            let step = batch.step(sample, place);
            outputs.write(sample * batch.steps + step, hidden, state);
        }
    }

    /// Runs some windows step by step through all layers; they come in the order of their starts, and those that have taken all
    /// of their steps are left out.
    fn run_together<W: Recurrent>(
        &mut self,
        weights: &W,
        batch: &Batch<'_>,
        samples: &[usize],
        outputs: &mut Outputs<'_>,
    ) {
        let shape = weights.shape();
        self.begin::<W>(shape, batch, samples);
        let (hidden, width) = (shape.hidden, padded(shape.hidden));
        let mut ended = samples.len();
        for place in 0..batch.count(samples[0]) {
            let rows = ended;
            self.step(weights, batch, &samples[..rows], place);
            let [top, _] = &self.states[shape.layers - 1];
            for (&sample, state) in samples[..rows].iter().zip(top.chunks_exact(width)) {
                outputs.write(sample * batch.steps + batch.step(sample, place), hidden, state);
            }
            ended = samples.partition_point(|&sample| batch.count(sample) > place + 1);
            for (row, &sample) in samples.iter().enumerate().take(rows).skip(ended) {
                let own = row * width..(row + 1) * width;
                for (layer, [state, _]) in self.states.iter().enumerate() {
                    let cells = self.cells.get(layer).map_or(&[][..], |cells| &cells[own.clone()]);
                    outputs.write_last([layer, batch.size, sample], hidden, &state[own.clone()], cells);
                }
            }
        }
    }

    /// Lays out initial states and cells.
    fn begin<W: Recurrent>(&mut self, shape: StackShape, batch: &Batch<'_>, samples: &[usize]) {
        let (hidden, width) = (shape.hidden, padded(shape.hidden));
        self.states.resize_with(shape.layers, Default::default);
        self.cells.resize_with(if W::Kind::HAS_CELLS { shape.layers } else { 0 }, Default::default);
        for (layer, [now, next]) in self.states.iter_mut().enumerate() {
            next.resize(samples.len() * width);
            now.resize(samples.len() * width);
            for (sample, row) in samples.iter().zip(now.chunks_exact_mut(width)) {
                copy_initial(batch.initial_states, [layer, batch.size, *sample], hidden, row);
            }
        }
        for (layer, memory) in self.cells.iter_mut().enumerate() {
            memory.resize(samples.len() * width);
            for (sample, row) in samples.iter().zip(memory.chunks_exact_mut(width)) {
                copy_initial(batch.initial_cells, [layer, batch.size, *sample], hidden, row);
            }
        }
    }

    /// Takes some windows, which have taken `place` steps, through another of all layers.
    fn step<W: Recurrent>(&mut self, weights: &W, batch: &Batch<'_>, samples: &[usize], place: usize) {
        let StackShape { inputs: features, hidden, .. } = weights.shape();
        let width = padded(hidden);
        let of_sample = |sample: usize| {
            let step = batch.step(sample, place);
            &batch.windows[(sample * batch.steps + step) * features..]
        };
        if batch.starts.is_some() {
            self.features.resize(samples.len() * features);
            for (sample, row) in samples.iter().zip(self.features.chunks_exact_mut(features)) {
                row.copy_from_slice(&of_sample(*sample)[..features]);
            }
        }
        for layer in 0..weights.shape().layers {
            let len = samples.len() * width;
            let (below, own) = self.states.split_at_mut(layer);
            let input = match below.last() {
                Some([now, _]) => Rows { values: now, stride: width },
                None if batch.starts.is_some() => Rows { values: &self.features, stride: features },
                None => Rows { values: of_sample(samples[0]), stride: batch.steps * features },
            };
            let [now, next] = &mut own[0];
            let cells = self.cells.get_mut(layer).map_or(&mut [][..], |cells| &mut cells[..len]);
            let step = LayerStep {
                input: Input::Values(input),
                states: &now[..len],
                next: &mut next[..len],
                cells,
                kept: None,
                from_last: false,
            };
            weights.step_layer(layer, step, &self.unpacked);
            std::mem::swap(now, next);
        }
    }
}

impl Outputs<'_> {
    fn check<W: Recurrent>(&self, batch: &Batch<'_>, shape: StackShape) {
        let states = batch.size * shape.hidden;
        let wants_cells = batch.initial_cells.is_some() || self.last_cells.is_some();
        assert!(W::Kind::HAS_CELLS || !wants_cells, "only LSTM layers have cells");
        for last in self.last.iter().chain(&self.last_cells) {
            assert_eq!(last.len(), shape.layers * states, "last states and cells are `[L, B, H]`");
        }
        if let Some(all) = &self.all {
            assert_eq!(all.len(), batch.steps * states, "all states are `[B, T, H]`");
        }
    }

    /// Writes a state of the top layer.
    fn write(&mut self, place: usize, hidden: usize, state: &[f32]) {
        if let Some(all) = &mut self.all {
            all[place * hidden..][..hidden].copy_from_slice(&state[..hidden]);
        }
    }

    fn write_last(&mut self, [layer, size, sample]: [usize; 3], hidden: usize, state: &[f32], cells: &[f32]) {
        let place = (layer * size + sample) * hidden;
        if let Some(last) = &mut self.last {
            last[place..][..hidden].copy_from_slice(&state[..hidden]);
        }
        if let Some(last) = &mut self.last_cells {
            last[place..][..hidden].copy_from_slice(&cells[..hidden]);
        }
    }
}

#[cfg(test)]
mod tests {
    use pulp::Arch;

    use super::*;
    use crate::{LstmWeights, QuantizedWeights, Stream, Weights};

    const SHAPE: StackShape = StackShape { inputs: 5, hidden: 37, layers: 2 };

    fn numbers(len: usize) -> Vec<f32> {
        (0..len).map(|i| ((i + 1) as f32 * 12.9898).sin() * 0.3).collect()
    }

    /// Returns the bits of a batch with padding, of a single window and of a stream.
    fn run<W: Recurrent>(weights: &W) -> Vec<f32> {
        let windows = numbers(11 * 9 * 5);
        let starts: Vec<usize> = (0..11).map(|sample| sample * 3 % 7).collect();
        let mut found = all_states(weights, &Batch { starts: Some(&starts), ..Batch::new(&windows, 11, 9) }).all;
        found.extend(all_states(weights, &Batch::new(&windows[..9 * 5], 1, 9)).all);
        let mut stream = Stream::new(weights);
        found.extend_from_slice(stream.step(weights, &windows[..5]));
        found.extend_from_slice(stream.step(weights, &windows[5..10]));
        found
    }

    fn check<W: Recurrent>(mut weights: W, arch: fn(&mut W) -> &mut Arch) {
        *arch(&mut weights) = Arch::Scalar;
        let expected = run(&weights);
        *arch(&mut weights) = Arch::new();
        assert_eq!(run(&weights), expected);
        #[cfg(target_arch = "x86_64")]
        if let Some(eight_wide) = pulp::x86::V3::try_new() {
            *arch(&mut weights) = Arch::V3(eight_wide);
            assert_eq!(run(&weights), expected);
        }
    }

    #[test]
    fn every_vector_width_gives_the_same_bits() {
        let gru = numbers(SHAPE.weight_count());
        check(Weights::new(SHAPE, &gru), |weights| &mut weights.arch);
        check(QuantizedWeights::from_f32(SHAPE, &gru), |weights| &mut weights.arch);
        check(LstmWeights::new(SHAPE, &numbers(SHAPE.lstm_weight_count())), |weights| &mut weights.arch);
    }
}
