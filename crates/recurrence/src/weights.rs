//! The weights of a stack, laid out for the kernels.

use std::marker::PhantomData;
use std::ops::Range;

use pulp::Arch;

use crate::cell::LayerStep;
use crate::element::{Element, Single, Whole};
use crate::kind::{Gru, Kind, Lstm};
use crate::lines::{LINE, Lines, padded};
use crate::panels::{Panels, Place};
use crate::recurrent::{Recurrent, sealed};
use crate::stream::{StackStep, StreamStep};
use crate::window::{WindowLayer, WindowRun};

/// The sizes of a stack of GRU or LSTM layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StackShape {
    /// Features per step, `I`, at least 1.
    pub inputs: usize,
    /// Hidden values per layer, `H`, at least 1.
    pub hidden: usize,
    /// Stacked layers, `L`, at least 1.
    pub layers: usize,
}

impl StackShape {
    /// Returns the number of a GRU's weights: `3H (I + H + 2)` of the first layer, `3H (2H + 2)` of each other.
    pub fn weight_count(&self) -> usize {
        self.places(self.layers - 1, Gru::GATES).biases_hh.end
    }

    /// Returns the number of an LSTM's weights: `4H (I + H + 2)` of the first layer, `4H (2H + 2)` of each other.
    pub fn lstm_weight_count(&self) -> usize {
        self.places(self.layers - 1, Lstm::GATES).biases_hh.end
    }

    pub(crate) fn check(&self) {
        assert!(self.inputs > 0 && self.hidden > 0 && self.layers > 0, "a stack has no size of 0");
    }

    /// Returns how many values a layer reads at each step.
    pub(crate) const fn layer_inputs(&self, layer: usize) -> usize {
        if layer == 0 { self.inputs } else { self.hidden }
    }

    /// Returns where a layer's weights lie among the stack's.
    pub(crate) fn places(&self, layer: usize, gates: usize) -> Places {
        let rows = gates * self.hidden;
        let size = |layer: usize| rows * (self.layer_inputs(layer) + self.hidden + 2);
        let start = (0..layer).map(size).sum::<usize>();
        let weights_hh = start + rows * self.layer_inputs(layer);
        let biases_ih = weights_hh + rows * self.hidden;
        Places {
            weights_ih: start..weights_hh,
            weights_hh: weights_hh..biases_ih,
            biases_ih: biases_ih..biases_ih + rows,
            biases_hh: biases_ih + rows..biases_ih + 2 * rows,
        }
    }
}

/// Where the four weights of a layer of `G` gates lie.
pub(crate) struct Places {
    /// `[G H, I]`.
    pub(crate) weights_ih: Range<usize>,
    /// `[G H, H]`.
    pub(crate) weights_hh: Range<usize>,
    /// `[G H]`.
    pub(crate) biases_ih: Range<usize>,
    /// `[G H]`.
    pub(crate) biases_hh: Range<usize>,
}

/// The weights of a stack of GRU layers, ready for the kernels.
#[derive(Debug, Clone)]
pub struct Weights {
    pub(crate) shape: StackShape,
    pub(crate) layers: Vec<PackedLayer>,
    pub(crate) arch: Arch,
}

/// One layer, for both directions of a training.
#[derive(Debug, Clone)]
pub(crate) struct PackedLayer {
    pub(crate) inputs: usize,
    pub(crate) hidden: usize,
    /// A row's length, `H` with its padding.
    pub(crate) width: usize,
    pub(crate) forward: Panels<Single>,
    /// Recurrent weights, `[panel][gate][k][LINE]`, for gradients that flow to the state. Padding is zero.
    pub(crate) state_back: Lines,
    /// Input weights likewise, for gradients that flow to what the layer reads.
    pub(crate) input_back: Lines,
}

impl Weights {
    /// Lays out weights in libtorch's order: for each layer `weight_ih [3H, I]`, `weight_hh [3H, H]`, `bias_ih [3H]`,
    /// `bias_hh [3H]`, row-major, with the gates packed reset, update, new.
    ///
    /// # Panics
    /// When a size is 0 or the number of weights is not [`StackShape::weight_count`].
    pub fn new(shape: StackShape, values: &[f32]) -> Self {
        shape.check();
        let layers = (0..shape.layers).map(|layer| PackedLayer::new(&shape, layer)).collect();
        let mut weights = Self { shape, layers, arch: Arch::new() };
        weights.assign(values);
        weights
    }

    /// Replaces all weights.
    ///
    /// # Panics
    /// When the number of weights is not [`StackShape::weight_count`].
    pub fn assign(&mut self, values: &[f32]) {
        assert_eq!(values.len(), self.shape.weight_count(), "one value per weight");
        for (layer, packed) in self.layers.iter_mut().enumerate() {
            packed.assign(&self.shape.places(layer, Gru::GATES), values);
        }
    }

    /// Returns the sizes.
    pub const fn shape(&self) -> StackShape {
        self.shape
    }
}

impl Recurrent for Weights {
    fn shape(&self) -> StackShape {
        self.shape
    }
}

impl sealed::Packed for Weights {
    type Kind = Gru;
    type Element = Single;

    fn panels(&self, layer: usize) -> &Panels<Single> {
        &self.layers[layer].forward
    }

    fn step_layer(&self, layer: usize, step: LayerStep<'_>, _: &[Panels<Whole>]) {
        step.dispatch::<Gru, _>(self.arch, self.panels(layer));
    }

    fn run_window(&self, layer: usize, run: WindowRun<'_>, _: &[Panels<Whole>]) {
        self.arch.dispatch(WindowLayer { panels: self.panels(layer), run, kind: PhantomData::<Gru> });
    }

    fn step_stream(&self, step: StreamStep<'_>) {
        self.arch.dispatch(StackStep { weights: self, step });
    }
}

impl PackedLayer {
    fn new(shape: &StackShape, layer: usize) -> Self {
        let (inputs, hidden) = (shape.layer_inputs(layer), shape.hidden);
        let width = padded(hidden);
        Self {
            inputs,
            hidden,
            width,
            forward: Panels::zeros(inputs, hidden, Gru::GATES),
            state_back: Lines::zeros(3 * hidden * width),
            input_back: Lines::zeros(Gru::GATES * hidden * padded(inputs)),
        }
    }

    fn assign(&mut self, places: &Places, values: &[f32]) {
        let (hidden, weights_hh) = (self.hidden, &values[places.weights_hh.clone()]);
        pack_single(&mut self.forward, Gru::GATES, places, values);
        pack_biases::<Gru, Single>(&mut self.forward, places, values);
        pack_back(&mut self.state_back, weights_hh, hidden, hidden);
        pack_back(&mut self.input_back, &values[places.weights_ih.clone()], hidden, self.inputs);
    }
}

/// Lays `[3H, columns]` out as `[panel][3H][LINE]`.
fn pack_back(packed: &mut [f32], weights: &[f32], hidden: usize, columns: usize) {
    for (panel, packed) in packed.chunks_exact_mut(Gru::GATES * hidden * LINE).enumerate() {
        let (start, end) = (panel * LINE, columns.min((panel + 1) * LINE));
        for (packed, weights) in packed.chunks_exact_mut(LINE).zip(weights.chunks_exact(columns)) {
            packed[..end - start].copy_from_slice(&weights[start..end]);
        }
    }
}

/// Lays out the weights of a layer of `gates` gates.
pub(crate) fn pack_single(panels: &mut Panels<Single>, gates: usize, places: &Places, values: &[f32]) {
    let (inputs, hidden) = (panels.inputs, panels.hidden);
    let matrices = [(false, &places.weights_ih, inputs), (true, &places.weights_hh, hidden)];
    for (of_state, matrix, columns) in matrices {
        for (row, weights) in values[matrix.clone()].chunks_exact(columns).take(gates * hidden).enumerate() {
            for (word, weight) in weights.iter().enumerate() {
                panels.set_word(Place { of_state, gate: row / hidden, unit: row % hidden, word }, *weight);
            }
        }
    }
}

/// Lays out the biases of a layer: those of the input and of the state together where both join one sum.
pub(crate) fn pack_biases<K: Kind, E: Element>(panels: &mut Panels<E>, places: &Places, values: &[f32]) {
    let hidden = panels.hidden;
    let (biases_ih, biases_hh) = (&values[places.biases_ih.clone()], &values[places.biases_hh.clone()]);
    for unit in 0..hidden {
        for gate in 0..K::GATES {
            let (of_input, of_state) = (biases_ih[gate * hidden + unit], biases_hh[gate * hidden + unit]);
            let slot = K::STATE_SLOTS[gate];
            if slot == gate {
                panels.set_bias(unit, gate, of_input + of_state);
            } else {
                panels.set_bias(unit, gate, of_input);
                panels.set_bias(unit, slot, of_state);
            }
        }
    }
}
