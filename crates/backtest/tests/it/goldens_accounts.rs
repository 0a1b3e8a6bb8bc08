//! What happens to an account without a trade, and orders with a life of their own: small cases reckoned by hand.

use std::num::NonZeroU32;
use std::sync::Arc;

use tidegate_backtest::{
    AccountKind, BacktestConfig, CancelReason, CashFlowKind, Context, DenialReason, Exits, FeeBasis, FillTiming,
    Financing, InstrumentData, Journal, Latency, Market, OrderKind, OrderRequest, OrderStatus, PathModel, Replacement,
    Requests, RiskLimits, TargetSizing, TimeInForce, Trail, run,
};
use tidegate_market::{
    Cash, CorporateAction, CorporateActionKind, Instrument, InstrumentId, Price, Quantity, RateSeries, Session,
    Sessions, Side, Timestamp,
};

use crate::support::{Each, Ohlc, bars_with_gaps, close_to, daily};

const A: InstrumentId = InstrumentId(0);

fn day(day: i64) -> Timestamp {
    Timestamp::from_nanos(day * Timestamp::NANOS_PER_DAY)
}

fn flat(prices: &[f64]) -> Vec<Ohlc> {
    prices.iter().map(|&price| [price; 4]).collect()
}

fn data(rows: &[Ohlc]) -> InstrumentData {
    InstrumentData::new(Instrument::fractional("A"), Arc::new(daily(rows)))
}

fn free(fill: FillTiming) -> BacktestConfig {
    BacktestConfig::frictionless(Cash(1_000.0), fill)
}

/// Runs one instrument and asks for orders at the close of the first bar.
fn once(data: InstrumentData, config: &BacktestConfig, mut ask: impl FnMut(&mut Requests)) -> Journal {
    let market = Market::build(vec![data], None).expect("valid");
    let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| {
        if context.step() == 0 {
            ask(requests);
        }
    });
    run(&market, &[], config, &mut strategy).expect("valid")
}

fn market_order(side: Side, units: f64) -> OrderRequest {
    OrderRequest::market(A, side, Quantity(units))
}

fn actions(actions: &[(i64, CorporateActionKind)]) -> Vec<CorporateAction> {
    actions.iter().map(|&(time, kind)| CorporateAction { time: day(time), kind }).collect()
}

#[test]
fn a_split_and_a_dividend_of_one_day_leave_the_value_and_pay_per_new_unit() {
    // 10 units at 100; on day 2 two for one at 50, and 1.5 per new unit.
    let both = [CorporateActionKind::Dividend { amount: 1.5 }, CorporateActionKind::Split { ratio: 2.0 }];
    for (side, dividend) in [(Side::Buy, 30.0), (Side::Sell, -30.0)] {
        let shares = InstrumentData {
            actions: actions(&[(2, both[0]), (2, both[1])]),
            ..data(&flat(&[100.0, 100.0, 50.0, 50.0]))
        };
        let journal = once(shares, &free(FillTiming::NextOpen), |requests| {
            requests.submit(market_order(side, 10.0));
        });
        assert_eq!(journal.equity.equity(), [1_000.0, 1_000.0, 1_000.0 + dividend, 1_000.0 + dividend]);
        assert_eq!(journal.positions[0].quantity.0, side.sign() * 20.0);
        assert_eq!(journal.positions[0].average_cost.0, 50.0);
        assert_eq!(journal.totals.dividends.0, dividend);
        assert_eq!(journal.actions.len(), 2);
        assert_eq!((journal.actions[0].units_before.0.abs(), journal.actions[0].units_after.0.abs()), (10.0, 20.0));
    }
}

#[test]
fn a_split_moves_the_prices_and_units_of_orders_that_wait() {
    let split = actions(&[(2, CorporateActionKind::Split { ratio: 4.0 })]);
    let rows = [[100.0; 4], [100.0; 4], [25.0, 26.0, 21.0, 22.0]];
    let journal = once(InstrumentData { actions: split, ..data(&rows) }, &free(FillTiming::NextOpen), |requests| {
        // 90 for 2 units becomes 22.5 for 8.
        requests.submit(market_order(Side::Buy, 2.0).with_kind(OrderKind::Limit(Price(90.0))));
    });
    assert_eq!(journal.fills.len(), 1);
    assert_eq!((journal.fills[0].price.0, journal.fills[0].quantity.0, journal.fills[0].row), (22.5, 8.0, 2));
}

#[test]
fn a_delisting_pays_the_last_close_or_the_stated_price_and_ends_every_order() {
    for (price, paid) in [(None, 90.0), (Some(Price(40.0)), 40.0)] {
        let gone = actions(&[(9, CorporateActionKind::Delisting { price })]);
        let first = InstrumentData { actions: gone, ..data(&flat(&[100.0, 100.0, 90.0])) };
        let other =
            InstrumentData { instrument: Instrument::fractional("B"), ..data(&flat(&[10.0, 10.0, 10.0, 10.0, 10.0])) };
        let market = Market::build(vec![first, other], None).expect("valid");
        let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| match context.step() {
            0 => {
                requests.submit(market_order(Side::Buy, 5.0));
                requests.submit(market_order(Side::Sell, 5.0).with_kind(OrderKind::Stop(Price(1.0))));
            }
            3 => drop(requests.submit(market_order(Side::Buy, 1.0))),
            _ => {}
        });
        let journal = run(&market, &[], &free(FillTiming::NextOpen), &mut strategy).expect("valid");
        assert_eq!(journal.final_equity().0, 1_000.0 + 5.0 * (paid - 100.0));
        assert_eq!(journal.orders[1].status, OrderStatus::Cancelled(CancelReason::Delisted));
        assert_eq!(journal.orders[3].status, OrderStatus::Denied(DenialReason::Delisted));
    }
}

#[test]
fn what_is_held_overnight_pays_its_fee_and_its_interest() {
    // Short 10 at 100 from the open of day 1: one night costs 1,000 * 0.0365 / 365 = 0.1; 2,000 of cash of which 1,000 is free earns
    // 1,000 * 0.073 / 365 = 0.2. Before the sale 1,000 was free for a night, too.
    let financing = Financing { borrow_rate: 0.0365, margin_rate: 0.73, cash_rate: 0.073 };
    let config = BacktestConfig { financing, ..free(FillTiming::NextOpen) };
    let journal = once(data(&flat(&[100.0; 3])), &config, |requests| {
        requests.submit(market_order(Side::Sell, 10.0));
    });
    close_to(journal.equity.equity()[1], 1_000.2, 1e-12);
    close_to(journal.equity.equity()[2], 1_000.2 - 0.1 + 1_000.2 * 0.073 / 365.0, 1e-12);
    // Long 15: 500 are borrowed for a night at 500 * 0.73 / 365 = 1, less what the first night earned on the cash.
    let journal = once(data(&flat(&[100.0; 3])), &config, |requests| {
        requests.submit(market_order(Side::Buy, 15.0));
    });
    close_to(journal.totals.margin_interest.0, 499.8 * 0.73 / 365.0, 1e-12);
    let kinds: Vec<_> = journal.cash_flows.iter().map(|flow| flow.kind).collect();
    assert_eq!(kinds, [CashFlowKind::CashInterest, CashFlowKind::MarginInterest]);
}

#[test]
fn longs_pay_a_positive_funding_rate() {
    // 0.01 % three times between two closes, on 500 held since the open of day 1.
    let due = [2, 3, 4]
        .map(|third| Timestamp::from_nanos(2 * Timestamp::NANOS_PER_DAY + third * Timestamp::NANOS_PER_DAY / 4));
    let funding = RateSeries::new(due.to_vec(), vec![1e-4; 3]).expect("ascending");
    let contract = InstrumentData { funding: Some(Arc::new(funding)), ..data(&flat(&[100.0; 4])) };
    let journal = once(contract, &free(FillTiming::NextOpen), |requests| {
        requests.submit(market_order(Side::Buy, 5.0));
    });
    close_to(journal.totals.funding.0, 0.15, 1e-12);
    close_to(journal.final_equity().0, 999.85, 1e-12);
}

#[test]
fn a_margin_call_cuts_to_what_the_initial_margin_allows() {
    // 1,000 of equity hold 2,000. At 70 equity is 400 against 1,400, under 30 %; half of it allows 800, so 20 units become 800 / 70.
    let account = AccountKind::Margin { initial: 0.5, maintenance: 0.3 };
    let config = BacktestConfig { account, ..free(FillTiming::NextOpen) };
    let journal = once(data(&flat(&[100.0, 100.0, 70.0, 70.0])), &config, |requests| {
        requests.target_weight(A, 3.0);
    });
    assert_eq!(journal.orders[0].clipped_by, Some(DenialReason::BuyingPower));
    assert_eq!(journal.fills[0].quantity.0, 20.0);
    assert_eq!(journal.margin_calls, [day(2)]);
    close_to(journal.positions[0].quantity.0, 800.0 / 70.0, 1e-12);
    close_to(journal.final_equity().0, 400.0, 1e-12);
}

#[test]
fn a_second_currency_is_converted_at_the_last_rate_known() {
    // 5 units at 100, bought at a rate of 1.2 and worth 1.1 from the close of day 2 on: 5 * (100 * 1.1 - 100 * 1.2) = -50.
    let fx = RateSeries::new(vec![day(0), day(3)], vec![1.2, 1.1]).expect("ascending");
    let foreign = InstrumentData { fx: Some(Arc::new(fx)), ..data(&flat(&[100.0; 4])) };
    let journal = once(foreign, &free(FillTiming::NextOpen), |requests| {
        requests.submit(market_order(Side::Buy, 5.0));
    });
    for (&found, expected) in journal.equity.equity().iter().zip([1_000.0, 1_000.0, 950.0, 950.0]) {
        close_to(found, expected, 1e-12);
    }
    assert_eq!((journal.fills[0].price.0, journal.fills[0].fx_rate), (100.0, 1.2));
    assert_eq!(journal.positions[0].average_cost.0, 120.0);
}

#[test]
fn a_session_that_ends_closes_the_position_at_its_last_close() {
    let sessions =
        Sessions::new(vec![Session { open: day(0), close: day(2) }, Session { open: day(2), close: day(4) }]);
    let market =
        Market::build(vec![data(&flat(&[100.0, 101.0, 102.0, 103.0]))], Some(Arc::new(sessions.expect("in order"))));
    let config = BacktestConfig { session_exit: true, ..free(FillTiming::NextOpen) };
    let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| {
        if context.step() == 0 {
            requests.submit(market_order(Side::Buy, 1.0));
        }
    });
    let journal = run(&market.expect("valid"), &[], &config, &mut strategy).expect("valid");
    // In at the open of day 1, out at its close, which is that of the session.
    assert_eq!((journal.trades[0].exit_row, journal.trades[0].exit_price.0), (1, 101.0));
}

#[test]
fn what_a_missing_last_bar_leaves_open_is_closed_at_the_next_open() {
    let sessions =
        Sessions::new(vec![Session { open: day(0), close: day(3) }, Session { open: day(3), close: day(5) }]);
    let rows = [Some([100.0; 4]), Some([101.0; 4]), None, Some([103.0, 104.0, 102.0, 104.0]), Some([104.0; 4])];
    let shares = InstrumentData::new(Instrument::fractional("A"), Arc::new(bars_with_gaps(&rows, "1d")));
    let market = Market::build(vec![shares], Some(Arc::new(sessions.expect("in order")))).expect("valid");
    let config = BacktestConfig { session_exit: true, ..free(FillTiming::NextOpen) };
    let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| {
        if context.step() == 0 {
            requests.submit(market_order(Side::Buy, 1.0));
        }
    });
    let journal = run(&market, &[], &config, &mut strategy).expect("valid");
    assert_eq!((journal.trades[0].exit_row, journal.trades[0].exit_price.0), (2, 103.0));
}

#[test]
fn a_size_at_the_fill_keeps_to_the_limits_and_to_its_weight_when_volume_cuts_it() {
    let sizing = TargetSizing::AtFill { budget_fraction: 1.0, fee_basis: FeeBasis::Fill };
    let limits = RiskLimits { weight_max: Some(0.2), ..RiskLimits::UNLIMITED };
    let config = BacktestConfig { sizing, limits, ..free(FillTiming::NextOpen) };
    let journal = once(data(&flat(&[100.0; 3])), &config, |requests| requests.target_weight(A, 1.0));
    assert_eq!((journal.orders[0].clipped_by, journal.fills[0].quantity.0), (Some(DenialReason::WeightLimit), 2.0));
    // Half of 1,000 is 500 units at 1, of which the bars give 100, 100.1, ... until it is there.
    let config = BacktestConfig { sizing, volume_share_max: Some(0.1), ..free(FillTiming::NextOpen) };
    let journal = once(data(&flat(&[1.0; 9])), &config, |requests| requests.target_weight(A, 0.5));
    close_to(journal.positions[0].quantity.0, 500.0, 1e-12);
    assert_eq!(journal.orders[0].status, OrderStatus::Filled);
}

#[test]
fn a_bar_gives_no_more_than_its_share_and_the_rest_waits() {
    // The bars' volumes are 1,000, 1,001, ...; a tenth of the bar before the open is 100, then 100.1.
    let config = BacktestConfig { volume_share_max: Some(0.1), ..free(FillTiming::NextOpen) };
    let journal = once(data(&flat(&[1.0; 4])), &config, |requests| {
        requests.submit(market_order(Side::Buy, 150.0));
    });
    let fills: Vec<_> = journal.fills.iter().map(|fill| (fill.row, fill.quantity.0)).collect();
    assert_eq!(fills, [(1, 100.0), (2, 50.0)]);
    let immediate = [(TimeInForce::Ioc, 1, 100.0), (TimeInForce::Fok, 0, 0.0)];
    for (life, fills, filled) in immediate {
        let journal = once(data(&flat(&[1.0; 4])), &config, |requests| {
            requests.submit(market_order(Side::Buy, 150.0).with_time_in_force(life));
        });
        assert_eq!((journal.fills.len(), journal.orders[0].filled_quantity.0), (fills, filled));
        assert_eq!(journal.orders[0].status, OrderStatus::Cancelled(CancelReason::NotImmediate));
    }
}

#[test]
fn an_order_on_its_way_arrives_bars_or_hours_late() {
    let late = [
        (Latency::Bars(NonZeroU32::MIN), 2),
        (Latency::Nanos(Timestamp::NANOS_PER_DAY / 2), 2),
        (Latency::Nanos(Timestamp::NANOS_PER_DAY), 2),
        (Latency::Nanos(Timestamp::NANOS_PER_DAY + 1), 3),
    ];
    for (latency, row) in late {
        let config = BacktestConfig { latency, ..free(FillTiming::NextOpen) };
        let journal = once(data(&flat(&[1.0, 2.0, 3.0, 4.0])), &config, |requests| {
            requests.submit(market_order(Side::Buy, 1.0));
        });
        assert_eq!(journal.fills[0].row, row, "{latency:?}");
    }
}

#[test]
fn an_order_ends_at_its_date_and_one_whose_date_has_come_is_denied() {
    let limit = |date| market_order(Side::Buy, 1.0).with_kind(OrderKind::Limit(Price(50.0))).with_time_in_force(date);
    let rows = [[100.0; 4], [100.0; 4], [100.0, 100.0, 40.0, 100.0]];
    for (date, status) in [
        (day(1), OrderStatus::Denied(DenialReason::Expired)),
        (day(2), OrderStatus::Cancelled(CancelReason::Expired)),
        (day(3), OrderStatus::Filled),
    ] {
        let journal = once(data(&rows), &free(FillTiming::NextOpen), |requests| {
            requests.submit(limit(TimeInForce::Gtd(date)));
        });
        assert_eq!(journal.orders[0].status, status);
    }
}

/// An entry at 100 on day 1 with a stop at 95 and a target at 110, and what the next bar makes of it.
fn bracket(next: Ohlc, path: PathModel) -> Vec<f64> {
    let config = BacktestConfig { path, ..free(FillTiming::NextOpen) };
    let rows = [[100.0; 4], [100.0; 4], next, [100.0; 4]];
    let journal = once(data(&rows), &config, |requests| {
        let exits = Exits { take_profit: Some(Price(110.0)), stop_loss: Some(OrderKind::Stop(Price(95.0))) };
        requests.bracket(market_order(Side::Buy, 1.0), exits);
    });
    let ended = journal.orders[1..].iter().filter(|order| order.status != OrderStatus::Filled);
    assert!(ended.clone().count() >= 1, "one cancels the other");
    journal.fills[1..].iter().map(|fill| fill.price.0).collect()
}

#[test]
fn the_legs_of_a_bracket_work_once_the_entry_has_filled_and_one_cancels_the_other() {
    assert_eq!(bracket([100.0, 112.0, 99.0, 111.0], PathModel::Pessimistic), [110.0]);
    assert_eq!(bracket([100.0, 101.0, 94.0, 96.0], PathModel::Pessimistic), [95.0]);
    assert_eq!(bracket([120.0, 121.0, 119.0, 120.0], PathModel::Pessimistic), [120.0]);
    // Both inside: the stop where nothing is known, the target where the high is nearer to the open.
    assert_eq!(bracket([104.0, 111.0, 94.0, 100.0], PathModel::Pessimistic), [95.0]);
    assert_eq!(bracket([104.0, 111.0, 94.0, 100.0], PathModel::NearestExtreme), [110.0]);
    let none: [f64; 0] = [];
    assert_eq!(bracket([100.0; 4], PathModel::Pessimistic), none);
}

#[test]
fn a_trailing_stop_follows_the_best_price_and_never_goes_back() {
    // Made at 100 with a distance of 10: 90. The high of 120 moves it to 110 after day 1; day 2 opens at 112 and falls through it.
    let rows = [[100.0; 4], [100.0, 120.0, 100.0, 115.0], [112.0, 113.0, 105.0, 106.0]];
    let journal = once(data(&rows), &free(FillTiming::NextOpen), |requests| {
        let stop = OrderKind::TrailingStop(Trail::Absolute(10.0));
        requests.bracket(market_order(Side::Buy, 1.0), Exits { take_profit: None, stop_loss: Some(stop) });
    });
    assert_eq!((journal.fills[1].row, journal.fills[1].price.0), (2, 110.0));
    // The same with a close of 108 on day 1: it came after the high, so the stop at 110 was hit, and fills no better than the close.
    let rows = [[100.0; 4], [100.0, 120.0, 100.0, 108.0], [112.0; 4]];
    let journal = once(data(&rows), &free(FillTiming::NextOpen), |requests| {
        let stop = OrderKind::TrailingStop(Trail::Absolute(10.0));
        requests.bracket(market_order(Side::Buy, 1.0), Exits { take_profit: None, stop_loss: Some(stop) });
    });
    assert_eq!((journal.fills[1].row, journal.fills[1].price.0), (1, 108.0));
}

#[test]
fn the_first_of_two_cancels_the_other_and_a_replacement_takes_the_place() {
    let rows = [[100.0; 4], [100.0, 106.0, 94.0, 100.0], [100.0; 4]];
    let journal = once(data(&rows), &free(FillTiming::NextOpen), |requests| {
        let stop = market_order(Side::Buy, 1.0).with_kind(OrderKind::Stop(Price(105.0)));
        let limit = market_order(Side::Buy, 2.0).with_kind(OrderKind::Limit(Price(95.0)));
        requests.one_cancels_other(stop, limit);
        let far = requests.submit(market_order(Side::Sell, 1.0).with_kind(OrderKind::Limit(Price(500.0))));
        let near = OrderKind::Limit(Price(103.0));
        requests.replace(far, Replacement { kind: Some(near), ..Replacement::default() });
    });
    let statuses: Vec<_> = journal.orders.iter().map(|order| order.status).collect();
    let other = OrderStatus::Cancelled(CancelReason::OtherFilled);
    let replaced = OrderStatus::Cancelled(CancelReason::Replaced);
    assert_eq!(statuses, [OrderStatus::Filled, other, replaced, OrderStatus::Filled]);
    assert_eq!(journal.fills.iter().map(|fill| fill.price.0).collect::<Vec<_>>(), [105.0, 103.0]);
}

#[test]
fn a_day_that_loses_too_much_ends_trading_until_the_next_and_losing_trades_end_it_for_good() {
    let limits = RiskLimits { daily_loss_stop: Some(0.05), ..RiskLimits::UNLIMITED };
    let config = BacktestConfig { limits, ..free(FillTiming::NextOpen) };
    let market = Market::build(vec![data(&flat(&[100.0, 100.0, 90.0, 90.0, 90.0]))], None).expect("valid");
    let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| {
        if context.position(A).quantity.0 == 0.0 {
            requests.submit(market_order(Side::Buy, 10.0));
        }
    });
    let journal = run(&market, &[], &config, &mut strategy).expect("valid");
    assert_eq!(journal.daily_loss_stops, [day(2)]);
    // Out at the open of day 3, at whose close a new day has begun.
    let fills: Vec<_> = journal.fills.iter().map(|fill| (fill.row, fill.side)).collect();
    assert_eq!(fills, [(1, Side::Buy), (3, Side::Sell), (4, Side::Buy)]);

    let limits = RiskLimits { losing_trades_stop: Some(2), ..RiskLimits::UNLIMITED };
    let config = BacktestConfig { limits, ..free(FillTiming::NextOpen) };
    let market = Market::build(vec![data(&flat(&[100.0, 99.0, 98.0, 97.0, 96.0, 95.0, 94.0]))], None).expect("valid");
    let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| {
        let side = if context.position(A).quantity.0 > 0.0 { Side::Sell } else { Side::Buy };
        requests.submit(market_order(side, 1.0));
    });
    let journal = run(&market, &[], &config, &mut strategy).expect("valid");
    assert_eq!((journal.trades.len(), journal.halt.map(|halt| halt.time)), (2, Some(day(4))));
}
