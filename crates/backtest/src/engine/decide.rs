//! From requests to working orders: the risk check, and fills at the same close.

use tidegate_market::{InstrumentId, Quantity, Timestamp};

use super::{Candidate, Engine};
use crate::book::Waiting;
use crate::error::AMOUNT_MAX;
use crate::order::{NewOrder, OrderEvent, units_after};
use crate::requests::{Requests, Submission};
use crate::risk::{self, Bounds, Change, Projection};
use crate::timeline::{Timeline, open_time};
use crate::{
    BacktestError, CancelReason, DenialReason, FillMoment, FillTiming, Latency, Order, OrderId, OrderKind, OrderLinks,
    OrderOrigin, OrderRequest, OrderStatus, PositionEffect, TimeInForce, Trail,
};

/// What an order is entered with besides its request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) origin: OrderOrigin,
    pub(super) denial: Option<DenialReason>,
    pub(super) links: OrderLinks,
    pub(super) sized_at_fill: Option<f64>,
    pub(super) clipped_by: Option<DenialReason>,
    /// Whether it takes the place of an order that works: it works too, whatever its parent does.
    pub(super) replaces_working: bool,
}

impl From<OrderOrigin> for Entry {
    fn from(origin: OrderOrigin) -> Self {
        Self {
            origin,
            denial: None,
            links: OrderLinks::default(),
            sized_at_fill: None,
            clipped_by: None,
            replaces_working: false,
        }
    }
}

impl<T: Timeline + Copy> Engine<'_, T> {
    /// Takes the requests of one bar: cancels, then orders, then target weights.
    pub(super) fn decide(&mut self, step: usize, requests: &mut Requests) -> Result<(), BacktestError> {
        let time = self.state.label;
        let first_new = self.state.orders.len();
        for &id in &requests.cancels {
            if self.state.orders.get(id.index()).is_some_and(|order| !order.status.is_final()) {
                self.cancel(id, CancelReason::Requested, time);
            }
        }
        self.renew_bounds();
        let mut projection = self.projection();
        for place in 0..requests.orders.len() {
            self.take(&requests.orders, place, time, &mut projection)?;
        }
        self.rebalance(&requests.targets, time, &mut projection)?;
        requests.clear(self.state.orders.len() as u32);
        if matches!(self.config.fill, FillTiming::SameClose) {
            self.fill_at_this_close(step, first_new);
        }
        Ok(())
    }

    /// Takes one submission.
    fn take(
        &mut self,
        submissions: &[Submission],
        place: usize,
        time: Timestamp,
        projection: &mut Projection,
    ) -> Result<(), BacktestError> {
        let Submission { request, links, replacement } = submissions[place];
        if replacement.is_some() {
            self.replace(&submissions[place], time, projection);
            return Ok(());
        }
        self.require_known(request.instrument)?;
        let denial = if links.parent.is_some() {
            self.malformed(&request)
        } else {
            let legs = submissions[place + 1..].iter().take_while(|leg| leg.links.parent.is_some());
            let legs = || self.misplaced_leg(&request, legs.map(|leg| leg.request.kind));
            self.malformed(&request).or_else(legs).or_else(|| self.denial(&request, projection))
        };
        self.enter(&request, Entry { denial, links, ..Entry::from(OrderOrigin::Strategy) }, time, projection);
        Ok(())
    }

    /// Puts a new order in the place of a working one.
    fn replace(&mut self, submission: &Submission, time: Timestamp, projection: &mut Projection) {
        let Submission { request, links, replacement } = *submission;
        let change = replacement.unwrap_or_default();
        let old = links.replaces.and_then(|old| self.state.orders.get(old.index())).copied();
        let Some(old) = old.filter(|old| !old.status.is_final()) else {
            let instrument = old.map_or(InstrumentId(0), |old| old.instrument);
            let request = OrderRequest { instrument, ..request };
            let denial = Some(DenialReason::NothingToReplace);
            return self.enter(
                &request,
                Entry { denial, links, ..Entry::from(OrderOrigin::Strategy) },
                time,
                projection,
            );
        };
        let quantity = change.quantity.map_or(old.remaining(), |quantity| quantity.0 - old.filled_quantity.0);
        let request = OrderRequest {
            instrument: old.instrument,
            side: old.side,
            quantity: Quantity(quantity),
            kind: change.kind.unwrap_or(old.kind),
            time_in_force: change.time_in_force.unwrap_or(old.time_in_force),
            effect: old.effect,
        };
        let denial = self.malformed(&request).or_else(|| self.denial(&request, projection));
        let new = OrderId(self.state.orders.len() as u32);
        if denial.is_none() {
            let order = &mut self.state.orders[old.id.index()];
            self.state.book.advance(order, OrderEvent::Cancel(CancelReason::Replaced), time);
            for child in self.state.book.linked().to_vec() {
                let order = &mut self.state.orders[child.index()];
                if order.links().parent == Some(old.id) {
                    order.move_to_parent(new);
                }
            }
        }
        let inherited = if denial.is_none() { old.links() } else { OrderLinks::default() };
        let links = OrderLinks { replaces: Some(old.id), ..inherited };
        let replaces_working = old.status.is_working();
        let entry = Entry { denial, links, replaces_working, ..Entry::from(OrderOrigin::Strategy) };
        self.enter(&request, entry, time, projection);
    }

    /// Writes an order down and, when it is approved, makes it work from the next event on, or wait for its parent.
    pub(super) fn enter(&mut self, request: &OrderRequest, entry: Entry, time: Timestamp, projection: &mut Projection) {
        let Entry { origin, denial, links, sized_at_fill, clipped_by, replaces_working } = entry;
        let approved = || if replaces_working { OrderStatus::Working } else { self.first_status(links) };
        let status = denial.map_or_else(approved, OrderStatus::Denied);
        let id = OrderId(self.state.orders.len() as u32);
        let new = NewOrder { id, origin, links, sized_at_fill, submitted_time: time, status, clipped_by };
        let order = Order::new(request, new);
        if !status.is_final() && order.is_tied() {
            self.state.book.link(order.id);
        }
        if status == OrderStatus::Working {
            self.work(&order, request, projection);
        }
        self.state.orders.push(order);
    }

    /// Returns the status of an approved order: it waits until its parent has filled, and ends with it.
    #[inline]
    fn first_status(&self, links: OrderLinks) -> OrderStatus {
        let Some(parent) = links.parent.map(|parent| &self.state.orders[parent.index()]) else {
            return OrderStatus::Working;
        };
        match parent.filled_quantity.0 > 0.0 {
            true => OrderStatus::Working,
            false if parent.status.is_final() => OrderStatus::Cancelled(CancelReason::ParentEnded),
            false => OrderStatus::Held,
        }
    }

    #[inline]
    fn work(&mut self, order: &Order, request: &OrderRequest, projection: &mut Projection) {
        let index = request.instrument.index();
        if order.kind.is_market() {
            let change = self.change(request);
            *projection = projection.with(change);
            if self.needs.days && !change.takes_away() {
                self.today.added_value += change.added_value();
                self.renew_bounds();
            }
        }
        let first_row = self.first_row(index, order.origin).saturating_add(self.waits_for_a_close(order));
        let mut waiting = Waiting::new(order.id, first_row);
        if let OrderKind::TrailingStop(trail) = order.kind {
            waiting.level = trail.level(order.side, self.last_close(index));
        }
        self.state.book.add(order, waiting);
    }

    fn last_close(&self, index: usize) -> f64 {
        let row = self.state.feeds[index].rows.saturating_sub(1) as usize;
        self.state.columns[index].close[row]
    }

    /// Returns the first row in which an order made now may fill.
    #[inline]
    fn first_row(&self, index: usize, origin: OrderOrigin) -> u32 {
        let next = if self.timeline.is_lockstep() { self.state.feeds[index].rows } else { self.opened[index] };
        let is_asked = matches!(origin, OrderOrigin::Strategy | OrderOrigin::TargetWeight);
        match self.config.latency {
            // The broker's own orders are not on their way.
            _ if !is_asked => next,
            Latency::None => next,
            Latency::Bars(bars) => next.saturating_add(bars.get()),
            Latency::Nanos(nanos) => {
                let bars = self.state.columns[index].bars;
                let arrival = self.state.now().plus_nanos(nanos);
                let mut row = next as usize;
                while row < bars.len() && open_time(bars, row) < arrival {
                    row += 1;
                }
                row as u32
            }
        }
    }

    /// Returns 1 for an order that fills at closes but is booked when the next bar opens, where its instrument had no bar at the
    /// decision: its next close comes first.
    #[inline]
    fn waits_for_a_close(&self, order: &Order) -> u32 {
        let booked_late = self.config.fill == FillTiming::SameCloseBookedNext && order.kind == OrderKind::Market;
        u32::from(booked_late && self.state.feeds[order.instrument.index()].updated != self.state.step + 1)
    }

    /// Fills the market orders of this decision whose instrument's bar just closed.
    fn fill_at_this_close(&mut self, step: usize, first_new: usize) {
        self.candidates.clear();
        for place in first_new..self.state.orders.len() {
            let order = &self.state.orders[place];
            let index = order.instrument.index();
            let fills = order.status == OrderStatus::Working && order.kind == OrderKind::Market;
            if fills && self.state.feeds[index].updated == step as u32 + 1 {
                let row = self.state.feeds[index].rows - 1;
                let candidate = Candidate {
                    id: order.id,
                    instrument: order.instrument.0,
                    row,
                    time: self.state.columns[index].time[row as usize],
                    quote: self.state.columns[index].close[row as usize],
                    moment: FillMoment::Close,
                    is_maker: false,
                };
                let only_reduces = self.only_reduces(order);
                self.candidates.push(candidate, only_reduces);
            }
        }
        if !self.candidates.is_empty() {
            self.fill_candidates();
            self.record_again();
            self.cancel_what_was_not_immediate(first_new);
        }
    }

    fn cancel_what_was_not_immediate(&mut self, first_new: usize) {
        let time = self.state.label;
        for place in first_new..self.state.orders.len() {
            let order = &self.state.orders[place];
            let had_its_close = self.state.feeds[order.instrument.index()].updated == self.state.step + 1;
            let is_immediate = order.kind == OrderKind::Market && order.time_in_force.is_immediate();
            if order.status.is_working() && is_immediate && had_its_close {
                self.cancel(order.id, CancelReason::NotImmediate, time);
            }
        }
    }

    /// Returns what is wrong with a request whatever the account holds.
    pub(super) fn malformed(&self, request: &OrderRequest) -> Option<DenialReason> {
        let positive = |value: f64| value > 0.0 && value <= AMOUNT_MAX;
        let index = request.instrument.index();
        let instrument = &self.state.market.instruments()[index];
        let quantity = request.quantity.0;
        if !positive(quantity) {
            return Some(DenialReason::Quantity);
        }
        let closes_all = quantity == self.state.account.units(index).abs();
        if instrument.lot_size.is_some_and(|lot| !closes_all && !is_multiple(quantity, lot)) {
            return Some(DenialReason::Lot);
        }
        let off_tick = |price: f64| instrument.tick_size.is_some_and(|tick| !is_multiple(price, tick));
        let price_denial = |price: f64| match () {
            () if !positive(price) => Some(DenialReason::Price),
            () if off_tick(price) => Some(DenialReason::Tick),
            () => None,
        };
        let denial = match request.kind {
            OrderKind::Market | OrderKind::MarketOnOpen | OrderKind::MarketOnClose => None,
            OrderKind::Limit(price) | OrderKind::Stop(price) => price_denial(price.0),
            OrderKind::StopLimit { stop, limit } => price_denial(stop.0).or_else(|| price_denial(limit.0)),
            OrderKind::TrailingStop(Trail::Absolute(distance)) => {
                (!positive(distance) || off_tick(distance)).then_some(DenialReason::Trail)
            }
            OrderKind::TrailingStop(Trail::Fraction(fraction)) => {
                (!positive(fraction) || fraction >= 1.0).then_some(DenialReason::Trail)
            }
        };
        let expired = matches!(request.time_in_force, TimeInForce::Gtd(date) if date <= self.state.now());
        match () {
            () if denial.is_some() => denial,
            () if expired => Some(DenialReason::Expired),
            () if self.delisted[index] => Some(DenialReason::Delisted),
            () if self.state.feeds[index].rows == 0 => Some(DenialReason::NoPrice),
            () => None,
        }
    }

    /// Returns a denial where a leg of a bracket cannot close what its entry opens: of a kind that cannot, or on the wrong side.
    pub(super) fn misplaced_leg(
        &self,
        entry: &OrderRequest,
        mut legs: impl Iterator<Item = OrderKind>,
    ) -> Option<DenialReason> {
        let index = entry.instrument.index();
        let reference = match entry.kind {
            OrderKind::Limit(price) | OrderKind::Stop(price) | OrderKind::StopLimit { limit: price, .. } => price.0,
            _ => self.last_close(index),
        };
        let beyond = |price: f64| (price - reference) * entry.side.sign();
        let fits = |leg: OrderKind| match leg {
            OrderKind::Limit(price) => beyond(price.0) > 0.0,
            OrderKind::Stop(stop) | OrderKind::StopLimit { stop, .. } => beyond(stop.0) < 0.0,
            OrderKind::TrailingStop(_) => true,
            OrderKind::Market | OrderKind::MarketOnOpen | OrderKind::MarketOnClose => false,
        };
        let opens = entry.effect == PositionEffect::Any;
        legs.any(|leg| !opens || !fits(leg)).then_some(DenialReason::Bracket)
    }

    fn denial(&self, request: &OrderRequest, projection: &Projection) -> Option<DenialReason> {
        if request.effect == PositionEffect::ReduceOnly {
            return None;
        }
        let change = self.change(request);
        if self.today.is_stopped && !change.takes_away() {
            return Some(DenialReason::DailyLoss);
        }
        risk::denial(&self.bounds, *projection, change)
    }

    /// Takes the bounds at the equity of now and what the day has added so far.
    #[inline]
    fn renew_bounds(&mut self) {
        self.bounds = Bounds::new(self.config, self.state.equity, self.today.added_value);
    }

    /// Returns how a request would change the position, at its own price or else the last close.
    #[inline]
    fn change(&self, request: &OrderRequest) -> Change {
        let index = request.instrument.index();
        let before = self.projected_units(request.instrument);
        let scale = self.state.account.positions()[index].multiplier * self.fx[index];
        let unit_value = match request.kind {
            OrderKind::Limit(price) | OrderKind::Stop(price) | OrderKind::StopLimit { limit: price, .. } => {
                scale * price.0
            }
            _ => self.unit_value(index),
        };
        let after = units_after(before, request.side.sign() * request.quantity.0, request.effect);
        Change { before, after, unit_value, group_gross: self.group_gross(index) }
    }

    /// Returns the exposure of an instrument's group once waiting market orders have filled, where it is limited.
    #[inline]
    pub(super) fn group_gross(&self, index: usize) -> Option<f64> {
        self.config.limits.group_weight_max?;
        let groups = &self.state.market.extras().groups;
        let group = groups[index]?;
        let members = (0..groups.len()).filter(|&other| groups[other] == Some(group));
        Some(
            members
                .map(|other| (self.projected_units(InstrumentId(other as u32)) * self.unit_value(other)).abs())
                .sum(),
        )
    }

    #[inline]
    pub(super) fn projected_units(&self, instrument: InstrumentId) -> f64 {
        let held = self.state.account.units(instrument.index());
        self.state.book.projected_units(&self.state.orders, instrument, held)
    }

    #[inline]
    pub(super) fn projection(&self) -> Projection {
        let mut projection = Projection::default();
        for word in 0..self.state.book.busy().words() {
            for index in self.in_play(word) {
                let units = self.projected_units(InstrumentId(index as u32));
                let unit_value = self.unit_value(index);
                projection = projection.with(Change { before: 0.0, after: units, unit_value, group_gross: None });
            }
        }
        projection
    }

    #[inline]
    pub(super) fn unit_value(&self, index: usize) -> f64 {
        let position = &self.state.account.positions()[index];
        position.multiplier * position.mark.0
    }

    #[inline]
    pub(super) fn require_known(&self, instrument: InstrumentId) -> Result<(), BacktestError> {
        let instruments = self.state.market.len();
        if instrument.index() < instruments {
            return Ok(());
        }
        Err(BacktestError::UnknownInstrument { source_name: "a strategy's request", instrument, instruments })
    }
}

/// Returns whether a number is a whole multiple of a step, up to rounding.
fn is_multiple(value: f64, step: f64) -> bool {
    let steps = value / step;
    (steps - steps.round()).abs() <= 1e-9 * steps.abs().max(1.0)
}
