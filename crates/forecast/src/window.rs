//! Windows: the scaled rows that a model reads for each sample.

use std::ops::Range;

use crate::history::window_lengths;
use crate::{Panel, ReturnHistory, Sample, SampleSet, ScaleSpec, Scaler};

/// The windows of one scale.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowBlock {
    /// Steps of a window, `T`.
    pub steps: usize,
    /// Features of a step, `F`.
    pub features: usize,
    /// The scaled features.
    ///
    /// # Shapes
    /// `[N, T, F]`, row-major, oldest step first.
    pub values: Vec<f32>,
    /// Valid steps of each window, `[N]`: a shorter window lies at the end of its `T` steps and the steps before it are 0.
    /// Empty where every window is full.
    pub lengths: Vec<u32>,
}

impl WindowBlock {
    /// Returns one sample's window.
    ///
    /// # Shapes
    /// `[T, F]`, row-major, oldest step first.
    pub fn window(&self, sample: usize) -> &[f32] {
        let size = self.steps * self.features;
        &self.values[sample * size..(sample + 1) * size]
    }

    /// Returns the features of one sample's last step: those of the sample's own row.
    ///
    /// # Shapes
    /// `[F]`.
    pub fn last_step(&self, sample: usize) -> &[f32] {
        &self.window(sample)[(self.steps - 1) * self.features..]
    }
}

/// The windows of a set of samples over every scale, with their labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Windows {
    /// One block per scale.
    pub scales: Vec<WindowBlock>,
    /// The samples, `N` of them.
    pub samples: Vec<Sample>,
    /// Forecast horizons, `K`, at least 1.
    pub horizons: usize,
    /// Each sample's labels; `None` where the future does not reach far enough, or where the label is purged.
    ///
    /// # Shapes
    /// `[N, K]`, row-major, the nearest horizon first.
    pub target: Vec<Option<f64>>,
    /// How much each sample counts in a training, `[N]`, above 0 with mean 1; empty where all count the same.
    pub weight: Vec<f64>,
    /// Each sample's EWMA variance of one-bar log returns; `None` in warm-up.
    pub ewma_variance: Vec<Option<f64>>,
    /// The one-bar returns of every series of the panel; `None` for windows that no panel was cut into.
    pub history: Option<ReturnHistory>,
}

impl Default for Windows {
    /// No samples, of one horizon and no scale.
    fn default() -> Self {
        Self {
            scales: Vec::new(),
            samples: Vec::new(),
            horizons: 1,
            target: Vec::new(),
            weight: Vec::new(),
            ewma_variance: Vec::new(),
            history: None,
        }
    }
}

impl Windows {
    /// Returns the number of samples.
    pub const fn len(&self) -> usize {
        self.samples.len()
    }

    /// Returns whether there are no samples.
    pub const fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }
}

/// Gathers the windows of a set of samples, with the labels and weights that the set has.
///
/// A window holds the latest `window_bars` steps and no more. Where [`ScaleSpec::window_bars_min`] lets a window be shorter, it
/// takes as many complete rows as end at the sample without a gap, up to `window_bars`, and says so in
/// [`lengths`](WindowBlock::lengths).
///
/// # Panics
/// When a window is incomplete or runs before the first row, which [`crate::split_samples`] never lets happen for the same
/// scales, or when the scaler was fitted on other features.
pub fn windows(panel: &Panel, set: &SampleSet, scales: &[ScaleSpec], scaler: &Scaler) -> Windows {
    let samples = &set.samples;
    let blocks = scales.iter().enumerate().map(|(place, &scale)| {
        let lengths = window_lengths(panel, samples, place, scale);
        let rows = ScaledRows::new(panel, samples, place, scale, &lengths, scaler);
        let values = gather(&rows, samples, scale, &lengths);
        let short = lengths.iter().any(|&length| length < scale.window_bars);
        let lengths = if short { lengths.into_iter().map(|length| length as u32).collect() } else { Vec::new() };
        WindowBlock { steps: scale.window_bars, features: rows.features, values, lengths }
    });
    let variance = |sample: &Sample| panel.series[sample.series as usize].ewma_variance[sample.row as usize];
    Windows {
        scales: blocks.collect(),
        samples: samples.clone(),
        horizons: set.horizons,
        target: set.target.clone(),
        weight: set.weight.clone(),
        ewma_variance: samples.iter().map(variance).collect(),
        history: Some(ReturnHistory::new(panel)),
    }
}

/// The rows of one scale that some window reads, scaled once each and row-major, so that a window is a copy.
struct ScaledRows {
    features: usize,
    /// Per series: the first row, then the values of it and the rows after it.
    series: Vec<(usize, Vec<f32>)>,
}

impl ScaledRows {
    fn new(
        panel: &Panel,
        samples: &[Sample],
        place: usize,
        scale: ScaleSpec,
        lengths: &[usize],
        scaler: &Scaler,
    ) -> Self {
        let scaling = &scaler.scales[place];
        let mut needed: Vec<Range<usize>> = vec![0..0; panel.series.len()];
        for (sample, &length) in samples.iter().zip(lengths) {
            let row = sample.row as usize;
            let first = first_row(*sample, length, scale);
            let range = &mut needed[sample.series as usize];
            *range =
                if Range::is_empty(range) { first..row + 1 } else { range.start.min(first)..range.end.max(row + 1) };
        }
        let series = panel.series.iter().zip(needed).map(|(one, range)| {
            let columns = one.scales[place].columns();
            assert_eq!(columns.len(), scaling.len(), "a scaler fitted on the same features");
            let mut values = vec![0.0; range.len() * scaling.len()];
            for (feature, (column, column_scaling)) in columns.iter().zip(scaling).enumerate() {
                assert_eq!(column.name(), column_scaling.name, "a scaler fitted on the same features");
                let slots = values.iter_mut().skip(feature).step_by(scaling.len());
                for (slot, &value) in slots.zip(column.values().get(range.clone()).unwrap_or_default()) {
                    // `max` and `min` drop a NaN, so a missing value must not reach the clip.
                    *slot = if value.is_nan() { f32::NAN } else { column_scaling.apply(value) as f32 };
                }
            }
            (range.start, values)
        });
        Self { features: scaling.len(), series: series.collect() }
    }
}

/// Returns the first row that a window of so many steps reads.
fn first_row(sample: Sample, length: usize, scale: ScaleSpec) -> usize {
    let steps_back = length.checked_sub(1).expect("a sample has a row to look at");
    let row = sample.row as usize;
    row.checked_sub(steps_back * scale.bar_multiple).expect("a window starts at or after the first row")
}

/// Copies the windows out, sample by sample, a short one behind as many steps of zeros as it lacks.
fn gather(rows: &ScaledRows, samples: &[Sample], scale: ScaleSpec, lengths: &[usize]) -> Vec<f32> {
    let features = rows.features;
    let mut values = Vec::with_capacity(samples.len() * scale.window_bars * features);
    for (sample, &length) in samples.iter().zip(lengths) {
        let (start, scaled) = &rows.series[sample.series as usize];
        let first = first_row(*sample, length, scale) - start;
        values.resize(values.len() + (scale.window_bars - length) * features, 0.0);
        if scale.bar_multiple == 1 {
            values.extend_from_slice(&scaled[first * features..(first + length) * features]);
        } else {
            for step in 0..length {
                let row = first + step * scale.bar_multiple;
                values.extend_from_slice(&scaled[row * features..(row + 1) * features]);
            }
        }
    }
    // Without a short cut, so that it vectorises.
    let missing = values.iter().fold(false, |missing, value| missing | value.is_nan());
    assert!(!missing, "a sample's window is complete");
    values
}

#[cfg(test)]
mod tests {
    use tidegate_market::{FeatureColumn, FeatureMatrix};

    use super::*;
    use crate::fixture::{daily_panel, series};
    use crate::{PanelSeries, ScalerSpec};

    /// A series with two scales; the second has two features, `100 + row` and `-row`.
    fn two_scales(instrument: u32, rows: usize) -> PanelSeries {
        let days: Vec<i64> = (0..rows as i64).collect();
        let mut one = series(instrument, &days, 1);
        let columns = vec![
            FeatureColumn::new("plus", (0..rows).map(|row| 100.0 + row as f64).collect()),
            FeatureColumn::new("minus", (0..rows).map(|row| -(row as f64)).collect()),
        ];
        one.scales.push(FeatureMatrix::new(rows, columns).expect("one length"));
        one
    }

    fn unscaled(panel: &Panel) -> Scaler {
        Scaler::fit(panel, &[0..panel.axis.len()], &ScalerSpec::None {}).expect("nothing to fit")
    }

    fn set(panel: &Panel, samples: &[Sample]) -> SampleSet {
        SampleSet::with_all_labels(panel, samples.to_vec())
    }

    const SCALES: [ScaleSpec; 2] = [
        ScaleSpec { window_bars: 3, bar_multiple: 1, window_bars_min: None },
        ScaleSpec { window_bars: 2, bar_multiple: 5, window_bars_min: None },
    ];

    #[test]
    fn a_window_ends_at_its_own_row_and_steps_by_the_multiple() {
        let panel = Panel::new(vec![two_scales(0, 10), two_scales(1, 10)]).expect("sane");
        let samples = [Sample { series: 1, row: 7 }, Sample { series: 0, row: 5 }];
        let windows = windows(&panel, &set(&panel, &samples), &SCALES, &unscaled(&panel));
        assert_eq!((windows.scales[0].steps, windows.scales[0].features), (3, 1));
        assert_eq!(windows.scales[0].values, [5.0, 6.0, 7.0, 3.0, 4.0, 5.0]);
        assert_eq!(windows.scales[1].window(0), [102.0, -2.0, 107.0, -7.0]);
        assert_eq!(windows.scales[1].window(1), [100.0, 0.0, 105.0, -5.0]);
        assert_eq!(windows.scales[1].last_step(1), [105.0, -5.0]);
        assert_eq!(windows.target, [Some(0.007), Some(0.005)]);
    }

    #[test]
    fn a_sample_at_the_end_of_the_data_has_windows_and_no_label() {
        let panel = daily_panel(4, 1);
        let end = set(&panel, &[Sample { series: 0, row: 3 }]);
        let last = windows(&panel, &end, &SCALES[..1], &unscaled(&panel));
        assert_eq!(last.scales[0].values, [1.0, 2.0, 3.0]);
        assert_eq!((last.target[0], last.ewma_variance[0]), (None, Some(1e-4)));
    }

    #[test]
    fn values_pass_through_the_scaler() {
        let panel = daily_panel(5, 1);
        // Rows 0..3 are 0, 1, 2: mean 1, population variance 2/3; row 4 becomes 3 / sqrt(2/3) = 3.674235.
        let scaler = Scaler::fit(&panel, &[0..3], &ScalerSpec::Standard { winsorize_iqr: None }).expect("fits");
        let one = windows(
            &panel,
            &set(&panel, &[Sample { series: 0, row: 4 }]),
            &[ScaleSpec { window_bars: 1, bar_multiple: 1, window_bars_min: None }],
            &scaler,
        );
        assert!((f64::from(one.scales[0].values[0]) - 3.674_234_6).abs() < 1e-6);
    }

    #[test]
    fn no_samples_give_empty_blocks_of_the_right_shape() {
        let panel = Panel::new(vec![two_scales(0, 10)]).expect("sane");
        let none = windows(&panel, &set(&panel, &[]), &SCALES, &unscaled(&panel));
        assert!(none.is_empty());
        assert_eq!((none.scales[1].steps, none.scales[1].features, none.scales[1].values.len()), (2, 2, 0));
    }

    #[test]
    #[should_panic(expected = "a sample's window is complete")]
    fn a_missing_value_never_becomes_a_number() {
        let mut panel = daily_panel(3, 1);
        let column = FeatureColumn::new("row", vec![0.0, f64::NAN, 2.0]);
        panel.series[0].scales[0] = FeatureMatrix::new(3, vec![column]).expect("one length");
        let mut scaler = unscaled(&panel);
        scaler.scales[0][0].lower = Some(-1.0);
        windows(&panel, &set(&panel, &[Sample { series: 0, row: 2 }]), &SCALES[..1], &scaler);
    }

    #[test]
    fn a_short_window_lies_at_the_end_behind_zeros() {
        let panel = Panel::new(vec![two_scales(0, 10)]).expect("sane");
        let scales = [
            ScaleSpec { window_bars: 3, bar_multiple: 1, window_bars_min: Some(1) },
            ScaleSpec { window_bars: 2, bar_multiple: 5, window_bars_min: Some(1) },
        ];
        let samples = [1, 4, 6].map(|row| Sample { series: 0, row });
        let windows = windows(&panel, &set(&panel, &samples), &scales, &unscaled(&panel));
        assert_eq!(windows.scales[0].values, [0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 4.0, 5.0, 6.0]);
        assert_eq!(windows.scales[0].lengths, [2, 3, 3]);
        assert_eq!(windows.scales[1].window(0), [0.0, 0.0, 101.0, -1.0]);
        assert_eq!(windows.scales[1].window(2), [101.0, -1.0, 106.0, -6.0]);
        assert_eq!(windows.scales[1].lengths, [1, 1, 2]);
    }

    #[test]
    fn full_windows_need_no_lengths() {
        let panel = daily_panel(10, 1);
        let scale = [ScaleSpec { window_bars: 3, bar_multiple: 1, window_bars_min: Some(1) }];
        let full = windows(&panel, &set(&panel, &[Sample { series: 0, row: 2 }]), &scale, &unscaled(&panel));
        assert_eq!(full.scales[0].lengths, [] as [u32; 0]);
    }
}
