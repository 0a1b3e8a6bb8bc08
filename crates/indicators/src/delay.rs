//! The value n bars ago.

use std::num::NonZeroUsize;

/// Hands back what went in `n` values ago.
#[derive(Debug, Clone)]
pub(crate) struct Delay {
    values: Box<[f64]>,
    next: usize,
    is_full: bool,
}

impl Delay {
    /// Creates an empty delay of `bars` values.
    pub(crate) fn new(bars: NonZeroUsize) -> Self {
        Self { values: vec![0.0; bars.get()].into_boxed_slice(), next: 0, is_full: false }
    }

    /// Returns the number of values between in and out.
    pub(crate) fn bars(&self) -> usize {
        self.values.len()
    }

    /// Takes the next value and returns the one `bars` before it; `None` while there is none.
    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> Option<f64> {
        let was_full = self.is_full;
        let then = std::mem::replace(&mut self.values[self.next], value);
        self.next += 1;
        if self.next == self.values.len() {
            self.next = 0;
            self.is_full = true;
        }
        was_full.then_some(then)
    }
}
