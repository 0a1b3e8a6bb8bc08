//! Which rows a fold trains, validates and tests on: complete windows only, and labels purged by their span.

use std::ops::Range;

use tidegate_market::{FeatureMatrix, Timestamp};

use crate::{Fold, Panel, PanelSeries, Sample, ScaleSpec};

/// One fold's samples, each set sorted by closing time, then by the series' order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldSamples {
    /// To train on; every sample has a label.
    pub train: Vec<Sample>,
    /// To validate on; every sample has a label.
    pub valid: Vec<Sample>,
    /// To forecast; a label is not needed, since at the end of the data there is none yet.
    pub test: Vec<Sample>,
    /// How many training and validation samples were dropped because their label's span reaches a later part.
    pub purged: usize,
}

/// Picks a fold's samples.
///
/// A row is a sample of the part of the fold in which it closes, when every scale's window that ends at it is complete (the
/// window itself may reach back before the part). Training and validation samples also need a label.
///
/// Purge: a label reads whole bars, from `span_first_row` to `span_last_row`, and both are counted as known at their bar's
/// close. A training label is dropped when its last bar closes **at or after** the close of the first validation bar; a
/// validation label when its last bar closes at or after the close of the first test bar. So:
/// - close to close over `h` bars, row `t` reads the closes of `t` and `t + h`: the last `h` rows of a part go;
/// - open to open from the next bar, row `t` reads the opens of `t + 1` and `t + 1 + h`: the last `h + 1` rows go. The last of
///   them reads only the *open* of the next part's first bar, which is known before that bar's close; it goes all the same,
///   because that bar belongs to the next part, and a rule by whole bars holds whatever the label reads of a bar.
///
/// Only this side needs a purge: labels look forward, so no later part's label reaches back into an earlier part. Windows of a
/// later part do read earlier bars, as they would in live trading.
///
/// Times are compared, not rows, so a series with holes or with closing times of its own obeys the same rule: a label whose
/// span jumps over the whole next part is dropped too, since nobody could have known it when that part began.
///
/// # Panics
/// When `scales` are not as many as the panel's, or when a scale has no bars.
pub fn fold_samples(panel: &Panel, fold: &Fold, scales: &[ScaleSpec]) -> FoldSamples {
    let complete: Vec<Vec<bool>> = panel.series.iter().map(|series| complete_windows(series, scales)).collect();
    let start = |range: &Range<usize>| (!range.is_empty()).then(|| panel.axis[range.start]);
    let test_start = start(&fold.test);
    let valid_start = start(&fold.valid).or(test_start);

    let mut purged = 0;
    let mut part = |range: &Range<usize>, keep: &dyn Fn(&PanelSeries, usize) -> Fate| {
        let mut samples = Vec::new();
        for (place, series) in panel.series.iter().enumerate() {
            for row in panel.rows_within(place, range).filter(|&row| complete[place][row]) {
                match keep(series, row) {
                    Fate::Kept => samples.push(Sample { series: place as u32, row: row as u32 }),
                    Fate::Purged => purged += 1,
                    Fate::Unlabelled => {}
                }
            }
        }
        samples.sort_unstable_by_key(|sample| {
            (panel.series[sample.series as usize].known_time[sample.row as usize], sample.series)
        });
        samples
    };
    let train = part(&fold.train, &|series, row| fate(series, row, valid_start));
    let valid = part(&fold.valid, &|series, row| fate(series, row, test_start));
    let test = part(&fold.test, &|_, _| Fate::Kept);
    FoldSamples { train, valid, test, purged }
}

/// What becomes of a row with complete windows.
enum Fate {
    Kept,
    Purged,
    Unlabelled,
}

/// Decides on a row whose label must close before the next part's first bar does.
fn fate(series: &PanelSeries, row: usize, next_part: Option<Timestamp>) -> Fate {
    match series.target.labels[row] {
        None => Fate::Unlabelled,
        Some(label) if next_part.is_some_and(|start| series.known_time[label.span_last_row] >= start) => Fate::Purged,
        Some(_) => Fate::Kept,
    }
}

/// Returns, row by row, whether every scale's window that ends there is complete.
fn complete_windows(series: &PanelSeries, scales: &[ScaleSpec]) -> Vec<bool> {
    assert_eq!(scales.len(), series.scales.len(), "one scale spec for each scale of the panel");
    let mut complete = vec![true; series.len()];
    for (matrix, scale) in series.scales.iter().zip(scales) {
        for (row, steps) in complete_steps(matrix, scale.bar_multiple).into_iter().enumerate() {
            complete[row] &= steps >= scale.window_bars;
        }
    }
    complete
}

/// Returns, row by row, how many complete rows in steps of `bar_multiple` end there.
fn complete_steps(matrix: &FeatureMatrix, bar_multiple: usize) -> Vec<usize> {
    assert!(bar_multiple > 0, "a scale's bar has at least one fine bar");
    let mut steps = vec![0; matrix.rows()];
    for row in 0..matrix.rows() {
        if matrix.row_is_complete(row) {
            steps[row] = 1 + row.checked_sub(bar_multiple).map_or(0, |before| steps[before]);
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use tidegate_market::FeatureColumn;

    use super::*;
    use crate::fixture::{close, daily_panel, labels, series};

    const ONE_BAR: [ScaleSpec; 1] = [ScaleSpec { window_bars: 1, bar_multiple: 1 }];

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
        one.target = labels(10, 1, 1);
        let panel = Panel::new(vec![one]).expect("sane");
        let samples = fold_samples(&panel, &fold(0..5, 5..7, 7..10), &ONE_BAR);
        assert_eq!(rows(&samples.train), [0, 1, 2]);
        assert_eq!(rows(&samples.valid), [] as [u32; 0]);
        assert_eq!(samples.purged, 2 + 2);
    }

    #[test]
    fn test_samples_need_no_label() {
        let panel = daily_panel(6, 2);
        let samples = fold_samples(&panel, &fold(0..2, 2..4, 4..6), &ONE_BAR);
        assert_eq!(rows(&samples.test), [4, 5]);
        assert!(panel.series[0].target.labels[4].is_none());
    }

    #[test]
    fn a_label_that_spans_a_hole_over_the_next_part_is_dropped() {
        // The second series is silent from day 3 to day 20: its label at day 2 reads day 20.
        let days: Vec<i64> = (0..10).collect();
        let panel = Panel::new(vec![series(0, &days, 1), series(1, &[0, 1, 2, 20, 21], 1)]).expect("sane");
        let samples = fold_samples(&panel, &fold(0..4, 4..6, 6..10), &ONE_BAR);
        assert_eq!(rows(&samples.train), [0, 0, 1, 1, 2]);
        assert_eq!(samples.train[1], Sample { series: 1, row: 0 });
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
        let scale = [ScaleSpec { window_bars: 3, bar_multiple: 2 }];
        let samples = fold_samples(&panel, &fold(0..0, 0..0, 0..10), &scale);
        assert_eq!(rows(&samples.test), [4, 6, 8, 9]);
    }
}
