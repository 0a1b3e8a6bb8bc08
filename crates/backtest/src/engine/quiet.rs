//! Quiet stretches: bars at which nothing can happen but that prices move, walked down the columns instead of event by event.

use super::Engine;
use crate::lots::Extremes;
use crate::state::Feed;
use crate::timeline::Timeline;
use crate::{Context, Strategy};

impl<T: Timeline + Copy> Engine<'_, T> {
    /// Returns whether the market and the config leave anything to look after between two decisions besides orders.
    ///
    /// One instrument in the account's currency without financing, funding or corporate actions, no forecasts, no stop and no margin
    /// on the account, no sum of a day, no end of a session: between two decisions without a working order only the mark moves.
    pub(super) fn has_quiet_stretches(&self) -> bool {
        let needs = &self.needs;
        let any_need = needs.nights || needs.rates || needs.days || needs.stops || needs.session_ends;
        self.timeline.is_one_instrument() && self.source.is_none() && !any_need
    }

    /// Walks on to the next step at which something can happen, and returns it; to the ruin where that comes first.
    #[inline]
    pub(super) fn pass_quietly<S: Strategy>(&mut self, step: usize, strategy: &S) -> usize {
        if !self.state.book.is_empty() || self.journal.halt.is_some() {
            return step;
        }
        let decision = strategy.next_decision(&Context { state: &self.state }).min(self.timeline.steps());
        if decision > step { self.mark_rows(step, decision) } else { step }
    }

    /// Marks the rows up to `end` and records the account after each, with the bits of [`Engine::mark`].
    fn mark_rows(&mut self, first: usize, end: usize) -> usize {
        let columns = self.state.columns[0];
        let position = self.state.account.positions()[0];
        // The product of `Position::value`, which is taken from the left.
        let units = position.quantity.0 * position.multiplier;
        let cash = self.state.account.cash();
        let closes = &columns.close[first..end];
        let Extremes { high, low } = self.journal.equity.extend(cash, units, closes);
        let (high, end) = if low <= 0.0 { self.journal.equity.cut_after_ruin(first) } else { (high, end) };
        let last = end - 1;
        self.state.account.mark(0, columns.close[last]);
        self.state.step = last as u32;
        self.state.label = self.state.market.labels()[last];
        self.state.feeds[0] = Feed { rows: end as u32, updated: end as u32, close: columns.signal_close[last] };
        let exposure = self.state.account.exposure();
        self.state.equity = cash + exposure.net;
        self.state.gross_exposure = exposure.gross;
        self.equity_peak = if high > self.equity_peak { high } else { self.equity_peak };
        end
    }
}
