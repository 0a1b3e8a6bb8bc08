//! Orders that wait, per instrument.

use tidegate_market::{InstrumentId, Timestamp};

use crate::instrument_set::InstrumentSet;
use crate::order::OrderEvent;
use crate::{Order, OrderId, OrderKind, TimeInForce};

/// A waiting order, with what changes while it waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting {
    pub(crate) id: OrderId,
    /// The first row of the instrument that opens after the order was made: no earlier bar can fill it.
    pub(crate) first_row: u32,
    /// For a day order, the day of the first bar that it worked in.
    pub(crate) day: Option<i64>,
    /// For a trailing stop, where it stands.
    pub(crate) level: f64,
    /// For a stop-limit order, whether the stop was reached.
    pub(crate) triggered: bool,
    /// For an order that began to work inside a bar, that row and the price then.
    pub(crate) entered: Option<(u32, f64)>,
}

impl Waiting {
    pub(crate) const fn new(id: OrderId, first_row: u32) -> Self {
        Self { id, first_row, day: None, level: f64::NAN, triggered: false, entered: None }
    }
}

/// Numbers of waiting orders that need something besides a market price, so that a bar without any is not looked at.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    orders: usize,
    priced: usize,
    timed: usize,
    immediate: usize,
    at_close: usize,
}

impl Counts {
    #[inline]
    fn change(&mut self, order: &Order, by: isize) {
        let count = |field: &mut usize, counts: bool| *field = field.wrapping_add_signed(if counts { by } else { 0 });
        count(&mut self.orders, true);
        count(&mut self.priced, !order.kind.is_market());
        count(&mut self.timed, matches!(order.time_in_force, TimeInForce::Day | TimeInForce::Gtd(_)));
        count(&mut self.immediate, order.time_in_force.is_immediate());
        count(&mut self.at_close, order.kind == OrderKind::MarketOnClose);
    }
}

/// Lists of waiting orders in the order they began to work, and the orders that are tied to others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Book {
    waiting: Vec<Vec<Waiting>>,
    /// The instruments with waiting orders.
    busy: InstrumentSet,
    counts: Counts,
    /// Orders that have not ended and have a parent or a group.
    linked: Vec<OrderId>,
}

impl Book {
    /// Opens an empty book in the memory of an earlier one.
    pub(crate) fn renewed(mut self, instruments: usize) -> Self {
        for waiting in &mut self.waiting {
            waiting.clear();
        }
        self.waiting.resize_with(instruments, Vec::new);
        self.busy.reset(instruments);
        self.linked.clear();
        Self { counts: Counts::default(), ..self }
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.counts.orders == 0
    }

    /// Returns whether an order with a price of its own waits.
    #[inline]
    pub(crate) const fn has_priced_orders(&self) -> bool {
        self.counts.priced > 0
    }

    /// Returns whether an order waits that ends with its day or at its date.
    #[inline]
    pub(crate) const fn has_timed_orders(&self) -> bool {
        self.counts.timed > 0
    }

    /// Returns whether an order waits that must fill at once.
    #[inline]
    pub(crate) const fn has_immediate_orders(&self) -> bool {
        self.counts.immediate > 0
    }

    /// Returns whether an order waits that fills at a close whatever the fill timing.
    #[inline]
    pub(crate) const fn has_close_orders(&self) -> bool {
        self.counts.at_close > 0
    }

    /// Returns the instruments with waiting orders.
    #[inline]
    pub(crate) const fn busy(&self) -> &InstrumentSet {
        &self.busy
    }

    #[inline]
    pub(crate) fn waiting(&self, instrument: usize) -> &[Waiting] {
        &self.waiting[instrument]
    }

    pub(crate) fn waiting_mut(&mut self, instrument: usize) -> &mut [Waiting] {
        &mut self.waiting[instrument]
    }

    /// Returns the orders that have not ended and are tied to others, in the order of their ids.
    #[inline]
    pub(crate) fn linked(&self) -> &[OrderId] {
        &self.linked
    }

    /// Notes an order that is tied to others.
    pub(crate) fn link(&mut self, id: OrderId) {
        self.linked.push(id);
    }

    #[inline]
    pub(crate) fn add(&mut self, order: &Order, waiting: Waiting) {
        self.waiting[order.instrument.index()].push(waiting);
        self.busy.set(order.instrument.index(), true);
        self.counts.change(order, 1);
    }

    /// Ends an order, or fills a part of it, and takes it off its lists when it has ended.
    #[inline]
    pub(crate) fn advance(&mut self, order: &mut Order, event: OrderEvent, time: Timestamp) {
        let waited = order.status.is_working();
        order.status = order.status.transition(event).expect("the order has not ended and the event fits its status");
        if !order.status.is_final() {
            return;
        }
        order.end(time);
        if order.is_tied() {
            self.linked.retain(|&id| id != order.id);
        }
        if waited {
            let list = &mut self.waiting[order.instrument.index()];
            let place = list.iter().position(|waiting| waiting.id == order.id).expect("a working order is in the book");
            list.remove(place);
            self.busy.set(order.instrument.index(), !list.is_empty());
            self.counts.change(order, -1);
        }
    }

    /// Returns the units held once all waiting market orders of an instrument have filled, oldest first.
    #[inline]
    pub(crate) fn projected_units(&self, orders: &[Order], instrument: InstrumentId, held: f64) -> f64 {
        let market_orders = self.waiting[instrument.index()].iter().map(|waiting| &orders[waiting.id.index()]);
        market_orders.filter(|order| order.kind.is_market()).fold(held, |held, order| order.units_after(held))
    }
}
