//! One step of one layer for all rows of a batch: both products and the gates, without a detour through memory.

use pulp::{Simd, WithSimd};

use crate::gates::{sigmoid, tanh};
use crate::lines::LINE;
use crate::weights::PackedLayer;

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

/// The arguments of one step.
pub(crate) struct CellStep<'a> {
    pub(crate) layer: &'a PackedLayer,
    /// What the layer reads, `[B, I]`.
    pub(crate) input: Rows<'a>,
    /// The states before the step, `[B, width]`.
    pub(crate) states: &'a [f32],
    /// The states after it, `[B, width]`.
    pub(crate) next: &'a mut [f32],
    /// Where the gradients will find `r`, `z`, `n` and `W_hn h + b_hn`, `[B, 4, width]`.
    pub(crate) kept: Option<&'a mut [f32]>,
}

impl WithSimd for CellStep<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // As many rows at a time as the registers hold four sums of each.
        if S::F32_LANES == LINE { self.run::<S, 4>(simd) } else { self.run::<S, 3>(simd) }
    }
}

impl CellStep<'_> {
    #[inline(always)]
    fn run<S: Simd, const R: usize>(mut self, simd: S) {
        let width = self.layer.width;
        let rows = self.states.len() / width;
        for column in (0..width).step_by(S::F32_LANES) {
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

    /// Computes one vector of hidden values for each of `R` rows. Each sum runs over `k` in order, whatever the tile.
    #[inline(always)]
    fn tile<S: Simd, const R: usize>(&mut self, simd: S, row: usize, column: usize) {
        let layer = self.layer;
        let (parts, part, panel) = (LINE / S::F32_LANES, column % LINE / S::F32_LANES, column / LINE);
        let panel_len = 3 * (layer.inputs + layer.hidden) * LINE;
        let weights = S::as_simd_f32s(&layer.forward[panel * panel_len..][..panel_len]).0;
        let (of_input, of_state) = weights.split_at(3 * layer.inputs * parts);
        let biases = S::as_simd_f32s(&layer.biases[4 * panel * LINE..][..4 * LINE]).0;
        let biases = [biases[part], biases[parts + part], biases[2 * parts + part], biases[3 * parts + part]];
        let mut sums = [biases; R];
        let inputs: [&[f32]; R] = std::array::from_fn(|i| self.input.row(row + i, layer.inputs));
        for (k, weights) in (0..layer.inputs).zip(of_input.chunks_exact(3 * parts)) {
            let [r, z, n] = [weights[part], weights[parts + part], weights[2 * parts + part]];
            for (sums, input) in sums.iter_mut().zip(&inputs) {
                let value = simd.splat_f32s(input[k]);
                sums[0] = simd.mul_add_f32s(value, r, sums[0]);
                sums[1] = simd.mul_add_f32s(value, z, sums[1]);
                sums[2] = simd.mul_add_f32s(value, n, sums[2]);
            }
        }
        let states: [&[f32]; R] = std::array::from_fn(|i| &self.states[(row + i) * layer.width..][..layer.hidden]);
        for (k, weights) in (0..layer.hidden).zip(of_state.chunks_exact(3 * parts)) {
            let [r, z, n] = [weights[part], weights[parts + part], weights[2 * parts + part]];
            for (sums, state) in sums.iter_mut().zip(&states) {
                let value = simd.splat_f32s(state[k]);
                sums[0] = simd.mul_add_f32s(value, r, sums[0]);
                sums[1] = simd.mul_add_f32s(value, z, sums[1]);
                sums[3] = simd.mul_add_f32s(value, n, sums[3]);
            }
        }
        let vector = column / S::F32_LANES;
        let vectors = layer.width / S::F32_LANES;
        for (i, [r, z, from_input, from_state]) in sums.into_iter().enumerate() {
            let (r, z) = (sigmoid(simd, r), sigmoid(simd, z));
            let n = tanh(simd, simd.mul_add_f32s(r, from_state, from_input));
            let state = S::as_simd_f32s(&self.states[(row + i) * layer.width..][..layer.width]).0[vector];
            let next = simd.mul_add_f32s(z, simd.sub_f32s(state, n), n);
            S::as_mut_simd_f32s(&mut self.next[(row + i) * layer.width..][..layer.width]).0[vector] = next;
            if let Some(kept) = self.kept.as_deref_mut() {
                let kept = S::as_mut_simd_f32s(&mut kept[4 * (row + i) * layer.width..][..4 * layer.width]).0;
                kept[vector] = r;
                kept[vectors + vector] = z;
                kept[2 * vectors + vector] = n;
                kept[3 * vectors + vector] = from_state;
            }
        }
    }
}
