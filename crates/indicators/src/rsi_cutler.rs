//! Relative strength index with simple means.

use std::num::NonZeroUsize;

use crate::Indicator;
use crate::rolling::{Rolling, Sums};
use crate::rsi::relative_strength;

/// Rises and falls of a window, as sizes.
#[derive(Debug, Clone, Copy)]
struct GainsAndLosses {
    gains: f64,
    losses: f64,
}

impl Sums for GainsAndLosses {
    const ZERO: Self = Self { gains: 0.0, losses: 0.0 };

    #[inline]
    fn of(change: f64, _anchor: f64) -> Self {
        Self { gains: change.max(0.0), losses: (-change).max(0.0) }
    }

    #[inline]
    fn plus(self, other: Self) -> Self {
        Self { gains: self.gains + other.gains, losses: self.losses + other.losses }
    }
}

/// Cutler's variant of the [`crate::Rsi`]: `100 * gain / (gain + loss)` with sums over the last `n` changes, so that a value
/// does not depend on where the data starts; 0 to 100.
///
/// Input: the close. Warm-up: `n` bars. Undefined where nothing moved for `n` bars.
#[derive(Debug, Clone)]
pub struct RsiCutler {
    previous: Option<f64>,
    window: Rolling<GainsAndLosses>,
}

impl RsiCutler {
    /// Creates an index over `bars` changes.
    pub fn new(bars: NonZeroUsize) -> Self {
        Self { previous: None, window: Rolling::new(bars) }
    }
}

impl Indicator for RsiCutler {
    type Input = f64;
    type Output = f64;

    #[inline]
    fn update(&mut self, close: f64) -> Option<f64> {
        let change = close - self.previous.replace(close)?;
        let GainsAndLosses { gains, losses } = self.window.push(change)?.sums;
        relative_strength(gains, losses)
    }

    fn lookback_bars(&self) -> usize {
        self.window.bars()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{bars, check, reference, talib};

    #[test]
    fn fourteen_bars_equal_the_textbook_definition() {
        check(RsiCutler::new(bars(14)), &talib().close, &reference("rsi_cutler_14"));
    }

    #[test]
    fn three_bars_by_hand() {
        // Changes +2, -1, +1, -4, 0, 0, 0: gains 3 of 4, 1 of 6, 1 of 5, 0 of 4, nothing.
        let mut rsi = RsiCutler::new(bars(3));
        let values = [10.0, 12.0, 11.0, 12.0, 8.0, 8.0, 8.0, 8.0].map(|close| rsi.update(close));
        assert_eq!(values, [None, None, None, Some(75.0), Some(100.0 / 6.0), Some(20.0), Some(0.0), None]);
    }
}
