//! How many complete rows there are to look back on, which decides where a window is and how long it is.

use tidegate_market::FeatureMatrix;

use crate::{Panel, PanelSeries, Sample, ScaleSpec};

/// Returns, row by row, whether every scale has rows enough for a window that ends there.
pub(crate) fn rows_with_windows(series: &PanelSeries, scales: &[ScaleSpec]) -> Vec<bool> {
    assert_eq!(scales.len(), series.scales.len(), "one scale spec for each scale of the panel");
    let mut enough = vec![true; series.len()];
    for (matrix, scale) in series.scales.iter().zip(scales) {
        for (row, steps) in complete_steps(matrix, scale.bar_multiple).into_iter().enumerate() {
            enough[row] &= steps >= scale.shortest_window();
        }
    }
    enough
}

/// Returns how many steps the window of each sample has on one scale: as many as there are complete rows, up to `window_bars`.
pub(crate) fn window_lengths(panel: &Panel, samples: &[Sample], place: usize, scale: ScaleSpec) -> Vec<usize> {
    if scale.shortest_window() == scale.window_bars {
        return vec![scale.window_bars; samples.len()];
    }
    let steps: Vec<Vec<usize>> =
        panel.series.iter().map(|series| complete_steps(&series.scales[place], scale.bar_multiple)).collect();
    let length = |sample: &Sample| steps[sample.series as usize][sample.row as usize].min(scale.window_bars);
    samples.iter().map(length).collect()
}

/// Returns, row by row, how many complete rows in steps of `bar_multiple` end there without a gap.
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
    use crate::fixture::daily_panel;

    #[test]
    fn complete_rows_are_counted_back_to_the_last_gap() {
        let values = (0..10).map(|row| if row == 3 { f64::NAN } else { f64::from(row) }).collect();
        let matrix = FeatureMatrix::new(10, vec![FeatureColumn::new("row", values)]).expect("one length");
        assert_eq!(complete_steps(&matrix, 1), [1, 2, 3, 0, 1, 2, 3, 4, 5, 6]);
        // In steps of 2, odd rows start again after row 3.
        assert_eq!(complete_steps(&matrix, 2), [1, 1, 2, 0, 3, 1, 4, 2, 5, 3]);
    }

    #[test]
    fn a_window_is_as_long_as_its_history_within_its_limits() {
        let panel = daily_panel(6, 1);
        let scale = |window_bars_min| ScaleSpec { window_bars: 4, bar_multiple: 1, window_bars_min };
        assert_eq!(rows_with_windows(&panel.series[0], &[scale(None)]), [false, false, false, true, true, true]);
        assert_eq!(rows_with_windows(&panel.series[0], &[scale(Some(2))]), [false, true, true, true, true, true]);
        let samples: Vec<_> = (1..6).map(|row| Sample { series: 0, row }).collect();
        assert_eq!(window_lengths(&panel, &samples, 0, scale(Some(2))), [2, 3, 4, 4, 4]);
    }
}
