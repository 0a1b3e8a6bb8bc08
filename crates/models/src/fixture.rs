//! Small problems for the tests of this crate.

use tidegate_forecast::{FitTask, Forecaster, NoMonitor, NoStore, Predictive, Sample, WindowBlock, Windows};

use crate::checkpoint::CheckpointParts;
use crate::device::Device;
use crate::forecaster::NeuralForecaster;
use crate::random::{SeededRandom, Stream};
use crate::spec::{Encoder, GruSpec, Head, Loss, LstmSpec, NetworkSpec, Pooling};
use crate::target::TargetScale;
use crate::training_spec::{Augmentation, Batches, Optimizer, Schedule, TrainingSpec};

/// Steps and features of the two scales.
pub(crate) const SCALES: [(usize, usize); 2] = [(6, 3), (4, 2)];

/// Returns windows of normal features over the first scales; `target` makes a label of a sample's windows and a normal number.
pub(crate) fn windows(count: usize, scales: usize, seed: u64, target: impl Fn(&[&[f32]], f64) -> f64) -> Windows {
    let mut random = SeededRandom::new(seed, Stream::Weights);
    let block = |&(steps, features): &(usize, usize), random: &mut SeededRandom| WindowBlock {
        steps,
        features,
        values: (0..count * steps * features).map(|_| random.normal() as f32).collect(),
        lengths: vec![],
    };
    let scales: Vec<WindowBlock> = SCALES[..scales].iter().map(|shape| block(shape, &mut random)).collect();
    let target = (0..count)
        .map(|sample| {
            let own: Vec<&[f32]> = scales.iter().map(|scale| scale.window(sample)).collect();
            Some(target(&own, random.normal()))
        })
        .collect();
    let samples = (0..count as u32).map(|row| Sample { series: 0, row }).collect();
    Windows { scales, samples, target, ewma_variance: vec![None; count], ..Windows::default() }
}

/// Returns windows whose label, a hundredth in size, is a sum of the first feature's last two values and nothing else.
pub(crate) fn learnable(count: usize, scales: usize, seed: u64) -> Windows {
    windows(count, scales, seed, |own, _| {
        let (last, before) = (f64::from(own[0][15]), f64::from(own[0][12]));
        0.01 * (0.8 * last - 0.5 * before)
    })
}

/// Returns a task that nobody watches.
pub(crate) fn task<'a>(train: &'a Windows, valid: &'a Windows, seed: u64) -> FitTask<'a> {
    FitTask { train, valid, seed, monitor: &NoMonitor, store: &NoStore }
}

/// Returns a point network over the first scale.
pub(crate) fn point() -> NetworkSpec {
    NetworkSpec::new(Encoder::Gru(GruSpec::new(12, 1)), Head::Point, Loss::Mse, vec![3])
}

/// Returns a network with everything in it: two scales, two layers, dropout, a variance.
pub(crate) fn gaussian() -> NetworkSpec {
    let gru = GruSpec { dropout: 0.25, update_gate_bias: Some(1.0), ..GruSpec::new(8, 2) };
    let head = Head::Gaussian { variance_floor: 1e-4 };
    NetworkSpec::new(Encoder::MultiScaleGru(gru), head, Loss::BetaNll { beta: 0.5 }, vec![3, 2])
}

/// Returns a training of some epochs that stops early.
pub(crate) fn training(epochs_max: usize) -> TrainingSpec {
    TrainingSpec {
        gradient_clip_norm: Some(1.0),
        schedule: Schedule::Plateau { factor: 0.5, patience: 2, learning_rate_min: 1e-4 },
        early_stopping_patience: Some(6),
        ..TrainingSpec::new(epochs_max, 16, Optimizer::AdamW { learning_rate: 0.01, weight_decay: 1e-4 })
    }
}

/// Returns a training with everything in it that a training can have on the main processor.
pub(crate) fn full_training(epochs_max: usize) -> TrainingSpec {
    TrainingSpec {
        warmup_steps: 4,
        accumulation_steps: 2,
        batches: Batches::ByLength,
        steps_per_batch_max: Some(120),
        augmentation: Some(Augmentation { noise: 0.05, feature_mask: 0.1, time_mask: 0.1, time_warp: 0.2 }),
        ..training(epochs_max)
    }
}

/// Returns windows over two scales whose histories have different lengths, with sample weights and two symbols.
pub(crate) fn ragged(count: usize, seed: u64) -> Windows {
    let mut windows = learnable(count, 2, seed);
    for (sample, place) in windows.samples.iter_mut().zip(0..) {
        sample.series = place % 2;
    }
    windows.weight = (0..count).map(|place| if place % 4 == 0 { 1.75 } else { 0.75 }).collect();
    for (block, shortest) in windows.scales.iter_mut().zip([3, 2]) {
        let shorter = (block.steps - shortest + 1) as u32;
        block.lengths = (0..count as u32).map(|place| shortest as u32 + (place / 3) % shorter).collect();
        for (sample, &length) in block.lengths.iter().enumerate() {
            let first = sample * block.steps * block.features;
            block.values[first..first + (block.steps - length as usize) * block.features].fill(0.0);
        }
    }
    windows
}

/// Returns the checkpoint of a network with the initial weights of a seed.
pub(crate) fn fresh_checkpoint(spec: &NetworkSpec, seed: u64) -> Vec<u8> {
    let scale = |place: usize| TargetScale { mean: 0.001 * place as f64, standard_deviation: 0.01 };
    let targets = (0..spec.horizons).map(scale).collect();
    CheckpointParts::fresh(spec, targets, seed).write().expect("plain names")
}

/// Returns what a checkpoint's network says about windows.
pub(crate) fn forecasts(checkpoint: &[u8], windows: &Windows) -> Vec<Predictive> {
    let spec = CheckpointParts::read(checkpoint).expect("a checkpoint").network;
    let forecaster = NeuralForecaster::new(spec, training(1), Device::Cpu).expect("valid specifications");
    let fitted = forecaster.restore(checkpoint).expect("the same network");
    fitted.forecast(windows).expect("the same shape")
}

/// Returns a network of an LSTM in both directions with everything around it: attention, embedding, a hidden layer in the head,
/// two horizons.
pub(crate) fn lstm() -> NetworkSpec {
    let encoder = LstmSpec { bidirectional: true, pooling: Pooling::Attention, ..LstmSpec::new(5, 2) };
    let head = Head::StudentT { variance_floor: 1e-4, degrees_of_freedom: None };
    NetworkSpec {
        horizons: 2,
        symbols: 2,
        symbol_embedding: Some(3),
        head_hidden_size: Some(7),
        ..NetworkSpec::new(Encoder::Lstm(encoder), head, Loss::StudentTNll, vec![3])
    }
}
