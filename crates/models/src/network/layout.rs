//! Weights while a network is laid out: names, shapes, and initial values from one seeded stream.

use crate::initial_weights::xavier_uniform;
use crate::parameters::{ParameterShape, Parameters};
use crate::random::SeededRandom;

/// The weights so far, in the order of the flat tensor that they become.
#[derive(Debug)]
pub(crate) struct Layout {
    shapes: Vec<ParameterShape>,
    values: Vec<f32>,
    pub(crate) random: SeededRandom,
}

impl Layout {
    /// Starts without weights.
    pub(crate) const fn new(random: SeededRandom) -> Self {
        Self { shapes: Vec::new(), values: Vec::new(), random }
    }

    /// Appends a weight and returns its place.
    pub(crate) fn push(&mut self, name: String, shape: &[usize], values: impl IntoIterator<Item = f32>) -> usize {
        let shape = ParameterShape::new(name, shape);
        let end = self.values.len() + shape.len();
        self.values.extend(values);
        assert_eq!(self.values.len(), end, "one value per weight of `{}`", shape.name);
        self.shapes.push(shape);
        self.shapes.len() - 1
    }

    /// Appends a Xavier-uniform weight `[rows, columns]`.
    pub(crate) fn push_xavier(&mut self, name: String, rows: usize, columns: usize) -> usize {
        let values = xavier_uniform(rows, columns, &mut self.random);
        self.push(name, &[rows, columns], values)
    }

    /// Appends a vector of one value.
    pub(crate) fn push_constant(&mut self, name: String, size: usize, value: f32) -> usize {
        self.push(name, &[size], std::iter::repeat_n(value, size))
    }

    /// Ends the layout.
    pub(crate) fn finish(self, device: tch::Device) -> Parameters {
        Parameters::new(self.shapes, &self.values, device)
    }
}
