//! Inference on one thread: a streaming step, a window of 50 steps alone, and 256 windows, with 10 features, 64 hidden values
//! and 2 layers; as a GRU, as a GRU with weights of eight bits, and as an LSTM.
//!
//! Without arguments it prints times. With `serve FOLDER` it takes turns with `benches/peers/gru_inference.py`: it reads
//! `gru`, `lstm` (weights in libtorch's order) and `windows` (`[256, 50, 10]`) from the folder, raw numbers in single
//! precision; writes the top layer's states `[256, 50, 64]` to `gru.out`, `int8.out` and `lstm.out`; prints a line when ready;
//! and then, for each line `NETWORK WORKLOAD COUNT` that it is given, runs and prints the seconds.

#![allow(missing_docs, clippy::print_stdout)]

use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

use tidegate_recurrence::{
    Batch, Inference, LstmWeights, Outputs, QuantizedWeights, Recurrent, StackShape, Stream, Weights, all_states,
};

const SHAPE: StackShape = StackShape { inputs: 10, hidden: 64, layers: 2 };
const STEPS: usize = 50;
const BATCH: usize = 256;
const REPEATS: usize = 21;

/// Networks, by the names of the protocol.
const NETWORKS: [&str; 3] = ["gru", "int8", "lstm"];
/// Workloads, and how often one is run in a repeat.
const WORKLOADS: [(&str, usize); 3] = [("step", 5_000), ("window", 200), ("batch", 2)];

fn main() {
    // `cargo bench` adds an argument of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.as_slice() {
        [] => print_times(),
        [command, folder] if command == "serve" => serve(Path::new(folder)),
        _ => panic!("usage: recurrence [serve FOLDER]"),
    }
}

fn print_times() {
    let mut networks = Networks::new(
        &numbers(SHAPE.weight_count(), 0.125),
        &numbers(SHAPE.lstm_weight_count(), 0.125),
        numbers(BATCH * STEPS * SHAPE.inputs, 1.0),
    );
    for network in NETWORKS {
        for (workload, count) in WORKLOADS {
            networks.seconds(network, workload, count);
            let once = |_| networks.seconds(network, workload, count) / count as f64 * 1e6;
            let mut times: Vec<f64> = (0..REPEATS).map(once).collect();
            times.sort_by(f64::total_cmp);
            println!("{network:>4} {workload:<6} median {:.2} us, least {:.2} us", times[REPEATS / 2], times[0]);
        }
    }
    println!("256 windows of 1 to 50 steps: {:.2} times faster than as many of 50", networks.packing_gain());
    println!(
        "bytes of the GRU's weights: {} as f32, {} quantized",
        4 * SHAPE.weight_count(),
        networks.int8.byte_size()
    );
}

fn serve(folder: &Path) {
    let mut networks =
        Networks::new(&read(&folder.join("gru")), &read(&folder.join("lstm")), read(&folder.join("windows")));
    for network in NETWORKS {
        let bytes: Vec<u8> = networks.states(network).iter().flat_map(|state| state.to_le_bytes()).collect();
        std::fs::write(folder.join(format!("{network}.out")), bytes).expect("the folder can be written to");
    }
    println!("ready {} {}", std::process::id(), networks.int8.byte_size());
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a line of text");
        let [network, workload, count] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("three words") };
        println!("{}", networks.seconds(network, workload, count.parse().expect("a number")));
        std::io::stdout().flush().expect("somebody listens");
    }
}

fn read(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).expect("the peers' script has written it");
    bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

/// Fixed numbers in `[-scale, scale]`.
fn numbers(len: usize, scale: f32) -> Vec<f32> {
    (0..len).map(|i| ((i + 1) as f32 * 12.9898).sin() * scale).collect()
}

struct Networks {
    gru: Weights,
    int8: QuantizedWeights,
    lstm: LstmWeights,
    windows: Vec<f32>,
    inference: Inference,
    last: Vec<f32>,
    all: Vec<f32>,
}

impl Networks {
    fn new(gru: &[f32], lstm: &[f32], windows: Vec<f32>) -> Self {
        Self {
            gru: Weights::new(SHAPE, gru),
            int8: QuantizedWeights::from_f32(SHAPE, gru),
            lstm: LstmWeights::new(SHAPE, lstm),
            windows,
            inference: Inference::default(),
            last: vec![0.0; SHAPE.layers * BATCH * SHAPE.hidden],
            all: vec![0.0; BATCH * STEPS * SHAPE.hidden],
        }
    }

    /// Returns the median ratio of the times of 256 windows of 50 steps and of as many with 1 to 50, padded at the front.
    fn packing_gain(&mut self) -> f64 {
        let starts: Vec<usize> = (0..BATCH).map(|sample| sample * 29 % STEPS).collect();
        let mut seconds = |starts| {
            let batch = Batch { starts, ..Batch::new(&self.windows, BATCH, STEPS) };
            let outputs = Outputs { last: Some(&mut self.last), ..Outputs::default() };
            let start = Instant::now();
            self.inference.run(&self.gru, &batch, outputs);
            start.elapsed().as_secs_f64()
        };
        let mut ratios: Vec<f64> = (0..REPEATS).map(|_| seconds(None) / seconds(Some(&starts))).collect();
        ratios.sort_by(f64::total_cmp);
        ratios[REPEATS / 2]
    }

    fn states(&self, network: &str) -> Vec<f32> {
        let batch = Batch::new(&self.windows, BATCH, STEPS);
        match network {
            "gru" => all_states(&self.gru, &batch).all,
            "int8" => all_states(&self.int8, &batch).all,
            "lstm" => all_states(&self.lstm, &batch).all,
            _ => panic!("unknown network `{network}`"),
        }
    }

    fn seconds(&mut self, network: &str, workload: &str, count: usize) -> f64 {
        let Self { windows, inference, last, all, .. } = self;
        let mut memory = Memory { windows, inference, last, all };
        match network {
            "gru" => memory.seconds(&self.gru, workload, count),
            "int8" => memory.seconds(&self.int8, workload, count),
            "lstm" => memory.seconds(&self.lstm, workload, count),
            _ => panic!("unknown network `{network}`"),
        }
    }
}

struct Memory<'a> {
    windows: &'a [f32],
    inference: &'a mut Inference,
    last: &'a mut [f32],
    all: &'a mut [f32],
}

impl Memory<'_> {
    fn seconds<W: Recurrent>(&mut self, weights: &W, workload: &str, count: usize) -> f64 {
        let start = Instant::now();
        match workload {
            "window" => (0..count).for_each(|_| self.run(weights, 1)),
            "batch" => (0..count).for_each(|_| self.run(weights, BATCH)),
            "step" => {
                let mut stream = Stream::new(weights);
                for features in self.windows.chunks_exact(SHAPE.inputs).cycle().take(count) {
                    stream.step(weights, std::hint::black_box(features));
                }
            }
            _ => panic!("unknown workload `{workload}`"),
        }
        start.elapsed().as_secs_f64()
    }

    /// Computes what the peers compute: all states of the top layer and the last ones of both.
    fn run<W: Recurrent>(&mut self, weights: &W, size: usize) {
        let windows = &self.windows[..size * STEPS * SHAPE.inputs];
        let outputs = Outputs {
            last: Some(&mut self.last[..SHAPE.layers * size * SHAPE.hidden]),
            all: Some(&mut self.all[..size * STEPS * SHAPE.hidden]),
            last_cells: None,
        };
        self.inference.run(weights, &Batch::new(windows, size, STEPS), outputs);
    }
}
