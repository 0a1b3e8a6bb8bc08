//! The only source of chance in a training: ChaCha8, never libtorch's global generator.
//!
//! Weights, shuffles, dropout masks and disturbances draw from independent streams of one seed, so that adding a dropout does not
//! change the initial weights. Everything here is defined down to the bit, whatever the versions of the crates around it.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What the numbers are used for: one ChaCha stream each.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    /// Initial weights.
    Weights = 0,
    /// The order of samples in an epoch.
    Shuffle = 1,
    /// Dropout masks.
    Dropout = 2,
    /// Disturbances of training windows.
    Augmentation = 3,
}

/// A seeded generator of one stream.
#[derive(Debug, Clone)]
pub(crate) struct SeededRandom {
    generator: ChaCha8Rng,
    spare_normal: Option<f64>,
}

impl SeededRandom {
    /// Starts a stream of a seed.
    pub(crate) fn new(seed: u64, stream: Stream) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream as u64);
        Self { generator, spare_normal: None }
    }

    /// Draws a uniform number in [0, 1) with 53 random bits.
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.generator.next_u64() >> 11) as f64 * 2f64.powi(-53)
    }

    /// Draws a standard normal number by Marsaglia's polar method.
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare_normal.take() {
            return spare;
        }
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.spare_normal = Some(y * factor);
                return x * factor;
            }
        }
    }

    /// Drops the second normal number of a pair, so that the position alone says which numbers come next.
    pub(crate) const fn forget_spare_normal(&mut self) {
        self.spare_normal = None;
    }

    /// Shuffles by Fisher and Yates, every order equally likely.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }

    /// Fills a dropout mask: `1 / (1 - dropout)` where a value is kept, 0 where it is dropped.
    pub(crate) fn fill_mask(&mut self, mask: &mut [f32], dropout: f64) {
        let kept = (1.0 / (1.0 - dropout)) as f32;
        let dropped_below = (dropout * 2f64.powi(32)) as u64;
        for value in mask {
            *value = if u64::from(self.generator.next_u32()) < dropped_below { 0.0 } else { kept };
        }
    }

    /// Returns how many 32-bit words have been drawn.
    pub(crate) fn words_used(&self) -> u64 {
        self.generator.get_word_pos() as u64
    }

    /// Goes on as if so many 32-bit words had been drawn.
    pub(crate) fn skip_to(&mut self, words: u64) {
        self.generator.set_word_pos(u128::from(words));
    }

    /// Draws a whole number below `bound` without bias (Lemire's multiplication with rejection).
    fn below(&mut self, bound: u64) -> u64 {
        let rejected_below = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.generator.next_u64()) * u128::from(bound);
            if product as u64 >= rejected_below {
                return (product >> 64) as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence_and_streams_differ() {
        let draw = |seed, stream| {
            let mut random = SeededRandom::new(seed, stream);
            (0..4).map(|_| random.uniform()).collect::<Vec<_>>()
        };
        assert_eq!(draw(7, Stream::Weights), draw(7, Stream::Weights));
        assert_ne!(draw(7, Stream::Weights), draw(7, Stream::Shuffle));
        assert_ne!(draw(7, Stream::Weights), draw(8, Stream::Weights));
    }

    #[test]
    fn normal_numbers_have_mean_0_and_variance_1() {
        let mut random = SeededRandom::new(1, Stream::Weights);
        let draws: Vec<f64> = (0..100_000).map(|_| random.normal()).collect();
        let mean = draws.iter().sum::<f64>() / 1e5;
        let variance = draws.iter().map(|draw| draw * draw).sum::<f64>() / 1e5 - mean * mean;
        // Four standard errors: 4 / sqrt(1e5) = 0.0127 for the mean, 4 sqrt(2 / 1e5) = 0.0179 for the variance.
        assert!(mean.abs() < 0.0127 && (variance - 1.0).abs() < 0.0179, "{mean} {variance}");
    }

    #[test]
    fn a_shuffle_keeps_every_item_once_and_moves_them() {
        let mut items: Vec<u32> = (0..100).collect();
        SeededRandom::new(3, Stream::Shuffle).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn the_six_orders_of_three_items_are_equally_likely() {
        let mut random = SeededRandom::new(5, Stream::Shuffle);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..6_000 {
            let mut items = [0, 1, 2];
            random.shuffle(&mut items);
            *counts.entry(items).or_insert(0_i32) += 1;
        }
        // Standard deviation sqrt(6000 * 1/6 * 5/6) = 28.9; four of them.
        assert!(counts.len() == 6 && counts.values().all(|count| (count - 1_000).abs() < 116), "{counts:?}");
    }

    #[test]
    fn a_mask_drops_the_stated_fraction_and_keeps_the_expectation() {
        let mut mask = vec![0.0_f32; 100_000];
        SeededRandom::new(2, Stream::Dropout).fill_mask(&mut mask, 0.3);
        let kept = mask.iter().filter(|value| **value != 0.0).count() as f64 / 1e5;
        // Standard error sqrt(0.3 * 0.7 / 1e5) = 0.00145; four of them.
        assert!((kept - 0.7).abs() < 0.0058, "{kept}");
        assert!(mask.iter().all(|value| *value == 0.0 || (value - 1.0 / 0.7).abs() < 1e-6));
    }
}
