//! A network's weights: one flat tensor, and named views into it.
//!
//! One flat tensor makes clipping, an optimizer's step, the copy of the best weights and a comparison one operation each,
//! and gives every weight a gradient (zero where the loss does not reach it).

use tch::{Kind, Tensor};

pub(crate) use crate::parameter_shape::ParameterShape;

/// The weights of one network on one device.
#[derive(Debug)]
pub(crate) struct Parameters {
    shapes: Vec<ParameterShape>,
    sizes: Vec<i64>,
    flat: Tensor,
}

impl Parameters {
    /// Lays the values of all weights, in the order of `shapes`, into one tensor.
    pub(crate) fn new(shapes: Vec<ParameterShape>, values: &[f32], device: tch::Device) -> Self {
        let sizes: Vec<i64> = shapes.iter().map(|shape| shape.len() as i64).collect();
        assert_eq!(sizes.iter().sum::<i64>(), values.len() as i64, "one value per weight");
        let flat = Tensor::from_slice(values).to_device(device).set_requires_grad(true);
        Self { shapes, sizes, flat }
    }

    /// Returns names and shapes in the flat tensor's order.
    pub(crate) fn shapes(&self) -> &[ParameterShape] {
        &self.shapes
    }

    /// Returns the flat tensor `[P]`, the leaf of every gradient.
    pub(crate) const fn flat(&self) -> &Tensor {
        &self.flat
    }

    /// Returns the flat tensor for an update in place; the caller holds a no-grad guard.
    pub(crate) const fn flat_mut(&mut self) -> &mut Tensor {
        &mut self.flat
    }

    /// Returns one view per weight, of its own shape.
    pub(crate) fn views(&self) -> Vec<Tensor> {
        let pieces = self.flat.split_with_sizes(&self.sizes, 0);
        pieces.iter().zip(&self.shapes).map(|(piece, shape)| piece.view(shape.shape.as_slice())).collect()
    }

    /// Returns all values in the flat tensor's order.
    pub(crate) fn values(&self) -> Vec<f32> {
        to_vec(&self.flat)
    }

    /// Copies the first values out.
    pub(crate) fn copy_first(&self, values: &mut [f32]) {
        let first = self.flat.detach().narrow(0, 0, values.len() as i64).to_device(tch::Device::Cpu);
        first.copy_data(values, values.len());
    }

    /// Overwrites all values.
    pub(crate) fn assign(&mut self, values: &Tensor) {
        let _guard = tch::no_grad_guard();
        self.flat.copy_(values);
    }
}

/// Copies a tensor's values to the main memory.
pub(crate) fn to_vec(tensor: &Tensor) -> Vec<f32> {
    let flat = tensor.detach().to_device(tch::Device::Cpu).to_kind(Kind::Float).contiguous().view(-1);
    let mut values = vec![0.0_f32; flat.numel()];
    flat.copy_data(&mut values, flat.numel());
    values
}
