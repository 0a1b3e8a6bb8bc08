//! The end of an account: a single row of equity at or below zero, the last one.

use tidegate_backtest::{
    BacktestConfig, Commission, Context, FillTiming, HaltReason, Journal, OrderOrigin, Requests, RiskLimits, Slippage,
};
use tidegate_market::{Cash, InstrumentId, Timestamp};

use crate::support::{Each, daily, market, run_ok};

const A: InstrumentId = InstrumentId(0);

/// Asks at the same close for a weight of 0.1 per step passed; every fill costs 600.
fn run_with_dear_fills(bars: usize, drawdown_stop: Option<f64>) -> Journal {
    let config = BacktestConfig {
        fill: FillTiming::SameClose,
        commission: Commission::PerShare { per_share: 0.0, minimum: 600.0, maximum_fraction: None },
        slippage: Slippage::None,
        limits: RiskLimits { drawdown_stop, ..RiskLimits::UNLIMITED },
        ..BacktestConfig::frictionless(Cash(1_000.0), FillTiming::SameClose)
    };
    let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| {
        requests.target_weight(A, 0.1 * (context.step() + 1) as f64);
    });
    run_ok(&market(vec![daily(&vec![[100.0; 4]; bars])]), &config, &mut strategy)
}

#[track_caller]
fn check(journal: &Journal, equity: &[f64], last_origin: OrderOrigin) {
    assert_eq!(journal.equity.equity(), equity);
    let halt = journal.halt.expect("halted");
    assert_eq!((halt.reason, halt.time), (HaltReason::Ruin, Timestamp::from_nanos(Timestamp::NANOS_PER_DAY)));
    assert_eq!(journal.positions[0].quantity.0, 0.0);
    assert_eq!(journal.orders.last().map(|order| order.origin), Some(last_origin));
}

#[test]
fn costs_at_the_same_close_that_leave_nothing_are_ruin_at_that_close() {
    // Bought for 600: 400 left. Bought for 600 more: -200, and closed for 600 more: -800.
    check(&run_with_dear_fills(5, None), &[400.0, -800.0], OrderOrigin::Ruin);
}

#[test]
fn costs_at_the_last_close_are_ruin_too() {
    check(&run_with_dear_fills(2, None), &[400.0, -800.0], OrderOrigin::Ruin);
}

#[test]
fn a_drawdown_stop_whose_costs_leave_nothing_is_ruin() {
    // 400 after a highest of 1,000 is below the stop; selling costs 600.
    check(&run_with_dear_fills(5, Some(0.5)), &[400.0, -200.0], OrderOrigin::DrawdownStop);
}
