//! The forecast that only the size of the next move can be known.

use serde::{Deserialize, Serialize};

use super::{ensure_one_horizon, predictive};
use crate::{FitTask, FittedForecaster, ForecastError, Forecaster, Predictive, TrainingReport, Windows, checkpoint};

const NAME: &str = "ewma_volatility";

/// Forecasts a mean of 0 with `horizon_bars` times the sample's EWMA variance of one-bar log returns.
///
/// The exponentially weighted variance with decay 0.94 is that of `RiskMetrics` (J.P. Morgan, 1996), and its square-root-of-time
/// rule gives the horizon. Nothing is fitted. The variance is `None` where the EWMA is missing, or 0 because prices never moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EwmaVolatility {
    /// The target's horizon in bars, at least 1.
    pub horizon_bars: u32,
}

impl EwmaVolatility {
    fn fitted(self) -> Result<Box<FittedEwma>, ForecastError> {
        if self.horizon_bars == 0 {
            let value = self.horizon_bars.to_string();
            return Err(ForecastError::Range { name: "horizon_bars", rule: "at least 1".to_owned(), value });
        }
        Ok(Box::new(FittedEwma { horizon_bars: self.horizon_bars }))
    }
}

impl Forecaster for EwmaVolatility {
    fn name(&self) -> &str {
        NAME
    }

    fn fit(&self, task: &FitTask<'_>) -> Result<Box<dyn FittedForecaster>, ForecastError> {
        task.ensure_running()?;
        ensure_one_horizon(task.train)?;
        Ok(self.fitted()?)
    }

    fn restore(&self, checkpoint: &[u8]) -> Result<Box<dyn FittedForecaster>, ForecastError> {
        let fitted: FittedEwma = checkpoint::read(NAME, checkpoint)?;
        if fitted.horizon_bars != self.horizon_bars {
            let [expected, found] = [self.horizon_bars, fitted.horizon_bars];
            let reason = format!("its horizon_bars must be `{expected}`, was `{found}`");
            return Err(ForecastError::Checkpoint { reason });
        }
        Ok(Box::new(fitted))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FittedEwma {
    horizon_bars: u32,
}

impl FittedForecaster for FittedEwma {
    fn forecast(&self, windows: &Windows) -> Result<Vec<Predictive>, ForecastError> {
        ensure_one_horizon(windows)?;
        let variance = |ewma: f64| ewma * f64::from(self.horizon_bars);
        Ok(windows.ewma_variance.iter().map(|ewma| predictive(0.0, ewma.map(variance))).collect())
    }

    fn checkpoint(&self) -> Result<Vec<u8>, ForecastError> {
        checkpoint::write(NAME, self)
    }

    fn report(&self) -> TrainingReport {
        TrainingReport::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::tabular;
    use crate::{NoMonitor, NoStore};

    #[test]
    fn the_variance_is_the_ewma_over_the_horizon() {
        let mut windows = tabular(&[&[0.0], &[0.0], &[0.0]], &[0.0; 3]);
        windows.ewma_variance = vec![Some(2e-4), None, Some(0.0)];
        let task = FitTask { train: &windows, valid: &windows, seed: 0, monitor: &NoMonitor, store: &NoStore };
        let fitted = EwmaVolatility { horizon_bars: 5 }.fit(&task).expect("nothing to fit");
        let forecast = fitted.forecast(&windows).expect("any shape");
        assert_eq!(forecast.iter().map(|one| one.variance).collect::<Vec<_>>(), [Some(1e-3), None, None]);
        let checkpoint = fitted.checkpoint().expect("writes");
        let restored = EwmaVolatility { horizon_bars: 5 }.restore(&checkpoint).expect("its own bytes");
        assert_eq!(restored.forecast(&windows).expect("any shape"), forecast);
        let error = EwmaVolatility { horizon_bars: 1 }.restore(&checkpoint).err().expect("another horizon").to_string();
        assert!(error.contains("its horizon_bars must be `1`, was `5`"), "{error}");
    }

    #[test]
    fn a_horizon_of_no_bars_is_refused() {
        let empty = Windows::default();
        let task = FitTask { train: &empty, valid: &empty, seed: 0, monitor: &NoMonitor, store: &NoStore };
        let error = EwmaVolatility { horizon_bars: 0 }.fit(&task).err().expect("refused").to_string();
        assert_eq!(error, "horizon_bars must be at least 1, was `0`");
    }
}
