//! The network, its gradients, its losses and its optimizer against PyTorch's, to 1e-6.
//!
//! Reference values from `tests/vectors/nn`; its README says how they were made.

use std::collections::BTreeMap;

use tch::{Kind, Tensor};
use tidegate_recurrence::{Batch, StackShape, Weights, Workspace, last_states};

use super::layout::Layout;
use super::linear::Linear;
use super::recurrent::{Cell, CellSpec, RecurrentStack, States};
use super::reference_file::{self, assert_close, assert_within};
use super::sequence::Sequence;
use crate::adam::Adam;
use crate::loss::{gaussian_nll, squared_error};
use crate::parameters::{ParameterShape, Parameters, to_vec};
use crate::random::{SeededRandom, Stream};
use crate::recurrence::gradients;
use crate::spec::{GruSpec, LstmSpec};
use crate::threads::use_one_thread;
use crate::trainer::descend;
use crate::training_spec::Optimizer;

/// A reference file and the numbers of its README row.
struct Case {
    file: &'static str,
    cell: Cell,
    /// Features, hidden values, layers.
    sizes: [usize; 3],
    bidirectional: bool,
    clip_norm: f64,
    losses: [f64; 3],
    gradient_norms: [f64; 3],
    nll: f64,
}

const CASES: [Case; 9] = [
    Case {
        file: "gru_l1",
        cell: Cell::Gru,
        sizes: [4, 6, 1],
        bidirectional: false,
        clip_norm: 1.0,
        losses: [1.214_402_914, 1.202_976_584, 1.191_578_507],
        gradient_norms: [2.619_792_700, 2.610_569_239, 2.601_343_155],
        nll: 2.492_724_180,
    },
    Case {
        file: "gru_l2",
        cell: Cell::Gru,
        sizes: [5, 8, 2],
        bidirectional: false,
        clip_norm: 1.0,
        losses: [1.034_253_359, 1.017_532_706, 1.001_139_998],
        gradient_norms: [1.976_665_735, 1.938_242_078, 1.900_251_627],
        nll: 1.375_400_066,
    },
    Case {
        file: "gru_l2_bi",
        cell: Cell::Gru,
        sizes: [5, 8, 2],
        bidirectional: true,
        clip_norm: 1.0,
        losses: [0.612_795_532, 0.591_906_071, 0.571_710_944],
        gradient_norms: [1.820_182_443, 1.750_403_285, 1.682_155_132],
        nll: 1.102_016_449,
    },
    Case {
        file: "gru_l2_h0_clip",
        cell: Cell::Gru,
        sizes: [3, 5, 2],
        bidirectional: false,
        clip_norm: 0.05,
        losses: [1.357_973_576, 1.342_561_126, 1.327_320_933],
        gradient_norms: [2.500_329_018, 2.473_753_452, 2.447_275_639],
        nll: 1.332_061_172,
    },
    Case {
        file: "lstm_l1",
        cell: Cell::Lstm,
        sizes: [4, 6, 1],
        bidirectional: false,
        clip_norm: 1.0,
        losses: [0.149_984_047, 0.148_177_072, 0.146_395_758],
        gradient_norms: [0.478_771_865, 0.471_334_279, 0.463_990_897],
        nll: 1.029_683_948,
    },
    Case {
        file: "lstm_l2",
        cell: Cell::Lstm,
        sizes: [5, 8, 2],
        bidirectional: false,
        clip_norm: 1.0,
        losses: [0.569_803_476, 0.567_795_277, 0.565_826_356],
        gradient_norms: [0.453_043_461, 0.443_352_878, 0.433_652_043],
        nll: 1.162_997_365,
    },
    Case {
        file: "lstm_l2_bi",
        cell: Cell::Lstm,
        sizes: [5, 8, 2],
        bidirectional: true,
        clip_norm: 1.0,
        losses: [1.335_206_032, 1.328_675_508, 1.322_200_298],
        gradient_norms: [0.786_565_900, 0.769_732_177, 0.752_895_594],
        nll: 1.726_811_409,
    },
    Case {
        file: "lstm_l2_h0_clip",
        cell: Cell::Lstm,
        sizes: [3, 5, 2],
        bidirectional: false,
        clip_norm: 0.05,
        losses: [0.290_899_366, 0.287_926_525, 0.284_985_244],
        gradient_norms: [0.880_984_426, 0.872_809_231, 0.864_708_424],
        nll: 1.090_183_854,
    },
    Case {
        file: "gru_article_size",
        cell: Cell::Gru,
        sizes: [10, 64, 2],
        bidirectional: false,
        clip_norm: 1.0,
        losses: [0.642_453_074, 0.580_349_267, 0.522_577_226],
        gradient_norms: [1.470_047_832, 1.336_220_384, 1.214_012_265],
        nll: 1.152_127_624,
    },
];

/// The cases that the kernel runs too.
fn plain_grus() -> impl Iterator<Item = &'static Case> {
    CASES.iter().filter(|case| case.cell == Cell::Gru && !case.bidirectional)
}

/// A loss of the last states, given all weights.
type Loss = fn(&Reference, &[Tensor], &Tensor) -> Tensor;

/// A reference network with the reference weights: the stack and the two heads `fc` and `fc2` behind it.
struct Reference {
    tensors: BTreeMap<String, Tensor>,
    stack: RecurrentStack,
    parameters: Parameters,
}

impl Reference {
    fn read(case: &Case) -> Self {
        use_one_thread();
        let (tensors, _) = reference_file::read(case.file);
        let [features, hidden_size, layers] = case.sizes;
        let spec = match case.cell {
            Cell::Gru => {
                CellSpec::from(&GruSpec { bidirectional: case.bidirectional, ..GruSpec::new(hidden_size, layers) })
            }
            Cell::Lstm => {
                CellSpec::from(&LstmSpec { bidirectional: case.bidirectional, ..LstmSpec::new(hidden_size, layers) })
            }
        };
        let mut layout = Layout::new(SeededRandom::new(0, Stream::Weights));
        let stack = RecurrentStack::build(&spec, features, "rnn", &mut layout);
        for (name, rows) in [("fc", 1), ("fc2", 2)] {
            Linear::unbiased(name, stack.width(), rows, &mut layout);
        }
        let shapes = layout.finish(tch::Device::Cpu).shapes().to_vec();
        let reference = |shape: &ParameterShape| tensors[&format!("w.{}", short(&shape.name))].view(-1);
        let flat = Tensor::cat(&shapes.iter().map(reference).collect::<Vec<_>>(), 0);
        let parameters = Parameters::new(shapes, &to_vec(&flat), tch::Device::Cpu);
        Self { tensors, stack, parameters }
    }

    /// Returns the input `[B, T, F]`, as a leaf that takes a gradient.
    fn input(&self) -> Tensor {
        self.tensors["input"].copy().set_requires_grad(true)
    }

    fn forward(&self, weights: &[Tensor], input: &Tensor) -> States {
        let initial = |name: &str| self.tensors.get(name).map(|states| states.unbind(0));
        let initial: Option<Vec<Vec<Tensor>>> =
            initial("h0").map(|states| [Some(states), initial("c0")].into_iter().flatten().collect());
        self.stack.forward(weights, &Sequence::new(input, None), initial.as_deref(), None)
    }

    /// Returns the last step's outputs.
    fn last(&self, weights: &[Tensor], input: &Tensor) -> Tensor {
        self.forward(weights, input).steps.last()
    }

    fn mse(&self, input: &Tensor) -> Tensor {
        let weights = self.parameters.views();
        self.mse_of_states(&weights, &self.last(&weights, input))
    }

    fn nll(&self, input: &Tensor) -> Tensor {
        let weights = self.parameters.views();
        self.nll_of_states(&weights, &self.last(&weights, input))
    }

    fn mse_of_states(&self, weights: &[Tensor], states: &Tensor) -> Tensor {
        let [.., weight, bias, _, _] = weights else { panic!("two heads of two weights") };
        squared_error(&states.linear(weight, Some(bias)), &self.tensors["y"]).mean(Kind::Float)
    }

    fn nll_of_states(&self, weights: &[Tensor], states: &Tensor) -> Tensor {
        let [.., weight, bias] = weights else { panic!("two heads of two weights") };
        let raw = states.linear(weight, Some(bias));
        let variance = raw.narrow(1, 1, 1).softplus() + 1e-6;
        gaussian_nll(&raw.narrow(1, 0, 1), &variance, &self.tensors["y"]).mean(Kind::Float)
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
            assert_close(&gradients[1], expected, "gradient of the input");
        }
    }
}

/// The reference names the stack's weights without a module.
fn short(name: &str) -> &str {
    name.trim_start_matches("rnn.")
}

#[test]
fn states_equal_pytorchs() {
    for case in &CASES {
        let reference = Reference::read(case);
        let States { steps, last } = reference.forward(&reference.parameters.views(), &reference.input());
        assert_close(&steps.values.transpose(0, 1), &reference.tensors["output"], case.file);
        assert_close(&Tensor::stack(&last, 0), &reference.tensors["h_n"], case.file);
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
    for case in plain_grus() {
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
    for case in plain_grus() {
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
            // Adam's steps do not shrink with their gradient, so the rounding error of a tiny one moves a weight of the large network
            // by more than itself.
            assert_within(5e-6, weight, moved.unwrap_or(&self.tensors[&format!("w.{name}")]), name);
        }
    }
}
