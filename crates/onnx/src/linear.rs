//! A linear layer as plain values, and as an ONNX node.

use crate::OnnxError;
use crate::error::{equal, finite, positive};
use crate::graph::GraphBuilder;

/// A linear layer `W x + b` whose weights fit its sizes.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearLayer {
    inputs: usize,
    outputs: usize,
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl LinearLayer {
    /// Takes a weight `[outputs, inputs]`, row-major, and a bias `[outputs]`.
    ///
    /// # Errors
    /// [`OnnxError::Size`] when they do not fit, [`OnnxError::Number`] for a weight that is not finite.
    pub fn new(inputs: usize, outputs: usize, weight: Vec<f32>, bias: Vec<f32>) -> Result<Self, OnnxError> {
        positive("inputs of a linear layer", inputs)?;
        positive("outputs of a linear layer", outputs)?;
        equal("values of a linear layer's weight", inputs * outputs, weight.len())?;
        equal("values of a linear layer's bias", outputs, bias.len())?;
        finite("a linear layer's weight", &weight)?;
        finite("a linear layer's bias", &bias)?;
        Ok(Self { inputs, outputs, weight, bias })
    }

    /// Returns the number of values read.
    pub const fn inputs(&self) -> usize {
        self.inputs
    }

    /// Returns the number of values put out.
    pub const fn outputs(&self) -> usize {
        self.outputs
    }

    /// Returns the weight, `[outputs, inputs]`.
    pub fn weight(&self) -> &[f32] {
        &self.weight
    }

    /// Returns the bias, `[outputs]`.
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// Returns the layer with its rows in another order: row `i` becomes the present row `order[i]`.
    ///
    /// # Panics
    /// When the order names a row that does not exist.
    #[must_use]
    pub fn with_rows(&self, order: &[usize]) -> Self {
        let row = |&row: &usize| &self.weight[row * self.inputs..][..self.inputs];
        Self {
            inputs: self.inputs,
            outputs: order.len(),
            weight: order.iter().flat_map(row).copied().collect(),
            bias: order.iter().map(|&row| self.bias[row]).collect(),
        }
    }

    /// Appends the layer on the last dimension of `input`, of any shape before it.
    pub(crate) fn append(&self, graph: &mut GraphBuilder, name: &str, input: &str) -> String {
        let transposed: Vec<f32> =
            (0..self.inputs).flat_map(|column| self.weight.iter().skip(column).step_by(self.inputs).copied()).collect();
        let weight = graph.floats(&format!("{name}_weight"), &[self.inputs, self.outputs], &transposed);
        let bias = graph.floats(&format!("{name}_bias"), &[self.outputs], &self.bias);
        let product = graph.node("MatMul", &[input, &weight], &format!("{name}_product"));
        graph.node("Add", &[&product, &bias], name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_of_another_size_is_refused() {
        let message = LinearLayer::new(3, 2, vec![0.0; 5], vec![0.0; 2]).expect_err("one is missing").to_string();
        assert_eq!(message, "values of a linear layer's weight must be `6`, was `5`");
    }

    #[test]
    fn rows_are_reordered_with_their_biases() {
        let layer = LinearLayer::new(2, 3, vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0], vec![6.0, 7.0, 8.0]).expect("it fits");
        let reordered = layer.with_rows(&[2, 0, 1]);
        assert_eq!(reordered.weight(), [4.0, 5.0, 0.0, 1.0, 2.0, 3.0]);
        assert_eq!(reordered.bias(), [8.0, 6.0, 7.0]);
    }
}
