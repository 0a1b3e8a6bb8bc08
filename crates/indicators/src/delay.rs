//! The value n bars ago.

use std::num::NonZeroUsize;

use crate::growth::{first_room, next_room};

/// Hands back what went in `n` values ago.
#[derive(Debug, Clone)]
pub(crate) struct Delay {
    bars: usize,
    /// A ring of the last values. It has room for `bars` at the end of the first round.
    values: Vec<f64>,
    next: usize,
    is_full: bool,
}

impl Delay {
    /// Creates an empty delay of `bars` values.
    pub(crate) fn new(bars: NonZeroUsize) -> Self {
        Self { bars: bars.get(), values: vec![0.0; first_room(bars.get())], next: 0, is_full: false }
    }

    /// Returns the number of values between in and out.
    pub(crate) fn bars(&self) -> usize {
        self.bars
    }

    /// Takes the next value and returns the one `bars` before it; `None` while there is none.
    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> Option<f64> {
        let was_full = self.is_full;
        let then = std::mem::replace(&mut self.values[self.next], value);
        self.next += 1;
        if self.next == self.values.len() {
            self.turn();
        }
        was_full.then_some(then)
    }

    /// Starts the next round, or makes room for more of the first.
    #[inline]
    fn turn(&mut self) {
        if self.next < self.bars {
            self.values.resize(next_room(self.next, self.bars), 0.0);
        } else {
            self.next = 0;
            self.is_full = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bars: usize, values: usize, expected_last: Option<f64>) {
        let mut delay = Delay::new(NonZeroUsize::new(bars).expect("above zero"));
        let last = (0..values).map(|value| delay.push(value as f64)).last();
        assert_eq!(last, Some(expected_last));
    }

    #[test]
    fn a_value_comes_back_after_its_bars() {
        check(1, 2, Some(0.0));
        check(3, 3, None);
        check(3, 4, Some(0.0));
        check(3, 9, Some(5.0));
        check(600, 1_300, Some(699.0));
    }

    #[test]
    fn a_delay_longer_than_any_data_takes_the_memory_of_its_values() {
        check(usize::MAX, 1_000, None);
    }
}
