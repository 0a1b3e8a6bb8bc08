//! A forecast beside what happened.

use super::Distribution;
use crate::MetricsError;

/// A forecast beside what happened.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredForecast {
    /// The forecast mean, a return as a fraction.
    pub mean: f64,
    /// The forecast variance; `None` when the forecaster states none.
    pub variance: Option<f64>,
    /// The whole forecast, which the scores of the distribution read; `None` means normal with the mean and the variance, and
    /// no distribution without a variance.
    pub distribution: Option<Distribution>,
    /// What a reference forecaster said of the same observation, if any: what `crps_skill` compares with.
    pub reference: Option<Distribution>,
    /// The return that happened, of the same kind and horizon.
    pub actual: f64,
    /// The mean of the target over the rows that the forecaster was trained on, if known.
    pub train_mean: Option<f64>,
    /// The series that the observation belongs to, such as an instrument's number. Tests of serial independence compare rows
    /// that follow each other within a series, which must stand in the order of time; the other scores do not read it.
    pub series: u32,
}

impl ScoredForecast {
    /// Returns a forecast of a mean and, where it is stated, a variance; nothing else is known.
    pub fn from_moments(mean: f64, variance: Option<f64>, actual: f64) -> Self {
        Self { mean, variance, distribution: None, reference: None, actual, train_mean: None, series: 0 }
    }

    /// Returns a forecast of a distribution with the mean and variance of it; nothing else is known.
    pub fn from_distribution(distribution: Distribution, actual: f64) -> Self {
        let variance = distribution.variance().filter(|&variance| variance > 0.0);
        let moments = Self::from_moments(distribution.mean(), variance, actual);
        Self { distribution: Some(distribution), ..moments }
    }

    /// Returns the distribution that the forecast states, if it states one.
    pub(super) fn stated(&self) -> Option<Distribution> {
        let normal = || Some(Distribution::from_moments(self.mean, Some(self.variance?)));
        self.distribution.clone().or_else(normal)
    }

    /// Checks that every number is finite, every variance above 0 and every distribution valid.
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
            for distribution in [&forecast.distribution, &forecast.reference].into_iter().flatten() {
                let invalid = |error| MetricsError::Distribution { row, source: Box::new(error) };
                distribution.validate().map_err(invalid)?;
            }
        }
        Ok(())
    }
}

/// A stated distribution beside what happened.
#[derive(Debug, Clone)]
pub(super) struct Stated {
    pub(super) distribution: Distribution,
    pub(super) actual: f64,
    pub(super) series: u32,
}

/// Returns the distributions that forecasts state; `None` of nothing, or unless every one states one.
pub(super) fn stated(forecasts: &[ScoredForecast]) -> Option<Vec<Stated>> {
    if forecasts.is_empty() {
        return None;
    }
    let row = |forecast: &ScoredForecast| {
        Some(Stated { distribution: forecast.stated()?, actual: forecast.actual, series: forecast.series })
    };
    forecasts.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variance_states_a_normal_distribution_and_a_distribution_its_moments() {
        let forecast = ScoredForecast::from_moments(1.0, Some(4.0), 0.5);
        assert_eq!(forecast.stated(), Some(Distribution::Normal { mean: 1.0, standard_deviation: 2.0 }));
        assert_eq!(ScoredForecast::from_moments(1.0, None, 0.5).stated(), None);
        // nu = 4: variance 2 * scale^2.
        let student_t = Distribution::StudentT { location: 1.0, scale: 3.0, degrees_of_freedom: 4.0 };
        let forecast = ScoredForecast::from_distribution(student_t.clone(), 0.5);
        assert_eq!((forecast.mean, forecast.variance, forecast.stated()), (1.0, Some(18.0), Some(student_t)));
        let point = ScoredForecast::from_distribution(Distribution::Point { value: 2.0 }, 0.5);
        assert_eq!((point.mean, point.variance), (2.0, None));
    }

    #[test]
    fn the_row_of_an_invalid_distribution_is_named() {
        let good = ScoredForecast::from_moments(0.0, None, 0.0);
        let reference = Some(Distribution::Normal { mean: 0.0, standard_deviation: -1.0 });
        let error = ScoredForecast::validate_all(&[good.clone(), ScoredForecast { reference, ..good }]);
        let message = "forecast `1`: a forecast standard deviation must be finite and above 0, was `-1`";
        assert_eq!(error.expect_err("negative").to_string(), message);
    }
}
