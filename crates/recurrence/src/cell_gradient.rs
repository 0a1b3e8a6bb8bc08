//! The gradients of one step of one layer, and how they flow to the state before it and to the layer below.

use pulp::{Simd, WithSimd};

use crate::lines::LINE;
use crate::weights::PackedLayer;

/// Takes the gradient of the states after a step through its gates.
pub(crate) struct CellGradient<'a> {
    pub(crate) layer: &'a PackedLayer,
    /// `r`, `z`, `n` and `W_hn h + b_hn` of the step, `[B, 4, width]`; replaced by the gradients of what went into `r`, `z`
    /// and `n`, and of `W_hn h + b_hn`.
    pub(crate) gates: &'a mut [f32],
    /// The states before the step, `[B, width]`.
    pub(crate) states: &'a [f32],
    /// What the layer above adds to the gradient of the states after the step, `[B, width]`.
    pub(crate) from_above: Option<&'a [f32]>,
    /// The gradient of the states after the step; replaced by that of the states before, `[B, width]`.
    pub(crate) carried: &'a mut [f32],
}

impl WithSimd for CellGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for row in 0..self.states.len() / self.layer.width {
            self.through_gates(simd, row);
        }
        let product = StateProduct {
            hidden: self.layer.hidden,
            width: self.layer.width,
            output_width: self.layer.width,
            weights: &self.layer.state_back,
            gates: self.gates,
            slots: [0, 1, 3],
            output: self.carried,
        };
        product.with_simd(simd);
    }
}

impl CellGradient<'_> {
    /// With `d` the gradient of `h' = (1 - z) n + z h` and `q = W_hn h + b_hn`:
    ///
    /// ```text
    /// dn = d (1 - z) (1 - n^2)    dz = d (h - n) z (1 - z)    dr = dn q r (1 - r)    dq = dn r    dh = d z + ...
    /// ```
    #[inline(always)]
    fn through_gates<S: Simd>(&mut self, simd: S, row: usize) {
        let width = self.layer.width;
        let own = row * width..(row + 1) * width;
        let states = S::as_simd_f32s(&self.states[own.clone()]).0;
        let above = self.from_above.map(|above| S::as_simd_f32s(&above[own.clone()]).0);
        let carried = S::as_mut_simd_f32s(&mut self.carried[own]).0;
        let gates = S::as_mut_simd_f32s(&mut self.gates[4 * row * width..][..4 * width]).0;
        let (r, rest) = gates.split_at_mut(states.len());
        let (z, rest) = rest.split_at_mut(states.len());
        let (n, q) = rest.split_at_mut(states.len());
        let one = simd.splat_f32s(1.0);
        for i in 0..states.len() {
            let d = above.map_or(carried[i], |above| simd.add_f32s(carried[i], above[i]));
            let (reset, update, new, from_state) = (r[i], z[i], n[i], q[i]);
            let not_update = simd.sub_f32s(one, update);
            let dn = simd.mul_f32s(simd.mul_f32s(d, not_update), simd.negate_mul_add_f32s(new, new, one));
            let dz = simd.mul_f32s(simd.mul_f32s(d, update), simd.mul_f32s(simd.sub_f32s(states[i], new), not_update));
            let dq = simd.mul_f32s(dn, reset);
            r[i] = simd.mul_f32s(simd.mul_f32s(dq, from_state), simd.sub_f32s(one, reset));
            z[i] = dz;
            n[i] = dn;
            q[i] = dq;
            carried[i] = simd.mul_f32s(d, update);
        }
    }
}

/// Adds gradients of gates times weights to an output.
pub(crate) struct StateProduct<'a> {
    pub(crate) hidden: usize,
    pub(crate) width: usize,
    pub(crate) output_width: usize,
    /// `[panel][gate][k][LINE]`.
    pub(crate) weights: &'a [f32],
    /// `[rows, 4, width]`.
    pub(crate) gates: &'a [f32],
    /// Which of the four go with the three gates of the weights.
    pub(crate) slots: [usize; 3],
    /// `[rows, output_width]`.
    pub(crate) output: &'a mut [f32],
}

impl WithSimd for StateProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // A tile is `R` rows of one line, which is `C` vectors.
        match S::F32_LANES {
            LINE => self.run::<S, 8, 1>(simd),
            8 => self.run::<S, 6, 2>(simd),
            4 => self.run::<S, 4, 4>(simd),
            _ => self.run::<S, 1, LINE>(simd),
        }
    }
}

impl StateProduct<'_> {
    #[inline(always)]
    fn run<S: Simd, const R: usize, const C: usize>(mut self, simd: S) {
        assert_eq!(S::F32_LANES * C, LINE, "a line is whole vectors");
        let rows = self.output.len() / self.output_width;
        for panel in 0..self.output_width / LINE {
            let mut row = 0;
            while row + R <= rows {
                self.tile::<S, R, C>(simd, row, panel);
                row += R;
            }
            while row < rows {
                self.tile::<S, 1, C>(simd, row, panel);
                row += 1;
            }
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const R: usize, const C: usize>(&mut self, simd: S, row: usize, panel: usize) {
        let (hidden, width) = (self.hidden, self.width);
        let panel_len = 3 * hidden * LINE;
        let weights = S::as_simd_f32s(&self.weights[panel * panel_len..][..panel_len]).0;
        let mut sums = [[simd.splat_f32s(0.0); C]; R];
        for (slot, weights) in self.slots.into_iter().zip(weights.chunks_exact(hidden * C)) {
            let gates: [&[f32]; R] = std::array::from_fn(|i| &self.gates[(4 * (row + i) + slot) * width..][..hidden]);
            for (k, weights) in (0..hidden).zip(weights.as_chunks::<C>().0) {
                for (sums, gates) in sums.iter_mut().zip(&gates) {
                    let value = simd.splat_f32s(gates[k]);
                    for (sum, weight) in sums.iter_mut().zip(weights) {
                        *sum = simd.mul_add_f32s(value, *weight, *sum);
                    }
                }
            }
        }
        for (i, sums) in sums.iter().enumerate() {
            let output =
                S::as_mut_simd_f32s(&mut self.output[(row + i) * self.output_width + panel * LINE..][..LINE]).0;
            for (output, sum) in output.iter_mut().zip(sums) {
                *output = simd.add_f32s(*output, *sum);
            }
        }
    }
}
