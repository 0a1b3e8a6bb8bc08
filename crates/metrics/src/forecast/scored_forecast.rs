//! A forecast beside what happened.

use crate::MetricsError;

/// A forecast beside what happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoredForecast {
    /// The forecast mean, a return as a fraction.
    pub mean: f64,
    /// The forecast variance; `None` when the forecaster states none.
    pub variance: Option<f64>,
    /// The return that happened, of the same kind and horizon.
    pub actual: f64,
    /// The mean of the target over the rows that the forecaster was trained on, if known.
    pub train_mean: Option<f64>,
}

impl ScoredForecast {
    /// Returns the standardized error `(actual - mean) / sd` and the standard deviation; `None` without a variance.
    pub(super) fn standardized(&self) -> Option<Standardized> {
        let deviation = self.variance?.sqrt();
        Some(Standardized { error: (self.actual - self.mean) / deviation, deviation })
    }

    /// Checks that every number is finite and every variance above 0.
    pub(super) fn validate_all(forecasts: &[Self]) -> Result<(), MetricsError> {
        for (row, forecast) in forecasts.iter().enumerate() {
            let finite = |name, value: f64| {
                if value.is_finite() { Ok(()) } else { Err(MetricsError::Row { name, rule: "finite", value, row }) }
            };
            finite("a forecast mean", forecast.mean)?;
            finite("an actual return", forecast.actual)?;
            forecast.train_mean.map_or(Ok(()), |value| finite("a training mean", value))?;
            if let Some(value) = forecast.variance.filter(|value| !value.is_finite() || *value <= 0.0) {
                let (name, rule) = ("a forecast variance", "finite and above 0");
                return Err(MetricsError::Row { name, rule, value, row });
            }
        }
        Ok(())
    }
}

/// The error of a forecast in units of its standard deviation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standardized {
    /// `(actual - mean) / sd`.
    pub(super) error: f64,
    /// `sd`, as a fraction.
    pub(super) deviation: f64,
}

/// Standardizes forecasts; `None` of nothing, or unless every one states a variance.
pub(super) fn standardize(forecasts: &[ScoredForecast]) -> Option<Vec<Standardized>> {
    if forecasts.is_empty() {
        return None;
    }
    forecasts.iter().map(ScoredForecast::standardized).collect()
}
