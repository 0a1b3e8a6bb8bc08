//! Which windows take a step, and which step of theirs it is.

use crate::batch::{Batch, Direction};

/// The order in which a training's windows run: all take their first step together, and those that take more come first, so
/// that the rows of any step are the first ones.
#[derive(Debug)]
pub(crate) struct Schedule {
    pub(crate) steps: usize,
    direction: Direction,
    /// The window of each row.
    pub(crate) samples: Vec<usize>,
    /// The steps that each row takes, falling.
    pub(crate) counts: Vec<usize>,
}

impl Default for Schedule {
    fn default() -> Self {
        Self { steps: 0, direction: Direction::Forward, samples: Vec::new(), counts: Vec::new() }
    }
}

impl Schedule {
    pub(crate) fn set(&mut self, batch: &Batch<'_>) {
        (self.steps, self.direction) = (batch.steps, batch.direction);
        batch.order_by_start(&mut self.samples);
        self.counts.clear();
        self.counts.extend(self.samples.iter().map(|&sample| batch.count(sample)));
    }

    /// Returns how many rows take the step after `place` others.
    pub(crate) fn rows(&self, place: usize) -> usize {
        self.counts.partition_point(|&count| count > place)
    }

    /// Returns the place in `[B, T]` of a row's step.
    pub(crate) fn index(&self, row: usize, place: usize) -> usize {
        let step = match self.direction {
            Direction::Forward => self.steps - self.counts[row] + place,
            Direction::Backward => self.steps - 1 - place,
        };
        self.samples[row] * self.steps + step
    }

    /// Returns the place in `[T, B]` of a row's step.
    pub(crate) fn time_major_index(&self, row: usize, place: usize) -> usize {
        let index = self.index(row, place);
        index % self.steps * self.samples.len() + index / self.steps
    }

    /// Fills rows `[T, B, width]` with what belongs to each row's steps, `source(schedule, row, place)`; the rest of a row, and
    /// what belongs to steps that are not taken, becomes zero.
    pub(crate) fn gather<'a>(&self, rows: &mut [f32], width: usize, source: impl Fn(&Self, usize, usize) -> &'a [f32]) {
        for (place, rows) in rows.chunks_exact_mut(self.samples.len() * width).enumerate() {
            let taken = self.rows(place);
            for (row, values) in rows.chunks_exact_mut(width).enumerate() {
                let source = if row < taken { source(self, row, place) } else { &[] };
                let len = source.len().min(width);
                values[..len].copy_from_slice(&source[..len]);
                values[len..].fill(0.0);
            }
        }
    }
}
