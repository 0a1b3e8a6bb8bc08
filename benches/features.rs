//! Eleven feature columns of 500 instruments by 2,520 daily bars, in rows a second.

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use tidegate_features::{BollingerOutput, BollingerSpec, FeatureSpec, MacdSpec, PeriodSpec, compute_panel};
use tidegate_market::{BarColumns, BarLabel, Bars, Timestamp};

const SYMBOLS: usize = 500;
const ROWS: usize = 2_520;

fn main() {
    divan::main();
}

fn features() -> Vec<FeatureSpec> {
    let bands = vec![BollingerOutput::Upper, BollingerOutput::Middle, BollingerOutput::Lower];
    vec![
        FeatureSpec::SimpleReturn(PeriodSpec::new(1)),
        FeatureSpec::LogReturn(PeriodSpec::new(1)),
        FeatureSpec::Volatility(PeriodSpec::new(20)),
        FeatureSpec::Rsi(PeriodSpec::new(14)),
        FeatureSpec::Macd(MacdSpec { fast: 12, slow: 26, signal: 9, outputs: None, name: None }),
        FeatureSpec::Bollinger(BollingerSpec { bars: 20, width: 2.0, outputs: Some(bands), name: None }),
        FeatureSpec::VolumeRatio(PeriodSpec::new(20)),
    ]
}

/// Returns bars that wander from 100, from a linear congruence (Knuth's MMIX constants).
fn bars(seed: usize) -> Arc<Bars> {
    let mut state = seed as u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut columns = BarColumns::default();
    let mut close = 100.0;
    for row in 0..ROWS {
        let open = close;
        close *= 0.98 + 0.0402 * uniform();
        columns.time.push(Timestamp::from_nanos(row as i64 * Timestamp::NANOS_PER_DAY));
        columns.open.push(open);
        columns.high.push(open.max(close));
        columns.low.push(open.min(close));
        columns.close.push(close);
        columns.volume.push((1.0 + 1e5 * uniform()).floor());
    }
    let daily = "1d".parse().expect("valid interval");
    Arc::new(Bars::new(columns, BarLabel::Open, daily).expect("the bars are sane"))
}

fn panel() -> Vec<Arc<Bars>> {
    (0..SYMBOLS).map(bars).collect()
}

/// All eleven columns on one and two threads.
#[divan::bench(args = [1, 2], sample_count = 30, sample_size = 1)]
fn eleven_columns(bencher: Bencher<'_, '_>, threads: usize) {
    let (features, panel) = (features(), panel());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads start");
    let bencher = bencher.counter(ItemsCount::new(SYMBOLS * ROWS));
    bencher.bench(|| pool.install(|| compute_panel(&features, &panel, 1).expect("the features are valid")));
}

/// Each feature alone on one thread.
#[divan::bench(args = 0..features().len(), sample_count = 10, sample_size = 1)]
fn one_feature(bencher: Bencher<'_, '_>, feature: usize) {
    let (features, panel) = (features(), panel());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread starts");
    let bencher = bencher.counter(ItemsCount::new(SYMBOLS * ROWS));
    let feature = &features[feature..=feature];
    bencher.bench(|| pool.install(|| compute_panel(feature, &panel, 1).expect("the feature is valid")));
}
