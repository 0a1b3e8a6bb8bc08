//! The bar of a fill: its prices, the orders that they reached, and whether anybody can tell which came first.

use tidegate_backtest::PathModel;
use tidegate_market::Timestamp;
use tidegate_report::{BarStory, TouchedOrder};

use super::known::Known;
use super::records::{FillRow, OrderRow, Records};

pub(super) fn story(records: &Records, known: &Known, fill: &FillRow) -> Option<BarStory> {
    let (bars, row) = known.bar(&fill.symbol, fill.time)?;
    let bar = bars.bar(row);
    let range = Range { time: fill.time, open: bar.open, high: bar.high, low: bar.low };
    let touched: Vec<TouchedOrder> = records
        .orders
        .iter()
        .filter(|order| order.symbol == fill.symbol)
        .filter_map(|o| range.touched(o, records))
        .collect();
    let own = touched.iter().find(|order| order.order == fill.order as i64 && order.at_open);
    let inside = touched.iter().filter(|order| !order.at_open).count();
    Some(BarStory {
        time: fill.time,
        open: bar.open,
        high: bar.high,
        low: bar.low,
        close: bar.close,
        previous_close: row.checked_sub(1).map(|before| bars.close()[before]),
        gap: own.filter(|_| fill.moment == "open").map(|order| bar.open - order.price),
        path: path_name(known.experiment.backtest.path).to_owned(),
        touched,
        ambiguous: inside > 1,
    })
}

const fn path_name(path: PathModel) -> &'static str {
    match path {
        PathModel::Pessimistic => "pessimistic",
        PathModel::NearestExtreme => "nearest_extreme",
        PathModel::CloseOnly => "close_only",
    }
}

struct Range {
    time: Timestamp,
    open: f64,
    high: f64,
    low: f64,
}

impl Range {
    /// Returns an order with a price of its own that worked in the bar and whose price the bar reached.
    ///
    /// A limit to buy and a stop to sell are reached from above, the other two from below. Where a trailing stop stood is not known.
    fn touched(&self, order: &OrderRow, records: &Records) -> Option<TouchedOrder> {
        let worked = order.submitted_time < self.time
            && order.status != "denied"
            && order.ended_time.is_none_or(|ended| ended >= self.time);
        let price = order.stop_price.or(order.limit_price).filter(|_| worked)?;
        let is_stop = order.stop_price.is_some();
        let from_above = (order.side == "buy") != is_stop;
        let (at_open, inside) =
            if from_above { (self.open <= price, self.low <= price) } else { (self.open >= price, self.high >= price) };
        let parent = order.parent.map(|parent| parent as usize);
        // A leg whose entry filled in this very bar has not seen the open.
        let began_inside = parent.is_some_and(|parent| {
            records.fills.iter().any(|fill| fill.order == parent && fill.time == self.time && fill.moment != "open")
        });
        let waits = parent
            .is_some_and(|parent| !records.fills.iter().any(|fill| fill.order == parent && fill.time <= self.time));
        let filled = records.fills.iter().any(|fill| fill.order == order.order && fill.time == self.time);
        ((at_open || inside) && !waits).then(|| TouchedOrder {
            order: order.order as i64,
            kind: order.kind.clone(),
            price,
            at_open: at_open && !began_inside,
            filled,
        })
    }
}
