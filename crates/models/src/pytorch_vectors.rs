//! The network, its gradients, its losses and its optimizer against PyTorch's, to 1e-6.
//!
//! Reference values from `tests/vectors/nn`; its README says how they were made.

use std::collections::BTreeMap;

use safetensors::SafeTensors;
use tch::Tensor;
use tidegate_recurrence::{Batch, StackShape, Weights, Workspace, last_states};

use crate::adam::Adam;
use crate::gru::GruStack;
use crate::loss::{gaussian_nll, mse};
use crate::parameters::{ParameterShape, Parameters, to_vec};
use crate::random::{SeededRandom, Stream};
use crate::recurrence::gradients;
use crate::spec::GruSpec;
use crate::threads::use_one_thread;
use crate::trainer::descend;
use crate::training_spec::Optimizer;

/// A reference file and the numbers of its README row.
struct Case {
    file: &'static str,
    sizes: [usize; 3],
    clip_norm: f64,
    losses: [f64; 3],
    gradient_norms: [f64; 3],
    nll: f64,
}

const CASES: [Case; 3] = [
    Case {
        file: "gru_l1",
        sizes: [4, 6, 1],
        clip_norm: 1.0,
        losses: [1.214_402_914, 1.202_976_584, 1.191_578_507],
        gradient_norms: [2.619_792_700, 2.610_569_239, 2.601_343_155],
        nll: 2.492_724_180,
    },
    Case {
        file: "gru_l2",
        sizes: [5, 8, 2],
        clip_norm: 1.0,
        losses: [1.034_253_359, 1.017_532_706, 1.001_139_998],
        gradient_norms: [1.976_665_745, 1.938_242_078, 1.900_251_627],
        nll: 1.375_400_066,
    },
    Case {
        file: "gru_l2_h0_clip",
        sizes: [3, 5, 2],
        clip_norm: 0.05,
        losses: [1.357_973_576, 1.342_561_126, 1.327_320_933],
        gradient_norms: [2.500_329_018, 2.473_753_452, 2.447_275_639],
        nll: 1.332_061_171,
    },
];

/// A loss of the last states, given all weights.
type Loss = fn(&Reference, &[Tensor], &Tensor) -> Tensor;

/// A reference network with the reference weights: the stack and the two heads `fc` and `fc2` behind it.
struct Reference {
    tensors: BTreeMap<String, Tensor>,
    stack: GruStack,
    parameters: Parameters,
}

impl Reference {
    fn read(case: &Case) -> Self {
        use_one_thread();
        let path = format!("{}/../../tests/vectors/nn/{}.safetensors", env!("CARGO_MANIFEST_DIR"), case.file);
        let bytes = std::fs::read(path).expect("the reference file is in the repository");
        let file = SafeTensors::deserialize(&bytes).expect("the reference file is whole");
        let tensor = |(name, view): (String, safetensors::tensor::TensorView<'_>)| {
            let values: Vec<f32> = view.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            let shape: Vec<i64> = view.shape().iter().map(|&size| size as i64).collect();
            (name, Tensor::from_slice(&values).view(shape.as_slice()))
        };
        let tensors: BTreeMap<String, Tensor> = file.tensors().into_iter().map(tensor).collect();
        let [features, hidden_size, layers] = case.sizes;
        let spec = GruSpec { hidden_size, layers, dropout: 0.0, update_gate_bias: None };
        let (mut shapes, mut values) = (Vec::new(), Vec::new());
        let mut random = SeededRandom::new(0, Stream::Weights);
        let stack = GruStack::build(&spec, features, "gru", &mut shapes, &mut values, &mut random);
        for (name, rows) in [("fc", 1), ("fc2", 2)] {
            shapes.push(ParameterShape::new(format!("{name}.weight"), &[rows, hidden_size]));
            shapes.push(ParameterShape::new(format!("{name}.bias"), &[rows]));
        }
        let reference = |shape: &ParameterShape| tensors[&format!("w.{}", short(&shape.name))].view(-1);
        let flat = Tensor::cat(&shapes.iter().map(reference).collect::<Vec<_>>(), 0);
        let parameters = Parameters::new(shapes, &to_vec(&flat), tch::Device::Cpu);
        Self { tensors, stack, parameters }
    }

    /// Returns the input `[T, B, F]`, as a leaf that takes a gradient.
    fn input(&self) -> Tensor {
        self.tensors["input"].transpose(0, 1).contiguous().set_requires_grad(true)
    }

    fn forward(&self, weights: &[Tensor], input: &Tensor) -> (Tensor, Vec<Tensor>) {
        let initial_states = self.tensors.get("h0").map(|states| states.unbind(0));
        self.stack.forward(weights, input, initial_states.as_deref(), None)
    }

    fn mse(&self, input: &Tensor) -> Tensor {
        let weights = self.parameters.views();
        let (_, states) = self.forward(&weights, input);
        self.mse_of_states(&weights, &states[states.len() - 1])
    }

    fn nll(&self, input: &Tensor) -> Tensor {
        let weights = self.parameters.views();
        let (_, states) = self.forward(&weights, input);
        self.nll_of_states(&weights, &states[states.len() - 1])
    }

    fn mse_of_states(&self, weights: &[Tensor], states: &Tensor) -> Tensor {
        let [.., weight, bias, _, _] = weights else { panic!("two heads of two weights") };
        mse(&states.linear(weight, Some(bias)), &self.tensors["y"])
    }

    fn nll_of_states(&self, weights: &[Tensor], states: &Tensor) -> Tensor {
        let [.., weight, bias] = weights else { panic!("two heads of two weights") };
        let raw = states.linear(weight, Some(bias));
        gaussian_nll(&raw.narrow(1, 0, 1), &(raw.narrow(1, 1, 1).softplus() + 1e-6), &self.tensors["y"])
    }

    /// Compares a flat tensor, weight by weight, with those of a prefix; a weight that the reference leaves out is zero.
    fn assert_weights(&self, flat: &Tensor, prefix: &str) {
        let sizes: Vec<i64> = self.parameters.shapes().iter().map(|shape| shape.len() as i64).collect();
        for (piece, shape) in flat.split_with_sizes(&sizes, 0).iter().zip(self.parameters.shapes()) {
            let name = format!("{prefix}.{}", short(&shape.name));
            match self.tensors.get(&name) {
                Some(expected) => assert_close(&piece.view(shape.shape.as_slice()), expected, &name),
                None => assert_eq!(piece.abs().max().double_value(&[]), 0.0, "{name} is not in the reference"),
            }
        }
    }

    /// Checks one loss: its value, its gradients for all weights and for the input.
    fn assert_gradients(&self, loss: impl Fn(&Self, &Tensor) -> Tensor, expected: f64, prefix: &str) {
        let input = self.input();
        let loss = loss(self, &input);
        assert!((loss.double_value(&[]) - expected).abs() < 1e-6, "{loss:?} is not {expected}");
        let gradients = Tensor::run_backward(&[&loss], &[self.parameters.flat(), &input], false, false);
        self.assert_weights(&gradients[0], prefix);
        if let Some(expected) = self.tensors.get(&format!("{prefix}.input")) {
            assert_close(&gradients[1].transpose(0, 1), expected, "gradient of the input");
        }
    }
}

/// The reference names the stack's weights without a module.
fn short(name: &str) -> &str {
    name.trim_start_matches("gru.")
}

/// Compares to 1e-6, relative where a value is above 1.
fn assert_close(found: &Tensor, expected: &Tensor, what: &str) {
    assert_eq!(found.size(), expected.size(), "{what}");
    for (found, expected) in to_vec(found).into_iter().zip(to_vec(expected)) {
        assert!((found - expected).abs() <= 1e-6 * expected.abs().max(1.0), "{what}: {found} is not {expected}");
    }
}

#[test]
fn states_equal_pytorchs() {
    for case in &CASES {
        let reference = Reference::read(case);
        let (outputs, states) = reference.forward(&reference.parameters.views(), &reference.input());
        assert_close(&outputs.transpose(0, 1), &reference.tensors["output"], case.file);
        assert_close(&Tensor::stack(&states, 0), &reference.tensors["h_n"], case.file);
    }
}

#[test]
fn squared_error_and_its_gradients_equal_pytorchs() {
    for case in &CASES {
        Reference::read(case).assert_gradients(Reference::mse, case.losses[0], "mse_grad");
    }
}

#[test]
fn likelihood_and_its_gradients_equal_pytorchs() {
    for case in &CASES {
        Reference::read(case).assert_gradients(Reference::nll, case.nll, "nll_grad");
    }
}

/// Runs the kernel on a reference input, `[B, T, F]` as PyTorch keeps it.
fn run_kernel(reference: &Reference) -> (Weights, Workspace, [usize; 2]) {
    let (size, steps, _) = reference.tensors["input"].size3().expect("three dimensions");
    let [size, steps] = [size, steps].map(|number| number as usize);
    let shape = reference.stack.shape();
    let weights = Weights::new(shape, &reference.parameters.values()[..shape.weight_count()]);
    let (windows, initial) = (to_vec(&reference.tensors["input"]), reference.tensors.get("h0").map(to_vec));
    let mut workspace = Workspace::default();
    let batch = Batch { initial_states: initial.as_deref(), ..Batch::new(&windows, size, steps) };
    workspace.forward(&weights, &batch);
    let last = last_states(&weights, &batch);
    assert_eq!(last[last.len() - size * shape.hidden..], workspace.last_states(&weights));
    assert_close(&Tensor::from_slice(&last), &reference.tensors["h_n"].view(-1), "last states of the kernel");
    (weights, workspace, [size, steps])
}

#[test]
fn the_kernels_states_equal_pytorchs() {
    for case in &CASES {
        let reference = Reference::read(case);
        let (weights, workspace, [size, steps]) = run_kernel(&reference);
        let StackShape { hidden, layers, .. } = weights.shape();
        let mut states = vec![0.0; size * hidden];
        for step in 0..steps {
            workspace.copy_states(&weights, layers - 1, step + 1, &mut states);
            let expected = reference.tensors["output"].select(1, step as i64).contiguous().view(-1);
            assert_close(&Tensor::from_slice(&states), &expected, case.file);
        }
    }
}

#[test]
fn the_kernels_gradients_equal_pytorchs() {
    for case in &CASES {
        for (loss, prefix) in [(Reference::mse_of_states as Loss, "mse_grad"), (Reference::nll_of_states, "nll_grad")] {
            let reference = Reference::read(case);
            let (weights, mut workspace, [size, _]) = run_kernel(&reference);
            let states = Tensor::from_slice(&workspace.last_states(&weights)).view([size as i64, -1]);
            let states = states.set_requires_grad(true);
            let loss = loss(&reference, &reference.parameters.views(), &states);
            let [gradient, of_states] =
                gradients(&loss, &[reference.parameters.flat(), &states]).try_into().expect("one gradient per leaf");
            let mut own = vec![0.0; weights.shape().weight_count()];
            workspace.backward(&weights, &to_vec(&of_states), &mut own);
            gradient.narrow(0, 0, own.len() as i64).copy_(&Tensor::from_slice(&own));
            reference.assert_weights(&gradient, prefix);
        }
    }
}

#[test]
fn one_and_three_clipped_adam_steps_equal_pytorchs() {
    for case in &CASES {
        let mut reference = Reference::read(case);
        let rule = Optimizer::Adam { learning_rate: 1e-3, weight_decay: 0.0 };
        let mut adam = Adam::new(rule, reference.parameters.flat());
        for step in 0..3 {
            let loss = reference.mse(&reference.input());
            assert!((loss.double_value(&[]) - case.losses[step]).abs() < 1e-6, "{} step {step}", case.file);
            let gradient = gradients(&loss, &[reference.parameters.flat()]).pop().expect("one gradient for one tensor");
            let norm = descend(gradient, &mut reference.parameters, Some(case.clip_norm), &mut adam);
            assert!((norm - case.gradient_norms[step]).abs() < 3e-6, "{} step {step}: {norm}", case.file);
            match step {
                0 => reference.assert_weights_after(1),
                2 => reference.assert_weights_after(3),
                _ => {}
            }
        }
    }
}

impl Reference {
    /// Compares the weights with those after some Adam steps; `fc2` has no gradient there and stays as it was.
    fn assert_weights_after(&self, steps: u32) {
        let weights = self.parameters.views();
        for (weight, shape) in weights.iter().zip(self.parameters.shapes()) {
            let name = short(&shape.name);
            let moved = self.tensors.get(&format!("adam{steps}.{name}"));
            assert!(moved.is_some() || name.starts_with("fc2"), "{name} is not in the reference");
            assert_close(weight, moved.unwrap_or(&self.tensors[&format!("w.{name}")]), name);
        }
    }
}
