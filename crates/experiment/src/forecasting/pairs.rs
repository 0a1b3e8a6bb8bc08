//! Forecasts beside what came true: what every score reads.

use tidegate_forecast::Predictive;
use tidegate_market::Timestamp;
use tidegate_metrics::{Distribution, ScoredForecast};

use super::{FoldOutcome, ForecastOutcome};

/// The yardstick whose forecasts the CRPS skill is measured against.
const REFERENCE: &str = "historical_mean";

/// Some folds of an outcome at one of its horizons.
#[derive(Clone, Copy)]
pub(crate) struct Pairs<'a> {
    outcome: &'a ForecastOutcome,
    folds: (usize, usize),
    horizon: usize,
}

impl<'a> Pairs<'a> {
    /// Takes all folds at a horizon, from 0.
    pub(crate) const fn all(outcome: &'a ForecastOutcome, horizon: usize) -> Self {
        Self { outcome, folds: (0, outcome.folds.len()), horizon }
    }

    /// Takes one fold at the nearest horizon.
    pub(crate) const fn of_fold(outcome: &'a ForecastOutcome, fold: usize) -> Self {
        Self { outcome, folds: (fold, fold + 1), horizon: 0 }
    }

    /// Returns how many bars ahead the horizon reaches.
    pub(crate) fn horizon_bars(self) -> u32 {
        self.outcome.horizon_bars[self.horizon]
    }

    /// Pairs the model's forecasts with what came true; samples whose future lies beyond the data are left out, here and below.
    pub(crate) fn model(self) -> Vec<ScoredForecast> {
        self.scored(|fold| &self.outcome.folds[fold].predictions)
    }

    /// Pairs the forecasts of one ensemble member.
    pub(crate) fn member(self, member: usize) -> Vec<ScoredForecast> {
        self.scored(|fold| &self.outcome.folds[fold].members[member].predictions)
    }

    /// Pairs the forecasts of one yardstick.
    pub(crate) fn yardstick(self, yardstick: usize) -> Vec<ScoredForecast> {
        self.scored(|fold| &self.outcome.yardsticks[yardstick].by_fold[fold])
    }

    /// Returns the prices from which the differences are measured, one per pair; `None` unless the target is a difference.
    pub(crate) fn start_prices(self) -> Option<Vec<f64>> {
        if self.outcome.start_prices.is_empty() {
            return None;
        }
        let of_fold = |fold: &'a FoldOutcome| {
            let known = fold.samples.iter().zip(self.actual(fold)).filter(|(_, actual)| actual.is_some());
            known.map(|(sample, _)| self.outcome.start_prices[sample.series as usize][sample.row as usize])
        };
        self.folds().flat_map(of_fold).collect()
    }

    /// Returns when each pair's forecast was known.
    pub(crate) fn times(self) -> Vec<Timestamp> {
        let of_fold = |fold: &'a FoldOutcome| {
            let known = fold.known_time.iter().zip(self.actual(fold)).filter(|(_, actual)| actual.is_some());
            known.map(|(time, _)| *time)
        };
        self.folds().flat_map(of_fold).collect()
    }

    fn folds(self) -> impl Iterator<Item = &'a FoldOutcome> {
        self.outcome.folds[self.folds.0..self.folds.1].iter()
    }

    fn actual(self, fold: &'a FoldOutcome) -> impl Iterator<Item = Option<f64>> {
        fold.actual.iter().skip(self.horizon).step_by(self.outcome.horizon_bars.len()).copied()
    }

    fn scored(self, predictions: impl Fn(usize) -> &'a [Predictive]) -> Vec<ScoredForecast> {
        let horizons = self.outcome.horizon_bars.len();
        let reference = self.outcome.yardsticks.iter().find(|yardstick| yardstick.name == REFERENCE);
        let mut scored = Vec::new();
        for place in self.folds.0..self.folds.1 {
            let fold = &self.outcome.folds[place];
            let own = predictions(place).iter().skip(self.horizon).step_by(horizons);
            for (sample, (prediction, actual)) in own.zip(self.actual(fold)).enumerate() {
                let Some(actual) = actual else { continue };
                let reference = reference.map(|yardstick| &yardstick.by_fold[place][sample * horizons + self.horizon]);
                scored.push(ScoredForecast {
                    distribution: stated(prediction),
                    reference: reference.and_then(stated),
                    train_mean: Some(fold.train_mean[self.horizon]),
                    series: fold.samples[sample].series,
                    ..ScoredForecast::from_moments(prediction.mean, prediction.variance, actual)
                });
            }
        }
        scored
    }
}

/// Returns the distribution that a prediction states; `None` for one that states a mean alone.
pub(crate) fn stated(prediction: &Predictive) -> Option<Distribution> {
    Some(prediction.distribution()).filter(Distribution::states_spread)
}
