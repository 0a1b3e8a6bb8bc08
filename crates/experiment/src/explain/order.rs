//! The order of a fill: how it was sized, and its life.

use tidegate_backtest::TargetSizing;
use tidegate_report::{OrderEvent, OrderStory, SizingStory};

use super::known::Known;
use super::records::{FillRow, OrderRow, Records};

pub(super) fn sizing(
    records: &Records,
    known: &Known,
    order: &OrderRow,
    fill: &FillRow,
    weight: Option<f64>,
    close: Option<f64>,
) -> SizingStory {
    let equity = records.equity.binary_search_by_key(&order.submitted_time, |(time, _)| *time).ok();
    let equity = equity.map(|row| records.equity[row].1);
    let plain = TargetSizing::AtDecision { cash_buffer: 0.0, fees_included: false };
    let from_weight =
        order.origin == "target_weight" && fill.fx_rate == 1.0 && known.experiment.backtest.sizing == plain;
    let units = |weight: f64| Some(weight * equity? / (close? * fill.multiplier));
    SizingStory {
        equity,
        held_units: records.held_at(&order.symbol, order.submitted_time, order.order),
        target_units: weight.filter(|_| from_weight).and_then(units),
        order_units: order.quantity.map(|quantity| if order.side == "buy" { quantity } else { -quantity }),
        clipped_by: Some(order.clipped_by.clone()).filter(|limit| !limit.is_empty()),
        filled_units: if order.side == "buy" { order.filled_quantity } else { -order.filled_quantity },
        trimmed_at_fill: order.status == "filled"
            && order.quantity.is_some_and(|quantity| order.filled_quantity < quantity * (1.0 - 1e-12)),
        sized_at_fill: order.sized_at_fill,
    }
}

pub(super) fn story(records: &Records, order: &OrderRow) -> OrderStory {
    OrderStory {
        order: order.order as i64,
        side: order.side.clone(),
        kind: order.kind.clone(),
        limit_price: order.limit_price,
        stop_price: order.stop_price,
        trail_amount: order.trail_amount,
        trail_fraction: order.trail_fraction,
        time_in_force: time_in_force(order),
        effect: order.effect.clone(),
        origin: order.origin.clone(),
        parent: order.parent,
        group: order.group,
        replaces: order.replaces,
        life: life(records, order),
    }
}

fn time_in_force(order: &OrderRow) -> String {
    let words = match order.time_in_force.as_str() {
        "gtc" => "good till cancelled",
        "day" => "for the day",
        "ioc" => "immediate or cancel",
        "fok" => "fill or kill",
        _ => return order.good_till.map_or_else(|| order.time_in_force.clone(), |date| format!("good till {date}")),
    };
    words.to_owned()
}

fn life(records: &Records, order: &OrderRow) -> Vec<OrderEvent> {
    let submitted = OrderEvent {
        time: order.submitted_time,
        moment: "close".to_owned(),
        event: if order.parent.is_some() { "submitted, held until its parent fills" } else { "submitted" }.to_owned(),
        quantity: None,
        price: None,
    };
    let fills = records.fills.iter().filter(|fill| fill.order == order.order).map(|fill| OrderEvent {
        time: fill.time,
        moment: fill.moment.clone(),
        event: "filled".to_owned(),
        quantity: Some(fill.quantity),
        price: Some(fill.price),
    });
    let ended = order.ended_time.filter(|_| order.status != "filled").map(|time| OrderEvent {
        time,
        moment: String::new(),
        event: format!("{}: {}", order.status, order.reason.replace('_', " ")),
        quantity: None,
        price: None,
    });
    std::iter::once(submitted).chain(fills).chain(ended).collect()
}
