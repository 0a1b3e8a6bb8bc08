//! Mean and squared deviations of the last n values: what volatility, bands and z-scores are made of.

use std::num::NonZeroUsize;

use crate::rolling::{Rolling, Sums};

/// The sums of `value - anchor` and of its square.
#[derive(Debug, Clone, Copy)]
struct FirstAndSecond {
    first: f64,
    second: f64,
}

impl Sums for FirstAndSecond {
    const ZERO: Self = Self { first: 0.0, second: 0.0 };

    #[inline]
    fn of(value: f64, anchor: f64) -> Self {
        let first = value - anchor;
        Self { first, second: first * first }
    }

    #[inline]
    fn plus(self, other: Self) -> Self {
        Self { first: self.first + other.first, second: self.second + other.second }
    }
}

/// The mean of a window and the sum of its squared deviations from that mean.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moments {
    pub(crate) mean: f64,
    pub(crate) squared_deviations: f64,
}

/// The moments of the last `n` values.
///
/// With deviations `d` from an anchor within the window, `sum((x - mean)^2) = sum(d^2) - sum(d)^2 / n`. The anchor is at most
/// `sqrt(n - 1)` population deviations from the mean (Samuelson's inequality), so the subtraction loses at most a factor `n` of
/// precision, whatever the level of the values; a flat window has exactly zero.
#[derive(Debug, Clone)]
pub(crate) struct RollingMoments {
    window: Rolling<FirstAndSecond>,
    inverse_bars: f64,
}

impl RollingMoments {
    /// Creates an empty window of `bars` values.
    pub(crate) fn new(bars: NonZeroUsize) -> Self {
        Self { window: Rolling::new(bars), inverse_bars: 1.0 / bars.get() as f64 }
    }

    /// Returns the number of values in a full window.
    pub(crate) fn bars(&self) -> usize {
        self.window.bars()
    }

    /// Takes the next value and returns the moments of the window that ends with it; `None` until it is full.
    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> Option<Moments> {
        let window = self.window.push(value)?;
        let FirstAndSecond { first, second } = window.sums;
        let offset = first * self.inverse_bars;
        Some(Moments { mean: window.anchor + offset, squared_deviations: (second - first * offset).max(0.0) })
    }
}
