//! One step after another, as bars arrive.

use pulp::{Simd, WithSimd};

use crate::cell::{Input, LayerStep, Rows};
use crate::kind::Kind;
use crate::lines::{Lines, padded};
use crate::recurrent::Recurrent;
use crate::recurrent::sealed::Packed;
use crate::weights::StackShape;

/// The states of a stack that is stepped through one series. A step allocates nothing, and its states equal those of a window
/// that ends there, bit for bit.
#[derive(Debug, Clone)]
pub struct Stream {
    shape: StackShape,
    has_cells: bool,
    width: usize,
    /// `[L, 2, width]`: which of the two holds the present states changes with every step.
    states: Lines,
    /// `[L, width]`; empty without cells.
    cells: Lines,
    /// 0 or 1.
    now: usize,
}

impl Stream {
    /// Starts from zero.
    pub fn new<W: Recurrent>(weights: &W) -> Self {
        let shape = weights.shape();
        let width = padded(shape.hidden);
        let has_cells = W::Kind::HAS_CELLS;
        let cells = if has_cells { shape.layers * width } else { 0 };
        let states = Lines::zeros(2 * shape.layers * width);
        Self { shape, has_cells, width, states, cells: Lines::zeros(cells), now: 0 }
    }

    /// Takes one step of all layers; returns the top layer's state after it, `[H]`.
    ///
    /// # Panics
    /// When the weights are of another shape or kind than those that the stream was made for, or `features` is not `[I]`.
    pub fn step<W: Recurrent>(&mut self, weights: &W, features: &[f32]) -> &[f32] {
        let same = self.shape == weights.shape() && self.has_cells == W::Kind::HAS_CELLS;
        assert!(same, "a stream keeps to weights of one shape and kind");
        assert_eq!(features.len(), self.shape.inputs, "one value per feature");
        weights.step_stream(StreamStep { stream: self, features });
        self.now = 1 - self.now;
        self.state(self.shape.layers - 1)
    }

    /// Starts from zero again.
    pub fn reset(&mut self) {
        self.states.fill(0.0);
        self.cells.fill(0.0);
    }

    /// Returns a layer's present state, `[H]`.
    pub fn state(&self, layer: usize) -> &[f32] {
        &self.states[(2 * layer + self.now) * self.width..][..self.shape.hidden]
    }

    /// Replaces a layer's state, `[H]`.
    ///
    /// # Panics
    /// When the state is not `[H]`.
    pub fn set_state(&mut self, layer: usize, state: &[f32]) {
        self.states[(2 * layer + self.now) * self.width..][..self.shape.hidden].copy_from_slice(state);
    }

    /// Returns a layer's present cells, `[H]`, in a stack of LSTM layers.
    pub fn cells(&self, layer: usize) -> Option<&[f32]> {
        self.has_cells.then(|| &self.cells[layer * self.width..][..self.shape.hidden])
    }

    /// Replaces a layer's cells, `[H]`.
    ///
    /// # Panics
    /// When the stack has none or they are not `[H]`.
    pub fn set_cells(&mut self, layer: usize, cells: &[f32]) {
        assert!(self.has_cells, "only LSTM layers have cells");
        self.cells[layer * self.width..][..self.shape.hidden].copy_from_slice(cells);
    }
}

/// The arguments of one step of a stack, but for its weights.
pub struct StreamStep<'a> {
    stream: &'a mut Stream,
    features: &'a [f32],
}

/// One step of a whole stack.
pub(crate) struct StackStep<'a, W> {
    pub(crate) weights: &'a W,
    pub(crate) step: StreamStep<'a>,
}

impl<W: Packed> WithSimd for StackStep<'_, W> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Stream { shape, width, states, cells, now, .. } = self.step.stream;
        let width = *width;
        for layer in 0..shape.layers {
            let (below, own) = states.split_at_mut(2 * layer * width);
            let (first, second) = own[..2 * width].split_at_mut(width);
            let (states, next) = if *now == 0 { (first, second) } else { (second, first) };
            // The layer below has taken its step.
            let input = match layer {
                0 => self.step.features,
                _ => &below[(2 * (layer - 1) + 1 - *now) * width..][..width],
            };
            let step = LayerStep {
                input: Input::Values(Rows { values: input, stride: width }),
                states,
                next,
                cells: if W::Kind::HAS_CELLS { &mut cells[layer * width..][..width] } else { &mut [] },
                kept: None,
                from_last: false,
            };
            step.with::<W::Kind, W::Element, 1>(self.weights.panels(layer)).with_simd(simd);
        }
    }
}
