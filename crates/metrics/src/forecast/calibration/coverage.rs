//! Coverage of central prediction intervals.

use serde::{Deserialize, Serialize};

use super::probability_integral_transform::{Transform, transforms};
use crate::MetricsError;
use crate::forecast::ScoredForecast;
use crate::forecast::scored_forecast::stated;
use crate::sample::finite;

/// How often the central interval of a stated probability held what happened.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CalibrationPoint {
    /// The stated probability of the central interval.
    pub nominal: f64,
    /// The share of observations inside it.
    pub observed: f64,
}

/// Computes the calibration curve at stated probabilities in (0, 1); empty unless every forecast states a distribution that is
/// more than a point.
///
/// # Errors
/// [`MetricsError::Row`] for a number that is not finite, a variance that is not above 0, a probability outside (0, 1);
/// [`MetricsError::Distribution`] for an invalid distribution.
pub fn calibration_curve(
    forecasts: &[ScoredForecast],
    probabilities: &[f64],
) -> Result<Vec<CalibrationPoint>, MetricsError> {
    ScoredForecast::validate_all(forecasts)?;
    if let Some(row) = probabilities.iter().position(|&value| !(value > 0.0 && value < 1.0)) {
        let (name, rule, value) = ("the probability of an interval", "in (0, 1)", probabilities[row]);
        return Err(MetricsError::Row { name, rule, value, row });
    }
    let Some(transforms) = stated(forecasts).as_deref().and_then(transforms) else { return Ok(Vec::new()) };
    Ok(coverage_curve(&transforms, probabilities))
}

/// Computes the coverage at each probability; empty without transforms.
pub(super) fn coverage_curve(transforms: &[Transform], probabilities: &[f64]) -> Vec<CalibrationPoint> {
    let point = |&nominal: &f64| Some(CalibrationPoint { nominal, observed: coverage(transforms, nominal)? });
    probabilities.iter().filter_map(point).collect()
}

/// Computes the share of observations inside the central interval of a probability; `None` without any.
///
/// `count(Q((1 - p) / 2) <= actual <= Q((1 + p) / 2)) / count`. Source: Christoffersen (1998), "Evaluating Interval Forecasts".
pub(crate) fn coverage(transforms: &[Transform], probability: f64) -> Option<f64> {
    let inside = transforms.iter().filter(|row| row.inside(probability)).count();
    finite(inside as f64 / transforms.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forecast(actual: f64) -> ScoredForecast {
        ScoredForecast::from_moments(0.0, Some(4.0), actual)
    }

    #[test]
    fn observations_inside_the_interval_count() {
        // sd 2: the 95 % interval ends at 3.92, the 50 % one at 1.349.
        let rows = [forecast(1.3), forecast(-1.4), forecast(3.9), forecast(-4.0)];
        let curve = calibration_curve(&rows, &[0.5, 0.95]).expect("valid");
        let expected = [(0.5, 0.25), (0.95, 0.75)].map(|(nominal, observed)| CalibrationPoint { nominal, observed });
        assert_eq!(curve, expected);
    }

    #[test]
    fn without_a_variance_there_is_no_curve() {
        let rows = [forecast(1.0), ScoredForecast { variance: None, ..forecast(1.0) }];
        assert_eq!(calibration_curve(&rows, &[0.5]), Ok(Vec::new()));
        assert_eq!(calibration_curve(&[], &[0.5]), Ok(Vec::new()));
    }

    #[test]
    fn a_probability_of_one_has_no_interval() {
        let error = calibration_curve(&[forecast(1.0)], &[0.5, 1.0]).expect_err("everything").to_string();
        assert_eq!(error, "the probability of an interval must be in (0, 1), was `1` at row `1`");
    }
}
