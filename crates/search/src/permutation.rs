//! A random order of the numbers below `n` that is computed, not stored.

use crate::stream::mix;

/// Rounds of the network.
const ROUNDS: u64 = 8;

/// A keyed permutation of `0..count`: a balanced Feistel network over the next power of four, walked until it lands below `count`
/// (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002). A walk takes fewer than four steps on average.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Permutation {
    count: u64,
    half_bits: u32,
    key: u64,
}

impl Permutation {
    /// Chooses the permutation of a key; `count` is at most 2^62.
    pub(crate) fn new(count: u64, key: u64) -> Self {
        assert!(count > 0 && count <= 1 << 62, "a permutation has between one and 2^62 members");
        let bits = 64 - (count - 1).leading_zeros();
        Self { count, half_bits: bits.div_ceil(2).max(1), key }
    }

    /// Returns where a number below `count` goes.
    pub(crate) fn of(&self, number: u64) -> u64 {
        assert!(number < self.count, "a permutation of `{}` numbers has no number `{number}`", self.count);
        let mut image = self.scramble(number);
        while image >= self.count {
            image = self.scramble(image);
        }
        image
    }

    fn scramble(&self, number: u64) -> u64 {
        let mask = (1 << self.half_bits) - 1;
        let (mut left, mut right) = (number >> self.half_bits, number & mask);
        for round in 0..ROUNDS {
            let mixed = mix(self.key ^ mix((round << 48) ^ right));
            (left, right) = (right, left ^ (mixed & mask));
        }
        (left << self.half_bits) | right
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_the_image_of_one() {
        for count in (1..70).chain([255, 256, 257, 1_000, 4_095, 4_097]) {
            let permutation = Permutation::new(count, count * 31 + 7);
            let mut images: Vec<u64> = (0..count).map(|number| permutation.of(number)).collect();
            images.sort_unstable();
            assert_eq!(images, (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn every_place_is_equally_likely() {
        // 6 places in 6,000 permutations: chi-square with 5 degrees of freedom exceeds 20.5 once in a thousand.
        for number in 0..6 {
            let mut counts = [0u32; 6];
            for key in 0..6_000 {
                counts[Permutation::new(6, mix(key)).of(number) as usize] += 1;
            }
            let chi_square: f64 = counts.iter().map(|count| (f64::from(*count) - 1_000.0).powi(2) / 1_000.0).sum();
            assert!(chi_square < 20.5, "{number}: {counts:?}");
        }
    }
}
