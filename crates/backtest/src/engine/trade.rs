//! Fills of one step: at the opens, inside the bars, at the closes; and the end of day orders.

use tidegate_market::Timestamp;

use super::{Candidate, Engine};
use crate::account::Exposure;
use crate::path::{inside_quote, open_quote, pessimistic_rank};
use crate::timeline::{BarRef, Timeline, open_time};
use crate::{CancelReason, FillMoment, FillTiming, Order, OrderKind, OrderStatus, PositionEffect, TimeInForce};

impl<T: Timeline + Copy> Engine<'_, T> {
    /// Fills waiting orders in the bars that open and close in a step.
    pub(super) fn trade(&mut self, step: usize) {
        let timeline = self.timeline;
        for group in timeline.open_groups(step) {
            self.trade_at_open(group);
        }
        if self.state.book.has_priced_orders() {
            for bar in timeline.closings(step) {
                self.trade_inside(bar);
            }
        }
        if self.config.fill != FillTiming::NextOpen && !self.state.book.is_empty() {
            self.trade_at_close(step);
        }
        if self.state.book.has_day_orders() {
            for bar in timeline.closings(step) {
                let close = self.state.columns[bar.instrument as usize].bars.close_time(bar.row as usize);
                self.end_days_before(bar, day(close));
            }
        }
    }

    fn trade_at_open(&mut self, group: usize) {
        let timeline = self.timeline;
        self.candidates.clear();
        for bar in timeline.openings(group) {
            let [index, row] = [bar.instrument as usize, bar.row as usize];
            let has_orders = !self.state.book.waiting(index).is_empty();
            if !has_orders && self.state.account.units(index) == 0.0 {
                continue;
            }
            let open = self.state.columns[index].open[row];
            self.state.account.mark(index, open);
            if !has_orders {
                continue;
            }
            if self.state.book.has_day_orders() {
                let today = day(open_time(self.state.columns[index].bars, row));
                self.end_days_before(bar, today);
                self.begin_days(index, today);
            }
            let timing = self.config.fill;
            self.collect(bar, |order| open_quote(order.kind, order.side, timing, open));
        }
        self.fill_candidates(FillMoment::Open);
    }

    fn trade_at_close(&mut self, step: usize) {
        let timeline = self.timeline;
        self.candidates.clear();
        for bar in timeline.closings(step) {
            let index = bar.instrument as usize;
            let close = self.state.columns[index].close[bar.row as usize];
            self.state.account.mark(index, close);
            self.collect(bar, |order| (order.kind == OrderKind::Market).then_some(close));
        }
        self.fill_candidates(FillMoment::Close);
    }

    /// Notes the waiting orders of a bar for which `quote` gives a price.
    fn collect(&mut self, bar: BarRef, quote: impl Fn(&Order) -> Option<f64>) {
        for waiting in self.state.book.waiting(bar.instrument as usize) {
            let order = &self.state.orders[waiting.id.index()];
            let quote = if waiting.first_row > bar.row { None } else { quote(order) };
            if let Some(quote) = quote {
                let [instrument, row] = [bar.instrument, bar.row];
                let candidate = Candidate { id: waiting.id, instrument, row, rank: self.rank(order), quote };
                self.candidates.push(candidate);
            }
        }
    }

    /// Returns 0 for an order that only takes away from the position held now, 1 for any other.
    pub(super) fn rank(&self, order: &Order) -> u8 {
        let held = self.state.account.units(order.instrument.index());
        let units = order.side.sign() * order.quantity.0;
        let takes_away = held * units < 0.0 && units.abs() <= held.abs() * (1.0 + 1e-12);
        u8::from(!takes_away && order.effect == PositionEffect::Any)
    }

    /// Fills candidates of one moment: those that take away first, then by instrument, then by age.
    pub(super) fn fill_candidates(&mut self, moment: FillMoment) {
        if self.candidates.is_empty() {
            return;
        }
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.sort_unstable_by_key(|candidate| (candidate.rank, candidate.instrument, candidate.id));
        let mut exposure = self.state.account.exposure();
        for candidate in &candidates {
            self.fill(candidate, moment, &mut exposure);
        }
        self.candidates = candidates;
    }

    /// Fills what a bar touches inside its range, in the order that is worst for the account.
    ///
    /// Again and again the first order that can act fills: stops, then limit orders that may open a position, then limit orders
    /// that only take profit; of one kind the nearest to the open, then the oldest. An order that may only reduce cannot act
    /// without a position, and does not take profit on a position that this very bar opened.
    fn trade_inside(&mut self, bar: BarRef) {
        let [index, row] = [bar.instrument as usize, bar.row as usize];
        if self.state.book.waiting(index).is_empty() {
            return;
        }
        let columns = self.state.columns[index];
        let [open, high, low] = [columns.open[row], columns.high[row], columns.low[row]];
        self.candidates.clear();
        self.collect(bar, |order| inside_quote(order.kind, order.side, high, low));
        if self.candidates.is_empty() {
            return;
        }
        let mut candidates = std::mem::take(&mut self.candidates);
        for candidate in &mut candidates {
            let order = &self.state.orders[candidate.id.index()];
            candidate.rank = pessimistic_rank(order.kind, order.effect);
        }
        let distance = |candidate: &Candidate| (candidate.quote - open).abs();
        candidates.sort_unstable_by(|a, b| {
            a.rank.cmp(&b.rank).then(distance(a).total_cmp(&distance(b))).then(a.id.cmp(&b.id))
        });
        if candidates.len() > 1 {
            self.state.account.count_ambiguous_bar();
        }
        let mut exposure = self.state.account.exposure();
        let held_before = self.state.account.units(index);
        while let Some(place) = candidates.iter().position(|candidate| self.can_act(candidate, held_before)) {
            let candidate = candidates.remove(place);
            self.fill(&candidate, FillMoment::Inside, &mut exposure);
        }
        self.candidates = candidates;
    }

    fn can_act(&self, candidate: &Candidate, held_before: f64) -> bool {
        let order = &self.state.orders[candidate.id.index()];
        if order.status != OrderStatus::Working {
            return false;
        }
        if order.effect == PositionEffect::Any {
            return true;
        }
        let held = self.state.account.units(candidate.instrument as usize);
        let takes_profit = matches!(order.kind, OrderKind::Limit(_));
        held * order.side.sign() < 0.0 && (!takes_profit || held * held_before > 0.0)
    }

    fn begin_days(&mut self, index: usize, today: i64) {
        for place in 0..self.state.book.waiting(index).len() {
            let waiting = self.state.book.waiting(index)[place];
            if waiting.day.is_none() {
                self.state.book.set_day(index, place, today);
            }
        }
    }

    /// Cancels the day orders of an instrument whose day is not `today`.
    fn end_days_before(&mut self, bar: BarRef, today: i64) {
        let index = bar.instrument as usize;
        let time = self.state.columns[index].time[bar.row as usize];
        let mut place = 0;
        while let Some(&waiting) = self.state.book.waiting(index).get(place) {
            let is_day = self.state.orders[waiting.id.index()].time_in_force == TimeInForce::Day;
            if is_day && waiting.day.is_some_and(|day| day != today) {
                self.cancel(waiting.id, CancelReason::DayEnded, time);
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

/// The UTC day of a time.
fn day(time: Timestamp) -> i64 {
    time.nanos().div_euclid(Timestamp::NANOS_PER_DAY)
}
