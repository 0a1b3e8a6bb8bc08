//! `positions.parquet`: one row per change of a position, in the order of events.
//!
//! A position changes by a fill or by a split of what is held; a dividend changes none. A row is the state right after the change:
//! - `time`: the label of the bar in which the account changed: that of the fill, or the first one in new units; the one after the
//!   last for what a delisting pays, and the one after the fill for market orders that are booked a bar late,
//! - `symbol`, and `cause`: `fill` or `split`,
//! - `order`: the order that filled, empty for a split,
//! - `quantity`: units held, negative for short, zero when closed,
//! - `average_cost`: paid per unit, in the account's currency, before commission; empty when nothing is held,
//! - `realized_pnl`: what closed units of the symbol gained against their average cost so far, before commission,
//! - `commission`: what fills of the symbol paid so far.

use tidegate_backtest::{AppliedAction, Fill, FillTiming, Journal, OrderId, OrderKind, OrderOrigin, Position};
use tidegate_data::{Column, Table};
use tidegate_market::{CorporateActionKind, InstrumentId, Price, Quantity, Timestamp};

use super::{Naming, floats, optional_floats, table, texts};
use crate::ExperimentError;

pub(crate) fn positions(journal: &Journal, naming: Naming<'_>) -> Result<Table, ExperimentError> {
    let changes = changes(journal, naming);
    let orders = changes.iter().map(|change| change.order.map(|order| i64::from(order.0)));
    let cause = |change: &Change| if change.order.is_some() { "fill" } else { "split" };
    let average_cost = |change: &Change| {
        let Position { quantity, average_cost, .. } = change.after.position;
        (quantity.0 != 0.0).then_some(average_cost.0)
    };
    table(vec![
        ("time", naming.time(changes.iter().map(|change| change.time).collect())),
        ("symbol", texts(&changes, |change| naming.symbol(change.instrument))),
        ("cause", texts(&changes, |change| cause(change).to_owned())),
        ("order", Column::OptionalInt(orders.collect())),
        ("quantity", floats(&changes, |change| change.after.position.quantity.0)),
        ("average_cost", optional_floats(&changes, average_cost)),
        ("realized_pnl", floats(&changes, |change| change.after.realized_pnl)),
        ("commission", floats(&changes, |change| change.after.commission)),
    ])
}

/// One symbol's position and what it earned so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Book {
    pub(super) position: Position,
    pub(super) realized_pnl: f64,
    pub(super) commission: f64,
}

impl Book {
    const fn new(multiplier: f64) -> Self {
        let flat = Position { quantity: Quantity(0.0), average_cost: Price(0.0), mark: Price(0.0), multiplier };
        Self { position: flat, realized_pnl: 0.0, commission: 0.0 }
    }

    /// Returns what was paid for the units held, in the account's currency.
    pub(super) fn cost(&self) -> f64 {
        self.position.quantity.0 * self.position.multiplier * self.position.average_cost.0
    }
}

/// A change of a position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    pub(super) time: Timestamp,
    pub(super) instrument: InstrumentId,
    /// The order that filled; none for a split.
    pub(super) order: Option<OrderId>,
    pub(super) before: Book,
    pub(super) after: Book,
}

/// Returns every change in the order of events: the engine's own arithmetic, done once more over its fills and splits.
pub(super) fn changes(journal: &Journal, naming: Naming<'_>) -> Vec<Change> {
    let mut books: Vec<Book> = journal.positions.iter().map(|position| Book::new(position.multiplier)).collect();
    let mut splits: Vec<&AppliedAction> = journal.actions.iter().filter(|action| ratio(action).is_some()).collect();
    let mut changes = Vec::with_capacity(journal.fills.len() + splits.len());
    for fill in &journal.fills {
        let time = booked_time(journal, fill, naming.fill);
        if splits.first().is_some_and(|split| split.time <= time) {
            splits.retain(|split| {
                let book = &mut books[split.instrument.index()];
                // A split comes before the fills of its bar, and after those that made the units that it met.
                let is_due = split.time <= time && split.units_before == book.position.quantity;
                if is_due {
                    changes.push(by_split(book, split));
                }
                !is_due
            });
        }
        changes.push(by_fill(&mut books[fill.instrument.index()], fill, time));
    }
    changes.extend(splits.into_iter().map(|split| by_split(&mut books[split.instrument.index()], split)));
    changes
}

const fn ratio(action: &AppliedAction) -> Option<f64> {
    match action.kind {
        CorporateActionKind::Split { ratio } => Some(ratio),
        CorporateActionKind::Dividend { .. } | CorporateActionKind::Delisting { .. } => None,
    }
}

/// Returns the label of the bar in which a fill moved money.
fn booked_time(journal: &Journal, fill: &Fill, timing: FillTiming) -> Timestamp {
    let order = &journal.orders[fill.order.index()];
    let at_once = matches!(order.origin, OrderOrigin::Ruin | OrderOrigin::SessionEnd | OrderOrigin::DataEnd);
    let labels = journal.equity.time();
    let next = || labels.get(labels.partition_point(|label| *label <= fill.time)).copied();
    let booked = match order.origin {
        OrderOrigin::Delisting => journal.actions.iter().find(|action| is_delisting(action, fill)).map(|a| a.time),
        _ if timing == FillTiming::SameCloseBookedNext && order.kind == OrderKind::Market && !at_once => next(),
        _ => None,
    };
    booked.unwrap_or(fill.time)
}

fn is_delisting(action: &AppliedAction, fill: &Fill) -> bool {
    action.instrument == fill.instrument && matches!(action.kind, CorporateActionKind::Delisting { .. })
}

fn by_fill(book: &mut Book, fill: &Fill, time: Timestamp) -> Change {
    let before = *book;
    book.realized_pnl += book.position.apply(fill.side.sign() * fill.quantity.0, fill.price.0 * fill.fx_rate);
    book.commission += fill.commission.0;
    Change { time, instrument: fill.instrument, order: Some(fill.order), before, after: *book }
}

fn by_split(book: &mut Book, split: &AppliedAction) -> Change {
    let before = *book;
    if let Some(ratio) = ratio(split) {
        book.position.split(ratio);
    }
    Change { time: split.time, instrument: split.instrument, order: None, before, after: *book }
}

#[cfg(test)]
mod tests {
    use tidegate_backtest::OrderRequest;
    use tidegate_market::Side;

    use crate::tables::fixture::{Day, day, dividend, journal, naming, split};

    use super::*;

    fn order(side: Side, units: f64) -> OrderRequest {
        OrderRequest::market(InstrumentId(0), side, Quantity(units))
    }

    #[test]
    fn a_row_is_the_position_after_each_fill_and_each_split() {
        // 10 units at 12, two for one: 20 at 6; 10 more at 7: 30 at (20 * 6 + 10 * 7) / 30 = 19/3; all 30 sold at 8.
        let days = [12.0, 12.0, 6.0, 7.0, 8.0].map(Day::flat);
        let journal = journal(&days, vec![split(2, 2.0), dividend(2, 0.5)], |step, requests| match step {
            0 | 2 => drop(requests.submit(order(Side::Buy, 10.0))),
            3 => drop(requests.submit(order(Side::Sell, 30.0))),
            _ => {}
        });
        let table = positions(&journal, naming(&["A".to_owned()])).expect("columns of one length");
        assert_eq!(table.times("time").expect("times"), [day(1), day(2), day(3), day(4)]);
        assert_eq!(table.texts("cause").expect("texts"), ["fill", "split", "fill", "fill"]);
        assert_eq!(table.optional_ints("order").expect("orders"), [Some(0), None, Some(1), Some(2)]);
        assert_eq!(table.floats("quantity").expect("numbers"), [10.0, 20.0, 30.0, 0.0]);
        let cost = table.optional_floats("average_cost").expect("numbers");
        assert_eq!((cost[0], cost[1], cost[3]), (Some(12.0), Some(6.0), None));
        assert!((cost[2].expect("held") - 19.0 / 3.0).abs() < 1e-12);
        let realized = table.floats("realized_pnl").expect("numbers");
        // 30 * (8 - 19/3) = 50; one percent of 120, 70 and 240.
        assert_eq!(realized[..3], [0.0; 3]);
        assert!((realized[3] - 50.0).abs() < 1e-12);
        let commission = table.floats("commission").expect("numbers");
        assert!((commission[3] - 4.3).abs() < 1e-12, "{commission:?}");
    }

    #[test]
    fn the_last_row_is_what_the_engine_holds_at_the_end() {
        let days = [12.0, 12.0, 6.0, 7.0, 8.0].map(Day::flat);
        let journal = journal(&days, vec![split(3, 1.5)], |step, requests| match step {
            0 => drop(requests.submit(order(Side::Sell, 7.0))),
            1 => drop(requests.submit(order(Side::Buy, 3.0))),
            _ => {}
        });
        let last = *changes(&journal, naming(&["A".to_owned()])).last().expect("three changes");
        assert_eq!(last.after.position.quantity, journal.positions[0].quantity);
        assert_eq!(last.after.position.average_cost, journal.positions[0].average_cost);
        assert_eq!(last.after.realized_pnl, journal.totals.realized_pnl.0);
        assert_eq!(last.after.commission, journal.totals.commission.0);
    }

    #[test]
    fn a_run_without_fills_has_the_columns_and_no_row() {
        let journal = journal(&[12.0, 12.0].map(Day::flat), Vec::new(), |_, _| {});
        let table = positions(&journal, naming(&["A".to_owned()])).expect("columns of one length");
        assert_eq!((table.rows(), table.columns().len()), (0, 8));
    }
}
