//! Makes forecasts say how wrong they are, from the errors that a validation set showed.
//!
//! Nothing here sees a test label before it was known: a factor and a quantile come from the validation set alone, and intervals
//! that adapt learn each label at the close of the last bar that it reads.

mod adaptive;
mod conformal;
mod variance_scaling;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_market::{TargetLabel, Timestamp};

pub use self::adaptive::{AdaptiveConformal, AdaptiveSettings};
pub use self::conformal::{ConformalScore, Interval, SplitConformal};
pub use self::variance_scaling::VarianceScaling;
use crate::{ForecastError, PanelSeries, Predictive};

/// What is done to a model's forecasts once its validation set is known. Every horizon is treated on its own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Recalibration {
    /// Forecasts as they are.
    None {},
    /// Variances times the mean squared standardised residual of the validation set: see [`VarianceScaling`].
    VarianceScaling {},
    /// Intervals from the validation set's residuals: see [`SplitConformal`].
    SplitConformal {
        /// The share of labels that an interval should hold, in (0, 1).
        coverage: f64,
        /// How far a label is from its forecast.
        score: ConformalScore,
    },
    /// Intervals from the residuals of the validation set and of every label known since: see [`AdaptiveConformal`].
    AdaptiveConformal {
        /// The share of labels that intervals should hold, in (0, 1).
        coverage: f64,
        /// How far a label is from its forecast.
        score: ConformalScore,
        /// How far a single label moves the level, `gamma`, in (0, 1): 0.005 in the paper.
        step: f64,
        /// How many of the latest scores widths are taken from, at least 1; all when not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window: Option<usize>,
    },
}

/// A label and when it became known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KnownLabel {
    /// The target, in its own units.
    pub value: f64,
    /// The close of the last bar that it reads.
    pub known_at: Timestamp,
}

impl KnownLabel {
    /// Dates a label of a series.
    ///
    /// # Panics
    /// When the label reads a row past the series' end.
    pub fn new(series: &PanelSeries, label: TargetLabel) -> Self {
        Self { value: label.value, known_at: series.known_time[label.span_last_row] }
    }
}

/// Forecasts with what became of them.
#[derive(Debug, Clone, Copy)]
pub struct Outcomes<'a> {
    /// Forecast horizons, `K`, at least 1.
    pub horizons: usize,
    /// When each sample's forecasts were made, `[N]`.
    pub made_at: &'a [Timestamp],
    /// `[N, K]`, row-major.
    pub forecasts: &'a [Predictive],
    /// `[N, K]`, row-major; `None` for labels that are not known, or must not be looked at.
    pub labels: &'a [Option<KnownLabel>],
}

/// Forecasts after a recalibration.
#[derive(Debug, Clone, PartialEq)]
pub struct Recalibrated {
    /// `[N, K]`, row-major.
    pub forecasts: Vec<Predictive>,
    /// `[N, K]`, row-major; `None` where no interval can be stated, empty for a recalibration that states none.
    pub intervals: Vec<Option<Interval>>,
    /// What variances were multiplied by, `[K]`; empty for a recalibration that leaves them.
    pub variance_factors: Vec<f64>,
}

impl Recalibration {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`ForecastError::Range`] for one outside its range.
    pub fn validate(&self) -> Result<(), ForecastError> {
        match *self {
            Self::None {} | Self::VarianceScaling {} => Ok(()),
            Self::SplitConformal { coverage, .. } => conformal::ensure_coverage(coverage),
            Self::AdaptiveConformal { coverage, score, step, window } => {
                AdaptiveSettings { coverage, score, step, window }.validate()
            }
        }
    }

    /// Recalibrates the forecasts of a test set by those of a validation set.
    ///
    /// Every label of the validation set is taken to be known before the test set begins, as purged folds have it. Labels of the
    /// test set are read by adaptive intervals alone: one for a forecast made at `t` has learned those with `known_at <= t`.
    ///
    /// # Errors
    /// Those of [`validate`](Self::validate) and of the recalibration's own fit.
    ///
    /// # Panics
    /// When the parts of a set do not fit together, or the two sets differ in horizons.
    pub fn apply(&self, valid: &Outcomes<'_>, test: &Outcomes<'_>) -> Result<Recalibrated, ForecastError> {
        self.validate()?;
        valid.check();
        test.check();
        assert_eq!(valid.horizons, test.horizons, "a validation set has the horizons of its test set");
        let mut found =
            Recalibrated { forecasts: test.forecasts.to_vec(), intervals: Vec::new(), variance_factors: Vec::new() };
        match *self {
            Self::None {} => {}
            Self::VarianceScaling {} => {
                for horizon in 0..test.horizons {
                    let scaling = VarianceScaling::fit(valid.known(horizon))?;
                    for forecast in found.forecasts.iter_mut().skip(horizon).step_by(test.horizons) {
                        *forecast = scaling.apply(forecast);
                    }
                    found.variance_factors.push(scaling.factor);
                }
            }
            Self::SplitConformal { coverage, score } => {
                let by_horizon = (0..test.horizons).map(|horizon| {
                    let split = SplitConformal::fit(coverage, score, valid.known(horizon))?;
                    Ok(test.column(horizon).map(|(forecast, _)| split.interval(forecast)).collect())
                });
                found.intervals = rows(&by_horizon.collect::<Result<Vec<_>, ForecastError>>()?);
            }
            Self::AdaptiveConformal { coverage, score, step, window } => {
                let settings = AdaptiveSettings { coverage, score, step, window };
                let by_horizon = (0..test.horizons).map(|horizon| {
                    let adaptive = AdaptiveConformal::new(settings, valid.known(horizon))?;
                    adapt(adaptive, test, horizon)
                });
                found.intervals = rows(&by_horizon.collect::<Result<Vec<_>, _>>()?);
            }
        }
        Ok(found)
    }
}

impl<'a> Outcomes<'a> {
    fn check(&self) {
        let expected = self.made_at.len() * self.horizons;
        assert!(self.horizons > 0, "there is at least one horizon");
        assert_eq!(self.forecasts.len(), expected, "one forecast per sample and horizon");
        assert_eq!(self.labels.len(), expected, "one label per sample and horizon, known or not");
    }

    fn column(&self, horizon: usize) -> impl Iterator<Item = (&'a Predictive, Option<KnownLabel>)> + use<'a> {
        let both = self.forecasts.iter().zip(self.labels.iter().copied());
        both.skip(horizon).step_by(self.horizons)
    }

    fn known(&self, horizon: usize) -> impl Iterator<Item = (&'a Predictive, f64)> + use<'a> {
        self.column(horizon).filter_map(|(forecast, label)| Some((forecast, label?.value)))
    }
}

/// Gives the intervals of one horizon in the order of time, learning each label when it is known.
fn adapt(
    mut adaptive: AdaptiveConformal,
    test: &Outcomes<'_>,
    horizon: usize,
) -> Result<Vec<Option<Interval>>, ForecastError> {
    let column: Vec<(&Predictive, Option<KnownLabel>)> = test.column(horizon).collect();
    let mut by_time: Vec<usize> = (0..column.len()).collect();
    by_time.sort_by_key(|&sample| test.made_at[sample]);
    let known = by_time.iter().filter_map(|&sample| Some((column[sample].1?, sample)));
    let mut coming: Vec<(KnownLabel, usize)> = known.collect();
    coming.sort_by_key(|(label, _)| label.known_at);
    let mut coming = coming.into_iter().peekable();

    let mut intervals = vec![None; column.len()];
    for sample in by_time {
        let now = test.made_at[sample];
        while let Some((label, earlier)) = coming.next_if(|(label, _)| label.known_at <= now) {
            adaptive.observe(column[earlier].0, intervals[earlier], label.value)?;
        }
        intervals[sample] = adaptive.interval(column[sample].0);
    }
    Ok(intervals)
}

/// Turns columns into rows.
fn rows(columns: &[Vec<Option<Interval>>]) -> Vec<Option<Interval>> {
    (0..columns[0].len()).flat_map(|row| columns.iter().map(move |column| column[row])).collect()
}

#[cfg(test)]
mod tests;
