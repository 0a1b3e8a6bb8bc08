//! How a weight is stored: as a number, or as one of four whole numbers of eight bits in a word.

use std::fmt::Debug;

use pulp::Simd;

/// `2^23`: single precision has the whole numbers from here to twice as far, in the lowest bits.
const WHOLE: u32 = 0x4B00_0000;
/// What is added to a number of eight bits before it is stored, so that none is negative.
pub(crate) const OFFSET: i32 = 128;

/// A way to store weights. What differs between vectors of the processor is in `pulp`.
pub trait Element: Debug + 'static {
    /// What is stored, of the size of `f32`.
    type Word: Copy + Default + Debug + Send + Sync;
    /// Weights in a word, of neighboring `k` and one hidden value.
    const PER_WORD: usize;
    /// A word of zeros.
    const ZERO: Self::Word;
    /// Whether sums of products are multiplied by a scale of their own at the end.
    const SCALED: bool;

    /// A vector of words.
    type Vector<S: Simd>: Copy;

    /// Takes whole vectors of a slice.
    fn vectors<S: Simd>(words: &[Self::Word]) -> &[Self::Vector<S>];

    /// Returns one of the weights of each word.
    fn weights<S: Simd>(simd: S, words: Self::Vector<S>, place: usize) -> S::f32s;
}

/// Single precision.
#[derive(Debug, Clone)]
pub struct Single;

/// Whole numbers from -127 to 127 in single precision: what [`Eighths`] become where they are read many times.
#[derive(Debug, Clone)]
pub struct Whole;

/// Whole numbers from -127 to 127, four in a word.
#[derive(Debug, Clone)]
pub struct Eighths;

impl Element for Single {
    type Word = f32;
    const PER_WORD: usize = 1;
    const ZERO: f32 = 0.0;
    const SCALED: bool = false;
    type Vector<S: Simd> = S::f32s;

    #[inline(always)]
    fn vectors<S: Simd>(words: &[f32]) -> &[S::f32s] {
        S::as_simd_f32s(words).0
    }

    #[inline(always)]
    fn weights<S: Simd>(_: S, words: S::f32s, _: usize) -> S::f32s {
        words
    }
}

impl Element for Whole {
    type Word = f32;
    const PER_WORD: usize = 1;
    const ZERO: f32 = 0.0;
    const SCALED: bool = true;
    type Vector<S: Simd> = S::f32s;

    #[inline(always)]
    fn vectors<S: Simd>(words: &[f32]) -> &[S::f32s] {
        S::as_simd_f32s(words).0
    }

    #[inline(always)]
    fn weights<S: Simd>(_: S, words: S::f32s, _: usize) -> S::f32s {
        words
    }
}

impl Element for Eighths {
    type Word = u32;
    const PER_WORD: usize = 4;
    const ZERO: u32 = u32::from_ne_bytes([OFFSET as u8; 4]);
    const SCALED: bool = true;
    type Vector<S: Simd> = S::u32s;

    #[inline(always)]
    fn vectors<S: Simd>(words: &[u32]) -> &[S::u32s] {
        S::as_simd_u32s(words).0
    }

    /// Puts the byte under an exponent that makes it a whole number, and takes the exponent's share away again: no rounding,
    /// and no instruction that converts. The second byte of a half comes out 256 times too large, which a power of two mends.
    #[inline(always)]
    fn weights<S: Simd>(simd: S, words: S::u32s, place: usize) -> S::f32s {
        let half = if place < 2 { words } else { simd.wrapping_dyn_shr_u32s(words, simd.splat_u32s(16)) };
        let mask = if place.is_multiple_of(2) { 0xFF } else { 0xFF00 };
        let bits = simd.or_u32s(simd.and_u32s(half, simd.splat_u32s(mask)), simd.splat_u32s(WHOLE));
        let number = simd.transmute_f32s_u32s(bits);
        let whole = f32::from_bits(WHOLE);
        if place.is_multiple_of(2) {
            simd.sub_f32s(number, simd.splat_f32s(whole + OFFSET as f32))
        } else {
            let share = simd.splat_f32s(-(whole / 256.0 + OFFSET as f32));
            simd.mul_add_f32s(number, simd.splat_f32s(1.0 / 256.0), share)
        }
    }
}
