//! Whole windows forward, keeping nothing but the present states.

use crate::batch::Batch;
use crate::cell::{CellStep, Rows};
use crate::lines::Lines;
use crate::weights::Weights;

/// Windows that run together, few enough for their states to stay in the cache.
const ROWS: usize = 64;

/// Returns the states of every layer after the last step, `[L, B, H]`.
///
/// A window's states do not depend, by a single bit, on the windows beside it, and equal those of a forward pass that keeps
/// its states.
///
/// # Panics
/// When the batch does not have the stack's sizes, or has dropout.
pub fn last_states(weights: &Weights, batch: &Batch<'_>) -> Vec<f32> {
    batch.check(weights.shape);
    assert!(batch.masks.is_none(), "dropout belongs to a training");
    let hidden = weights.shape.hidden;
    let mut last = vec![0.0; weights.layers.len() * batch.size * hidden];
    let size = ROWS.min(batch.size) * weights.layers[0].width;
    let mut states: Vec<[Lines; 2]> = weights.layers.iter().map(|_| [Lines::zeros(size), Lines::zeros(size)]).collect();
    for first in (0..batch.size).step_by(ROWS) {
        let rows = ROWS.min(batch.size - first);
        run(weights, batch, first..first + rows, &mut states);
        for (layer, states) in states.iter().enumerate() {
            let last = &mut last[(layer * batch.size + first) * hidden..][..rows * hidden];
            for (last, state) in last.chunks_exact_mut(hidden).zip(states[0].chunks_exact(weights.layers[layer].width))
            {
                last.copy_from_slice(&state[..hidden]);
            }
        }
    }
    last
}

/// Runs some windows through all steps; the present states of each layer are the first of its two buffers.
fn run(weights: &Weights, batch: &Batch<'_>, samples: std::ops::Range<usize>, states: &mut [[Lines; 2]]) {
    let (rows, features) = (samples.len(), weights.shape.inputs);
    for (layer, [now, _]) in states.iter_mut().enumerate() {
        let width = weights.layers[layer].width;
        for (row, state) in now.chunks_exact_mut(width).take(rows).enumerate() {
            batch.copy_initial(layer, weights.shape.hidden, samples.start + row, state);
        }
    }
    for step in 0..batch.steps {
        for (layer, packed) in weights.layers.iter().enumerate() {
            let (below, own) = states.split_at_mut(layer);
            let input = match below.last() {
                None => Rows {
                    values: &batch.windows[(samples.start * batch.steps + step) * features..],
                    stride: batch.steps * features,
                },
                Some([now, _]) => Rows { values: now, stride: packed.width },
            };
            let [now, next] = &mut own[0];
            let len = rows * packed.width;
            let (states, next_states) = (&now[..len], &mut next[..len]);
            weights.arch.dispatch(CellStep { layer: packed, input, states, next: next_states, kept: None });
            std::mem::swap(now, next);
        }
    }
}
