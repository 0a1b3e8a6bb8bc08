//! Sharpe ratios of any half of the blocks, from the sums of the blocks.

/// A variance below this is rounding.
const LEAST_VARIANCE: f64 = 1e-28;

/// Sums and sums of squares of each trial over every subset of the first and of the second half of the blocks.
///
/// A half of the sample is one subset of each, so that its sums cost one addition however many blocks there are. Returns are
/// taken less their trial's mean, which keeps the squares from canceling.
#[derive(Debug)]
pub(super) struct BlockSums {
    trials: usize,
    /// Periods in half of the sample.
    periods: f64,
    centers: Vec<f64>,
    low_bits: u32,
    low: Vec<[Vec<f64>; 2]>,
    high: Vec<[Vec<f64>; 2]>,
}

impl BlockSums {
    /// Sums blocks of `block_length` periods, the first at the start.
    pub(super) fn new(trials: &[&[f64]], blocks: u32, block_length: usize) -> Self {
        let used = blocks as usize * block_length;
        let centers: Vec<f64> = trials.iter().map(|trial| trial[..used].iter().sum::<f64>() / used as f64).collect();
        let of_block = |block: usize| {
            let centered = |(trial, center): (&&[f64], &f64)| {
                let rows = &trial[block * block_length..(block + 1) * block_length];
                rows.iter().fold((0.0, 0.0), |(sum, squares), value| {
                    let value = value - center;
                    (sum + value, squares + value * value)
                })
            };
            let (sums, squares) = trials.iter().zip(&centers).map(centered).unzip();
            [sums, squares]
        };
        let sums: Vec<[Vec<f64>; 2]> = (0..blocks as usize).map(of_block).collect();
        let low_bits = blocks / 2;
        let (low, high) = sums.split_at(low_bits as usize);
        let (low, high) = (subsets(low, trials.len()), subsets(high, trials.len()));
        Self { trials: trials.len(), periods: used as f64 / 2.0, centers, low_bits, low, high }
    }

    /// Writes the Sharpe ratio of one period of every trial over the blocks of a mask; negative infinity where the returns do not
    /// vary, so that such a trial is ranked last.
    pub(super) fn sharpe_ratios(&self, mask: u32, ratios: &mut [f64]) {
        let [low_sums, low_squares] = &self.low[(mask & ((1 << self.low_bits) - 1)) as usize];
        let [high_sums, high_squares] = &self.high[(mask >> self.low_bits) as usize];
        let count = self.trials;
        let (low_sums, low_squares) = (&low_sums[..count], &low_squares[..count]);
        let (high_sums, high_squares) = (&high_sums[..count], &high_squares[..count]);
        let (centers, ratios) = (&self.centers[..count], &mut ratios[..count]);
        for trial in 0..count {
            let sum = low_sums[trial] + high_sums[trial];
            let squares = low_squares[trial] + high_squares[trial];
            let mean = sum / self.periods;
            let variance = (squares - sum * mean) / (self.periods - 1.0);
            let ratio = (centers[trial] + mean) / variance.sqrt();
            ratios[trial] = if variance > LEAST_VARIANCE { ratio } else { f64::NEG_INFINITY };
        }
    }
}

/// Returns the sums over every subset of some blocks, in the order of their bit masks.
fn subsets(blocks: &[[Vec<f64>; 2]], trials: usize) -> Vec<[Vec<f64>; 2]> {
    let mut sums = vec![[vec![0.0; trials], vec![0.0; trials]]];
    for mask in 1..1_usize << blocks.len() {
        let highest = mask.ilog2() as usize;
        let rest = &sums[mask & !(1 << highest)];
        let add =
            |part: usize| rest[part].iter().zip(&blocks[highest][part]).map(|(rest, block)| rest + block).collect();
        let with = [add(0), add(1)];
        sums.push(with);
    }
    sums
}
