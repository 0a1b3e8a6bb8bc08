//! The only source of chance: `SplitMix64`, started anew for every trial number.

/// What the numbers are used for, so that one seed gives unrelated draws to each.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// Points of a random search.
    Random = 1,
    /// Where a point of a Latin hypercube lies in its stratum.
    Jitter = 2,
    /// Which stratum of an axis a trial of a Latin hypercube gets.
    Strata = 3,
    /// Candidates of TPE.
    Candidates = 4,
    /// Points of TPE where no candidate is new.
    Fallback = 5,
}

/// A generator of one trial.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    state: u64,
}

impl Stream {
    /// Starts the draws of a trial: the state is `mix(mix(mix(seed) xor purpose) xor number)`.
    pub(crate) const fn new(seed: u64, purpose: Purpose, number: u64) -> Self {
        Self { state: mix(mix(mix(seed) ^ purpose as u64) ^ number) }
    }

    /// Draws 64 bits.
    pub(crate) const fn bits(&mut self) -> u64 {
        let drawn = mix(self.state);
        self.state = self.state.wrapping_add(GOLDEN);
        drawn
    }

    /// Draws a uniform number in [0, 1) with 53 random bits.
    pub(crate) const fn fraction(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / 9_007_199_254_740_992.0
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The first output of `SplitMix64` (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014) in a state.
pub(crate) const fn mix(state: u64) -> u64 {
    let mut mixed = state.wrapping_add(GOLDEN);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mixer_is_splitmix64() {
        // The published first outputs for the seed 1234567.
        let mut stream = Stream { state: 1_234_567 };
        let drawn: Vec<u64> = (0..3).map(|_| stream.bits()).collect();
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn seeds_purposes_and_numbers_start_different_streams() {
        let mut firsts: Vec<u64> = (0..20)
            .flat_map(|seed| {
                [Purpose::Random, Purpose::Jitter, Purpose::Strata, Purpose::Candidates, Purpose::Fallback]
                    .into_iter()
                    .flat_map(move |purpose| (0..50).map(move |number| Stream::new(seed, purpose, number).bits()))
            })
            .collect();
        firsts.sort_unstable();
        firsts.dedup();
        assert_eq!(firsts.len(), 20 * 5 * 50);
    }
}
