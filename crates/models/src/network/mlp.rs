//! Encoder `mlp`: linear layers with ReLU over the windows as one vector.

use tch::Tensor;

use super::encoder::WindowTensors;
use super::layout::Layout;
use super::linear::Linear;
use crate::dropout::DropoutMasks;
use crate::spec::MlpSpec;

/// The layers, the one nearest the windows first.
#[derive(Debug, Clone)]
pub(crate) struct Mlp {
    layers: Vec<Linear>,
    dropout: f64,
    width: usize,
}

impl Mlp {
    /// Appends the layers' weights, `mlp.0.*` and so on.
    pub(crate) fn build(spec: &MlpSpec, inputs: usize, layout: &mut Layout) -> Self {
        let mut width = inputs;
        let mut layers = Vec::with_capacity(spec.hidden_sizes.len());
        for (layer, &size) in spec.hidden_sizes.iter().enumerate() {
            layers.push(Linear::unbiased(&format!("mlp.{layer}"), width, size, layout));
            width = size;
        }
        Self { layers, dropout: spec.dropout, width }
    }

    pub(crate) const fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn forward(
        &self,
        weights: &[Tensor],
        windows: WindowTensors<'_>,
        mut masks: Option<&mut DropoutMasks>,
    ) -> Tensor {
        let mut values = windows.flat();
        for layer in &self.layers {
            values = layer.forward(weights, &values).relu();
            if let Some(masks) = masks.as_deref_mut() {
                values = masks.apply(values, self.dropout);
            }
        }
        values
    }
}
