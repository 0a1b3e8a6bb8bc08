//! A batch of windows, as the caller holds it.

use crate::weights::StackShape;

/// Some windows, and what goes with them.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// Features, `[B, T, I]`, row-major.
    pub windows: &'a [f32],
    /// Number of windows, `B`.
    pub size: usize,
    /// Steps of a window, `T`, at least 1.
    pub steps: usize,
    /// States before the first step, `[L, B, H]`; zeros when absent.
    pub initial_states: Option<&'a [f32]>,
    /// Factors of each layer's outputs on the way to the next, `[L - 1, T, B, H]`; absent without dropout.
    pub masks: Option<&'a [f32]>,
}

impl<'a> Batch<'a> {
    /// Takes windows that start from zero and drop nothing.
    pub const fn new(windows: &'a [f32], size: usize, steps: usize) -> Self {
        Self { windows, size, steps, initial_states: None, masks: None }
    }

    pub(crate) fn check(&self, shape: StackShape) {
        assert!(self.steps > 0, "a window has at least one step");
        assert_eq!(self.windows.len(), self.size * self.steps * shape.inputs, "windows are `[B, T, I]`");
        let states = self.size * shape.hidden;
        if let Some(initial) = self.initial_states {
            assert_eq!(initial.len(), shape.layers * states, "initial states are `[L, B, H]`");
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

    /// Writes a sample's initial state of a layer into a padded row.
    pub(crate) fn copy_initial(&self, layer: usize, hidden: usize, sample: usize, row: &mut [f32]) {
        row.fill(0.0);
        if let Some(initial) = self.initial_states {
            row[..hidden].copy_from_slice(&initial[(layer * self.size + sample) * hidden..][..hidden]);
        }
    }
}
