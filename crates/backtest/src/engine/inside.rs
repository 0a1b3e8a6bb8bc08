//! Fills between the open and the close of a bar, along the path that is assumed or that finer bars show.

use tidegate_market::Side;

use super::Engine;
use super::trade::closer;
use crate::account::Exposure;
use crate::path::{
    Reach, Wait, crossing, inside_quote, open_quote, pessimistic_rank, reached, turning_points, wait, within,
};
use crate::timeline::{BarRef, Timeline};
use crate::{FillMoment, OrderId, OrderKind, PathModel, PositionEffect};

/// An order that acts next.
#[derive(Debug, Clone, Copy)]
struct Next {
    place: usize,
    id: OrderId,
    rank: u8,
    distance: f64,
    quote: f64,
}

impl Next {
    /// Returns whether it goes before another: by rank or distance as the path says, then the older.
    fn goes_before(&self, other: &Self, path: PathModel) -> bool {
        let by_rank = self.rank.cmp(&other.rank);
        let by_distance = self.distance.total_cmp(&other.distance);
        let order = match path {
            PathModel::Pessimistic => by_rank.then(by_distance),
            PathModel::NearestExtreme | PathModel::CloseOnly => by_distance.then(by_rank),
        };
        order.then(self.id.cmp(&other.id)).is_lt()
    }
}

impl<T: Timeline + Copy> Engine<'_, T> {
    /// Fills what a bar touches after its open.
    pub(super) fn trade_inside(&mut self, bar: BarRef) {
        let [index, row] = [bar.instrument as usize, bar.row as usize];
        if !self.has_priced_orders(bar) {
            return;
        }
        let market = self.state.market;
        match market.extras().details[index].as_ref().filter(|detail| detail.covers(row)) {
            None => {
                let columns = self.state.columns[index];
                self.walk(bar, [columns.open[row], columns.high[row], columns.low[row], columns.close[row]]);
            }
            Some(detail) => {
                for (place, prices) in detail.inside(row).enumerate() {
                    if place > 0 {
                        self.gap(bar, prices[0]);
                    }
                    self.walk(bar, prices);
                }
            }
        }
    }

    fn has_priced_orders(&self, bar: BarRef) -> bool {
        let waiting = self.state.book.waiting(bar.instrument as usize).iter();
        let mut working = waiting.filter(|waiting| waiting.first_row <= bar.row);
        working.any(|waiting| !self.state.orders[waiting.id.index()].kind.is_market())
    }

    /// Fills orders at the open of a finer bar that has gapped through their prices.
    fn gap(&mut self, bar: BarRef, open: f64) {
        self.candidates.clear();
        self.move_stops(bar, open);
        let index = bar.instrument as usize;
        for place in 0..self.state.book.waiting(index).len() {
            let waiting = self.state.book.waiting(index)[place];
            let order = &self.state.orders[waiting.id.index()];
            if waiting.first_row <= bar.row
                && let Some(quote) = open_quote(wait(order, &waiting), order.side, open)
            {
                self.push_candidate(bar, place, quote, FillMoment::Inside);
            }
        }
        self.fill_candidates();
        self.fill_new_legs(bar, open, FillMoment::Inside);
        self.forget_entries(bar);
    }

    /// Forgets that orders began to work inside an earlier part of this bar.
    fn forget_entries(&mut self, bar: BarRef) {
        for waiting in self.state.book.waiting_mut(bar.instrument as usize) {
            waiting.entered = None;
        }
    }

    fn walk(&mut self, bar: BarRef, prices: [f64; 4]) {
        self.acted.clear();
        let fills = match self.config.path {
            PathModel::Pessimistic => self.worst_first(bar, prices),
            PathModel::NearestExtreme => self.along_the_path(bar, turning_points(prices)),
            PathModel::CloseOnly => 0,
        };
        if fills > 1 {
            self.state.account.count_ambiguous_bar();
        }
    }

    /// Fills what a range touches in the order that is worst for the account, and returns how many orders it touched.
    ///
    /// Again and again the first order that can act fills: stops, then limit orders that may open a position, then limit orders
    /// that only take profit; of one kind the nearest to the open, then the oldest. An order that may only reduce cannot act
    /// without a position, and does not take profit on a position that this very range opened. A trailing stop stands where earlier
    /// prices put it; at the end it follows the best price of the range, and fills at the close if that is beyond it then.
    fn worst_first(&mut self, bar: BarRef, [open, high, low, close]: [f64; 4]) -> usize {
        let index = bar.instrument as usize;
        let held_before = self.state.account.units(index);
        let mut exposure = self.state.account.exposure();
        let mut touched = self.touched(bar, [open, high, low]);
        let mut fills = 0;
        while let Some(next) = self.worst(bar, [open, high, low], held_before) {
            self.act(bar, next, &mut exposure);
            fills += 1;
        }
        touched = touched.max(fills);
        self.trail_to_the_end(bar, [high, low, close], &mut exposure);
        touched
    }

    fn quote(&self, bar: BarRef, place: usize, [open, high, low]: [f64; 3]) -> Option<f64> {
        let waiting = &self.state.book.waiting(bar.instrument as usize)[place];
        if waiting.first_row > bar.row {
            return None;
        }
        let order = &self.state.orders[waiting.id.index()];
        let entered = waiting.entered.filter(|(row, _)| *row == bar.row).map(|(_, price)| price);
        let reach = Reach { high, low, start: entered.unwrap_or(open), limit_fill: self.config.limit_fill };
        inside_quote(wait(order, waiting), order.side, reach)
    }

    fn touched(&self, bar: BarRef, range: [f64; 3]) -> usize {
        let count = self.state.book.waiting(bar.instrument as usize).len();
        (0..count).filter(|&place| self.quote(bar, place, range).is_some()).count()
    }

    fn worst(&mut self, bar: BarRef, [open, high, low]: [f64; 3], held_before: f64) -> Option<Next> {
        let index = bar.instrument as usize;
        let mut first: Option<Next> = None;
        for place in 0..self.state.book.waiting(index).len() {
            let Some(quote) = self.quote(bar, place, [open, high, low]) else { continue };
            let waiting = self.state.book.waiting(index)[place];
            let order = &self.state.orders[waiting.id.index()];
            let wait = wait(order, &waiting);
            let takes_profit = matches!(wait, Wait::Limit(_));
            // The high may have come before an entry inside this range.
            let began_inside = waiting.entered.is_some_and(|(row, _)| row == bar.row);
            let takes_early = takes_profit && order.effect == PositionEffect::ReduceOnly && began_inside;
            let can_act = !takes_early && self.can_reduce(waiting.id, takes_profit.then_some(held_before));
            if self.acted.contains(&waiting.id) || !can_act {
                continue;
            }
            let rank = pessimistic_rank(wait, order.effect);
            let next = Next { place, id: waiting.id, rank, distance: (quote - open).abs(), quote };
            if first.is_none_or(|first| next.goes_before(&first, PathModel::Pessimistic)) {
                first = Some(next);
            }
        }
        // What the range has triggered and could not fill stays triggered.
        if first.is_none() {
            self.trigger(bar, |_, side, stop| match side {
                Side::Buy => reached(side, high, stop),
                Side::Sell => reached(side, low, stop),
            });
        }
        first
    }

    /// Returns whether an order may act on what is held; `held_before` is given where it must not have been opened since.
    fn can_reduce(&self, id: OrderId, held_before: Option<f64>) -> bool {
        let order = &self.state.orders[id.index()];
        if order.effect == PositionEffect::Any {
            return true;
        }
        let held = self.state.account.units(order.instrument.index());
        held * order.side.sign() < 0.0 && held_before.is_none_or(|before| held * before > 0.0)
    }

    fn trigger(&mut self, bar: BarRef, is_reached: impl Fn(OrderId, Side, f64) -> bool) {
        for waiting in self.state.book.waiting_mut(bar.instrument as usize) {
            let order = &self.state.orders[waiting.id.index()];
            if let OrderKind::StopLimit { stop, .. } = order.kind {
                waiting.triggered |= waiting.first_row <= bar.row && is_reached(order.id, order.side, stop.0);
            }
        }
    }

    fn act(&mut self, bar: BarRef, next: Next, exposure: &mut Exposure) {
        self.acted.push(next.id);
        let candidate = self.candidate(bar, next.place, next.quote, FillMoment::Inside);
        self.fill(&candidate, exposure);
    }

    /// Moves trailing stops by the best price of a range whose path is not known. The close came after it, so that a stop which the
    /// close is beyond was hit for certain; it fills at the close, which is no better than the stop.
    fn trail_to_the_end(&mut self, bar: BarRef, [high, low, close]: [f64; 3], exposure: &mut Exposure) {
        let index = bar.instrument as usize;
        let mut place = 0;
        while let Some(&waiting) = self.state.book.waiting(index).get(place) {
            let order = self.state.orders[waiting.id.index()];
            let trail = match order.kind {
                OrderKind::TrailingStop(trail)
                    if waiting.first_row <= bar.row && wait(&order, &waiting) != Wait::Rest =>
                {
                    trail
                }
                _ => {
                    place += 1;
                    continue;
                }
            };
            let best = match (waiting.entered.filter(|(row, _)| *row == bar.row), order.side) {
                // Of the prices after the order began, only the close is known.
                (Some((_, price)), Side::Sell) => price.max(close),
                (Some((_, price)), Side::Buy) => price.min(close),
                (None, Side::Sell) => high,
                (None, Side::Buy) => low,
            };
            let level = closer(order.side, waiting.level, trail.level(order.side, best));
            self.state.book.waiting_mut(index)[place].level = level;
            let hit = reached(order.side, close, level) && self.can_reduce(waiting.id, None);
            if hit && !self.acted.contains(&waiting.id) {
                self.act(bar, Next { place, id: waiting.id, rank: 0, distance: 0.0, quote: close }, exposure);
            }
            if self.state.book.waiting(index).get(place).is_some_and(|still| still.id == waiting.id) {
                place += 1;
            }
        }
    }

    /// Fills orders where a known path crosses their prices, and returns how many filled.
    fn along_the_path(&mut self, bar: BarRef, points: [f64; 4]) -> usize {
        let mut exposure = self.state.account.exposure();
        let mut fills = 0;
        self.move_stops(bar, points[0]);
        for leg in points.windows(2) {
            let [mut at, to] = [leg[0], leg[1]];
            while let Some(next) = self.nearest(bar, at, to) {
                at = next.quote;
                if self.triggers_without_fill(bar, &next) {
                    continue;
                }
                self.act(bar, next, &mut exposure);
                self.trigger(bar, |id, _, _| id == next.id);
                fills += 1;
            }
            self.move_stops(bar, to);
        }
        fills
    }

    /// Returns the order that acts first on the way from one price to another.
    fn nearest(&self, bar: BarRef, at: f64, to: f64) -> Option<Next> {
        let index = bar.instrument as usize;
        let mut first: Option<Next> = None;
        for (place, waiting) in self.state.book.waiting(index).iter().enumerate() {
            let order = &self.state.orders[waiting.id.index()];
            let wait = wait(order, waiting);
            // A stop is reached whatever the position.
            let can_act = matches!(wait, Wait::StopLimit { .. }) || self.can_reduce(waiting.id, None);
            if waiting.first_row > bar.row || self.acted.contains(&waiting.id) || !can_act {
                continue;
            }
            let Some(quote) = crossing(wait, order.side, at, to, self.config.limit_fill) else { continue };
            // At one price stops go first, then the older order.
            let rank = pessimistic_rank(wait, order.effect).min(1);
            let next = Next { place, id: waiting.id, rank, distance: (quote - at).abs(), quote };
            if first.is_none_or(|first| next.goes_before(&first, PathModel::NearestExtreme)) {
                first = Some(next);
            }
        }
        first
    }

    /// Triggers a stop-limit order at the price that reached it; returns whether it cannot fill there.
    fn triggers_without_fill(&mut self, bar: BarRef, next: &Next) -> bool {
        let can_reduce = self.can_reduce(next.id, None);
        let waiting = &mut self.state.book.waiting_mut(bar.instrument as usize)[next.place];
        let order = &self.state.orders[next.id.index()];
        match order.kind {
            OrderKind::StopLimit { limit, .. } if !waiting.triggered => {
                // One that fills here took what was there: it becomes a limit order afterwards.
                waiting.triggered = !can_reduce || !within(order.side, next.quote, limit.0);
                waiting.triggered
            }
            _ => false,
        }
    }
}
