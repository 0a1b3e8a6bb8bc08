//! The ways in which positions are closed without the strategy: stops on the account, margin calls, ends of sessions and of the data.

use tidegate_market::{InstrumentId, Quantity, Side};

use super::decide::Entry;
use super::{Candidate, Engine};
use crate::timeline::{BarRef, Timeline};
use crate::{
    AccountKind, CancelReason, FillMoment, FillTiming, Halt, HaltReason, OrderId, OrderOrigin, OrderRequest,
    OrderStatus,
};

impl<T: Timeline + Copy> Engine<'_, T> {
    /// Acts where a stop on the account or its margin asks for it at the close of a step; returns whether trading has ended for good, so
    /// that the strategy is not asked.
    pub(super) fn stopped(&mut self, step: usize) -> bool {
        let limits = &self.config.limits;
        if limits.drawdown_stop.is_some_and(|stop| self.state.equity <= self.equity_peak * (1.0 - stop)) {
            self.stop(step, HaltReason::DrawdownStop, OrderOrigin::DrawdownStop);
            return true;
        }
        if limits.losing_trades_stop.is_some() && self.has_lost_too_often() {
            self.stop(step, HaltReason::LosingTrades, OrderOrigin::LosingTradesStop);
            return true;
        }
        if self.needs.days {
            self.count_day(step);
        }
        if let AccountKind::Margin { initial, maintenance } = self.config.account
            && self.state.equity < self.state.gross_exposure * maintenance * (1.0 - 1e-12)
        {
            self.call_margin(step, initial);
        }
        false
    }

    /// Cancels what waits and sends market orders that close every position; the strategy is not asked again.
    #[cold]
    fn stop(&mut self, step: usize, reason: HaltReason, origin: OrderOrigin) {
        self.halt(reason);
        self.flatten(step, origin, 1.0);
    }

    /// Sends market orders that take a fraction of every position away, at the timing of the config.
    fn flatten(&mut self, step: usize, origin: OrderOrigin, fraction: f64) {
        let first_new = self.reduce_everything(origin, fraction);
        if self.config.fill == FillTiming::SameClose {
            self.fill_at_last_close(first_new, |engine, index| engine.state.feeds[index].updated == step as u32 + 1);
        }
    }

    /// Closes every position at the last close, whatever the fill timing: nobody trades on without equity.
    #[cold]
    pub(super) fn ruin(&mut self) {
        self.halt(HaltReason::Ruin);
        let first_new = self.reduce_everything(OrderOrigin::Ruin, 1.0);
        self.fill_at_last_close(first_new, |_, _| true);
    }

    fn halt(&mut self, reason: HaltReason) {
        let time = self.state.label;
        self.cancel_all(CancelReason::Halted, time);
        self.journal.halt = Some(Halt { time, reason });
    }

    /// Returns whether the last round trips lost, as many as the limit says.
    fn has_lost_too_often(&mut self) -> bool {
        for trade in &self.journal.trades[self.trades_seen..] {
            self.losing_trades = if trade.net_pnl().0 < 0.0 { self.losing_trades + 1 } else { 0 };
        }
        self.trades_seen = self.journal.trades.len();
        self.config.limits.losing_trades_stop.is_some_and(|most| self.losing_trades >= most)
    }

    /// Begins a new day where one begins, and ends trading for the day where it has lost too much.
    fn count_day(&mut self, step: usize) {
        // A close belongs to the day that it ends.
        let day = self.day(self.timeline.close_time(step).plus_nanos(-1));
        if day != self.today.day {
            let rows = self.journal.equity.len();
            let start_equity = match rows.checked_sub(2) {
                Some(row) => self.journal.equity.equity()[row],
                None => self.config.initial_cash.0,
            };
            self.today = super::Today { day, start_equity, added_value: 0.0, is_stopped: false };
        }
        let Some(stop) = self.config.limits.daily_loss_stop else { return };
        if !self.today.is_stopped && self.state.equity <= self.today.start_equity * (1.0 - stop) {
            self.today.is_stopped = true;
            let time = self.state.label;
            self.journal.daily_loss_stops.push(time);
            self.cancel_all(CancelReason::DailyLoss, time);
            self.flatten(step, OrderOrigin::DailyLossStop, 1.0);
        }
    }

    /// Cuts every position in equal proportion to what the initial margin allows.
    #[cold]
    fn call_margin(&mut self, step: usize, initial: f64) {
        let time = self.state.label;
        self.journal.margin_calls.push(time);
        self.cancel_all(CancelReason::MarginCall, time);
        let keeps = self.state.equity / (initial * self.state.gross_exposure);
        self.flatten(step, OrderOrigin::MarginCall, 1.0 - keeps);
    }

    fn reduce_everything(&mut self, origin: OrderOrigin, fraction: f64) -> usize {
        let time = self.state.label;
        let first_new = self.state.orders.len();
        let mut projection = self.projection();
        for index in 0..self.state.market.len() {
            let held = self.state.account.units(index);
            if held == 0.0 {
                continue;
            }
            let side = if held > 0.0 { Side::Sell } else { Side::Buy };
            let wanted = held.abs() * fraction;
            let quantity = match self.state.market.instruments()[index].lot_size {
                Some(lot) if fraction < 1.0 => ((wanted / lot).ceil() * lot).min(held.abs()),
                _ => wanted,
            };
            let request = OrderRequest::market(InstrumentId(index as u32), side, Quantity(quantity)).reduce_only();
            self.enter(&request, Entry::from(origin), time, &mut projection);
        }
        first_new
    }

    fn fill_at_last_close(&mut self, first_new: usize, fills: impl Fn(&Self, usize) -> bool) {
        let mut exposure = self.exposure();
        for place in first_new..self.state.orders.len() {
            let order = &self.state.orders[place];
            let index = order.instrument.index();
            if order.status == OrderStatus::Working && fills(self, index) {
                let row = self.state.feeds[index].rows - 1;
                let quote = self.state.columns[index].close[row as usize];
                let candidate = self.closing(OrderId(place as u32), BarRef { instrument: index as u32, row }, quote);
                self.fill(&candidate, &mut exposure);
            }
        }
        self.record_again();
    }

    /// Closes at their close the positions of instruments whose session ends with the bar that closes.
    pub(super) fn exit_sessions(&mut self, step: usize) {
        let timeline = self.timeline;
        if self.state.market.extras().has_fx {
            self.convert_at(timeline.close_time(step));
        }
        for bar in timeline.closings(step) {
            let [index, row] = [bar.instrument as usize, bar.row as usize];
            if self.ends_session(index, row) {
                self.exit_session(bar);
            }
        }
    }

    /// Returns whether a bar closes at the end of the session it opened in, which the calendar says in advance.
    fn ends_session(&self, index: usize, row: usize) -> bool {
        let bars = self.state.columns[index].bars;
        let sessions = self.state.market.sessions();
        let session = sessions.and_then(|sessions| sessions.containing(bars.open_time(row)));
        session.is_some_and(|session| bars.close_time(row) >= session.close)
    }

    /// Closes at its open what an earlier session left open for want of a last bar: a missing minute, a short day that the calendar does
    /// not know.
    pub(super) fn exit_carried(&mut self, step: usize) {
        let timeline = self.timeline;
        for group in timeline.open_groups(step) {
            for bar in timeline.openings(group) {
                let [index, row] = [bar.instrument as usize, bar.row as usize];
                if self.state.account.units(index) == 0.0 || row == 0 {
                    continue;
                }
                let bars = self.state.columns[index].bars;
                if self.day(bars.open_time(row)) != self.day(bars.open_time(row - 1)) {
                    let time = self.state.columns[index].time[row];
                    let open = self.state.columns[index].open[row];
                    self.cancel_instrument(index, CancelReason::SessionEnded, time);
                    self.close_position(bar, open, OrderOrigin::SessionEnd, FillMoment::Open);
                }
            }
        }
    }

    fn exit_session(&mut self, bar: BarRef) {
        let index = bar.instrument as usize;
        let columns = self.state.columns[index];
        let time = columns.time[bar.row as usize];
        self.cancel_instrument(index, CancelReason::SessionEnded, time);
        self.close_position(bar, columns.close[bar.row as usize], OrderOrigin::SessionEnd, FillMoment::Close);
    }

    /// Closes what the data's end finds open, at the price that a market order decided before the last bar would have got.
    pub(super) fn close_at_the_end(&mut self) {
        let time = self.state.label;
        self.cancel_all(CancelReason::DataEnded, time);
        for index in 0..self.state.market.len() {
            let Some(row) = self.state.feeds[index].rows.checked_sub(1) else { continue };
            let columns = self.state.columns[index];
            let (row, quote) = match self.config.fill {
                FillTiming::NextOpen => (row, columns.open[row as usize]),
                FillTiming::SameCloseBookedNext if row > 0 => (row - 1, columns.close[row as usize - 1]),
                _ => (row, columns.close[row as usize]),
            };
            let (row, quote) = if self.filled_after(index, row) {
                let last = columns.close.len() - 1;
                (last as u32, columns.close[last])
            } else {
                (row, quote)
            };
            let bar = BarRef { instrument: index as u32, row };
            self.close_position(bar, quote, OrderOrigin::DataEnd, FillMoment::Close);
            self.state.account.mark(index, columns.close[columns.close.len() - 1] * self.fx[index]);
        }
        self.record_again();
    }

    /// Returns whether an instrument's last fill came after the moment at which a row's price would close the position.
    fn filled_after(&self, index: usize, row: u32) -> bool {
        let last = self.journal.fills.iter().rev().find(|fill| fill.instrument.index() == index);
        let at_open = self.config.fill == FillTiming::NextOpen;
        last.is_some_and(|fill| fill.row > row || (fill.row == row && at_open && fill.moment != FillMoment::Open))
    }

    fn close_position(&mut self, bar: BarRef, quote: f64, origin: OrderOrigin, moment: FillMoment) {
        let index = bar.instrument as usize;
        let time = self.state.columns[index].time[bar.row as usize];
        let held = self.state.account.units(index);
        if held == 0.0 {
            return;
        }
        let side = if held > 0.0 { Side::Sell } else { Side::Buy };
        let request = OrderRequest::market(InstrumentId(bar.instrument), side, Quantity(held.abs())).reduce_only();
        let id = OrderId(self.state.orders.len() as u32);
        let mut projection = self.projection();
        self.enter(&request, Entry::from(origin), time, &mut projection);
        let mut exposure = self.exposure();
        self.fill(&Candidate { moment, ..self.closing(id, bar, quote) }, &mut exposure);
    }

    fn closing(&self, id: OrderId, bar: BarRef, quote: f64) -> Candidate {
        let BarRef { instrument, row } = bar;
        let time = self.state.columns[instrument as usize].time[row as usize];
        Candidate { id, instrument, row, time, quote, moment: FillMoment::Close, is_maker: false }
    }
}
