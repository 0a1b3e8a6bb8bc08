//! How much each sample counts in a training: less where its label shares its returns with others, less the older it is.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_market::TargetLabel;

use crate::fold::range;
use crate::{ForecastError, Panel, Sample, SampleSet};

/// How training samples are weighted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WeightSpec {
    /// What a label counts before its age does.
    pub label: LabelWeight,
    /// Bars of the axis after which a sample counts half as much as the latest one; without it age does not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub half_life_bars: Option<f64>,
}

/// What a label counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LabelWeight {
    /// Each the same.
    Equal,
    /// Each its average uniqueness (López de Prado 2018, sections 4.3 and 4.4): over the one-bar returns that the label reads,
    /// the mean of `1 / c_t`, where `c_t` labels of the same series, horizon and sample set read the return of bar `t`.
    ///
    /// A label that reads the prices of rows `i` to `j` reads the returns of rows `i + 1` to `j`, so that labels of one bar
    /// are each unique; one that reads a single row counts that row. A sample with several horizons counts the mean of the
    /// labels that it has.
    Uniqueness,
}

impl WeightSpec {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`ForecastError::Range`] for a half-life that is not above 0.
    pub fn validate(&self) -> Result<(), ForecastError> {
        match self.half_life_bars {
            Some(bars) if !(bars.is_finite() && bars > 0.0) => {
                Err(range("half_life_bars", "finite and above 0".to_owned(), bars))
            }
            _ => Ok(()),
        }
    }
}

impl SampleSet {
    /// Weighs the samples: `label weight * 0.5^(age / half-life)`, divided by their mean, so that a loss keeps its size.
    ///
    /// Age is counted in bars of the axis up to the set's latest sample. Only labels that the set has count: a purged label
    /// makes no other one less unique. A sample without a label counts as a unique one.
    ///
    /// # Errors
    /// [`ForecastError::Range`] for a half-life that is not above 0, or so short that the earliest sample's weight is 0.
    ///
    /// # Panics
    /// When the set is not of this panel.
    pub fn weigh(&mut self, panel: &Panel, spec: &WeightSpec) -> Result<(), ForecastError> {
        spec.validate()?;
        let mut weight = match spec.label {
            LabelWeight::Equal => vec![1.0; self.samples.len()],
            LabelWeight::Uniqueness => average_uniqueness(panel, self),
        };
        if let Some(half_life) = spec.half_life_bars {
            let places: Vec<usize> = self.samples.iter().map(|&sample| place_on_axis(panel, sample)).collect();
            let latest = places.last().copied().unwrap_or(0);
            for (weight, place) in weight.iter_mut().zip(places) {
                *weight *= (-((latest - place) as f64) / half_life).exp2();
            }
        }
        let mean = weight.iter().sum::<f64>() / weight.len() as f64;
        for weight in &mut weight {
            *weight /= mean;
        }
        if let (Some(half_life), true) = (spec.half_life_bars, weight.contains(&0.0)) {
            let rule = "long enough for the earliest sample to count".to_owned();
            return Err(range("half_life_bars", rule, half_life));
        }
        self.weight = weight;
        Ok(())
    }
}

fn place_on_axis(panel: &Panel, sample: Sample) -> usize {
    let known = panel.known_time(sample.series, sample.row as usize);
    panel.axis.partition_point(|&time| time < known)
}

/// Returns, sample by sample, the mean over its horizons of its labels' average uniqueness.
fn average_uniqueness(panel: &Panel, set: &SampleSet) -> Vec<f64> {
    let mut concurrency: Vec<Vec<Vec<u32>>> =
        panel.series.iter().map(|series| vec![vec![0; series.len()]; set.horizons]).collect();
    for (place, &sample) in set.iter().enumerate() {
        for (horizon, label) in labels_of(panel, set, place) {
            for count in &mut concurrency[sample.series as usize][horizon][returns_read(label)] {
                *count += 1;
            }
        }
    }
    let uniqueness = |(place, sample): (usize, &Sample)| {
        let concurrency = &concurrency[sample.series as usize];
        let labels = labels_of(panel, set, place).map(|(horizon, label)| {
            let counts = &concurrency[horizon][returns_read(label)];
            counts.iter().map(|&count| 1.0 / f64::from(count)).sum::<f64>() / counts.len() as f64
        });
        let labels: Vec<f64> = labels.collect();
        if labels.is_empty() { 1.0 } else { labels.iter().sum::<f64>() / labels.len() as f64 }
    };
    set.iter().enumerate().map(uniqueness).collect()
}

/// Returns the horizons, from 0, at which the set has a label for its sample, and those labels.
fn labels_of(panel: &Panel, set: &SampleSet, place: usize) -> impl Iterator<Item = (usize, TargetLabel)> {
    let labels = panel.labels(set.samples[place]).zip(set.labels(place)).enumerate();
    labels.filter_map(|(horizon, (label, kept))| Some((horizon, label.filter(|_| kept.is_some())?)))
}

/// Returns the rows whose one-bar return a label reads.
const fn returns_read(label: TargetLabel) -> RangeInclusive<usize> {
    let TargetLabel { span_first_row, span_last_row, .. } = label;
    if span_first_row < span_last_row { span_first_row + 1..=span_last_row } else { span_first_row..=span_last_row }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixture::{daily_panel, labels, series};
    use crate::sample_laws::{days, horizons, panel as any_panel};
    use crate::{Fold, ScaleSpec, fold_samples};

    const UNIQUENESS: WeightSpec = WeightSpec { label: LabelWeight::Uniqueness, half_life_bars: None };

    fn rows(series: u32, rows: &[u32]) -> Vec<Sample> {
        rows.iter().map(|&row| Sample { series, row }).collect()
    }

    fn weights(panel: &Panel, samples: Vec<Sample>, spec: &WeightSpec) -> Vec<f64> {
        let mut set = SampleSet::with_all_labels(panel, samples);
        set.weigh(panel, spec).expect("valid");
        set.weight
    }

    fn check(panel: &Panel, samples: Vec<Sample>, spec: &WeightSpec, expected: &[f64]) {
        let weights = weights(panel, samples, spec);
        assert_eq!(weights.len(), expected.len());
        for (weight, expected) in weights.iter().zip(expected) {
            assert!((weight - expected).abs() < 1e-15, "{weights:?}");
        }
    }

    #[test]
    fn the_example_of_the_book_has_its_uniqueness() {
        // López de Prado 2018, section 4.5.3: labels of the returns from 0 to 3, 2 to 4 and 4 to 6. Only return 3 is read
        // twice, so the labels' uniqueness is (1 + 1 + 1/2) / 3, (1/2 + 1) / 2 and 1: 30, 27 and 36 of 36, mean 31 of 36.
        let mut panel = daily_panel(7, 1);
        for (row, last) in [(0, 3), (2, 4), (4, 6)] {
            let label = TargetLabel { value: 0.0, span_first_row: row, span_last_row: last };
            panel.series[0].targets[0].labels[row] = Some(label);
        }
        check(&panel, rows(0, &[0, 2, 4]), &UNIQUENESS, &[30.0 / 31.0, 27.0 / 31.0, 36.0 / 31.0]);
    }

    #[test]
    fn labels_of_one_bar_are_unique() {
        check(&daily_panel(6, 1), rows(0, &[0, 1, 2, 3]), &UNIQUENESS, &[1.0; 4]);
        check(&daily_panel(6, 0), rows(0, &[0, 1, 2, 3]), &UNIQUENESS, &[1.0; 4]);
    }

    #[test]
    fn overlapping_labels_count_less_than_the_outer_ones() {
        // Returns 1 and 2, 2 and 3, 3 and 4, 4 and 5: the inner ones are read twice. 3/4, 1/2, 1/2, 3/4, mean 5/8.
        check(&daily_panel(9, 2), rows(0, &[0, 1, 2, 3]), &UNIQUENESS, &[1.2, 0.8, 0.8, 1.2]);
    }

    #[test]
    fn other_series_do_not_make_a_label_less_unique() {
        let days: Vec<i64> = (0..9).collect();
        let panel = Panel::new(vec![series(0, &days, 2), series(1, &days, 2)]).expect("sane");
        // Rows 0 and 1 of the first overlap: 3/4 each; row 0 of the second is unique; mean 5/6.
        let samples = vec![Sample { series: 0, row: 0 }, Sample { series: 1, row: 0 }, Sample { series: 0, row: 1 }];
        check(&panel, samples, &UNIQUENESS, &[0.9, 1.2, 0.9]);
    }

    #[test]
    fn a_sample_of_several_horizons_counts_the_mean_of_the_labels_it_has() {
        // Over one bar rows 0, 1, 2 are unique. Over two bars row 2 of five reads past the end of training bars 0..4, so
        // rows 0 and 1 share return 2: 3/4 each. Samples: 7/8, 7/8, 1; mean 11/12.
        let mut one = series(0, &[0, 1, 2, 3, 4], 1);
        one.targets.push(labels(5, 0, 2));
        let panel = Panel::new(vec![one]).expect("sane");
        let fold = Fold { index: 0, train: 0..4, valid: 4..5, test: 5..5 };
        let mut train =
            fold_samples(&panel, &fold, &[ScaleSpec { window_bars: 1, bar_multiple: 1, window_bars_min: None }]).train;
        assert_eq!(train.labels(2), [Some(0.002), None]);
        train.weigh(&panel, &UNIQUENESS).expect("valid");
        for (weight, expected) in train.weight.iter().zip([10.5 / 11.0, 10.5 / 11.0, 12.0 / 11.0]) {
            assert!((weight - expected).abs() < 1e-15, "{:?}", train.weight);
        }
    }

    #[test]
    fn a_sample_a_half_life_older_counts_half_as_much() {
        // Ages 4, 2 and 0 at a half-life of 2: 1/4, 1/2, 1; mean 7/12.
        let spec = WeightSpec { label: LabelWeight::Equal, half_life_bars: Some(2.0) };
        check(&daily_panel(6, 1), rows(0, &[0, 2, 4]), &spec, &[3.0 / 7.0, 6.0 / 7.0, 12.0 / 7.0]);
        // Age counts bars of the axis: the second series' row 1 closes on day 4, which is the axis' fourth bar.
        let panel = Panel::new(vec![series(0, &[0, 1, 2], 1), series(1, &[0, 4], 1)]).expect("sane");
        let samples = vec![Sample { series: 0, row: 1 }, Sample { series: 1, row: 1 }];
        check(&panel, samples, &spec, &[2.0 / 3.0, 4.0 / 3.0]);
    }

    #[test]
    fn no_samples_have_no_weights() {
        check(&daily_panel(3, 1), vec![], &UNIQUENESS, &[]);
    }

    #[test]
    fn a_half_life_that_forgets_everything_is_refused() {
        let spec = |half_life_bars| WeightSpec { label: LabelWeight::Equal, half_life_bars: Some(half_life_bars) };
        let message = |half_life| {
            let panel = daily_panel(30, 1);
            let mut set = SampleSet::with_all_labels(&panel, rows(0, &[0, 20]));
            set.weigh(&panel, &spec(half_life)).expect_err("refused").to_string()
        };
        assert_eq!(message(0.0), "half_life_bars must be finite and above 0, was `0`");
        assert_eq!(message(0.001), "half_life_bars must be long enough for the earliest sample to count, was `0.001`");
    }

    #[test]
    fn a_spec_reads_as_in_the_config() {
        let spec: WeightSpec = serde_json::from_str(r#"{"label": "uniqueness"}"#).expect("valid");
        assert_eq!(spec, UNIQUENESS);
        let spec: WeightSpec = serde_json::from_str(r#"{"label": "equal", "half_life_bars": 250}"#).expect("valid");
        assert_eq!(spec, WeightSpec { label: LabelWeight::Equal, half_life_bars: Some(250.0) });
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

        #[test]
        fn weights_have_mean_one_and_do_not_depend_on_purged_labels_or_values(
            histories in proptest::collection::vec(days(), 1..3),
            horizons in horizons(),
            train_bars in 10_usize..30,
        ) {
            let whole = any_panel(&histories, 0, &horizons);
            let fold = Fold { index: 0, train: 0..train_bars, valid: train_bars..train_bars + 2, test: 0..0 };
            let weigh = |panel: &Panel| {
                let mut train = fold_samples(panel, &fold, &[ScaleSpec { window_bars: 1, bar_multiple: 1, window_bars_min: None }]).train;
                train.weigh(panel, &UNIQUENESS).expect("valid");
                train.weight
            };
            let weight = weigh(&whole);
            let mean = weight.iter().sum::<f64>() / weight.len() as f64;
            prop_assert!(weight.is_empty() || (mean - 1.0).abs() < 1e-12);
            prop_assert!(weight.iter().all(|&weight| weight > 0.0));
            // Take away all that closes after training, and change what the labels say.
            let mut past = whole.clone();
            for series in &mut past.series {
                let known_time = &series.known_time;
                for label in series.targets.iter_mut().flat_map(|target| &mut target.labels) {
                    let past = label.filter(|label| known_time[label.span_last_row] < whole.axis[train_bars]);
                    *label = past.map(|label| TargetLabel { value: -7.0, ..label });
                }
            }
            prop_assert_eq!(weigh(&past), weight);
        }
    }
}
