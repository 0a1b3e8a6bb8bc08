//! One step of a recurrent layer, from the products to the new states.
//!
//! GRU, gates packed reset, update, new along the rows of the weights:
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
//!
//! LSTM, gates packed input, forget, cell, output:
//!
//! ```text
//! i = sigmoid(W_ii x + b_ii + W_hi h + b_hi)      g = tanh(W_ig x + b_ig + W_hg h + b_hg)
//! f = sigmoid(W_if x + b_if + W_hf h + b_hf)      o = sigmoid(W_io x + b_io + W_ho h + b_ho)
//! c' = f * c + i * g                              h' = o * tanh(c')
//! ```

use tch::Tensor;

/// The kind of a recurrent layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell {
    /// One state, three gates.
    Gru,
    /// A state and a cell, four gates.
    Lstm,
}

impl Cell {
    /// Returns the number of gates.
    pub(crate) const fn gates(self) -> usize {
        match self {
            Self::Gru => 3,
            Self::Lstm => 4,
        }
    }

    /// Returns the number of tensors that pass from step to step.
    pub(crate) const fn states(self) -> usize {
        match self {
            Self::Gru => 1,
            Self::Lstm => 2,
        }
    }

    /// Returns the module's name in PyTorch's words.
    pub(crate) const fn module(self) -> &'static str {
        match self {
            Self::Gru => "gru",
            Self::Lstm => "lstm",
        }
    }

    /// Runs all steps in libtorch's own loop; returns the states at every step, `[T, B, H]`.
    ///
    /// With `train`, cuDNN keeps what its gradients need; nothing is dropped either way.
    pub(super) fn run(self, input: &Tensor, initial: &[Tensor], weights: &[Tensor], train: bool) -> Tensor {
        let (has_biases, layers, dropout, bidirectional, batch_first) = (true, 1, 0.0, false, false);
        let initial: Vec<Tensor> = initial.iter().map(|state| state.unsqueeze(0)).collect();
        match self {
            Self::Gru => {
                let start = &initial[0];
                input.gru(start, weights, has_biases, layers, dropout, train, bidirectional, batch_first).0
            }
            Self::Lstm => {
                input.lstm(&initial, weights, has_biases, layers, dropout, train, bidirectional, batch_first).0
            }
        }
    }

    /// Takes one step from the two products with their biases, `[B, gates * H]` each; `states` become the new ones.
    pub(super) fn step(self, from_input: &Tensor, from_state: &Tensor, states: &[Tensor]) -> Vec<Tensor> {
        let (inputs, hidden) = (from_input.chunk(self.gates() as i64, 1), from_state.chunk(self.gates() as i64, 1));
        let sum = |gate: usize| &inputs[gate] + &hidden[gate];
        match self {
            Self::Gru => {
                let (reset, update) = (sum(0).sigmoid(), sum(1).sigmoid());
                let new = (&inputs[2] + reset * &hidden[2]).tanh();
                vec![&new + update * (&states[0] - &new)]
            }
            Self::Lstm => {
                let cell = sum(1).sigmoid() * &states[1] + sum(0).sigmoid() * sum(2).tanh();
                vec![sum(3).sigmoid() * cell.tanh(), cell]
            }
        }
    }
}
