//! One training step and parallel fits, one thread per fit; GRU layers in our kernel and in libtorch take turns.
//!
//! Prints the median and the smallest time of a step over repeats in which all cases take turns, and how long four fits take
//! on two threads compared with one after another. A step is what PyTorch calls forward, loss, backward, clipping and
//! `optimizer.step()`, and also picks its batch. Beside the time on the clock stands the processor time (Linux only), which
//! other programs on the machine disturb less. Last come the forecasts of one window and of 256.

#![allow(missing_docs, clippy::print_stdout)]

use std::time::{Duration, Instant};

use tidegate_forecast::{FitTask, Forecaster, NoMonitor, NoStore, Sample, WindowBlock, Windows};
use tidegate_models::{
    Device, Encoder, GruSpec, Head, Loss, NetworkSpec, NeuralForecaster, Optimizer, Recurrence, SampleTensors, Trainer,
    TrainingSpec,
};

const REPEATS: usize = 7;

/// What is measured: a network, its windows, its batch, and how many steps make a repeat.
struct Shape {
    name: &'static str,
    features: usize,
    hidden_size: usize,
    layers: usize,
    /// Steps of each scale's windows.
    scales: &'static [usize],
    batch_size: usize,
    steps: usize,
}

/// The reference shape: 10 features, 50 steps, 64 hidden values, 2 layers.
const fn reference(name: &'static str, batch_size: usize, steps: usize) -> Shape {
    Shape { name, features: 10, hidden_size: 64, layers: 2, scales: &[50], batch_size, steps }
}

/// The shape of the example in `strategies/`: 8 features, windows of 30 and 16 steps, 16 hidden values.
const fn two_scales(name: &'static str, batch_size: usize, steps: usize) -> Shape {
    Shape { name, features: 8, hidden_size: 16, layers: 1, scales: &[30, 16], batch_size, steps }
}

const SHAPES: [Shape; 4] = [
    reference("reference, batch 32", 32, 20),
    reference("reference, batch 256", 256, 6),
    two_scales("two scales, batch 64", 64, 60),
    two_scales("two scales, batch 256", 256, 30),
];

fn main() {
    let mut cases: Vec<[Case; 2]> = SHAPES
        .iter()
        .map(|shape| [Recurrence::Native, Recurrence::Libtorch].map(|recurrence| Case::new(shape, recurrence)))
        .collect();
    // The first round warms up and is not counted.
    for _ in 0..=REPEATS {
        cases.iter_mut().flatten().for_each(Case::repeat);
    }
    for [native, libtorch] in &cases {
        native.print("native");
        libtorch.print("libtorch");
        let ratio = libtorch.median_and_least().0 / native.median_and_least().0;
        println!("{:>22}: libtorch / native {ratio:.2} at the median", native.shape.name);
    }
    drop(cases);
    let (serial, parallel) = (time(fits_in_turn), time(fits_on_two_threads));
    let (serial, parallel) = (serial.min(time(fits_in_turn)), parallel.min(time(fits_on_two_threads)));
    let ratio = parallel.as_secs_f64() / serial.as_secs_f64();
    println!("4 fits: {serial:.2?} one after another, {parallel:.2?} on two threads, ratio {ratio:.2}");
    [1, 256].into_iter().for_each(forecast);
}

/// One shape with one recurrence, and its times.
struct Case {
    shape: &'static Shape,
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
    fn new(shape: &'static Shape, recurrence: Recurrence) -> Self {
        let training = training(1, shape.batch_size);
        let trainer = Trainer::with_recurrence(&network(shape), &training, Device::Cpu, recurrence, 7)
            .expect("valid specifications");
        let samples = trainer.samples(&windows(shape, shape.batch_size)).expect("finite windows with labels");
        Self { shape, trainer, samples, times: Vec::new() }
    }

    fn repeat(&mut self) {
        let places: Vec<i64> = (0..self.shape.batch_size as i64).collect();
        let (start, processor_start) = (Instant::now(), processor_milliseconds());
        for _ in 0..self.shape.steps {
            self.trainer.step(&self.samples, &places);
        }
        let steps = self.shape.steps as f64;
        let clock = start.elapsed().as_secs_f64() * 1e3 / steps;
        let processor = processor_milliseconds().zip(processor_start).map(|(end, start)| (end - start) / steps);
        self.times.push(Time { clock, processor });
    }

    fn median_and_least(&self) -> (f64, f64) {
        median_and_least(self.times[1..].iter().map(|time| time.clock).collect())
    }

    fn print(&self, recurrence: &str) {
        let (median, least) = self.median_and_least();
        print!("{:>22}: {recurrence:<8} median {median:.3} ms, least {least:.3} ms", self.shape.name);
        if let Some(processor) = self.times[1..].iter().map(|time| time.processor).collect::<Option<Vec<f64>>>() {
            let (median, least) = median_and_least(processor);
            print!("; of processor time {median:.3} ms, {least:.3} ms");
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
    let shape = &SHAPES[0];
    let forecaster = NeuralForecaster::new(network(shape), training(3, 32), Device::Cpu).expect("valid specifications");
    let (train, valid) = (windows(shape, 640), windows(shape, 128));
    let task = FitTask { train: &train, valid: &valid, seed, monitor: &NoMonitor, store: &NoStore };
    forecaster.fit(&task).expect("finite windows with labels");
}

/// Prints how long a trained network takes for some windows, checks and copies included.
fn forecast(count: usize) {
    let shape = &SHAPES[0];
    let forecaster = NeuralForecaster::new(network(shape), training(1, 32), Device::Cpu).expect("valid specifications");
    let (train, valid, test) = (windows(shape, 64), windows(shape, 32), windows(shape, count));
    let task = FitTask { train: &train, valid: &valid, seed: 7, monitor: &NoMonitor, store: &NoStore };
    let fitted = forecaster.fit(&task).expect("finite windows with labels");
    let once = || time(|| drop(fitted.forecast(&test))).as_secs_f64() * 1e3;
    let (median, least) = median_and_least((0..21).map(|_| once()).collect());
    println!("forecast of {count} windows: median {median:.3} ms, least {least:.3} ms");
}

fn network(shape: &Shape) -> NetworkSpec {
    let gru = GruSpec::new(shape.hidden_size, shape.layers);
    let encoder = if shape.scales.len() == 1 { Encoder::Gru(gru) } else { Encoder::MultiScaleGru(gru) };
    NetworkSpec::new(encoder, Head::Point, Loss::Mse, vec![shape.features; shape.scales.len()])
}

fn training(epochs_max: usize, batch_size: usize) -> TrainingSpec {
    TrainingSpec {
        gradient_clip_norm: Some(1.0),
        ..TrainingSpec::new(epochs_max, batch_size, Optimizer::Adam { learning_rate: 1e-3, weight_decay: 0.0 })
    }
}

/// Returns windows of fixed numbers in [-1, 1], the same every time.
fn windows(shape: &Shape, count: usize) -> Windows {
    let number = |place: usize| (place as f32 * 12.9898).sin();
    let block = |&steps: &usize| WindowBlock {
        steps,
        features: shape.features,
        values: (0..count * steps * shape.features).map(number).collect(),
        lengths: Vec::new(),
    };
    Windows {
        scales: shape.scales.iter().map(block).collect(),
        samples: (0..count as u32).map(|row| Sample { series: 0, row }).collect(),
        target: (0..count).map(|sample| Some(f64::from(number(7 * sample + 1)))).collect(),
        ewma_variance: vec![None; count],
        ..Windows::default()
    }
}
