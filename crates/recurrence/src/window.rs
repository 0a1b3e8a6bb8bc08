//! One window alone: a layer reads the sequence of the layer below at once, so that only the product with the state waits.

use std::marker::PhantomData;

use pulp::{Simd, WithSimd};

use crate::batch::Direction;
use crate::cell::{Input, LayerStep, Projection, Rows};
use crate::element::Element;
use crate::kind::Kind;
use crate::panels::Panels;

/// Steps whose inputs are projected together, few enough for their sums to stay in the cache.
pub(crate) const BLOCK: usize = 64;

/// The arguments of one layer's way through a window, but for its weights.
pub struct WindowRun<'a> {
    /// `[T, I]`.
    pub(crate) input: Rows<'a>,
    /// Which way the rows of the input are taken.
    pub(crate) direction: Direction,
    /// Memory for the sums of a block, `[BLOCK, G * width]`.
    pub(crate) sums: &'a mut [f32],
    /// The states in the order in which they come, `[T + 1, width]`, of which the first is there.
    pub(crate) states: &'a mut [f32],
    /// `[width]`; empty without cells.
    pub(crate) cells: &'a mut [f32],
}

/// Takes one layer of a kind through a window.
pub(crate) struct WindowLayer<'a, K: Kind, E: Element> {
    pub(crate) panels: &'a Panels<E>,
    pub(crate) run: WindowRun<'a>,
    pub(crate) kind: PhantomData<K>,
}

impl<K: Kind, E: Element> WithSimd for WindowLayer<'_, K, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (panels, width) = (self.panels, self.panels.width);
        let WindowRun { input, direction, sums, states, cells } = self.run;
        let steps = states.len() / width - 1;
        let row_len = K::GATES * width;
        for first in (0..steps).step_by(BLOCK) {
            let count = BLOCK.min(steps - first);
            let first_row = match direction {
                Direction::Forward => first,
                Direction::Backward => steps - first - count,
            };
            let input = Rows { values: &input.values[first_row * input.stride..], stride: input.stride };
            let projection = Projection { panels, input, sums: &mut sums[..count * row_len], kind: PhantomData::<K> };
            projection.with_simd(simd);
            for place in 0..count {
                let (before, after) = states.split_at_mut((first + place + 1) * width);
                let row = match direction {
                    Direction::Forward => place,
                    Direction::Backward => count - 1 - place,
                };
                let step = LayerStep {
                    input: Input::Sums(&sums[row * row_len..][..row_len]),
                    states: &before[before.len() - width..],
                    next: &mut after[..width],
                    cells: &mut *cells,
                    kept: None,
                    from_last: !place.is_multiple_of(2),
                };
                step.with::<K, E, 1>(panels).with_simd(simd);
            }
        }
    }
}
