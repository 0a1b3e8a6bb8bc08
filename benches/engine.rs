//! How fast the engine runs: one instrument for a long time, many instruments, many trials.
//!
//! The data is a seeded random walk like that of the peers' benchmarks: normal shocks, small gaps, wicks on both sides.

#[path = "random_walk.rs"]
mod random_walk;

use std::num::NonZeroUsize;
use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use tidegate_backtest::strategies::{
    MomentumRotation, MomentumRotationParams, SharedAverages, SharedSmaCross, SmaCross, SmaCrossParams,
};
use tidegate_backtest::{
    BacktestConfig, Commission, FillTiming, Journal, Market, RebalanceSchedule, Rebalancing, RiskLimits, Slippage, run,
    run_into,
};
use tidegate_market::{Bars, Bps, Cash, Instrument};

use crate::random_walk::{Generator, random_walk};

fn main() {
    divan::main();
}

/// W1: 1,000,000 minute bars, SMA(10, 30) cross, all in, 5 bps, a fresh journal.
#[divan::bench(sample_count = 30, sample_size = 1)]
fn sma_cross_over_one_million_bars(bencher: Bencher) {
    let market = minute_market(1_000_000);
    bencher.counter(ItemsCount::new(1_000_000_usize)).bench_local(|| sma_cross(&market, 10, 30));
}

/// W1 with the memory of the journal used again.
#[divan::bench(sample_count = 30, sample_size = 1)]
fn sma_cross_over_one_million_bars_into_a_used_journal(bencher: Bencher) {
    let market = minute_market(1_000_000);
    let mut journal = Journal::default();
    bencher.counter(ItemsCount::new(1_000_000_usize)).bench_local(|| sma_cross_into(&market, 10, 30, &mut journal));
}

/// W1 over averages computed beforehand, their computation included.
#[divan::bench(sample_count = 30, sample_size = 1)]
fn sma_cross_over_one_million_bars_with_quiet_stretches(bencher: Bencher) {
    let market = minute_market(1_000_000);
    let mut journal = Journal::default();
    bencher.counter(ItemsCount::new(1_000_000_usize)).bench_local(|| {
        let averages = SharedAverages::new(&market, 1 << 30);
        shared_sma_cross_into(&market, &averages, (10, 30), &mut journal);
    });
}

/// W3: 500 symbols x 2,520 days, the 50 with the highest 20-day return, rebalanced daily, 5 bps; items are symbol-bars.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn top_fifty_of_five_hundred(bencher: Bencher) {
    let market = panel(500, 2_520);
    bencher.counter(ItemsCount::new(500 * 2_520_usize)).bench_local(|| top_momentum(&market));
}

/// Ten times the symbols of W3: the cost per symbol-bar should stay.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn top_fifty_of_five_thousand(bencher: Bencher) {
    let market = panel(5_000, 2_520);
    bencher.counter(ItemsCount::new(5_000 * 2_520_usize)).bench_local(|| top_momentum(&market));
}

/// W2: 1,000 pairs of averages over 2,520 days on one core, each trial computing its own; items are trials.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn one_thousand_pairs_of_averages(bencher: Bencher) {
    let market = daily_market(2_520);
    let mut journal = Journal::default();
    bencher.counter(ItemsCount::new(1_000_usize)).bench_local(|| {
        best(pairs(1_000), &mut journal, |pair, journal| sma_cross_into(&market, pair.0, pair.1, journal))
    });
}

/// W2 over averages that all trials share, as a sweep runs it: the engine alone.
#[divan::bench(args = [1_000, 10_000], sample_count = 10, sample_size = 1)]
fn pairs_of_shared_averages(bencher: Bencher, count: usize) {
    let market = daily_market(2_520);
    let mut journal = Journal::default();
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        let averages = SharedAverages::new(&market, 1 << 30);
        best(pairs(count), &mut journal, |pair, journal| shared_sma_cross_into(&market, &averages, pair, journal))
    });
}

/// Returns pairs of a fast and a slow length: 25 or 100 fast ones, each with slow ones from four bars more on.
fn pairs(count: usize) -> impl Iterator<Item = (usize, usize)> {
    let (fast, slow) = if count > 1_000 { (100, count / 100) } else { (25, count / 25) };
    (2..2 + fast).flat_map(move |fast| (0..slow).map(move |more| (fast, fast + 4 + 2 * more)))
}

fn best(
    pairs: impl Iterator<Item = (usize, usize)>,
    journal: &mut Journal,
    mut trial: impl FnMut((usize, usize), &mut Journal),
) -> f64 {
    pairs.fold(f64::NEG_INFINITY, |best, pair| {
        trial(pair, journal);
        best.max(journal.final_equity().0)
    })
}

fn config() -> BacktestConfig {
    BacktestConfig {
        commission: Commission::Bps(Bps(5.0)),
        slippage: Slippage::None,
        limits: RiskLimits { gross_leverage_max: Some(1.0), ..RiskLimits::UNLIMITED },
        ..BacktestConfig::frictionless(Cash(1e6), FillTiming::NextOpen)
    }
}

fn bars(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).expect("above zero")
}

fn params(fast: usize, slow: usize) -> SmaCrossParams {
    SmaCrossParams { fast_bars: bars(fast), slow_bars: bars(slow), weight: 1.0, allow_short: false }
}

fn cross(fast: usize, slow: usize) -> SmaCross {
    SmaCross::new(params(fast, slow), 1).expect("fast below slow")
}

fn shared_sma_cross_into(market: &Market, averages: &SharedAverages, pair: (usize, usize), journal: &mut Journal) {
    let strategy = SharedSmaCross::new(params(pair.0, pair.1), averages).expect("fast below slow");
    run_into(market, &[], &config(), &mut strategy.expect("room"), journal).expect("valid");
}

fn sma_cross(market: &Market, fast: usize, slow: usize) -> Journal {
    run(market, &[], &config(), &mut cross(fast, slow)).expect("valid")
}

fn sma_cross_into(market: &Market, fast: usize, slow: usize, journal: &mut Journal) {
    run_into(market, &[], &config(), &mut cross(fast, slow), journal).expect("valid");
}

fn top_momentum(market: &Market) -> Journal {
    let rebalancing = Rebalancing { schedule: RebalanceSchedule::EveryBars(bars(1)), tolerance: 0.0 };
    let params = MomentumRotationParams { lookback_bars: bars(20), top: bars(50), rebalancing };
    let mut strategy = MomentumRotation::new(params, market.len()).expect("enough symbols");
    run(market, &[], &config(), &mut strategy).expect("valid")
}

fn single(bars: Bars) -> Market {
    Market::new(vec![(Instrument::fractional("WALK"), Arc::new(bars))]).expect("one instrument")
}

fn minute_market(rows: usize) -> Market {
    single(random_walk(rows, "1m", 0.0, 5e-4, &mut Generator(7)))
}

fn daily_market(rows: usize) -> Market {
    single(random_walk(rows, "1d", 3e-4, 0.012, &mut Generator(7)))
}

fn panel(symbols: usize, rows: usize) -> Market {
    let mut generator = Generator(7);
    let series = (0..symbols).map(|symbol| {
        let sd = 0.008 + 0.022 * generator.uniform();
        let bars = random_walk(rows, "1d", 2e-4, sd, &mut generator);
        (Instrument::fractional(format!("S{symbol:04}")), Arc::new(bars))
    });
    Market::new(series.collect()).expect("distinct symbols")
}
