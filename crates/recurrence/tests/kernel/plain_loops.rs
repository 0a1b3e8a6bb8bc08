//! GRU and LSTM stacks as plain double-precision loops, one window at a time.

use tidegate_recurrence::{Batch, Direction, StackShape};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Gru,
    Lstm,
}

/// The states of one window.
pub(crate) struct Found {
    /// `[T][H]`, empty where the window is padded.
    pub(crate) all: Vec<Vec<f64>>,
    /// `[L][H]`.
    pub(crate) last: Vec<Vec<f64>>,
    /// `[L][H]`.
    pub(crate) last_cells: Vec<Vec<f64>>,
}

/// Fixed numbers in `[-scale, scale]`.
pub(crate) fn numbers(len: usize, seed: usize, scale: f32) -> Vec<f32> {
    (0..len).map(|i| ((i * 7 + seed * 131 + 1) as f32 * 12.9898).sin() * scale).collect()
}

pub(crate) fn doubles(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

/// Runs one window of a batch.
pub(crate) fn run(kind: Kind, shape: StackShape, weights: &[f64], batch: &Batch<'_>, sample: usize) -> Found {
    let StackShape { inputs, hidden, layers } = shape;
    let start = batch.starts.map_or(0, |starts| starts[sample]);
    let mut order: Vec<usize> = (start..batch.steps).collect();
    if batch.direction == Direction::Backward {
        order.reverse();
    }
    let window = &batch.windows[sample * batch.steps * inputs..][..batch.steps * inputs];
    let mut input: Vec<Vec<f64>> = window.chunks(inputs).map(doubles).collect();
    let (mut rest, mut found) =
        (weights, Found { all: vec![Vec::new(); batch.steps], last: Vec::new(), last_cells: Vec::new() });
    let rows = hidden * if kind == Kind::Gru { 3 } else { 4 };
    for layer in 0..layers {
        let mut take = |len: usize| {
            let (own, others) = rest.split_at(len);
            rest = others;
            own
        };
        let width = input[0].len();
        let (w_ih, w_hh) = (take(rows * width), take(rows * hidden));
        let (b_ih, b_hh) = (take(rows), take(rows));
        let initial = |values: Option<&[f32]>| {
            values.map_or(vec![0.0; hidden], |values| {
                doubles(&values[(layer * batch.size + sample) * hidden..][..hidden])
            })
        };
        let (mut state, mut cells) = (initial(batch.initial_states), initial(batch.initial_cells));
        for &step in &order {
            let (x, h) = (affine(w_ih, b_ih, &input[step]), affine(w_hh, b_hh, &state));
            for unit in 0..hidden {
                let sum = |gate: usize| x[gate * hidden + unit] + h[gate * hidden + unit];
                if kind == Kind::Gru {
                    let (reset, update) = (sigmoid(sum(0)), sigmoid(sum(1)));
                    let new = (x[2 * hidden + unit] + reset * h[2 * hidden + unit]).tanh();
                    state[unit] = (1.0 - update) * new + update * state[unit];
                } else {
                    cells[unit] = sigmoid(sum(1)) * cells[unit] + sigmoid(sum(0)) * sum(2).tanh();
                    state[unit] = sigmoid(sum(3)) * cells[unit].tanh();
                }
            }
            input[step].clone_from(&state);
        }
        // Nothing reads the padding: what lies there has another length.
        input[..start].iter_mut().for_each(|padding| *padding = vec![f64::NAN; hidden]);
        found.last.push(state);
        found.last_cells.push(cells);
    }
    for step in order {
        found.all[step].clone_from(&input[step]);
    }
    found
}

fn sigmoid(value: f64) -> f64 {
    1.0 / (1.0 + (-value).exp())
}

/// `W x + b`, row by row.
fn affine(weights: &[f64], biases: &[f64], input: &[f64]) -> Vec<f64> {
    let dot = |row: &[f64]| row.iter().zip(input).map(|(weight, value)| weight * value).sum::<f64>();
    weights.chunks(input.len()).zip(biases).map(|(row, bias)| dot(row) + bias).collect()
}
