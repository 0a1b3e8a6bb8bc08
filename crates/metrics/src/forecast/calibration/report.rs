//! Everything about the calibration of a set of forecasts.

use serde::{Deserialize, Serialize};

use super::christoffersen::Misses;
use super::coverage::coverage_curve;
use super::kupiec::kupiec_of;
use super::ljung_box::ljung_box;
use super::probability_integral_transform::{Transform, histogram, transforms, values};
use super::{CalibrationPoint, LjungBox, kolmogorov_smirnov};
use crate::forecast::ScoredForecast;
use crate::forecast::scored_forecast::stated;
use crate::{MetricsError, TestOutcome};

/// The probabilities of the coverage curve.
const CURVE: [f64; 20] =
    [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99];

/// The probabilities of the tested intervals.
const TESTED: [f64; 3] = [0.9, 0.95, 0.99];

/// Everything about the calibration of a set of forecasts.
///
/// The p-values are those of independent rows. Forecasts of overlapping spans (a horizon of several bars) are dependent even when
/// perfect, and so are instruments that move together: both make p-values too small.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// How many forecasts there were.
    pub count: usize,
    /// Counts of the probability integral transforms in twenty equal bins of [0, 1].
    pub pit_histogram: [u64; 20],
    /// Kolmogorov-Smirnov test that the transforms are uniform.
    pub kolmogorov_smirnov: TestOutcome,
    /// Ljung-Box test that each transform tells nothing of the next; `None` with too few rows.
    pub ljung_box: Option<LjungBox>,
    /// Coverage of the central intervals of 5 % to 95 % in steps of 5 %, and of 99 %.
    pub coverage_curve: Vec<CalibrationPoint>,
    /// Tests of the central intervals of 90 %, 95 % and 99 %.
    pub intervals: Vec<IntervalTests>,
}

/// Tests of the central intervals of one probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntervalTests {
    /// The stated probability of the interval.
    pub nominal: f64,
    /// How many observations lay outside.
    pub misses: u64,
    /// Kupiec's test that observations lie outside as often as stated.
    pub kupiec: TestOutcome,
    /// Christoffersen's test that misses do not cluster; `None` unless both a hit and a miss were followed by something.
    pub independence: Option<TestOutcome>,
    /// Christoffersen's test of both together; `None` as above.
    pub conditional_coverage: Option<TestOutcome>,
}

/// Computes everything about the calibration of a set of forecasts; `None` without forecasts, or unless every one states a
/// distribution that is more than a point.
///
/// Rows of one [`series`](ScoredForecast::series) must stand in the order of time; those of several may be mixed.
///
/// # Errors
/// [`MetricsError::Row`] for a number that is not finite or a variance that is not above 0, [`MetricsError::Distribution`] for an
/// invalid distribution.
pub fn calibration(forecasts: &[ScoredForecast]) -> Result<Option<Calibration>, MetricsError> {
    ScoredForecast::validate_all(forecasts)?;
    Ok(stated(forecasts).as_deref().and_then(transforms).and_then(|transforms| calibration_of(&transforms)))
}

fn calibration_of(transforms: &[Transform]) -> Option<Calibration> {
    let intervals = TESTED.iter().map(|&nominal| interval_tests(transforms, nominal));
    Some(Calibration {
        count: transforms.len(),
        pit_histogram: histogram(transforms),
        kolmogorov_smirnov: kolmogorov_smirnov(&values(transforms))?,
        ljung_box: ljung_box(transforms),
        coverage_curve: coverage_curve(transforms, &CURVE),
        intervals: intervals.collect::<Option<_>>()?,
    })
}

/// Tests the central intervals of a probability; `None` without transforms.
pub(crate) fn interval_tests(transforms: &[Transform], nominal: f64) -> Option<IntervalTests> {
    let counts = Misses::count(transforms, nominal);
    Some(IntervalTests {
        nominal,
        misses: counts.outside,
        kupiec: kupiec_of(counts.outside, counts.observations, nominal)?,
        independence: counts.independence(),
        conditional_coverage: counts.conditional_coverage(nominal),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Distribution;
    use crate::vectors::{FORECAST, FORECAST_REFERENCE, assert_close, floats};

    fn reference() -> Calibration {
        let read = |key: &str| floats(&FORECAST[key]);
        let (means, deviations, actuals) = (read("mu"), read("sigma"), read("y"));
        let row = |row: usize| ScoredForecast::from_moments(means[row], Some(deviations[row].powi(2)), actuals[row]);
        let rows: Vec<ScoredForecast> = (0..means.len()).map(row).collect();
        calibration(&rows).expect("valid").expect("every variance")
    }

    #[track_caller]
    fn check(found: TestOutcome, expected: &serde_json::Value) {
        assert_close(Some(found.statistic), expected[0].as_f64().expect("a statistic"));
        assert_close(Some(found.p_value), expected[1].as_f64().expect("a p-value"));
    }

    #[test]
    fn the_tests_of_the_reference_are_those_of_scipy_and_statsmodels() {
        let (found, expected) = (reference(), &FORECAST_REFERENCE["calibration"]);
        assert_eq!(found.count, 200);
        assert_eq!(found.pit_histogram.map(|count| count as f64).to_vec(), floats(&expected["pit_histogram"]));
        check(found.kolmogorov_smirnov, &expected["kolmogorov_smirnov"]);
        let LjungBox { lags, statistic, p_value } = found.ljung_box.expect("enough rows");
        assert_eq!(lags, 10);
        check(TestOutcome { statistic, p_value }, &expected["ljung_box"]);
        let tests = expected["tests"].as_array().expect("a list");
        assert_eq!(found.intervals.len(), tests.len());
        for (found, expected) in found.intervals.iter().zip(tests) {
            assert_eq!(
                (Some(found.nominal), Some(found.misses)),
                (expected["nominal"].as_f64(), expected["failures"].as_u64())
            );
            check(found.kupiec, &expected["kupiec"]);
            check(found.independence.expect("both states"), &expected["independence"]);
            check(found.conditional_coverage.expect("both states"), &expected["conditional_coverage"]);
        }
    }

    #[test]
    fn the_curve_holds_the_coverages_of_the_reference() {
        let curve = reference().coverage_curve;
        let observed = |nominal: f64| curve.iter().find(|point| point.nominal == nominal).map(|point| point.observed);
        for (level, expected) in FORECAST["coverage"].as_object().expect("an object") {
            assert_eq!(observed(level.parse().expect("a level")), expected.as_f64());
        }
        assert_eq!(observed(0.7), FORECAST_REFERENCE["calibration"]["coverage_70"].as_f64());
        assert_eq!(curve.len(), 20);
    }

    #[test]
    fn the_report_reads_back_as_it_was_written() {
        let found = reference();
        let json = serde_json::to_string(&found).expect("plain fields");
        assert_eq!(serde_json::from_str::<Calibration>(&json).expect("the same"), found);
    }

    #[test]
    fn points_and_nothing_cannot_be_calibrated() {
        let point = ScoredForecast::from_distribution(Distribution::Point { value: 1.0 }, 1.0);
        assert_eq!(calibration(&[point]), Ok(None));
        assert_eq!(calibration(&[ScoredForecast::from_moments(0.0, None, 1.0)]), Ok(None));
        assert_eq!(calibration(&[]), Ok(None));
    }

    #[test]
    fn a_single_row_has_no_serial_tests() {
        let found =
            calibration(&[ScoredForecast::from_moments(0.0, Some(1.0), 0.0)]).expect("valid").expect("a variance");
        // The transform is 0.5, as far as can be from neither end.
        assert_eq!((found.kolmogorov_smirnov.statistic, found.kolmogorov_smirnov.p_value), (0.5, 1.0));
        assert_eq!((found.ljung_box, found.intervals[0].independence), (None, None));
    }
}
