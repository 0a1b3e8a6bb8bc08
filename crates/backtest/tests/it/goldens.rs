//! Runs small enough to compute by hand.

use tidegate_backtest::{
    BacktestConfig, CancelReason, Commission, Context, DenialReason, FillMoment, FillTiming, HaltReason, OrderKind,
    OrderRequest, OrderStatus, Requests, RiskLimits, Slippage, TimeInForce,
};
use tidegate_market::{Bps, Cash, InstrumentId, Price, Quantity, Side, Timestamp};

use crate::support::{Each, Ohlc, close_to, daily, market, run_ok};

const A: InstrumentId = InstrumentId(0);
const B: InstrumentId = InstrumentId(1);

fn free() -> BacktestConfig {
    BacktestConfig {
        fill: FillTiming::NextOpen,
        commission: Commission::None,
        slippage: Slippage::None,
        limits: RiskLimits::UNLIMITED,
        ..BacktestConfig::frictionless(Cash(1_000.0), FillTiming::NextOpen)
    }
}

fn flat(price: f64) -> Ohlc {
    [price; 4]
}

fn on_step<F: FnMut(&Context<'_>, &mut Requests)>(step: usize, mut act: F) -> impl FnMut(&Context<'_>, &mut Requests) {
    move |context, requests| {
        if context.step() == step {
            act(context, requests);
        }
    }
}

#[test]
fn a_round_trip_with_costs_by_hand() {
    // Buy 5 at the open of bar 1: quoted 110, 1 % slippage: 111.1, value 555.5, commission 10 bps: 0.5555.
    // Sell 5 at the open of bar 3: quoted 120, 118.8, value 594, commission 0.594.
    // Cash: 1000 - 555.5 - 0.5555 = 443.9445, then + 594 - 0.594 = 1037.3505.
    let rows = [[100.0, 105.0, 95.0, 100.0], [110.0, 120.0, 108.0, 115.0], flat(118.0), [120.0, 121.0, 90.0, 100.0]];
    let config =
        BacktestConfig { commission: Commission::Bps(Bps(10.0)), slippage: Slippage::Bps(Bps(100.0)), ..free() };
    let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| match context.step() {
        0 => requests.target_weight(A, 0.5),
        2 => requests.target_weight(A, 0.0),
        _ => {}
    });
    let journal = run_ok(&market(vec![daily(&rows)]), &config, &mut strategy);
    for (found, expected) in
        journal.equity.equity().iter().zip([1_000.0, 443.944_5 + 575.0, 443.944_5 + 590.0, 1_037.350_5])
    {
        close_to(*found, expected, 1e-12);
    }
    let trade = journal.trades[0];
    close_to(trade.realized_pnl.0, 5.0 * (118.8 - 111.1), 1e-12);
    close_to(trade.commission.0, 0.555_5 + 0.594, 1e-12);
    close_to(trade.slippage.0, 5.0 * (1.1 + 1.2), 1e-12);
    // Low of 108 in bar 1, high of 120 in bar 1; bar 3 is left at its open of 120.
    close_to(trade.max_adverse_excursion, 108.0 / 111.1 - 1.0, 1e-12);
    close_to(trade.max_favorable_excursion, 120.0 / 111.1 - 1.0, 1e-12);
    close_to(journal.totals.turnover.0, 555.5 + 594.0, 1e-12);
    close_to(journal.totals.slippage.0, 11.5, 1e-12);
    assert_eq!(journal.equity.cash().len(), 4);
    // From the documented layout by a dozen lines of Python: struct.pack of the two orders, FNV-1a over the bytes.
    assert_eq!(journal.order_hash(), ORDER_HASH, "{:#x}", journal.order_hash());
}

const ORDER_HASH: u64 = 0x07d0_3f18_8738_237c;

#[test]
fn a_whole_account_gapped_up_is_trimmed_to_its_cash() {
    // Sized at 100: 10 units. At the open of 125 with 25 bps commission, 1000 / (125 * 1.0025) = 7.980049875 units.
    let limits = RiskLimits { gross_leverage_max: Some(1.0), ..RiskLimits::UNLIMITED };
    let config = BacktestConfig { commission: Commission::Bps(Bps(25.0)), limits, ..free() };
    let mut strategy = Each(on_step(0, |_, requests| requests.target_weight(A, 1.0)));
    let journal = run_ok(&market(vec![daily(&[flat(100.0), flat(125.0)])]), &config, &mut strategy);
    assert_eq!(journal.orders[0].status, OrderStatus::Filled);
    assert_eq!(journal.orders[0].quantity, Quantity(10.0));
    close_to(journal.fills[0].quantity.0, 7.980_049_875_311_721, 1e-12);
    assert!(journal.equity.cash()[1].abs() < 1e-9);
}

#[test]
fn a_whole_account_gapped_down_keeps_its_size_and_the_rest_as_cash() {
    let limits = RiskLimits { gross_leverage_max: Some(1.0), ..RiskLimits::UNLIMITED };
    let mut strategy = Each(on_step(0, |_, requests| requests.target_weight(A, 1.0)));
    let journal =
        run_ok(&market(vec![daily(&[flat(100.0), flat(80.0)])]), &BacktestConfig { limits, ..free() }, &mut strategy);
    assert_eq!((journal.fills[0].quantity, journal.equity.cash()[1]), (Quantity(10.0), 200.0));
}

#[test]
fn sells_come_before_buys_at_one_bar_whatever_the_order_of_instruments() {
    // All in B, then all in A, asked for in the order buy, sell: the sale of B pays for A.
    let limits = RiskLimits { gross_leverage_max: Some(1.0), ..RiskLimits::UNLIMITED };
    let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| match context.step() {
        0 => requests.target_weight(B, 1.0),
        1 => {
            requests.target_weight(A, 1.0);
            requests.target_weight(B, 0.0);
        }
        _ => {}
    });
    let series = vec![daily(&[flat(10.0); 3]), daily(&[flat(20.0); 3])];
    let journal = run_ok(&market(series), &BacktestConfig { limits, ..free() }, &mut strategy);
    assert_eq!(journal.denials().count(), 0);
    let fills: Vec<_> = journal.fills.iter().map(|fill| (fill.instrument, fill.side, fill.quantity.0)).collect();
    assert_eq!(fills, [(B, Side::Buy, 50.0), (B, Side::Sell, 50.0), (A, Side::Buy, 100.0)]);
}

/// Long 10 from the open of bar 1, with a stop at 95 and a target at 110 that may only reduce, then one bar.
fn stop_and_target(bar: Ohlc) -> tidegate_backtest::Journal {
    let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| match context.step() {
        0 => {
            requests.submit(OrderRequest::market(A, Side::Buy, Quantity(10.0)));
        }
        1 => {
            let exit = OrderRequest::market(A, Side::Sell, Quantity(10.0)).reduce_only();
            requests.submit(exit.with_kind(OrderKind::Limit(Price(110.0))));
            requests.submit(exit.with_kind(OrderKind::Stop(Price(95.0))));
        }
        _ => {}
    });
    run_ok(&market(vec![daily(&[flat(100.0), flat(100.0), bar])]), &free(), &mut strategy)
}

#[track_caller]
fn check_exit(bar: Ohlc, price: f64, moment: FillMoment, ambiguous: u64) {
    let journal = stop_and_target(bar);
    assert_eq!(journal.fills.len(), 2);
    assert_eq!((journal.fills[1].price, journal.fills[1].moment), (Price(price), moment));
    assert_eq!(journal.totals.ambiguous_bars, ambiguous);
    let other =
        journal.orders.iter().filter(|order| order.status == OrderStatus::Cancelled(CancelReason::NothingToReduce));
    assert_eq!(other.count(), 1, "the other exit has nothing left to reduce");
}

#[test]
fn a_stop_and_a_target_in_one_bar_mean_the_stop() {
    check_exit([100.0, 112.0, 94.0, 105.0], 95.0, FillMoment::Inside, 1);
}

#[test]
fn a_target_alone_is_taken() {
    check_exit([100.0, 112.0, 96.0, 105.0], 110.0, FillMoment::Inside, 0);
}

#[test]
fn a_gap_fills_at_the_open_for_better_and_for_worse() {
    check_exit([113.0, 114.0, 94.0, 105.0], 113.0, FillMoment::Open, 0);
    check_exit([90.0, 114.0, 88.0, 105.0], 90.0, FillMoment::Open, 0);
}

#[test]
fn a_position_opened_inside_a_bar_can_be_stopped_in_it_but_takes_no_profit() {
    let bar = [100.0, 112.0, 94.0, 105.0];
    let mut strategy = Each(on_step(0, |_, requests| {
        requests.submit(OrderRequest::market(A, Side::Buy, Quantity(10.0)).with_kind(OrderKind::Limit(Price(97.0))));
        let exit = OrderRequest::market(A, Side::Sell, Quantity(10.0)).reduce_only();
        requests.submit(exit.with_kind(OrderKind::Limit(Price(110.0))));
    }));
    let journal = run_ok(&market(vec![daily(&[flat(100.0), bar])]), &free(), &mut strategy);
    assert_eq!(journal.fills.len(), 1);
    assert_eq!(journal.orders[1].status, OrderStatus::Cancelled(CancelReason::DataEnded));
    let mut strategy = Each(on_step(0, |_, requests| {
        requests.submit(OrderRequest::market(A, Side::Buy, Quantity(10.0)).with_kind(OrderKind::Limit(Price(97.0))));
        let exit = OrderRequest::market(A, Side::Sell, Quantity(10.0)).reduce_only();
        requests.submit(exit.with_kind(OrderKind::Stop(Price(95.0))));
    }));
    let journal = run_ok(&market(vec![daily(&[flat(100.0), bar])]), &free(), &mut strategy);
    assert_eq!(journal.equity.equity()[1], 980.0, "in at 97, out at 95");
}

#[test]
fn a_day_order_lives_one_daily_bar_and_a_gtc_order_until_the_data_ends() {
    let mut strategy = Each(on_step(0, |_, requests| {
        let request = OrderRequest::market(A, Side::Buy, Quantity(1.0)).with_kind(OrderKind::Limit(Price(50.0)));
        requests.submit(request.with_time_in_force(TimeInForce::Day));
        requests.submit(request);
    }));
    let journal = run_ok(&market(vec![daily(&[flat(100.0), flat(100.0), flat(50.0)])]), &free(), &mut strategy);
    assert_eq!(journal.orders[0].status, OrderStatus::Cancelled(CancelReason::DayEnded));
    assert_eq!(journal.orders[0].ended_time(), Some(Timestamp::from_nanos(Timestamp::NANOS_PER_DAY)));
    assert_eq!(journal.orders[1].status, OrderStatus::Filled);
}

#[test]
fn a_cancelled_order_does_not_fill() {
    let mut id = None;
    let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| {
        if let Some(id) = id {
            requests.cancel(id);
        } else if context.step() == 0 {
            let request = OrderRequest::market(A, Side::Buy, Quantity(1.0));
            id = Some(requests.submit(request.with_kind(OrderKind::Limit(Price(90.0)))));
        }
    });
    let journal = run_ok(&market(vec![daily(&[flat(100.0), flat(100.0), flat(80.0)])]), &free(), &mut strategy);
    assert_eq!(journal.orders[0].status, OrderStatus::Cancelled(CancelReason::Requested));
    assert!(journal.fills.is_empty());
}

#[test]
fn a_market_order_of_the_last_bar_ends_unfilled() {
    let mut strategy = Each(on_step(1, |_, requests| requests.target_weight(A, 1.0)));
    let journal = run_ok(&market(vec![daily(&[flat(100.0), flat(100.0)])]), &free(), &mut strategy);
    assert_eq!(journal.orders[0].status, OrderStatus::Cancelled(CancelReason::DataEnded));
    assert_eq!(journal.final_equity(), Cash(1_000.0));
}

#[test]
fn requests_that_break_a_rule_are_denied_with_the_reason() {
    let limits = RiskLimits { weight_max: Some(0.5), positions_max: Some(1), ..RiskLimits::UNLIMITED };
    let mut strategy = Each(on_step(0, |_, requests| {
        requests.submit(OrderRequest::market(A, Side::Buy, Quantity(-1.0)));
        requests.submit(OrderRequest::market(A, Side::Buy, Quantity(1.0)).with_kind(OrderKind::Stop(Price(f64::NAN))));
        requests.submit(OrderRequest::market(A, Side::Sell, Quantity(6.0)));
        requests.submit(OrderRequest::market(A, Side::Buy, Quantity(5.0)));
        requests.target_weight(B, 0.1);
        requests.target_weight(A, f64::NAN);
    }));
    let series = vec![daily(&[flat(100.0); 2]), daily(&[flat(10.0); 2])];
    let journal = run_ok(&market(series), &BacktestConfig { limits, ..free() }, &mut strategy);
    let statuses: Vec<_> = journal.orders.iter().map(|order| order.status).collect();
    assert_eq!(
        statuses,
        [
            OrderStatus::Denied(DenialReason::Quantity),
            OrderStatus::Denied(DenialReason::Price),
            OrderStatus::Denied(DenialReason::WeightLimit),
            OrderStatus::Filled,
            OrderStatus::Denied(DenialReason::Weight),
            OrderStatus::Denied(DenialReason::PositionsLimit),
        ]
    );
    assert_eq!(journal.denials().count(), 5);
}

#[test]
fn an_order_for_an_unknown_instrument_ends_the_run_with_a_message() {
    let mut strategy = Each(on_step(0, |_, requests| requests.target_weight(InstrumentId(7), 0.1)));
    let market = market(vec![daily(&[flat(100.0)])]);
    let error = tidegate_backtest::run(&market, &[], &free(), &mut strategy).expect_err("unknown");
    assert_eq!(error.to_string(), "a strategy's request must name one of the market's `1` instruments, was number `7`");
}

#[test]
fn the_drawdown_stop_flattens_and_ends_trading() {
    // All in at 100; 79 is a fall of 21 %. Out at the next open of 70; nothing after that.
    let limits = RiskLimits { drawdown_stop: Some(0.2), ..RiskLimits::UNLIMITED };
    let rows = [flat(100.0), flat(100.0), flat(79.0), flat(70.0), flat(200.0)];
    let mut asked = 0;
    let mut strategy = Each(|_: &Context<'_>, requests: &mut Requests| {
        asked += 1;
        requests.target_weight(A, 1.0);
    });
    let journal = run_ok(&market(vec![daily(&rows)]), &BacktestConfig { limits, ..free() }, &mut strategy);
    assert_eq!(journal.equity.equity(), [1_000.0, 1_000.0, 790.0, 700.0, 700.0]);
    assert_eq!(journal.halt.map(|halt| halt.reason), Some(HaltReason::DrawdownStop));
    assert_eq!(asked, 2);
}

#[test]
fn ruin_closes_at_the_close_and_ends_the_run() {
    // Short 10 at 100, cash 2000. At a close of 210 equity is -100: bought back there, two bars remain unseen.
    let rows = [flat(100.0), flat(100.0), flat(210.0), flat(50.0), flat(50.0)];
    let mut strategy = Each(on_step(0, |_, requests| requests.target_weight(A, -1.0)));
    let journal = run_ok(&market(vec![daily(&rows)]), &free(), &mut strategy);
    assert_eq!(journal.equity.equity(), [1_000.0, 1_000.0, -100.0]);
    assert_eq!(journal.halt.map(|halt| halt.reason), Some(HaltReason::Ruin));
    assert_eq!((journal.positions[0].quantity, journal.final_equity()), (Quantity(0.0), Cash(-100.0)));
}

#[test]
fn next_close_fills_one_bar_later_at_the_close() {
    let config = BacktestConfig { fill: FillTiming::NextClose, ..free() };
    let mut strategy = Each(on_step(0, |_, requests| requests.target_weight(A, 1.0)));
    let rows = [flat(100.0), [100.0, 130.0, 90.0, 120.0]];
    let journal = run_ok(&market(vec![daily(&rows)]), &config, &mut strategy);
    assert_eq!(
        (journal.fills[0].row, journal.fills[0].price, journal.fills[0].moment),
        (1, Price(120.0), FillMoment::Close)
    );
}

#[test]
fn lots_round_a_target_towards_zero() {
    use std::sync::Arc;
    let instrument =
        tidegate_market::Instrument { lot_size: Some(3.0), ..tidegate_market::Instrument::fractional("A") };
    let market = tidegate_backtest::Market::new(vec![(instrument, Arc::new(daily(&[flat(100.0); 4])))]).expect("valid");
    let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| match context.step() {
        0 => requests.target_weight(A, 0.85),
        1 => requests.target_weight(A, -0.55),
        _ => {
            requests.submit(OrderRequest::market(A, Side::Buy, Quantity(4.0)));
        }
    });
    let journal = run_ok(&market, &free(), &mut strategy);
    assert_eq!(journal.fills.iter().map(|fill| fill.quantity.0).collect::<Vec<_>>(), [6.0, 9.0]);
    assert_eq!(journal.orders[2].status, OrderStatus::Denied(DenialReason::Lot));
}

#[test]
fn a_commission_per_share_has_its_minimum() {
    let config = BacktestConfig {
        commission: Commission::PerShare { per_share: 0.01, minimum: 1.0, maximum_fraction: None },
        ..free()
    };
    let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| {
        let quantity = if context.step() == 0 { 2.0 } else { 500.0 };
        requests.submit(OrderRequest::market(A, Side::Buy, Quantity(quantity)));
    });
    let journal = run_ok(&market(vec![daily(&[flat(1.0); 3])]), &config, &mut strategy);
    assert_eq!(journal.fills.iter().map(|fill| fill.commission.0).collect::<Vec<_>>(), [1.0, 5.0]);
}
