//! The two ways in which trading ends before the data does.

use tidegate_market::{InstrumentId, Quantity, Side};

use super::{Candidate, Engine};
use crate::timeline::Timeline;
use crate::{CancelReason, FillMoment, FillTiming, Halt, HaltReason, OrderId, OrderOrigin, OrderRequest, OrderStatus};

impl<T: Timeline + Copy> Engine<'_, T> {
    /// Cancels what waits and sends market orders that close every position; the strategy is not asked again.
    #[cold]
    pub(super) fn stop_at_drawdown(&mut self, step: usize) {
        self.halt(HaltReason::DrawdownStop);
        let first_new = self.close_everything(OrderOrigin::DrawdownStop);
        if self.config.fill == FillTiming::SameClose {
            self.fill_at_last_close(first_new, |engine, index| engine.state.updated[index] == step as u32 + 1);
        }
    }

    /// Closes every position at the last close, whatever the fill timing: nobody trades on without equity.
    #[cold]
    pub(super) fn ruin(&mut self) {
        self.halt(HaltReason::Ruin);
        let first_new = self.close_everything(OrderOrigin::Ruin);
        self.fill_at_last_close(first_new, |_, _| true);
    }

    fn halt(&mut self, reason: HaltReason) {
        let time = self.label();
        self.cancel_all(CancelReason::Halted, time);
        self.journal.halt = Some(Halt { time, reason });
    }

    fn close_everything(&mut self, origin: OrderOrigin) -> usize {
        let time = self.label();
        let first_new = self.state.orders.len();
        let mut projection = self.projection();
        for index in 0..self.state.market.len() {
            let held = self.state.account.units(index);
            if held != 0.0 {
                let side = if held > 0.0 { Side::Sell } else { Side::Buy };
                let request = OrderRequest::market(InstrumentId(index as u32), side, Quantity(held.abs()));
                self.enter(&request, origin, None, time, &mut projection);
            }
        }
        first_new
    }

    fn fill_at_last_close(&mut self, first_new: usize, fills: impl Fn(&Self, usize) -> bool) {
        let mut exposure = self.exposure();
        for place in first_new..self.state.orders.len() {
            let order = &self.state.orders[place];
            let index = order.instrument.index();
            if order.status == OrderStatus::Working && fills(self, index) {
                let row = self.state.rows[index] - 1;
                let quote = self.state.columns[index].close[row as usize];
                let id = OrderId(place as u32);
                let candidate = Candidate { id, instrument: order.instrument.0, row, rank: 0, quote };
                self.fill(&candidate, FillMoment::Close, &mut exposure);
            }
        }
        self.record_again();
    }
}
