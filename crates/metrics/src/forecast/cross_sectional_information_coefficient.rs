//! Information coefficients across instruments, time by time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tidegate_market::Timestamp;

use super::information_coefficient::information_coefficient;
use super::rank_information_coefficient::rank_information_coefficient;
use super::{LongRunVariance, ScoredForecast, mean_test};
use crate::MetricsError;
use crate::sample::{mean, ratio, standard_deviation};

/// Two instruments always correlate perfectly: a cross-section needs one more.
const NAMES_MIN: usize = 3;

/// Information coefficients across instruments, time by time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossSectionalIc {
    /// The coefficients of each time, in ascending order of time.
    pub by_time: Vec<IcPoint>,
    /// How many times were left out: with fewer than three instruments, or when forecasts or outcomes did not vary.
    pub times_left_out: usize,
    /// Of the Pearson correlations; `None` without any.
    pub pearson: Option<IcSummary>,
    /// Of the Spearman correlations; `None` without any.
    pub rank: Option<IcSummary>,
}

/// The information coefficients of one time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IcPoint {
    /// The time.
    pub time: Timestamp,
    /// How many instruments were forecast.
    pub names: usize,
    /// Pearson correlation of means and outcomes across them.
    pub pearson: f64,
    /// Spearman correlation, ties at their average rank.
    pub rank: f64,
}

/// What the information coefficients of many times amount to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IcSummary {
    /// How many times there were.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their sample standard deviation (ddof 1); `None` below two.
    pub standard_deviation: Option<f64>,
    /// Mean over standard deviation, a time, not annualized; `None` when they do not vary.
    pub information_ratio: Option<f64>,
    /// Statistic of the test that the mean is 0, by [`mean_test`]; `None` when it is undefined there.
    pub t_statistic: Option<f64>,
    /// Two-sided p-value of that test.
    pub p_value: Option<f64>,
}

/// Computes the information coefficients across the instruments of each time, and their mean, spread and t-statistic.
///
/// `times` holds the time of each forecast. The labels of forecasts `horizon` times ahead overlap, so that coefficients depend on the
/// `horizon - 1` before them; the test allows for it. Source: Grinold and Kahn (2000), "Active Portfolio Management"; Fama and
/// `MacBeth` (1973) for averaging over times.
///
/// # Errors
/// [`MetricsError::Length`] when times and forecasts differ in number, [`MetricsError::Row`] for a number that is not finite,
/// [`MetricsError::NoHorizon`] for a horizon of 0.
pub fn cross_sectional_information_coefficient(
    times: &[Timestamp],
    forecasts: &[ScoredForecast],
    horizon: usize,
) -> Result<CrossSectionalIc, MetricsError> {
    ScoredForecast::validate_all(forecasts)?;
    if times.len() != forecasts.len() {
        return Err(MetricsError::Length { name: "forecasts", expected: times.len(), found: forecasts.len() });
    }
    let mut sections: BTreeMap<Timestamp, Vec<ScoredForecast>> = BTreeMap::new();
    for (&time, forecast) in times.iter().zip(forecasts) {
        sections.entry(time).or_default().push(forecast.clone());
    }
    let by_time: Vec<IcPoint> = sections.iter().filter_map(|(&time, section)| point(time, section)).collect();
    let summary = |pick: fn(&IcPoint) -> f64| summarize(&by_time.iter().map(pick).collect::<Vec<f64>>(), horizon);
    let (pearson, rank) = (summary(|point| point.pearson)?, summary(|point| point.rank)?);
    Ok(CrossSectionalIc { times_left_out: sections.len() - by_time.len(), by_time, pearson, rank })
}

fn point(time: Timestamp, section: &[ScoredForecast]) -> Option<IcPoint> {
    if section.len() < NAMES_MIN {
        return None;
    }
    let (pearson, rank) = (information_coefficient(section)?, rank_information_coefficient(section)?);
    Some(IcPoint { time, names: section.len(), pearson, rank })
}

fn summarize(values: &[f64], horizon: usize) -> Result<Option<IcSummary>, MetricsError> {
    let test = mean_test(values, horizon, LongRunVariance::Truncated)?;
    let Some(mean) = mean(values) else { return Ok(None) };
    let standard_deviation = standard_deviation(values);
    Ok(Some(IcSummary {
        count: values.len(),
        mean,
        standard_deviation,
        information_ratio: standard_deviation.and_then(|deviation| ratio(mean, deviation)),
        t_statistic: test.map(|test| test.statistic),
        p_value: test.map(|test| test.p_value),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::vectors::{FORECAST_REFERENCE, assert_close, floats};

    fn day(number: i64) -> Timestamp {
        Timestamp::from_nanos(number * 86_400_000_000_000)
    }

    fn reference(horizon: usize) -> CrossSectionalIc {
        let reference = &FORECAST_REFERENCE["information_coefficient"];
        let (forecasts, actuals) = (floats(&reference["forecast"]), floats(&reference["actual"]));
        let rows =
            forecasts.iter().zip(&actuals).map(|(&mean, &actual)| ScoredForecast::from_moments(mean, None, actual));
        let times: Vec<Timestamp> = floats(&reference["date"]).into_iter().map(|date| day(date as i64)).collect();
        cross_sectional_information_coefficient(&times, &rows.collect::<Vec<_>>(), horizon).expect("valid")
    }

    #[track_caller]
    fn check(found: IcSummary, expected: &Value) {
        let number = |key: &str| expected[key].as_f64().expect("a number");
        assert_close(Some(found.mean), number("mean"));
        assert_close(found.standard_deviation, number("standard_deviation"));
        assert_close(found.information_ratio, number("information_ratio"));
        assert_close(found.t_statistic, number("t_statistic"));
        assert_close(found.p_value, number("p_value"));
    }

    #[test]
    fn every_time_and_their_summary_are_those_of_scipy() {
        let (found, expected) = (reference(1), &FORECAST_REFERENCE["information_coefficient"]);
        assert_eq!((found.by_time.len(), found.times_left_out), (30, 0));
        for (kind, pick) in [("pearson", (|point| point.pearson) as fn(&IcPoint) -> f64), ("rank", |point| point.rank)]
        {
            for (point, expected) in found.by_time.iter().zip(floats(&expected[kind]["values"])) {
                assert_close(Some(pick(point)), expected);
            }
        }
        check(found.pearson.expect("30 times"), &expected["pearson"]);
        check(found.rank.expect("30 times"), &expected["rank"]);
    }

    #[test]
    fn overlapping_labels_change_the_test_alone() {
        let (plain, overlapping) = (reference(1).rank.expect("30 times"), reference(3).rank.expect("30 times"));
        let expected = &FORECAST_REFERENCE["information_coefficient"]["rank"]["horizon_3"];
        assert_eq!(plain.information_ratio, overlapping.information_ratio);
        assert_close(overlapping.t_statistic, expected["statistic"].as_f64().expect("a number"));
        assert_close(overlapping.p_value, expected["p_value"].as_f64().expect("a number"));
    }

    #[test]
    fn times_that_cannot_correlate_are_left_out_and_counted() {
        // Day 1 has two names, day 2 one forecast for all, day 3 a perfect and day 4 a reversed order.
        let rows = [
            (1, 0.1, 0.2),
            (1, 0.3, 0.1),
            (2, 0.5, 0.1),
            (2, 0.5, 0.2),
            (2, 0.5, 0.3),
            (4, 0.1, 3.0),
            (4, 0.2, 2.0),
            (4, 0.3, 1.0),
            (3, 0.1, 1.0),
            (3, 0.2, 2.0),
            (3, 0.3, 3.0),
        ];
        let times = rows.map(|(date, ..)| day(date));
        let forecasts = rows.map(|(_, mean, actual)| ScoredForecast::from_moments(mean, None, actual));
        let found = cross_sectional_information_coefficient(&times, &forecasts, 1).expect("valid");
        let ranks: Vec<_> = found.by_time.iter().map(|point| (point.time, point.names, point.rank)).collect();
        assert_eq!(ranks, [(day(3), 3, 1.0), (day(4), 3, -1.0)]);
        assert_eq!(found.times_left_out, 2);
        assert_eq!(found.rank.map(|rank| (rank.count, rank.mean, rank.information_ratio)), Some((2, 0.0, Some(0.0))));
    }

    #[test]
    fn no_forecasts_have_no_coefficient() {
        let found = cross_sectional_information_coefficient(&[], &[], 1).expect("valid");
        assert_eq!((found.by_time.len(), found.pearson, found.rank), (0, None, None));
        let error = cross_sectional_information_coefficient(&[day(1)], &[], 1).expect_err("one time").to_string();
        assert_eq!(error, "forecasts must have `1` rows, has `0`");
    }
}
