//! Fills of one step: at the opens, inside the bars, at the closes; and the end of orders that end with time.

use tidegate_market::Timestamp;

use super::{Candidate, Engine};
use crate::account::Exposure;
use crate::instrument_set::Members;
use crate::path::{Wait, fills_at_close, fills_at_open, open_quote, wait};
use crate::timeline::{BarRef, Timeline, open_time};
use crate::{CancelReason, FillMoment, FillTiming, Order, OrderKind, PathModel, PositionEffect, TimeInForce};

impl<T: Timeline + Copy> Engine<'_, T> {
    /// Fills waiting orders in the bars that open and close in a step.
    pub(super) fn trade(&mut self, step: usize) {
        let timeline = self.timeline;
        self.opening_label = self.state.market.opening_label(step);
        for group in timeline.open_groups(step) {
            self.trade_at_open(group);
        }
        let close_only = self.config.path == PathModel::CloseOnly;
        if self.state.book.has_priced_orders() && !close_only {
            for bar in timeline.closings(step) {
                self.trade_inside(bar);
            }
        }
        let closes = !matches!(self.config.fill, FillTiming::NextOpen | FillTiming::SameCloseBookedNext);
        if ((closes || close_only) && !self.state.book.is_empty()) || self.state.book.has_close_orders() {
            self.trade_at_close(step);
        }
        if self.state.book.has_timed_orders() {
            for bar in timeline.closings(step) {
                let close = self.state.columns[bar.instrument as usize].bars.close_time(bar.row as usize);
                self.expire(bar, close);
            }
        }
    }

    fn trade_at_open(&mut self, group: usize) {
        let timeline = self.timeline;
        self.candidates.clear();
        if self.needs.rates
            && let Some(bar) = timeline.openings(group).next()
        {
            self.convert_at(open_time(self.state.columns[bar.instrument as usize].bars, bar.row as usize));
        }
        // First what is read of all of them: side by side these do not wait for memory, as one after the other they would.
        for word in 0..self.state.book.busy().words() {
            for index in self.in_play(word) {
                if let Some(bar) = timeline.opening(group, index) {
                    let columns = &self.state.columns[index];
                    columns.read_ahead(bar.row as usize);
                    self.state.account.mark(index, columns.open[bar.row as usize] * self.fx[index]);
                }
            }
        }
        for word in 0..self.state.book.busy().words() {
            for index in self.state.book.busy().in_word(word) {
                if let Some(bar) = timeline.opening(group, index) {
                    self.take_orders_at_open(bar);
                }
            }
        }
        self.fill_candidates();
        if !self.state.book.linked().is_empty() && self.config.path != PathModel::CloseOnly {
            for bar in timeline.openings(group) {
                let open = self.state.columns[bar.instrument as usize].open[bar.row as usize];
                self.fill_new_legs(bar, open, FillMoment::Open);
            }
        }
        if self.state.book.has_immediate_orders() {
            for bar in timeline.openings(group) {
                self.cancel_immediate(bar, |kind, timing, path| !acts_at_close(kind, timing, path));
            }
        }
    }

    /// Returns the instruments that are held or have waiting orders, word by word of their sets.
    #[inline]
    pub(super) fn in_play(&self, word: usize) -> Members {
        self.state.book.busy().union_in_word(self.state.account.held(), word)
    }

    /// Ends the orders of an instrument whose time is over at its open, and collects those that fill there.
    #[inline]
    fn take_orders_at_open(&mut self, bar: BarRef) {
        let [index, row] = [bar.instrument as usize, bar.row as usize];
        let open = self.state.columns[index].open[row];
        if self.state.book.has_timed_orders() {
            let now = open_time(self.state.columns[index].bars, row);
            self.expire(bar, now);
            self.begin_days(bar, now);
        }
        if self.state.book.has_priced_orders() && self.config.path != PathModel::CloseOnly {
            self.move_stops(bar, open);
        }
        self.collect_at_open(bar, open);
    }

    #[inline]
    fn collect_at_open(&mut self, bar: BarRef, open: f64) {
        let [index, row] = [bar.instrument as usize, bar.row as usize];
        let timing = self.config.fill;
        let booked_late = timing == FillTiming::SameCloseBookedNext && row > 0;
        for place in 0..self.state.book.waiting(index).len() {
            let waiting = self.state.book.waiting(index)[place];
            if waiting.first_row > bar.row {
                continue;
            }
            let order = &self.state.orders[waiting.id.index()];
            if fills_at_open(order.kind, timing) {
                if booked_late && order.kind == OrderKind::Market {
                    let units = self.new_units(bar.instrument, bar.row - 1, bar.row);
                    let close = self.state.columns[index].close[row - 1] / units;
                    let earlier = BarRef { row: bar.row - 1, ..bar };
                    self.push_candidate(earlier, place, close, FillMoment::Close);
                } else {
                    self.push_candidate(bar, place, open, FillMoment::Open);
                }
            } else if self.config.path != PathModel::CloseOnly
                && let Some(quote) = open_quote(wait(order, &waiting), order.side, open)
            {
                self.push_candidate(bar, place, quote, FillMoment::Open);
            }
        }
    }

    /// Fills the legs of entries that just filled at a price which is at or beyond the prices of the legs already.
    pub(super) fn fill_new_legs(&mut self, bar: BarRef, price: f64, moment: FillMoment) {
        self.candidates.clear();
        let index = bar.instrument as usize;
        for place in 0..self.state.book.waiting(index).len() {
            let waiting = self.state.book.waiting(index)[place];
            let order = &self.state.orders[waiting.id.index()];
            if order.links().parent.is_some()
                && waiting.first_row == bar.row
                && let Some(quote) = open_quote(wait(order, &waiting), order.side, price)
            {
                self.push_candidate(bar, place, quote, moment);
            }
        }
        self.fill_candidates();
    }

    /// Notes a waiting order that may fill at a price.
    #[inline]
    pub(super) fn push_candidate(&mut self, bar: BarRef, place: usize, quote: f64, moment: FillMoment) {
        let candidate = self.candidate(bar, place, quote, moment);
        let only_reduces = self.only_reduces(&self.state.orders[candidate.id.index()]);
        self.candidates.push(candidate, only_reduces);
    }

    #[inline]
    pub(super) fn candidate(&self, bar: BarRef, place: usize, quote: f64, moment: FillMoment) -> Candidate {
        let waiting = &self.state.book.waiting(bar.instrument as usize)[place];
        let [instrument, row] = [bar.instrument, bar.row];
        let time = self.label_of_bar(bar);
        let is_limit = matches!(wait(&self.state.orders[waiting.id.index()], waiting), Wait::Limit(_));
        let is_maker = is_limit && (moment == FillMoment::Inside || waiting.first_row < row);
        Candidate { id: waiting.id, instrument, row, time, quote, moment, is_maker }
    }

    /// Returns the label of a bar, from the one column that all share where the bar opened in this step and they do.
    #[inline]
    fn label_of_bar(&self, bar: BarRef) -> Timestamp {
        let [index, row] = [bar.instrument as usize, bar.row as usize];
        let shared = self.opening_label.filter(|_| bar.row == self.state.feeds[index].rows);
        shared.unwrap_or_else(|| self.state.columns[index].time[row])
    }

    fn trade_at_close(&mut self, step: usize) {
        let timeline = self.timeline;
        self.candidates.clear();
        if self.needs.rates {
            self.convert_at(timeline.close_time(step));
        }
        for bar in timeline.closings(step) {
            let index = bar.instrument as usize;
            let close = self.state.columns[index].close[bar.row as usize];
            self.state.account.mark(index, close * self.fx[index]);
            if self.state.book.has_priced_orders() && self.config.path == PathModel::CloseOnly {
                self.move_stops(bar, close);
            }
            for place in 0..self.state.book.waiting(index).len() {
                let waiting = self.state.book.waiting(index)[place];
                let order = &self.state.orders[waiting.id.index()];
                let acts = fills_at_close(order.kind, self.config.fill)
                    || (acts_at_close(order.kind, self.config.fill, self.config.path)
                        && open_quote(wait(order, &waiting), order.side, close).is_some());
                if waiting.first_row <= bar.row && acts {
                    self.push_candidate(bar, place, close, FillMoment::Close);
                }
            }
        }
        self.fill_candidates();
        if self.state.book.has_immediate_orders() {
            for bar in timeline.closings(step) {
                self.cancel_immediate(bar, acts_at_close);
            }
        }
    }

    /// Returns whether an order only takes away from the position held now.
    #[inline]
    pub(super) fn only_reduces(&self, order: &Order) -> bool {
        let held = self.state.account.units(order.instrument.index());
        let units = order.side.sign() * order.remaining();
        let takes_away = held * units < 0.0 && units.abs() <= held.abs() * (1.0 + 1e-12);
        takes_away || order.effect == PositionEffect::ReduceOnly
    }

    /// Fills the candidates of one moment in the order that the config says.
    #[inline]
    pub(super) fn fill_candidates(&mut self) {
        if self.candidates.is_empty() {
            return;
        }
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.sort(self.config.fill_order);
        let mut exposure = self.state.account.exposure();
        for candidate in candidates.reducing.iter().chain(&candidates.others) {
            self.fill(candidate, &mut exposure);
        }
        self.candidates = candidates;
    }

    /// Triggers stop-limit orders and moves trailing stops at a price that was seen, where it did not reach them.
    pub(super) fn move_stops(&mut self, bar: BarRef, price: f64) {
        let index = bar.instrument as usize;
        for waiting in self.state.book.waiting_mut(index) {
            let order = &self.state.orders[waiting.id.index()];
            if waiting.first_row > bar.row {
                continue;
            }
            match order.kind {
                OrderKind::StopLimit { stop, limit } => {
                    let reached = crate::path::reached(order.side, price, stop.0);
                    // At the open itself the order still fills as a stop-limit order: it must be within its limit either way.
                    waiting.triggered |= reached && !crate::path::within(order.side, price, limit.0);
                }
                OrderKind::TrailingStop(trail) if !crate::path::reached(order.side, price, waiting.level) => {
                    waiting.level = closer(order.side, waiting.level, trail.level(order.side, price));
                }
                _ => {}
            }
        }
    }

    /// Notes the day of the first bar that an order works in; one that is still on its way has none.
    fn begin_days(&mut self, bar: BarRef, now: Timestamp) {
        let today = self.day(now);
        for waiting in self.state.book.waiting_mut(bar.instrument as usize) {
            if waiting.day.is_none() && waiting.first_row <= bar.row {
                waiting.day = Some(today);
            }
        }
    }

    /// Cancels the orders of an instrument whose day or date is over at a moment.
    fn expire(&mut self, bar: BarRef, now: Timestamp) {
        let index = bar.instrument as usize;
        let today = self.day(now);
        let time = self.state.columns[index].time[bar.row as usize];
        let mut place = 0;
        while let Some(&waiting) = self.state.book.waiting(index).get(place) {
            let reason = match self.state.orders[waiting.id.index()].time_in_force {
                TimeInForce::Day if waiting.day.is_some_and(|day| day != today) => Some(CancelReason::DayEnded),
                TimeInForce::Gtd(date) if now >= date => Some(CancelReason::Expired),
                _ => None,
            };
            match reason {
                Some(reason) => self.cancel(waiting.id, reason, time),
                None => place += 1,
            }
        }
    }

    /// Cancels what is left of orders that had to fill at the moment that has passed.
    fn cancel_immediate(&mut self, bar: BarRef, had_its_moment: impl Fn(OrderKind, FillTiming, PathModel) -> bool) {
        let index = bar.instrument as usize;
        let time = self.state.columns[index].time[bar.row as usize];
        let mut place = 0;
        while let Some(&waiting) = self.state.book.waiting(index).get(place) {
            let order = &self.state.orders[waiting.id.index()];
            let over = waiting.first_row <= bar.row && had_its_moment(order.kind, self.config.fill, self.config.path);
            if order.time_in_force.is_immediate() && over {
                self.cancel(waiting.id, CancelReason::NotImmediate, time);
            } else {
                place += 1;
            }
        }
    }

    /// Returns what the account holds, for fills outside the three moments of a bar.
    pub(super) fn exposure(&self) -> Exposure {
        self.state.account.exposure()
    }
}

/// Returns whether the close is the moment of an order of a kind.
fn acts_at_close(kind: OrderKind, timing: FillTiming, path: PathModel) -> bool {
    fills_at_close(kind, timing) || (path == PathModel::CloseOnly && !kind.is_market())
}

/// Returns the stop that is closer to the price: the higher one to sell, the lower one to buy.
pub(super) fn closer(side: tidegate_market::Side, a: f64, b: f64) -> f64 {
    match side {
        tidegate_market::Side::Buy => a.min(b),
        tidegate_market::Side::Sell => a.max(b),
    }
}
