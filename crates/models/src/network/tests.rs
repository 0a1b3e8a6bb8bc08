//! Layouts, and the computation against plain loops.

use tch::Tensor;

use super::*;
use crate::fixture;
use crate::parameters::to_vec;
use crate::spec::{Encoder, GruSpec};

impl NetworkOutput {
    /// Returns the expected values.
    pub(crate) fn mean(&self) -> &Tensor {
        match self {
            Self::Point { mean } | Self::Gaussian { mean, .. } | Self::StudentT { location: mean, .. } => mean,
            Self::Quantiles { values, .. } => values,
        }
    }
}

impl Network {
    /// Runs the whole network in libtorch on full windows `[B, T, F]` per scale.
    fn forward(&self, weights: &[Tensor], inputs: &[Tensor], masks: Option<&mut DropoutMasks>) -> NetworkOutput {
        let mut masks = masks;
        let windows = WindowTensors { inputs, lengths: &vec![None; inputs.len()] };
        let vectors = self.encode(weights, windows, masks.as_deref_mut());
        let symbols = Tensor::zeros([vectors.size()[0]], (tch::Kind::Int64, tch::Device::Cpu));
        self.read(weights, &vectors, &symbols, masks)
    }
}

/// Values of one weight by name.
fn weight(parameters: &Parameters, name: &str) -> Vec<f64> {
    let place = parameters.shapes().iter().position(|shape| shape.name == name).expect("a weight of the network");
    to_vec(&parameters.views()[place]).into_iter().map(f64::from).collect()
}

fn sigmoid(value: f64) -> f64 {
    1.0 / (1.0 + (-value).exp())
}

/// `W x + b`, row by row.
fn affine(weights: &[f64], biases: &[f64], input: &[f64]) -> Vec<f64> {
    let dot = |row: &[f64]| row.iter().zip(input).map(|(weight, value)| weight * value).sum::<f64>();
    weights.chunks(input.len()).zip(biases).map(|(row, bias)| dot(row) + bias).collect()
}

/// The equations of the `gru` module's documentation in plain loops; returns the states of every step.
fn reference_layer(parameters: &Parameters, module: &str, layer: usize, input: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let [w_ih, w_hh, b_ih, b_hh] = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
        .map(|kind| weight(parameters, &format!("{module}.{kind}_l{layer}")));
    let hidden = b_ih.len() / 3;
    let mut state = vec![0.0; hidden];
    let step = |features: &Vec<f64>| {
        let (from_input, from_state) = (affine(&w_ih, &b_ih, features), affine(&w_hh, &b_hh, &state));
        state = (0..hidden)
            .map(|i| {
                let reset = sigmoid(from_input[i] + from_state[i]);
                let update = sigmoid(from_input[hidden + i] + from_state[hidden + i]);
                let new = (from_input[2 * hidden + i] + reset * from_state[2 * hidden + i]).tanh();
                (1.0 - update) * new + update * state[i]
            })
            .collect();
        state.clone()
    };
    input.iter().map(step).collect()
}

#[test]
fn weights_have_pytorchs_names_and_shapes() {
    let (_, parameters) = Network::build(&fixture::point(), 1, tch::Device::Cpu);
    let listed: Vec<(&str, &[i64])> =
        parameters.shapes().iter().map(|shape| (shape.name.as_str(), shape.shape.as_slice())).collect();
    let expected: [(&str, &[i64]); 6] = [
        ("gru.weight_ih_l0", &[36, 3]),
        ("gru.weight_hh_l0", &[36, 12]),
        ("gru.bias_ih_l0", &[36]),
        ("gru.bias_hh_l0", &[36]),
        ("head.weight", &[1, 12]),
        ("head.bias", &[1]),
    ];
    assert_eq!(listed, expected);
}

#[test]
fn two_scales_fused_into_a_distribution_equal_the_equations_in_plain_loops() {
    let (network, parameters) = Network::build(&fixture::gaussian(), 3, tch::Device::Cpu);
    let windows = fixture::learnable(1, 2, 4);
    let inputs: Vec<Tensor> = windows
        .scales
        .iter()
        .map(|scale| Tensor::from_slice(&scale.values).view([1, scale.steps as i64, scale.features as i64]))
        .collect();
    let output = network.forward(&parameters.views(), &inputs, None);
    let mut joined = Vec::new();
    for (scale, block) in windows.scales.iter().enumerate() {
        let steps = block.values.chunks(block.features).map(|step| step.iter().copied().map(f64::from).collect());
        let module = format!("gru.{scale}");
        let first = reference_layer(&parameters, &module, 0, &steps.collect::<Vec<_>>());
        let second = reference_layer(&parameters, &module, 1, &first);
        joined.extend(second[block.steps - 1].clone());
    }
    let fused = affine(&weight(&parameters, "fusion.weight"), &weight(&parameters, "fusion.bias"), &joined);
    let hidden: Vec<f64> = fused.into_iter().map(|value| value.max(0.0)).collect();
    let raw = affine(&weight(&parameters, "head.weight"), &weight(&parameters, "head.bias"), &hidden);
    let NetworkOutput::Gaussian { mean, variance } = output else { panic!("a Gaussian head") };
    let variance = variance.double_value(&[0, 0]);
    assert!((mean.double_value(&[0, 0]) - raw[0]).abs() < 1e-6);
    assert!((variance - (raw[1].exp().ln_1p() + 1e-4)).abs() < 1e-6, "{variance}");
}

#[test]
fn the_update_gate_bias_lies_on_the_middle_third_of_one_vector() {
    let (_, parameters) = Network::build(&fixture::gaussian(), 3, tch::Device::Cpu);
    for scale_and_layer in ["0.bias_ih_l0", "0.bias_ih_l1", "1.bias_ih_l0", "1.bias_ih_l1"] {
        let biases = weight(&parameters, &format!("gru.{scale_and_layer}"));
        let expected: Vec<f64> = (0..24).map(|row| if (8..16).contains(&row) { 1.0 } else { 0.0 }).collect();
        assert_eq!(biases, expected);
    }
    assert_eq!(weight(&parameters, "gru.0.bias_hh_l0"), vec![0.0; 24]);
}

#[test]
fn a_large_update_gate_keeps_the_past() {
    let gru = GruSpec { update_gate_bias: Some(30.0), ..GruSpec::new(12, 1) };
    let spec = NetworkSpec { encoder: Encoder::Gru(gru), ..fixture::point() };
    let (network, parameters) = Network::build(&spec, 1, tch::Device::Cpu);
    let input = Tensor::ones([1, 50, 3], (tch::Kind::Float, tch::Device::Cpu));
    // The state stays at its start, zero, so only the head's bias, zero too, is left.
    let mean = network.forward(&parameters.views(), &[input], None).mean().double_value(&[0, 0]);
    assert!(mean.abs() < 1e-6, "{mean}");
}

#[test]
fn dropout_acts_in_training_and_is_off_in_evaluation() {
    let spec = fixture::gaussian();
    let (network, parameters) = Network::build(&spec, 3, tch::Device::Cpu);
    let mut without = spec;
    without.encoder =
        Encoder::MultiScaleGru(GruSpec { dropout: 0.0, ..without.encoder.gru().expect("GRU layers").clone() });
    let (network_without, _) = Network::build(&without, 3, tch::Device::Cpu);
    let inputs: Vec<Tensor> = fixture::SCALES
        .map(|(steps, features)| Tensor::ones([5, steps as i64, features as i64], (tch::Kind::Float, tch::Device::Cpu)))
        .into();
    let mean = |network: &Network, masks: Option<&mut DropoutMasks>| {
        to_vec(network.forward(&parameters.views(), &inputs, masks).mean())
    };
    let evaluated = mean(&network, None);
    assert_eq!(evaluated, mean(&network, None));
    assert_eq!(evaluated, mean(&network_without, None));
    let mut masks = DropoutMasks::new(1);
    let trained = mean(&network, Some(&mut masks));
    assert_ne!(trained, evaluated);
    assert_ne!(trained, mean(&network, Some(&mut masks)));
}
