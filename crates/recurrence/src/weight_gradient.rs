//! Gradients of weights and biases: sums over all rows of all steps.

use pulp::{Arch, Simd, WithSimd};

use crate::lines::{LINE, Lines};

/// Rows that are summed before they join the total: they stay in the cache for all tiles, and rounding errors stay small.
pub(crate) const ROWS: usize = 64;

/// Slots of the gates' gradients that belong to input weights, and to recurrent ones.
pub(crate) const OF_INPUT: [usize; 3] = [0, 1, 2];
pub(crate) const OF_STATE: [usize; 3] = [0, 1, 3];

/// Sums for one layer, transposed and padded; [`WeightSums::write`] puts them into libtorch's order.
#[derive(Debug, Default)]
pub(crate) struct WeightSums {
    /// `[I, 3, width]`.
    inputs: Lines,
    /// `[H, 3, width]`.
    states: Lines,
    /// `[4, width]`.
    biases: Lines,
}

/// What the sums run over: rows of one layer, all steps.
pub(crate) struct Summands<'a> {
    /// Gradients of the gates, `[rows, 4, width]`.
    pub(crate) gates: &'a [f32],
    /// What the layer read, `[rows, input_stride]`.
    pub(crate) inputs: &'a [f32],
    pub(crate) input_stride: usize,
    /// The states before each step, `[rows, width]`.
    pub(crate) states: &'a [f32],
    pub(crate) width: usize,
}

impl WeightSums {
    /// Starts again for a layer of `inputs` and `hidden` values.
    pub(crate) fn reset(&mut self, inputs: usize, hidden: usize, width: usize) {
        self.inputs.resize(3 * inputs * width);
        self.states.resize(3 * hidden * width);
        self.biases.resize(4 * width);
        for sums in [&mut self.inputs, &mut self.states, &mut self.biases] {
            sums.fill(0.0);
        }
    }

    /// Adds some rows.
    pub(crate) fn add(&mut self, arch: Arch, summands: &Summands<'_>) {
        let width = summands.width;
        let chunks = summands.gates.chunks(ROWS * 4 * width);
        let inputs_and_states =
            summands.inputs.chunks(ROWS * summands.input_stride).zip(summands.states.chunks(ROWS * width));
        for (gates, (input, states)) in chunks.zip(inputs_and_states) {
            arch.dispatch(OuterSums {
                left: input,
                stride: summands.input_stride,
                gates,
                slots: OF_INPUT,
                width,
                sums: &mut self.inputs,
            });
            let sums = &mut self.states;
            arch.dispatch(OuterSums { left: states, stride: width, gates, slots: OF_STATE, width, sums });
            arch.dispatch(ColumnSums { gates, sums: &mut self.biases });
        }
    }

    /// Writes `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh` one after the other.
    pub(crate) fn write(&self, hidden: usize, width: usize, gradient: &mut [f32]) {
        let mut gradient = gradient.iter_mut();
        for sums in [&self.inputs, &self.states] {
            let row = 3 * width;
            for unit in (0..3).flat_map(|gate| (0..hidden).map(move |unit| gate * width + unit)) {
                sums.chunks_exact(row).zip(&mut gradient).for_each(|(sums, gradient)| *gradient = sums[unit]);
            }
        }
        for slot in OF_INPUT.into_iter().chain(OF_STATE) {
            let sums = &self.biases[slot * width..][..hidden];
            sums.iter().zip(&mut gradient).for_each(|(sum, gradient)| *gradient = *sum);
        }
    }
}

/// Adds the products of each row's values with its gates' gradients.
struct OuterSums<'a> {
    /// `[rows, stride]`, the first `K` of each row.
    left: &'a [f32],
    stride: usize,
    /// `[rows, 4, width]`.
    gates: &'a [f32],
    slots: [usize; 3],
    width: usize,
    /// `[K, 3, width]`.
    sums: &'a mut [f32],
}

impl WithSimd for OuterSums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        assert_eq!(LINE % S::F32_LANES, 0, "a line is whole vectors");
        let count = self.sums.len() / (3 * self.width);
        // One column of all rows, packed: rows a power of two apart would push each other out of the cache.
        let mut packed = [[simd.splat_f32s(0.0); 3]; ROWS];
        for vector in 0..self.width / S::F32_LANES {
            let packed = self.pack::<S>(vector, &mut packed);
            let mut k = 0;
            while k + 4 <= count {
                self.tile::<S, 4>(simd, k, vector, packed);
                k += 4;
            }
            while k < count {
                self.tile::<S, 1>(simd, k, vector, packed);
                k += 1;
            }
        }
    }
}

impl OuterSums<'_> {
    #[inline(always)]
    fn pack<'b, S: Simd>(&self, vector: usize, packed: &'b mut [[S::f32s; 3]; ROWS]) -> &'b [[S::f32s; 3]] {
        let vectors = self.width / S::F32_LANES;
        let [first, second, third] = self.slots.map(|slot| slot * vectors + vector);
        let rows = S::as_simd_f32s(self.gates).0.chunks_exact(4 * vectors);
        let count = rows.len();
        for (packed, row) in packed.iter_mut().zip(rows) {
            *packed = [row[first], row[second], row[third]];
        }
        &packed[..count]
    }

    #[inline(always)]
    fn tile<S: Simd, const K: usize>(&mut self, simd: S, k: usize, vector: usize, gates: &[[S::f32s; 3]]) {
        let vectors = self.width / S::F32_LANES;
        let mut sums = [[simd.splat_f32s(0.0); 3]; K];
        for (left, gates) in self.left.chunks_exact(self.stride).zip(gates) {
            for (sums, value) in sums.iter_mut().zip(&left[k..k + K]) {
                let value = simd.splat_f32s(*value);
                sums[0] = simd.mul_add_f32s(value, gates[0], sums[0]);
                sums[1] = simd.mul_add_f32s(value, gates[1], sums[1]);
                sums[2] = simd.mul_add_f32s(value, gates[2], sums[2]);
            }
        }
        for (i, sums) in sums.iter().enumerate() {
            let total = S::as_mut_simd_f32s(&mut self.sums[3 * (k + i) * self.width..][..3 * self.width]).0;
            for (gate, sum) in sums.iter().enumerate() {
                let total = &mut total[gate * vectors + vector];
                *total = simd.add_f32s(*total, *sum);
            }
        }
    }
}

/// Adds the rows of the gates' gradients.
struct ColumnSums<'a> {
    /// `[rows, 4 * width]`.
    gates: &'a [f32],
    /// `[4 * width]`.
    sums: &'a mut [f32],
}

impl WithSimd for ColumnSums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let totals = S::as_mut_simd_f32s(self.sums).0;
        let gates = S::as_simd_f32s(self.gates).0;
        let columns = totals.len();
        for (column, total) in totals.iter_mut().enumerate() {
            let mut sum = simd.splat_f32s(0.0);
            for row in gates.chunks_exact(columns) {
                sum = simd.add_f32s(sum, row[column]);
            }
            *total = simd.add_f32s(*total, sum);
        }
    }
}
