//! Which fill opened and which fill closed each trade: first in, first out, over the rows of `positions.parquet`.

use std::collections::{BTreeMap, VecDeque};

use super::records::{FillRow, Records};

/// The two fills of a trade.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Link {
    /// The place of the entry in `fills.parquet`.
    pub(super) entry_fill: usize,
    /// The place of the exit.
    pub(super) exit_fill: usize,
    /// Units of the entry that are the trade's, counted as at the entry.
    pub(super) entry_units: f64,
}

#[derive(Debug, Clone, Copy)]
struct Lot {
    fill: usize,
    units: f64,
    /// New units per unit at the entry.
    ratio: f64,
}

/// Returns the fills of each trade, in the order of trades.
///
/// # Errors
/// What does not fit, when fills, positions and trades are not of one run.
pub(super) fn links(records: &Records) -> Result<Vec<Link>, String> {
    let mut lots: BTreeMap<&str, (f64, VecDeque<Lot>)> = BTreeMap::new();
    let mut links = Vec::with_capacity(records.trades.len());
    let mut fills = records.fills.iter().enumerate();
    for row in &records.positions {
        let (held, lots) = lots.entry(&row.symbol).or_default();
        if row.order.is_some() {
            let (place, fill) = fills.next().ok_or("there are more changes of positions than fills")?;
            follow(fill, place, *held, row.quantity, lots, &mut links);
        } else {
            let split = records.splits.iter().find(|split| split.symbol == row.symbol && split.time == row.time);
            let ratio = split.ok_or_else(|| format!("no split of `{}` explains its position", row.symbol))?.ratio;
            for lot in lots {
                lot.units *= ratio;
                lot.ratio *= ratio;
            }
        }
        *held = row.quantity;
    }
    check(records, &links)?;
    Ok(links)
}

/// Lets a fill open or close lots, as the engine's account does.
fn follow(fill: &FillRow, place: usize, held: f64, after: f64, lots: &mut VecDeque<Lot>, links: &mut Vec<Link>) {
    let opens = held == 0.0 || held.signum() == fill.sign();
    let mut rest = if opens { 0.0 } else { fill.quantity.min(held.abs()) };
    while rest > 0.0 {
        let Some(oldest) = lots.front_mut() else { break };
        // A rest within rounding of the lot is no lot.
        let is_part = rest < oldest.units * (1.0 - 8.0 * f64::EPSILON);
        let taken = if is_part { rest } else { oldest.units };
        links.push(Link { entry_fill: oldest.fill, exit_fill: place, entry_units: taken / oldest.ratio });
        oldest.units -= taken;
        if !is_part {
            lots.pop_front();
        }
        rest -= taken;
    }
    let turned = !opens && (after == 0.0 || after.signum() != held.signum());
    if turned {
        lots.clear();
    }
    let opened = if opens { fill.quantity } else { fill.quantity - held.abs() };
    if opened > 0.0 && after != 0.0 {
        lots.push_back(Lot { fill: place, units: opened, ratio: 1.0 });
    }
}

fn check(records: &Records, links: &[Link]) -> Result<(), String> {
    if links.len() != records.trades.len() {
        return Err(format!("the fills make `{}` trades, the table has `{}`", links.len(), records.trades.len()));
    }
    for (number, (link, trade)) in links.iter().zip(&records.trades).enumerate() {
        let (entry, exit) = (&records.fills[link.entry_fill], &records.fills[link.exit_fill]);
        let is_it = entry.symbol == trade.symbol
            && (entry.time, exit.time) == (trade.entry_time, trade.exit_time)
            && exit.price == trade.exit_price;
        if !is_it {
            return Err(format!("trade `{}` is not the one that the fills make", number + 1));
        }
    }
    Ok(())
}
