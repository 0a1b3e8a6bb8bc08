//! `orders.parquet`: every order with its life, in the order of submission.
//!
//! `price` is the order's own: a limit order's limit, a stop's stop, a stop-limit's limit. `parent`, `group` and `replaces` name
//! orders of the same table. A split counts quantities and prices of a working order in new units.

use tidegate_backtest::{Journal, Order, OrderId, OrderKind, TimeInForce, Trail};
use tidegate_data::{Column, Table};

use super::{Naming, floats, names, optional_floats, table, texts};
use crate::ExperimentError;

pub(crate) fn orders(journal: &Journal, naming: Naming<'_>) -> Result<Table, ExperimentError> {
    let orders = &journal.orders;
    let links = |link: fn(&Order) -> Option<OrderId>| {
        Column::OptionalInt(orders.iter().map(|order| link(order).map(|id| i64::from(id.0))).collect())
    };
    table(vec![
        ("order", Column::Int(orders.iter().map(|order| i64::from(order.id.0)).collect())),
        ("symbol", texts(orders, |order| naming.symbol(order.instrument))),
        ("side", texts(orders, |order| names::side(order.side).to_owned())),
        ("quantity", optional_floats(orders, |order| finite(order.quantity.0))),
        ("kind", texts(orders, |order| names::order_kind(order.kind).to_owned())),
        ("price", optional_floats(orders, |order| limit_price(order.kind).or_else(|| stop_price(order.kind)))),
        ("submitted_time", naming.time(orders.iter().map(|order| order.submitted_time).collect())),
        ("status", texts(orders, |order| names::status(order.status).to_owned())),
        ("reason", texts(orders, |order| names::reason(order.status).to_owned())),
        ("clipped_by", texts(orders, |order| order.clipped_by.map_or("", names::denial).to_owned())),
        ("ended_time", naming.optional_time(orders.iter().map(tidegate_backtest::Order::ended_time).collect())),
        ("filled_quantity", floats(orders, |order| order.filled_quantity.0)),
        ("fill_price", optional_floats(orders, |order| order.fill_price().map(|price| price.0))),
        ("commission", floats(orders, |order| order.commission.0)),
        ("limit_price", optional_floats(orders, |order| limit_price(order.kind))),
        ("stop_price", optional_floats(orders, |order| stop_price(order.kind))),
        ("trail_amount", optional_floats(orders, |order| trail_amount(order.kind))),
        ("trail_fraction", optional_floats(orders, |order| trail_fraction(order.kind))),
        ("time_in_force", texts(orders, |order| names::time_in_force(order.time_in_force).to_owned())),
        ("good_till", naming.optional_time(orders.iter().map(good_till).collect())),
        ("effect", texts(orders, |order| names::effect(order.effect).to_owned())),
        ("origin", texts(orders, |order| names::origin(order.origin).to_owned())),
        ("sized_at_fill", optional_floats(orders, tidegate_backtest::Order::sized_at_fill)),
        ("parent", links(|order| order.links().parent)),
        ("group", links(|order| order.links().group)),
        ("replaces", links(|order| order.links().replaces)),
    ])
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn limit_price(kind: OrderKind) -> Option<f64> {
    match kind {
        OrderKind::Limit(limit) | OrderKind::StopLimit { limit, .. } => finite(limit.0),
        _ => None,
    }
}

fn stop_price(kind: OrderKind) -> Option<f64> {
    match kind {
        OrderKind::Stop(stop) | OrderKind::StopLimit { stop, .. } => finite(stop.0),
        _ => None,
    }
}

fn trail_amount(kind: OrderKind) -> Option<f64> {
    match kind {
        OrderKind::TrailingStop(Trail::Absolute(distance)) => finite(distance),
        _ => None,
    }
}

fn trail_fraction(kind: OrderKind) -> Option<f64> {
    match kind {
        OrderKind::TrailingStop(Trail::Fraction(fraction)) => finite(fraction),
        _ => None,
    }
}

const fn good_till(order: &Order) -> Option<tidegate_market::Timestamp> {
    match order.time_in_force {
        TimeInForce::Gtd(date) => Some(date),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tidegate_backtest::{Exits, OrderRequest};
    use tidegate_market::{InstrumentId, Price, Quantity, Side};

    use crate::tables::fixture::{Day, day, journal, naming};

    use super::*;

    #[test]
    fn a_bracket_names_its_prices_its_lives_and_what_ties_its_legs() {
        // Bought at the open of day 1; on day 2 the range of 9.5 to 12 reaches the target of 11.5 and not the stop of 8.
        let days = [Day::flat(10.0), Day::flat(10.0), Day { open: 10.0, high: 12.0, low: 9.5, close: 11.0 }];
        let journal = journal(&days, Vec::new(), |step, requests| {
            if step == 0 {
                let exits = Exits { take_profit: Some(Price(11.5)), stop_loss: Some(OrderKind::Stop(Price(8.0))) };
                requests.bracket(OrderRequest::market(InstrumentId(0), Side::Buy, Quantity(10.0)), exits);
            }
        });
        let table = orders(&journal, naming(&["A".to_owned()])).expect("columns of one length");
        assert_eq!(table.texts("kind").expect("texts"), ["market", "stop", "limit"]);
        assert_eq!(table.optional_floats("limit_price").expect("numbers"), [None, None, Some(11.5)]);
        assert_eq!(table.optional_floats("stop_price").expect("numbers"), [None, Some(8.0), None]);
        assert_eq!(table.optional_floats("price").expect("numbers"), [None, Some(8.0), Some(11.5)]);
        assert_eq!(table.optional_ints("parent").expect("orders"), [None, Some(0), Some(0)]);
        assert_eq!(table.texts("status").expect("texts"), ["filled", "cancelled", "filled"]);
        assert_eq!(table.texts("reason").expect("texts"), ["", "other_filled", ""]);
        assert_eq!(table.texts("effect").expect("texts"), ["any", "reduce_only", "reduce_only"]);
        assert_eq!(table.texts("origin").expect("texts"), ["strategy"; 3]);
        assert_eq!(table.optional_times("ended_time").expect("times"), [Some(day(1)), Some(day(2)), Some(day(2))]);
    }
}
