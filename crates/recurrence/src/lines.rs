//! Numbers in memory that starts at a cache line, so that no vector of a whole row crosses one.

use std::ops::{Deref, DerefMut};

/// Numbers in one cache line, and in the widest vector: rows are padded to a multiple of it.
pub(crate) const LINE: usize = 16;

/// A slice that starts at a cache line. Its memory is kept when it shrinks.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    memory: Vec<f32>,
    start: usize,
    len: usize,
}

impl Lines {
    /// Returns zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        let mut lines = Self::default();
        lines.resize(len);
        lines
    }

    /// Changes the length; what the numbers are afterwards is not said.
    pub(crate) fn resize(&mut self, len: usize) {
        if self.start + len > self.memory.len() {
            self.memory = vec![0.0; len + LINE - 1];
            let line_bytes = LINE * size_of::<f32>();
            self.start = self.memory.as_ptr().align_offset(line_bytes).min(LINE - 1);
        }
        self.len = len;
    }
}

impl Deref for Lines {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.memory[self.start..self.start + self.len]
    }
}

impl DerefMut for Lines {
    fn deref_mut(&mut self) -> &mut [f32] {
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
        let mut lines = Lines::default();
        for len in [1, 100, 17, 5_000] {
            lines.resize(len);
            assert_eq!((lines.len(), lines.as_ptr() as usize % 64), (len, 0));
        }
    }
}
