//! The weights of a stack, laid out for the kernels.

use std::ops::Range;

use pulp::Arch;

use crate::lines::{LINE, Lines, padded};

/// The sizes of a stack of GRU layers.
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
    /// Returns the number of weights: `3H (I + H + 2)` of the first layer, `3H (2H + 2)` of each other.
    pub fn weight_count(&self) -> usize {
        self.places(self.layers - 1).biases_hh.end
    }

    /// Returns how many values a layer reads at each step.
    pub(crate) const fn layer_inputs(&self, layer: usize) -> usize {
        if layer == 0 { self.inputs } else { self.hidden }
    }

    /// Returns where a layer's weights lie among the stack's.
    pub(crate) fn places(&self, layer: usize) -> Places {
        let rows = 3 * self.hidden;
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

/// Where the four weights of a layer lie.
pub(crate) struct Places {
    /// `[3H, I]`.
    pub(crate) weights_ih: Range<usize>,
    /// `[3H, H]`.
    pub(crate) weights_hh: Range<usize>,
    /// `[3H]`.
    pub(crate) biases_ih: Range<usize>,
    /// `[3H]`.
    pub(crate) biases_hh: Range<usize>,
}

/// The weights of a stack, ready for the kernels.
#[derive(Debug)]
pub struct Weights {
    pub(crate) shape: StackShape,
    pub(crate) layers: Vec<PackedLayer>,
    pub(crate) arch: Arch,
}

/// One layer. A panel is a line of neighbouring hidden values; what they need at one `k` lies together. Padding is zero.
#[derive(Debug)]
pub(crate) struct PackedLayer {
    pub(crate) inputs: usize,
    pub(crate) hidden: usize,
    /// A row's length, `H` with its padding.
    pub(crate) width: usize,
    /// `[panel][k][gate][LINE]`: transposed input weights for `k` in `0..I`, then recurrent ones for `k` in `0..H`.
    pub(crate) forward: Lines,
    /// `[panel][r, z, n of the input, n of the state][LINE]`.
    pub(crate) biases: Lines,
    /// Recurrent weights, `[panel][gate][k][LINE]`, for gradients that flow to the state.
    pub(crate) state_back: Lines,
    /// Input weights likewise, for gradients that flow to the layer below; empty in the lowest layer.
    pub(crate) input_back: Lines,
}

impl Weights {
    /// Lays out weights in libtorch's order: for each layer `weight_ih [3H, I]`, `weight_hh [3H, H]`, `bias_ih [3H]`,
    /// `bias_hh [3H]`, row-major, with the gates packed reset, update, new.
    ///
    /// # Panics
    /// When a size is 0 or the number of weights is not [`StackShape::weight_count`].
    pub fn new(shape: StackShape, values: &[f32]) -> Self {
        assert!(shape.inputs > 0 && shape.hidden > 0 && shape.layers > 0, "a stack has no size of 0");
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
            packed.assign(&self.shape.places(layer), values);
        }
    }

    /// Returns the sizes.
    pub const fn shape(&self) -> StackShape {
        self.shape
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
            forward: Lines::zeros(3 * (inputs + hidden) * width),
            biases: Lines::zeros(4 * width),
            state_back: Lines::zeros(3 * hidden * width),
            input_back: Lines::zeros(if layer == 0 { 0 } else { 3 * hidden * width }),
        }
    }

    fn assign(&mut self, places: &Places, values: &[f32]) {
        let (inputs, hidden) = (self.inputs, self.hidden);
        let (weights_ih, weights_hh) = (&values[places.weights_ih.clone()], &values[places.weights_hh.clone()]);
        let (biases_ih, biases_hh) = (&values[places.biases_ih.clone()], &values[places.biases_hh.clone()]);
        let (forward, biases) = (&mut *self.forward, &mut *self.biases);
        for unit in 0..hidden {
            let (panel, lane) = (unit / LINE, unit % LINE);
            let of_panel = panel * 3 * (inputs + hidden) * LINE + lane;
            for gate in 0..3 {
                let row = gate * hidden + unit;
                let (of_input, of_state) =
                    (&weights_ih[row * inputs..][..inputs], &weights_hh[row * hidden..][..hidden]);
                let places = forward[of_panel + gate * LINE..].iter_mut().step_by(3 * LINE);
                places.zip(of_input.iter().chain(of_state)).for_each(|(place, weight)| *place = *weight);
            }
            let [r, z, n] = [unit, hidden + unit, 2 * hidden + unit];
            let sums = [biases_ih[r] + biases_hh[r], biases_ih[z] + biases_hh[z], biases_ih[n], biases_hh[n]];
            for (slot, bias) in sums.into_iter().enumerate() {
                biases[(4 * panel + slot) * LINE + lane] = bias;
            }
        }
        pack_back(&mut self.state_back, weights_hh, hidden);
        if !self.input_back.is_empty() {
            pack_back(&mut self.input_back, weights_ih, hidden);
        }
    }
}

/// Lays `[3H, H]` out as `[panel][3H][LINE]`.
fn pack_back(packed: &mut [f32], weights: &[f32], hidden: usize) {
    for (panel, packed) in packed.chunks_exact_mut(3 * hidden * LINE).enumerate() {
        let (start, end) = (panel * LINE, hidden.min((panel + 1) * LINE));
        for (packed, weights) in packed.chunks_exact_mut(LINE).zip(weights.chunks_exact(hidden)) {
            packed[..end - start].copy_from_slice(&weights[start..end]);
        }
    }
}
