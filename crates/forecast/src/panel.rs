//! Everything the forecasters may read, on one time axis.

use std::sync::Arc;

use tidegate_market::{FeatureMatrix, InstrumentId, TargetColumn, TargetLabel, Timestamp};

use crate::ForecastError;
use crate::fold::range;

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
    /// The labels, one column per horizon, the nearest first.
    pub targets: Vec<TargetColumn>,
    /// Exponentially weighted variance (decay 0.94) of the one-bar log returns known at the row; `None` in warm-up.
    pub ewma_variance: Vec<Option<f64>>,
    /// The log return from the close of the row before, `None` at the first row: see [`crate::one_bar_returns`].
    pub one_bar_return: Arc<[Option<f64>]>,
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
    /// [`ForecastError::Panel`] for a series whose parts differ in length, whose closing times do not increase, whose scales,
    /// feature names or targets differ from the first series', without a target, whose horizons do not increase, or with a
    /// label that reads a row before its own or past the end.
    pub fn new(series: Vec<PanelSeries>) -> Result<Self, ForecastError> {
        for one in &series {
            check_series(one, &series[0]).map_err(|rule| ForecastError::Panel { instrument: one.instrument, rule })?;
        }
        let mut axis: Vec<Timestamp> = series.iter().flat_map(|one| one.known_time.iter().copied()).collect();
        axis.sort_unstable();
        axis.dedup();
        Ok(Self { axis, series })
    }

    /// Returns the number of forecast horizons, `K`; 1 for a panel without series.
    pub fn horizons(&self) -> usize {
        self.series.first().map_or(1, |series| series.targets.len())
    }

    /// Returns when a row of a series became known.
    pub(crate) fn known_time(&self, series: u32, row: usize) -> Timestamp {
        self.series[series as usize].known_time[row]
    }

    /// Returns a sample's labels, the nearest horizon first, `K` of them.
    pub(crate) fn labels(&self, sample: Sample) -> impl Iterator<Item = Option<TargetLabel>> + '_ {
        let series = &self.series[sample.series as usize];
        series.targets.iter().map(move |target| target.labels[sample.row as usize])
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
        ("EWMA variances", series.ewma_variance.len()),
        ("one-bar returns", series.one_bar_return.len()),
    ];
    let labels = series.targets.iter().map(|target| ("labels", target.labels.len()));
    let features = series.scales.iter().map(|scale| ("feature rows", scale.rows()));
    for (what, found) in lengths.into_iter().chain(labels).chain(features) {
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
    if targets(series) != targets(first) {
        return Err("every instrument must have the targets of the first, in the same order".to_owned());
    }
    if series.targets.is_empty() {
        return Err("there must be at least `1` target, were `0`".to_owned());
    }
    if let Some(pair) = series.targets.windows(2).find(|pair| pair[1].horizon_bars <= pair[0].horizon_bars) {
        let [near, far] = [pair[0].horizon_bars, pair[1].horizon_bars];
        return Err(format!("horizons must increase from target to target, `{far}` follows `{near}`"));
    }
    series.targets.iter().try_for_each(check_spans)
}

/// Names the first label whose span is not within the rows from its own on.
fn check_spans(target: &TargetColumn) -> Result<(), String> {
    let rows = target.labels.len();
    for (row, label) in target.labels.iter().enumerate() {
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

/// Returns the names and horizons of the targets.
fn targets(series: &PanelSeries) -> Vec<(&str, u32)> {
    series.targets.iter().map(|target| (target.name.as_str(), target.horizon_bars)).collect()
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
///
/// A window is always the latest steps, however long the history before them. Where the complete rows that end at `i` without
/// a gap are fewer than `window_bars`, the row has no window, or with `window_bars_min` one of as many steps as there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScaleSpec {
    /// How many bars of the scale a window holds; at least 1.
    pub window_bars: usize,
    /// How many fine bars make one bar of the scale; at least 1.
    pub bar_multiple: usize,
    /// The fewest bars that a window may have, from 1 to `window_bars`; `window_bars` when not given.
    pub window_bars_min: Option<usize>,
}

impl ScaleSpec {
    /// Checks the lengths.
    ///
    /// # Errors
    /// [`ForecastError::Range`] for a length of 0, or a shortest window longer than the longest.
    pub fn validate(self) -> Result<(), ForecastError> {
        let Self { window_bars, bar_multiple, window_bars_min } = self;
        for (name, bars) in [("window_bars", window_bars), ("bar_multiple", bar_multiple)] {
            if bars == 0 {
                return Err(range(name, "at least 1".to_owned(), bars));
            }
        }
        match window_bars_min {
            Some(bars) if bars == 0 || bars > window_bars => {
                Err(range("window_bars_min", format!("from 1 to window_bars, `{window_bars}`"), bars))
            }
            _ => Ok(()),
        }
    }

    /// Returns how many rows before its own a full window reaches.
    pub const fn reach(self) -> usize {
        (self.window_bars - 1) * self.bar_multiple
    }

    /// Returns the fewest steps that a window may have.
    pub(crate) fn shortest_window(self) -> usize {
        self.window_bars_min.unwrap_or(self.window_bars)
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
    fn a_panel_has_as_many_horizons_as_targets() {
        let mut series = fixture::series(0, &[0, 1, 2, 3], 1);
        series.targets.push(fixture::labels(4, 0, 2));
        let panel = Panel::new(vec![series]).expect("sane");
        assert_eq!(panel.horizons(), 2);
        let labels: Vec<_> = panel.labels(Sample { series: 0, row: 2 }).map(|label| label.map(|l| l.value)).collect();
        assert_eq!(labels, [Some(0.002), None]);
    }

    #[test]
    fn parts_that_do_not_fit_are_named() {
        check(|s| s.targets.clear(), "every instrument must have the targets of the first, in the same order");
        check(
            |s| s.targets[0].horizon_bars = 2,
            "every instrument must have the targets of the first, in the same order",
        );
        check(|s| s.ewma_variance.truncate(2), "EWMA variances must be as many as the closing times, `4`, were `2`");
        check(|s| s.known_time.swap(1, 2), "closing times must increase");
        check(|s| s.scales.clear(), "every scale must have the features of the first instrument");
        check(
            |s| s.targets[0].labels[2].as_mut().expect("labelled").span_first_row = 1,
            "the label at row `2` must read rows from `2` to `3`, reads `1` to `3`",
        );
    }

    #[test]
    fn a_panel_needs_a_target_and_rising_horizons() {
        let one = |horizons: &[usize]| {
            let mut series = fixture::series(0, &[0, 1, 2, 3], 1);
            series.targets = horizons.iter().map(|&horizon| fixture::labels(4, 0, horizon)).collect();
            Panel::new(vec![series]).expect_err("refused").to_string()
        };
        assert!(one(&[]).contains("there must be at least `1` target, were `0`"));
        assert!(one(&[2, 1]).contains("horizons must increase from target to target, `1` follows `2`"));
        assert!(one(&[1, 1]).contains("horizons must increase from target to target, `1` follows `1`"));
    }
    #[test]
    fn window_lengths_outside_their_limits_are_refused() {
        let check = |window_bars, bar_multiple, window_bars_min, message: &str| {
            let error = ScaleSpec { window_bars, bar_multiple, window_bars_min }.validate().expect_err(message);
            assert_eq!(error.to_string(), message);
        };
        check(0, 1, None, "window_bars must be at least 1, was `0`");
        check(1, 0, None, "bar_multiple must be at least 1, was `0`");
        check(5, 1, Some(0), "window_bars_min must be from 1 to window_bars, `5`, was `0`");
        check(5, 1, Some(6), "window_bars_min must be from 1 to window_bars, `5`, was `6`");
        assert_eq!(ScaleSpec { window_bars: 5, bar_multiple: 2, window_bars_min: Some(5) }.validate(), Ok(()));
    }
}
