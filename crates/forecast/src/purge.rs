//! The purge: labels that share a bar with the bars that judge them are not learned from.

use std::ops::Range;

use tidegate_market::Timestamp;

use crate::{Panel, Sample, SampleSet};

/// The time that a test or validation block and its labels take up, both ends included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    /// The close of the block's first bar.
    first: Timestamp,
    /// The last close that is the block's own or that one of its labels reads.
    last: Timestamp,
    /// The close of the last bar under embargo; `last` without an embargo.
    embargo_last: Timestamp,
}

impl Block {
    /// Takes a test block with all its labels, whether or not their windows are complete.
    pub(crate) fn of_test(panel: &Panel, bars: &Range<usize>, embargo_bars: usize) -> Self {
        let rows = |place| panel.rows_within(place, bars).map(move |row| sample(place, row));
        let samples = (0..panel.series.len()).flat_map(rows);
        let read = samples.flat_map(|sample| panel.labels(sample).flatten().map(move |label| (sample, label)));
        let ends = read.map(|(sample, label)| panel.known_time(sample.series, label.span_last_row));
        let last = ends.fold(panel.axis[bars.end - 1], Timestamp::max);
        let after = panel.axis.partition_point(|&time| time <= last);
        let embargo_last = panel.axis[after.saturating_add(embargo_bars).min(panel.axis.len()) - 1];
        Self { first: panel.axis[bars.start], last, embargo_last }
    }

    /// Takes a validation block with the labels that it kept.
    pub(crate) fn of_validation(panel: &Panel, bars: &Range<usize>, kept: &SampleSet) -> Self {
        let mut last = panel.axis[bars.end - 1];
        for (place, &sample) in kept.iter().enumerate() {
            for (label, kept) in panel.labels(sample).zip(kept.labels(place)) {
                if let (Some(label), Some(_)) = (label, kept) {
                    last = last.max(panel.known_time(sample.series, label.span_last_row));
                }
            }
        }
        Self { first: panel.axis[bars.start], last, embargo_last: last }
    }

    /// Returns the bars of a run that neither the block nor its embargo takes up.
    fn spare(&self, panel: &Panel, run: &Range<usize>) -> [Range<usize>; 2] {
        let first = panel.axis.partition_point(|&time| time < self.first);
        let after = panel.axis.partition_point(|&time| time <= self.embargo_last);
        [run.start..run.end.min(first), run.start.max(after)..run.end]
    }
}

/// Returns runs of bars without those that blocks and their embargoes take up.
pub(crate) fn spare_bars(panel: &Panel, runs: &[Range<usize>], blocks: &[Block]) -> Vec<Range<usize>> {
    blocks.iter().fold(runs.to_vec(), |runs, block| {
        runs.iter().flat_map(|run| block.spare(panel, run)).filter(|run| !run.is_empty()).collect()
    })
}

/// What became of samples and their labels.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    /// Samples all of whose labels were purged.
    pub(crate) purged: usize,
    /// Labels purged.
    pub(crate) purged_labels: usize,
    /// Samples with a label that were under embargo.
    pub(crate) embargoed: usize,
}

impl Losses {
    /// Takes the samples that keep a label beside the blocks, each with the labels that it keeps.
    pub(crate) fn sift(&mut self, panel: &Panel, samples: Vec<Sample>, blocks: &[Block]) -> SampleSet {
        let mut set = SampleSet { samples: vec![], horizons: panel.horizons(), target: vec![], weight: vec![] };
        for sample in samples {
            let known = panel.known_time(sample.series, sample.row as usize);
            if blocks.iter().any(|block| block.last < known && known <= block.embargo_last) {
                self.embargoed += usize::from(panel.labels(sample).any(|label| label.is_some()));
                continue;
            }
            let (mut kept, mut lost) = (0, 0);
            let first = set.target.len();
            for label in panel.labels(sample) {
                let end = label.map(|label| panel.known_time(sample.series, label.span_last_row));
                let meets = end.is_some_and(|end| blocks.iter().any(|block| known <= block.last && block.first <= end));
                lost += usize::from(meets);
                let value = label.filter(|_| !meets).map(|label| label.value);
                kept += usize::from(value.is_some());
                set.target.push(value);
            }
            self.purged_labels += lost;
            if kept > 0 {
                set.samples.push(sample);
            } else {
                set.target.truncate(first);
                self.purged += usize::from(lost > 0);
            }
        }
        set
    }
}

fn sample(series: usize, row: usize) -> Sample {
    Sample { series: series as u32, row: row as u32 }
}
