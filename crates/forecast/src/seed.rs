//! One user seed, many independent generators.

/// Returns the seed of one ensemble member of one fold.
///
/// `splitmix64(splitmix64(seed) xor (fold * 2^32 + member))`, with `SplitMix64` of Steele, Lea and Flood, "Fast splittable
/// pseudorandom number generators" (2014). For one `seed`, every (fold, member) gets a different result.
pub const fn derive_seed(seed: u64, fold: u32, member: u32) -> u64 {
    splitmix64(splitmix64(seed) ^ (((fold as u64) << 32) | member as u64))
}

/// The first output of the generator whose state is `state`.
const fn splitmix64(state: u64) -> u64 {
    let mut mixed = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_mixer_is_splitmix64() {
        // The published first outputs for the seeds 0 and 1234567.
        assert_eq!(splitmix64(0), 0xe220_a839_7b1d_cdaf);
        assert_eq!(splitmix64(1_234_567), 6_457_827_717_110_365_317);
    }

    #[test]
    fn no_two_members_share_a_seed() {
        let seeds =
            (0..20).flat_map(|seed| (0..30).flat_map(move |fold| (0..10).map(move |m| derive_seed(seed, fold, m))));
        assert_eq!(seeds.collect::<BTreeSet<u64>>().len(), 20 * 30 * 10);
    }
}
