//! The engine against the oracle on random cases.

use std::sync::Arc;

use tidegate_backtest::{
    BacktestConfig, Commission, Context, FillTiming, Journal, Market, OrderId, OrderKind, OrderOrigin, OrderRequest,
    OrderStatus, Requests, RiskLimits, Slippage, Strategy, TimeInForce, run,
};
use tidegate_market::{Bps, Cash, Instrument, InstrumentId, Price, Quantity, Side};

use crate::oracle::{Ask, Case, Fee, Kind, Outcome, State, When, replay};
use crate::support::{Generator, bars_with_gaps, close_to};

/// Submits what the script says.
struct Script<'a> {
    script: &'a [Vec<Ask>],
    hours: i64,
}

impl Strategy for Script<'_> {
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        let step = context.now().nanos() / (self.hours * 3_600_000_000_000) - 1;
        for ask in &self.script[step as usize] {
            match *ask {
                Ask::Cancel(id) => requests.cancel(OrderId(id as u32)),
                Ask::Order { instrument, buy, quantity, kind, day, reduce } => {
                    let side = if buy { Side::Buy } else { Side::Sell };
                    let kind = match kind {
                        Kind::Market => OrderKind::Market,
                        Kind::Limit(price) => OrderKind::Limit(Price(price)),
                        Kind::Stop(price) => OrderKind::Stop(Price(price)),
                    };
                    let request = OrderRequest::market(InstrumentId(instrument as u32), side, Quantity(quantity));
                    let time_in_force = if day { TimeInForce::Day } else { TimeInForce::Gtc };
                    let request = request.with_kind(kind).with_time_in_force(time_in_force);
                    requests.submit(if reduce { request.reduce_only() } else { request });
                }
            }
        }
    }
}

fn random_case(seed: u64) -> Case {
    let mut g = Generator(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let count = 1 + g.below(3);
    let steps = 30 + g.below(40);
    let gap = if g.chance(0.5) { 0.15 } else { 0.0 };
    let mut series = || {
        let walk = g.walk(steps);
        walk.into_iter().map(|row| if g.chance(gap) { None } else { Some(row) }).collect()
    };
    let bars: Vec<Vec<Option<[f64; 4]>>> = (0..count).map(|_| series()).collect();
    let lot = g.chance(0.3).then_some(5.0);
    let cash = 10_000.0;
    let mut asked = 0;
    let script = (0..steps).map(|step| random_asks(&mut g, &bars, step, lot, &mut asked)).collect();
    Case {
        bars,
        hours: if g.chance(0.5) { 24 } else { 6 },
        cash,
        when: [When::NextOpen, When::NextOpen, When::NextClose, When::SameClose][g.below(4)],
        fee: [Fee::None, Fee::Bps(12.5), Fee::PerShare(0.01, 0.0), Fee::PerShare(0.005, 1.0)][g.below(4)],
        slippage_bps: [0.0, 7.0][g.below(2)],
        gross_max: [None, Some(1.0), Some(1.7)][g.below(3)],
        lot,
        script,
    }
}

fn random_asks(
    g: &mut Generator,
    bars: &[Vec<Option<[f64; 4]>>],
    step: usize,
    lot: Option<f64>,
    asked: &mut usize,
) -> Vec<Ask> {
    let mut asks = Vec::new();
    for _ in 0..g.below(4) {
        let instrument = g.below(bars.len());
        if g.chance(0.1) && *asked > 0 {
            asks.push(Ask::Cancel(asked.saturating_sub(1 + g.below(6))));
            continue;
        }
        let close = bars[instrument][..=step].iter().rev().find_map(|row| *row).map_or(100.0, |row| row[3]);
        let near = close * (0.95 + 0.1 * g.uniform());
        let kind = [Kind::Market, Kind::Limit(near), Kind::Stop(near)][g.below(3)];
        let quantity = (2_500.0 + 7_500.0 * g.uniform()) / close;
        let quantity = lot.map_or(quantity, |lot| (quantity / lot).ceil() * lot);
        let [buy, day, reduce] = [g.chance(0.5), g.chance(0.3), g.chance(0.35)];
        asks.push(Ask::Order { instrument, buy, quantity, kind, day, reduce });
        *asked += 1;
    }
    asks
}

fn run_engine(case: &Case) -> Journal {
    let interval = format!("{}h", case.hours);
    let named = case.bars.iter().enumerate().map(|(place, rows)| {
        let instrument = Instrument { lot_size: case.lot, ..Instrument::fractional(format!("S{place}")) };
        (instrument, Arc::new(bars_with_gaps(rows, &interval)))
    });
    let market = Market::new(named.collect()).expect("valid");
    let config = BacktestConfig {
        initial_cash: Cash(case.cash),
        fill: match case.when {
            When::NextOpen => FillTiming::NextOpen,
            When::NextClose => FillTiming::NextClose,
            When::SameClose => FillTiming::SameClose,
        },
        commission: match case.fee {
            Fee::None => Commission::None,
            Fee::Bps(bps) => Commission::Bps(Bps(bps)),
            Fee::PerShare(per_share, minimum) => Commission::PerShare { per_share, minimum },
        },
        slippage: if case.slippage_bps > 0.0 { Slippage::Bps(Bps(case.slippage_bps)) } else { Slippage::None },
        limits: RiskLimits { gross_leverage_max: case.gross_max, ..RiskLimits::UNLIMITED },
    };
    run(&market, &[], &config, &mut Script { script: &case.script, hours: case.hours }).expect("valid run")
}

fn compare(seed: u64, case: &Case, journal: &Journal, outcome: &Outcome) {
    let states: Vec<State> = journal
        .orders
        .iter()
        .map(|order| match order.status {
            OrderStatus::Working => State::Working,
            OrderStatus::Filled => State::Filled,
            OrderStatus::Cancelled(_) => State::Cancelled,
            OrderStatus::Denied(_) => State::Denied,
        })
        .collect();
    let expected: Vec<State> = outcome.orders.iter().map(|order| order.state).collect();
    assert_eq!(states, expected, "case {seed}");
    assert_eq!(journal.fills.len(), outcome.fills.len(), "case {seed}");
    for (fill, &(order, units, price, fee, step)) in journal.fills.iter().zip(&outcome.fills) {
        assert_eq!(fill.order.index(), order, "case {seed}");
        assert_eq!(fill.time.nanos() / (case.hours * 3_600_000_000_000), step as i64, "case {seed}");
        close_to(fill.side.sign() * fill.quantity.0, units, 1e-9);
        close_to(fill.price.0, price, 1e-9);
        close_to(fill.commission.0, fee, 1e-9);
    }
    assert_eq!(journal.equity.len(), outcome.equity.len(), "case {seed}");
    for (&found, &expected) in journal.equity.equity().iter().zip(&outcome.equity) {
        assert!((found - expected).abs() <= 1e-9 * case.cash, "case {seed}: found `{found}`, expected `{expected}`");
    }
    for (position, &units) in journal.positions.iter().zip(&outcome.units) {
        assert!((position.quantity.0 - units).abs() <= 1e-9 * case.cash, "case {seed}");
    }
    assert_eq!(journal.totals.ambiguous_bars, outcome.ambiguous, "case {seed}");
}

/// Whether the bar of the ruin is also one in which an order was decided and filled.
fn is_ruined_by_a_decision(journal: &Journal) -> bool {
    let halt = journal.halt.map(|halt| halt.time);
    let order = |order: &tidegate_backtest::Order| {
        order.origin == OrderOrigin::Strategy && Some(order.submitted_time) == halt && order.ended_time == halt
    };
    journal.orders.iter().any(|each| order(each) && each.status == OrderStatus::Filled)
}

#[test]
fn the_engine_equals_the_oracle_on_two_thousand_random_cases() {
    let [mut fills, mut denied, mut trimmed, mut ambiguous, mut ruined] = [0; 5];
    for seed in 1..=2_000 {
        let case = random_case(seed);
        let journal = run_engine(&case);
        compare(seed, &case, &journal, &replay(&case));
        fills += journal.fills.len();
        denied += journal.denials().count();
        let is_trimmed = |order: &&tidegate_backtest::Order| {
            order.status == OrderStatus::Filled && order.filled_quantity < order.quantity
        };
        trimmed += journal.orders.iter().filter(is_trimmed).count();
        ambiguous += journal.totals.ambiguous_bars as usize;
        ruined += usize::from(journal.halt.is_some());
    }
    // The cases reach every rule, not only the easy ones.
    for (what, count, least) in [
        ("fills", fills, 20_000),
        ("denials", denied, 5_000),
        ("trimmed fills", trimmed, 1_000),
        ("ambiguous bars", ambiguous, 2_000),
        ("ruined accounts", ruined, 10),
    ] {
        assert!(count >= least, "{what}: `{count}`");
    }
}

#[test]
fn the_engine_equals_the_oracle_where_costs_ruin_at_the_close_of_the_decision() {
    let mut ruined = 0;
    for seed in 1..=200 {
        let fee = Fee::PerShare(0.01, 400.0);
        let case = Case { when: When::SameClose, fee, gross_max: None, ..random_case(seed) };
        let journal = run_engine(&case);
        compare(seed, &case, &journal, &replay(&case));
        ruined += usize::from(is_ruined_by_a_decision(&journal));
    }
    assert!(ruined >= 20, "{ruined}");
}
