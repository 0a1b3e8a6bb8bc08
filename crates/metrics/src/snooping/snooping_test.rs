//! The best of many trials against what resampling makes of worthless ones.

use super::SnoopingMaxima;
use crate::bootstrap::stationary_variance;
use crate::matrix_product::Columns;
use crate::sample::{is_constant, mean};
use crate::{BootstrapSettings, MetricsError, Resamples};

/// How many trials are multiplied with the resamples at once.
const BATCH: usize = 64;

/// A test of the best of many trials, which may be fed in any order and in parts.
///
/// White's reality check and Hansen's test for superior predictive ability share the resamples. [`SnoopingTest::maxima`] does
/// the work for some trials, [`SnoopingMaxima::merge`] puts parts together and [`SnoopingMaxima::outcome`] reads the p-values;
/// maxima do not depend on the order, so that parts may be computed side by side.
#[derive(Debug, Clone)]
pub struct SnoopingTest {
    settings: BootstrapSettings,
    length: usize,
    /// How often each resample draws each period. `length x resamples`.
    draws: Columns,
}

/// One trial's bootstrap: what every test of its mean reads.
#[derive(Debug, Clone, Copy)]
struct Trial<'a> {
    /// The mean differential of a period.
    mean: f64,
    /// The standard error of `sqrt(length) * mean`.
    deviation: f64,
    /// `length * (mean of the resample - mean)` for each resample.
    sums: &'a [f64],
}

impl SnoopingTest {
    /// Counts how often each resample draws each period: memory of 8 bytes a period and resample.
    pub fn new(resamples: &Resamples) -> Self {
        let mut draws = Columns::zeros(resamples.length(), resamples.count());
        for (number, row) in resamples.rows().enumerate() {
            for &period in row {
                *draws.element(period as usize, number) += 1.0;
            }
        }
        Self { settings: *resamples.settings(), length: resamples.length(), draws }
    }

    /// Computes the maxima over some trials, numbered from `first` on. A differential is the trial's return of a period less the
    /// benchmark's, so that above 0 is better; one that is the same in all periods is counted and left out.
    ///
    /// # Errors
    /// [`MetricsError::Length`] for a trial with another number of periods than the resamples, [`MetricsError::Row`] for a value
    /// that is not finite.
    pub fn maxima(&self, first: u64, differentials: &[&[f64]]) -> Result<SnoopingMaxima, MetricsError> {
        let mut maxima = SnoopingMaxima::new(self.settings, self.length);
        for (number, batch) in differentials.chunks(BATCH).enumerate() {
            let first = first + (number * BATCH) as u64;
            self.each(batch, |offset, trial| match trial {
                Some(trial) => self.add(&mut maxima, first + offset as u64, &trial),
                None => maxima.constant += 1,
            })?;
        }
        Ok(maxima)
    }

    /// Computes the studentized mean of each trial and, in the same unit, those of its resamples less that mean; `None` for a
    /// trial that is the same in all periods. What [`romano_wolf`](crate::romano_wolf()) reads.
    ///
    /// # Errors
    /// As [`SnoopingTest::maxima`].
    pub fn studentized(&self, differentials: &[&[f64]]) -> Result<Vec<Option<StudentizedTrial>>, MetricsError> {
        let mut found = Vec::with_capacity(differentials.len());
        let root = (self.length as f64).sqrt();
        for batch in differentials.chunks(BATCH) {
            self.each(batch, |_, trial| {
                found.push(trial.map(|trial| {
                    let scale = (root * trial.deviation).recip();
                    let under_null = trial.sums.iter().map(|sum| sum * scale).collect();
                    StudentizedTrial { statistic: root * trial.mean / trial.deviation, under_null }
                }));
            })?;
        }
        Ok(found)
    }

    /// Calls back with each trial of a batch, `None` for one that is the same in all periods.
    fn each(&self, batch: &[&[f64]], mut visit: impl FnMut(usize, Option<Trial<'_>>)) -> Result<(), MetricsError> {
        let mut centered = Vec::with_capacity(batch.len());
        for differential in batch {
            centered.push(self.center(differential)?);
        }
        let rows: Vec<&[f64]> = centered.iter().map(|(_, row)| row.as_slice()).collect();
        let mut sums = Vec::new();
        self.draws.products(&rows, &mut sums);
        for (offset, sums) in sums.chunks_exact(self.settings.resamples).enumerate() {
            let (mean, row) = &centered[offset];
            let deviation = stationary_variance(row, self.settings.mean_block_length).sqrt();
            let varies = !is_constant(batch[offset]) && deviation > 0.0;
            visit(offset, varies.then_some(Trial { mean: *mean, deviation, sums }));
        }
        Ok(())
    }

    /// Returns the mean of a differential and the differences from it.
    fn center(&self, differential: &[f64]) -> Result<(f64, Vec<f64>), MetricsError> {
        if differential.len() != self.length {
            let (expected, found) = (self.length, differential.len());
            return Err(MetricsError::Length { name: "a trial", expected, found });
        }
        if let Some(row) = differential.iter().position(|value| !value.is_finite()) {
            let (name, rule, value) = ("a differential", "finite", differential[row]);
            return Err(MetricsError::Row { name, rule, value, row });
        }
        let center = mean(differential).unwrap_or(0.0);
        Ok((center, differential.iter().map(|value| value - center).collect()))
    }

    fn add(&self, maxima: &mut SnoopingMaxima, number: u64, trial: &Trial<'_>) {
        let n = self.length as f64;
        let (root, iterated) = (n.sqrt(), n.ln().ln().max(0.0));
        let mean = root * trial.mean;
        let hopeless = trial.mean < -trial.deviation / root * (2.0 * iterated).sqrt();
        // The resamples are centered on the sample's mean; what is added undoes it where the null keeps a poor trial's own mean.
        let lower = mean.min(0.0) / trial.deviation;
        let consistent = if hopeless { mean / trial.deviation } else { 0.0 };
        maxima.trials += 1;
        maxima.best_mean.raise(number, mean);
        maxima.best_studentized.raise(number, mean / trial.deviation);
        let (scale, studentized) = (root.recip(), (root * trial.deviation).recip());
        for (largest, &sum) in maxima.resampled.iter_mut().zip(trial.sums) {
            let unit = sum * studentized;
            largest.mean = largest.mean.max(sum * scale);
            largest.lower = largest.lower.max(unit + lower);
            largest.consistent = largest.consistent.max(unit + consistent);
            largest.upper = largest.upper.max(unit);
        }
    }
}

/// The studentized mean of a trial and its distribution under the null.
#[derive(Debug, Clone, PartialEq)]
pub struct StudentizedTrial {
    /// The mean over its stationary-bootstrap standard error.
    pub statistic: f64,
    /// The same of each resample, less the statistic.
    pub under_null: Vec<f64>,
}
