//! How fast a backtest is whose forecasts come from a network that takes a step at every bar.
//!
//! W1's million minute bars, ten features, a GRU of 64 hidden values and two layers with a Gaussian head, positions by the sign of its
//! forecast, 5 bps. The features are lagged returns, scaled before the clock starts; the network is trained for one epoch on the first
//! bars, which no speed depends on.

#[path = "random_walk.rs"]
mod random_walk;

use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use tidegate_backtest::strategies::{ForecastThreshold, ForecastThresholdParams};
use tidegate_backtest::{
    BacktestConfig, Commission, FillTiming, ForecastSource, Journal, Market, RiskLimits, run, run_with,
};
use tidegate_forecast::{
    FitTask, FittedForecaster, ForecastStream, Forecaster, NoMonitor, NoStore, Sample, WindowBlock, Windows,
};
use tidegate_market::{Bps, Cash, Forecast, Instrument, InstrumentId, Timestamp};
use tidegate_models::{Device, NetworkSpec, NeuralForecaster, TrainingSpec};

use crate::random_walk::{Generator, random_walk};

const BARS: usize = 1_000_000;
const FEATURES: usize = 10;
const WINDOW: usize = 50;

const NETWORK: &str = r#"{
    "encoder": { "gru": { "hidden_size": 64, "layers": 2, "dropout": 0.0 } },
    "head": { "gaussian": { "variance_floor": 1e-4 } }, "loss": "gaussian_nll", "feature_counts": [10]
}"#;

const TRAINING: &str = r#"{
    "epochs_max": 1, "batch_size": 32, "schedule": "constant", "gradient_clip_norm": 1.0,
    "optimizer": { "adam": { "learning_rate": 1e-3, "weight_decay": 0.0 } }
}"#;

fn main() {
    divan::main();
}

/// The engine asks the network at every close.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn one_million_bars_with_the_network_stepping_at_each(bencher: Bencher) {
    let case = Case::new();
    let fitted = case.fitted();
    bencher.counter(ItemsCount::new(BARS)).bench_local(|| {
        let mut live = Live { case: &case, stream: fitted.stream(0).expect("a GRU steps"), row: 0 };
        run_with(&case.market, &mut live, &config(), &mut strategy()).expect("valid")
    });
}

/// The network alone, without a backtest.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn one_million_steps_of_the_network_alone(bencher: Bencher) {
    let case = Case::new();
    let fitted = case.fitted();
    bencher.counter(ItemsCount::new(BARS)).bench_local(|| {
        let live = Live { case: &case, stream: fitted.stream(0).expect("a GRU steps"), row: 0 };
        black_box(live.all().len())
    });
}

/// The same backtest on the same forecasts, made before.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn one_million_bars_on_forecasts_made_before(bencher: Bencher) {
    let case = Case::new();
    let fitted = case.fitted();
    let forecasts = Live { case: &case, stream: fitted.stream(0).expect("a GRU steps"), row: 0 }.all();
    bencher
        .counter(ItemsCount::new(BARS))
        .bench_local(|| -> Journal { run(&case.market, &forecasts, &config(), &mut strategy()).expect("valid") });
}

/// The bars and the scaled features of each.
struct Case {
    market: Market,
    /// `[BARS, FEATURES]`.
    rows: Vec<f32>,
    time: Vec<Timestamp>,
    known_time: Vec<Timestamp>,
}

impl Case {
    fn new() -> Self {
        let bars = random_walk(BARS, "1m", 0.0, 5e-4, &mut Generator(7));
        let close = bars.close();
        let scaled = |row: usize| if row == 0 { 0.0 } else { (close[row] / close[row - 1]).ln() as f32 / 5e-4 };
        let returns: Vec<f32> = (0..BARS).map(scaled).collect();
        let lagged = |row: usize, lag: usize| row.checked_sub(lag).map_or(0.0, |row| returns[row]);
        let rows = (0..BARS * FEATURES).map(|place| lagged(place / FEATURES, place % FEATURES)).collect();
        let time = bars.time().to_vec();
        let known_time = (0..BARS).map(|row| bars.close_time(row)).collect();
        let market = Market::new(vec![(Instrument::fractional("WALK"), Arc::new(bars))]).expect("one instrument");
        Self { market, rows, time, known_time }
    }

    /// Trains on the first windows; a label is the first feature of the next row.
    fn fitted(&self) -> Box<dyn FittedForecaster> {
        let windows = |first: usize, count: usize| {
            let window = |row: usize| &self.rows[(row + 1 - WINDOW) * FEATURES..(row + 1) * FEATURES];
            let samples = first..first + count;
            let block = WindowBlock {
                steps: WINDOW,
                features: FEATURES,
                values: samples.clone().flat_map(|row| window(row).to_vec()).collect(),
                lengths: vec![],
            };
            Windows {
                scales: vec![block],
                samples: samples.clone().map(|row| Sample { series: 0, row: row as u32 }).collect(),
                target: samples.map(|row| Some(5e-4 * f64::from(self.rows[(row + 1) * FEATURES]))).collect(),
                ewma_variance: vec![None; count],
                ..Windows::default()
            }
        };
        let network: NetworkSpec = serde_json::from_str(NETWORK).expect("a network");
        let training: TrainingSpec = serde_json::from_str(TRAINING).expect("a training");
        let forecaster = NeuralForecaster::new(network, training, Device::Cpu).expect("valid");
        let (train, valid) = (windows(WINDOW, 640), windows(1_000, 64));
        let task = FitTask { train: &train, valid: &valid, seed: 7, monitor: &NoMonitor, store: &NoStore };
        forecaster.fit(&task).expect("a sane task")
    }
}

/// The network at the bar that closed last.
struct Live<'a> {
    case: &'a Case,
    stream: Box<dyn ForecastStream>,
    row: usize,
}

impl Live<'_> {
    fn all(mut self) -> Vec<Forecast> {
        std::iter::from_fn(|| self.next(Timestamp::from_nanos(i64::MAX))).collect()
    }
}

impl ForecastSource for Live<'_> {
    fn next(&mut self, now: Timestamp) -> Option<Forecast> {
        let row = self.row;
        let known_time = *self.case.known_time.get(row).filter(|known_time| **known_time <= now)?;
        self.row += 1;
        let said = &self.stream.step(&self.case.rows[row * FEATURES..][..FEATURES]).expect("finite")[0];
        let (time, mean, variance) = (self.case.time[row], said.mean, said.variance);
        Some(Forecast { instrument: InstrumentId(0), time, known_time, horizon_bars: 1, mean, variance, fold: 0 })
    }
}

fn config() -> BacktestConfig {
    BacktestConfig {
        commission: Commission::Bps(Bps(5.0)),
        limits: RiskLimits { gross_leverage_max: Some(1.0), ..RiskLimits::UNLIMITED },
        ..BacktestConfig::frictionless(Cash(1e6), FillTiming::NextOpen)
    }
}

fn strategy() -> ForecastThreshold {
    let params = ForecastThresholdParams { entry_threshold: 1e-5, long_weight: 1.0, short_weight: 0.0 };
    ForecastThreshold::new(params, 1).expect("valid")
}
