//! Products of rows and weights, summed in registers.

use std::marker::PhantomData;

use pulp::Simd;

use crate::element::Element;
use crate::kind::Kind;
use crate::lines::LINE;
use crate::panels::{Column, Panels, SLOTS};

/// Products with the weights of `V` neighboring vectors of hidden values. Each sum runs over `k` in order, however many vectors
/// and rows run beside it.
///
/// No closure here touches a vector: one that is not inlined would be compiled without the processor's vectors.
pub(crate) struct Products<'a, K: Kind, E: Element, const V: usize> {
    panels: &'a Panels<E>,
    /// The first vector.
    pub(crate) column: usize,
    kind: PhantomData<K>,
}

/// Four sums for each of `V` vectors of hidden values.
pub(crate) type Sums<S, const V: usize> = [[<S as Simd>::f32s; SLOTS]; V];

impl<'a, K: Kind, E: Element, const V: usize> Products<'a, K, E, V> {
    #[inline(always)]
    pub(crate) fn new<S: Simd>(panels: &'a Panels<E>, column: usize) -> Self {
        assert_eq!(LINE % S::F32_LANES, 0, "a line is whole vectors");
        Self { panels, column, kind: PhantomData }
    }

    /// Returns the panel of a vector, and which of its parts the vector is.
    #[inline(always)]
    fn place<S: Simd>(&self, v: usize) -> (usize, usize) {
        let parts = LINE / S::F32_LANES;
        ((self.column + v) / parts, (self.column + v) % parts)
    }

    /// Returns each vector's weights: those of the input and those of the state.
    #[inline(always)]
    fn weights<S: Simd>(&self) -> [Column<'a, E::Vector<S>>; V] {
        let mut weights = [Column { of_input: &[], of_state: &[] }; V];
        for (v, weights) in weights.iter_mut().enumerate() {
            *weights = self.panels.column::<S>(self.place::<S>(v).0);
        }
        weights
    }

    #[inline(always)]
    fn biases<S: Simd>(&self, simd: S) -> Sums<S, V> {
        let parts = LINE / S::F32_LANES;
        let mut sums = [[simd.splat_f32s(0.0); SLOTS]; V];
        for (v, sums) in sums.iter_mut().enumerate() {
            let (panel, part) = self.place::<S>(v);
            let biases = S::as_simd_f32s(&self.panels.biases[SLOTS * panel * LINE..][..SLOTS * LINE]).0;
            for (slot, sum) in sums.iter_mut().enumerate() {
                *sum = biases[slot * parts + part];
            }
        }
        sums
    }

    /// Returns the scales of a vector's gates.
    #[inline(always)]
    fn scales<S: Simd>(&self, v: usize, of_state: bool) -> &'a [S::f32s] {
        let (panel, part) = self.place::<S>(v);
        let first = (2 * panel + usize::from(of_state)) * K::GATES;
        &S::as_simd_f32s(&self.panels.scales[first * LINE..][..K::GATES * LINE]).0[part..]
    }

    /// Returns biases and products with the inputs of some rows.
    #[inline(always)]
    pub(crate) fn of_inputs<S: Simd, const R: usize>(&self, simd: S, rows: [&[f32]; R]) -> [Sums<S, V>; R] {
        let mut weights = [&[][..]; V];
        for (weights, columns) in weights.iter_mut().zip(self.weights::<S>()) {
            *weights = columns.of_input;
        }
        let biases = self.biases(simd);
        if !E::SCALED {
            return self.add_products::<S, R, false>(simd, weights, rows, [biases; R]);
        }
        let zeros = [[[simd.splat_f32s(0.0); SLOTS]; V]; R];
        let mut sums = self.add_products::<S, R, false>(simd, weights, rows, zeros);
        let parts = LINE / S::F32_LANES;
        for sums in &mut sums {
            for v in 0..V {
                let scales = self.scales::<S>(v, false);
                for gate in 0..K::GATES {
                    sums[v][gate] = simd.mul_add_f32s(sums[v][gate], scales[gate * parts], biases[v][gate]);
                }
                for slot in K::GATES..SLOTS {
                    sums[v][slot] = biases[v][slot];
                }
            }
        }
        sums
    }

    /// Returns sums that a projection has stored for one row.
    #[inline(always)]
    pub(crate) fn stored<S: Simd>(&self, simd: S, stored: &[f32]) -> Sums<S, V> {
        let parts = LINE / S::F32_LANES;
        let mut sums = self.biases(simd);
        for (v, sums) in sums.iter_mut().enumerate() {
            let (panel, part) = self.place::<S>(v);
            let stored = S::as_simd_f32s(&stored[panel * K::GATES * LINE..][..K::GATES * LINE]).0;
            for gate in 0..K::GATES {
                sums[gate] = stored[gate * parts + part];
            }
        }
        sums
    }

    /// Adds products with the states of some rows.
    #[inline(always)]
    pub(crate) fn add_states<S: Simd, const R: usize>(
        &self,
        simd: S,
        rows: [&[f32]; R],
        mut sums: [Sums<S, V>; R],
    ) -> [Sums<S, V>; R] {
        let mut weights = [&[][..]; V];
        for (weights, columns) in weights.iter_mut().zip(self.weights::<S>()) {
            *weights = columns.of_state;
        }
        if !E::SCALED {
            return self.add_products::<S, R, true>(simd, weights, rows, sums);
        }
        let zeros = [[[simd.splat_f32s(0.0); SLOTS]; V]; R];
        let unscaled = self.add_products::<S, R, false>(simd, weights, rows, zeros);
        let parts = LINE / S::F32_LANES;
        for i in 0..R {
            for v in 0..V {
                let scales = self.scales::<S>(v, true);
                for gate in 0..K::GATES {
                    let sum = &mut sums[i][v][K::STATE_SLOTS[gate]];
                    *sum = simd.mul_add_f32s(unscaled[i][v][gate], scales[gate * parts], *sum);
                }
            }
        }
        sums
    }

    /// Adds products of rows and weights, in the slots of the state or else in those of the gates.
    #[inline(always)]
    fn add_products<S: Simd, const R: usize, const OF_STATE: bool>(
        &self,
        simd: S,
        weights: [&[E::Vector<S>]; V],
        rows: [&[f32]; R],
        mut sums: [Sums<S, V>; R],
    ) -> [Sums<S, V>; R] {
        let count = rows[0].len();
        let whole = count / E::PER_WORD;
        for word in 0..whole {
            for place in 0..E::PER_WORD {
                sums = self.add_product::<S, R, OF_STATE>(simd, weights, rows, [word, place], sums);
            }
        }
        for place in 0..count % E::PER_WORD {
            sums = self.add_product::<S, R, OF_STATE>(simd, weights, rows, [whole, place], sums);
        }
        sums
    }

    /// Adds the products of one `k`.
    #[inline(always)]
    fn add_product<S: Simd, const R: usize, const OF_STATE: bool>(
        &self,
        simd: S,
        weights: [&[E::Vector<S>]; V],
        rows: [&[f32]; R],
        [word, place]: [usize; 2],
        mut sums: [Sums<S, V>; R],
    ) -> [Sums<S, V>; R] {
        let parts = LINE / S::F32_LANES;
        let third = if OF_STATE { K::STATE_SLOTS[2] } else { 2 };
        for v in 0..V {
            let (_, part) = self.place::<S>(v);
            let words = &weights[v][word * K::GATES * parts..][..K::GATES * parts];
            let first = E::weights(simd, words[part], place);
            let second = E::weights(simd, words[parts + part], place);
            let other = E::weights(simd, words[2 * parts + part], place);
            let last = if K::GATES == SLOTS { E::weights(simd, words[3 * parts + part], place) } else { other };
            for i in 0..R {
                let value = simd.splat_f32s(rows[i][word * E::PER_WORD + place]);
                let sums = &mut sums[i][v];
                sums[0] = simd.mul_add_f32s(value, first, sums[0]);
                sums[1] = simd.mul_add_f32s(value, second, sums[1]);
                sums[third] = simd.mul_add_f32s(value, other, sums[third]);
                if K::GATES == SLOTS {
                    sums[3] = simd.mul_add_f32s(value, last, sums[3]);
                }
            }
        }
        sums
    }
}
