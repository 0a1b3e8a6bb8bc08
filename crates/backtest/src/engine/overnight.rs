//! What happens to an account between two closes without a trade: financing, funding, splits, dividends, delistings.

use tidegate_market::{Cash, CorporateActionKind, Price, Quantity, Side, Timestamp};

use super::decide::Entry;
use super::{Candidate, Engine};
use crate::account::Range;
use crate::market::PlacedAction;
use crate::timeline::Timeline;
use crate::{
    AppliedAction, CancelReason, CashFlow, CashFlowKind, FillMoment, OrderId, OrderKind, OrderOrigin, OrderRequest,
    OrderStatus, Trail,
};

const NANOS_PER_YEAR: f64 = 365.0 * Timestamp::NANOS_PER_DAY as f64;

impl<T: Timeline + Copy> Engine<'_, T> {
    /// Brings the account from the close of the step before to the opens of a step.
    pub(super) fn pass_the_night(&mut self, step: usize) {
        if step > 0 {
            let (from, to) = (self.timeline.close_time(step - 1), self.timeline.close_time(step));
            let label = self.label_of(step);
            if !self.config.financing.is_none() {
                self.charge_financing((to.nanos() - from.nanos()) as f64 / NANOS_PER_YEAR, label);
            }
            if self.state.market.extras().has_funding {
                self.charge_funding([from, to], label);
            }
        }
        self.apply_actions(step);
    }

    /// Returns the label of a step that may not have closed yet.
    fn label_of(&self, step: usize) -> Timestamp {
        let bar = self.timeline.first_closing(step.min(self.timeline.steps() - 1));
        self.state.columns[bar.instrument as usize].time[bar.row as usize]
    }

    fn flow(&mut self, time: Timestamp, instrument: Option<usize>, kind: CashFlowKind, amount: f64) {
        if amount == 0.0 {
            return;
        }
        self.state.account.apply_cash_flow(kind, amount);
        let instrument = instrument.map(|index| tidegate_market::InstrumentId(index as u32));
        self.journal.cash_flows.push(CashFlow { time, instrument, kind, amount: Cash(amount) });
    }

    /// Charges the time since the last close on what was held then.
    fn charge_financing(&mut self, years: f64, label: Timestamp) {
        let rates = self.config.financing;
        let cash = self.state.account.cash();
        let mut short_value = 0.0;
        for index in 0..self.state.market.len() {
            let value = self.state.account.positions()[index].value().0;
            if value < 0.0 {
                short_value -= value;
                self.flow(label, Some(index), CashFlowKind::BorrowFee, value * rates.borrow_rate * years);
            }
        }
        self.flow(label, None, CashFlowKind::MarginInterest, cash.min(0.0) * rates.margin_rate * years);
        let free = (cash - short_value).max(0.0);
        self.flow(label, None, CashFlowKind::CashInterest, free * rates.cash_rate * years);
    }

    /// Charges every funding rate that came due since the last close on what was held then.
    fn charge_funding(&mut self, [from, to]: [Timestamp; 2], label: Timestamp) {
        let market = self.state.market;
        for (index, series) in market.extras().funding.iter().enumerate() {
            let Some(series) = series else { continue };
            let value = self.state.account.positions()[index].value().0;
            while let Some(due) = series.known_time().get(self.next_funding[index]).filter(|due| **due <= to) {
                let rate = series.value()[self.next_funding[index]];
                self.next_funding[index] += 1;
                // What came due before the first close concerns nobody.
                if *due > from {
                    self.flow(label, Some(index), CashFlowKind::Funding, -value * rate);
                }
            }
        }
    }

    /// Applies the corporate actions that take effect before the opens of a step.
    pub(super) fn apply_actions(&mut self, step: usize) {
        let market = self.state.market;
        while let Some(action) =
            market.extras().actions.get(self.next_action).filter(|action| action.step as usize <= step)
        {
            self.next_action += 1;
            self.apply(action, step);
        }
    }

    fn apply(&mut self, action: &PlacedAction, step: usize) {
        let index = action.instrument as usize;
        let before = self.state.account.units(index);
        let label = self.label_of(step);
        match action.kind {
            CorporateActionKind::Split { ratio } => self.split(index, action.row, ratio),
            CorporateActionKind::Dividend { amount } => {
                let per_unit = amount * self.state.account.positions()[index].multiplier * self.fx[index];
                self.flow(label, Some(index), CashFlowKind::Dividend, before * per_unit);
            }
            CorporateActionKind::Delisting { price } => self.delist(index, price),
        }
        if before != 0.0 {
            let instrument = tidegate_market::InstrumentId(action.instrument);
            let units_after = Quantity(self.state.account.units(index));
            let units_before = Quantity(before);
            self.journal.actions.push(AppliedAction {
                time: label,
                instrument,
                kind: action.kind,
                units_before,
                units_after,
            });
        }
    }

    fn split(&mut self, index: usize, row: u32, ratio: f64) {
        let columns = self.state.columns[index];
        self.state.account.apply_split(index, ratio, row, Range { high: columns.high, low: columns.low });
        for waiting in self.state.book.waiting_mut(index) {
            waiting.level /= ratio;
        }
        let mut open: Vec<OrderId> = self.state.book.waiting(index).iter().map(|waiting| waiting.id).collect();
        open.extend(
            self.state.book.linked().iter().filter(|id| self.state.orders[id.index()].status == OrderStatus::Held),
        );
        for id in open {
            let order = &mut self.state.orders[id.index()];
            if order.instrument.index() == index {
                order.split(ratio);
                order.kind = in_new_prices(order.kind, ratio);
            }
        }
    }

    /// Pays out what is held and ends every order.
    fn delist(&mut self, index: usize, price: Option<Price>) {
        let time = self.state.label;
        self.delisted[index] = true;
        self.cancel_instrument(index, CancelReason::Delisted, time);
        self.cancel_held_of(index, CancelReason::Delisted, time);
        let held = self.state.account.units(index);
        let Some(row) = self.state.feeds[index].rows.checked_sub(1).filter(|_| held != 0.0) else { return };
        let side = if held > 0.0 { Side::Sell } else { Side::Buy };
        let instrument = tidegate_market::InstrumentId(index as u32);
        let request = OrderRequest::market(instrument, side, Quantity(held.abs()));
        let place = self.state.orders.len();
        let mut projection = self.projection();
        self.enter(&request, Entry::from(OrderOrigin::Delisting), time, &mut projection);
        let quote = price.map_or(self.state.columns[index].close[row as usize], |price| price.0);
        let candidate = Candidate {
            id: self.state.orders[place].id,
            instrument: index as u32,
            row,
            time: self.state.columns[index].time[row as usize],
            quote,
            moment: FillMoment::Close,
            is_maker: false,
        };
        self.pay_out(&candidate);
        if !self.journal.equity.is_empty() && self.next_step_is_past() {
            self.record_again();
        }
    }

    /// Returns whether every step has been recorded.
    fn next_step_is_past(&self) -> bool {
        self.journal.equity.len() == self.timeline.steps()
    }
}

fn in_new_prices(kind: OrderKind, ratio: f64) -> OrderKind {
    let new = |price: Price| Price(price.0 / ratio);
    match kind {
        OrderKind::Market
        | OrderKind::MarketOnOpen
        | OrderKind::MarketOnClose
        | OrderKind::TrailingStop(Trail::Fraction(_)) => kind,
        OrderKind::Limit(price) => OrderKind::Limit(new(price)),
        OrderKind::Stop(price) => OrderKind::Stop(new(price)),
        OrderKind::StopLimit { stop, limit } => OrderKind::StopLimit { stop: new(stop), limit: new(limit) },
        OrderKind::TrailingStop(Trail::Absolute(distance)) => {
            OrderKind::TrailingStop(Trail::Absolute(distance / ratio))
        }
    }
}
