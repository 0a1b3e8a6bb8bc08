//! The weights of a stack of LSTM layers.

use std::marker::PhantomData;

use pulp::Arch;

use crate::cell::LayerStep;
use crate::element::{Single, Whole};
use crate::kind::{Kind, Lstm};
use crate::panels::Panels;
use crate::recurrent::{Recurrent, sealed};
use crate::stream::{StackStep, StreamStep};
use crate::weights::{StackShape, pack_biases, pack_single};
use crate::window::{WindowLayer, WindowRun};

/// The weights of a stack of LSTM layers, ready for the kernels.
///
/// ```text
/// i = sigmoid(W_ii x + b_ii + W_hi h + b_hi)    f = sigmoid(W_if x + b_if + W_hf h + b_hf)
/// g =    tanh(W_ig x + b_ig + W_hg h + b_hg)    o = sigmoid(W_io x + b_io + W_ho h + b_ho)
/// c' = f * c + i * g                            h' = o * tanh(c')
/// ```
#[derive(Debug, Clone)]
pub struct LstmWeights {
    shape: StackShape,
    layers: Vec<Panels<Single>>,
    pub(crate) arch: Arch,
}

impl LstmWeights {
    /// Lays out weights in libtorch's order: for each layer `weight_ih [4H, I]`, `weight_hh [4H, H]`, `bias_ih [4H]`,
    /// `bias_hh [4H]`, row-major, with the gates packed input, forget, new, output.
    ///
    /// # Panics
    /// When a size is 0 or the number of weights is not [`StackShape::lstm_weight_count`].
    pub fn new(shape: StackShape, values: &[f32]) -> Self {
        shape.check();
        assert_eq!(values.len(), shape.lstm_weight_count(), "one value per weight");
        let layer = |layer| {
            let places = shape.places(layer, Lstm::GATES);
            let mut panels = Panels::zeros(shape.layer_inputs(layer), shape.hidden, Lstm::GATES);
            pack_single(&mut panels, Lstm::GATES, &places, values);
            pack_biases::<Lstm, Single>(&mut panels, &places, values);
            panels
        };
        Self { shape, layers: (0..shape.layers).map(layer).collect(), arch: Arch::new() }
    }
}

impl Recurrent for LstmWeights {
    fn shape(&self) -> StackShape {
        self.shape
    }
}

impl sealed::Packed for LstmWeights {
    type Kind = Lstm;
    type Element = Single;

    fn panels(&self, layer: usize) -> &Panels<Single> {
        &self.layers[layer]
    }

    fn step_layer(&self, layer: usize, step: LayerStep<'_>, _: &[Panels<Whole>]) {
        step.dispatch::<Lstm, _>(self.arch, self.panels(layer));
    }

    fn run_window(&self, layer: usize, run: WindowRun<'_>, _: &[Panels<Whole>]) {
        self.arch.dispatch(WindowLayer { panels: self.panels(layer), run, kind: PhantomData::<Lstm> });
    }

    fn step_stream(&self, step: StreamStep<'_>) {
        self.arch.dispatch(StackStep { weights: self, step });
    }
}
