//! Everything the forecasters may read, on one time axis.

use tidegate_market::{FeatureMatrix, InstrumentId, TargetColumn, Timestamp};

use crate::ForecastError;

/// One instrument's features and labels, row by row.
#[derive(Debug, Clone)]
pub struct PanelSeries {
    /// The instrument.
    pub instrument: InstrumentId,
    /// The bars' time labels.
    pub time: Vec<Timestamp>,
    /// When each row became known: the bar's close.
    pub known_time: Vec<Timestamp>,
    /// One matrix per scale, each with this series' rows: row `i` holds the features of the scale's bar that ends at row `i`.
    pub scales: Vec<FeatureMatrix>,
    /// The labels.
    pub target: TargetColumn,
    /// Exponentially weighted variance (decay 0.94) of the one-bar log returns known at the row; `None` in warm-up.
    pub ewma_variance: Vec<Option<f64>>,
}

impl PanelSeries {
    /// Returns the number of rows.
    pub const fn len(&self) -> usize {
        self.known_time.len()
    }

    /// Returns whether there are no rows.
    pub const fn is_empty(&self) -> bool {
        self.known_time.is_empty()
    }
}

/// Several instruments on one axis of closing times. Histories may differ in length and have holes.
#[derive(Debug, Clone)]
pub struct Panel {
    /// The sorted, unique closing times of all series.
    pub axis: Vec<Timestamp>,
    /// The series in the instruments' order.
    pub series: Vec<PanelSeries>,
}

impl Panel {
    /// Checks the series and builds their common axis.
    ///
    /// # Errors
    /// [`ForecastError::Panel`] for a series whose parts differ in length, whose closing times do not increase, whose scales
    /// or feature names differ from the first series', or with a label that reads a row at or before it that is not its own,
    /// or past the end.
    pub fn new(series: Vec<PanelSeries>) -> Result<Self, ForecastError> {
        for one in &series {
            check_series(one, &series[0]).map_err(|rule| ForecastError::Panel { instrument: one.instrument, rule })?;
        }
        let mut axis: Vec<Timestamp> = series.iter().flat_map(|one| one.known_time.iter().copied()).collect();
        axis.sort_unstable();
        axis.dedup();
        Ok(Self { axis, series })
    }

    /// Returns the rows of a series that close within a range of the axis.
    pub(crate) fn rows_within(&self, series: usize, range: &std::ops::Range<usize>) -> std::ops::Range<usize> {
        if range.is_empty() {
            return 0..0;
        }
        let [first, last] = [self.axis[range.start], self.axis[range.end - 1]];
        let known_time = &self.series[series].known_time;
        known_time.partition_point(|&time| time < first)..known_time.partition_point(|&time| time <= last)
    }
}

/// Names the rule that a series breaks and what was found.
fn check_series(series: &PanelSeries, first: &PanelSeries) -> Result<(), String> {
    let rows = series.len();
    let lengths = [
        ("time labels", series.time.len()),
        ("labels", series.target.labels.len()),
        ("EWMA variances", series.ewma_variance.len()),
    ];
    for (what, found) in lengths.into_iter().chain(series.scales.iter().map(|scale| ("feature rows", scale.rows()))) {
        if found != rows {
            return Err(format!("{what} must be as many as the closing times, `{rows}`, were `{found}`"));
        }
    }
    if let Some(row) = (1..rows).find(|&row| series.known_time[row] <= series.known_time[row - 1]) {
        return Err(format!("closing times must increase, `{}` does not at row `{row}`", series.known_time[row]));
    }
    if feature_names(series) != feature_names(first) {
        return Err("every scale must have the features of the first instrument, in the same order".to_owned());
    }
    for (row, label) in series.target.labels.iter().enumerate() {
        let Some(label) = label else { continue };
        let [first_row, last_row] = [label.span_first_row, label.span_last_row];
        if first_row < row || last_row < first_row || last_row >= rows {
            return Err(format!(
                "the label at row `{row}` must read rows from `{row}` to `{}`, reads `{first_row}` to `{last_row}`",
                rows - 1
            ));
        }
    }
    Ok(())
}

/// Returns the feature names, scale by scale.
fn feature_names(series: &PanelSeries) -> Vec<Vec<&str>> {
    series
        .scales
        .iter()
        .map(|scale| scale.columns().iter().map(tidegate_market::FeatureColumn::name).collect())
        .collect()
}

/// The window of one scale: the window at row `i` reads rows `i - (window_bars - 1) * bar_multiple`, ...,
/// `i - bar_multiple`, `i`, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScaleSpec {
    /// How many bars of the scale a window holds; at least 1.
    pub window_bars: usize,
    /// How many fine bars make one bar of the scale; at least 1.
    pub bar_multiple: usize,
}

impl ScaleSpec {
    /// Returns how many rows before its own a window reaches.
    pub const fn reach(self) -> usize {
        (self.window_bars - 1) * self.bar_multiple
    }
}

/// One window set's place: a row of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// The place of the series in the panel.
    pub series: u32,
    /// The row at whose close the sample is known.
    pub row: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn check(spoil: impl FnOnce(&mut PanelSeries), message: &str) {
        let mut series = fixture::series(0, &[0, 1, 2, 3], 1);
        spoil(&mut series);
        let error = Panel::new(vec![fixture::series(1, &[0, 1], 1), series]).expect_err(message).to_string();
        assert!(error.starts_with("instrument `0`: ") && error.contains(message), "{error}");
    }

    #[test]
    fn the_axis_is_the_union_of_closing_times() {
        let series = vec![fixture::series(0, &[0, 2, 4], 1), fixture::series(1, &[1, 2, 5], 1)];
        let panel = Panel::new(series).expect("sane");
        assert_eq!(panel.axis, [0, 1, 2, 4, 5].map(fixture::close));
        assert_eq!(panel.rows_within(0, &(1..4)), 1..3);
        assert_eq!(panel.rows_within(1, &(3..5)), 2..3);
        assert_eq!(panel.rows_within(1, &(5..5)), 0..0);
    }

    #[test]
    fn parts_that_do_not_fit_are_named() {
        check(|s| s.ewma_variance.truncate(2), "EWMA variances must be as many as the closing times, `4`, were `2`");
        check(|s| s.known_time.swap(1, 2), "closing times must increase");
        check(|s| s.scales.clear(), "every scale must have the features of the first instrument");
        check(
            |s| s.target.labels[2].as_mut().expect("labelled").span_first_row = 1,
            "the label at row `2` must read rows from `2` to `3`, reads `1` to `3`",
        );
    }
}
