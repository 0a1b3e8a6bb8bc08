//! The weights of one direction of a recurrent layer: how they start and how steps are taken with them.

use tch::Tensor;

use super::{Cell, RecurrentStack};
use crate::initial_weights::{orthogonal, uniform, xavier_uniform};
use crate::network::layer_norm::EPSILON;
use crate::network::layout::Layout;
use crate::random::SeededRandom;
use crate::spec::{GruSpec, Init, LstmSpec};

/// `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`.
const COUNT: usize = 4;

/// What GRU and LSTM layers are made from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CellSpec {
    pub(crate) cell: Cell,
    pub(crate) hidden_size: usize,
    pub(crate) layers: usize,
    pub(crate) dropout: f64,
    pub(crate) zoneout: f64,
    pub(crate) bidirectional: bool,
    layer_norm: bool,
    init: Init,
    /// Added to the second gate of `bias_ih`, which in both kinds keeps the past.
    keep_bias: f64,
}

impl From<&GruSpec> for CellSpec {
    fn from(spec: &GruSpec) -> Self {
        let &GruSpec {
            hidden_size, layers, dropout, zoneout, bidirectional, layer_norm, init, update_gate_bias, ..
        } = spec;
        let keep_bias = update_gate_bias.unwrap_or(0.0);
        let cell = Cell::Gru;
        Self { cell, hidden_size, layers, dropout, zoneout, bidirectional, layer_norm, init, keep_bias }
    }
}

impl From<&LstmSpec> for CellSpec {
    fn from(spec: &LstmSpec) -> Self {
        let &LstmSpec {
            hidden_size, layers, dropout, zoneout, bidirectional, layer_norm, init, forget_gate_bias, ..
        } = spec;
        let keep_bias = forget_gate_bias.unwrap_or(0.0);
        let cell = Cell::Lstm;
        Self { cell, hidden_size, layers, dropout, zoneout, bidirectional, layer_norm, init, keep_bias }
    }
}

/// Where the weights of one direction of a layer lie among a network's.
#[derive(Debug, Clone)]
pub(super) struct LayerWeights {
    first: usize,
    /// Gains of the two products, `[gates * H]` each, with layer normalisation.
    gains: Option<[usize; 2]>,
}

impl LayerWeights {
    /// Appends the weights, and the gains behind them.
    pub(super) fn build(spec: &CellSpec, inputs: usize, module: &str, suffix: &str, layout: &mut Layout) -> Self {
        let (gates, hidden) = (spec.cell.gates(), spec.hidden_size);
        let rows = gates * hidden;
        let name = |kind: &str| format!("{module}.{kind}_{suffix}");
        let [from_input, from_state] = spec.draw(inputs, &mut layout.random);
        let first = layout.push(name("weight_ih"), &[rows, inputs], from_input);
        layout.push(name("weight_hh"), &[rows, hidden], from_state);
        let [input_biases, state_biases] = spec.draw_biases(&mut layout.random);
        layout.push(name("bias_ih"), &[rows], input_biases);
        layout.push(name("bias_hh"), &[rows], state_biases);
        let gains = ["norm_ih", "norm_hh"];
        let gains = spec.layer_norm.then(|| gains.map(|kind| layout.push_constant(name(kind), rows, 1.0)));
        Self { first, gains }
    }

    /// Runs all steps of `[T, B, F]`; returns the states at every step, `[T, B, H]`.
    ///
    /// `zoneout` is where states keep their last value: in training only, and empty without zoneout.
    pub(super) fn run(
        &self,
        stack: &RecurrentStack,
        weights: &[Tensor],
        input: &Tensor,
        initial: &[Tensor],
        zoneout: Option<&[Tensor]>,
    ) -> Tensor {
        let own = &weights[self.first..self.first + COUNT];
        if self.gains.is_none() && stack.zoneout == 0.0 {
            return stack.cell.run(input, initial, own, zoneout.is_some());
        }
        let product = |side: usize, values: &Tensor| match self.gains {
            None => values.linear(&own[side], Some(&own[2 + side])),
            Some(gains) => {
                let products = values.linear(&own[side], None::<&Tensor>);
                normalized(&products, stack.hidden_size) * &weights[gains[side]] + &own[2 + side]
            }
        };
        let from_input = product(0, input);
        let mut states: Vec<Tensor> = initial.iter().map(Tensor::shallow_clone).collect();
        let mut steps = Vec::new();
        for step in 0..input.size()[0] {
            let next = stack.cell.step(&from_input.select(0, step), &product(1, &states[0]), &states);
            states = next
                .into_iter()
                .zip(&states)
                .enumerate()
                .map(|(state, (next, before))| match zoneout {
                    _ if stack.zoneout == 0.0 => next,
                    None => &next + stack.zoneout * (before - &next),
                    Some(kept) => &next + kept[state].select(0, step) * (before - &next),
                })
                .collect();
            steps.push(states[0].shallow_clone());
        }
        Tensor::stack(&steps, 0)
    }
}

/// Normalises each gate over its values: the last dimension is `gates * H`.
fn normalized(products: &Tensor, hidden_size: usize) -> Tensor {
    let size = products.size();
    let mut by_gate = size.clone();
    by_gate.pop();
    by_gate.extend([-1, hidden_size as i64]);
    let normalized = products.view(by_gate.as_slice()).layer_norm(
        hidden_size as i64,
        None::<&Tensor>,
        None::<&Tensor>,
        EPSILON,
        false,
    );
    normalized.view(size.as_slice())
}

impl CellSpec {
    /// Draws `weight_ih` and `weight_hh`, gate by gate.
    fn draw(&self, inputs: usize, random: &mut SeededRandom) -> [Vec<f32>; 2] {
        let hidden = self.hidden_size;
        let mut draw = |columns: usize, recurrent: bool| -> Vec<f32> {
            let one = |random: &mut SeededRandom| match self.init {
                Init::XavierOrthogonal if recurrent => orthogonal(hidden, columns, random),
                Init::Orthogonal => orthogonal(hidden, columns, random),
                Init::XavierOrthogonal | Init::Xavier => xavier_uniform(hidden, columns, random),
                Init::Pytorch => uniform(hidden * columns, self.pytorch_bound(), random),
            };
            (0..self.cell.gates()).flat_map(|_| one(random)).collect()
        };
        [draw(inputs, false), draw(hidden, true)]
    }

    /// Draws `bias_ih`, with the bias that keeps the past on its second gate, and `bias_hh`.
    fn draw_biases(&self, random: &mut SeededRandom) -> [Vec<f32>; 2] {
        let rows = self.cell.gates() * self.hidden_size;
        let mut draw = || match self.init {
            Init::Pytorch => uniform(rows, self.pytorch_bound(), random),
            Init::XavierOrthogonal | Init::Xavier | Init::Orthogonal => vec![0.0; rows],
        };
        let mut biases = [draw(), draw()];
        let keeping = &mut biases[0][self.hidden_size..2 * self.hidden_size];
        for bias in keeping {
            *bias += self.keep_bias as f32;
        }
        biases
    }

    fn pytorch_bound(&self) -> f64 {
        1.0 / (self.hidden_size as f64).sqrt()
    }
}
