//! The generator of every resample: small, fast, and the same on every machine.

/// The generator `SplitMix64`, one stream for each seed and number.
///
/// Source: Steele, Lea and Flood (2014), "Fast Splittable Pseudorandom Number Generators", as published by Vigna (2015).
#[derive(Debug, Clone)]
pub(crate) struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Returns the stream of a number, a pure function of seed and number: resamples can be drawn in any order.
    pub(crate) const fn stream(seed: u64, number: u64) -> Self {
        let key = Self::new(seed).next();
        Self::new(Self::new(key ^ number).next())
    }

    /// Returns the next 64 random bits.
    pub(crate) const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Returns a uniform value in [0, 1) on a grid of 2^-53.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Returns a uniform whole number below `bound`; its bias is below `bound / 2^64`.
    pub(crate) const fn below(&mut self, bound: usize) -> usize {
        ((self.next() as u128 * bound as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_are_the_published_ones() {
        // Vigna's splitmix64.c with the seed 1234567.
        let mut generator = SplitMix64::new(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([generator.next(), generator.next(), generator.next()], expected);
    }

    #[test]
    fn streams_of_one_seed_differ() {
        let first = |seed, number| SplitMix64::stream(seed, number).next();
        assert_eq!(first(7, 3), first(7, 3));
        assert!(first(7, 3) != first(7, 4) && first(7, 3) != first(8, 3));
    }

    #[test]
    fn whole_numbers_below_a_bound_are_evenly_spread() {
        let mut generator = SplitMix64::new(1);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[generator.below(7)] += 1;
        }
        // A standard deviation of sqrt(70,000 * 1/7 * 6/7) = 93.
        assert!(counts.iter().all(|&count| count.abs_diff(10_000) < 400), "{counts:?}");
        assert!((0..1000).map(|_| generator.unit()).all(|unit| (0.0..1.0).contains(&unit)));
    }
}
