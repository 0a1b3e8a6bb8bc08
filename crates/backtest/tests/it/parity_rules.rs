//! The rules that profiles are made of, on a few bars by hand.

use tidegate_backtest::{
    AccountKind, BacktestConfig, BracketLegs, CancelReason, Commission, Context, DenialReason, Exits, FillOrder,
    FillTiming, Journal, OrderKind, OrderRequest, OrderStatus, PathModel, Requests, RiskLimits, Shortfall, Slippage,
    SlippageScope,
};
use tidegate_market::{Bps, Cash, InstrumentId, Price, Quantity, Side};

use crate::support::{Each, Ohlc, close_to, daily, market, run_ok};

const ONE: InstrumentId = InstrumentId(0);

fn config() -> BacktestConfig {
    BacktestConfig::frictionless(Cash(10_000.0), FillTiming::NextOpen)
}

fn buy(units: f64) -> OrderRequest {
    OrderRequest::market(ONE, Side::Buy, Quantity(units))
}

fn sell(units: f64) -> OrderRequest {
    OrderRequest::market(ONE, Side::Sell, Quantity(units))
}

fn exits(stop: f64, target: f64) -> Exits {
    Exits { take_profit: Some(Price(target)), stop_loss: Some(OrderKind::Stop(Price(stop))) }
}

/// Runs a strategy that asks at the first close only.
fn after_the_first_bar(rows: &[Ohlc], config: &BacktestConfig, ask: impl Fn(&mut Requests)) -> Journal {
    let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| {
        if context.step() == 0 {
            ask(requests);
        }
    });
    run_ok(&market(vec![daily(rows)]), config, &mut strategy)
}

/// Row, signed units, price.
fn fills(journal: &Journal) -> Vec<(u32, f64, f64)> {
    let sign = |side| if side == Side::Buy { 1.0 } else { -1.0 };
    journal.fills.iter().map(|fill| (fill.row, sign(fill.side) * fill.quantity.0, fill.price.0)).collect()
}

#[test]
fn a_leg_that_the_entry_has_gapped_through_fills_at_the_entry_s_open() {
    let quiet = [100.0, 101.0, 99.0, 100.0];
    // Below the stop of 95, whose price the bar never sees again.
    let gap_down = after_the_first_bar(&[quiet, [90.0, 92.0, 88.0, 91.0]], &config(), |requests| {
        requests.bracket(buy(10.0), exits(95.0, 105.0));
    });
    assert_eq!(fills(&gap_down), [(1, 10.0, 90.0), (1, -10.0, 90.0)]);
    let gap_up = after_the_first_bar(&[quiet, [110.0, 112.0, 108.0, 111.0]], &config(), |requests| {
        requests.bracket(buy(10.0), exits(95.0, 105.0));
    });
    assert_eq!(fills(&gap_up), [(1, 10.0, 110.0), (1, -10.0, 110.0)]);
    let short = after_the_first_bar(&[quiet, [110.0, 112.0, 108.0, 111.0]], &config(), |requests| {
        requests.bracket(sell(10.0), exits(105.0, 95.0));
    });
    assert_eq!(fills(&short), [(1, -10.0, 110.0), (1, 10.0, 110.0)]);
}

#[test]
fn legs_of_a_bracket_can_wait_for_the_bar_after_the_entry() {
    #[track_caller]
    fn check(legs: BracketLegs, entry: OrderRequest, exit_row: u32) {
        // The entry's bar and the next touch the stop of 95.
        let rows = [[100.0, 101.0, 99.0, 100.0], [100.0, 101.0, 94.0, 98.0], [98.0, 99.0, 94.0, 95.0]];
        let config = BacktestConfig { bracket_legs: legs, ..config() };
        let journal = after_the_first_bar(&rows, &config, |requests| {
            requests.bracket(entry, exits(95.0, 105.0));
        });
        let exit = fills(&journal)[1];
        assert_eq!(exit, (exit_row, -10.0, 95.0));
    }
    let limit = buy(10.0).with_kind(OrderKind::Limit(Price(99.0)));
    for entry in [buy(10.0), limit] {
        check(BracketLegs::WithEntry, entry, 1);
        check(BracketLegs::NextBar, entry, 2);
    }
    check(BracketLegs::WithMarketEntry, buy(10.0), 1);
    check(BracketLegs::WithMarketEntry, limit, 2);
}

#[test]
fn orders_of_one_moment_fill_by_age_alone_where_asked() {
    #[track_caller]
    fn check(fill_order: FillOrder, expected: [f64; 2]) {
        let config = BacktestConfig { fill_order, ..config() };
        let rows = [[100.0, 101.0, 99.0, 100.0]; 3];
        let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| {
            if context.step() == 0 {
                requests.submit(buy(10.0));
            } else if context.step() == 1 {
                requests.submit(buy(5.0));
                requests.submit(sell(10.0));
            }
        });
        let journal = run_ok(&market(vec![daily(&rows)]), &config, &mut strategy);
        assert_eq!(fills(&journal)[1..], expected.map(|units| (2, units, 100.0)));
    }
    check(FillOrder::ReducingFirst, [-10.0, 5.0]);
    check(FillOrder::OldestFirst, [5.0, -10.0]);
}

#[test]
fn a_stop_that_volume_cuts_is_a_market_order_for_the_rest() {
    // Volume is 1,000 and more; a tenth is 100. The stop of 95 is reached on row 1 only.
    let rows = [[100.0, 101.0, 99.0, 100.0], [100.0, 101.0, 94.0, 98.0], [99.0, 102.0, 98.0, 101.0]];
    let config = BacktestConfig { volume_share_max: Some(0.1), ..config() };
    let journal = after_the_first_bar(&rows, &config, |requests| {
        requests.submit(sell(150.0).with_kind(OrderKind::Stop(Price(95.0))));
    });
    let found = fills(&journal);
    assert_eq!(found.iter().map(|&(row, _, price)| (row, price)).collect::<Vec<_>>(), [(1, 95.0), (2, 99.0)]);
    // Inside row 1 the volume is that row's, 1,001.
    close_to(found[0].1, -100.1, 1e-12);
    close_to(found[1].1, -49.9, 1e-12);
}

#[test]
fn what_cannot_be_paid_in_full_is_cut_or_dropped() {
    #[track_caller]
    fn check(shortfall: Shortfall, expected: &[(u32, f64, f64)]) {
        let limits = RiskLimits { gross_leverage_max: Some(1.0), ..RiskLimits::UNLIMITED };
        let config = BacktestConfig { shortfall, limits, ..config() };
        let rows = [[100.0, 101.0, 99.0, 100.0], [100.0, 101.0, 99.0, 100.0], [125.0, 126.0, 124.0, 125.0]];
        let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| {
            if context.step() == 0 {
                requests.submit(sell(40.0));
            } else if context.step() == 1 {
                requests.submit(buy(140.0));
            }
        });
        assert_eq!(fills(&run_ok(&market(vec![daily(&rows)]), &config, &mut strategy)), expected);
    }
    // Short 40 from 100 to 125 leaves 9,000 of equity: 72 units at 125, after the 40 that close.
    check(Shortfall::Trim, &[(1, -40.0, 100.0), (2, 112.0, 125.0)]);
    check(Shortfall::Drop, &[(1, -40.0, 100.0), (2, 40.0, 125.0)]);
}

#[test]
fn cash_and_the_proceeds_of_short_sales_pay_for_purchases() {
    let rows = [[100.0, 101.0, 99.0, 100.0], [100.0, 101.0, 99.0, 100.0], [125.0, 126.0, 124.0, 125.0]];
    let config =
        BacktestConfig { account: AccountKind::CashAndShorts, commission: Commission::Bps(Bps(100.0)), ..config() };
    let run = |first: OrderRequest, second: OrderRequest, shortfall: Shortfall| {
        let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| {
            if context.step() < 2 {
                requests.submit([first, second][context.step()]);
            }
        });
        let config = BacktestConfig { shortfall, ..config.clone() };
        run_ok(&market(vec![daily(&rows)]), &config, &mut strategy)
    };
    // 10,000 + 400 * 100 less 1 % of it are 49,600. At 125 closing 400 takes 50,000 and 1 % of that: it may go below zero, and nothing
    // opens after it.
    let journal = run(sell(400.0), buy(450.0), Shortfall::Trim);
    assert_eq!(fills(&journal), [(1, -400.0, 100.0), (2, 400.0, 125.0)]);
    // Short 40: 13,960 of cash, less 5,050 to close; 8,910 pay for 8,910 / 126.25 units.
    let journal = run(sell(40.0), buy(120.0), Shortfall::Trim);
    close_to(journal.fills[1].quantity.0, 40.0 + 8_910.0 / 126.25, 1e-12);
    let journal = run(sell(40.0), buy(120.0), Shortfall::Drop);
    assert_eq!(fills(&journal)[1], (2, 40.0, 125.0));
    // More than all cash at the decision's close is denied, and more at the fill is cancelled.
    let journal = run(buy(101.0), buy(90.0), Shortfall::Drop);
    assert_eq!(journal.orders[0].status, OrderStatus::Denied(DenialReason::BuyingPower));
    assert_eq!(journal.orders[1].status, OrderStatus::Cancelled(CancelReason::NoRoomAtFill));
}

#[test]
fn slippage_is_paid_by_the_orders_that_its_scope_names() {
    // A purchase at the market at 100, a limit at 98, a stop at 102; then all is sold at the market at 100.
    #[track_caller]
    fn check(slippage_scope: SlippageScope, expected: [f64; 4]) {
        let rows = [[100.0, 101.0, 99.0, 100.0], [100.0, 103.0, 97.0, 100.0], [100.0, 101.0, 99.0, 100.0]];
        let config = BacktestConfig { slippage: Slippage::Bps(Bps(100.0)), slippage_scope, ..config() };
        let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| {
            if context.step() == 0 {
                requests.submit(buy(1.0));
                requests.submit(buy(1.0).with_kind(OrderKind::Stop(Price(102.0))));
                requests.submit(buy(1.0).with_kind(OrderKind::Limit(Price(98.0))));
            } else if context.step() == 1 {
                requests.submit(sell(3.0));
            }
        });
        let journal = run_ok(&market(vec![daily(&rows)]), &config, &mut strategy);
        for (fill, expected) in journal.fills.iter().zip(expected) {
            close_to(fill.price.0, expected, 1e-12);
        }
        assert_eq!(journal.fills.len(), 4);
    }
    check(SlippageScope::All, [101.0, 103.02, 98.0, 99.0]);
    check(SlippageScope::Every, [101.0, 103.02, 98.98, 99.0]);
    check(SlippageScope::Market, [101.0, 102.0, 98.0, 99.0]);
    check(SlippageScope::Entries, [101.0, 103.02, 98.98, 100.0]);
}

#[test]
fn orders_can_be_looked_at_the_close_alone() {
    #[track_caller]
    fn check(kind: OrderKind, expected: &[(u32, f64, f64)]) {
        // Row 1 touches 95 and 105 and closes between; row 2 closes at 94, row 3 at 106, row 4 at 97.
        let rows = [
            [100.0, 101.0, 99.0, 100.0],
            [106.0, 107.0, 93.0, 100.0],
            [100.0, 101.0, 93.0, 94.0],
            [100.0, 107.0, 99.0, 106.0],
            [100.0, 101.0, 96.0, 97.0],
        ];
        let config = BacktestConfig { path: PathModel::CloseOnly, ..config() };
        let journal = after_the_first_bar(&rows, &config, |requests| {
            requests.submit(buy(10.0).with_kind(kind));
        });
        assert_eq!(fills(&journal), expected);
    }
    check(OrderKind::Limit(Price(95.0)), &[(2, 10.0, 94.0)]);
    check(OrderKind::Stop(Price(105.0)), &[(3, 10.0, 106.0)]);
    // Triggered at 106, too dear then, and at 97 within the limit.
    check(OrderKind::StopLimit { stop: Price(105.0), limit: Price(98.0) }, &[(4, 10.0, 97.0)]);
    check(OrderKind::Market, &[(1, 10.0, 106.0)]);
}
