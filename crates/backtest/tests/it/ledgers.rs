//! The ledgers of other engines on SMA(5, 20) crosses, from our own strategy: it decides, the profile fills.

use std::num::NonZeroUsize;

use tidegate_backtest::strategies::{SmaCross, SmaCrossParams};
use tidegate_backtest::{Market, run};
use tidegate_market::Instrument;

use crate::parity::compare::{first_difference, ledger};
use crate::parity::profiles;
use crate::parity::vectors::{bars, named};

fn bars_of(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).expect("above zero")
}

#[track_caller]
fn check(engine: &str, name: &str, allow_short: bool) {
    let peer = named(engine, name);
    let profile = profiles::of(&peer);
    let bars = bars(&peer.series);
    let instrument = Instrument { lot_size: profile.lot, ..Instrument::fractional("PEER") };
    let market = Market::new(vec![(instrument, bars.clone())]).expect("valid");
    let params = SmaCrossParams { fast_bars: bars_of(5), slow_bars: bars_of(20), weight: 1.0, allow_short };
    let mut strategy = SmaCross::new(params, 1).expect("valid");
    let journal = run(&market, &[], &profile.config, &mut strategy).expect("valid");
    let difference = first_difference(&ledger(&journal, &bars), &peer.ledger);
    assert!(difference.is_none(), "{engine} {name}: {}", difference.expect("checked"));
    assert!(journal.fills.len() >= 13);
}

#[test]
fn backtesting_py_in_whole_units() {
    check("backtesting_py", "backtesting_py_whole_units", false);
    check("backtesting_py", "cross_calm_defaults", false);
    check("backtesting_py", "cross_calm_spread_commission", false);
}

#[test]
fn backtesting_py_in_fractions() {
    check("backtesting_py", "backtesting_py_fractional", false);
}

#[test]
fn backtesting_py_trading_on_close() {
    check("backtesting_py", "backtesting_py_trade_on_close", false);
    check("backtesting_py", "reverse_calm_on_close", true);
}

#[test]
fn backtesting_py_long_and_short() {
    check("backtesting_py", "reverse_surge_spread", true);
    check("backtesting_py", "reverse_surge_finalized", true);
}

#[test]
fn vectorbt_at_the_same_close() {
    check("vectorbt", "vectorbt_same_close", false);
    check("vectorbt", "cross_calm_defaults", false);
    check("vectorbt", "size_above_cash", false);
}

#[test]
fn vectorbt_long_and_short() {
    check("vectorbt", "reverse_volatile_fees", true);
}

#[test]
fn vectorbt_at_the_next_open() {
    check("vectorbt", "vectorbt_next_open", false);
}

#[test]
fn backtrader_with_all_cash_at_the_open() {
    check("backtrader", "backtrader_next_open", false);
    check("backtrader", "all_in_at_the_open", false);
}

#[test]
fn zipline_at_the_next_close() {
    check("zipline", "cross_calm_no_commission", false);
    check("zipline", "cross_volatile_defaults", false);
}
