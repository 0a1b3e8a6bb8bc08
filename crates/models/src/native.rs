//! The GRU layers of a network in our own kernel, and their border with libtorch.
//!
//! The states after the last step enter libtorch as leaves; the gradients that arrive there come back to the kernel, and the
//! gradients of the layers' weights join the others in the one flat tensor that clipping and the optimizer use.

use std::borrow::Cow;

use tch::Tensor;
use tidegate_recurrence::{Batch, StackShape, Weights, Workspace, last_states};

use crate::dropout::DropoutMasks;
use crate::network::WindowTensors;
use crate::parameters::{Parameters, to_vec};
use crate::recurrence::gradients;

/// The stacks of a network, one per scale, whose weights come first among the network's.
#[derive(Debug)]
pub(crate) struct NativeStacks {
    stacks: Vec<Stack>,
    /// Fraction of a layer's outputs dropped on the way to the next while training.
    dropout: f64,
    /// All stacks' weights, and later their gradients.
    values: Vec<f32>,
}

#[derive(Debug)]
struct Stack {
    weights: Weights,
    workspace: Workspace,
}

impl NativeStacks {
    /// Takes the sizes of a network's stacks and the dropout between their layers.
    pub(crate) fn new(shapes: &[StackShape], dropout: f64) -> Self {
        let stack = |&shape: &StackShape| Stack {
            weights: Weights::new(shape, &vec![0.0; shape.weight_count()]),
            workspace: Workspace::default(),
        };
        let stacks: Vec<Stack> = shapes.iter().map(stack).collect();
        let count = stacks.iter().map(|stack| stack.weights.shape().weight_count()).sum();
        Self { stacks, dropout, values: vec![0.0; count] }
    }

    /// Takes over the present weights.
    pub(crate) fn load(&mut self, parameters: &Parameters) {
        parameters.copy_first(&mut self.values);
        let mut rest = self.values.as_slice();
        for stack in &mut self.stacks {
            let (own, others) = rest.split_at(stack.weights.shape().weight_count());
            stack.weights.assign(own);
            rest = others;
        }
    }

    /// Runs a training batch; returns the last states `[B, H]` per scale, leaves that take a gradient.
    pub(crate) fn forward(
        &mut self,
        parameters: &Parameters,
        windows: WindowTensors<'_>,
        masks: &mut DropoutMasks,
    ) -> Vec<Tensor> {
        self.load(parameters);
        let device = parameters.flat().device();
        let run = |(scale, stack): (usize, &mut Stack)| {
            let own = ScaleWindows::new(windows, scale);
            let shape = stack.weights.shape();
            let masks = masks.draw((shape.layers - 1) * own.steps * own.size * shape.hidden, self.dropout);
            let masks = masks.map(|masks| own.align(masks, shape.hidden));
            stack.workspace.forward(&stack.weights, &Batch { masks: masks.as_deref(), ..own.batch() });
            let states = stack.workspace.last_states(&stack.weights);
            let states = Tensor::from_slice(&states).view([own.size as i64, shape.hidden as i64]);
            states.to_device(device).set_requires_grad(true)
        };
        self.stacks.iter_mut().enumerate().map(run).collect()
    }

    /// Takes a loss back through libtorch to the states of the last forward pass, and from there through the stacks; returns
    /// its gradient `[P]`.
    pub(crate) fn backward(&mut self, loss: &Tensor, parameters: &Parameters, states: &[Tensor]) -> Tensor {
        let leaves: Vec<&Tensor> = std::iter::once(parameters.flat()).chain(states).collect();
        let mut gradients = gradients(loss, &leaves).into_iter();
        let gradient = gradients.next().expect("one gradient per leaf");
        let mut rest = self.values.as_mut_slice();
        for (stack, last_gradient) in self.stacks.iter_mut().zip(gradients) {
            let (own, others) = rest.split_at_mut(stack.weights.shape().weight_count());
            stack.workspace.backward(&stack.weights, &to_vec(&last_gradient), own);
            rest = others;
        }
        let _guard = tch::no_grad_guard();
        gradient.narrow(0, 0, self.values.len() as i64).copy_(&Tensor::from_slice(&self.values));
        gradient
    }

    /// Returns the last states per scale, filled up with zeros to `size` rows.
    pub(crate) fn evaluate(&self, windows: WindowTensors<'_>, size: usize) -> Vec<Tensor> {
        let run = |(scale, stack): (usize, &Stack)| {
            let own = ScaleWindows::new(windows, scale);
            let states = last_states(&stack.weights, &own.batch());
            let hidden = stack.weights.shape().hidden;
            let mut top = states[states.len() - own.size * hidden..].to_vec();
            top.resize(size * hidden, 0.0);
            Tensor::from_slice(&top).view([size as i64, hidden as i64]).to_device(windows.inputs[scale].device())
        };
        self.stacks.iter().enumerate().map(run).collect()
    }
}

/// One scale's windows as the kernel reads them.
#[derive(Debug)]
struct ScaleWindows {
    /// `[B, T, F]`.
    values: Vec<f32>,
    size: usize,
    steps: usize,
    /// The first valid step of each window; `None` where all are full.
    starts: Option<Vec<usize>>,
}

impl ScaleWindows {
    fn new(windows: WindowTensors<'_>, scale: usize) -> Self {
        let input = &windows.inputs[scale];
        let (size, steps, _) = input.size3().expect("windows are `[B, T, F]`");
        let starts = |lengths: &[u32]| lengths.iter().map(|&length| steps as usize - length as usize).collect();
        let starts = windows.lengths(scale).map(starts);
        Self { values: to_vec(input), size: size as usize, steps: steps as usize, starts }
    }

    fn batch(&self) -> Batch<'_> {
        Batch { starts: self.starts.as_deref(), ..Batch::new(&self.values, self.size, self.steps) }
    }

    /// Moves dropout masks `[L - 1, T, B, H]` whose first factors belong to the first valid step of a window, as libtorch reads
    /// them, to where the kernel looks for them: at the step itself.
    fn align<'a>(&self, masks: &'a [f32], hidden: usize) -> Cow<'a, [f32]> {
        let Some(starts) = &self.starts else { return Cow::Borrowed(masks) };
        let mut aligned = vec![0.0; masks.len()];
        let row =
            |layer: usize, step: usize, sample: usize| ((layer * self.steps + step) * self.size + sample) * hidden;
        for layer in 0..masks.len() / (self.steps * self.size * hidden) {
            for (sample, &start) in starts.iter().enumerate() {
                for step in start..self.steps {
                    let source = &masks[row(layer, step - start, sample)..][..hidden];
                    aligned[row(layer, step, sample)..][..hidden].copy_from_slice(source);
                }
            }
        }
        Cow::Owned(aligned)
    }
}
