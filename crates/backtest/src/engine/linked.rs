//! Orders that wait for others, and groups of which one cancels the others.

use tidegate_market::{Quantity, Timestamp};

use super::Engine;
use crate::book::Waiting;
use crate::order::OrderEvent;
use crate::timeline::Timeline;
use crate::{BracketLegs, CancelReason, Fill, FillMoment, OrderId, OrderKind, OrderStatus};

impl<T: Timeline + Copy> Engine<'_, T> {
    /// Returns the orders tied to others that meet a condition, oldest first.
    fn linked_where(&self, condition: impl Fn(&crate::Order) -> bool) -> Vec<OrderId> {
        let linked = self.state.book.linked().iter().copied();
        linked.filter(|id| condition(&self.state.orders[id.index()])).collect()
    }

    /// Lets the orders that waited for a fill work for what has filled, and cancels those that the fill makes void.
    pub(super) fn follow_fill(&mut self, fill: &Fill) {
        let order = &self.state.orders[fill.order.index()];
        let (id, links, status) = (order.id, order.links(), order.status);
        let waits = match self.config.bracket_legs {
            BracketLegs::WithEntry => false,
            BracketLegs::WithMarketEntry => !order.kind.is_market(),
            BracketLegs::NextBar => true,
        };
        for child in self.linked_where(|other| other.links().parent == Some(id)) {
            self.extend_child(child, fill, waits);
        }
        let Some(group) = links.group else { return };
        // The legs of a bracket only reduce: a part that fills leaves the other leg for the rest.
        let ends_group = links.parent.is_none() || status == OrderStatus::Filled;
        if ends_group {
            let others = |other: &crate::Order| other.links().group == Some(group) && other.id != id;
            for other in self.linked_where(others) {
                self.cancel(other, CancelReason::OtherFilled, fill.time);
            }
        }
    }

    /// Lets an order work for what its parent has filled, in the bar of that fill already unless it `waits`.
    fn extend_child(&mut self, child: OrderId, fill: &Fill, waits: bool) {
        let order = &mut self.state.orders[child.index()];
        if order.status != OrderStatus::Held {
            order.quantity.0 += fill.quantity.0;
            return;
        }
        order.quantity = Quantity(fill.quantity.0);
        self.state.book.advance(order, OrderEvent::Activate, fill.time);
        let (first_row, entered) = match fill.moment {
            _ if waits => (fill.row + 1, None),
            FillMoment::Open => (fill.row, None),
            FillMoment::Inside => (fill.row, Some((fill.row, fill.price.0))),
            FillMoment::Close => (fill.row + 1, None),
        };
        let mut waiting = Waiting { entered, ..Waiting::new(child, first_row) };
        if let OrderKind::TrailingStop(trail) = order.kind {
            waiting.level = trail.level(order.side, fill.price.0);
        }
        self.state.book.add(order, waiting);
    }

    /// Ends the orders that wait for one that has ended without a fill.
    pub(super) fn cancel_held_children(&mut self, parent: OrderId, time: Timestamp) {
        let waits = |other: &crate::Order| other.links().parent == Some(parent) && other.status == OrderStatus::Held;
        for child in self.linked_where(waits) {
            let order = &mut self.state.orders[child.index()];
            self.state.book.advance(order, OrderEvent::Cancel(CancelReason::ParentEnded), time);
        }
    }

    /// Ends the orders of an instrument that wait for another.
    pub(super) fn cancel_held_of(&mut self, index: usize, reason: CancelReason, time: Timestamp) {
        let waits = |other: &crate::Order| other.instrument.index() == index && other.status == OrderStatus::Held;
        for held in self.linked_where(waits) {
            let order = &mut self.state.orders[held.index()];
            self.state.book.advance(order, OrderEvent::Cancel(reason), time);
        }
    }
}
