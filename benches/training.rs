//! One training step and parallel fits: GRU, 10 features, 50 steps, 64 hidden values, 2 layers, one libtorch thread.
//!
//! Prints the median and the smallest time of a step over repeats in which the batch sizes take turns, and how long four
//! fits take on two threads compared with one after another. A step is what PyTorch calls forward, loss, backward, clipping
//! and `optimizer.step()`, and also picks its batch. Beside the time on the clock stands the processor time (Linux only),
//! which other programs on the machine disturb less.

#![allow(missing_docs, clippy::print_stdout)]

use std::time::{Duration, Instant};

use tidegate_forecast::{FitTask, Forecaster, NoMonitor, Sample, WindowBlock, Windows};
use tidegate_models::{
    Device, Encoder, GruSpec, Head, Loss, NetworkSpec, NeuralForecaster, Optimizer, SampleTensors, Schedule, Trainer,
    TrainingSpec,
};

const STEPS: usize = 50;
const FEATURES: usize = 10;
const REPEATS: usize = 7;

fn main() {
    let mut batches: Vec<Case> = [(32, 30), (256, 10)].map(|(batch_size, steps)| Case::new(batch_size, steps)).into();
    // The first round warms up and is not counted.
    for _ in 0..=REPEATS {
        batches.iter_mut().for_each(Case::repeat);
    }
    batches.iter().for_each(Case::print);
    let (serial, parallel) = (time(fits_in_turn), time(fits_on_two_threads));
    let (serial, parallel) = (serial.min(time(fits_in_turn)), parallel.min(time(fits_on_two_threads)));
    let ratio = parallel.as_secs_f64() / serial.as_secs_f64();
    println!("4 fits: {serial:.2?} one after another, {parallel:.2?} on two threads, ratio {ratio:.2}");
}

/// One batch size and its times.
struct Case {
    batch_size: usize,
    steps: usize,
    trainer: Trainer,
    samples: SampleTensors,
    times: Vec<Time>,
}

/// Milliseconds of a step.
#[derive(Clone, Copy)]
struct Time {
    clock: f64,
    processor: Option<f64>,
}

impl Case {
    fn new(batch_size: usize, steps: usize) -> Self {
        let trainer = Trainer::new(&network(), &training(1, batch_size), Device::Cpu, 7).expect("valid specifications");
        let samples = trainer.samples(&windows(batch_size)).expect("finite windows with labels");
        Self { batch_size, steps, trainer, samples, times: Vec::new() }
    }

    fn repeat(&mut self) {
        let places: Vec<i64> = (0..self.batch_size as i64).collect();
        let (start, processor_start) = (Instant::now(), processor_milliseconds());
        for _ in 0..self.steps {
            self.trainer.step(&self.samples, &places);
        }
        let steps = self.steps as f64;
        let clock = start.elapsed().as_secs_f64() * 1e3 / steps;
        let processor = processor_milliseconds().zip(processor_start).map(|(end, start)| (end - start) / steps);
        self.times.push(Time { clock, processor });
    }

    fn print(&self) {
        let counted = &self.times[1..];
        let (median, least) = median_and_least(counted.iter().map(|time| time.clock).collect());
        print!("step with batch {:>3}: median {median:.2} ms, least {least:.2} ms", self.batch_size);
        if let Some(processor) = counted.iter().map(|time| time.processor).collect::<Option<Vec<f64>>>() {
            let (median, least) = median_and_least(processor);
            print!("; of processor time {median:.2} ms, {least:.2} ms");
        }
        println!();
    }
}

fn median_and_least(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    (values[values.len() / 2], values[0])
}

/// Returns how long this thread has been on a processor.
fn processor_milliseconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse::<f64>().ok().map(|nanoseconds| nanoseconds * 1e-6)
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn fits_in_turn() {
    (0..4).for_each(fit);
}

fn fits_on_two_threads() {
    std::thread::scope(|scope| {
        for seeds in [[0, 1], [2, 3]] {
            scope.spawn(move || seeds.into_iter().for_each(fit));
        }
    });
}

fn fit(seed: u64) {
    let forecaster = NeuralForecaster::new(network(), training(3, 32), Device::Cpu).expect("valid specifications");
    let (train, valid) = (windows(640), windows(128));
    let task = FitTask { train: &train, valid: &valid, seed, monitor: &NoMonitor };
    forecaster.fit(&task).expect("finite windows with labels");
}

fn network() -> NetworkSpec {
    let gru = GruSpec { hidden_size: 64, layers: 2, dropout: 0.0, update_gate_bias: None };
    NetworkSpec { encoder: Encoder::Gru(gru), head: Head::Point, loss: Loss::Mse, feature_counts: vec![FEATURES] }
}

fn training(epochs_max: usize, batch_size: usize) -> TrainingSpec {
    TrainingSpec {
        epochs_max,
        batch_size,
        optimizer: Optimizer::Adam { learning_rate: 1e-3, weight_decay: 0.0 },
        gradient_clip_norm: Some(1.0),
        schedule: Schedule::Constant,
        early_stopping_patience: None,
    }
}

/// Returns windows of fixed numbers in [-1, 1], the same every time.
fn windows(count: usize) -> Windows {
    let number = |place: usize| (place as f32 * 12.9898).sin();
    Windows {
        scales: vec![WindowBlock {
            steps: STEPS,
            features: FEATURES,
            values: (0..count * STEPS * FEATURES).map(number).collect(),
        }],
        samples: (0..count as u32).map(|row| Sample { series: 0, row }).collect(),
        target: (0..count).map(|sample| Some(f64::from(number(7 * sample + 1)))).collect(),
        ewma_variance: vec![None; count],
    }
}
