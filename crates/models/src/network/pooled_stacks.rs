//! Encoders `gru`, `multi_scale_gru` and `lstm`: a stack of recurrent layers per scale, pooled over its steps.

use tch::Tensor;
use tidegate_recurrence::StackShape;

use super::encoder::WindowTensors;
use super::layout::Layout;
use super::linear::Linear;
use super::pooling::StepPooling;
use super::recurrent::{CellSpec, RecurrentStack};
use super::sequence::Sequence;
use crate::dropout::DropoutMasks;
use crate::spec::Pooling;

/// One stack per scale, and what makes one vector of several.
#[derive(Debug, Clone)]
pub(crate) struct PooledStacks {
    scales: Vec<PooledStack>,
    /// A linear layer with a ReLU from `[B, S V]` to `[B, H]`; `None` for the encoders of one scale.
    fusion: Option<Linear>,
    hidden_size: usize,
}

/// One stack and its pooling.
#[derive(Debug, Clone)]
pub(crate) struct PooledStack {
    stack: RecurrentStack,
    pooling: StepPooling,
}

impl PooledStack {
    /// Appends the stack's weights under `module` and the pooling's under `attention`.
    pub(crate) fn build(
        spec: &CellSpec,
        pooling: Pooling,
        features: usize,
        [module, attention]: [&str; 2],
        layout: &mut Layout,
    ) -> Self {
        let stack = RecurrentStack::build(spec, features, module, layout);
        let pooling = StepPooling::build(pooling, attention, stack.width(), layout);
        Self { stack, pooling }
    }

    /// Returns the values of a vector: `H`, or `2 H` with two directions.
    pub(crate) fn width(&self) -> usize {
        self.stack.width()
    }

    /// Returns one vector per window, `[B, V]`.
    pub(crate) fn forward(&self, weights: &[Tensor], steps: &Sequence, masks: Option<&mut DropoutMasks>) -> Tensor {
        let states = self.stack.forward(weights, steps, None, masks);
        self.pooling.forward(weights, &states.steps, || states.top(self.stack.directions()))
    }
}

impl PooledStacks {
    /// Lays out an encoder of one scale.
    pub(crate) fn single(spec: &CellSpec, pooling: Pooling, features: usize, layout: &mut Layout) -> Self {
        let only = PooledStack::build(spec, pooling, features, [spec.cell.module(), "attention"], layout);
        Self { scales: vec![only], fusion: None, hidden_size: spec.hidden_size }
    }

    /// Lays out an encoder of several scales.
    pub(crate) fn fused(spec: &CellSpec, pooling: Pooling, features: &[usize], layout: &mut Layout) -> Self {
        let stack = |(scale, &features): (usize, &usize)| {
            let names = [spec.cell.module(), "attention"].map(|name| format!("{name}.{scale}"));
            PooledStack::build(spec, pooling, features, [&names[0], &names[1]], layout)
        };
        let scales: Vec<PooledStack> = features.iter().enumerate().map(stack).collect();
        let joined = scales.iter().map(PooledStack::width).sum();
        let fusion = Some(Linear::unbiased("fusion", joined, spec.hidden_size, layout));
        Self { scales, fusion, hidden_size: spec.hidden_size }
    }

    pub(crate) fn width(&self) -> usize {
        if self.fusion.is_some() { self.hidden_size } else { self.scales[0].width() }
    }

    /// Returns the sizes of the stacks, one per scale; their weights come first among a network's, in this order.
    pub(crate) fn shapes(&self) -> Vec<StackShape> {
        self.scales.iter().map(|scale| scale.stack.shape()).collect()
    }

    /// Runs stacks, pooling and fusion.
    pub(crate) fn forward(
        &self,
        weights: &[Tensor],
        windows: WindowTensors<'_>,
        mut masks: Option<&mut DropoutMasks>,
    ) -> Tensor {
        let run = |(place, scale): (usize, &PooledStack)| {
            let steps = Sequence::new(&windows.inputs[place], windows.lengths(place));
            scale.forward(weights, &steps, masks.as_deref_mut())
        };
        self.fuse(weights, &self.scales.iter().enumerate().map(run).collect::<Vec<_>>())
    }

    /// Makes one vector of the scales' vectors, `[B, V]` each.
    pub(crate) fn fuse(&self, weights: &[Tensor], vectors: &[Tensor]) -> Tensor {
        match &self.fusion {
            None => vectors[0].shallow_clone(),
            Some(fusion) => fusion.forward(weights, &Tensor::cat(vectors, 1)).relu(),
        }
    }
}
