//! How fast one thread runs the trials of a sweep, everything in: decisions, orders, fills, costs, equity, metrics of a trial row.
//!
//! The data is that of `engine.rs`: 2,520 daily bars of a seeded random walk. Divan shows trials a second and what a
//! sample allocates, the columns of the shared averages included: it must not grow with the number of trials but by more lengths.

#[path = "random_walk.rs"]
mod random_walk;

use std::num::NonZeroUsize;
use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use tidegate_backtest::strategies::{SharedAverages, SharedSmaCross, SmaCrossParams};
use tidegate_backtest::{BacktestConfig, Commission, FillTiming, Journal, Market, RiskLimits, Slippage, run_into};
use tidegate_market::{Bps, Cash, Instrument};
use tidegate_metrics::{Convention, MetricOptions, Summarizer, Summary, TradeStatistics};

use crate::random_walk::{Generator, random_walk};

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

/// What a thread keeps from trial to trial.
struct Worker {
    journal: Journal,
    summarizer: Summarizer,
}

/// What is kept of a trial.
struct Row {
    summary: Summary,
    trades: TradeStatistics,
    turnover: Option<f64>,
    exposure: f64,
}

impl Worker {
    fn new(market: &Market) -> Self {
        let options = MetricOptions::new(Convention::Tidegate);
        let summarizer = Summarizer::new(market.labels(), 252.0, &options).expect("times ascend");
        Self { journal: Journal::default(), summarizer }
    }

    fn run(&mut self, market: &Market, averages: &SharedAverages, (fast, slow): (usize, usize)) {
        let bars = |count| NonZeroUsize::new(count).expect("above zero");
        let params = SmaCrossParams { fast_bars: bars(fast), slow_bars: bars(slow), weight: 1.0, allow_short: false };
        let strategy = SharedSmaCross::new(params, averages).expect("fast below slow");
        run_into(market, &[], &config(), &mut strategy.expect("room"), &mut self.journal).expect("valid");
    }

    fn row(&mut self) -> Row {
        let journal = &self.journal;
        let summary = self.summarizer.summarize(None, journal.equity.equity()).expect("an equity");
        let trades = journal.trades.iter().map(|trade| (trade.net_pnl().0, u64::from(trade.bars_held())));
        let trades = TradeStatistics::of(trades).expect("finite");
        let turnover = summary.turnover(journal.totals.turnover);
        let exposure = journal.equity.bars_exposed() as f64 / journal.equity.len() as f64;
        Row { summary, trades, turnover, exposure }
    }
}

/// W2 as a sweep runs it on one thread; items are trials.
#[divan::bench(args = [1_000, 10_000], sample_count = 10, sample_size = 1)]
fn pairs_of_averages_all_in(bencher: Bencher, count: usize) {
    let market = market();
    let mut worker = Worker::new(&market);
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        let averages = SharedAverages::new(&market, 1 << 30);
        let mut best = f64::NEG_INFINITY;
        for pair in pairs(count) {
            worker.run(&market, &averages, pair);
            let Row { summary, trades, turnover, exposure } = divan::black_box(worker.row());
            divan::black_box((trades.number_of_trades, turnover, exposure));
            best = best.max(summary.performance.sharpe_ratio.unwrap_or(f64::NEG_INFINITY));
        }
        best
    });
}

/// The metrics of a trial row alone.
#[divan::bench(sample_count = 10, sample_size = 1_000)]
fn one_row_of_metrics(bencher: Bencher) {
    let market = market();
    let mut worker = Worker::new(&market);
    worker.run(&market, &SharedAverages::new(&market, 1 << 30), (10, 50));
    bencher.bench_local(|| worker.row().turnover);
}

fn config() -> BacktestConfig {
    BacktestConfig {
        commission: Commission::Bps(Bps(5.0)),
        slippage: Slippage::None,
        limits: RiskLimits { gross_leverage_max: Some(1.0), ..RiskLimits::UNLIMITED },
        ..BacktestConfig::frictionless(Cash(1e6), FillTiming::NextOpen)
    }
}

/// Returns pairs of a fast and a slow length: 25 or 100 fast ones, each with slow ones from four bars more on.
fn pairs(count: usize) -> impl Iterator<Item = (usize, usize)> {
    let (fast, slow) = if count > 1_000 { (100, count / 100) } else { (25, count / 25) };
    (2..2 + fast).flat_map(move |fast| (0..slow).map(move |more| (fast, fast + 4 + 2 * more)))
}

fn market() -> Market {
    let bars = random_walk(2_520, "1d", 3e-4, 0.012, &mut Generator(7));
    Market::new(vec![(Instrument::fractional("WALK"), Arc::new(bars))]).expect("one instrument")
}
