//! The two laws of causality over the whole chain, from raw bars to fills, bit for bit.
//!
//! Prefix law: what is computed on the first bars equals the first part of what is computed on all. Perturbation law: what comes
//! after a bar changes nothing that was known at its close.

use std::sync::Arc;

use tidegate_backtest::{Fill, FillMoment, Order};
use tidegate_data::SymbolBars;
use tidegate_experiment::{Computed, Dataset, ResolvedExperiment, RunOptions, SilentObserver, compute};
use tidegate_market::{BarColumns, Bars, Timestamp};

use crate::support::{ACCOUNT, BY_SIGN};
use crate::support::{BARS, HEAD, LEARNING, RIDGE, dataset, resolved, ridge, simulated};

/// How many bars at the end are overwritten; more than the two test blocks hold, less than where the first begins.
const OVERWRITTEN: usize = 250;

/// The first test block begins at this bar: `train_bars + valid_bars`.
const FIRST_TEST: usize = 260;

const AAA: [&str; 1] = ["AAA"];
const BOTH: [&str; 2] = ["AAA", "BBB"];

fn run(experiment: &ResolvedExperiment, dataset: Dataset) -> Computed {
    compute(experiment, dataset, &RunOptions::fresh("unused"), &SilentObserver)
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Replaces the bars from a row on by others that have nothing to do with them.
fn overwrite(symbols: &[SymbolBars], from: usize) -> Vec<SymbolBars> {
    let noise = simulated(symbols[0].bars.len(), 99);
    let patch = |(own, noise): (&SymbolBars, &SymbolBars)| {
        let mut columns = own.bars.columns().clone();
        let other = noise.bars.columns();
        for (own, other) in [
            (&mut columns.open, &other.open),
            (&mut columns.high, &other.high),
            (&mut columns.low, &other.low),
            (&mut columns.close, &other.close),
            (&mut columns.volume, &other.volume),
        ] {
            own[from..].copy_from_slice(&other[from..]);
        }
        SymbolBars::new(own.symbol.clone(), rebuilt(&own.bars, columns))
    };
    symbols.iter().zip(&noise).map(patch).collect()
}

fn rebuilt(like: &Bars, columns: BarColumns) -> Bars {
    Bars::new(columns, like.label(), like.interval()).expect("sane bars")
}

fn first_bars(symbols: &[SymbolBars], bars: usize) -> Vec<SymbolBars> {
    let cut = |own: &SymbolBars| SymbolBars::new(own.symbol.clone(), own.bars.prefix(bars));
    symbols.iter().map(cut).collect()
}

/// A forecast as bits.
fn forecasts(computed: &Computed, known_by: Timestamp) -> Vec<(u32, Timestamp, Timestamp, u64, Option<u64>, u32)> {
    let known = computed.forecasts.iter().filter(|forecast| forecast.known_time <= known_by);
    known
        .map(|f| (f.instrument.0, f.time, f.known_time, f.mean.to_bits(), f.variance.map(f64::to_bits), f.fold))
        .collect()
}

/// What an order asked for, as bits.
fn requests(computed: &Computed, last: Timestamp) -> Vec<(u32, u32, String, u64, Timestamp)> {
    let request = |order: &Order| {
        let words = format!("{:?} {:?} {:?}", order.side, order.kind, order.origin);
        (order.id.0, order.instrument.0, words, order.quantity.0.to_bits(), order.submitted_time)
    };
    computed.journal.orders.iter().filter(|order| order.submitted_time <= last).map(request).collect()
}

/// A fill as bits.
fn fills(computed: &Computed, last: Timestamp) -> Vec<(u32, u32, [u64; 4], Timestamp)> {
    let fill = |fill: &Fill| {
        let numbers = [fill.quantity.0, fill.price.0, fill.commission.0, fill.slippage.0].map(f64::to_bits);
        (fill.order.0, fill.instrument.0, numbers, fill.time)
    };
    computed.journal.fills.iter().filter(|fill| fill.time <= last).map(fill).collect()
}

fn equity(computed: &Computed, last: Timestamp) -> Vec<(Timestamp, u64)> {
    let columns = &computed.journal.equity;
    let rows = columns.time().iter().zip(columns.equity());
    rows.filter(|(time, _)| **time <= last).map(|(time, equity)| (*time, equity.to_bits())).collect()
}

/// Asserts that two runs agree on everything known when bar `last_row` closed, and that this is not nothing.
fn assert_same_past(a: &Computed, b: &Computed, last_row: usize) {
    let bars = &a.dataset.bars[0];
    let (last, known_by) = (bars.time()[last_row], bars.close_time(last_row));
    let symbols = a.dataset.bars.len();
    assert_eq!(forecasts(a, known_by).len(), symbols * (last_row + 1 - FIRST_TEST), "one forecast a bar and symbol");
    assert_eq!(forecasts(a, known_by), forecasts(b, known_by));
    assert!(requests(a, last).len() >= 10, "only {} orders to compare", requests(a, last).len());
    assert_eq!(requests(a, last), requests(b, last));
    assert!(fills(a, last).len() >= 10, "only {} fills to compare", fills(a, last).len());
    assert_eq!(fills(a, last), fills(b, last));
    assert_eq!(equity(a, last).len(), last_row + 1 - FIRST_TEST);
    assert_eq!(equity(a, last), equity(b, last));
}

/// The future is overwritten in the middle of the second test block, and once where that block begins.
fn the_past_does_not_depend_on_the_future(strategy: &str, symbols: &[&str], bars: usize, overwritten: usize) {
    let experiment = resolved(strategy);
    let original = simulated(bars, 3);
    let whole = run(&experiment, dataset(symbols, original.clone()));
    for from in [bars - overwritten, FIRST_TEST + 120] {
        let changed = run(&experiment, dataset(symbols, overwrite(&original, from)));
        assert_same_past(&whole, &changed, from - 1);
        let end = whole.dataset.bars[0].close_time(bars - 1);
        assert_ne!(forecasts(&whole, end), forecasts(&changed, end), "the change is felt after it");
    }
}

/// A run on the first bars is the first part of a run on all, wherever the bars end.
fn a_prefix_is_a_prefix(strategy: &str, symbols: &[&str], ends: &[usize]) {
    let experiment = resolved(strategy);
    let original = simulated(BARS, 3);
    let whole = run(&experiment, dataset(symbols, original.clone()));
    for &end in ends {
        let part = run(&experiment, dataset(symbols, first_bars(&original, end)));
        assert_same_past(&part, &whole, end - 1);
    }
}

/// Every row of [`Fill`]s at an open is tried: the rest of that bar changes, the fill does not.
fn a_fill_at_the_open_knows_nothing_of_its_bar(strategy: &str, symbols: &[&str], tries: usize) {
    let experiment = resolved(strategy);
    let original = simulated(BARS, 3);
    let whole = run(&experiment, dataset(symbols, original.clone()));
    let at_open = whole.journal.fills.iter().filter(|fill| fill.moment == FillMoment::Open);
    let times: Vec<Timestamp> = at_open.map(|fill| fill.time).collect();
    assert!(times.len() > tries, "only {} fills", times.len());
    for &time in times.iter().step_by(times.len() / tries).take(tries) {
        let row = whole.dataset.bars[0].time().binary_search(&time).expect("a fill's time is a bar's label");
        let changed = run(&experiment, with_another_bar(&whole.dataset, row));
        assert_eq!(fills(&whole, time), fills(&changed, time), "up to and with {time}");
        assert_eq!(fills(&whole, time).last().map(|fill| fill.3), Some(time));
        assert_ne!(equity(&whole, time), equity(&changed, time), "the bar's close is felt at its close");
    }
}

/// Replaces all of a bar but its open, in every symbol.
fn with_another_bar(original: &Dataset, row: usize) -> Dataset {
    let change = |bars: &Arc<Bars>| {
        let mut columns = bars.columns().clone();
        columns.close[row] = columns.open[row] * 0.9;
        columns.low[row] = columns.open[row] * 0.8;
        columns.high[row] = columns.open[row] * 1.3;
        columns.volume[row] *= 7.0;
        Arc::new(rebuilt(bars, columns))
    };
    Dataset::new(original.symbols.clone(), original.bars.iter().map(change).collect())
}

fn ridge_on_two_symbols() -> String {
    let head = HEAD.replace(r#"["AAA"]"#, r#"["AAA", "BBB"]"#);
    // A fixed small penalty, so that forecasts change sign often.
    let model = RIDGE.replace("ridge = {}", "ridge = { lambda = 1e-3 }");
    [&head, LEARNING, &model, BY_SIGN, ACCOUNT].concat()
}

#[test]
fn overwriting_the_future_leaves_the_past_of_a_linear_model_on_two_symbols() {
    the_past_does_not_depend_on_the_future(&ridge_on_two_symbols(), &BOTH, 640, OVERWRITTEN);
}

#[test]
fn the_prefix_law_holds_for_a_linear_model_on_two_symbols() {
    a_prefix_is_a_prefix(&ridge_on_two_symbols(), &BOTH, &[FIRST_TEST + 120, FIRST_TEST + 121, 431, 499]);
}

#[test]
fn a_fill_at_the_open_of_a_linear_model_knows_nothing_else_of_its_bar() {
    a_fill_at_the_open_knows_nothing_of_its_bar(&ridge(), &AAA, 8);
    a_fill_at_the_open_knows_nothing_of_its_bar(&ridge_on_two_symbols(), &BOTH, 8);
}

#[test]
fn a_leverage_limit_trims_a_fill_at_the_open_by_the_open_alone() {
    let limited = format!("{}\n[risk]\ngross_leverage_max = 0.8\n", ridge_on_two_symbols());
    a_fill_at_the_open_knows_nothing_of_its_bar(&limited, &BOTH, 8);
}

#[cfg(feature = "libtorch")]
#[test]
fn overwriting_the_last_250_bars_leaves_the_past_of_a_network() {
    the_past_does_not_depend_on_the_future(&crate::support::network(), &AAA, 640, OVERWRITTEN);
}

#[cfg(feature = "libtorch")]
#[test]
fn the_prefix_law_holds_for_a_network_wherever_the_bars_end() {
    a_prefix_is_a_prefix(&crate::support::network(), &AAA, &[FIRST_TEST + 120, FIRST_TEST + 121, 431, 499]);
}

#[cfg(feature = "libtorch")]
#[test]
fn a_fill_at_the_open_of_a_network_knows_nothing_else_of_its_bar() {
    a_fill_at_the_open_knows_nothing_of_its_bar(&crate::support::network(), &AAA, 4);
}

/// Networks on two symbols that are stepped inside the backtest.
#[cfg(feature = "libtorch")]
fn streamed_on_two_symbols() -> String {
    let head = HEAD.replace(r#"["AAA"]"#, r#"["AAA", "BBB"]"#);
    [&head, LEARNING, &crate::support::streaming(), BY_SIGN, ACCOUNT].concat()
}

#[cfg(feature = "libtorch")]
#[test]
fn overwriting_the_future_leaves_the_past_of_networks_in_the_loop() {
    the_past_does_not_depend_on_the_future(&streamed_on_two_symbols(), &BOTH, 640, OVERWRITTEN);
}

#[cfg(feature = "libtorch")]
#[test]
fn the_prefix_law_holds_for_networks_in_the_loop() {
    a_prefix_is_a_prefix(&streamed_on_two_symbols(), &BOTH, &[FIRST_TEST + 121, 431, 499]);
}
