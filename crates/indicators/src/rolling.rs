//! Sums over the last n values, without the drift of a running sum.

use std::num::NonZeroUsize;

use crate::growth::{first_room, next_room};

/// Sums that a window keeps of its values, as deviations from an anchor.
pub(crate) trait Sums: Copy {
    /// The sums of no values.
    const ZERO: Self;

    /// Returns the sums of one value.
    fn of(value: f64, anchor: f64) -> Self;

    /// Returns the sums of both sets of values.
    fn plus(self, other: Self) -> Self;
}

/// The sum of `value - anchor`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct First(pub(crate) f64);

impl Sums for First {
    const ZERO: Self = Self(0.0);

    #[inline]
    fn of(value: f64, anchor: f64) -> Self {
        Self(value - anchor)
    }

    #[inline]
    fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

/// A window that is full: its sums and what they are relative to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window<S> {
    /// One of the window's values.
    pub(crate) anchor: f64,
    /// The window's sums about the anchor.
    pub(crate) sums: S,
}

/// The sums of the last `n` values.
///
/// Values come in blocks of `n`. A window is the tail of the last whole block, whose sums from each value to the end are at
/// hand, and the head of the block being filled, whose sums grow by one value at a time. Nothing is ever subtracted, so a value
/// that has left the window leaves no rounding error behind, and there is no drift: an error is bounded by `n` additions however
/// many bars have passed. The anchor is the last value of the last whole block and so always within the window: a flat window
/// has sums of exactly zero. Amortised cost: two additions a value.
#[derive(Debug, Clone)]
pub(crate) struct Rolling<S> {
    bars: usize,
    /// The block being filled, then what is left of the block before it. It has room for `bars` once the first block is whole.
    values: Vec<f64>,
    /// Sums of the last whole block from each of its values to its end.
    tails: Vec<S>,
    head: S,
    anchor: f64,
    filled: usize,
    has_block: bool,
}

impl<S: Sums> Rolling<S> {
    /// Creates an empty window of `bars` values.
    pub(crate) fn new(bars: NonZeroUsize) -> Self {
        Self {
            bars: bars.get(),
            values: vec![0.0; first_room(bars.get())],
            tails: vec![S::ZERO; first_room(bars.get())],
            head: S::ZERO,
            anchor: 0.0,
            filled: 0,
            has_block: false,
        }
    }

    /// Returns the number of values in a full window.
    pub(crate) fn bars(&self) -> usize {
        self.bars
    }

    /// Takes the next value and returns the window that ends with it; `None` until it is full.
    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> Option<Window<S>> {
        self.values[self.filled] = value;
        self.filled += 1;
        if self.filled == self.values.len() {
            if self.filled < self.bars {
                self.grow();
                return None;
            }
            self.turn(value);
        } else if self.has_block {
            self.head = self.head.plus(S::of(value, self.anchor));
        } else {
            return None;
        }
        Some(Window { anchor: self.anchor, sums: self.tails[self.filled].plus(self.head) })
    }

    /// Makes room for more of the first block.
    #[cold]
    fn grow(&mut self) {
        let room = next_room(self.values.len(), self.bars);
        self.values.resize(room, 0.0);
        self.tails.resize(room, S::ZERO);
    }

    /// Makes the block just filled the last whole one, summed afresh about its last value.
    #[inline]
    fn turn(&mut self, anchor: f64) {
        let mut sums = S::ZERO;
        for (tail, &value) in self.tails.iter_mut().zip(&*self.values).rev() {
            sums = sums.plus(S::of(value, anchor));
            *tail = sums;
        }
        self.anchor = anchor;
        self.head = S::ZERO;
        self.filled = 0;
        self.has_block = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(bars: usize, values: &[f64]) -> Vec<Option<f64>> {
        let mut rolling = Rolling::<First>::new(NonZeroUsize::new(bars).expect("above zero"));
        let sum = |window: Window<First>| window.sums.0 + window.anchor * bars as f64;
        values.iter().map(|&value| rolling.push(value).map(sum)).collect()
    }

    #[test]
    fn a_window_holds_the_last_values_across_blocks() {
        // 1+2+3, 2+3+4, ... by hand.
        let expected = [None, None, Some(6.0), Some(9.0), Some(12.0), Some(15.0), Some(18.0), Some(21.0)];
        assert_eq!(sums(3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]), expected);
    }

    #[test]
    fn a_window_of_one_is_the_value() {
        assert_eq!(sums(1, &[5.0, 7.0]), [Some(5.0), Some(7.0)]);
    }

    #[test]
    fn a_window_of_any_size_takes_the_memory_of_its_values() {
        assert_eq!(sums(usize::MAX, &[1.0; 1_000]), [None; 1_000]);
        assert_eq!(sums(600, &[1.0; 601])[599..], [Some(600.0), Some(600.0)]);
    }

    #[test]
    fn a_value_that_left_the_window_leaves_nothing_behind() {
        // A running sum would keep 1e17 + 1 - 1e17 = 0 instead of 1.
        let values = [1e17, 1.0, 1.0, 1.0, 1.0];
        assert_eq!(sums(2, &values)[2..], [Some(2.0), Some(2.0), Some(2.0)]);
    }
}
