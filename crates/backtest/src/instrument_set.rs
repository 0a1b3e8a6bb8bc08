//! Instruments of which something holds, in instrument order.

/// A set of instruments as bits: going through it costs a word per 64 instruments and a step per member.
#[derive(Debug, Clone, Default)]
pub(crate) struct InstrumentSet {
    words: Vec<u64>,
}

impl InstrumentSet {
    /// Creates an empty set for a number of instruments.
    pub(crate) fn new(instruments: usize) -> Self {
        let mut set = Self::default();
        set.reset(instruments);
        set
    }

    /// Makes it an empty set for a number of instruments.
    pub(crate) fn reset(&mut self, instruments: usize) {
        self.words.clear();
        self.words.resize(instruments.div_ceil(64), 0);
    }

    #[inline]
    pub(crate) fn set(&mut self, instrument: usize, is_member: bool) {
        let word = &mut self.words[instrument / 64];
        let bit = 1 << (instrument % 64);
        if is_member { *word |= bit } else { *word &= !bit }
    }

    #[inline]
    pub(crate) fn contains(&self, instrument: usize) -> bool {
        self.words[instrument / 64] & (1 << (instrument % 64)) != 0
    }

    pub(crate) fn clear(&mut self) {
        self.words.fill(0);
    }

    /// Returns the number of words.
    #[inline]
    pub(crate) const fn words(&self) -> usize {
        self.words.len()
    }

    /// Returns the members that lie in a word, as they are now.
    #[inline]
    pub(crate) fn in_word(&self, word: usize) -> Members {
        Members { first: 64 * word, bits: self.words[word] }
    }

    /// Returns the members of this set and another that lie in a word, as they are now.
    #[inline]
    pub(crate) fn union_in_word(&self, other: &Self, word: usize) -> Members {
        Members { first: 64 * word, bits: self.words[word] | other.words[word] }
    }
}

/// The members of one word.
#[derive(Debug)]
pub(crate) struct Members {
    first: usize,
    bits: u64,
}

impl Iterator for Members {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.bits == 0 {
            return None;
        }
        let member = self.first + self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        Some(member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_in_order_across_words() {
        let mut set = InstrumentSet::new(200);
        for instrument in [199, 64, 0, 63, 5] {
            set.set(instrument, true);
        }
        set.set(5, false);
        set.set(7, false);
        let members: Vec<_> = (0..set.words()).flat_map(|word| set.in_word(word)).collect();
        assert_eq!(members, [0, 63, 64, 199]);
        assert!(set.contains(64) && !set.contains(5));
    }

    #[test]
    fn a_union_has_the_members_of_both() {
        let [mut a, mut b] = [InstrumentSet::new(70), InstrumentSet::new(70)];
        a.set(3, true);
        a.set(69, true);
        b.set(1, true);
        b.set(3, true);
        let union: Vec<_> = (0..a.words()).flat_map(|word| a.union_in_word(&b, word)).collect();
        assert_eq!(union, [1, 3, 69]);
    }
}
