//! Sigmoid and hyperbolic tangent of whole vectors.
//!
//! Both rest on `exp(-x) = 2^k exp(-y)` with a whole `k` and `|y| <= ln 2 / 2`, where `exp(-y)` is the polynomial of degree 5
//! with value and slope of `exp(-y)` at 0 whose largest relative error is the least, 1.05e-7. The absolute error of both
//! functions against double precision is at most 2e-7. What is not a number stays so.

use pulp::Simd;

/// Beyond these, `exp` neither over- nor underflows and both functions have reached their limits in single precision.
const EXPONENT_MAX: f32 = 87.0;
/// `1.5 * 2^23 + 127`: adding it to a small number rounds it to an integer, and leaves that plus 127 in the lowest bits.
const ROUND_AND_BIAS: f32 = 12_582_912.0 + 127.0;
/// Coefficients of `exp(-y)`, highest power first.
const COEFFICIENTS: [f32; 6] = [-8.312_684e-3, 4.189_019e-2, -0.166_671_13, 0.499_992_3, -1.0, 1.0];

/// Returns `1 / (1 + exp(-x))` of some vectors, side by side: each operation waits for the one before.
#[inline(always)]
pub(crate) fn sigmoid<S: Simd, const N: usize>(simd: S, x: [S::f32s; N]) -> [S::f32s; N] {
    let mut x = one_and_exp(simd, x);
    for x in &mut x {
        *x = simd.div_f32s(simd.splat_f32s(1.0), *x);
    }
    x
}

/// Returns `2 / (1 + exp(-2 x)) - 1` of some vectors.
#[inline(always)]
pub(crate) fn tanh<S: Simd, const N: usize>(simd: S, mut x: [S::f32s; N]) -> [S::f32s; N] {
    for x in &mut x {
        *x = simd.add_f32s(*x, *x);
    }
    let mut x = one_and_exp(simd, x);
    for x in &mut x {
        *x = simd.sub_f32s(simd.div_f32s(simd.splat_f32s(2.0), *x), simd.splat_f32s(1.0));
    }
    x
}

/// Returns `1 + exp(-x)`.
#[inline(always)]
fn one_and_exp<S: Simd, const N: usize>(simd: S, x: [S::f32s; N]) -> [S::f32s; N] {
    let round = simd.splat_f32s(ROUND_AND_BIAS);
    let (mut rests, mut powers) = ([round; N], [round; N]);
    for i in 0..N {
        let x = clamp(simd, x[i]);
        let biased = simd.mul_add_f32s(x, simd.splat_f32s(-std::f32::consts::LOG2_E), round);
        let whole = simd.sub_f32s(biased, round);
        // One rounding of `ln 2` is enough: where `k` is large, both functions have all but reached their limits.
        rests[i] = simd.mul_add_f32s(whole, simd.splat_f32s(std::f32::consts::LN_2), x);
        let power = simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(biased), simd.splat_u32s(23));
        powers[i] = simd.transmute_f32s_u32s(power);
    }
    let mut values = [simd.splat_f32s(COEFFICIENTS[0]); N];
    for coefficient in &COEFFICIENTS[1..] {
        for i in 0..N {
            values[i] = simd.mul_add_f32s(values[i], rests[i], simd.splat_f32s(*coefficient));
        }
    }
    for i in 0..N {
        values[i] = simd.mul_add_f32s(values[i], powers[i], simd.splat_f32s(1.0));
    }
    values
}

/// Keeps what is not a number, as the processors' own minimum and maximum do where that comes second.
#[inline(always)]
fn clamp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let (low, high) = (simd.splat_f32s(-EXPONENT_MAX), simd.splat_f32s(EXPONENT_MAX));
    if S::IS_SCALAR {
        // Comparisons with what is not a number are false, so that it passes.
        let x = simd.select_f32s(simd.less_than_f32s(x, low), low, x);
        simd.select_f32s(simd.greater_than_f32s(x, high), high, x)
    } else {
        simd.min_f32s(high, simd.max_f32s(low, x))
    }
}

#[cfg(test)]
mod tests {
    use pulp::{Arch, WithSimd};

    use super::*;
    use crate::lines::LINE;

    struct Both([f32; LINE]);

    impl WithSimd for Both {
        type Output = ([f32; LINE], [f32; LINE]);

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
            let (mut first, mut second) = ([0.0; LINE], [0.0; LINE]);
            let input = S::as_simd_f32s(&self.0).0;
            let outputs = S::as_mut_simd_f32s(&mut first).0.iter_mut().zip(S::as_mut_simd_f32s(&mut second).0);
            for (input, (first, second)) in input.iter().zip(outputs) {
                [*first] = sigmoid(simd, [*input]);
                [*second] = tanh(simd, [*input]);
            }
            (first, second)
        }
    }

    #[test]
    fn both_are_within_2e_7_of_double_precision() {
        // Every 1/16384 from -32 to 32, and the far ends.
        let inputs: Vec<f32> = (-524_288..524_288).map(|i| i as f32 / 16_384.0).collect();
        let ends = [0.0, -0.0, 88.0, -88.0, 1e3, -1e3, 1e30, -1e30, f32::INFINITY, f32::NEG_INFINITY, 1e-30, 1e-3];
        let mut last = [0.0; LINE];
        last[..ends.len()].copy_from_slice(&ends);
        let mut worst = [0.0_f64; 2];
        for inputs in inputs.as_chunks().0.iter().chain([&last]) {
            let (sigmoids, tanhs) = Arch::new().dispatch(Both(*inputs));
            for (place, x) in inputs.iter().map(|&x| f64::from(x)).enumerate() {
                worst[0] = worst[0].max((f64::from(sigmoids[place]) - 1.0 / (1.0 + (-x).exp())).abs());
                worst[1] = worst[1].max((f64::from(tanhs[place]) - x.tanh()).abs());
            }
        }
        assert!(worst.iter().all(|error| *error <= 2e-7), "{worst:?}");
    }

    #[test]
    fn what_is_not_a_number_stays_so() {
        let (sigmoids, tanhs) = Arch::new().dispatch(Both([f32::NAN; LINE]));
        assert!(sigmoids.iter().chain(&tanhs).all(|value| value.is_nan()));
    }

    #[test]
    fn every_vector_width_gives_the_same_bits() {
        let inputs: [f32; LINE] = std::array::from_fn(|i| (i as f32 - 7.3) * 0.7);
        assert_eq!(Arch::new().dispatch(Both(inputs)), Arch::Scalar.dispatch(Both(inputs)));
    }
}
