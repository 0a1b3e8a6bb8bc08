//! One step of one layer for some rows of a batch: both products and the gates, without a detour through memory.

use std::marker::PhantomData;

use pulp::{Arch, Simd, WithSimd};

use crate::element::Element;
use crate::kind::{Before, Kind};
use crate::lines::LINE;
use crate::panels::{Panels, SLOTS};
use crate::products::{Products, Sums};

/// Bytes of a panel that stay in the nearest cache from one tile of rows to the next, beside all else: three quarters of the
/// 32 KiB that processors have at least.
const PANEL_BYTES_MAX: usize = 24 << 10;

/// Rows of numbers, `stride` apart.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) stride: usize,
}

impl<'a> Rows<'a> {
    #[inline(always)]
    fn row(self, row: usize, len: usize) -> &'a [f32] {
        &self.values[row * self.stride..][..len]
    }
}

/// What a step reads beside its states.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    /// The layer's inputs, `[B, I]`.
    Values(Rows<'a>),
    /// The input's share of the sums of a single row, from [`Projection`].
    Sums(&'a [f32]),
}

/// The arguments of one step of one layer, but for its weights.
pub struct LayerStep<'a> {
    pub(crate) input: Input<'a>,
    /// The states before the step, `[B, width]`.
    pub(crate) states: &'a [f32],
    /// The states after it, `[B, width]`.
    pub(crate) next: &'a mut [f32],
    /// The cells, `[B, width]`, before the step and then after it; empty where the kind has none.
    pub(crate) cells: &'a mut [f32],
    /// Where the gradients will find what the gates leave for them, `[B, 4, width]`.
    pub(crate) kept: Option<&'a mut [f32]>,
    /// Whether a single row goes through the columns from the last to the first: what the step before has read last is still
    /// in the nearest cache.
    pub(crate) from_last: bool,
}

/// One step of one layer of a kind. `T` tiles of rows go together: first through their products with the inputs, then through
/// those with the states, so that the nearest cache has to hold only half of a panel at a time.
pub(crate) struct CellStep<'a, K: Kind, E: Element, const T: usize> {
    panels: &'a Panels<E>,
    step: LayerStep<'a>,
    kind: PhantomData<K>,
}

impl<'a> LayerStep<'a> {
    /// Adds the weights.
    #[inline(always)]
    pub(crate) fn with<K: Kind, E: Element, const T: usize>(self, panels: &'a Panels<E>) -> CellStep<'a, K, E, T> {
        CellStep { panels, step: self, kind: PhantomData }
    }

    /// Takes the step.
    pub(crate) fn dispatch<K: Kind, E: Element>(self, arch: Arch, panels: &Panels<E>) {
        if panels.panel_bytes() > PANEL_BYTES_MAX {
            arch.dispatch(self.with::<K, E, 4>(panels));
        } else {
            arch.dispatch(self.with::<K, E, 1>(panels));
        }
    }
}

impl<K: Kind, E: Element, const T: usize> WithSimd for CellStep<'_, K, E, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // As many rows at a time as the registers hold four sums of each; a single row takes several columns instead, since
        // a sum waits for its last product.
        match S::F32_LANES {
            LINE => self.run::<S, 4, 2>(simd),
            8 => self.run::<S, 3, 2>(simd),
            _ => self.run::<S, 3, 4>(simd),
        }
    }
}

impl<K: Kind, E: Element, const T: usize> CellStep<'_, K, E, T> {
    #[inline(always)]
    fn run<S: Simd, const R: usize, const V: usize>(mut self, simd: S) {
        let width = self.panels.width;
        let (rows, columns) = (self.step.states.len() / width, width / S::F32_LANES);
        let together = rows / R * R;
        if together > 0 {
            for column in 0..columns {
                for row in (0..together).step_by(R * T) {
                    self.tiles::<S, R>(simd, [row, column], T.min((together - row) / R));
                }
            }
        }
        for row in together..rows {
            self.single::<S, V>(simd, row, columns);
        }
    }

    /// Computes one vector of hidden values for some tiles of `R` rows each.
    #[inline(always)]
    fn tiles<S: Simd, const R: usize>(&mut self, simd: S, [row, column]: [usize; 2], tiles: usize) {
        let products = Products::<K, E, 1>::new::<S>(self.panels, column);
        if T == 1 {
            let sums = self.of_inputs(simd, &products, row);
            self.rest_of_tile::<S, R>(simd, &products, row, sums);
            return;
        }
        let mut sums = [[[[simd.splat_f32s(0.0); SLOTS]; 1]; R]; T];
        for (tile, sums) in sums.iter_mut().take(tiles).enumerate() {
            *sums = self.of_inputs(simd, &products, row + tile * R);
        }
        for (tile, sums) in sums.iter().take(tiles).enumerate() {
            self.rest_of_tile::<S, R>(simd, &products, row + tile * R, *sums);
        }
    }

    #[inline(always)]
    fn of_inputs<S: Simd, const R: usize>(
        &self,
        simd: S,
        products: &Products<'_, K, E, 1>,
        row: usize,
    ) -> [Sums<S, 1>; R] {
        let Input::Values(inputs) = self.step.input else { unreachable!("sums belong to a single row") };
        let mut rows = [&[][..]; R];
        for (i, values) in rows.iter_mut().enumerate() {
            *values = inputs.row(row + i, self.panels.inputs);
        }
        products.of_inputs(simd, rows)
    }

    /// Adds the products with the states, and goes through the gates.
    #[inline(always)]
    fn rest_of_tile<S: Simd, const R: usize>(
        &mut self,
        simd: S,
        products: &Products<'_, K, E, 1>,
        row: usize,
        sums: [Sums<S, 1>; R],
    ) {
        let mut rows = [&[][..]; R];
        for (i, states) in rows.iter_mut().enumerate() {
            *states = &self.step.states[(row + i) * self.panels.width..][..self.panels.hidden];
        }
        let sums = products.add_states(simd, rows, sums);
        let (mut of_rows, mut places) = ([sums[0][0]; R], [(0, 0); R]);
        for i in 0..R {
            (of_rows[i], places[i]) = (sums[i][0], (row + i, products.column));
        }
        self.finish(simd, places, of_rows);
    }

    /// Steps one row alone.
    #[inline(always)]
    fn single<S: Simd, const V: usize>(&mut self, simd: S, row: usize, columns: usize) {
        let tiles = columns / V;
        for tile in 0..tiles {
            let column = V * if self.step.from_last { tiles - 1 - tile } else { tile };
            self.tile::<S, V>(simd, row, column);
        }
        for column in tiles * V..columns {
            self.tile::<S, 1>(simd, row, column);
        }
    }

    /// Computes `V` vectors of hidden values for one row.
    #[inline(always)]
    fn tile<S: Simd, const V: usize>(&mut self, simd: S, row: usize, column: usize) {
        let (panels, width) = (self.panels, self.panels.width);
        let products = Products::<K, E, V>::new::<S>(panels, column);
        let sums = match self.step.input {
            Input::Values(rows) => products.of_inputs(simd, [rows.row(row, panels.inputs)]),
            Input::Sums(sums) => [products.stored(simd, sums)],
        };
        let states = &self.step.states[row * width..][..panels.hidden];
        let [sums] = products.add_states(simd, [states], sums);
        let mut places = [(row, column); V];
        for (v, place) in places.iter_mut().enumerate() {
            place.1 += v;
        }
        self.finish(simd, places, sums);
    }

    /// Takes the sums of some vectors of hidden values, by row and column, through the gates.
    #[inline(always)]
    fn finish<S: Simd, const N: usize>(&mut self, simd: S, places: [(usize, usize); N], sums: Sums<S, N>) {
        let width = self.panels.width;
        let zero = simd.splat_f32s(0.0);
        let mut before = [Before::<S> { state: zero, cell: zero }; N];
        for (before, (row, column)) in before.iter_mut().zip(places) {
            let own = row * width..(row + 1) * width;
            before.state = S::as_simd_f32s(&self.step.states[own.clone()]).0[column];
            if K::HAS_CELLS {
                before.cell = S::as_simd_f32s(&self.step.cells[own]).0[column];
            }
        }
        for (after, (row, column)) in K::step(simd, sums, before).into_iter().zip(places) {
            let own = row * width..(row + 1) * width;
            if K::HAS_CELLS {
                S::as_mut_simd_f32s(&mut self.step.cells[own.clone()]).0[column] = after.cell;
            }
            S::as_mut_simd_f32s(&mut self.step.next[own]).0[column] = after.state;
            if let Some(kept) = self.step.kept.as_deref_mut() {
                let columns = width / S::F32_LANES;
                let kept = S::as_mut_simd_f32s(&mut kept[4 * row * width..][..4 * width]).0;
                for (slot, value) in after.kept.into_iter().enumerate() {
                    kept[slot * columns + column] = value;
                }
            }
        }
    }
}

/// The input's share of the sums of many rows: what does not wait for the state before.
pub(crate) struct Projection<'a, K: Kind, E: Element> {
    pub(crate) panels: &'a Panels<E>,
    pub(crate) input: Rows<'a>,
    /// `[rows][panel][gate][LINE]`.
    pub(crate) sums: &'a mut [f32],
    pub(crate) kind: PhantomData<K>,
}

impl<K: Kind, E: Element> WithSimd for Projection<'_, K, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::F32_LANES == LINE { self.run::<S, 6>(simd) } else { self.run::<S, 4>(simd) }
    }
}

impl<K: Kind, E: Element> Projection<'_, K, E> {
    #[inline(always)]
    fn run<S: Simd, const R: usize>(mut self, simd: S) {
        let rows = self.sums.len() / (K::GATES * self.panels.width);
        for column in 0..self.panels.width / S::F32_LANES {
            let mut row = 0;
            while row + R <= rows {
                self.tile::<S, R>(simd, row, column);
                row += R;
            }
            while row < rows {
                self.tile::<S, 1>(simd, row, column);
                row += 1;
            }
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const R: usize>(&mut self, simd: S, row: usize, column: usize) {
        let rows: [&[f32]; R] = std::array::from_fn(|i| self.input.row(row + i, self.panels.inputs));
        let products = Products::<K, E, 1>::new::<S>(self.panels, column);
        let len = K::GATES * self.panels.width;
        let parts = LINE / S::F32_LANES;
        for (i, [sums]) in products.of_inputs(simd, rows).into_iter().enumerate() {
            let stored = S::as_mut_simd_f32s(&mut self.sums[(row + i) * len..][..len]).0;
            for (gate, sum) in sums.into_iter().take(K::GATES).enumerate() {
                stored[(column / parts * K::GATES + gate) * parts + column % parts] = sum;
            }
        }
    }
}
