//! Weights of eight bits.

use std::marker::PhantomData;

use pulp::Arch;

use crate::cell::LayerStep;
use crate::element::{Eighths, Element, OFFSET, Whole};
use crate::kind::{Gru, Kind};
use crate::panels::{Panels, Place, Unpacking};
use crate::recurrent::{Recurrent, sealed};
use crate::stream::{StackStep, StreamStep};
use crate::weights::{StackShape, pack_biases};
use crate::window::{WindowLayer, WindowRun};

/// The largest whole number that a weight becomes.
const WHOLE_MAX: f32 = 127.0;

/// Rows of weights as whole numbers from -127 to 127, each row with a scale.
///
/// A row's scale is its largest absolute weight over 127, and a weight becomes the nearest multiple of it, at most half a scale
/// away; zero stays zero. The scale of a row that holds what is not finite is NaN.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantizedRows {
    /// `[rows, columns]`.
    pub values: Vec<i8>,
    /// `[rows]`.
    pub scales: Vec<f32>,
}

impl QuantizedRows {
    /// Rounds weights `[rows, columns]`.
    ///
    /// # Panics
    /// When `columns` is 0 or the last row is not whole.
    pub fn new(weights: &[f32], columns: usize) -> Self {
        assert!(columns > 0 && weights.len().is_multiple_of(columns), "rows are whole");
        let scales: Vec<f32> = weights.chunks_exact(columns).map(scale).collect();
        let values = weights.chunks_exact(columns).zip(&scales).flat_map(|(row, &scale)| {
            // What is not a number becomes zero, here and where the scale is zero.
            let whole = move |weight: &f32| (weight / scale).round_ties_even().clamp(-WHOLE_MAX, WHOLE_MAX) as i8;
            row.iter().map(whole)
        });
        Self { values: values.collect(), scales }
    }

    /// Returns the weights that the whole numbers stand for.
    pub fn dequantized(&self) -> Vec<f32> {
        let columns = self.values.len() / self.scales.len().max(1);
        let rows = self.values.chunks_exact(columns.max(1)).zip(&self.scales);
        rows.flat_map(|(row, scale)| row.iter().map(move |whole| f32::from(*whole) * scale)).collect()
    }
}

fn scale(row: &[f32]) -> f32 {
    if row.iter().any(|weight| !weight.is_finite()) {
        return f32::NAN;
    }
    row.iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs())) / WHOLE_MAX
}

/// The weights of a stack of GRU layers as whole numbers of eight bits, with a scale for each row of `W_ih` and `W_hh`.
///
/// Biases, inputs and states keep single precision: sums run over whole numbers times inputs and take their scale at the end,
/// so that the only error is that of the rounded weights. A [`Stream`](crate::Stream) reads the stored bytes at each step; an
/// [`Inference`](crate::Inference) takes them out once a run, into memory of its own.
#[derive(Debug, Clone)]
pub struct QuantizedWeights {
    shape: StackShape,
    layers: Vec<Panels<Eighths>>,
    pub(crate) arch: Arch,
}

impl QuantizedWeights {
    /// Rounds weights in the order of [`Weights::new`](crate::Weights::new), as [`QuantizedRows`] says.
    ///
    /// # Panics
    /// When a size is 0 or the number of weights is not [`StackShape::weight_count`].
    pub fn from_f32(shape: StackShape, values: &[f32]) -> Self {
        shape.check();
        assert_eq!(values.len(), shape.weight_count(), "one value per weight");
        let layers = (0..shape.layers).map(|layer| pack(shape, layer, values)).collect();
        Self { shape, layers, arch: Arch::new() }
    }

    /// Returns the bytes of the weights: one each, and four for every scale and bias; padding is not counted.
    pub fn byte_size(&self) -> usize {
        let rows = Gru::GATES * self.shape.hidden;
        let of_layer = |layer| rows * (self.shape.layer_inputs(layer) + self.shape.hidden) + 4 * (2 * rows + 2 * rows);
        (0..self.shape.layers).map(of_layer).sum()
    }
}

fn pack(shape: StackShape, layer: usize, values: &[f32]) -> Panels<Eighths> {
    let (inputs, hidden) = (shape.layer_inputs(layer), shape.hidden);
    let places = shape.places(layer, Gru::GATES);
    let mut panels = Panels::zeros(inputs, hidden, Gru::GATES);
    pack_biases::<Gru, Eighths>(&mut panels, &places, values);
    for (of_state, matrix, columns) in [(false, places.weights_ih, inputs), (true, places.weights_hh, hidden)] {
        let rounded = QuantizedRows::new(&values[matrix], columns);
        for (row, (whole, scale)) in rounded.values.chunks_exact(columns).zip(&rounded.scales).enumerate() {
            let (gate, unit) = (row / hidden, row % hidden);
            panels.set_scale(of_state, gate, unit, *scale);
            for (word, whole) in whole.chunks(Eighths::PER_WORD).enumerate() {
                panels.set_word(Place { of_state, gate, unit, word }, word_of(whole));
            }
        }
    }
    panels
}

/// Puts up to four numbers into a word, none of them negative after the offset.
fn word_of(whole: &[i8]) -> u32 {
    let byte = |place: usize| i32::from(whole.get(place).copied().unwrap_or(0)) + OFFSET;
    (0..Eighths::PER_WORD).fold(0, |word, place| word | (byte(place) as u32) << (8 * place))
}

impl Recurrent for QuantizedWeights {
    fn shape(&self) -> StackShape {
        self.shape
    }
}

impl sealed::Packed for QuantizedWeights {
    type Kind = Gru;
    type Element = Eighths;

    fn panels(&self, layer: usize) -> &Panels<Eighths> {
        &self.layers[layer]
    }

    fn unpack(&self, unpacked: &mut Vec<Panels<Whole>>) {
        let fits =
            |(own, other): (&Panels<Eighths>, &Panels<Whole>)| own.inputs == other.inputs && own.hidden == other.hidden;
        if unpacked.len() != self.layers.len() || !self.layers.iter().zip(&*unpacked).all(fits) {
            let zeros = |panels: &Panels<Eighths>| Panels::zeros(panels.inputs, panels.hidden, Gru::GATES);
            *unpacked = self.layers.iter().map(zeros).collect();
        }
        for (from, to) in self.layers.iter().zip(unpacked) {
            self.arch.dispatch(Unpacking { from, to });
        }
    }

    fn step_layer(&self, layer: usize, step: LayerStep<'_>, unpacked: &[Panels<Whole>]) {
        step.dispatch::<Gru, _>(self.arch, &unpacked[layer]);
    }

    fn run_window(&self, layer: usize, run: WindowRun<'_>, unpacked: &[Panels<Whole>]) {
        self.arch.dispatch(WindowLayer { panels: &unpacked[layer], run, kind: PhantomData::<Gru> });
    }

    fn step_stream(&self, step: StreamStep<'_>) {
        self.arch.dispatch(StackStep { weights: self, step });
    }
}
