//! What a strategy hands back after a bar.

use tidegate_market::{InstrumentId, Price, Quantity, Side};

use crate::{OrderId, OrderKind, OrderLinks, OrderRequest, PositionEffect, TimeInForce};

/// A wish for a position worth a fraction of equity, and the orders that protect it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TargetWeight {
    pub(crate) instrument: InstrumentId,
    pub(crate) weight: f64,
    pub(crate) exits: Exits,
}

/// The orders that close a position again: a limit order that takes profit and a stop that bounds the loss. One cancels the other.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Exits {
    /// The limit price at which to take profit.
    pub take_profit: Option<Price>,
    /// The order that bounds the loss: [`OrderKind::Stop`], [`OrderKind::StopLimit`] or [`OrderKind::TrailingStop`].
    pub stop_loss: Option<OrderKind>,
}

impl Exits {
    pub(crate) const NONE: Self = Self { take_profit: None, stop_loss: None };
}

/// The ids of a bracket's orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bracket {
    /// The entry.
    pub entry: OrderId,
    /// The limit order that takes profit.
    pub take_profit: Option<OrderId>,
    /// The stop that bounds the loss.
    pub stop_loss: Option<OrderId>,
}

/// A new quantity and price rule for a working order; `None` keeps what it had.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Replacement {
    /// Units in all, those that have filled included.
    pub quantity: Option<Quantity>,
    /// At which price.
    pub kind: Option<OrderKind>,
    /// How long.
    pub time_in_force: Option<TimeInForce>,
}

/// One order on its way to the risk check.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Submission {
    pub(crate) request: OrderRequest,
    pub(crate) links: OrderLinks,
    /// What a replacement changes; the request is then filled in from the order that it replaces.
    pub(crate) replacement: Option<Replacement>,
}

/// The requests of one bar. The engine takes cancels first, then orders as submitted, then target weights: those that take away
/// from a position before those that add, each in the order given.
#[derive(Debug, Default)]
pub struct Requests {
    pub(crate) cancels: Vec<OrderId>,
    pub(crate) orders: Vec<Submission>,
    pub(crate) targets: Vec<TargetWeight>,
    pub(crate) next_id: u32,
    pub(crate) any: bool,
}

impl Requests {
    /// Asks for an order in units and returns the id that it will have.
    pub fn submit(&mut self, request: OrderRequest) -> OrderId {
        self.push(request, OrderLinks::default())
    }

    fn push(&mut self, request: OrderRequest, links: OrderLinks) -> OrderId {
        let id = self.next();
        self.orders.push(Submission { request, links, replacement: None });
        self.any = true;
        id
    }

    fn next(&self) -> OrderId {
        OrderId(self.next_id + self.orders.len() as u32)
    }

    /// Asks for an entry and the orders that close what it opens. These work from the moment the entry fills, for what has filled, may
    /// only reduce, and are cancelled when the entry ends without a fill.
    pub fn bracket(&mut self, entry: OrderRequest, exits: Exits) -> Bracket {
        let entry_id = self.push(entry, OrderLinks::default());
        let links = OrderLinks { parent: Some(entry_id), group: Some(entry_id), replaces: None };
        let mut leg = |kind: OrderKind| self.push(exit_leg(&entry, kind), links);
        // The stop is older, so that it goes first where both could act.
        let stop_loss = exits.stop_loss.map(&mut leg);
        let take_profit = exits.take_profit.map(|price| leg(OrderKind::Limit(price)));
        Bracket { entry: entry_id, take_profit, stop_loss }
    }

    /// Asks for two orders of which the first to fill, be it in part, cancels the other.
    pub fn one_cancels_other(&mut self, first: OrderRequest, second: OrderRequest) -> [OrderId; 2] {
        let group = OrderLinks { group: Some(self.next()), ..OrderLinks::default() };
        [self.push(first, group), self.push(second, group)]
    }

    /// Asks to put another order in the place of a working one, and returns the id of the new order. What has filled counts towards
    /// its quantity. Where the old order has ended already, it stays as it is and the new one is denied.
    pub fn replace(&mut self, order: OrderId, replacement: Replacement) -> OrderId {
        let id = self.next();
        let placeholder = OrderRequest::market(InstrumentId(0), Side::Buy, Quantity(f64::NAN));
        let links = OrderLinks { replaces: Some(order), ..OrderLinks::default() };
        self.orders.push(Submission { request: placeholder, links, replacement: Some(replacement) });
        self.any = true;
        id
    }

    /// Asks for a market order that brings an instrument to a weight.
    ///
    /// The weight is a fraction of equity, negative for short. The order is sized at the last known close and the equity of this
    /// moment, in whole lots towards zero, counting market orders that are still waiting. A difference worth less than 1e-9 of equity
    /// makes no order. The last target for an instrument in one bar counts. Where the risk limits leave less room than the weight
    /// asks for, the order is for that room ([`crate::Order::clipped_by`]); what takes away from a position always goes through.
    /// With [`crate::TargetSizing::AtFill`] a position that opens is sized at its fill instead.
    #[inline]
    pub fn target_weight(&mut self, instrument: InstrumentId, weight: f64) {
        self.target_weight_with_exits(instrument, weight, Exits::NONE);
    }

    /// Asks for a weight, as [`Requests::target_weight`], and for the orders that close the position again. They belong to the order
    /// that the target makes; a target that makes none places none.
    #[inline]
    pub fn target_weight_with_exits(&mut self, instrument: InstrumentId, weight: f64, exits: Exits) {
        self.targets.push(TargetWeight { instrument, weight, exits });
        self.any = true;
    }

    /// Asks to cancel an order; one that has ended already stays as it is.
    pub fn cancel(&mut self, order: OrderId) {
        self.cancels.push(order);
        self.any = true;
    }

    #[inline]
    pub(crate) fn clear(&mut self, next_id: u32) {
        self.cancels.clear();
        self.orders.clear();
        self.targets.clear();
        self.next_id = next_id;
        self.any = false;
    }
}

/// Returns the order that closes what an entry opens.
pub(crate) const fn exit_leg(entry: &OrderRequest, kind: OrderKind) -> OrderRequest {
    OrderRequest {
        side: entry.side.opposite(),
        kind,
        time_in_force: TimeInForce::Gtc,
        effect: PositionEffect::ReduceOnly,
        ..*entry
    }
}
