//! Encoder `cnn_gru`: causal convolutions, then a GRU.

use tch::Tensor;

use super::convolution::CausalConvolution;
use super::encoder::WindowTensors;
use super::layout::Layout;
use super::pooled_stacks::PooledStack;
use super::sequence::Sequence;
use crate::dropout::DropoutMasks;
use crate::spec::CnnGruSpec;

/// The convolutions and the GRU behind them.
#[derive(Debug, Clone)]
pub(crate) struct CnnGru {
    convolutions: Vec<CausalConvolution>,
    gru: PooledStack,
}

impl CnnGru {
    /// Appends the convolutions' weights, `cnn.0.weight` and so on, and the GRU's.
    pub(crate) fn build(spec: &CnnGruSpec, features: usize, layout: &mut Layout) -> Self {
        let convolutions = (0..spec.convolutions)
            .map(|layer| {
                let inputs = if layer == 0 { features } else { spec.channels };
                let dilation = spec.dilation.pow(layer as u32);
                let channels = [inputs, spec.channels];
                CausalConvolution::build(&format!("cnn.{layer}"), channels, spec.kernel_size, dilation, layout)
            })
            .collect();
        let names = ["gru", "attention"];
        let gru = PooledStack::build(&(&spec.gru).into(), spec.gru.pooling, spec.channels, names, layout);
        Self { convolutions, gru }
    }

    pub(crate) fn width(&self) -> usize {
        self.gru.width()
    }

    pub(crate) fn forward(
        &self,
        weights: &[Tensor],
        windows: WindowTensors<'_>,
        masks: Option<&mut DropoutMasks>,
    ) -> Tensor {
        let mut steps = Sequence::new(&windows.inputs[0], windows.lengths(0));
        for convolution in &self.convolutions {
            let outputs = convolution.forward(weights, &steps);
            steps = outputs.with(outputs.values.relu());
        }
        self.gru.forward(weights, &steps, masks)
    }
}
