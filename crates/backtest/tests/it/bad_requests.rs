//! Requests that cannot be met: each a denial with its reason in the journal, never a panic.

use std::num::NonZeroU32;
use std::sync::Arc;

use tidegate_backtest::{
    AccountKind, BacktestConfig, BacktestError, CancelReason, DenialReason, Exits, FillTiming, Journal, Latency,
    Market, OrderId, OrderKind, OrderRequest, OrderStatus, Replacement, Requests, RiskLimits, TimeInForce, Trail, run,
};
use tidegate_market::{Cash, Instrument, InstrumentId, Price, Quantity, Side, Timestamp};

use crate::support::{Each, Ohlc, daily};

const BARS: [Ohlc; 4] = [[100.0, 101.0, 99.0, 100.0]; 4];

fn market() -> Market {
    let instrument = Instrument { lot_size: Some(1.0), tick_size: Some(0.25), ..Instrument::fractional("A") };
    Market::new(vec![(instrument, Arc::new(daily(&BARS)))]).expect("valid")
}

fn config() -> BacktestConfig {
    BacktestConfig::frictionless(Cash(10_000.0), FillTiming::NextOpen)
}

/// Asks once, at the close of the first bar, and returns the journal.
fn asked(config: &BacktestConfig, mut ask: impl FnMut(&mut Requests)) -> Journal {
    let mut strategy = Each(|context: &tidegate_backtest::Context<'_>, requests: &mut Requests| {
        if context.step() == 0 {
            ask(requests);
        }
    });
    run(&market(), &[], config, &mut strategy).expect("valid run")
}

fn buy(quantity: f64) -> OrderRequest {
    OrderRequest::market(InstrumentId(0), Side::Buy, Quantity(quantity))
}

#[track_caller]
fn check(request: OrderRequest, reason: DenialReason) {
    let journal = asked(&config(), |requests| {
        requests.submit(request);
        requests.submit(buy(1.0));
    });
    assert_eq!(journal.orders[0].status, OrderStatus::Denied(reason), "{request:?}");
    // A denial harms nobody else.
    assert_eq!((journal.orders[1].status, journal.fills.len()), (OrderStatus::Filled, 1));
}

#[test]
fn a_quantity_must_be_a_finite_number_above_zero() {
    for quantity in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        check(buy(quantity), DenialReason::Quantity);
    }
    check(buy(0.5), DenialReason::Lot);
}

#[test]
fn a_price_must_be_a_finite_number_above_zero_on_the_tick() {
    for price in [0.0, -5.0, f64::NAN, f64::INFINITY] {
        check(buy(1.0).with_kind(OrderKind::Limit(Price(price))), DenialReason::Price);
        check(buy(1.0).with_kind(OrderKind::Stop(Price(price))), DenialReason::Price);
        let kind = OrderKind::StopLimit { stop: Price(100.0), limit: Price(price) };
        check(buy(1.0).with_kind(kind), DenialReason::Price);
    }
    check(buy(1.0).with_kind(OrderKind::Limit(Price(99.1))), DenialReason::Tick);
    check(buy(1.0).with_kind(OrderKind::Stop(Price(101.3))), DenialReason::Tick);
    let kind = OrderKind::StopLimit { stop: Price(101.0), limit: Price(101.1) };
    check(buy(1.0).with_kind(kind), DenialReason::Tick);
}

#[test]
fn a_trailing_stop_must_trail() {
    for distance in [0.0, -1.0, f64::NAN] {
        check(buy(1.0).with_kind(OrderKind::TrailingStop(Trail::Absolute(distance))), DenialReason::Trail);
    }
    for fraction in [0.0, 1.0, -0.1, f64::NAN] {
        check(buy(1.0).with_kind(OrderKind::TrailingStop(Trail::Fraction(fraction))), DenialReason::Trail);
    }
}

#[test]
fn a_date_that_has_come_is_denied() {
    let until = |nanos| buy(1.0).with_time_in_force(TimeInForce::Gtd(Timestamp::from_nanos(nanos)));
    check(until(i64::MIN), DenialReason::Expired);
    // The close of the first bar.
    check(until(Timestamp::NANOS_PER_DAY), DenialReason::Expired);
}

#[test]
fn a_target_weight_must_be_a_number_and_leave_room_for_itself() {
    for weight in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let journal = asked(&config(), |requests| requests.target_weight(InstrumentId(0), weight));
        assert_eq!(journal.orders[0].status, OrderStatus::Denied(DenialReason::Weight), "{weight}");
    }
    let limits = RiskLimits { positions_max: Some(1), weight_max: Some(0.1), ..RiskLimits::UNLIMITED };
    let journal = asked(&BacktestConfig { limits, ..config() }, |requests| {
        requests.target_weight(InstrumentId(0), 0.5);
    });
    assert_eq!(journal.orders[0].clipped_by, Some(DenialReason::WeightLimit));
    assert_eq!(journal.orders[0].quantity, Quantity(10.0));
}

#[test]
fn an_order_that_breaks_a_limit_is_denied_by_the_name_of_the_limit() {
    let none = RiskLimits::UNLIMITED;
    for (limits, reason) in [
        (RiskLimits { weight_max: Some(0.5), ..none }, DenialReason::WeightLimit),
        (RiskLimits { gross_leverage_max: Some(0.5), ..none }, DenialReason::GrossLeverageLimit),
        (RiskLimits { net_leverage_max: Some(0.5), ..none }, DenialReason::NetLeverageLimit),
        (RiskLimits { daily_turnover_max: Some(0.5), ..none }, DenialReason::TurnoverLimit),
    ] {
        let journal = asked(&BacktestConfig { limits, ..config() }, |requests| {
            requests.submit(buy(51.0));
        });
        assert_eq!(journal.orders[0].status, OrderStatus::Denied(reason));
    }
    let cash = BacktestConfig { account: AccountKind::Cash, ..config() };
    let short = OrderRequest::market(InstrumentId(0), Side::Sell, Quantity(1.0));
    let journal = asked(&cash, |requests| {
        requests.submit(short);
        requests.submit(buy(101.0));
    });
    assert_eq!(journal.orders[0].status, OrderStatus::Denied(DenialReason::ShortSale));
    assert_eq!(journal.orders[1].status, OrderStatus::Denied(DenialReason::BuyingPower));
}

#[test]
fn a_bracket_with_a_leg_on_the_wrong_side_is_denied_whole() {
    let stop = |price| Some(OrderKind::Stop(Price(price)));
    for exits in [
        Exits { take_profit: Some(Price(99.0)), stop_loss: None },
        Exits { take_profit: None, stop_loss: stop(101.0) },
        Exits { take_profit: Some(Price(110.0)), stop_loss: stop(100.0) },
        Exits { take_profit: None, stop_loss: Some(OrderKind::Market) },
        Exits { take_profit: None, stop_loss: Some(OrderKind::MarketOnClose) },
    ] {
        let journal = asked(&config(), |requests| {
            requests.bracket(buy(1.0), exits);
        });
        assert_eq!(journal.orders[0].status, OrderStatus::Denied(DenialReason::Bracket), "{exits:?}");
        let ended = OrderStatus::Cancelled(CancelReason::ParentEnded);
        assert!(journal.orders[1..].iter().all(|leg| leg.status == ended), "{exits:?}: {:?}", journal.orders);
        assert!(journal.fills.is_empty());
    }
    let exits = Exits { take_profit: Some(Price(110.0)), stop_loss: stop(90.0) };
    let journal = asked(&config(), |requests| {
        requests.bracket(buy(1.0).reduce_only(), exits);
    });
    assert_eq!(journal.orders[0].status, OrderStatus::Denied(DenialReason::Bracket));
}

#[test]
fn an_order_that_has_ended_cannot_be_replaced_or_cancelled() {
    let mut strategy = Each(|context: &tidegate_backtest::Context<'_>, requests: &mut Requests| match context.step() {
        0 => {
            requests.submit(buy(1.0));
        }
        2 => {
            requests.cancel(OrderId(0));
            requests.cancel(OrderId(77));
            requests.replace(OrderId(0), Replacement { quantity: Some(Quantity(5.0)), ..Replacement::default() });
            requests.replace(OrderId(77), Replacement::default());
        }
        _ => {}
    });
    let journal = run(&market(), &[], &config(), &mut strategy).expect("valid run");
    let statuses: Vec<OrderStatus> = journal.orders.iter().map(|order| order.status).collect();
    let denied = OrderStatus::Denied(DenialReason::NothingToReplace);
    assert_eq!(statuses, [OrderStatus::Filled, denied, denied]);
}

#[test]
fn a_replacement_that_is_denied_leaves_the_old_order_working() {
    let bad = Replacement { kind: Some(OrderKind::Limit(Price(98.1))), ..Replacement::default() };
    let mut strategy = Each(|context: &tidegate_backtest::Context<'_>, requests: &mut Requests| match context.step() {
        0 => {
            requests.submit(buy(1.0).with_kind(OrderKind::Limit(Price(50.0))));
        }
        1 => {
            requests.replace(OrderId(0), bad);
        }
        _ => {}
    });
    let journal = run(&market(), &[], &config(), &mut strategy).expect("valid run");
    assert_eq!(journal.orders[0].status, OrderStatus::Cancelled(CancelReason::DataEnded));
    assert_eq!(journal.orders[1].status, OrderStatus::Denied(DenialReason::Tick));
}

#[test]
fn an_instrument_that_does_not_exist_is_an_error_that_names_it() {
    let unknown = OrderRequest { instrument: InstrumentId(9), ..buy(1.0) };
    for order in [true, false] {
        let mut strategy = Each(|_: &tidegate_backtest::Context<'_>, requests: &mut Requests| {
            if order {
                requests.submit(unknown);
            } else {
                requests.target_weight(InstrumentId(9), 0.5);
            }
        });
        let error = run(&market(), &[], &config(), &mut strategy).expect_err("unknown");
        assert!(matches!(error, BacktestError::UnknownInstrument { instrument: InstrumentId(9), .. }));
        let message = error.to_string();
        assert!(message.contains("must name one of the market's `1` instruments, was number `9`"), "{message}");
    }
}

#[test]
fn latency_does_not_go_with_fills_at_the_close_of_the_decision() {
    let latency = Latency::Bars(NonZeroU32::MIN);
    let config = BacktestConfig { latency, ..BacktestConfig::frictionless(Cash(1.0), FillTiming::SameClose) };
    let error = run(&market(), &[], &config, &mut Each(|_: &tidegate_backtest::Context<'_>, _: &mut Requests| {}));
    assert!(error.expect_err("refused").to_string().starts_with("latency must be none"));
}
