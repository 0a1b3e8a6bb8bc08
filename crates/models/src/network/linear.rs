//! A linear layer.

use tch::Tensor;

use super::layout::Layout;

/// Where a linear layer's weight `[outputs, inputs]` lies among a network's; its bias follows.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    weight: usize,
}

impl Linear {
    /// Appends a Xavier-uniform weight and the given biases, one per output.
    pub(crate) fn build(name: &str, inputs: usize, biases: &[f32], layout: &mut Layout) -> Self {
        let weight = layout.push_xavier(format!("{name}.weight"), biases.len(), inputs);
        layout.push(format!("{name}.bias"), &[biases.len()], biases.iter().copied());
        Self { weight }
    }

    /// Likewise with biases of 0.
    pub(crate) fn unbiased(name: &str, inputs: usize, outputs: usize, layout: &mut Layout) -> Self {
        Self::build(name, inputs, &vec![0.0; outputs], layout)
    }

    /// Returns `W x + b` over the last dimension.
    pub(crate) fn forward(&self, weights: &[Tensor], input: &Tensor) -> Tensor {
        input.linear(&weights[self.weight], Some(&weights[self.weight + 1]))
    }
}
