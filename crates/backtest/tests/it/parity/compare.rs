//! The first place where two ledgers differ.

use std::fmt;

use tidegate_backtest::{CancelReason, DenialReason, Journal, OrderStatus};
use tidegate_market::{Bars, Side, Timestamp};

use super::vectors::{Filled, Ledger, RoundTrip};

const TOLERANCE: f64 = 1e-9;

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Fills,
    Refusals,
    Trades,
    Equity,
}

/// The first bar on which two ledgers differ, and what differs there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Difference {
    pub(crate) bar: usize,
    pub(crate) what: What,
    pub(crate) detail: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "bar {}, {:?}: {}", self.bar, self.what, self.detail)
    }
}

fn near(found: f64, expected: f64, scale: f64) -> bool {
    (found - expected).abs() <= TOLERANCE * found.abs().max(expected.abs()).max(scale)
}

/// Puts fills of one bar, side and price after each other together: one order that closes and opens is two orders elsewhere.
fn merged(fills: &[Filled]) -> Vec<Filled> {
    let mut merged: Vec<Filled> = Vec::new();
    for &fill in fills {
        match merged.last_mut() {
            Some(last)
                if last.bar == fill.bar && last.units * fill.units > 0.0 && near(last.price, fill.price, 0.0) =>
            {
                last.units += fill.units;
                last.commission += fill.commission;
            }
            _ => merged.push(fill),
        }
    }
    merged
}

fn same_fill(found: &Filled, expected: &Filled) -> bool {
    near(found.units, expected.units, 0.0)
        && near(found.price, expected.price, 0.0)
        && near(found.commission, expected.commission, 1e-3)
}

fn same_trade(found: &RoundTrip, expected: &RoundTrip) -> bool {
    let value = expected.units.abs() * expected.entry_price;
    found.entry_bar == expected.entry_bar
        && near(found.units, expected.units, 0.0)
        && near(found.entry_price, expected.entry_price, 0.0)
        && near(found.exit_price, expected.exit_price, 0.0)
        && near(found.commission, expected.commission, 1e-3)
        && near(found.pnl, expected.pnl, value)
}

fn differs<T: fmt::Debug>(found: &[T], expected: &[T], same: impl Fn(&T, &T) -> bool) -> Option<String> {
    let agree = found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| same(a, b));
    (!agree).then(|| format!("found {found:?}, expected {expected:?}"))
}

fn of_bar<T: Copy>(list: &[T], bar: usize, bar_of: impl Fn(&T) -> usize) -> Vec<T> {
    list.iter().filter(|item| bar_of(item) == bar).copied().collect()
}

/// Returns the first difference; `None` where fills, refusals, trades and equity are the same on every bar.
pub(crate) fn first_difference(found: &Ledger, expected: &Ledger) -> Option<Difference> {
    let fills = [merged(&found.fills), merged(&expected.fills)];
    for bar in 0..expected.equity.len() {
        let [ours, theirs] = [0, 1].map(|place| of_bar(&fills[place], bar, |fill| fill.bar));
        let difference = |what| move |detail| Difference { bar, what, detail };
        let by_fills = differs(&ours, &theirs, same_fill).map(difference(What::Fills));
        let refused = [found, expected].map(|ledger| of_bar(&ledger.refused, bar, |&bar| bar));
        let by_refusals = differs(&refused[0], &refused[1], PartialEq::eq).map(difference(What::Refusals));
        let trades = [found, expected]
            .map(|ledger| of_bar(ledger.trades.as_deref().unwrap_or(&[]), bar, |trade| trade.exit_bar));
        let by_trades = expected.trades.as_ref().and_then(|_| differs(&trades[0], &trades[1], same_trade));
        let by_trades = by_trades.map(difference(What::Trades));
        let equity = [found, expected].map(|ledger| ledger.equity.get(bar).copied());
        let same_equity = matches!(equity, [Some(found), Some(expected)] if near(found, expected, 0.0));
        let by_equity = (!same_equity).then(|| format!("found {:?}, expected {:?}", equity[0], equity[1]));
        let by_equity = by_equity.map(difference(What::Equity));
        let first = by_fills.or(by_refusals).or(by_trades).or(by_equity);
        if first.is_some() {
            return first;
        }
    }
    None
}

/// Returns what a run of this engine did, in the terms of the ledgers.
pub(crate) fn ledger(journal: &Journal, bars: &Bars) -> Ledger {
    let row = |time: Timestamp| bars.time().partition_point(|&label| label < time);
    let sign = |side: Side| if side == Side::Buy { 1.0 } else { -1.0 };
    let fills = journal.fills.iter().map(|fill| Filled {
        bar: fill.row as usize,
        units: sign(fill.side) * fill.quantity.0,
        price: fill.price.0,
        commission: fill.commission.0,
    });
    let trades = journal.trades.iter().map(|trade| RoundTrip {
        entry_bar: trade.entry_row as usize,
        exit_bar: trade.exit_row as usize,
        units: sign(trade.side) * trade.quantity.0,
        entry_price: trade.entry_price.0,
        exit_price: trade.exit_price.0,
        commission: trade.commission.0,
        pnl: trade.net_pnl().0,
    });
    let refused = journal.orders.iter().filter_map(|order| match order.status {
        // It would have filled on the next bar.
        OrderStatus::Denied(DenialReason::BuyingPower | DenialReason::GrossLeverageLimit) => {
            Some(row(order.submitted_time) + 1)
        }
        OrderStatus::Cancelled(CancelReason::NoRoomAtFill) => order.ended_time().map(row),
        _ => None,
    });
    let mut refused: Vec<usize> = refused.collect();
    refused.sort_unstable();
    Ledger { fills: fills.collect(), trades: Some(trades.collect()), refused, equity: journal.equity.equity().to_vec() }
}
