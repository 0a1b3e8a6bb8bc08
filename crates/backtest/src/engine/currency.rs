//! Exchange rates: money of the instrument becomes money of the account at the last rate known.

use tidegate_market::Timestamp;

use super::Engine;
use crate::timeline::Timeline;

impl<T: Timeline + Copy> Engine<'_, T> {
    /// Takes the rates known at a moment, and values positions by them.
    pub(super) fn convert_at(&mut self, time: Timestamp) {
        let market = self.state.market;
        for (index, series) in market.extras().fx.iter().enumerate() {
            let Some(rate) = series.as_ref().and_then(|series| series.at(time)) else { continue };
            if rate == self.fx[index] {
                continue;
            }
            let before = std::mem::replace(&mut self.fx[index], rate);
            let mark = self.state.account.positions()[index].mark.0;
            self.state.account.mark(index, mark / before * rate);
        }
    }
}
