//! Trend following by two moving averages.

use std::num::NonZeroUsize;

use tidegate_indicators::{Indicator, Sma};

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
        let fast = params.fast_bars.get() as f64;
        crate::error::require("fast_bars", "below slow_bars", fast, params.fast_bars < params.slow_bars)?;
        crate::error::require("weight", "finite", params.weight, params.weight.is_finite())?;
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
