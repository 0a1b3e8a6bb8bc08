//! A look inside a trained network: weights, gates, hidden values that say nothing, and forecasts that do not vary.

use tch::{Kind, Tensor};
use tidegate_forecast::{GateActivation, GateActivations, NetworkDiagnostics, WeightNorm, WindowBlock};

use crate::network::Network;
use crate::parameters::{Parameters, to_vec};
use crate::samples::{Batch, SampleTensors, to_doubles};
use crate::target::TargetScale;

/// Samples that are looked at, spread evenly over the set: enough for shares, and quick beside an epoch.
const SAMPLES_MAX: usize = 512;

/// Samples that are looked at together.
const BATCH: usize = 128;

/// Hidden values, which are of order 1, whose standard deviation over samples is below this are dead.
const DEAD_BELOW: f64 = 1e-5;

/// Forecasts whose standard deviation over samples is below this share of the targets' are as good as constant.
const CONSTANT_BELOW: f64 = 1e-3;

/// Bins of a gate's histogram.
const BINS: usize = 10;

/// Looks at a network on a set of samples.
pub(crate) fn look_inside(
    network: &Network,
    parameters: &Parameters,
    samples: &SampleTensors,
    padded_share: f64,
) -> NetworkDiagnostics {
    let _guard = tch::no_grad_guard();
    let places: Vec<i64> = (0..samples.len() as i64).step_by(samples.len().div_ceil(SAMPLES_MAX).max(1)).collect();
    let views = parameters.views();
    let mut stacks = gated_stacks(network, parameters);
    let (mut vectors, mut means) = (Vec::new(), Vec::new());
    for places in places.chunks(BATCH) {
        let batch = samples.pick(places);
        let encoded = network.encode(&views, batch.windows(), None);
        let unit = vec![TargetScale { mean: 0.0, standard_deviation: 1.0 }; batch.scales.len()];
        let forecasts = network.read(&views, &encoded, &batch.symbols, None).predictives(&unit);
        means.extend(forecasts.iter().map(|forecast| forecast.mean));
        vectors.push(encoded);
        if !stacks.is_empty() {
            for part in batch.split_by_lengths() {
                for stack in &mut stacks {
                    stack.read(&views, &part);
                }
            }
        }
    }
    let means = Tensor::from_slice(&means).view([places.len() as i64, -1]);
    NetworkDiagnostics {
        weights: weight_norms(parameters),
        gates: stacks.iter().flat_map(GatedStack::activations).collect(),
        dead_hidden_share: network.has_hidden_values().then(|| dead_share(&Tensor::cat(&vectors, 0))),
        forecast_deviation: deviations(&means),
        padded_share,
    }
}

/// Returns what looks wrong, a sentence each.
pub(crate) fn warnings(diagnostics: &NetworkDiagnostics, train: &[WindowBlock]) -> Vec<String> {
    let mut found = constant_features(train);
    for (horizon, deviation) in diagnostics.forecast_deviation.iter().enumerate() {
        if *deviation < CONSTANT_BELOW {
            found.push(format!(
                "forecasts of horizon `{horizon}` hardly vary: their standard deviation is `{deviation:.1e}` of the targets'"
            ));
        }
    }
    if let Some(share) = diagnostics.dead_hidden_share.filter(|share| *share > 0.5) {
        found.push(format!("`{:.0}` percent of the hidden values are the same for every sample", 100.0 * share));
    }
    found
}

/// Names the features that have the same value in every valid step of every window.
fn constant_features(blocks: &[WindowBlock]) -> Vec<String> {
    let mut found = Vec::new();
    for (scale, block) in blocks.iter().enumerate() {
        let windows = block.values.chunks(block.steps * block.features).enumerate();
        let mut valid = windows.flat_map(|(place, window)| {
            let steps = block.lengths.get(place).map_or(block.steps, |&length| length as usize);
            window[(block.steps - steps) * block.features..].chunks(block.features)
        });
        let Some(first) = valid.next() else { continue };
        let mut varies = vec![false; block.features];
        for step in valid {
            varies
                .iter_mut()
                .zip(step.iter().zip(first))
                .for_each(|(varies, (value, first))| *varies |= value != first);
        }
        let constant = varies.iter().enumerate().filter(|(_, varies)| !**varies);
        found.extend(constant.map(|(feature, _)| {
            format!("feature column `{feature}` of scale `{scale}` is `{}` in every training window", first[feature])
        }));
    }
    found
}

fn weight_norms(parameters: &Parameters) -> Vec<WeightNorm> {
    let norm = |view: &Tensor| view.to_kind(Kind::Double).norm().double_value(&[]);
    let named = parameters.shapes().iter().zip(parameters.views());
    named.map(|(shape, view)| WeightNorm { name: shape.name.clone(), norm: norm(&view) }).collect()
}

/// Returns the share of values that hardly differ between samples, of vectors `[N, V]`.
fn dead_share(vectors: &Tensor) -> f64 {
    let deviations = deviations(vectors);
    deviations.iter().filter(|deviation| **deviation < DEAD_BELOW).count() as f64 / deviations.len() as f64
}

/// Returns the standard deviation (divisor n) of every column of `[N, V]`.
fn deviations(rows: &Tensor) -> Vec<f64> {
    let rows = rows.to_kind(Kind::Double);
    let mean = rows.mean_dim(0, true, Kind::Double);
    to_doubles(&(&rows - mean).square().mean_dim(0, false, Kind::Double).sqrt())
}

/// The gates of one stack of plain GRU layers, computed anew from its weights by the equations of PyTorch's GRU.
struct GatedStack {
    scale: usize,
    layers: Vec<GatedLayer>,
}

struct GatedLayer {
    name: String,
    /// Place of `weight_ih` among the network's weights; `weight_hh`, `bias_ih` and `bias_hh` follow.
    first_weight: usize,
    hidden: i64,
    /// Of the reset and the update gate.
    sums: [GateSums; 2],
}

#[derive(Default)]
struct GateSums {
    sum: f64,
    counts: [f64; BINS],
}

/// Finds the layers by their weights' names: `gru.weight_ih_l0` of one scale, `gru.0.weight_ih_l0` of several.
///
/// Only plain layers that read the windows themselves are looked at.
fn gated_stacks(network: &Network, parameters: &Parameters) -> Vec<GatedStack> {
    let scales = network.plain_stacks().map_or(0, |(stacks, _)| stacks.len());
    let mut stacks: Vec<GatedStack> = (0..scales).map(|scale| GatedStack { scale, layers: Vec::new() }).collect();
    for (place, shape) in parameters.shapes().iter().enumerate() {
        let Some((module, layer)) = shape.name.split_once(".weight_ih_") else { continue };
        let scale = module.strip_prefix("gru.").map_or(Some(0), |scale| scale.parse().ok());
        let Some(stack) = scale.and_then(|scale: usize| stacks.get_mut(scale)) else { continue };
        stack.layers.push(GatedLayer {
            name: format!("{module}.{layer}"),
            first_weight: place,
            hidden: shape.shape[0] / 3,
            sums: Default::default(),
        });
    }
    stacks
}

impl GatedStack {
    /// Runs full windows through the stack.
    fn read(&mut self, weights: &[Tensor], batch: &Batch) {
        let mut inputs = batch.inputs[self.scale].transpose(0, 1).contiguous();
        for layer in &mut self.layers {
            inputs = layer.read(weights, &inputs);
        }
    }

    fn activations(&self) -> impl Iterator<Item = GateActivations> {
        self.layers.iter().map(|layer| {
            let [reset, update] = layer.sums.each_ref().map(GateSums::activation);
            GateActivations { layer: layer.name.clone(), update, reset }
        })
    }
}

impl GatedLayer {
    /// Adds the gates at every step of `[T, B, F]` and returns the states, `[T, B, H]`.
    fn read(&mut self, weights: &[Tensor], inputs: &Tensor) -> Tensor {
        let [of_input, of_state, input_bias, state_bias] =
            [0, 1, 2, 3].map(|place| &weights[self.first_weight + place]);
        let start = Tensor::zeros([1, inputs.size()[1], self.hidden], (Kind::Float, inputs.device()));
        let own = &weights[self.first_weight..self.first_weight + 4];
        let (has_biases, layers, dropout, train, bidirectional, batch_first) = (true, 1, 0.0, false, false, false);
        let (states, _) = inputs.gru(&start, own, has_biases, layers, dropout, train, bidirectional, batch_first);
        let before = Tensor::cat(&[&start, &states.narrow(0, 0, states.size()[0] - 1)], 0);
        let from_input = inputs.linear(of_input, Some(input_bias));
        let from_state = before.linear(of_state, Some(state_bias));
        for (gate, sums) in self.sums.iter_mut().enumerate() {
            let rows = |sum: &Tensor| sum.narrow(2, gate as i64 * self.hidden, self.hidden);
            sums.add(&(rows(&from_input) + rows(&from_state)).sigmoid());
        }
        states
    }
}

impl GateSums {
    fn add(&mut self, gate: &Tensor) {
        self.sum += gate.sum(Kind::Double).double_value(&[]);
        let bins = (gate * BINS as f64).floor().clamp(0.0, (BINS - 1) as f64).to_kind(Kind::Int64).view(-1);
        let counts = to_vec(&bins.bincount(None::<Tensor>, BINS as i64));
        self.counts.iter_mut().zip(counts).for_each(|(sum, count)| *sum += f64::from(count));
    }

    fn activation(&self) -> GateActivation {
        let count: f64 = self.counts.iter().sum();
        GateActivation { mean: self.sum / count, histogram: self.counts.map(|bin| bin / count) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{gaussian, learnable, point, ragged};
    use crate::spec::{Encoder, GruSpec, LinearSpec, NetworkSpec};

    fn looked_at(spec: &NetworkSpec, change: impl FnOnce(&mut Parameters)) -> NetworkDiagnostics {
        let windows = if spec.feature_counts.len() == 1 { learnable(40, 1, 1) } else { ragged(40, 1) };
        let (network, mut parameters) = Network::build(spec, 3, tch::Device::Cpu);
        change(&mut parameters);
        let scales = TargetScale::of(&windows).expect("labels");
        let samples = SampleTensors::new(&windows, "validation", &spec.feature_counts, Some(&scales), tch::Device::Cpu)
            .expect("finite");
        look_inside(&network, &parameters, &samples, 0.25)
    }

    #[test]
    fn gates_follow_the_equations_on_paper() {
        // One feature, one hidden value, rows reset, update, new: W_i = 1, 2, 3, W_h = 0.5, -1, 0.25, no biases; x = 1, -1.
        // First step: r = s(1) = 0.731059, z = s(2) = 0.880797, n = tanh(3), h = (1 - z) n = 0.118614.
        // Second: r = s(-1 + 0.5 h) = 0.280760, z = s(-2 - h) = 0.107301.
        let spec = NetworkSpec { encoder: Encoder::Gru(GruSpec::new(1, 1)), feature_counts: vec![1], ..point() };
        let (network, mut parameters) = Network::build(&spec, 3, tch::Device::Cpu);
        let values = [1.0, 2.0, 3.0, 0.5, -1.0, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0_f32];
        parameters.assign(&Tensor::from_slice(&values));
        let mut stack = gated_stacks(&network, &parameters).pop().expect("one scale");
        let layer = &mut stack.layers[0];
        let _ = layer.read(&parameters.views(), &Tensor::from_slice(&[1.0_f32, -1.0]).view([2, 1, 1]));
        let found = stack.activations().next().expect("one layer");
        assert_eq!(found.layer, "gru.l0");
        assert!((found.reset.mean - 0.731_059_f64.midpoint(0.280_760)).abs() < 1e-5, "{found:?}");
        assert!((found.update.mean - 0.880_797_f64.midpoint(0.107_301)).abs() < 1e-5, "{found:?}");
        assert_eq!(found.reset.histogram, [0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0]);
        assert_eq!(found.update.histogram, [0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0]);
    }

    #[test]
    fn gates_of_every_layer_and_scale_are_found_and_padding_is_not_looked_at() {
        // With weights of 0 the gates are the sigmoids of their biases: s(0) = 0.5 and s(1) = 0.731059.
        let found = looked_at(&gaussian(), |parameters| {
            let _guard = tch::no_grad_guard();
            let biases: Vec<bool> = parameters.shapes().iter().map(|shape| shape.shape.len() == 1).collect();
            for (view, is_bias) in parameters.views().iter_mut().zip(biases) {
                if !is_bias {
                    let _ = view.zero_();
                }
            }
        });
        let layers: Vec<&str> = found.gates.iter().map(|gates| gates.layer.as_str()).collect();
        assert_eq!(layers, ["gru.0.l0", "gru.0.l1", "gru.1.l0", "gru.1.l1"]);
        for gates in &found.gates {
            assert_eq!((gates.reset.histogram[5], gates.update.histogram[7]), (1.0, 1.0));
            assert!((gates.update.mean - 0.731_059).abs() < 1e-6, "{gates:?}");
        }
        // The states are 0 throughout, so every hidden value is dead and the forecast is a constant.
        assert_eq!((found.dead_hidden_share, found.forecast_deviation.as_slice()), (Some(1.0), &[0.0][..]));
        let said = warnings(&found, &[]);
        assert!(
            said[0].starts_with("forecasts of horizon `0` hardly vary: their standard deviation is `0.0e0`"),
            "{said:?}"
        );
        assert_eq!(said[1], "`100` percent of the hidden values are the same for every sample");
    }

    #[test]
    fn a_fresh_network_looks_alive() {
        let found = looked_at(&gaussian(), |_| {});
        assert!(found.forecast_deviation[0] > 0.01, "{found:?}");
        assert!(found.dead_hidden_share.is_some_and(|share| share < 0.5), "{found:?}");
        assert_eq!((warnings(&found, &[]), found.padded_share), (vec![], 0.25));
        for gates in &found.gates {
            for gate in [&gates.update, &gates.reset] {
                assert!((gate.histogram.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn weight_norms_are_square_roots_of_sums_of_squares() {
        let found = looked_at(&point(), |parameters| parameters.assign(&(parameters.flat().zeros_like() + 0.5)));
        let head = found.weights.iter().find(|weight| weight.name == "head.weight").expect("a head");
        // Twelve times 0.25.
        assert!((head.norm - 3.0_f64.sqrt()).abs() < 1e-6);
        assert_eq!(found.weights.len(), 6);
    }

    #[test]
    fn a_network_without_hidden_values_has_none_that_are_dead() {
        let spec = NetworkSpec { encoder: Encoder::Linear(LinearSpec {}), window_bars: vec![6], ..point() };
        let found = looked_at(&spec, |_| {});
        assert_eq!((found.dead_hidden_share, found.gates.len()), (None, 0));
    }

    #[test]
    fn constant_features_are_named_and_padding_does_not_count() {
        let mut windows = ragged(20, 1);
        let block = &mut windows.scales[0];
        let valid = |sample: usize, step: usize, block: &WindowBlock| step >= 6 - block.lengths[sample] as usize;
        for sample in 0..20 {
            for step in (0..6).filter(|&step| valid(sample, step, block)).collect::<Vec<_>>() {
                block.values[sample * 18 + step * 3 + 1] = 0.25;
            }
        }
        assert_eq!(
            constant_features(&windows.scales),
            ["feature column `1` of scale `0` is `0.25` in every training window"]
        );
    }
}
