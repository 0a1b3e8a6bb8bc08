//! What a strategy hands back after a bar.

use tidegate_market::InstrumentId;

use crate::{OrderId, OrderRequest};

/// A wish for a position worth a fraction of equity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TargetWeight {
    pub(crate) instrument: InstrumentId,
    pub(crate) weight: f64,
}

/// The requests of one bar. The engine takes cancels first, then orders as submitted, then target weights: those that take away
/// from a position before those that add, each in the order given.
#[derive(Debug, Default)]
pub struct Requests {
    pub(crate) cancels: Vec<OrderId>,
    pub(crate) orders: Vec<OrderRequest>,
    pub(crate) targets: Vec<TargetWeight>,
    pub(crate) next_id: u32,
    pub(crate) any: bool,
}

impl Requests {
    /// Asks for an order in units and returns the id that it will have.
    pub fn submit(&mut self, request: OrderRequest) -> OrderId {
        let id = OrderId(self.next_id + self.orders.len() as u32);
        self.orders.push(request);
        self.any = true;
        id
    }

    /// Asks for a market order that brings an instrument to a weight.
    ///
    /// The weight is a fraction of equity, negative for short. The order is sized at the last known close and the equity of this
    /// moment, in whole lots towards zero, counting market orders that are still waiting. A difference worth less than 1e-9 of equity
    /// makes no order. The last target for an instrument in one bar counts. Where the risk limits leave less room than the weight
    /// asks for, the order is for that room ([`crate::Order::clipped_by`]); what takes away from a position always goes through.
    pub fn target_weight(&mut self, instrument: InstrumentId, weight: f64) {
        self.targets.push(TargetWeight { instrument, weight });
        self.any = true;
    }

    /// Asks to cancel an order; one that has ended already stays as it is.
    pub fn cancel(&mut self, order: OrderId) {
        self.cancels.push(order);
        self.any = true;
    }

    pub(crate) fn clear(&mut self, next_id: u32) {
        self.cancels.clear();
        self.orders.clear();
        self.targets.clear();
        self.next_id = next_id;
        self.any = false;
    }
}
