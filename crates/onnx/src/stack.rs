//! A stack of recurrent layers as plain values: sizes, and weights in PyTorch's order.

use crate::OnnxError;
use crate::error::{equal, finite, positive};

/// The cell that a recurrent layer repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellKind {
    /// Gated recurrent unit: reset, update, new along the rows of its weights.
    Gru,
    /// Long short-term memory: input, forget, cell, output along the rows of its weights.
    Lstm,
}

impl CellKind {
    /// Returns the number of gates, `G`: 3 or 4.
    pub const fn gates(self) -> usize {
        match self {
            Self::Gru => 3,
            Self::Lstm => 4,
        }
    }

    /// Returns the name of the layer, `GRU` or `LSTM`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gru => "GRU",
            Self::Lstm => "LSTM",
        }
    }
}

/// The sizes of a stack of recurrent layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StackSizes {
    /// What the layers repeat.
    pub kind: CellKind,
    /// Features per step, `I`, at least 1.
    pub inputs: usize,
    /// Hidden values per layer and direction, `H`, at least 1.
    pub hidden: usize,
    /// Stacked layers, `L`, at least 1.
    pub layers: usize,
    /// Whether every layer also runs from the last step to the first, and joins both.
    pub bidirectional: bool,
}

impl StackSizes {
    /// Returns the number of directions, `D`: 1 or 2.
    pub const fn directions(&self) -> usize {
        if self.bidirectional { 2 } else { 1 }
    }

    /// Returns the values of a step of the stack's output, `D H`.
    pub const fn outputs(&self) -> usize {
        self.directions() * self.hidden
    }

    /// Returns how many values a layer reads at each step.
    pub const fn layer_inputs(&self, layer: usize) -> usize {
        if layer == 0 { self.inputs } else { self.outputs() }
    }

    /// Returns the number of weights: `G H (I + H + 2)` per layer and direction.
    ///
    /// An LSTM has 4 gates where a GRU has 3, so at equal sizes a GRU has exactly a quarter fewer.
    pub fn parameter_count(&self) -> usize {
        let rows = self.kind.gates() * self.hidden;
        let layer = |layer| self.directions() * rows * (self.layer_inputs(layer) + self.hidden + 2);
        (0..self.layers).map(layer).sum()
    }
}

/// The weights of one layer in one direction, row-major, gates along the rows as in PyTorch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LayerWeights {
    /// What multiplies the layer's input, `[G H, I]`.
    pub weight_ih: Vec<f32>,
    /// What multiplies the state, `[G H, H]`.
    pub weight_hh: Vec<f32>,
    /// Biases beside the input, `[G H]`.
    pub bias_ih: Vec<f32>,
    /// Biases beside the state, `[G H]`.
    pub bias_hh: Vec<f32>,
}

/// A stack of recurrent layers whose weights fit its sizes.
#[derive(Debug, Clone, PartialEq)]
pub struct RecurrentStack {
    sizes: StackSizes,
    weights: Vec<LayerWeights>,
}

impl RecurrentStack {
    /// Takes the weights of each layer from the lowest up, the forward direction before the reverse one.
    ///
    /// # Errors
    /// [`OnnxError::Size`] when a size is 0 or weights do not have the sizes stated, [`OnnxError::Number`] for a weight that
    /// is not finite.
    pub fn new(sizes: StackSizes, weights: Vec<LayerWeights>) -> Result<Self, OnnxError> {
        for (what, size) in [("inputs", sizes.inputs), ("hidden", sizes.hidden), ("layers", sizes.layers)] {
            positive(format!("{what} of a recurrent stack"), size)?;
        }
        equal("weights of layers and directions", sizes.layers * sizes.directions(), weights.len())?;
        let rows = sizes.kind.gates() * sizes.hidden;
        for (place, own) in weights.iter().enumerate() {
            let layer = place / sizes.directions();
            let parts = [
                ("weight_ih", &own.weight_ih, rows * sizes.layer_inputs(layer)),
                ("weight_hh", &own.weight_hh, rows * sizes.hidden),
                ("bias_ih", &own.bias_ih, rows),
                ("bias_hh", &own.bias_hh, rows),
            ];
            for (name, values, len) in parts {
                let what = format!("{name} of layer {layer}");
                equal(format!("values of {what}"), len, values.len())?;
                finite(&what, values)?;
            }
        }
        Ok(Self { sizes, weights })
    }

    /// Returns the sizes.
    pub const fn sizes(&self) -> StackSizes {
        self.sizes
    }

    /// Returns the weights of one layer in one direction, 0 forward and 1 reverse.
    ///
    /// # Panics
    /// When the stack has no such layer or direction.
    pub fn layer(&self, layer: usize, direction: usize) -> &LayerWeights {
        assert!(direction < self.sizes.directions(), "a direction of the stack");
        &self.weights[layer * self.sizes.directions() + direction]
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns a stack whose weights are small and all different.
    pub(crate) fn stack(kind: CellKind, bidirectional: bool) -> RecurrentStack {
        let sizes = StackSizes { kind, inputs: 3, hidden: 4, layers: 2, bidirectional };
        let rows = kind.gates() * 4;
        let values = |len: usize, shift: usize| {
            (0..len).map(|place| ((place * 37 + shift * 11) % 23) as f32 / 23.0 - 0.5).collect()
        };
        let layer = |place: usize| LayerWeights {
            weight_ih: values(rows * sizes.layer_inputs(place / sizes.directions()), place),
            weight_hh: values(rows * 4, place + 1),
            bias_ih: values(rows, place + 2),
            bias_hh: values(rows, place + 3),
        };
        let weights = (0..2 * sizes.directions()).map(layer).collect();
        RecurrentStack::new(sizes, weights).expect("the sizes agree")
    }

    #[test]
    fn a_gru_has_a_quarter_fewer_weights_than_an_lstm() {
        let sizes = |kind| StackSizes { kind, inputs: 10, hidden: 64, layers: 2, bidirectional: false };
        let [gru, lstm] = [CellKind::Gru, CellKind::Lstm].map(|kind| sizes(kind).parameter_count());
        // PyTorch: sum(p.numel() for p in torch.nn.GRU(10, 64, 2).parameters()) = 39552, LSTM 52736.
        assert_eq!((gru, lstm), (39_552, 52_736));
        assert_eq!(4 * gru, 3 * lstm);
    }

    #[test]
    fn both_directions_count() {
        let sizes = StackSizes { kind: CellKind::Gru, inputs: 5, hidden: 8, layers: 2, bidirectional: true };
        // PyTorch: torch.nn.GRU(5, 8, 2, bidirectional=True) has 1,968 parameters: 2*24*(5+8+2) + 2*24*(16+8+2).
        assert_eq!(sizes.parameter_count(), 1968);
    }

    #[test]
    fn weights_of_another_size_are_refused_by_name_and_layer() {
        let whole = stack(CellKind::Gru, false);
        let mut weights = whole.weights.clone();
        weights[1].weight_ih.pop();
        let message = RecurrentStack::new(whole.sizes(), weights).expect_err("one value is missing").to_string();
        assert_eq!(message, "values of weight_ih of layer 1 must be `48`, was `47`");
        let message =
            RecurrentStack::new(whole.sizes(), whole.weights[..1].to_vec()).expect_err("one layer").to_string();
        assert_eq!(message, "weights of layers and directions must be `2`, was `1`");
        let sizes = StackSizes { hidden: 0, ..whole.sizes() };
        let message = RecurrentStack::new(sizes, vec![]).expect_err("no state").to_string();
        assert_eq!(message, "hidden of a recurrent stack must be at least 1, was `0`");
    }

    #[test]
    fn a_weight_that_is_not_a_number_is_refused_by_its_place() {
        let whole = stack(CellKind::Lstm, true);
        let mut weights = whole.weights.clone();
        weights[3].bias_hh[5] = f32::NAN;
        let message = RecurrentStack::new(whole.sizes(), weights).expect_err("not a number").to_string();
        assert_eq!(message, "value `5` of bias_hh of layer 1 must be finite, was `NaN`");
    }
}
