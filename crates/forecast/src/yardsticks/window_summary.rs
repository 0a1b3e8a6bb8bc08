//! A window in a few numbers per feature, for forecasters that read a row and not a sequence.

use crate::{WindowBlock, Windows};

/// What is said of each feature of a window longer than one step.
const SUMMARIES: usize = 4;

/// One column per number, one row per sample.
pub(super) struct Summary {
    /// # Shapes
    /// `[columns, N]`: one column after another.
    pub(super) values: Vec<f64>,
    pub(super) columns: usize,
}

impl Summary {
    /// Says of every feature of every scale its last value, its mean and deviation (over `n`) in the window, and its last value
    /// less the first; of a window of one step the last value alone. Steps that only pad a short window are left out.
    pub(super) fn new(windows: &Windows) -> Self {
        let mut values = Vec::with_capacity(column_count(windows) * windows.len());
        for block in &windows.scales {
            for feature in 0..block.features {
                let summaries: Vec<[f64; SUMMARIES]> =
                    (0..windows.len()).map(|sample| summarize(block, sample, feature)).collect();
                for which in 0..summary_count(block) {
                    values.extend(summaries.iter().map(|summary| summary[which]));
                }
            }
        }
        Self { values, columns: column_count(windows) }
    }
}

/// Returns how many columns the summary of these windows has.
pub(super) fn column_count(windows: &Windows) -> usize {
    windows.scales.iter().map(|block| block.features * summary_count(block)).sum()
}

const fn summary_count(block: &WindowBlock) -> usize {
    if block.steps == 1 { 1 } else { SUMMARIES }
}

fn summarize(block: &WindowBlock, sample: usize, feature: usize) -> [f64; SUMMARIES] {
    let length = block.lengths.get(sample).map_or(block.steps, |&length| length as usize);
    let window = block.window(sample);
    let steps = (block.steps - length..block.steps).map(|step| f64::from(window[step * block.features + feature]));
    let last = f64::from(block.last_step(sample)[feature]);
    let mean = steps.clone().sum::<f64>() / length as f64;
    let variance = steps.clone().map(|value| (value - mean).powi(2)).sum::<f64>() / length as f64;
    let first = steps.clone().next().unwrap_or(last);
    [last, mean, variance.sqrt(), last - first]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::tabular;

    #[test]
    fn a_window_is_its_end_level_spread_and_change() {
        // Feature 0 over three steps: 1, 3, 8: last 8, mean 4, deviation sqrt((9 + 1 + 16) / 3) = sqrt(26 / 3), change 7.
        // The second window has two steps after one of padding: 2, 6: last 6, mean 4, deviation 2, change 4.
        let mut windows = tabular(&[&[0.0], &[0.0]], &[0.0; 2]);
        let values = vec![1.0, 5.0, 3.0, 5.0, 8.0, 5.0, 0.0, 0.0, 2.0, 7.0, 6.0, 7.0];
        windows.scales[0] = WindowBlock { steps: 3, features: 2, values, lengths: vec![3, 2] };
        windows.scales.push(WindowBlock { steps: 1, features: 1, values: vec![-1.0, -2.0], lengths: vec![] });
        let summary = Summary::new(&windows);
        assert_eq!(summary.columns, 9);
        assert_eq!(summary.values[..8], [8.0, 6.0, 4.0, 4.0, (26.0_f64 / 3.0).sqrt(), 2.0, 7.0, 4.0]);
        assert_eq!(summary.values[8..16], [5.0, 7.0, 5.0, 7.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(summary.values[16..], [-1.0, -2.0]);
    }
}
