//! A network: encoder, fusion of scales, head.

use tch::Tensor;
use tidegate_recurrence::StackShape;

use crate::dropout::DropoutMasks;
use crate::gru::GruStack;
use crate::initial_weights::xavier_uniform;
use crate::parameters::{ParameterShape, Parameters};
use crate::random::{SeededRandom, Stream};
use crate::spec::{Encoder, Head, NetworkSpec};

/// `ln(e - 1)`: the raw value at which softplus gives 1, the variance of a standardised target.
const SOFTPLUS_INVERSE_OF_1: f32 = 0.541_324_85;

/// A network's structure; its weights are in [`Parameters`].
#[derive(Debug, Clone)]
pub(crate) struct Network {
    stacks: Vec<GruStack>,
    fusion: Option<Linear>,
    head: Linear,
    variance_floor: Option<f64>,
}

/// What a network says about a batch, in the targets' standardised units.
#[derive(Debug)]
pub(crate) struct NetworkOutput {
    /// Expected values, `[B]`.
    pub(crate) mean: Tensor,
    /// Variances, `[B]`; `None` for a point head.
    pub(crate) variance: Option<Tensor>,
}

impl NetworkOutput {
    /// Returns the first samples of the batch.
    pub(crate) fn first(&self, count: i64) -> Self {
        let first = |tensor: &Tensor| tensor.narrow(0, 0, count);
        Self { mean: first(&self.mean), variance: self.variance.as_ref().map(first) }
    }
}

impl Network {
    /// Lays out a valid specification and draws its initial weights from a seed.
    pub(crate) fn build(spec: &NetworkSpec, seed: u64, device: tch::Device) -> (Self, Parameters) {
        let mut random = SeededRandom::new(seed, Stream::Weights);
        let (mut shapes, mut values) = (Vec::new(), Vec::new());
        let gru = spec.encoder.gru();
        let fused = matches!(spec.encoder, Encoder::MultiScaleGru(_));
        let stacks: Vec<GruStack> = spec
            .feature_counts
            .iter()
            .enumerate()
            .map(|(scale, &features)| {
                let module = if fused { format!("gru.{scale}") } else { "gru".to_owned() };
                GruStack::build(gru, features, &module, &mut shapes, &mut values, &mut random)
            })
            .collect();
        let hidden = gru.hidden_size;
        let mut linear = |name: &str, inputs: usize, biases: &[f32]| {
            Linear::build(name, inputs, biases, &mut shapes, &mut values, &mut random)
        };
        let fusion = fused.then(|| linear("fusion", stacks.len() * hidden, &vec![0.0; hidden]));
        let (head, variance_floor) = match spec.head {
            Head::Point => (linear("head", hidden, &[0.0]), None),
            Head::Gaussian { variance_floor } => {
                (linear("head", hidden, &[0.0, SOFTPLUS_INVERSE_OF_1]), Some(variance_floor))
            }
        };
        (Self { stacks, fusion, head, variance_floor }, Parameters::new(shapes, &values, device))
    }

    /// Returns the sizes of the GRU stacks, one per scale; their weights come first, in this order.
    pub(crate) fn stack_shapes(&self) -> impl Iterator<Item = StackShape> {
        self.stacks.iter().map(GruStack::shape)
    }

    /// Runs the GRU stacks in libtorch and returns each one's last state; `masks` are given in training only.
    ///
    /// # Shapes
    /// `inputs` is one `[T, B, F]` per scale, the result one `[B, H]`.
    pub(crate) fn last_states(
        &self,
        weights: &[Tensor],
        inputs: &[Tensor],
        mut masks: Option<&mut DropoutMasks>,
    ) -> Vec<Tensor> {
        let last = |(stack, input): (&GruStack, &Tensor)| {
            let (_, mut states) = stack.forward(weights, input, None, masks.as_deref_mut());
            states.pop().expect("a stack has at least one layer")
        };
        self.stacks.iter().zip(inputs).map(last).collect()
    }

    /// Runs fusion and head on the stacks' last states.
    ///
    /// # Shapes
    /// `last_states` is one `[B, H]` per scale.
    pub(crate) fn read_states(&self, weights: &[Tensor], last_states: &[Tensor]) -> NetworkOutput {
        let hidden = match &self.fusion {
            None => last_states[0].shallow_clone(),
            Some(fusion) => fusion.forward(weights, &Tensor::cat(last_states, 1)).relu(),
        };
        let raw = self.head.forward(weights, &hidden);
        NetworkOutput {
            mean: raw.select(1, 0),
            variance: self.variance_floor.map(|floor| raw.select(1, 1).softplus() + floor),
        }
    }
}

/// A linear layer: where its weight and bias lie among a network's.
#[derive(Debug, Clone)]
struct Linear {
    weight: usize,
}

impl Linear {
    /// Appends a Xavier-uniform weight `[outputs, inputs]` and the given biases.
    fn build(
        name: &str,
        inputs: usize,
        biases: &[f32],
        shapes: &mut Vec<ParameterShape>,
        values: &mut Vec<f32>,
        random: &mut SeededRandom,
    ) -> Self {
        let weight = shapes.len();
        shapes.push(ParameterShape::new(format!("{name}.weight"), &[biases.len(), inputs]));
        shapes.push(ParameterShape::new(format!("{name}.bias"), &[biases.len()]));
        values.extend(xavier_uniform(biases.len(), inputs, random));
        values.extend(biases);
        Self { weight }
    }

    fn forward(&self, weights: &[Tensor], input: &Tensor) -> Tensor {
        input.linear(&weights[self.weight], Some(&weights[self.weight + 1]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::parameters::to_vec;
    use crate::spec::GruSpec;

    impl Network {
        /// Runs the whole network in libtorch on `[T, B, F]` per scale.
        fn forward(&self, weights: &[Tensor], inputs: &[Tensor], masks: Option<&mut DropoutMasks>) -> NetworkOutput {
            self.read_states(weights, &self.last_states(weights, inputs, masks))
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
            .map(|scale| Tensor::from_slice(&scale.values).view([scale.steps as i64, 1, scale.features as i64]))
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
        let variance = output.variance.expect("a Gaussian head").double_value(&[0]);
        assert!((output.mean.double_value(&[0]) - raw[0]).abs() < 1e-6);
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
        let gru = GruSpec { hidden_size: 12, layers: 1, dropout: 0.0, update_gate_bias: Some(30.0) };
        let spec = NetworkSpec { encoder: Encoder::Gru(gru), ..fixture::point() };
        let (network, parameters) = Network::build(&spec, 1, tch::Device::Cpu);
        let input = Tensor::ones([50, 1, 3], (tch::Kind::Float, tch::Device::Cpu));
        // The state stays at its start, zero, so only the head's bias, zero too, is left.
        let mean = network.forward(&parameters.views(), &[input], None).mean.double_value(&[0]);
        assert!(mean.abs() < 1e-6, "{mean}");
    }

    #[test]
    fn a_fresh_gaussian_head_starts_near_the_variance_of_a_standardised_target() {
        assert!((f64::from(SOFTPLUS_INVERSE_OF_1).exp().ln_1p() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn dropout_acts_in_training_and_is_off_in_evaluation() {
        let spec = fixture::gaussian();
        let (network, parameters) = Network::build(&spec, 3, tch::Device::Cpu);
        let mut without = spec;
        without.encoder = Encoder::MultiScaleGru(GruSpec { dropout: 0.0, ..without.encoder.gru().clone() });
        let (network_without, _) = Network::build(&without, 3, tch::Device::Cpu);
        let inputs: Vec<Tensor> = fixture::SCALES
            .map(|(steps, features)| {
                Tensor::ones([steps as i64, 5, features as i64], (tch::Kind::Float, tch::Device::Cpu))
            })
            .into();
        let mean = |network: &Network, masks: Option<&mut DropoutMasks>| {
            to_vec(&network.forward(&parameters.views(), &inputs, masks).mean)
        };
        let evaluated = mean(&network, None);
        assert_eq!(evaluated, mean(&network, None));
        assert_eq!(evaluated, mean(&network_without, None));
        let mut masks = DropoutMasks::new(0.25, 1);
        let trained = mean(&network, Some(&mut masks));
        assert_ne!(trained, evaluated);
        assert_ne!(trained, mean(&network, Some(&mut masks)));
    }
}
