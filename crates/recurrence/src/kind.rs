//! What happens to the sums of a step: the gates of a GRU, and those of an LSTM.

use std::fmt::Debug;

use pulp::Simd;

use crate::gates::{sigmoid, tanh};

/// A kind of recurrent layer.
pub trait Kind: Debug + 'static {
    /// Rows of weights per hidden value.
    const GATES: usize;
    /// Which of the four sums takes the state's share of each gate; the input's share of gate `g` is in sum `g`.
    const STATE_SLOTS: [usize; 4];
    /// Whether a layer carries cells beside its states.
    const HAS_CELLS: bool;

    /// Takes sums to the states after a step, for some vectors side by side.
    fn step<S: Simd, const N: usize>(simd: S, sums: [[S::f32s; 4]; N], before: [Before<S>; N]) -> [After<S>; N];
}

/// What a layer carries into a step.
#[derive(Clone, Copy)]
pub struct Before<S: Simd> {
    pub(crate) state: S::f32s,
    /// Zero where the kind has no cells.
    pub(crate) cell: S::f32s,
}

/// What a layer carries out of a step.
#[derive(Clone, Copy)]
pub struct After<S: Simd> {
    pub(crate) state: S::f32s,
    pub(crate) cell: S::f32s,
    /// What gradients will need.
    pub(crate) kept: [S::f32s; 4],
}

/// Gates `r`, `z`, `n`, and `W_hn h + b_hn` as the fourth sum.
#[derive(Debug)]
pub struct Gru;

/// Gates `i`, `f`, `g`, `o`.
#[derive(Debug)]
pub struct Lstm;

impl Kind for Gru {
    const GATES: usize = 3;
    const STATE_SLOTS: [usize; 4] = [0, 1, 3, 3];
    const HAS_CELLS: bool = false;

    #[inline(always)]
    fn step<S: Simd, const N: usize>(simd: S, sums: [[S::f32s; 4]; N], before: [Before<S>; N]) -> [After<S>; N] {
        let (r, z) = (sigmoid(simd, slot::<S, N>(&sums, 0)), sigmoid(simd, slot::<S, N>(&sums, 1)));
        let (mut n, from_state) = (slot::<S, N>(&sums, 2), slot::<S, N>(&sums, 3));
        for i in 0..N {
            n[i] = simd.mul_add_f32s(r[i], from_state[i], n[i]);
        }
        let n = tanh(simd, n);
        let mut after = [After { state: n[0], cell: n[0], kept: [n[0]; 4] }; N];
        for i in 0..N {
            let state = simd.mul_add_f32s(z[i], simd.sub_f32s(before[i].state, n[i]), n[i]);
            after[i] = After { state, cell: before[i].cell, kept: [r[i], z[i], n[i], from_state[i]] };
        }
        after
    }
}

impl Kind for Lstm {
    const GATES: usize = 4;
    const STATE_SLOTS: [usize; 4] = [0, 1, 2, 3];
    const HAS_CELLS: bool = true;

    #[inline(always)]
    fn step<S: Simd, const N: usize>(simd: S, sums: [[S::f32s; 4]; N], before: [Before<S>; N]) -> [After<S>; N] {
        let (i, f) = (sigmoid(simd, slot::<S, N>(&sums, 0)), sigmoid(simd, slot::<S, N>(&sums, 1)));
        let (g, o) = (tanh(simd, slot::<S, N>(&sums, 2)), sigmoid(simd, slot::<S, N>(&sums, 3)));
        let mut cells = [g[0]; N];
        for n in 0..N {
            cells[n] = simd.mul_add_f32s(f[n], before[n].cell, simd.mul_f32s(i[n], g[n]));
        }
        let outputs = tanh(simd, cells);
        let mut after = [After { state: g[0], cell: g[0], kept: [g[0]; 4] }; N];
        for n in 0..N {
            let state = simd.mul_f32s(o[n], outputs[n]);
            after[n] = After { state, cell: cells[n], kept: [i[n], f[n], g[n], o[n]] };
        }
        after
    }
}

/// Returns one sum of each vector.
#[inline(always)]
fn slot<S: Simd, const N: usize>(sums: &[[S::f32s; 4]; N], slot: usize) -> [S::f32s; N] {
    let mut values = [sums[0][slot]; N];
    for (value, sums) in values.iter_mut().zip(sums) {
        *value = sums[slot];
    }
    values
}
