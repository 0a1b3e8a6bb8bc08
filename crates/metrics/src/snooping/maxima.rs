//! Maxima over trials, and the p-values that they give.

use serde::{Deserialize, Serialize};

use crate::{BootstrapSettings, MetricsError, TestOutcome};

/// The largest statistics over some trials: of the data, and of every resample. Parts are merged in any order.
#[derive(Debug, Clone, PartialEq)]
pub struct SnoopingMaxima {
    settings: BootstrapSettings,
    length: usize,
    pub(super) trials: u64,
    pub(super) constant: u64,
    pub(super) best_mean: Best,
    pub(super) best_studentized: Best,
    pub(super) resampled: Vec<Recentered>,
}

/// The largest statistic and the trial that has it, the lowest number of equals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Best {
    trial: u64,
    statistic: f64,
}

impl Best {
    const NONE: Self = Self { trial: u64::MAX, statistic: f64::NEG_INFINITY };

    pub(super) fn raise(&mut self, trial: u64, statistic: f64) {
        if statistic > self.statistic || (statistic == self.statistic && trial < self.trial) {
            *self = Self { trial, statistic };
        }
    }
}

/// The maxima of one resample, by what the null takes each trial's mean to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Recentered {
    /// Not studentized, all means 0.
    pub(super) mean: f64,
    /// Means below 0 are what they are.
    pub(super) lower: f64,
    /// Means far below 0 are what they are.
    pub(super) consistent: f64,
    /// All means 0.
    pub(super) upper: f64,
}

impl Recentered {
    const NONE: Self = {
        let none = f64::NEG_INFINITY;
        Self { mean: none, lower: none, consistent: none, upper: none }
    };
}

/// Hansen's test for superior predictive ability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuperiorPredictiveAbility {
    /// The largest studentized mean, 0 where all are below.
    pub statistic: f64,
    /// The number of the trial that has it.
    pub best_trial: u64,
    /// The p-value that takes trials below the benchmark for as bad as they look: a lower bound.
    pub p_value_lower: f64,
    /// The p-value that takes only clearly bad trials for as bad as they look: the one to read.
    pub p_value_consistent: f64,
    /// The p-value that takes every trial for as good as the benchmark: an upper bound.
    pub p_value_upper: f64,
}

/// Whether the best of many trials is better than the benchmark by more than the luck of having tried many.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snooping {
    /// How many trials were compared.
    pub trials: u64,
    /// How many more differ from the benchmark by the same in all periods, as one that never trades, and were left out.
    pub constant_trials: u64,
    /// How many periods each has.
    pub periods: usize,
    /// How the resamples were drawn.
    pub bootstrap: BootstrapSettings,
    /// White's reality check: the largest `sqrt(n) * mean`.
    pub reality_check: TestOutcome,
    /// The number of the trial with the largest mean.
    pub reality_check_best_trial: u64,
    /// Hansen's test, studentized.
    pub superior_predictive_ability: SuperiorPredictiveAbility,
}

impl SnoopingMaxima {
    pub(super) fn new(settings: BootstrapSettings, length: usize) -> Self {
        Self {
            settings,
            length,
            trials: 0,
            constant: 0,
            best_mean: Best::NONE,
            best_studentized: Best::NONE,
            resampled: vec![Recentered::NONE; settings.resamples],
        }
    }

    /// Adds the maxima of other trials.
    ///
    /// # Errors
    /// [`MetricsError::OtherResamples`] when they come from other resamples.
    pub fn merge(&mut self, other: &Self) -> Result<(), MetricsError> {
        if (self.settings, self.length) != (other.settings, other.length) {
            return Err(MetricsError::OtherResamples);
        }
        self.trials += other.trials;
        self.constant += other.constant;
        self.best_mean.raise(other.best_mean.trial, other.best_mean.statistic);
        self.best_studentized.raise(other.best_studentized.trial, other.best_studentized.statistic);
        for (largest, other) in self.resampled.iter_mut().zip(&other.resampled) {
            largest.mean = largest.mean.max(other.mean);
            largest.lower = largest.lower.max(other.lower);
            largest.consistent = largest.consistent.max(other.consistent);
            largest.upper = largest.upper.max(other.upper);
        }
        Ok(())
    }

    /// Computes the p-values; `None` without a trial that varies.
    ///
    /// Each is `(1 + c) / (1 + B)`, `c` the resamples whose maximum is at least that of the data. The reality check takes
    /// `max_k sqrt(n) mean_k` against `max_k sqrt(n) (mean*_k - mean_k)`; Hansen's test takes `max(0, max_k sqrt(n) mean_k / w_k)`
    /// against `max(0, max_k sqrt(n) (mean*_k - g(mean_k)) / w_k)`, `w_k^2` the stationary-bootstrap variance and `g` one of
    /// `max(m, 0)` (lower), `m` where `m >= -w_k sqrt(2 ln ln n / n)` and else 0 (consistent), `m` (upper).
    /// Sources: White (2000), "A Reality Check for Data Snooping"; Hansen (2005), "A Test for Superior Predictive Ability";
    /// Davison and Hinkley (1997) for the 1 that keeps a p-value of a finite number of resamples above 0.
    pub fn outcome(&self) -> Option<Snooping> {
        if self.trials == 0 {
            return None;
        }
        let p_value = |statistic: f64, of: fn(&Recentered) -> f64| {
            let reached = self.resampled.iter().filter(|largest| of(largest) >= statistic).count();
            (1 + reached) as f64 / (1 + self.resampled.len()) as f64
        };
        let mean = self.best_mean.statistic;
        let studentized = self.best_studentized.statistic.max(0.0);
        Some(Snooping {
            trials: self.trials,
            constant_trials: self.constant,
            periods: self.length,
            bootstrap: self.settings,
            reality_check: TestOutcome { statistic: mean, p_value: p_value(mean, |largest| largest.mean) },
            reality_check_best_trial: self.best_mean.trial,
            superior_predictive_ability: SuperiorPredictiveAbility {
                statistic: studentized,
                best_trial: self.best_studentized.trial,
                p_value_lower: p_value(studentized, |largest| largest.lower.max(0.0)),
                p_value_consistent: p_value(studentized, |largest| largest.consistent.max(0.0)),
                p_value_upper: p_value(studentized, |largest| largest.upper.max(0.0)),
            },
        })
    }
}
