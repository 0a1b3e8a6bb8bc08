//! The GRU layers of a network in our own kernel, and their border with libtorch.
//!
//! The states after the last step enter libtorch as leaves; the gradients that arrive there come back to the kernel, and the
//! gradients of the layers' weights join the others in the one flat tensor that clipping and the optimizer use.

use tch::Tensor;
use tidegate_recurrence::{Batch, StackShape, Weights, Workspace, last_states};

use crate::dropout::DropoutMasks;
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

    /// Runs a training batch `[B, T, F]` per scale; returns the last states `[B, H]` per scale, leaves that take a gradient.
    pub(crate) fn forward(
        &mut self,
        parameters: &Parameters,
        inputs: &[Tensor],
        masks: &mut DropoutMasks,
    ) -> Vec<Tensor> {
        self.load(parameters);
        let device = parameters.flat().device();
        let run = |(stack, input): (&mut Stack, &Tensor)| {
            let (windows, size, steps) = batch_of(input);
            let shape = stack.weights.shape();
            let masks = masks.draw((shape.layers - 1) * steps * size * shape.hidden, self.dropout);
            stack.workspace.forward(&stack.weights, &Batch { masks, ..Batch::new(&windows, size, steps) });
            let states = stack.workspace.last_states(&stack.weights);
            let states = Tensor::from_slice(&states).view([size as i64, shape.hidden as i64]);
            states.to_device(device).set_requires_grad(true)
        };
        self.stacks.iter_mut().zip(inputs).map(run).collect()
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

    /// Returns the last states of windows `[B, T, F]` per scale, filled up with zeros to `size` rows.
    pub(crate) fn evaluate(&self, inputs: &[Tensor], size: usize) -> Vec<Tensor> {
        let run = |(stack, input): (&Stack, &Tensor)| {
            let (windows, filled, steps) = batch_of(input);
            let states = last_states(&stack.weights, &Batch::new(&windows, filled, steps));
            let hidden = stack.weights.shape().hidden;
            let mut top = states[states.len() - filled * hidden..].to_vec();
            top.resize(size * hidden, 0.0);
            Tensor::from_slice(&top).view([size as i64, hidden as i64]).to_device(input.device())
        };
        self.stacks.iter().zip(inputs).map(run).collect()
    }
}

/// Returns the values, windows and steps of `[B, T, F]`.
fn batch_of(input: &Tensor) -> (Vec<f32>, usize, usize) {
    let (size, steps, _) = input.size3().expect("windows are `[B, T, F]`");
    (to_vec(input), size as usize, steps as usize)
}
