//! Counts allocations: a run that uses its journal's memory again asks for none per bar, order or fill.
//!
//! A binary of its own, because the counting allocator replaces the global one.

use std::num::NonZeroUsize;
use std::sync::Arc;

use tidegate_backtest::strategies::{SharedAverages, SharedSmaCross, SmaCrossParams};
use tidegate_backtest::{
    BacktestConfig, Commission, Context, FillTiming, Financing, ForecastSource, Journal, LimitFill, Market, OrderKind,
    OrderRequest, PathModel, Replacement, Requests, Slippage, Strategy, TimeInForce, Trail, run_into, run_with_into,
};
use tidegate_market::{
    BarColumns, BarLabel, Bars, Bps, Cash, Forecast, Instrument, InstrumentId, Price, Quantity, Side, Timestamp,
};

/// A saw tooth of a few percent, so that orders near the price fill.
fn bars(rows: usize, phase: usize) -> Bars {
    let interval: tidegate_market::BarInterval = "1h".parse().expect("valid");
    let mut columns = BarColumns::default();
    let price = |row: usize| 100.0 + ((row * 7 + phase) % 23) as f64 * 0.25;
    for row in 0..rows {
        let [open, close] = [price(row), price(row + 1)];
        columns.time.push(Timestamp::from_nanos(row as i64 * interval.nanos()));
        columns.open.push(open);
        columns.high.push(open.max(close) + 0.5);
        columns.low.push(open.min(close) - 0.5);
        columns.close.push(close);
        columns.volume.push(1_000.0);
    }
    Bars::new(columns, BarLabel::Open, interval).expect("sane")
}

fn market(rows: usize, instruments: usize) -> Market {
    let named = (0..instruments).map(|place| {
        let instrument = Instrument::fractional(format!("S{place}"));
        (instrument, Arc::new(bars(rows, place * 5)))
    });
    Market::new(named.collect()).expect("valid")
}

fn config() -> BacktestConfig {
    BacktestConfig {
        path: PathModel::NearestExtreme,
        limit_fill: LimitFill::Touch,
        commission: Commission::PerShare { per_share: 0.001, minimum: 0.01, maximum_fraction: Some(0.01) },
        slippage: Slippage::Bps(Bps(0.5)),
        financing: Financing { borrow_rate: 0.01, margin_rate: 0.02, cash_rate: 0.005 },
        volume_share_max: Some(0.02),
        ..BacktestConfig::frictionless(Cash(1e7), FillTiming::NextOpen)
    }
}

/// Trades every few bars with orders of every kind, target weights, replacements and cancels.
struct Busy {
    every: usize,
}

impl Strategy for Busy {
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        let step = context.step();
        if !step.is_multiple_of(self.every) {
            return;
        }
        for instrument in context.instruments() {
            let Some(close) = context.close(instrument) else { continue };
            let turn = step / self.every + instrument.index();
            let side = if turn.is_multiple_of(2) { Side::Buy } else { Side::Sell };
            let sign = side.sign();
            let entry = OrderRequest::market(instrument, side, Quantity(10.0 + (turn % 30) as f64));
            match turn % 6 {
                0 => drop(requests.submit(entry.with_kind(OrderKind::Limit(Price(close - sign))))),
                1 => drop(requests.submit(entry.with_kind(OrderKind::TrailingStop(Trail::Absolute(1.5))))),
                2 => drop(requests.submit(entry.with_time_in_force(TimeInForce::Fok))),
                3 => {
                    let kind = OrderKind::StopLimit { stop: Price(close + sign * 0.5), limit: Price(close + sign) };
                    requests.submit(entry.with_kind(kind).with_time_in_force(TimeInForce::Day));
                }
                4 => requests.target_weight(instrument, sign * 0.000_1),
                _ => {
                    for order in context.working_orders(instrument).take(2) {
                        let quantity = Some(Quantity(order.quantity.0 + 1.0));
                        requests.replace(order.id, Replacement { quantity, ..Replacement::default() });
                    }
                    for order in context.working_orders(instrument).skip(2) {
                        requests.cancel(order.id);
                    }
                }
            }
        }
    }
}

/// Returns allocations of a second run into the same journal, with its orders and fills.
fn second_run(rows: usize, instruments: usize, every: usize) -> (u64, usize, usize) {
    let market = market(rows, instruments);
    let config = config();
    let mut journal = Journal::default();
    let mut run = || run_into(&market, &[], &config, &mut Busy { every }, &mut journal).expect("valid run");
    run();
    let counted = allocation_counter::measure(run);
    (counted.count_total, journal.orders.len(), journal.fills.len())
}

#[test]
fn a_second_run_of_200_000_bars_allocates_a_few_buffers_and_nothing_per_event() {
    let (allocations, orders, fills) = second_run(200_000, 1, 10);
    assert!(orders > 15_000 && fills > 10_000, "orders `{orders}`, fills `{fills}`");
    assert!(allocations <= 72, "allocations `{allocations}`");
}

#[test]
fn allocations_do_not_grow_with_bars_or_orders() {
    for instruments in [1, 4] {
        let (few, ..) = second_run(20_000, instruments, 10);
        let (many_bars, ..) = second_run(100_000, instruments, 10);
        let (many_orders, orders, _) = second_run(20_000, instruments, 2);
        assert!(orders > 8_000 * instruments, "orders `{orders}`");
        // Five times the bars or orders: a buffer that grows doubles two or three times more.
        let rooms = 4 * (3 + instruments as u64);
        assert!(many_bars <= few + rooms, "few `{few}`, many bars `{many_bars}`");
        assert!(many_orders <= few + rooms, "few `{few}`, many orders `{many_orders}`");
    }
}

/// Makes one forecast per close, of alternating sign.
struct Alternating {
    asked: Option<Timestamp>,
    made: usize,
}

impl ForecastSource for Alternating {
    fn next(&mut self, now: Timestamp) -> Option<Forecast> {
        if self.asked == Some(now) {
            return None;
        }
        self.asked = Some(now);
        self.made += 1;
        let mean = if self.made.is_multiple_of(2) { 0.01 } else { -0.01 };
        let instrument = InstrumentId(0);
        Some(Forecast { instrument, time: now, known_time: now, horizon_bars: 1, mean, variance: None, fold: 0 })
    }
}

/// Changes sides with the forecast.
struct Follow;

impl Strategy for Follow {
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        let forecast = context.forecast(InstrumentId(0)).expect("one is made at every close");
        requests.target_weight(InstrumentId(0), forecast.mean.signum());
    }
}

#[test]
fn forecasts_that_are_made_in_the_loop_reach_the_strategy_without_allocations() {
    let market = market(50_000, 1);
    let config = BacktestConfig::frictionless(Cash(1e7), FillTiming::NextOpen);
    let mut journal = Journal::default();
    let mut run = || {
        let mut source = Alternating { asked: None, made: 0 };
        run_with_into(&market, &mut source, &config, &mut Follow, &mut journal).expect("valid run");
        source.made
    };
    assert_eq!(run(), 50_000);
    let counted = allocation_counter::measure(|| {
        std::hint::black_box(run());
    });
    assert!(journal.fills.len() > 49_000, "fills `{}`", journal.fills.len());
    assert!(counted.count_total <= 72, "allocations `{}`", counted.count_total);
}

#[test]
fn a_trial_into_a_used_journal_allocates_nothing() {
    for instruments in [1, 3] {
        let market = market(2_520, instruments);
        let averages = SharedAverages::new(&market, 1 << 24);
        let config = BacktestConfig::frictionless(Cash(1e7), FillTiming::NextOpen);
        let mut journal = Journal::default();
        let bars = |count| NonZeroUsize::new(count).expect("above zero");
        let mut run = |fast, slow| {
            let params =
                SmaCrossParams { fast_bars: bars(fast), slow_bars: bars(slow), weight: 1.0, allow_short: true };
            let mut strategy = SharedSmaCross::new(params, &averages).expect("valid").expect("room");
            run_into(&market, &[], &config, &mut strategy, &mut journal).expect("valid run");
            journal.fills.len()
        };
        assert!(run(3, 5) > 100);
        run(4, 9);
        let counted = allocation_counter::measure(|| {
            std::hint::black_box((run(4, 9), run(3, 5)));
        });
        assert_eq!(counted.count_total, 0);
    }
}

#[test]
fn the_counter_counts() {
    let counted = allocation_counter::measure(|| {
        for size in 1..=100_usize {
            std::hint::black_box(Vec::<u8>::with_capacity(size));
        }
    });
    assert_eq!(counted.count_total, 100);
}
