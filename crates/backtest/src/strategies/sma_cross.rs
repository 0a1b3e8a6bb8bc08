//! Trend following by two moving averages.

use std::num::NonZeroUsize;

use tidegate_indicators::{Indicator, Sma};

use super::shared_averages::{AveragePair, SharedAverages};
use crate::{BacktestError, Context, Requests, Strategy};

/// Parameters of [`SmaCross`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SmaCrossParams {
    /// Bars of the fast average; fewer than `slow_bars`.
    pub fast_bars: NonZeroUsize,
    /// Bars of the slow average.
    pub slow_bars: NonZeroUsize,
    /// The weight while the fast average is above, divided by the number of instruments.
    pub weight: f64,
    /// Whether the weight below is the negative one instead of zero.
    pub allow_short: bool,
}

impl SmaCrossParams {
    fn validate(&self) -> Result<(), BacktestError> {
        let fast = self.fast_bars.get() as f64;
        crate::error::require("fast_bars", "below slow_bars", fast, self.fast_bars < self.slow_bars)?;
        crate::error::require("weight", "finite", self.weight, self.weight.is_finite())
    }

    /// Returns the weight of all instruments together after a cross.
    fn weight_after_cross(&self, above: bool) -> f64 {
        match (above, self.allow_short) {
            (true, _) => self.weight,
            (false, true) => -self.weight,
            (false, false) => 0.0,
        }
    }
}

/// Goes long when the fast average of the closes crosses above the slow one, and flat or short when it crosses below.
///
/// A cross above at bar `t` is `fast[t-1] <= slow[t-1]` and `fast[t] > slow[t]`; below is the mirror image. There is no position before
/// the first cross, and no order between crosses.
#[derive(Debug, Clone)]
pub struct SmaCross {
    params: SmaCrossParams,
    pairs: Vec<Pair>,
}

#[derive(Debug, Clone)]
struct Pair {
    fast: Sma,
    slow: Sma,
    /// Fast less slow average one bar ago; NaN in warm-up, which compares false with everything.
    spread: f64,
}

impl SmaCross {
    /// Creates the strategy for a number of instruments.
    ///
    /// # Errors
    /// [`BacktestError::Range`] when `fast_bars` is not below `slow_bars` or the weight is not finite.
    pub fn new(params: SmaCrossParams, instruments: usize) -> Result<Self, BacktestError> {
        params.validate()?;
        let pair = Pair { fast: Sma::new(params.fast_bars), slow: Sma::new(params.slow_bars), spread: f64::NAN };
        Ok(Self { params, pairs: vec![pair; instruments] })
    }
}

impl Strategy for SmaCross {
    #[expect(clippy::inline_always, reason = "the loop over bars, for which a call is dear")]
    #[inline(always)]
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        for (instrument, pair) in context.instruments().zip(&mut self.pairs) {
            if !context.is_updated(instrument) {
                continue;
            }
            let Some(close) = context.close(instrument) else { continue };
            let (fast, slow) = (pair.fast.update(close), pair.slow.update(close));
            let (Some(fast), Some(slow)) = (fast, slow) else { continue };
            let before = std::mem::replace(&mut pair.spread, fast - slow);
            let crossed_above = before <= 0.0 && pair.spread > 0.0;
            let crossed_below = before >= 0.0 && pair.spread < 0.0;
            if crossed_above || crossed_below {
                let weight = self.params.weight_after_cross(crossed_above);
                requests.target_weight(instrument, weight / context.instrument_count() as f64);
            }
        }
    }
}

/// [`SmaCross`] over averages that the trials of one market share: the same requests at the same bars, to the bit.
///
/// It reads the two columns at the row that has just closed and the one before, and names the next row at which they cross, so that
/// the engine need not ask it in between.
#[derive(Debug, Clone, Copy)]
pub struct SharedSmaCross<'a> {
    params: SmaCrossParams,
    averages: &'a SharedAverages,
    pair: AveragePair<'a>,
}

impl<'a> SharedSmaCross<'a> {
    /// Creates the strategy for the market that the averages are of; `None` where they have no room for one of the two lengths or no
    /// instrument has as many bars, and [`SmaCross`] does the same.
    ///
    /// # Errors
    /// As [`SmaCross::new`].
    pub fn new(params: SmaCrossParams, averages: &'a SharedAverages) -> Result<Option<Self>, BacktestError> {
        params.validate()?;
        let columns = averages.column(params.fast_bars).zip(averages.column(params.slow_bars));
        Ok(columns.map(|(fast, slow)| Self { params, averages, pair: AveragePair { fast, slow } }))
    }
}

impl Strategy for SharedSmaCross<'_> {
    /// # Panics
    /// When the averages are not those of the market that it runs on.
    #[inline]
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        for instrument in context.instruments().filter(|&instrument| context.is_updated(instrument)) {
            let closes = context.closes(instrument);
            assert!(self.averages.is_of(instrument.index(), closes), "the averages are those of another market");
            let row = self.averages.place(instrument.index(), closes.len() - 1);
            // The first row of an instrument has none before it.
            let crossed_above = closes.len() > 1 && self.pair.crosses_above(row);
            let crossed_below = closes.len() > 1 && self.pair.crosses_below(row);
            if crossed_above || crossed_below {
                let weight = self.params.weight_after_cross(crossed_above);
                requests.target_weight(instrument, weight / context.instrument_count() as f64);
            }
        }
    }

    #[inline]
    fn next_decision(&self, context: &Context<'_>) -> usize {
        // The rows of one instrument are the steps.
        if context.instrument_count() == 1 { self.pair.next_cross(context.step() + 1) } else { context.step() + 1 }
    }
}
