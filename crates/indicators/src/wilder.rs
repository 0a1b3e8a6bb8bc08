//! Wilder's smoothing: an exponential mean that moves by one n-th.

use std::num::NonZeroUsize;

/// `v_t = v_{t-1} + (x_t - v_{t-1}) / n`, seeded with the mean of the first `n` values.
///
/// Source: J. Welles Wilder, *New Concepts in Technical Trading Systems* (1978).
#[derive(Debug, Clone)]
pub(crate) struct Wilder {
    bars: usize,
    inverse_bars: f64,
    seen: usize,
    value: f64,
}

impl Wilder {
    /// Creates a smoothing over `bars` values.
    pub(crate) fn new(bars: NonZeroUsize) -> Self {
        Self { bars: bars.get(), inverse_bars: 1.0 / bars.get() as f64, seen: 0, value: 0.0 }
    }

    /// Returns the number of values of the seed.
    pub(crate) const fn bars(&self) -> usize {
        self.bars
    }

    /// Takes the next value; `None` until the seed is complete.
    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> Option<f64> {
        if self.seen >= self.bars {
            self.value += (value - self.value) * self.inverse_bars;
            return Some(self.value);
        }
        self.seen += 1;
        self.value += value;
        if self.seen < self.bars {
            return None;
        }
        self.value *= self.inverse_bars;
        Some(self.value)
    }
}
