//! The strongest of many.

use std::num::NonZeroUsize;

use tidegate_indicators::{Indicator, SimpleReturn};

use crate::{BacktestError, Context, Requests, Strategy};

/// Parameters of [`MomentumRotation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MomentumRotationParams {
    /// Bars over which the return is measured.
    pub lookback_bars: NonZeroUsize,
    /// How many instruments to hold.
    pub top: NonZeroUsize,
    /// Decisions between two rebalances; one rebalances at every close.
    pub rebalance_bars: NonZeroUsize,
}

/// Holds the instruments with the highest return over the last bars, each with the weight `1 / top`.
///
/// An instrument takes part once it has `lookback_bars + 1` bars, and only at times at which its own bar closes. Ties go to the
/// instrument that comes first. While fewer than `top` take part, the rest stays in cash. The first rebalance is at the first
/// time at which any instrument takes part.
#[derive(Debug, Clone)]
pub struct MomentumRotation {
    params: MomentumRotationParams,
    returns: Vec<SimpleReturn>,
    ranking: Vec<(f64, u32)>,
    chosen: Vec<bool>,
    bars_to_wait: usize,
}

impl MomentumRotation {
    /// Creates the strategy for a number of instruments.
    ///
    /// # Errors
    /// [`BacktestError::Range`] when there are fewer instruments than `top`.
    pub fn new(params: MomentumRotationParams, instruments: usize) -> Result<Self, BacktestError> {
        let top = params.top.get();
        crate::error::require("top", "at most the number of instruments", top as f64, top <= instruments)?;
        Ok(Self {
            params,
            returns: vec![SimpleReturn::new(params.lookback_bars); instruments],
            ranking: Vec::with_capacity(instruments),
            chosen: vec![false; instruments],
            bars_to_wait: 0,
        })
    }

    /// Marks the instruments to hold.
    fn choose(&mut self) {
        let top = self.params.top.get();
        if self.ranking.len() > top {
            let better_first = |a: &(f64, u32), b: &(f64, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
            self.ranking.select_nth_unstable_by(top - 1, better_first);
            self.ranking.truncate(top);
        }
        self.chosen.fill(false);
        for &(_, instrument) in &self.ranking {
            self.chosen[instrument as usize] = true;
        }
    }
}

impl Strategy for MomentumRotation {
    #[inline]
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        self.ranking.clear();
        for (instrument, kernel) in context.instruments().zip(&mut self.returns) {
            if !context.is_updated(instrument) {
                continue;
            }
            let Some(close) = context.close(instrument) else { continue };
            if let Some(momentum) = kernel.update(close) {
                self.ranking.push((momentum, instrument.0));
            }
        }
        if self.bars_to_wait > 0 {
            self.bars_to_wait -= 1;
            return;
        }
        if self.ranking.is_empty() {
            return;
        }
        self.bars_to_wait = self.params.rebalance_bars.get() - 1;
        self.choose();
        let weight = 1.0 / self.params.top.get() as f64;
        for (instrument, &chosen) in context.instruments().zip(&self.chosen) {
            if chosen {
                requests.target_weight(instrument, weight);
            } else if context.position(instrument).quantity.0 != 0.0 {
                requests.target_weight(instrument, 0.0);
            }
        }
    }
}
