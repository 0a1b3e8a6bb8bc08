//! The ways to cut a sample into two halves of blocks.

/// Returns every choice of half of the blocks as a bit mask, in lexicographic order of the chosen blocks: `C(S, S / 2)` masks.
///
/// Block 0 is the lowest bit.
pub(super) fn halves(blocks: u32) -> Vec<u32> {
    let mut masks = Vec::new();
    choose(blocks, blocks / 2, 0, 0, &mut masks);
    masks
}

/// Appends the choices of `wanted` more blocks from `next` on.
fn choose(blocks: u32, wanted: u32, next: u32, chosen: u32, masks: &mut Vec<u32>) {
    if wanted == 0 {
        masks.push(chosen);
        return;
    }
    for block in next..=blocks - wanted {
        choose(blocks, wanted - 1, block + 1, chosen | (1 << block), masks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_four_blocks_is_chosen_in_six_ways() {
        // 01, 02, 03, 12, 13, 23.
        assert_eq!(halves(4), [0b0011, 0b0101, 0b1001, 0b0110, 0b1010, 0b1100]);
        assert_eq!((halves(2).len(), halves(10).len(), halves(16).len()), (2, 252, 12_870));
    }
}
