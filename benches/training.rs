//! One training step and parallel fits, one thread per fit; GRU layers in our kernel and in libtorch take turns.
//!
//! Prints the median and the smallest time of a step over repeats in which all cases take turns, and how long four fits take
//! on two threads compared with one after another. A step is what PyTorch calls forward, loss, backward, clipping and
//! `optimizer.step()`, and also picks its batch. Beside the time on the clock stands the processor time (Linux only), which
//! other programs on the machine disturb less. Windows of mixed lengths run packed, and for comparison one length after another
//! and with their padding read as if it were data. Last come the forecasts of one window and of 256.

#![allow(missing_docs, clippy::print_stdout)]

use std::collections::BTreeMap;
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
        .map(|shape| {
            let whole = windows(shape, shape.batch_size);
            [Recurrence::Native, Recurrence::Libtorch].map(|recurrence| Case::new(shape, recurrence, &whole))
        })
        .collect();
    let mut mixed: Vec<[Case; 4]> = SHAPES.iter().map(mixed_cases).collect();
    // The first round warms up and is not counted.
    for _ in 0..=REPEATS {
        cases.iter_mut().flatten().chain(mixed.iter_mut().flatten()).for_each(Case::repeat);
    }
    for [native, libtorch] in &cases {
        native.print("native");
        libtorch.print("libtorch");
        let ratio = libtorch.median_and_least().0 / native.median_and_least().0;
        println!("{:>22}: libtorch / native {ratio:.2} at the median", native.shape.name);
    }
    println!("windows of mixed lengths, on average 55 % of the longest:");
    for cases @ [packed, by_length, padded, _] in &mixed {
        for (case, name) in cases.iter().zip(["packed", "by length", "padded", "libtorch"]) {
            case.print(name);
        }
        let ratios = [by_length, padded].map(|other| other.cost() / packed.cost());
        println!("{:>22}: by length / packed {:.2}, padded / packed {:.2}", packed.shape.name, ratios[0], ratios[1]);
    }
    drop((cases, mixed));
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
    /// What a step runs over.
    batches: Vec<Vec<i64>>,
    times: Vec<Time>,
}

/// Milliseconds of a step.
#[derive(Clone, Copy)]
struct Time {
    clock: f64,
    processor: Option<f64>,
}

impl Case {
    fn new(shape: &'static Shape, recurrence: Recurrence, windows: &Windows) -> Self {
        let training = training(1, shape.batch_size);
        let trainer = Trainer::with_recurrence(&network(shape), &training, Device::Cpu, recurrence, 7)
            .expect("valid specifications");
        let samples = trainer.samples(windows).expect("finite windows with labels");
        let batches = vec![(0..shape.batch_size as i64).collect()];
        Self { shape, trainer, samples, batches, times: Vec::new() }
    }

    /// Takes the windows of one length after another.
    fn by_length(mut self, windows: &Windows) -> Self {
        let mut groups = BTreeMap::<Vec<u32>, Vec<i64>>::new();
        for place in 0..windows.samples.len() {
            let own = windows.scales.iter().map(|block| block.lengths[place]).collect();
            groups.entry(own).or_default().push(place as i64);
        }
        self.batches = groups.into_values().collect();
        self
    }

    fn repeat(&mut self) {
        let (start, processor_start) = (Instant::now(), processor_milliseconds());
        for _ in 0..self.shape.steps {
            self.trainer.step_over(&self.samples, &self.batches);
        }
        let steps = self.shape.steps as f64;
        let clock = start.elapsed().as_secs_f64() * 1e3 / steps;
        let processor = processor_milliseconds().zip(processor_start).map(|(end, start)| (end - start) / steps);
        self.times.push(Time { clock, processor });
    }

    fn median_and_least(&self) -> (f64, f64) {
        median_and_least(self.times[1..].iter().map(|time| time.clock).collect())
    }

    /// Returns the median of the processor time, else of the time on the clock.
    fn cost(&self) -> f64 {
        median_and_least(self.times[1..].iter().map(|time| time.processor.unwrap_or(time.clock)).collect()).0
    }

    fn print(&self, recurrence: &str) {
        let (median, least) = self.median_and_least();
        print!("{:>22}: {recurrence:<9} median {median:.3} ms, least {least:.3} ms", self.shape.name);
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

/// Returns a step on short windows in our kernel, the same one length after another and with padding taken for data, and the first
/// in libtorch.
fn mixed_cases(shape: &'static Shape) -> [Case; 4] {
    let packed = mixed_lengths(windows(shape, shape.batch_size));
    let mut padded = packed.clone();
    padded.scales.iter_mut().for_each(|block| block.lengths.clear());
    [
        Case::new(shape, Recurrence::Native, &packed),
        Case::new(shape, Recurrence::Native, &packed).by_length(&packed),
        Case::new(shape, Recurrence::Native, &padded),
        Case::new(shape, Recurrence::Libtorch, &packed),
    ]
}

/// Takes away the first steps of windows: what is left is a tenth to the whole of them, every tenth equally often.
fn mixed_lengths(mut windows: Windows) -> Windows {
    for block in &mut windows.scales {
        let length = |sample: usize| (block.steps * (1 + 7 * sample % 10)).div_ceil(10);
        block.lengths = (0..windows.samples.len()).map(|sample| length(sample) as u32).collect();
        for (window, &length) in block.values.chunks_exact_mut(block.steps * block.features).zip(&block.lengths) {
            window[..(block.steps - length as usize) * block.features].fill(0.0);
        }
    }
    windows
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
