//! Layer normalisation (Ba, Kiros and Hinton 2016).

use tch::Tensor;

use super::layout::Layout;

/// What keeps the divisor from 0; PyTorch's.
pub(crate) const EPSILON: f64 = 1e-5;

/// Where a gain lies among a network's weights; its bias follows.
#[derive(Debug, Clone)]
pub(crate) struct LayerNorm {
    gain: usize,
    size: usize,
}

impl LayerNorm {
    /// Appends a gain of 1 and a bias of 0.
    pub(crate) fn build(name: &str, size: usize, layout: &mut Layout) -> Self {
        let gain = layout.push_constant(format!("{name}.weight"), size, 1.0);
        layout.push_constant(format!("{name}.bias"), size, 0.0);
        Self { gain, size }
    }

    /// Returns `(x - mean) / sqrt(variance + 1e-5) * gain + bias` over the last dimension, with the variance's divisor n.
    pub(crate) fn forward(&self, weights: &[Tensor], input: &Tensor) -> Tensor {
        let (gain, bias) = (&weights[self.gain], &weights[self.gain + 1]);
        input.layer_norm(self.size as i64, Some(gain), Some(bias), EPSILON, false)
    }
}
