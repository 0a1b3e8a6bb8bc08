//! The forecast that the size of the next moves follows from the sizes of the last ones.

mod likelihood;
mod minimize;
mod process;

use serde::{Deserialize, Serialize};

use self::likelihood::fit_series;
use self::process::Process;
use super::{ensure_one_horizon, predictive};
use crate::{
    FitTask, FittedForecaster, ForecastError, Forecaster, Predictive, ReturnHistory, Sample, TrainingReport, Windows,
    checkpoint,
};

const NAME: &str = "garch";

/// How many of a series' returns must lie at training samples.
const RETURNS_MIN: usize = 100;

/// Forecasts with a GARCH(1,1) process of each series' one-bar log returns (Bollerslev, "Generalized autoregressive conditional
/// heteroskedasticity", 1986): `r_t = mean + e_t`, `e_t ~ N(0, h_t)`, `h_{t+1} = omega + alpha e_t^2 + beta h_t`.
///
/// The four parameters of a series have the largest likelihood of the returns at its training samples; they are fixed from
/// then on, and the variance runs through every return known at a sample. The recursion starts, as in the Python package
/// `arch`, from a weighted mean (decay 0.94) of the first 75 squared deviations in training. Samples' weights do not count:
/// what is likely are returns, not labels.
///
/// The forecast over `h = horizon_bars` bars is `h mean` with the variance `h_{t+1} + ... + h_{t+h}` expected at `t`. It is that
/// of log returns from close to close: one that is filled at the next open is taken for the same. A series with fewer than
/// 100 returns in training, or with prices that never moved, gets a mean of 0 and no variance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Garch {
    /// The target's horizon in bars, at least 1.
    pub horizon_bars: u32,
}

impl Forecaster for Garch {
    fn name(&self) -> &str {
        NAME
    }

    fn fit(&self, task: &FitTask<'_>) -> Result<Box<dyn FittedForecaster>, ForecastError> {
        task.ensure_running()?;
        ensure_one_horizon(task.train)?;
        if self.horizon_bars == 0 {
            let value = self.horizon_bars.to_string();
            return Err(ForecastError::Range { name: "horizon_bars", rule: "at least 1".to_owned(), value });
        }
        let history = returns_of(task.train)?;
        let last_samples = last_samples(task.train, history.series_count());
        let mut series = Vec::with_capacity(last_samples.len());
        let mut most = 0;
        for last in last_samples {
            task.ensure_running()?;
            let Some(last) = last else {
                series.push(None);
                continue;
            };
            let returns = history.known_at(last);
            let trained = trained_rows(task.train, last);
            let count = returns.iter().zip(&trained).filter(|(one, trained)| one.is_some() && **trained).count();
            most = most.max(count);
            series.push(if count < RETURNS_MIN { None } else { fit_series(returns, &trained)? });
        }
        if most < RETURNS_MIN {
            let [needed, found] = [RETURNS_MIN, most];
            return Err(ForecastError::TooFewSamples { set: "a series of the training set", needed, found });
        }
        Ok(Box::new(FittedGarch { horizon_bars: self.horizon_bars, series }))
    }

    fn restore(&self, checkpoint: &[u8]) -> Result<Box<dyn FittedForecaster>, ForecastError> {
        let fitted: FittedGarch = checkpoint::read(NAME, checkpoint)?;
        if fitted.horizon_bars != self.horizon_bars {
            let [expected, found] = [self.horizon_bars, fitted.horizon_bars];
            let reason = format!("its horizon_bars must be `{expected}`, was `{found}`");
            return Err(ForecastError::Checkpoint { reason });
        }
        Ok(Box::new(fitted))
    }
}

fn returns_of(windows: &Windows) -> Result<&ReturnHistory, ForecastError> {
    windows.history.as_ref().ok_or(ForecastError::MissingReturns)
}

/// Returns each series' sample with the last row.
fn last_samples(windows: &Windows, series_count: usize) -> Vec<Option<Sample>> {
    let mut last: Vec<Option<Sample>> = vec![None; series_count];
    for &sample in &windows.samples {
        let slot = &mut last[sample.series as usize];
        if slot.is_none_or(|found| found.row < sample.row) {
            *slot = Some(sample);
        }
    }
    last
}

/// Returns, row by row up to a series' last sample, whether a sample lies there.
fn trained_rows(windows: &Windows, last: Sample) -> Vec<bool> {
    let mut trained = vec![false; last.row as usize + 1];
    for sample in windows.samples.iter().filter(|sample| sample.series == last.series) {
        trained[sample.row as usize] = true;
    }
    trained
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FittedGarch {
    horizon_bars: u32,
    series: Vec<Option<Process>>,
}

impl FittedForecaster for FittedGarch {
    fn forecast(&self, windows: &Windows) -> Result<Vec<Predictive>, ForecastError> {
        ensure_one_horizon(windows)?;
        let history = returns_of(windows)?;
        if history.series_count() != self.series.len() {
            let [expected, found] = [self.series.len(), history.series_count()];
            return Err(ForecastError::Shape { what: "the panel's series", expected, found });
        }
        let mut filters = vec![Filter::default(); self.series.len()];
        let forecast = windows.samples.iter().map(|&sample| {
            let Some(process) = &self.series[sample.series as usize] else { return predictive(0.0, None) };
            let next = filters[sample.series as usize].next_variance(process, history.known_at(sample));
            let mean = process.mean * f64::from(self.horizon_bars);
            predictive(mean, Some(process.variance_over(next, self.horizon_bars)))
        });
        Ok(forecast.collect())
    }

    fn checkpoint(&self) -> Result<Vec<u8>, ForecastError> {
        checkpoint::write(NAME, self)
    }

    fn report(&self) -> TrainingReport {
        // Mean, omega, alpha and beta of every fitted series.
        TrainingReport { parameters: 4 * self.series.iter().flatten().count(), ..TrainingReport::default() }
    }
}

/// How far the variance of one series has been taken, so that samples in order cost one step each.
#[derive(Debug, Clone, Copy, Default)]
struct Filter {
    rows: usize,
    /// The variance of the return after `rows` rows; `None` before the first return.
    next: Option<f64>,
}

impl Filter {
    /// Returns the variance of the return that follows the known ones.
    fn next_variance(&mut self, process: &Process, known: &[Option<f64>]) -> f64 {
        if known.len() < self.rows {
            *self = Self::default();
        }
        for one in &known[self.rows..] {
            self.next = match (self.next, one) {
                (None, None) => None,
                (None, Some(_)) => Some(process.next_variance(process.first_variance(), *one)),
                (Some(variance), one) => Some(process.next_variance(variance, *one)),
            };
        }
        self.rows = known.len();
        self.next.unwrap_or_else(|| process.first_variance())
    }
}

#[cfg(test)]
mod tests;
