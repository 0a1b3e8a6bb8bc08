//! Scaling of feature columns, fitted on a training range and applied unchanged ever after.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_market::FeatureMatrix;

use crate::statistics::{extremes, mean_and_deviation, quartiles};
use crate::{ForecastError, Panel};

/// How feature columns are scaled.
///
/// With `winsorize_iqr = k` a column is first clipped to `[q25 - k (q75 - q25), q75 + k (q75 - q25)]`, quartiles of the
/// training rows (linear interpolation, as in `NumPy`); a column whose quartiles are equal is not clipped, because that
/// would wipe out a feature that is rarely anything but its usual value. Everything else is computed on the clipped values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ScalerSpec {
    /// Values as they are.
    None {},
    /// `(x - mean) / standard deviation`, the deviation over `n` (ddof 0).
    Standard {
        /// Clips at this many interquartile ranges beyond the quartiles; above 0.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        winsorize_iqr: Option<f64>,
    },
    /// `(x - median) / (q75 - q25)`; the standard deviation stands in for equal quartiles.
    Robust {
        /// Clips at this many interquartile ranges beyond the quartiles; above 0.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        winsorize_iqr: Option<f64>,
    },
    /// To `[-1, 1]`: `(x - (min + max) / 2) / ((max - min) / 2)`; values beyond the training range leave the interval.
    MinMax {
        /// Clips at this many interquartile ranges beyond the quartiles; above 0.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        winsorize_iqr: Option<f64>,
    },
}

impl ScalerSpec {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`ForecastError::Range`] for a `winsorize_iqr` that is not above 0.
    pub fn validate(&self) -> Result<(), ForecastError> {
        match self.winsorize_iqr() {
            Some(k) if !(k.is_finite() && k > 0.0) => Err(ForecastError::Range {
                name: "winsorize_iqr",
                rule: "finite and above 0".to_owned(),
                value: k.to_string(),
            }),
            _ => Ok(()),
        }
    }

    const fn winsorize_iqr(&self) -> Option<f64> {
        match *self {
            Self::None {} => None,
            Self::Standard { winsorize_iqr } | Self::Robust { winsorize_iqr } | Self::MinMax { winsorize_iqr } => {
                winsorize_iqr
            }
        }
    }
}

/// How one column is scaled: `(clip(x, lower, upper) - center) / spread`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnScaling {
    /// The feature's name.
    pub name: String,
    /// The lower clip, in the feature's unit; `None` clips nothing.
    pub lower: Option<f64>,
    /// The upper clip, in the feature's unit; `None` clips nothing.
    pub upper: Option<f64>,
    /// What becomes 0.
    pub center: f64,
    /// What becomes 1 above the center; never 0: a column that is constant in training has a spread of 1.
    pub spread: f64,
}

impl ColumnScaling {
    /// Scales one value.
    pub fn apply(&self, value: f64) -> f64 {
        let clipped = self.lower.map_or(value, |lower| value.max(lower));
        let clipped = self.upper.map_or(clipped, |upper| clipped.min(upper));
        (clipped - self.center) / self.spread
    }
}

/// A fitted scaler: one [`ColumnScaling`] per scale and column, pooled over the panel's series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaler {
    /// Scale by scale, column by column, in the panel's order.
    pub scales: Vec<Vec<ColumnScaling>>,
}

impl Scaler {
    /// Fits on the rows that close within `train`, a fold's training ranges of the axis
    /// ([`train_bars`](crate::FoldSamples::train_bars)), and on no other row.
    ///
    /// A row counts for a scale when all its features of that scale are there, once, however many windows read it. Rows before
    /// a range, which the first windows of a rolling fold still read, do not count; nor do rows after it.
    ///
    /// # Errors
    /// [`ForecastError::TooFewSamples`] when a scale has no complete row in the ranges, [`ForecastError::NotFinite`] when a column
    /// overflows, and those of [`ScalerSpec::validate`].
    pub fn fit(panel: &Panel, train: &[Range<usize>], spec: &ScalerSpec) -> Result<Self, ForecastError> {
        spec.validate()?;
        let count = panel.series.first().map_or(0, |series| series.scales.len());
        let scales = (0..count).map(|scale| fit_scale(panel, scale, train, spec)).collect::<Result<_, _>>()?;
        Ok(Self { scales })
    }
}

fn fit_scale(
    panel: &Panel,
    scale: usize,
    train: &[Range<usize>],
    spec: &ScalerSpec,
) -> Result<Vec<ColumnScaling>, ForecastError> {
    let rows: Vec<(&FeatureMatrix, Vec<usize>)> = panel
        .series
        .iter()
        .enumerate()
        .map(|(place, series)| {
            let matrix = &series.scales[scale];
            let rows = train.iter().flat_map(|range| panel.rows_within(place, range));
            (matrix, rows.filter(|&row| matrix.row_is_complete(row)).collect())
        })
        .collect();
    let names = panel.series[0].scales[scale].columns().iter().map(|column| column.name().to_owned());
    names
        .enumerate()
        .map(|(place, name)| {
            let values = rows.iter().flat_map(|(matrix, rows)| {
                let column = matrix.columns()[place].values();
                rows.iter().map(|&row| column[row])
            });
            fit_column(name, values.collect(), spec)
        })
        .collect()
}

fn fit_column(name: String, mut values: Vec<f64>, spec: &ScalerSpec) -> Result<ColumnScaling, ForecastError> {
    if matches!(spec, ScalerSpec::None {}) {
        return Ok(ColumnScaling { name, lower: None, upper: None, center: 0.0, spread: 1.0 });
    }
    if values.is_empty() {
        return Err(ForecastError::TooFewSamples { set: "the scaler's training range", needed: 1, found: 0 });
    }
    let clip = spec.winsorize_iqr().and_then(|k| {
        let [low, _, high] = quartiles(&values);
        (high > low).then_some((low - k * (high - low), high + k * (high - low)))
    });
    if let Some((lower, upper)) = clip {
        for value in &mut values {
            *value = value.clamp(lower, upper);
        }
    }
    let (center, spread) = match spec {
        ScalerSpec::None {} => (0.0, 1.0),
        ScalerSpec::Standard { .. } => mean_and_deviation(&values),
        ScalerSpec::Robust { .. } => match quartiles(&values) {
            [low, median, high] if high > low => (median, high - low),
            [_, median, _] => (median, mean_and_deviation(&values).1),
        },
        ScalerSpec::MinMax { .. } => {
            let [min, max] = extremes(&values);
            (f64::midpoint(min, max), max / 2.0 - min / 2.0)
        }
    };
    if !(center.is_finite() && spread.is_finite()) {
        let value = if center.is_finite() { spread } else { center };
        return Err(ForecastError::NotFinite { what: format!("the scaling of feature `{name}`"), value });
    }
    let (lower, upper) = clip.unzip();
    Ok(ColumnScaling { name, lower, upper, center, spread: if is_constant(&values, spread) { 1.0 } else { spread } })
}

/// Returns whether a spread is nothing but the rounding of a constant column.
fn is_constant(values: &[f64], spread: f64) -> bool {
    let [min, max] = extremes(values);
    spread <= 1e-13 * min.abs().max(max.abs())
}

#[cfg(test)]
mod tests {
    use tidegate_market::FeatureColumn;

    use super::*;
    use crate::fixture::{daily_panel, series};

    const STANDARD: ScalerSpec = ScalerSpec::Standard { winsorize_iqr: None };

    fn panel(values: &[f64]) -> Panel {
        let mut panel = daily_panel(values.len(), 1);
        let column = FeatureColumn::new("x", values.to_vec());
        panel.series[0].scales[0] = FeatureMatrix::new(values.len(), vec![column]).expect("one length");
        panel
    }

    fn fit(values: &[f64], spec: ScalerSpec) -> ColumnScaling {
        let scaler = Scaler::fit(&panel(values), &[0..values.len()], &spec).expect("fits");
        scaler.scales[0][0].clone()
    }

    fn check(values: &[f64], spec: ScalerSpec, center: f64, spread: f64) {
        let fitted = fit(values, spec);
        assert!((fitted.center - center).abs() < 1e-15 && (fitted.spread - spread).abs() < 1e-15, "{fitted:?}");
    }

    #[test]
    fn each_scaler_takes_its_center_and_spread() {
        // 2, 4, 4, 4, 5, 5, 7, 9: mean 5, population deviation 2; quartiles 4, 4.5, 5.5; extremes 2 and 9.
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        check(&values, ScalerSpec::None {}, 0.0, 1.0);
        check(&values, STANDARD, 5.0, 2.0);
        check(&values, ScalerSpec::Robust { winsorize_iqr: None }, 4.5, 1.5);
        check(&values, ScalerSpec::MinMax { winsorize_iqr: None }, 5.5, 3.5);
    }

    #[test]
    fn winsorising_clips_before_anything_is_computed() {
        // 0, 1, 2, 3, 100: quartiles 1 and 3, so one range beyond is [-1, 5]; clipped 0, 1, 2, 3, 5: extremes 0 and 5.
        let fitted = fit(&[0.0, 1.0, 2.0, 3.0, 100.0], ScalerSpec::MinMax { winsorize_iqr: Some(1.0) });
        assert_eq!((fitted.lower, fitted.upper, fitted.center, fitted.spread), (Some(-1.0), Some(5.0), 2.5, 2.5));
        assert_eq!([-50.0, 2.5, 100.0].map(|value| fitted.apply(value)), [-1.4, 0.0, 1.0]);
    }

    #[test]
    fn a_constant_column_is_only_centered() {
        for spec in
            [STANDARD, ScalerSpec::Robust { winsorize_iqr: Some(3.0) }, ScalerSpec::MinMax { winsorize_iqr: None }]
        {
            // The mean of ten times 0.1 is not exactly 0.1, and that rounding must not be blown up.
            let fitted = fit(&[0.1; 10], spec);
            assert_eq!(fitted.spread, 1.0);
            assert!(fitted.apply(0.1).abs() < 1e-15);
            assert_eq!(fit(&[0.0; 10], spec).spread, 1.0);
        }
    }

    #[test]
    fn a_column_that_is_mostly_one_value_keeps_the_rest() {
        // Nine zeros and a one: equal quartiles; mean 0.1, population variance 0.09.
        let mut values = [0.0; 10];
        values[4] = 1.0;
        let fitted = fit(&values, ScalerSpec::Robust { winsorize_iqr: Some(3.0) });
        assert_eq!((fitted.lower, fitted.upper, fitted.center), (None, None, 0.0));
        assert!((fitted.spread - 0.3).abs() < 1e-15);
    }

    #[test]
    fn only_rows_of_the_training_range_count() {
        let mut spoiled = panel(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let fitted = Scaler::fit(&spoiled, &[1..4], &STANDARD).expect("fits");
        assert_eq!(fitted.scales[0][0].center, 3.0);
        spoiled = panel(&[-1e9, 2.0, 3.0, 4.0, 1e9, f64::NAN]);
        assert_eq!(Scaler::fit(&spoiled, &[1..4], &STANDARD).expect("fits"), fitted);
    }

    #[test]
    fn series_are_pooled_and_incomplete_rows_are_left_out() {
        // Rows 0, 1, 2 of one series (values 0, 1, 2) and row 0, 1 of another on days 1 and 2 (values 0, 1): mean 4 / 5.
        let mut panel = Panel::new(vec![series(0, &[0, 1, 2], 1), series(1, &[1, 2], 1)]).expect("sane");
        let fitted = Scaler::fit(&panel, &[0..3], &STANDARD).expect("fits");
        assert_eq!(fitted.scales[0][0].center, 0.8);
        let column = FeatureColumn::new("row", vec![f64::NAN, 1.0]);
        panel.series[1].scales[0] = FeatureMatrix::new(2, vec![column]).expect("one length");
        assert_eq!(Scaler::fit(&panel, &[0..3], &STANDARD).expect("fits").scales[0][0].center, 1.0);
    }

    #[test]
    fn no_complete_row_is_an_error() {
        let error = Scaler::fit(&panel(&[f64::NAN, f64::NAN, 1.0]), &[0..2], &STANDARD).expect_err("nothing to fit");
        assert_eq!(error, ForecastError::TooFewSamples { set: "the scaler's training range", needed: 1, found: 0 });
        let error = Scaler::fit(&panel(&[1e308, 1e308]), &[0..2], &STANDARD).expect_err("overflow").to_string();
        assert!(error.contains("feature `x`"), "{error}");
    }

    #[test]
    fn a_fitted_scaler_survives_a_round_trip_bit_for_bit() {
        let spec = ScalerSpec::Standard { winsorize_iqr: Some(1.0) };
        let scaler = Scaler::fit(&panel(&[0.1, 0.2, 1.0 / 3.0, 7e-17, 12.0]), &[0..5], &spec).expect("fits");
        let text = serde_json::to_string(&scaler).expect("plain numbers");
        assert_eq!(serde_json::from_str::<Scaler>(&text).expect("its own text"), scaler);
    }

    #[test]
    fn a_spec_reads_as_in_the_config() {
        for (text, spec) in [
            (r#"{"none": {}}"#, ScalerSpec::None {}),
            (r#"{"standard": {"winsorize_iqr": 3.0}}"#, ScalerSpec::Standard { winsorize_iqr: Some(3.0) }),
            (r#"{"min_max": {}}"#, ScalerSpec::MinMax { winsorize_iqr: None }),
        ] {
            assert_eq!(serde_json::from_str::<ScalerSpec>(text).expect("valid"), spec);
        }
        assert!(serde_json::from_str::<ScalerSpec>(r#"{"standard": {"winsorise": 3.0}}"#).is_err());
        let error = ScalerSpec::Robust { winsorize_iqr: Some(0.0) }.validate().expect_err("not above 0").to_string();
        assert_eq!(error, "winsorize_iqr must be finite and above 0, was `0`");
    }
}
