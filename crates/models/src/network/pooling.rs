//! The vectors of a window's steps become one.

use tch::Tensor;

use super::layout::Layout;
use super::linear::Linear;
use super::sequence::Sequence;
use crate::spec::Pooling;

/// How steps are pooled, and the weights of that.
#[derive(Debug, Clone)]
pub(crate) enum StepPooling {
    Last,
    Mean,
    /// `softmax_t(v . tanh(W h_t + b))`: the linear layer, and the place of `v`.
    Attention(Linear, usize),
}

impl StepPooling {
    /// Appends the pooling's weights, if it has some, for vectors of a width.
    pub(crate) fn build(spec: Pooling, name: &str, width: usize, layout: &mut Layout) -> Self {
        match spec {
            Pooling::Last => Self::Last,
            Pooling::Mean => Self::Mean,
            Pooling::Attention => {
                let linear = Linear::unbiased(name, width, width, layout);
                Self::Attention(linear, layout.push_xavier(format!("{name}.score"), 1, width))
            }
        }
    }

    /// Returns one vector per window, `[B, V]`; `last` is what stands for the last step.
    ///
    /// # Shapes
    /// `steps` holds `[T, B, V]`.
    pub(crate) fn forward(&self, weights: &[Tensor], steps: &Sequence, last: impl FnOnce() -> Tensor) -> Tensor {
        match self {
            Self::Last => last(),
            Self::Mean => steps.mean(),
            Self::Attention(linear, score) => {
                let hidden = linear.forward(weights, &steps.values).tanh();
                let mut scores = hidden.linear(&weights[*score], None::<&Tensor>).squeeze_dim(2);
                if let Some(invalid) = steps.invalid() {
                    scores = scores.masked_fill(&invalid, f64::NEG_INFINITY);
                }
                let shares = scores.softmax(0, None).unsqueeze(2);
                (&steps.values * shares).sum_dim_intlist(0, false, None)
            }
        }
    }
}
