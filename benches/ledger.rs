//! Trials recorded and found a second, in batches of 4,096 with 30 metrics, while a ledger grows to 1,000,000 trials.
//!
//! Prints processor time, which other work on the machine disturbs little, beside the time on the wall; and what opening and
//! checking the file cost then. The ledger lies in the folder that `TMPDIR` names.

#![allow(missing_docs, clippy::print_stdout)]

use std::time::Instant;

use tidegate_ledger::{FILE_NAME, Ledger, MetricSetId, Order, Origin, Source, TrialKey, TrialQuery, TrialRecord};

const BATCH: u64 = 4_096;
const METRICS: usize = 30;
const BUILD: &str = "0.1.0 0123456789ab";
/// Sizes at which the last batches are shown; each step is ten batches or more.
const SIZES: [u64; 4] = [40_960, 102_400, 409_600, 1_003_520];
/// Batches that are timed before each size.
const TIMED: u64 = 10;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let names: Vec<String> = std::iter::once("sharpe_ratio".to_owned())
        .chain((1..METRICS).map(|number| format!("metric_{number}")))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut ledger = Ledger::open(folder.path()).expect("a new ledger");
    let metrics = ledger.metric_set(&names).expect("names");
    let mut held = 0;
    let whole = Clock::start();
    for size in SIZES {
        record(&mut ledger, metrics, held..size - TIMED * BATCH);
        let batches: Vec<Vec<TrialRecord>> = (0..TIMED).map(|batch| batch_of(size - (TIMED - batch) * BATCH)).collect();
        let clock = Clock::start();
        for batch in &batches {
            ledger.record(&origin(metrics), batch).expect("written");
        }
        clock.print(&format!("record, up to {size} trials"), TIMED * BATCH);
        for (order, step) in [("in order", 1), ("in no order", 977)] {
            let keys: Vec<TrialKey> = (0..TIMED * BATCH).map(|number| key(number * step % size)).collect();
            let clock = Clock::start();
            let found = keys.chunks(BATCH as usize).map(|keys| ledger.find(keys, BUILD, metrics).expect("readable"));
            let found: usize = found.map(|found| found.iter().flatten().count()).sum();
            clock.print(&format!("find {order}, among {size} trials"), TIMED * BATCH);
            assert_eq!(found as u64, TIMED * BATCH, "every trial is found");
        }
        held = size;
    }
    whole.print("all of it with making the trials", held);
    drop(ledger);
    reopen(folder.path(), metrics, held);
}

fn reopen(folder: &std::path::Path, metrics: MetricSetId, held: u64) {
    let bytes = std::fs::metadata(folder.join(FILE_NAME)).expect("the ledger").len();
    println!("{} bytes a trial in the file", bytes / held);
    let clock = Clock::start();
    let mut ledger = Ledger::open(folder).expect("a ledger");
    clock.print("open and check", held);
    let clock = Clock::start();
    assert_eq!(ledger.count().expect("readable"), held);
    clock.print("count", held);
    let clock = Clock::start();
    ledger.find(&[key(0)], BUILD, metrics).expect("readable");
    clock.print("read the keys", held);
    let clock = Clock::start();
    assert_eq!(ledger.sharpe_ratios().expect("readable").len() as u64, held);
    clock.print("Sharpe ratios by key", held);
    let best =
        TrialQuery { order: Order::Largest("sharpe_ratio".to_owned()), limit: Some(10), ..TrialQuery::default() };
    let clock = Clock::start();
    assert_eq!(ledger.trials(&best).expect("readable").len(), 10);
    clock.print("the best ten", held);
}

fn record(ledger: &mut Ledger, metrics: MetricSetId, numbers: std::ops::Range<u64>) {
    for first in numbers.step_by(BATCH as usize) {
        ledger.record(&origin(metrics), &batch_of(first)).expect("written");
    }
}

fn origin(metrics: MetricSetId) -> Origin<'static> {
    Origin { source: Source::Sweep, build: BUILD, metrics }
}

fn batch_of(first: u64) -> Vec<TrialRecord> {
    (first..first + BATCH).map(trial).collect()
}

/// Hashes in no order, as those of configs are.
fn key(number: u64) -> TrialKey {
    TrialKey { config_hash: (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15), data_hash: 1 }
}

fn trial(number: u64) -> TrialRecord {
    TrialRecord {
        key: key(number),
        seed: 7,
        values: format!("{{\"strategy.sma_cross.fast_bars\":{number},\"strategy.sma_cross.slow_bars\":200}}"),
        metrics: (0..METRICS).map(|metric| (number as f64 + 0.5).sin() + metric as f64).collect(),
        recorded_at_ns: 1_700_000_000_000_000_000,
        elapsed_ns: 12_000,
        failure: None,
    }
}

/// Processor time of this thread beside the time on the wall.
struct Clock {
    wall: Instant,
    processor_ns: Option<u64>,
}

impl Clock {
    fn start() -> Self {
        Self { wall: Instant::now(), processor_ns: processor_ns() }
    }

    fn print(&self, what: &str, count: u64) {
        let wall = self.wall.elapsed().as_secs_f64();
        let processor = self.processor_ns.zip(processor_ns()).map(|(start, end)| (end - start) as f64 / 1e9);
        let rate = |seconds: f64| format!("{:>9.0} a second in {seconds:.3} s", count as f64 / seconds);
        let processor = processor.map_or_else(|| "unknown".to_owned(), rate);
        println!("{what:<42} processor {processor}, wall {}", rate(wall));
    }
}

/// Linux tells the time that a thread has run in the first field of this file.
fn processor_ns() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}
