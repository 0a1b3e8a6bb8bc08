//! Rules on bars where every decision is known.

use tidegate_market::{BarColumns, BarLabel, Bars, Cash, FeatureColumn, Forecast, Instrument, Timestamp};

use super::*;
use crate::{
    BacktestConfig, CancelReason, DenialReason, FillTiming, InstrumentData, Journal, Market, Order, OrderStatus,
    RiskLimits, run,
};

fn free() -> BacktestConfig {
    BacktestConfig {
        limits: RiskLimits { gross_leverage_max: Some(1.0), ..RiskLimits::UNLIMITED },
        ..BacktestConfig::frictionless(Cash(100_000.0), FillTiming::NextOpen)
    }
}

const CLOSE: Number = Number::Bar(BarField::Close);
const BARS_HELD: Number = Number::Live(LiveField::BarsHeld);

/// Daily bars of open, high, low, close.
fn daily(rows: &[[f64; 4]]) -> Arc<Bars> {
    let column = |field: usize| rows.iter().map(|row| row[field]).collect();
    let columns = BarColumns {
        time: (0..rows.len()).map(day).collect(),
        open: column(0),
        high: column(1),
        low: column(2),
        close: column(3),
        volume: vec![1_000.0; rows.len()],
    };
    Arc::new(Bars::new(columns, BarLabel::Open, "1d".parse().expect("a day")).expect("sane"))
}

fn day(row: usize) -> Timestamp {
    Timestamp::from_nanos(row as i64 * Timestamp::NANOS_PER_DAY)
}

/// Daily bars without a range.
fn flat(prices: &[f64]) -> Arc<Bars> {
    daily(&prices.iter().map(|&price| [price; 4]).collect::<Vec<_>>())
}

fn columns(values: Vec<Vec<f64>>, rows: usize) -> RulesFeatures {
    let named = values.into_iter().enumerate().map(|(place, column)| FeatureColumn::new(format!("x{place}"), column));
    RulesFeatures { matrix: Arc::new(FeatureMatrix::new(rows, named.collect()).expect("one length")), first_row: 0 }
}

fn compare(comparison: Comparison, number: Number, value: f64) -> Condition {
    Condition::Compare(comparison, number, Number::Constant(value))
}

fn above(number: Number, value: f64) -> Condition {
    compare(Comparison::Greater, number, value)
}

fn below(number: Number, value: f64) -> Condition {
    compare(Comparison::Less, number, value)
}

/// The close times a factor.
fn of_close(factor: f64) -> Number {
    Number::Binary(BinaryOperation::Multiply, Box::new(CLOSE), Box::new(Number::Constant(factor)))
}

/// Long from `entry` to `exit`, with all of equity.
fn long(entry: Condition, exit: Option<Condition>) -> RulesParams {
    let rules = SideRules { entry, exit, stop: None, target: None };
    RulesParams { long: Some(rules), short: None, size: RulesSize::Weight(1.0) }
}

fn with_prices(mut params: RulesParams, stop: Option<Number>, target: Option<Number>) -> RulesParams {
    let rules = params.long.take().expect("long rules");
    RulesParams { long: Some(SideRules { stop, target, ..rules }), ..params }
}

fn trade(bars: &[Arc<Bars>], config: &BacktestConfig, forecasts: &[Forecast], strategy: &mut Rules) -> Journal {
    let named =
        bars.iter().enumerate().map(|(place, bars)| (Instrument::fractional(format!("S{place}")), bars.clone()));
    run(&Market::new(named.collect()).expect("valid"), forecasts, config, strategy).expect("valid run")
}

/// Runs rules without columns.
fn journal(bars: &[Arc<Bars>], config: &BacktestConfig, params: RulesParams) -> Journal {
    let features = bars.iter().map(|bars| columns(Vec::new(), bars.len())).collect();
    trade(bars, config, &[], &mut Rules::new(params, features).expect("valid"))
}

/// Row, signed quantity, price.
fn fills(journal: &Journal) -> Vec<(u32, f64, f64)> {
    let fill = |fill: &crate::Fill| (fill.row, fill.side.sign() * fill.quantity.0, fill.price.0);
    journal.fills.iter().map(fill).collect()
}

#[track_caller]
fn check(prices: &[f64], params: RulesParams, expected: &[(u32, f64, f64)]) {
    assert_eq!(fills(&journal(&[flat(prices)], &free(), params)), expected);
}

#[test]
fn a_rule_enters_when_flat_and_leaves_when_long_and_never_adds() {
    // Above 100 at the closes 1, 2, 4 and 5; below 99 at the close 3.
    let params = long(above(CLOSE, 100.0), Some(below(CLOSE, 99.0)));
    let prices = [100.0, 125.0, 160.0, 80.0, 125.0, 125.0, 125.0];
    // 800 units at 125 are sized; at the open of 160 all cash pays for 625. They leave at the open of 125 for 78,125, and there the
    // close of 4 makes a new entry: 625 units at 125.
    check(&prices, params, &[(2, 625.0, 160.0), (4, -625.0, 125.0), (5, 625.0, 125.0)]);
}

#[test]
fn bars_held_counts_the_closes_that_saw_the_position_under_every_fill_rule() {
    for (fill, entry, exit) in
        [(FillTiming::NextOpen, 1, 4), (FillTiming::NextClose, 1, 4), (FillTiming::SameClose, 0, 3)]
    {
        let params = long(above(CLOSE, 0.0), Some(compare(Comparison::GreaterOrEqual, BARS_HELD, 3.0)));
        let journal = journal(&[flat(&[100.0; 6])], &BacktestConfig { fill, ..free() }, params);
        let rows: Vec<u32> = journal.fills.iter().take(2).map(|fill| fill.row).collect();
        assert_eq!(rows, [entry, exit], "{fill:?}");
        assert_eq!(journal.trades[0].bars_held(), 3, "{fill:?}");
    }
}

/// Runs rules with a column that is 1 at the named closes and 0 at all others.
fn signalled(bars: &Arc<Bars>, at: &[usize], params: RulesParams) -> Journal {
    let signal = (0..bars.len()).map(|row| f64::from(u8::from(at.contains(&row)))).collect();
    let features = vec![columns(vec![signal], bars.len())];
    trade(std::slice::from_ref(bars), &free(), &[], &mut Rules::new(params, features).expect("valid"))
}

/// Holds at the named closes of [`signalled`].
fn signal() -> Condition {
    above(Number::Feature(0), 0.0)
}

#[test]
fn unrealized_pnl_is_a_fraction_of_the_entry_value_for_both_sides() {
    let gained = above(Number::Live(LiveField::UnrealizedPnl), 0.05);
    // Bought at 100: +4 % at 104, +5 % at 105 is not above, +6 % at 106 is.
    let bars = flat(&[100.0, 100.0, 104.0, 105.0, 106.0, 110.0]);
    let bought = signalled(&bars, &[0], long(signal(), Some(gained.clone())));
    assert_eq!(fills(&bought), [(1, 1_000.0, 100.0), (5, -1_000.0, 110.0)]);
    // Sold short at 100: +6 % at 94.
    let rules = SideRules { entry: signal(), exit: Some(gained), stop: None, target: None };
    let params = RulesParams { long: None, short: Some(rules), size: RulesSize::Weight(0.5) };
    let sold = signalled(&flat(&[100.0, 100.0, 96.0, 95.0, 94.0, 90.0]), &[0], params);
    assert_eq!(fills(&sold), [(1, -500.0, 100.0), (5, 500.0, 90.0)]);
}

#[test]
fn entry_price_and_position_are_those_of_the_account() {
    // Bought at the open of 98, not at the close of 100 that decided: left below 98 * 0.95 = 93.1.
    let entry_price = Number::Live(LiveField::EntryPrice);
    let floor = Number::Binary(BinaryOperation::Multiply, Box::new(entry_price), Box::new(Number::Constant(0.95)));
    let exit = Condition::Compare(Comparison::Less, CLOSE, floor);
    let bars = flat(&[100.0, 98.0, 94.0, 93.0, 92.0]);
    assert_eq!(fills(&signalled(&bars, &[0], long(signal(), Some(exit))))[1], (4, -1_000.0, 92.0));
    // 1,000 units are held from the first close that sees them.
    let exit = above(Number::Live(LiveField::Position), 999.0);
    assert_eq!(fills(&signalled(&bars, &[0], long(signal(), Some(exit))))[1].0, 2);
}

/// The life of an order: its kind, the label of the bar it was decided at, how it ended.
fn life(order: &Order) -> (OrderKind, Timestamp, OrderStatus) {
    (order.kind, order.submitted_time, order.status)
}

#[test]
fn a_stop_is_fixed_at_the_decision_and_works_from_the_fill_of_the_entry() {
    let params = || with_prices(long(signal(), None), Some(of_close(0.95)), Some(of_close(1.2)));
    // Decided at the close of 100: stop 95, target 120. Bought at 102: at that open cash pays for 100,000 / 102.
    let bought = 100_000.0 / 102.0;
    let check = |entry_bar: [f64; 4], later: [f64; 4], left: u32, price: f64, cancelled| {
        let journal = signalled(&daily(&[[100.0; 4], entry_bar, later, [96.0; 4]]), &[0], params());
        assert_eq!(fills(&journal), [(1, bought, 102.0), (left, -bought, price)]);
        let lives: Vec<_> = journal.orders.iter().map(life).collect();
        let (stop, target) = (OrderKind::Stop(Price(95.0)), OrderKind::Limit(Price(120.0)));
        let market = (OrderKind::Market, day(0), OrderStatus::Filled);
        assert_eq!(lives, [market, (stop, day(0), OrderStatus::Filled), (target, day(0), cancelled)]);
    };
    let other = OrderStatus::Cancelled(CancelReason::OtherFilled);
    check([102.0, 102.0, 94.0, 101.0], [101.0; 4], 1, 95.0, other);
    check([102.0, 102.0, 96.0, 101.0], [97.0, 98.0, 94.5, 96.0], 2, 95.0, other);
    check([102.0, 102.0, 96.0, 101.0], [93.0, 98.0, 92.0, 96.0], 2, 93.0, other);
}

#[test]
fn a_target_is_left_at_its_price_and_an_exit_cancels_what_waits() {
    let bars = daily(&[[100.0; 4], [100.0; 4], [100.0, 111.0, 99.0, 108.0], [108.0; 4], [108.0; 4]]);
    let params = |exit| with_prices(long(signal(), exit), Some(of_close(0.9)), Some(of_close(1.1)));
    let journal = signalled(&bars, &[0], params(None));
    // 100 * 1.1 in binary is a hair above 110.
    assert_eq!(fills(&journal), [(1, 1_000.0, 100.0), (2, -1_000.0, 100.0 * 1.1)]);
    let held_twice = compare(Comparison::GreaterOrEqual, BARS_HELD, 2.0);
    let quiet = flat(&[100.0; 5]);
    let journal = signalled(&quiet, &[0], params(Some(held_twice)));
    assert_eq!(fills(&journal), [(1, 1_000.0, 100.0), (3, -1_000.0, 100.0)]);
    let requested = OrderStatus::Cancelled(CancelReason::Requested);
    let statuses: Vec<_> = journal.orders.iter().map(|order| order.status).collect();
    assert_eq!(statuses, [OrderStatus::Filled, requested, requested, OrderStatus::Filled]);
}

#[test]
fn an_entry_without_a_price_is_not_made_and_one_with_a_misplaced_price_is_denied() {
    let bars = flat(&[100.0; 4]);
    let check = |stop: Option<Number>, target: Option<Number>, expected: &[OrderStatus]| {
        let journal = signalled(&bars, &[0], with_prices(long(signal(), None), stop, target));
        let denied = journal.orders.iter().map(|order| order.status).take(1);
        assert_eq!(denied.collect::<Vec<_>>(), expected);
        assert_eq!(journal.fills.len(), usize::from(expected == [OrderStatus::Filled]));
    };
    let denied = [OrderStatus::Denied(DenialReason::Bracket)];
    check(Some(of_close(1.0)), None, &denied);
    check(Some(of_close(1.01)), None, &denied);
    check(None, Some(of_close(0.99)), &denied);
    check(Some(of_close(-1.0)), None, &[]);
    check(Some(Number::Lag(Box::new(CLOSE), 1)), None, &[]);
    check(Some(of_close(0.99)), Some(of_close(1.01)), &[OrderStatus::Filled]);
}

#[test]
fn a_turn_with_a_misplaced_price_only_leaves() {
    let side = |entry, exit| SideRules { entry, exit: Some(exit), stop: None, target: None };
    let short = side(below(CLOSE, 100.0), above(CLOSE, 100.0));
    let params = RulesParams {
        long: Some(side(above(CLOSE, 100.0), below(CLOSE, 100.0))),
        short: Some(SideRules { stop: Some(of_close(0.9)), ..short }),
        size: RulesSize::Weight(0.5),
    };
    let found = fills(&journal(&[flat(&[125.0, 125.0, 80.0, 80.0, 80.0])], &free(), params));
    assert_eq!(found, [(1, 400.0, 125.0), (3, -400.0, 80.0)]);
}

#[test]
fn prices_of_adjusted_signals_become_prices_that_are_traded() {
    // Signals see twice the price that is traded: the stop at 190 of them is 95, and the entry's 100 is 200 to a rule.
    let (traded, signals) = (flat(&[100.0, 100.0, 101.0, 99.0, 94.0]), flat(&[200.0, 200.0, 202.0, 198.0, 188.0]));
    let data =
        InstrumentData { signal_bars: Some(signals), ..InstrumentData::new(Instrument::fractional("S"), traded) };
    let market = Market::build(vec![data], None).expect("valid");
    let entry_price = Number::Live(LiveField::EntryPrice);
    let fell = Condition::Compare(Comparison::Less, CLOSE, entry_price);
    // Without an exit the stop leaves at the gap to 94; with one, 198 at the close of row 3 is below 200 and leaves at the same open.
    for (exit, leaves_by) in [(None, OrderKind::Stop(Price(95.0))), (Some(fell), OrderKind::Market)] {
        let entry = Condition::And(Box::new(above(CLOSE, 199.0)), Box::new(below(CLOSE, 201.0)));
        let params = with_prices(long(entry, exit), Some(of_close(0.95)), None);
        let mut strategy = Rules::new(params, vec![columns(Vec::new(), 5)]).expect("valid");
        let journal = run(&market, &[], &free(), &mut strategy).expect("valid run");
        assert_eq!(fills(&journal), [(1, 1_000.0, 100.0), (4, -1_000.0, 94.0)]);
        assert_eq!(journal.orders[journal.fills[1].order.index()].kind, leaves_by);
    }
}

#[test]
fn an_order_price_is_on_the_tick() {
    let instrument = Instrument { tick_size: Some(0.25), ..Instrument::fractional("S") };
    let bars = flat(&[100.0; 4]);
    let market = Market::new(vec![(instrument, bars)]).expect("valid");
    let params = with_prices(long(above(CLOSE, 0.0), None), Some(of_close(0.953)), Some(of_close(1.037)));
    let mut strategy = Rules::new(params, vec![columns(Vec::new(), 4)]).expect("valid");
    let journal = run(&market, &[], &free(), &mut strategy).expect("valid run");
    let kinds: Vec<_> = journal.orders.iter().skip(1).map(|order| order.kind).collect();
    assert_eq!(kinds, [OrderKind::Stop(Price(95.25)), OrderKind::Limit(Price(103.75))]);
}

#[test]
fn an_exit_that_meets_the_other_entry_turns_the_position_around_in_one_order() {
    let side = |entry, exit| SideRules { entry, exit: Some(exit), stop: None, target: None };
    let params = RulesParams {
        long: Some(side(above(CLOSE, 100.0), below(CLOSE, 100.0))),
        short: Some(side(below(CLOSE, 100.0), above(CLOSE, 100.0))),
        size: RulesSize::Weight(0.5),
    };
    let found = fills(&journal(&[flat(&[125.0, 125.0, 80.0, 80.0])], &free(), params));
    // 400 units at 125; at 80 equity is 100,000 - 400 * 45 = 82,000: half of it short is 512.5 units.
    assert_eq!(found, [(1, 400.0, 125.0), (3, -912.5, 80.0)]);
}

#[test]
fn a_size_by_risk_loses_the_fraction_at_the_stop() {
    let check = |fraction, expected: f64| {
        let params = with_prices(long(signal(), None), Some(of_close(0.95)), None);
        let params = RulesParams { size: RulesSize::Risk { fraction, weight_max: 0.5 }, ..params };
        let found = signalled(&flat(&[100.0; 3]), &[0], params).fills[0].quantity.0;
        assert!((found - expected).abs() < 1e-9, "{found}");
    };
    // 100,000 * 0.01 / 5 = 200 units; 0.04 would be 800, half of equity is 500.
    check(0.01, 200.0);
    check(0.04, 500.0);
}

#[test]
fn a_size_by_volatility_divides_by_that_of_the_instrument() {
    let size = |weight_max| RulesSize::VolatilityTarget {
        annual_volatility: 0.08,
        volatility: Number::Feature(1),
        periods_per_year: 256.0,
        weight_max,
    };
    let check = |volatility: f64, weight_max, expected: &[f64]| {
        let bars = flat(&[100.0; 3]);
        let features = columns(vec![vec![1.0, 0.0, 0.0], vec![volatility; 3]], 3);
        let params = RulesParams { size: size(weight_max), ..long(signal(), None) };
        let journal = trade(&[bars], &free(), &[], &mut Rules::new(params, vec![features]).expect("valid"));
        let found: Vec<f64> = journal.fills.iter().map(|fill| fill.quantity.0).collect();
        assert_eq!(found, expected);
    };
    // 0.08 / (0.01 * 16) = 0.5 of equity; without a volatility there is no entry.
    check(0.01, 1.0, &[500.0]);
    check(0.01, 0.25, &[250.0]);
    check(f64::NAN, 1.0, &[]);
    check(0.0, 1.0, &[]);
}

#[test]
fn the_forecast_in_force_can_be_read_now_and_before() {
    let forecast = |row: usize, mean: f64| Forecast {
        instrument: InstrumentId(0),
        time: day(row),
        known_time: day(row + 1),
        horizon_bars: 1,
        mean,
        variance: Some(0.0004),
        fold: 0,
    };
    let forecasts = [forecast(0, 0.01), forecast(1, -0.01), forecast(2, 0.01), forecast(4, 0.01)];
    let mean = || Number::Live(LiveField::ForecastMean);
    let entry = Condition::And(
        Box::new(Condition::CrossesAbove(mean(), Number::Constant(0.0))),
        Box::new(compare(Comparison::Equal, Number::Live(LiveField::ForecastVolatility), 0.02)),
    );
    let bars = flat(&[100.0; 6]);
    let run = |exit| {
        let mut strategy = Rules::new(long(entry.clone(), exit), vec![columns(Vec::new(), 6)]).expect("valid");
        let journal = trade(std::slice::from_ref(&bars), &free(), &forecasts, &mut strategy);
        journal.fills.iter().map(|fill| fill.row).collect::<Vec<_>>()
    };
    // The first forecast has none before it; the third crosses. Row 3 has no forecast, so nothing can be told of it.
    assert_eq!(run(None), [3]);
    assert_eq!(run(Some(below(mean(), 1.0))), [3, 5]);
    let before = Number::Lag(Box::new(mean()), 2);
    assert_eq!(run(Some(above(before, 0.0))), [3, 5], "two bars before the close 4 it was 0.01");
}

#[test]
fn instruments_do_not_know_of_each_other() {
    let params = |weight| RulesParams {
        size: RulesSize::Weight(weight),
        ..long(above(CLOSE, 100.0), Some(compare(Comparison::GreaterOrEqual, BARS_HELD, 2.0)))
    };
    let (a, b) = (flat(&[99.0, 125.0, 125.0, 125.0, 125.0, 99.0]), flat(&[125.0, 125.0, 125.0, 99.0, 99.0, 99.0]));
    let both = journal(&[a.clone(), b.clone()], &free(), params(0.25));
    let rows = |journal: &Journal, place: u32| {
        let own = journal.fills.iter().filter(|fill| fill.instrument.0 == place);
        own.map(|fill| (fill.row, fill.side)).collect::<Vec<_>>()
    };
    assert_eq!(rows(&both, 0), rows(&journal(&[a], &free(), params(0.25)), 0));
    assert_eq!(rows(&both, 1), rows(&journal(&[b], &free(), params(0.25)), 0));
    // The first leaves at the open of row 4, whose close is above 100 again.
    assert_eq!(rows(&both, 0), [(2, Side::Buy), (4, Side::Sell), (5, Side::Buy)]);
    assert_eq!(rows(&both, 1), [(1, Side::Buy), (3, Side::Sell)]);
}

#[test]
fn bad_parameters_are_refused_with_what_was_found() {
    let message = |params, features| Rules::new(params, vec![features]).expect_err("bad").to_string();
    let none = || columns(Vec::new(), 4);
    let sized = |size| RulesParams { size, ..long(above(CLOSE, 0.0), None) };
    assert_eq!(message(sized(RulesSize::Weight(0.0)), none()), "weight must be finite and above 0, was `0`");
    assert_eq!(
        message(sized(RulesSize::Risk { fraction: 0.01, weight_max: 1.0 }), none()),
        "sides without a stop must be 0 for a size by risk, was `1`"
    );
    assert_eq!(
        message(long(above(Number::Feature(1), 0.0), None), columns(vec![vec![0.0; 4]], 4)),
        "feature columns must be at least as many as the rules name, was `1`"
    );
}
