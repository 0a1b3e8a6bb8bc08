//! Trains a network on made-up windows, makes it smaller in every way, and prints what each costs and gives.
//!
//! ```text
//! cargo run --release -p tidegate-models --example compress_trained
//! ```

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Instant;

use tidegate_forecast::{FitTask, Forecaster, NoMonitor, NoStore, Sample, WindowBlock, Windows};
use tidegate_models::{
    Device, Encoder, GruSpec, Head, Loss, NetworkSpec, NeuralForecaster, Optimizer, TrainingSpec, dequantize, distill,
    fine_tune, footprint, kernel_speed, prune, quantize, weight_bytes,
};

const STEPS: usize = 30;
const FEATURES: usize = 8;

fn main() -> Result<(), Box<dyn Error>> {
    let [train, valid] = [(1500, 1), (600, 2)].map(|(count, seed)| windows(count, seed));
    let task = FitTask { train: &train, valid: &valid, seed: 7, monitor: &NoMonitor, store: &NoStore };
    let whole = forecaster(64, 15)?.fit(&task)?;
    let checkpoint = whole.checkpoint()?;
    println!("| network | parameters | bytes of the file | validation loss | windows/s |\n|---|---|---|---|---|");
    print_row("GRU, 2 layers of 64", &checkpoint, checkpoint.len(), &valid)?;
    let quantized = quantize(&checkpoint)?;
    print_row("weights of eight bits", &dequantize(&quantized)?, quantized.len(), &valid)?;
    for hidden_size in [48, 32, 16] {
        let pruned = prune(&checkpoint, hidden_size)?;
        print_row(&format!("pruned to {hidden_size}"), &pruned, pruned.len(), &valid)?;
        let tuned = fine_tune(&pruned, &training(5), Device::Cpu, &task)?.checkpoint()?;
        print_row(&format!("pruned to {hidden_size} and trained on"), &tuned, tuned.len(), &valid)?;
    }
    for share in [0.0, 0.5, 0.9] {
        let student = distill(&forecaster(16, 15)?, whole.as_ref(), &task, share)?.checkpoint()?;
        print_row(&format!("GRU, 2 layers of 16, teacher's share {share}"), &student, student.len(), &valid)?;
    }
    let bytes = weight_bytes(&checkpoint)?;
    println!("\nweights alone: {} bytes in single precision, {} of eight bits", bytes.single, bytes.int8);
    if let Some(speed) = kernel_speed(&checkpoint, &valid, &mut clock())? {
        let (single, int8) = (speed.single.round(), speed.int8.round());
        println!("GRU layers alone: {single} windows/s in single precision, {int8} with weights of eight bits");
    }
    Ok(())
}

fn forecaster(hidden_size: usize, epochs: usize) -> Result<NeuralForecaster, Box<dyn Error>> {
    let encoder = Encoder::Gru(GruSpec::new(hidden_size, 2));
    let network = NetworkSpec::new(encoder, Head::Gaussian { variance_floor: 1e-4 }, Loss::GaussianNll, vec![FEATURES]);
    Ok(NeuralForecaster::new(network, training(epochs), Device::Cpu)?)
}

fn training(epochs: usize) -> TrainingSpec {
    let optimizer = Optimizer::AdamW { learning_rate: 2e-3, weight_decay: 1e-4 };
    TrainingSpec {
        early_stopping_patience: Some(5),
        gradient_clip_norm: Some(1.0),
        ..TrainingSpec::new(epochs, 32, optimizer)
    }
}

fn print_row(name: &str, checkpoint: &[u8], bytes: usize, valid: &Windows) -> Result<(), Box<dyn Error>> {
    let found = footprint(checkpoint, valid, &mut clock())?;
    let (parameters, loss, speed) = (found.parameters, found.valid_loss, found.windows_per_second.round());
    println!("| {name} | {parameters} | {bytes} | {loss:.4} | {speed} |");
    Ok(())
}

fn clock() -> impl FnMut() -> f64 {
    let start = Instant::now();
    move || start.elapsed().as_secs_f64()
}

/// Windows of noise whose label follows a product of features some steps apart, under noise of half its size.
fn windows(count: usize, seed: u64) -> Windows {
    let mut state = seed;
    // A linear congruential generator (Knuth's MMIX constants), twelve of whose uniforms make a normal value.
    let mut uniform = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / 16_777_216.0
    };
    let mut normal = move || (0..12).map(|_| uniform()).sum::<f32>() - 6.0;
    let size = STEPS * FEATURES;
    let values: Vec<f32> = (0..count * size).map(|_| normal()).collect();
    let label = |window: &[f32]| {
        let at = |steps_ago: usize, feature: usize| window[(STEPS - 1 - steps_ago) * FEATURES + feature];
        0.8 * at(0, 0) - 0.6 * at(2, 1) + 0.7 * at(1, 2) * at(0, 3).tanh() + 0.4 * at(5, 4)
    };
    let target = values.chunks(size).map(|window| 0.01 * (label(window) + 0.6 * normal())).map(|y| Some(f64::from(y)));
    let target = target.collect();
    Windows {
        scales: vec![WindowBlock { steps: STEPS, features: FEATURES, values, lengths: vec![] }],
        samples: (0..count as u32).map(|row| Sample { series: 0, row }).collect(),
        target,
        ewma_variance: vec![None; count],
        ..Windows::default()
    }
}
