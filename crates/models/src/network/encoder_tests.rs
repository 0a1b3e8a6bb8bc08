//! Encoders against PyTorch, and what holds for all of them: short windows, masks, order of time.

use std::collections::{BTreeMap, HashMap};

use super::encoder::EncoderNetwork;
use super::layout::Layout;
use super::reference_file::{self, assert_close, assert_within};
use super::*;
use crate::parameters::{Parameters, to_vec};
use crate::spec::{
    CnnGruSpec, Encoder, GruSpec, GruTransformerSpec, Head, Init, LinearSpec, Loss, LstmSpec, MlpSpec, Pooling,
    TransformerSpec,
};
use crate::threads::use_one_thread;

/// An encoder by itself, its weights, and windows for it.
struct Alone {
    encoder: EncoderNetwork,
    parameters: Parameters,
    inputs: Vec<Tensor>,
    lengths: Vec<Option<Vec<u32>>>,
}

impl Alone {
    fn new(encoder: Encoder, inputs: Vec<Tensor>, lengths: Vec<Option<Vec<u32>>>) -> Self {
        use_one_thread();
        let sizes = inputs.iter().map(|input| input.size3().expect("windows are `[B, T, F]`"));
        let (window_bars, feature_counts) =
            sizes.map(|(_, steps, features)| (steps as usize, features as usize)).unzip();
        let spec = NetworkSpec { window_bars, ..NetworkSpec::new(encoder, Head::Point, Loss::Mse, feature_counts) };
        assert_eq!(spec.validate(), Ok(()));
        let mut layout = Layout::new(SeededRandom::new(3, Stream::Weights));
        let encoder = EncoderNetwork::build(&spec, &mut layout);
        Self { encoder, parameters: layout.finish(tch::Device::Cpu), inputs, lengths }
    }

    fn forward(&self, masks: Option<&mut DropoutMasks>) -> Tensor {
        let windows = WindowTensors { inputs: &self.inputs, lengths: &self.lengths };
        let vector = self.encoder.forward(&self.parameters.views(), windows, masks);
        assert_eq!(vector.size()[1], self.encoder.width() as i64);
        vector
    }
}

/// One case of `encoders.safetensors`.
struct Case {
    name: String,
    alone: Alone,
    tensors: BTreeMap<String, Tensor>,
}

fn cases() -> Vec<Case> {
    let (tensors, header): (BTreeMap<String, Tensor>, HashMap<String, String>) = reference_file::read("encoders");
    let mut names: Vec<&String> = header.keys().filter(|name| *name != "how_made").collect();
    names.sort_unstable();
    names.into_iter().map(|name| Case::new(name, &header[name], &tensors)).collect()
}

impl Case {
    fn new(name: &str, encoder: &str, all: &BTreeMap<String, Tensor>) -> Self {
        let own = |(key, value): (&String, &Tensor)| {
            Some((key.strip_prefix(name)?.strip_prefix('/')?.to_owned(), value.shallow_clone()))
        };
        let tensors: BTreeMap<String, Tensor> = all.iter().filter_map(own).collect();
        let encoder: Encoder = serde_json::from_str(encoder).expect("an encoder as a strategy writes it");
        let inputs: Vec<Tensor> =
            (0..).map_while(|scale| tensors.get(&format!("input.{scale}")).map(Tensor::copy)).collect();
        let lengths =
            tensors.get("lengths").map(|lengths| to_vec(lengths).iter().map(|&length| length as u32).collect());
        let mut alone = Alone::new(encoder, inputs, vec![None; 2]);
        alone.lengths[0] = lengths;
        let weights = alone.parameters.shapes().iter().map(|shape| {
            let weight = &tensors[&format!("w.{}", shape.name)];
            assert_eq!(weight.size(), shape.shape, "{name}: {}", shape.name);
            weight.reshape(-1)
        });
        let weights = Tensor::cat(&weights.collect::<Vec<_>>(), 0);
        let count = tensors.keys().filter(|key| key.starts_with("w.")).count();
        assert_eq!(alone.parameters.shapes().len(), count, "{name} has other weights");
        alone.parameters.assign(&weights);
        Self { name: name.to_owned(), alone, tensors }
    }
}

#[test]
fn every_encoders_vector_equals_pytorchs() {
    let cases = cases();
    assert_eq!(cases.len(), 12);
    for case in cases {
        assert_close(&case.alone.forward(None), &case.tensors["vector"], &case.name);
    }
}

#[test]
fn every_encoders_gradients_equal_pytorchs() {
    for mut case in cases() {
        let input = case.alone.inputs[0].set_requires_grad(true);
        case.alone.inputs[0] = input.shallow_clone();
        let loss = (case.alone.forward(None) * &case.tensors["direction"]).sum(tch::Kind::Float);
        let gradients = Tensor::run_backward(&[&loss], &[case.alone.parameters.flat(), &input], false, false);
        let sizes: Vec<i64> = case.alone.parameters.shapes().iter().map(|shape| shape.len() as i64).collect();
        for (piece, shape) in gradients[0].split_with_sizes(&sizes, 0).iter().zip(case.alone.parameters.shapes()) {
            let expected = &case.tensors[&format!("g.{}", shape.name)];
            let what = format!("{} {}", case.name, shape.name);
            assert_within(1e-5, &piece.view(shape.shape.as_slice()), expected, &what);
        }
        assert_within(1e-5, &gradients[1], &case.tensors["g.input.0"], &case.name);
    }
}

fn transformer(pooling: Pooling) -> Encoder {
    let (layers, feedforward_size, dropout) = (2, 7, 0.2);
    Encoder::Transformer(TransformerSpec { model_size: 6, heads: 2, layers, feedforward_size, dropout, pooling })
}

fn hybrid(pooling: Pooling) -> Encoder {
    let (layers, feedforward_size, dropout) = (1, 7, 0.2);
    Encoder::GruTransformer(GruTransformerSpec {
        gru: GruSpec::new(6, 1),
        heads: 3,
        layers,
        feedforward_size,
        dropout,
        pooling,
    })
}

fn cnn(gru: GruSpec) -> Encoder {
    Encoder::CnnGru(CnnGruSpec { channels: 5, kernel_size: 3, convolutions: 2, dilation: 2, gru })
}

/// Encoders of one scale with every option in some of them.
fn encoders() -> Vec<Encoder> {
    let gru = || GruSpec { dropout: 0.2, ..GruSpec::new(5, 2) };
    let lstm = || LstmSpec { dropout: 0.2, ..LstmSpec::new(5, 2) };
    let (bidirectional, layer_norm) = (true, true);
    vec![
        Encoder::Gru(gru()),
        Encoder::Gru(GruSpec { bidirectional, ..gru() }),
        Encoder::Gru(GruSpec { bidirectional, pooling: Pooling::Attention, zoneout: 0.2, ..gru() }),
        Encoder::Gru(GruSpec { pooling: Pooling::Mean, layer_norm, ..gru() }),
        Encoder::Lstm(lstm()),
        Encoder::Lstm(LstmSpec { bidirectional, pooling: Pooling::Mean, zoneout: 0.2, layer_norm, ..lstm() }),
        Encoder::Lstm(LstmSpec { pooling: Pooling::Attention, ..lstm() }),
        cnn(gru()),
        cnn(GruSpec { bidirectional, pooling: Pooling::Attention, ..gru() }),
        hybrid(Pooling::Last),
        hybrid(Pooling::Mean),
        transformer(Pooling::Last),
        transformer(Pooling::Mean),
        transformer(Pooling::Attention),
    ]
}

/// Windows `[B, 6, 3]` of normal numbers, those before a window's start 0.
fn windows(lengths: &[u32]) -> Tensor {
    let mut random = SeededRandom::new(5, Stream::Weights);
    let values: Vec<f32> = (0..lengths.len() * 18)
        .map(|place| {
            let (number, valid) = (random.normal() as f32, lengths[place / 18] as usize);
            if place % 18 / 3 < 6 - valid { 0.0 } else { number }
        })
        .collect();
    Tensor::from_slice(&values).view([lengths.len() as i64, 6, 3])
}

#[test]
fn a_short_window_gives_what_it_gives_alone() {
    let lengths = [6, 1, 3, 5, 2];
    for encoder in encoders() {
        let name = format!("{encoder:?}");
        let batch = Alone::new(encoder, vec![windows(&lengths)], vec![Some(lengths.to_vec())]);
        let together = batch.forward(None);
        for (row, length) in lengths.into_iter().enumerate() {
            let own = batch.inputs[0].narrow(0, row as i64, 1).narrow(1, 6 - i64::from(length), i64::from(length));
            let windows = WindowTensors { inputs: &[own], lengths: &[None] };
            let alone = batch.encoder.forward(&batch.parameters.views(), windows, None);
            assert_close(&together.narrow(0, row as i64, 1), &alone, &name);
        }
    }
}

#[test]
fn no_gradient_flows_into_padding() {
    let lengths = [6, 2];
    for encoder in encoders() {
        let mut batch = Alone::new(encoder.clone(), vec![windows(&lengths)], vec![Some(lengths.to_vec())]);
        let input = batch.inputs[0].set_requires_grad(true);
        batch.inputs[0] = input.shallow_clone();
        batch.forward(None).square().sum(tch::Kind::Float).backward();
        let of_padding = input.grad().narrow(0, 1, 1).narrow(1, 0, 4);
        assert_eq!(of_padding.abs().max().double_value(&[]), 0.0, "{encoder:?}");
        assert!(to_vec(&input.grad()).iter().all(|gradient| gradient.is_finite()), "{encoder:?}");
    }
}

#[test]
fn masks_act_in_training_alone_and_follow_the_seed() {
    for encoder in encoders() {
        let alone = Alone::new(encoder.clone(), vec![windows(&[6, 6, 6])], vec![None]);
        let trained = |seed| to_vec(&alone.forward(Some(&mut DropoutMasks::new(seed))));
        let evaluated = || to_vec(&alone.forward(None));
        assert_eq!(evaluated(), evaluated(), "{encoder:?}");
        assert_eq!(trained(1), trained(1), "{encoder:?}");
        assert!(trained(1) != trained(2) && trained(1) != evaluated(), "{encoder:?}");
    }
}

#[test]
fn a_zoneout_near_1_keeps_the_state_where_it_started() {
    let spec = GruSpec { zoneout: 0.999_999, ..GruSpec::new(5, 1) };
    let alone = Alone::new(Encoder::Gru(spec), vec![windows(&[6])], vec![None]);
    for vector in [alone.forward(None), alone.forward(Some(&mut DropoutMasks::new(1)))] {
        assert!(vector.abs().max().double_value(&[]) < 1e-5);
    }
}

#[test]
fn zoneout_keeps_a_state_or_takes_the_new_one_whole() {
    let spec = GruSpec { zoneout: 0.5, ..GruSpec::new(64, 1) };
    let alone = Alone::new(Encoder::Gru(spec), vec![windows(&[6]).narrow(1, 5, 1)], vec![None]);
    let without = Alone::new(Encoder::Gru(GruSpec::new(64, 1)), vec![windows(&[6]).narrow(1, 5, 1)], vec![None]);
    // One step from 0: every value is either still 0 or what it is without zoneout.
    let (trained, plain) = (to_vec(&alone.forward(Some(&mut DropoutMasks::new(1)))), to_vec(&without.forward(None)));
    let kept = trained.iter().filter(|value| **value == 0.0).count();
    assert!((16..48).contains(&kept), "{kept}");
    assert!(trained.iter().zip(&plain).all(|(value, plain)| *value == 0.0 || (value - plain).abs() < 1e-6));
}

#[test]
fn what_is_in_no_window_of_an_encoder_without_time_is_zero() {
    let inputs = || vec![windows(&[6, 2]), windows(&[4, 6])];
    let linear = Alone::new(Encoder::Linear(LinearSpec {}), inputs(), vec![None, None]);
    let vector = linear.forward(None);
    assert_eq!(vector.size(), [2, 36]);
    assert_eq!(to_vec(&vector.select(0, 1))[..18], to_vec(&inputs()[0].select(0, 1)));
    let mlp = MlpSpec { hidden_sizes: vec![4, 3], dropout: 0.0 };
    let mlp = Alone::new(Encoder::Mlp(mlp), inputs(), vec![None, None]);
    assert_eq!(mlp.forward(None).size(), [2, 3]);
}

#[test]
fn every_way_to_start_fills_the_interval_that_it_states() {
    // H = 16, F = 3: Xavier sqrt(6 / 19) = 0.561951 and sqrt(6 / 32) = 0.433013; PyTorch 1 / sqrt(16) = 0.25.
    let weights = |init: Init| {
        let spec = GruSpec { init, ..GruSpec::new(16, 1) };
        let parameters = Alone::new(Encoder::Gru(spec), vec![windows(&[6])], vec![None]).parameters;
        let views = parameters.views();
        [0, 1, 2, 3].map(|place: usize| views[place].abs().max().double_value(&[]))
    };
    let near = |found: f64, bound: f64| found < bound && found > 0.9 * bound;
    let [input, recurrent, bias, _] = weights(Init::Xavier);
    assert!(near(input, 0.561_952) && near(recurrent, 0.433_013) && bias == 0.0, "{input} {recurrent}");
    assert!(weights(Init::Pytorch).into_iter().all(|found| near(found, 0.25)));
    let spec = GruSpec { init: Init::Orthogonal, ..GruSpec::new(16, 1) };
    let parameters = Alone::new(Encoder::Gru(spec), vec![windows(&[6])], vec![None]).parameters;
    let gate = parameters.views()[0].narrow(0, 16, 16);
    assert_close(&gate.tr().matmul(&gate), &Tensor::eye(3, (tch::Kind::Float, tch::Device::Cpu)), "columns");
}

#[test]
fn a_forget_gate_bias_lies_on_the_second_gate_of_one_vector() {
    let spec = LstmSpec { forget_gate_bias: Some(1.0), ..LstmSpec::new(2, 1) };
    let parameters = Alone::new(Encoder::Lstm(spec), vec![windows(&[6])], vec![None]).parameters;
    let biases = [2, 3].map(|place: usize| to_vec(&parameters.views()[place]));
    assert_eq!(biases, [vec![0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0], vec![0.0; 8]]);
}
