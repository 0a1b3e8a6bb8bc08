//! Numbers in memory that starts at a cache line, so that no vector of a whole row crosses one.

use std::ops::{Deref, DerefMut};

/// Numbers in one cache line, and in the widest vector: rows are padded to a multiple of it.
pub(crate) const LINE: usize = 16;

/// A slice of numbers of four bytes that starts at a cache line. Its memory is kept when it shrinks.
#[derive(Debug, Default)]
pub(crate) struct Lines<N = f32> {
    memory: Vec<N>,
    start: usize,
    len: usize,
}

impl<N: Copy + Default> Lines<N> {
    /// Returns zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        let mut lines = Self::default();
        lines.resize(len);
        lines
    }

    /// Changes the length; what the numbers are afterwards is not said.
    pub(crate) fn resize(&mut self, len: usize) {
        if self.start + len > self.memory.len() {
            self.memory = vec![N::default(); len + LINE - 1];
            let line_bytes = LINE * size_of::<N>();
            self.start = self.memory.as_ptr().align_offset(line_bytes).min(LINE - 1);
        }
        self.len = len;
    }
}

impl<N: Copy + Default> Clone for Lines<N> {
    fn clone(&self) -> Self {
        let mut lines = Self::zeros(self.len);
        lines.copy_from_slice(self);
        lines
    }
}

impl<N> Deref for Lines<N> {
    type Target = [N];

    fn deref(&self) -> &[N] {
        &self.memory[self.start..self.start + self.len]
    }
}

impl<N> DerefMut for Lines<N> {
    fn deref_mut(&mut self) -> &mut [N] {
        &mut self.memory[self.start..self.start + self.len]
    }
}

/// Returns the length of a row of `len` numbers with its padding.
pub(crate) const fn padded(len: usize) -> usize {
    len.next_multiple_of(LINE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_starts_at_a_cache_line() {
        let mut lines = Lines::<f32>::default();
        for len in [1, 100, 17, 5_000] {
            lines.resize(len);
            assert_eq!((lines.len(), lines.as_ptr() as usize % 64), (len, 0));
        }
    }
}
