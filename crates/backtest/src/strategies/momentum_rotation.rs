//! The strongest of many.

use std::num::NonZeroUsize;

use tidegate_market::InstrumentId;

use crate::instrument_set::InstrumentSet;
use crate::rebalance_schedule::RebalanceClock;
use crate::strategies::needs_rebalance;
use crate::{BacktestError, Context, Rebalancing, Requests, Strategy};

/// Parameters of [`MomentumRotation`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MomentumRotationParams {
    /// Bars over which the return is measured.
    pub lookback_bars: NonZeroUsize,
    /// How many instruments to hold.
    pub top: NonZeroUsize,
    /// When to rank them, and how far their weights may drift.
    pub rebalancing: Rebalancing,
}

/// Holds the instruments with the highest return over the last bars, each with the weight `1 / top`.
///
/// An instrument takes part once it has `lookback_bars + 1` bars, and only at times at which its own bar closes. Ties go to the
/// instrument that comes first. While fewer than `top` take part, the rest stays in cash. The first rebalance is at the first
/// time at which any instrument takes part; one that is due when none does is put off until one does. Between rebalances nothing
/// is looked at.
#[derive(Debug, Clone)]
pub struct MomentumRotation {
    params: MomentumRotationParams,
    clock: RebalanceClock,
    /// The instruments that take part, with keys that are smaller for a higher return.
    ranking: Vec<(i64, u32)>,
    chosen: InstrumentSet,
}

impl MomentumRotation {
    /// Creates the strategy for a number of instruments.
    ///
    /// # Errors
    /// [`BacktestError::Range`] when there are fewer instruments than `top`, or for a tolerance below zero.
    pub fn new(params: MomentumRotationParams, instruments: usize) -> Result<Self, BacktestError> {
        let top = params.top.get();
        crate::error::require("top", "at most the number of instruments", top as f64, top <= instruments)?;
        params.rebalancing.validate()?;
        Ok(Self {
            params,
            clock: RebalanceClock::new(params.rebalancing.schedule),
            ranking: Vec::with_capacity(instruments),
            chosen: InstrumentSet::new(instruments),
        })
    }

    /// Measures the instruments that take part: the simple return over the last bars, from the history at hand, so that bars
    /// between rebalances cost nothing.
    fn rank(&mut self, context: &Context<'_>) {
        self.ranking.clear();
        for instrument in context.instruments().filter(|&instrument| context.is_updated(instrument)) {
            if let [earlier @ .., now] = context.closes(instrument)
                && let Some(row) = earlier.len().checked_sub(self.params.lookback_bars.get())
            {
                self.ranking.push((descending(now / earlier[row] - 1.0), instrument.0));
            }
        }
    }

    /// Marks the instruments to hold.
    fn choose(&mut self) {
        let top = self.params.top.get();
        if self.ranking.len() > top {
            self.ranking.select_nth_unstable(top - 1);
            self.ranking.truncate(top);
        }
        self.chosen.clear();
        for &(_, instrument) in &self.ranking {
            self.chosen.set(instrument as usize, true);
        }
    }
}

/// Returns an integer that is smaller for a greater number, in the order of [`f64::total_cmp`]: integers are compared faster.
fn descending(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    // Below zero the magnitude grows downwards: all bits but the sign are turned around.
    !(bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed())
}

impl Strategy for MomentumRotation {
    #[inline]
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        if !self.clock.is_due_at(context.now()) {
            return;
        }
        self.rank(context);
        if self.ranking.is_empty() {
            return;
        }
        self.clock.done();
        self.choose();
        let weight = 1.0 / self.params.top.get() as f64;
        for word in 0..self.chosen.words() {
            for index in self.chosen.union_in_word(context.held(), word) {
                let instrument = InstrumentId(index as u32);
                let target = if self.chosen.contains(index) { weight } else { 0.0 };
                if needs_rebalance(context, instrument, target, self.params.rebalancing.tolerance) {
                    requests.target_weight(instrument, target);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_opposite_order_of_the_numbers() {
        let numbers = [f64::NEG_INFINITY, -2.0, -1e-300, -0.0, 0.0, 1e-300, 0.5, 2.0, f64::INFINITY, f64::NAN];
        for pair in numbers.windows(2) {
            assert!(descending(pair[0]) > descending(pair[1]), "{pair:?}");
        }
    }
}
