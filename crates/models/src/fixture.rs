//! Small problems for the tests of this crate.

use tidegate_forecast::{FitTask, NoMonitor, NoStore, Sample, WindowBlock, Windows};

use crate::random::{SeededRandom, Stream};
use crate::spec::{Encoder, GruSpec, Head, Loss, NetworkSpec};
use crate::training_spec::{Optimizer, Schedule, TrainingSpec};

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
    let gru = GruSpec { hidden_size: 12, layers: 1, dropout: 0.0, update_gate_bias: None };
    NetworkSpec { encoder: Encoder::Gru(gru), head: Head::Point, loss: Loss::Mse, feature_counts: vec![3] }
}

/// Returns a network with everything in it: two scales, two layers, dropout, a variance.
pub(crate) fn gaussian() -> NetworkSpec {
    let gru = GruSpec { hidden_size: 8, layers: 2, dropout: 0.25, update_gate_bias: Some(1.0) };
    NetworkSpec {
        encoder: Encoder::MultiScaleGru(gru),
        head: Head::Gaussian { variance_floor: 1e-4 },
        loss: Loss::BetaNll { beta: 0.5 },
        feature_counts: vec![3, 2],
    }
}

/// Returns a training of some epochs that stops early.
pub(crate) fn training(epochs_max: usize) -> TrainingSpec {
    TrainingSpec {
        epochs_max,
        batch_size: 16,
        optimizer: Optimizer::AdamW { learning_rate: 0.01, weight_decay: 1e-4 },
        gradient_clip_norm: Some(1.0),
        schedule: Schedule::Plateau { factor: 0.5, patience: 2, learning_rate_min: 1e-4 },
        early_stopping_patience: Some(6),
    }
}
