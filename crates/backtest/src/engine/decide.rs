//! From requests to working orders: the risk check, and fills at the same close.

use tidegate_market::{InstrumentId, Quantity, Timestamp};

use super::{Candidate, Engine};
use crate::order::units_after;
use crate::requests::Requests;
use crate::risk::{self, Change, Projection};
use crate::timeline::Timeline;
use crate::{
    BacktestError, CancelReason, DenialReason, FillMoment, FillTiming, Order, OrderId, OrderKind, OrderOrigin,
    OrderRequest, OrderStatus, PositionEffect,
};

impl<T: Timeline + Copy> Engine<'_, T> {
    /// Takes the requests of one bar: cancels, then orders, then target weights.
    pub(super) fn decide(&mut self, step: usize, requests: &mut Requests) -> Result<(), BacktestError> {
        let time = self.label();
        let first_new = self.state.orders.len();
        for &id in &requests.cancels {
            if self.state.orders.get(id.index()).is_some_and(|order| order.status == OrderStatus::Working) {
                self.cancel(id, CancelReason::Requested, time);
            }
        }
        let mut projection = self.projection();
        for request in &requests.orders {
            self.require_known(request.instrument)?;
            let denial = self.malformed(request).or_else(|| self.denial(request, &projection));
            self.enter(request, OrderOrigin::Strategy, denial, time, &mut projection);
        }
        self.rebalance(&requests.targets, time, &mut projection)?;
        requests.clear(self.state.orders.len() as u32);
        if self.config.fill == FillTiming::SameClose {
            self.fill_at_this_close(step, first_new);
        }
        Ok(())
    }

    /// Writes an order down and, when it is approved, makes it work from the next event on.
    pub(super) fn enter(
        &mut self,
        request: &OrderRequest,
        origin: OrderOrigin,
        denial: Option<DenialReason>,
        time: Timestamp,
        projection: &mut Projection,
    ) {
        let order = Order {
            id: OrderId(self.state.orders.len() as u32),
            instrument: request.instrument,
            side: request.side,
            quantity: request.quantity,
            kind: request.kind,
            time_in_force: request.time_in_force,
            effect: request.effect,
            origin,
            submitted_time: time,
            status: denial.map_or(OrderStatus::Working, OrderStatus::Denied),
            clipped_by: None,
            ended_time: denial.map(|_| time),
            filled_quantity: Quantity(0.0),
            fill_price: None,
        };
        if denial.is_none() {
            if order.kind == OrderKind::Market {
                *projection = projection.with(self.change(request));
            }
            let index = request.instrument.index();
            let first_row = if self.timeline.is_lockstep() { self.state.rows[index] } else { self.opened[index] };
            self.state.book.add(&order, first_row);
        }
        self.state.orders.push(order);
    }

    /// Fills the market orders of this decision whose instrument's bar just closed.
    fn fill_at_this_close(&mut self, step: usize, first_new: usize) {
        self.candidates.clear();
        for place in first_new..self.state.orders.len() {
            let order = &self.state.orders[place];
            let index = order.instrument.index();
            let fills = order.status == OrderStatus::Working && order.kind == OrderKind::Market;
            if fills && self.state.updated[index] == step as u32 + 1 {
                let row = self.state.rows[index] - 1;
                let candidate = Candidate {
                    id: order.id,
                    instrument: order.instrument.0,
                    row,
                    rank: self.rank(order),
                    quote: self.state.columns[index].close[row as usize],
                };
                self.candidates.push(candidate);
            }
        }
        if !self.candidates.is_empty() {
            self.fill_candidates(FillMoment::Close);
            self.record_again();
        }
    }

    /// Returns what is wrong with a request whatever the account holds.
    fn malformed(&self, request: &OrderRequest) -> Option<DenialReason> {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let quantity = request.quantity.0;
        if !positive(quantity) {
            return Some(DenialReason::Quantity);
        }
        if let Some(lot) = self.state.market.instruments()[request.instrument.index()].lot_size {
            let lots = quantity / lot;
            if (lots - lots.round()).abs() > 1e-9 * lots.max(1.0) {
                return Some(DenialReason::Lot);
            }
        }
        match request.kind {
            OrderKind::Limit(price) | OrderKind::Stop(price) if !positive(price.0) => Some(DenialReason::Price),
            _ if self.state.rows[request.instrument.index()] == 0 => Some(DenialReason::NoPrice),
            _ => None,
        }
    }

    fn denial(&self, request: &OrderRequest, projection: &Projection) -> Option<DenialReason> {
        if request.effect == PositionEffect::ReduceOnly {
            return None;
        }
        risk::denial(&self.config.limits, self.state.equity, *projection, self.change(request))
    }

    /// Returns how a request would change the position, at its own price or else the last close.
    fn change(&self, request: &OrderRequest) -> Change {
        let index = request.instrument.index();
        let before = self.projected_units(request.instrument);
        let unit_value = match request.kind {
            OrderKind::Market => self.unit_value(index),
            OrderKind::Limit(price) | OrderKind::Stop(price) => {
                self.state.account.positions()[index].multiplier * price.0
            }
        };
        let after = units_after(before, request.side.sign() * request.quantity.0, request.effect);
        Change { before, after, unit_value }
    }

    pub(super) fn projected_units(&self, instrument: InstrumentId) -> f64 {
        let held = self.state.account.units(instrument.index());
        self.state.book.projected_units(&self.state.orders, instrument, held)
    }

    pub(super) fn projection(&self) -> Projection {
        let mut projection = Projection::default();
        for index in 0..self.state.market.len() {
            let units = self.projected_units(InstrumentId(index as u32));
            let unit_value = self.unit_value(index);
            projection = projection.with(Change { before: 0.0, after: units, unit_value });
        }
        projection
    }

    pub(super) fn unit_value(&self, index: usize) -> f64 {
        let position = &self.state.account.positions()[index];
        position.multiplier * position.mark.0
    }

    pub(super) fn require_known(&self, instrument: InstrumentId) -> Result<(), BacktestError> {
        let instruments = self.state.market.len();
        if instrument.index() < instruments {
            return Ok(());
        }
        Err(BacktestError::UnknownInstrument { source_name: "a strategy's request", instrument, instruments })
    }
}
