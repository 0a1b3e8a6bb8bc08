//! A causal convolution over steps.

use tch::Tensor;

use super::layout::Layout;
use super::sequence::Sequence;
use crate::initial_weights::uniform;

/// Where a convolution's weight `[outputs, inputs, kernel]` lies among a network's; its bias follows.
#[derive(Debug, Clone)]
pub(crate) struct CausalConvolution {
    weight: usize,
    kernel_size: usize,
    dilation: usize,
}

impl CausalConvolution {
    /// Appends a Xavier-uniform weight, which counts the kernel's steps on both sides, and a bias of 0.
    pub(crate) fn build(
        name: &str,
        [inputs, outputs]: [usize; 2],
        kernel_size: usize,
        dilation: usize,
        layout: &mut Layout,
    ) -> Self {
        let bound = (6.0 / (kernel_size * (inputs + outputs)) as f64).sqrt();
        let values = uniform(outputs * inputs * kernel_size, bound, &mut layout.random);
        let weight = layout.push(format!("{name}.weight"), &[outputs, inputs, kernel_size], values);
        layout.push_constant(format!("{name}.bias"), outputs, 0.0);
        Self { weight, kernel_size, dilation }
    }

    /// Returns, at every step, `b + sum_k W_k x_(t - (kernel - 1 - k) dilation)`, with zeros before the first step.
    ///
    /// A window's first valid step is its first, so that zeros stand before a short window too.
    ///
    /// # Shapes
    /// `steps` holds `[T, B, F]`, the result `[T, B, C]`.
    pub(crate) fn forward(&self, weights: &[Tensor], steps: &Sequence) -> Sequence {
        let reach = (self.dilation * (self.kernel_size - 1)) as i64;
        let padded = steps.values.permute([1, 2, 0]).constant_pad_nd([reach, 0]);
        let (stride, padding, groups) = (1, 0, 1);
        let (weight, bias) = (&weights[self.weight], &weights[self.weight + 1]);
        let outputs = padded.conv1d(weight, Some(bias), stride, padding, self.dilation as i64, groups);
        steps.with(outputs.permute([2, 0, 1]).contiguous())
    }
}
