//! Orders that wait, per instrument.

use tidegate_market::{InstrumentId, Timestamp};

use crate::order::OrderEvent;
use crate::{Order, OrderId, OrderKind, TimeInForce};

/// A waiting order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting {
    pub(crate) id: OrderId,
    /// The first row of the instrument that opens after the order was made: no earlier bar can fill it.
    pub(crate) first_row: u32,
    /// For a day order, the UTC day of the first bar that it worked in.
    pub(crate) day: Option<i64>,
}

/// Lists of waiting orders in the order they were made, and counts that let a bar without any be skipped.
#[derive(Debug, Clone)]
pub(crate) struct Book {
    waiting: Vec<Vec<Waiting>>,
    orders: usize,
    priced_orders: usize,
    day_orders: usize,
}

impl Book {
    pub(crate) fn new(instruments: usize) -> Self {
        Self { waiting: vec![Vec::new(); instruments], orders: 0, priced_orders: 0, day_orders: 0 }
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.orders == 0
    }

    /// Returns whether a limit or stop order waits.
    #[inline]
    pub(crate) const fn has_priced_orders(&self) -> bool {
        self.priced_orders > 0
    }

    #[inline]
    pub(crate) const fn has_day_orders(&self) -> bool {
        self.day_orders > 0
    }

    #[inline]
    pub(crate) fn waiting(&self, instrument: usize) -> &[Waiting] {
        &self.waiting[instrument]
    }

    pub(crate) fn set_day(&mut self, instrument: usize, place: usize, day: i64) {
        self.waiting[instrument][place].day = Some(day);
    }

    pub(crate) fn add(&mut self, order: &Order, first_row: u32) {
        self.waiting[order.instrument.index()].push(Waiting { id: order.id, first_row, day: None });
        self.orders += 1;
        self.priced_orders += usize::from(order.kind != OrderKind::Market);
        self.day_orders += usize::from(order.time_in_force == TimeInForce::Day);
    }

    /// Ends a waiting order and takes it off its list.
    pub(crate) fn end(&mut self, order: &mut Order, event: OrderEvent, time: Timestamp) {
        order.status = order.status.transition(event).expect("an order in the book is working");
        order.ended_time = Some(time);
        let list = &mut self.waiting[order.instrument.index()];
        let place = list.iter().position(|waiting| waiting.id == order.id).expect("a working order is in the book");
        list.remove(place);
        self.orders -= 1;
        self.priced_orders -= usize::from(order.kind != OrderKind::Market);
        self.day_orders -= usize::from(order.time_in_force == TimeInForce::Day);
    }

    /// Returns the units held once all waiting market orders of an instrument have filled, oldest first.
    #[inline]
    pub(crate) fn projected_units(&self, orders: &[Order], instrument: InstrumentId, held: f64) -> f64 {
        let market_orders = self.waiting[instrument.index()].iter().map(|waiting| &orders[waiting.id.index()]);
        market_orders.filter(|order| order.kind == OrderKind::Market).fold(held, |held, order| order.units_after(held))
    }
}
