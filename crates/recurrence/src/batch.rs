//! A batch of windows, as the caller holds it.

use crate::weights::StackShape;

/// Which way the steps of a window are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the first step to the last.
    Forward,
    /// From the last step to the first; what belongs to a step keeps its place.
    Backward,
}

/// Some windows, and what goes with them.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// Features, `[B, T, I]`, row-major.
    pub windows: &'a [f32],
    /// Number of windows, `B`.
    pub size: usize,
    /// Steps of a window, `T`, at least 1.
    pub steps: usize,
    /// States before the first step that is taken, `[L, B, H]`; zeros when absent.
    pub initial_states: Option<&'a [f32]>,
    /// Cells before the first step that is taken, `[L, B, H]`, of LSTM layers only; zeros when absent.
    pub initial_cells: Option<&'a [f32]>,
    /// The first step of each window, `[B]`, less than `T`: the steps before it are padding, which nothing reads. All steps
    /// count when absent.
    pub starts: Option<&'a [usize]>,
    /// Which way the steps are taken.
    pub direction: Direction,
    /// Factors of each layer's outputs on the way to the next, `[L - 1, T, B, H]`; absent without dropout.
    pub masks: Option<&'a [f32]>,
}

impl<'a> Batch<'a> {
    /// Takes whole windows forward that start from zero and drop nothing.
    pub const fn new(windows: &'a [f32], size: usize, steps: usize) -> Self {
        Self {
            windows,
            size,
            steps,
            initial_states: None,
            initial_cells: None,
            starts: None,
            direction: Direction::Forward,
            masks: None,
        }
    }

    /// Returns the first step of a window.
    pub(crate) fn start(&self, sample: usize) -> usize {
        self.starts.map_or(0, |starts| starts[sample])
    }

    /// Returns how many steps a window takes.
    pub(crate) fn count(&self, sample: usize) -> usize {
        self.steps - self.start(sample)
    }

    /// Returns the step that a window takes when it has taken `place`.
    pub(crate) fn step(&self, sample: usize, place: usize) -> usize {
        match self.direction {
            Direction::Forward => self.start(sample) + place,
            Direction::Backward => self.steps - 1 - place,
        }
    }

    /// Writes the windows in the order of their starts, those of the most steps first: all take their first step together, and
    /// those that take another are the first of them.
    pub(crate) fn order_by_start(&self, order: &mut Vec<usize>) {
        order.clear();
        order.extend(0..self.size);
        if self.starts.is_some() {
            order.sort_unstable_by_key(|&sample| (self.start(sample), sample));
        }
    }

    pub(crate) fn check(&self, shape: StackShape) {
        assert!(self.steps > 0, "a window has at least one step");
        assert_eq!(self.windows.len(), self.size * self.steps * shape.inputs, "windows are `[B, T, I]`");
        let states = self.size * shape.hidden;
        for initial in self.initial_states.into_iter().chain(self.initial_cells) {
            assert_eq!(initial.len(), shape.layers * states, "initial states and cells are `[L, B, H]`");
        }
        if let Some(starts) = self.starts {
            assert_eq!(starts.len(), self.size, "starts are `[B]`");
            assert!(starts.iter().all(|start| *start < self.steps), "a window has at least one step that counts");
        }
        if let Some(masks) = self.masks {
            assert_eq!(masks.len(), (shape.layers - 1) * self.steps * states, "masks are `[L - 1, T, B, H]`");
        }
    }

    /// Returns the factors of what a layer above the lowest reads, `[T, B, H]`.
    pub(crate) fn mask(&self, layer: usize, hidden: usize) -> Option<&'a [f32]> {
        let len = self.steps * self.size * hidden;
        self.masks.map(|masks| &masks[(layer - 1) * len..][..len])
    }
}

/// Writes a sample's initial values of a layer, of `[L, B, H]`, into a padded row.
pub(crate) fn copy_initial(initial: Option<&[f32]>, [layer, size, sample]: [usize; 3], hidden: usize, row: &mut [f32]) {
    row.fill(0.0);
    if let Some(initial) = initial {
        row[..hidden].copy_from_slice(&initial[(layer * size + sample) * hidden..][..hidden]);
    }
}
