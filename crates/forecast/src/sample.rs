//! Which rows a fold trains, validates and tests on: complete windows only, and labels purged by their span.

use std::ops::Range;

use crate::history::rows_with_windows;
use crate::purge::{Block, Losses, spare_bars};
use crate::{Fold, Panel, Sample, SampleSet, ScaleSpec, Split};

/// One fold's samples.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldSamples {
    /// To train on; every sample has a label for at least one horizon.
    pub train: SampleSet,
    /// To validate on; every sample has a label for at least one horizon.
    pub valid: SampleSet,
    /// To forecast; a label is not needed, since at the end of the data there is none yet.
    pub test: SampleSet,
    /// The bars to fit a scaler on: the training bars without those that a test block, its labels or its embargo take up.
    pub train_bars: Vec<Range<usize>>,
    /// How many training and validation samples were dropped because the labels they have all meet another part.
    pub purged: usize,
    /// How many labels of training and validation samples were dropped because they meet another part; with one horizon as many
    /// as `purged`.
    pub purged_labels: usize,
    /// How many labelled training and validation samples were dropped because they are under embargo.
    pub embargoed: usize,
}

/// Picks a walk-forward fold's samples: [`split_samples`] of a split that tests what follows its training.
///
/// There the purge comes to this: a training label is dropped when its last bar closes **at or after** the close of the first
/// validation bar; a validation label when its last bar closes at or after the close of the first test bar. So:
/// - close to close over `h` bars, row `t` reads the closes of `t` and `t + h`: the last `h` rows of a part go;
/// - open to open from the next bar, row `t` reads the opens of `t + 1` and `t + 1 + h`: the last `h + 1` rows go. The last of
///   them reads only the *open* of the next part's first bar, which is known before that bar's close; it goes all the same,
///   because that bar belongs to the next part, and a rule by whole bars holds whatever the label reads of a bar.
///
/// Only this side needs a purge: labels look forward, so no later part's label reaches back into an earlier part. Windows of a
/// later part do read earlier bars, as they would in live trading.
///
/// # Panics
/// Those of [`split_samples`].
pub fn fold_samples(panel: &Panel, fold: &Fold, scales: &[ScaleSpec]) -> FoldSamples {
    split_samples(panel, &Split::from(fold), scales)
}

/// Picks a split's samples.
///
/// A row is a sample of the part in which it closes, when every scale's window that ends at it is complete, or as long as
/// [`window_bars_min`](ScaleSpec::window_bars_min) asks (the window itself may reach back before the part). Training and validation samples also need a label for at least one horizon.
///
/// Purge (López de Prado 2018, section 7.4.1), by whole bars, each counted as known at its close: a label takes up the time
/// from its sample's own close to the close of the last bar that it reads. A test block takes up the time from the close of
/// its first bar to the last close that any of its labels reads, or its own last close where that is later. A training or
/// validation label is dropped when its time meets a test block's, and a training label when it meets the time of the
/// validation bars and of the labels kept there. There is no switch for it.
///
/// Embargo: of the rows after a test block's time, those that close at one of the first `embargo_bars` times of the axis are
/// neither trained nor validated on. Their labels share no bar with a test label, but their windows read the block's bars.
///
/// With several horizons each label is judged by its own span: a sample near the end of a part keeps its near labels and
/// loses its far ones. A test block takes up the span of its farthest.
///
/// Times are compared, not rows, so a series with holes or with closing times of its own obeys the same rule: a label whose
/// span jumps over a whole block is dropped too.
///
/// # Panics
/// When `scales` are not as many as the panel's, when a scale has no bars, or when the split runs past the axis.
pub fn split_samples(panel: &Panel, split: &Split, scales: &[ScaleSpec]) -> FoldSamples {
    let complete: Vec<Vec<bool>> = panel.series.iter().map(|series| rows_with_windows(series, scales)).collect();
    let within = |bars: &[Range<usize>]| samples_within(panel, bars, &complete);
    let tested: Vec<Block> = split.test.iter().map(|bars| Block::of_test(panel, bars, split.embargo_bars)).collect();
    let mut losses = Losses::default();
    let valid = losses.sift(panel, within(std::slice::from_ref(&split.valid)), &tested);
    let mut blocks = tested.clone();
    if !split.valid.is_empty() {
        blocks.push(Block::of_validation(panel, &split.valid, &valid));
    }
    let train = losses.sift(panel, within(&split.train), &blocks);
    let test = SampleSet::with_all_labels(panel, within(&split.test));
    let train_bars = spare_bars(panel, &split.train, &tested);
    let Losses { purged, purged_labels, embargoed } = losses;
    FoldSamples { train, valid, test, train_bars, purged, purged_labels, embargoed }
}

/// Returns the rows with complete windows that close within ranges, by closing time, then by the series' order.
fn samples_within(panel: &Panel, bars: &[Range<usize>], complete: &[Vec<bool>]) -> Vec<Sample> {
    let mut samples = Vec::new();
    for range in bars {
        for (place, complete) in complete.iter().enumerate() {
            let rows = panel.rows_within(place, range).filter(|&row| complete[row]);
            samples.extend(rows.map(|row| Sample { series: place as u32, row: row as u32 }));
        }
    }
    samples.sort_unstable_by_key(|sample| (panel.known_time(sample.series, sample.row as usize), sample.series));
    samples
}

#[cfg(test)]
mod tests {
    use tidegate_market::{FeatureColumn, FeatureMatrix};

    use super::*;
    use crate::fixture::{close, daily_panel, labels, series};

    const ONE_BAR: [ScaleSpec; 1] = [ScaleSpec { window_bars: 1, bar_multiple: 1, window_bars_min: None }];

    fn fold(train: Range<usize>, valid: Range<usize>, test: Range<usize>) -> Fold {
        Fold { index: 0, train, valid, test }
    }

    fn rows(samples: &[Sample]) -> Vec<u32> {
        samples.iter().map(|sample| sample.row).collect()
    }

    #[test]
    fn of_ten_daily_labels_over_two_days_with_the_last_five_tested_three_are_kept() {
        // Label i reads the closes of i and i + 2; labels 3 and 4 read bars 5 and 6, which are tested.
        let panel = daily_panel(12, 2);
        let samples = fold_samples(&panel, &fold(0..5, 5..5, 5..10), &ONE_BAR);
        assert_eq!(rows(&samples.train), [0, 1, 2]);
        assert_eq!(rows(&samples.test), [5, 6, 7, 8, 9]);
        assert_eq!(samples.purged, 2);
    }

    #[test]
    fn a_validation_label_may_not_reach_the_test_span() {
        // Validation rows 5..8: label 6 reads bars 6 and 8, label 7 bars 7 and 9.
        let samples = fold_samples(&daily_panel(12, 2), &fold(0..5, 5..8, 8..12), &ONE_BAR);
        assert_eq!(rows(&samples.valid), [5]);
        assert_eq!(samples.purged, 2 + 2);
    }

    #[test]
    fn a_label_from_the_next_open_goes_one_row_earlier() {
        // Label t reads the opens of t + 1 and t + 2: label 3 reads bars 4 and 5, and bar 5 is validated.
        let mut one = series(0, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 1);
        one.targets = vec![labels(10, 1, 1)];
        let panel = Panel::new(vec![one]).expect("sane");
        let samples = fold_samples(&panel, &fold(0..5, 5..7, 7..10), &ONE_BAR);
        assert_eq!(rows(&samples.train), [0, 1, 2]);
        assert_eq!(rows(&samples.valid), [] as [u32; 0]);
        assert_eq!(samples.purged, 2 + 2);
    }

    #[test]
    fn each_horizon_is_purged_by_its_own_span() {
        // Rows 0..6 train. Over one bar labels 0 to 4 end before bar 6, over three bars labels 0 to 2.
        let mut one = series(0, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 1);
        one.targets.push(labels(10, 0, 3));
        let panel = Panel::new(vec![one]).expect("sane");
        let samples = fold_samples(&panel, &fold(0..6, 6..8, 8..10), &ONE_BAR);
        assert_eq!(rows(&samples.train), [0, 1, 2, 3, 4]);
        assert_eq!(samples.train.labels(2), [Some(0.002), Some(0.002)]);
        assert_eq!(samples.train.labels(3), [Some(0.003), None]);
        // Validation rows 6 and 7: over one bar only label 6 ends before bar 8, over three bars label 6 reads bar 9.
        assert_eq!(rows(&samples.valid), [6]);
        assert_eq!(samples.valid.labels(0), [Some(0.006), None]);
        // Dropped: labels 5, 3, 4, 5 in training, 7 and 6 in validation; label 7 over three bars does not exist.
        assert_eq!((samples.purged, samples.purged_labels), (2, 6));
        assert_eq!(samples.test.labels(0), [Some(0.008), None]);
    }

    #[test]
    fn an_earlier_test_block_purges_and_embargoes_what_follows_it() {
        // Labels over two days, days 3 to 5 tested: they read up to day 7. Of the days before, 1 and 2 read tested days; of
        // those after, 6 and 7 are read by test labels, and 8 is under embargo. Day 10 reads day 12, day 11 has no label.
        let panel = daily_panel(13, 2);
        let split = Split { index: 0, train: vec![0..3, 6..13], valid: 0..0, test: vec![3..6], embargo_bars: 1 };
        let samples = split_samples(&panel, &split, &ONE_BAR);
        assert_eq!(rows(&samples.train), [0, 9, 10]);
        assert_eq!((samples.purged, samples.embargoed), (4, 1));
        assert_eq!(samples.train_bars, [0..3, 9..13]);
        // Validation bars 10 and 11 keep label 10, which reads day 12; of training, 8 reads day 10.
        let split = Split { train: vec![0..3, 6..10], valid: 10..12, embargo_bars: 0, ..split };
        let samples = split_samples(&panel, &split, &ONE_BAR);
        assert_eq!((rows(&samples.train), rows(&samples.valid)), (vec![0], vec![10]));
        assert_eq!((samples.purged, samples.embargoed), (6, 0));
    }

    #[test]
    fn a_series_without_bars_in_a_block_is_judged_by_time() {
        // The second series trades on days 2 and 9 only: its label at day 2 spans the tested days 4 to 6.
        let days: Vec<i64> = (0..12).collect();
        let panel = Panel::new(vec![series(0, &days, 1), series(1, &[2, 9, 10], 1)]).expect("sane");
        let split = Split { index: 0, train: vec![0..4, 7..12], valid: 0..0, test: vec![4..7], embargo_bars: 0 };
        let samples = split_samples(&panel, &split, &ONE_BAR);
        let second: Vec<u32> = samples.train.iter().filter(|one| one.series == 1).map(|one| one.row).collect();
        assert_eq!(second, [1]);
    }

    #[test]
    fn test_samples_need_no_label() {
        let panel = daily_panel(6, 2);
        let samples = fold_samples(&panel, &fold(0..2, 2..4, 4..6), &ONE_BAR);
        assert_eq!(rows(&samples.test), [4, 5]);
        assert!(samples.test.target[0].is_none());
    }

    #[test]
    fn a_label_that_spans_a_hole_over_the_next_part_is_dropped() {
        // The second series is silent from day 3 to day 20: its label at day 2 reads day 20.
        let days: Vec<i64> = (0..10).collect();
        let panel = Panel::new(vec![series(0, &days, 1), series(1, &[0, 1, 2, 20, 21], 1)]).expect("sane");
        let samples = fold_samples(&panel, &fold(0..4, 4..6, 6..10), &ONE_BAR);
        assert_eq!(rows(&samples.train), [0, 0, 1, 1, 2]);
        assert_eq!(samples.train.samples[1], Sample { series: 1, row: 0 });
    }

    #[test]
    fn folds_are_cut_by_time_and_not_by_row() {
        let panel = Panel::new(vec![series(0, &[0, 1, 2, 3, 4, 5], 1), series(1, &[3, 4, 5], 1)]).expect("sane");
        assert_eq!(panel.axis[4], close(4));
        let samples = fold_samples(&panel, &fold(0..3, 3..4, 4..6), &ONE_BAR);
        assert_eq!(rows(&samples.train), [0, 1]);
        let test: Vec<(u32, u32)> = samples.test.iter().map(|sample| (sample.series, sample.row)).collect();
        assert_eq!(test, [(0, 4), (1, 1), (0, 5), (1, 2)]);
    }

    #[test]
    fn a_window_is_complete_only_if_every_row_it_reads_is() {
        // Rows in steps of 2, three deep: row i reads i - 4, i - 2, i. Row 3 is missing, so rows 3, 5 and 7 are not samples.
        let mut panel = daily_panel(10, 1);
        let values = (0..10).map(|row| if row == 3 { f64::NAN } else { f64::from(row) }).collect();
        panel.series[0].scales[0] =
            FeatureMatrix::new(10, vec![FeatureColumn::new("row", values)]).expect("one length");
        let scale = [ScaleSpec { window_bars: 3, bar_multiple: 2, window_bars_min: None }];
        let samples = fold_samples(&panel, &fold(0..0, 0..0, 0..10), &scale);
        assert_eq!(rows(&samples.test), [4, 6, 8, 9]);
    }
}
