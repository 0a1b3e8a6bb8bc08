//! Eight members of an ensemble of two-layer GRUs, trained on two threads and one after another.
//!
//! `benches/peers/gru_ensemble.py` trains the same in PyTorch. Prints the median and the smallest time over three repeats, in
//! which both ways take turns, after one that warms up; then the processor time of all threads (Linux only), which other programs
//! on the machine disturb less.

#![allow(missing_docs, clippy::print_stdout)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tidegate_forecast::{FitTask, Forecaster, NoMonitor, NoStore, Sample, WindowBlock, Windows};
use tidegate_models::{Device, Encoder, GruSpec, Head, Loss, NetworkSpec, NeuralForecaster, Optimizer, TrainingSpec};

const MEMBERS: u64 = 8;
const SAMPLES: usize = 640;
const EPOCHS: usize = 2;
const BATCH: usize = 32;
const FEATURES: usize = 10;
const HIDDEN: usize = 64;
const LAYERS: usize = 2;
const STEPS: usize = 50;
const REPEATS: usize = 3;

fn main() {
    let (forecaster, train) = (forecaster(), windows(SAMPLES));
    let mut times = [1, 2].map(|threads| (threads, Vec::new()));
    for repeat in 0..=REPEATS {
        for (threads, times) in &mut times {
            let time = fit_members(&forecaster, &train, *threads);
            if repeat > 0 {
                times.push(time);
            }
        }
    }
    for (threads, mut times) in times {
        let [clock, processor] = [0, 1].map(|kind| {
            times.sort_by(|a: &[f64; 2], b| a[kind].total_cmp(&b[kind]));
            (times[REPEATS / 2][kind], times[0][kind])
        });
        print!("{MEMBERS} members on {threads} threads: median {:.3} s, least {:.3} s", clock.0, clock.1);
        println!("; of processor time {:.3} s, {:.3} s", processor.0, processor.1);
    }
}

/// Trains all members, each thread the next one that is left; returns seconds on the clock and of all threads' processors.
fn fit_members(forecaster: &NeuralForecaster, train: &Windows, threads: usize) -> [f64; 2] {
    let next = AtomicU64::new(0);
    let valid = windows(0);
    let work = || {
        while let seed @ 0..MEMBERS = next.fetch_add(1, Ordering::Relaxed) {
            let task = FitTask { train, valid: &valid, seed, monitor: &NoMonitor, store: &NoStore };
            forecaster.fit(&task).expect("finite windows with labels");
        }
        processor_seconds()
    };
    let start = Instant::now();
    let processor = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().expect("a fit does not panic")).sum()
    });
    [start.elapsed().as_secs_f64(), processor]
}

/// Returns how long this thread has been on a processor, 0 where nothing says so.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).unwrap_or(0.0) * 1e-9
}

fn forecaster() -> NeuralForecaster {
    let head = Head::Gaussian { variance_floor: 1e-4 };
    let network = NetworkSpec::new(Encoder::Gru(GruSpec::new(HIDDEN, LAYERS)), head, Loss::GaussianNll, vec![FEATURES]);
    let training = TrainingSpec {
        gradient_clip_norm: Some(1.0),
        ..TrainingSpec::new(EPOCHS, BATCH, Optimizer::Adam { learning_rate: 1e-3, weight_decay: 0.0 })
    };
    NeuralForecaster::new(network, training, Device::Cpu).expect("valid specifications")
}

/// Returns windows of fixed numbers in [-1, 1], the same every time.
fn windows(count: usize) -> Windows {
    let number = |place: usize| (place as f32 * 12.9898).sin();
    let block = WindowBlock {
        steps: STEPS,
        features: FEATURES,
        values: (0..count * STEPS * FEATURES).map(number).collect(),
        lengths: Vec::new(),
    };
    Windows {
        scales: vec![block],
        samples: (0..count as u32).map(|row| Sample { series: 0, row }).collect(),
        target: (0..count).map(|sample| Some(f64::from(number(7 * sample + 1)))).collect(),
        ewma_variance: vec![None; count],
        ..Windows::default()
    }
}
