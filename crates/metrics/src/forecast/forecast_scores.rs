//! Every score of a set of forecasts.

use serde::{Deserialize, Serialize};

use super::calibration::{coverage, histogram, interval_tests, kolmogorov_smirnov, transforms, values};
use super::crps::{crps_skill, mean_crps, mean_reference_crps};
use super::hit_rate::hit_rate;
use super::information_coefficient::information_coefficient;
use super::interval_score::mean_interval_score;
use super::mean_absolute_error::mean_absolute_error;
use super::mean_squared_error::mean_squared_error;
use super::negative_log_likelihood::mean_negative_log_likelihood;
use super::r2_out_of_sample::r2_out_of_sample;
use super::rank_information_coefficient::rank_information_coefficient;
use super::relative_squared_error::relative_squared_error;
use super::scored_forecast::{ScoredForecast, stated};
use crate::MetricsError;

/// Every score of a set of forecasts, pooled over instruments and times; undefined is `None`.
///
/// Scores of the distribution read the one that a forecast states, or take it as normal with the stated mean and variance, and
/// are `None` unless every forecast states one. Coverage, the interval score and the transforms are `None` for points as well,
/// the likelihood for whatever has no density.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForecastScores {
    /// How many forecasts were scored.
    pub count: usize,
    /// Mean squared error, a squared fraction.
    pub mse: Option<f64>,
    /// Mean absolute error, a fraction.
    pub mean_absolute_error: Option<f64>,
    /// Root relative squared error: `sqrt(sum((actual - mean)^2) / sum((actual - average of the actuals)^2))`. Source: Lai, Chang,
    /// Yang and Liu (2018).
    pub relative_squared_error: Option<f64>,
    /// Share of the variation around 0 that the means explain: `1 - sum((actual - mean)^2) / sum(actual^2)`. Source: Gu, Kelly
    /// and Xiu (2020).
    pub r2_out_of_sample: Option<f64>,
    /// The same around the mean of the training rows: `1 - sum((actual - mean)^2) / sum((actual - train_mean)^2)`; `None` unless
    /// it is known for every forecast. Source: Campbell and Thompson (2008).
    pub r2_out_of_sample_train_mean: Option<f64>,
    /// Pearson correlation of means and actual returns. Source: Grinold and Kahn (2000).
    pub information_coefficient: Option<f64>,
    /// Spearman correlation of means and actual returns, ties at their average rank.
    pub rank_information_coefficient: Option<f64>,
    /// Share of means with the right sign, where neither side is 0.
    pub hit_rate: Option<f64>,
    /// Mean negative log likelihood in nats, the constant included: see
    /// [`Distribution::log_density`](crate::Distribution::log_density). The logarithmic score is its negative.
    pub negative_log_likelihood: Option<f64>,
    /// Mean continuous ranked probability score, a fraction: see [`Distribution::crps`](crate::Distribution::crps).
    pub crps: Option<f64>,
    /// `1 - crps / crps of the reference forecasts`; `None` unless every forecast has one.
    pub crps_skill: Option<f64>,
    /// Mean interval score of the central 95 % interval, a fraction: see [`interval_score`](crate::interval_score).
    pub interval_score_95: Option<f64>,
    /// Share of observations inside the central 50 % interval.
    pub coverage_50: Option<f64>,
    /// Share of observations inside the central 80 % interval.
    pub coverage_80: Option<f64>,
    /// Share of observations inside the central 90 % interval.
    pub coverage_90: Option<f64>,
    /// Share of observations inside the central 95 % interval.
    pub coverage_95: Option<f64>,
    /// Share of observations inside the central 99 % interval.
    pub coverage_99: Option<f64>,
    /// p-value of Kupiec's test that the central 95 % interval holds what it states: see [`kupiec`](crate::kupiec).
    pub kupiec_95_p_value: Option<f64>,
    /// p-value of Christoffersen's test that misses of that interval do not cluster within a series; `None` with too few misses.
    /// Source: Christoffersen (1998).
    pub christoffersen_95_p_value: Option<f64>,
    /// p-value of Christoffersen's test of both together.
    pub conditional_coverage_95_p_value: Option<f64>,
    /// Counts of the probability integral transform in ten equal bins of [0, 1]: flat when calibrated, high at both ends when
    /// overconfident. Source: Diebold, Gunther and Tay (1998).
    pub pit_histogram: Option<[u64; 10]>,
    /// Kolmogorov-Smirnov distance of the transforms from uniform.
    pub pit_kolmogorov_smirnov: Option<f64>,
    /// p-value of that distance, as if rows were independent: see
    /// [`kolmogorov_smirnov_uniform`](crate::kolmogorov_smirnov_uniform).
    pub pit_kolmogorov_smirnov_p_value: Option<f64>,
}

/// Computes every score of a set of forecasts.
///
/// # Errors
/// [`MetricsError::Row`] for a number that is not finite or a variance that is not above 0.
pub fn forecast_scores(forecasts: &[ScoredForecast]) -> Result<ForecastScores, MetricsError> {
    ScoredForecast::validate_all(forecasts)?;
    let stated = stated(forecasts);
    let stated = stated.as_deref();
    let transforms = stated.and_then(transforms);
    let transforms = transforms.as_deref();
    let uniform = transforms.and_then(|rows| kolmogorov_smirnov(&values(rows)));
    let tests = transforms.and_then(|rows| interval_tests(rows, 0.95));
    let crps = stated.and_then(mean_crps);
    Ok(ForecastScores {
        count: forecasts.len(),
        mse: mean_squared_error(forecasts),
        mean_absolute_error: mean_absolute_error(forecasts),
        relative_squared_error: relative_squared_error(forecasts),
        r2_out_of_sample: r2_out_of_sample(forecasts, |_| Some(0.0)),
        r2_out_of_sample_train_mean: r2_out_of_sample(forecasts, |forecast| forecast.train_mean),
        information_coefficient: information_coefficient(forecasts),
        rank_information_coefficient: rank_information_coefficient(forecasts),
        hit_rate: hit_rate(forecasts),
        negative_log_likelihood: stated.and_then(mean_negative_log_likelihood),
        crps,
        crps_skill: crps.zip(mean_reference_crps(forecasts)).and_then(|(own, reference)| crps_skill(own, reference)),
        interval_score_95: stated.and_then(|rows| mean_interval_score(rows, 0.95)),
        coverage_50: transforms.and_then(|rows| coverage(rows, 0.5)),
        coverage_80: transforms.and_then(|rows| coverage(rows, 0.8)),
        coverage_90: transforms.and_then(|rows| coverage(rows, 0.9)),
        coverage_95: transforms.and_then(|rows| coverage(rows, 0.95)),
        coverage_99: transforms.and_then(|rows| coverage(rows, 0.99)),
        kupiec_95_p_value: tests.map(|tests| tests.kupiec.p_value),
        christoffersen_95_p_value: tests.and_then(|tests| Some(tests.independence?.p_value)),
        conditional_coverage_95_p_value: tests.and_then(|tests| Some(tests.conditional_coverage?.p_value)),
        pit_histogram: transforms.map(histogram),
        pit_kolmogorov_smirnov: uniform.map(|test| test.statistic),
        pit_kolmogorov_smirnov_p_value: uniform.map(|test| test.p_value),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::vectors::{FORECAST, FORECAST_REFERENCE, assert_close, floats};
    use crate::{Distribution, calibration_curve};

    fn reference() -> Vec<ScoredForecast> {
        let read = |key: &str| floats(&FORECAST[key]);
        let (means, deviations, actuals) = (read("mu"), read("sigma"), read("y"));
        let row = |row: usize| ScoredForecast {
            train_mean: Some(0.001),
            reference: Some(Distribution::Normal { mean: 0.001, standard_deviation: 0.02 }),
            ..ScoredForecast::from_moments(means[row], Some(deviations[row].powi(2)), actuals[row])
        };
        (0..means.len()).map(row).collect()
    }

    #[test]
    fn the_scores_of_the_distribution_equal_the_reference() {
        let scores = forecast_scores(&reference()).expect("valid");
        let number = |key: &str| FORECAST[key].as_f64().expect("a number");
        let coverage = |level: &str| FORECAST["coverage"][level].as_f64().expect("a share");
        assert_eq!(scores.count, 200);
        assert_close(scores.crps, number("crps_mean"));
        assert_close(scores.negative_log_likelihood, number("nll_mean"));
        assert_close(scores.pit_kolmogorov_smirnov, number("pit_ks"));
        assert_eq!(scores.coverage_50, Some(coverage("0.5")));
        assert_eq!(scores.coverage_80, Some(coverage("0.8")));
        assert_eq!(scores.coverage_90, Some(coverage("0.9")));
        assert_eq!(scores.coverage_95, Some(coverage("0.95")));
        let more = &FORECAST_REFERENCE["calibration"];
        assert_eq!(scores.coverage_99, more["coverage_99"].as_f64());
        assert_close(scores.pit_kolmogorov_smirnov_p_value, more["kolmogorov_smirnov"][1].as_f64().expect("a number"));
        let tests = &more["tests"][1];
        assert_close(scores.kupiec_95_p_value, tests["kupiec"][1].as_f64().expect("a number"));
        assert_close(scores.christoffersen_95_p_value, tests["independence"][1].as_f64().expect("a number"));
        assert_close(
            scores.conditional_coverage_95_p_value,
            tests["conditional_coverage"][1].as_f64().expect("a number"),
        );
        let histogram = scores.pit_histogram.expect("every variance").map(|count| count as f64);
        assert_eq!(histogram.to_vec(), floats(&FORECAST["pit_hist10"]));
        let curve = calibration_curve(&reference(), &[0.7]).expect("valid");
        assert_eq!(Some(curve[0].observed), more["coverage_70"].as_f64());
    }

    #[test]
    fn errors_intervals_and_skill_equal_those_of_numpy() {
        let scores = forecast_scores(&reference()).expect("valid");
        let number = |key: &str| FORECAST_REFERENCE["scores"][key].as_f64().expect("a number");
        assert_close(scores.mean_absolute_error, number("mean_absolute_error"));
        assert_close(scores.relative_squared_error, number("relative_squared_error"));
        assert_close(scores.interval_score_95, number("interval_score_95"));
        assert_close(scores.crps_skill, number("crps_skill_against_normal_0.001_0.02"));
    }

    #[test]
    fn a_stated_distribution_is_scored_in_place_of_the_moments() {
        let student_t = Distribution::StudentT { location: 0.0, scale: 1.0, degrees_of_freedom: 4.0 };
        let rows = [ScoredForecast::from_distribution(student_t, 0.7)];
        let scores = forecast_scores(&rows).expect("valid");
        // The published score of t_4 at 0.7.
        assert!((scores.crps.expect("a distribution") - 0.438_792_9).abs() < 5e-8);
        let points = [0.5, 2.5].map(|value| ScoredForecast::from_distribution(Distribution::Point { value }, 1.0));
        let scores = forecast_scores(&points).expect("valid");
        // |1 - 0.5| and |1 - 2.5|; nothing else is known of points.
        assert_eq!((scores.crps, scores.mean_absolute_error), (Some(1.0), Some(1.0)));
        assert_eq!((scores.coverage_95, scores.negative_log_likelihood, scores.pit_histogram), (None, None, None));
        assert_eq!(scores.interval_score_95, None);
    }

    #[test]
    fn scores_written_before_a_key_was_added_are_still_read() {
        let scores: ForecastScores = serde_json::from_str(r#"{"count":3,"mse":0.5}"#).expect("the others are null");
        assert_eq!(scores, ForecastScores { count: 3, mse: Some(0.5), ..ForecastScores::default() });
    }

    #[test]
    fn the_scores_of_the_mean_equal_those_of_numpy_and_scipy() {
        // NumPy 2.4.6 and SciPy 1.17.1 on the same rows: sums as written in the fields' docs, pearsonr, spearmanr.
        let scores = forecast_scores(&reference()).expect("valid");
        assert_close(scores.mse.map(|mse| mse * 1e4), 3.039_769_617_315_89);
        assert_close(scores.r2_out_of_sample, 0.230_728_289_813_032_4);
        assert_close(scores.r2_out_of_sample_train_mean, 0.227_329_506_551_405_38);
        assert_close(scores.information_coefficient, 0.481_232_573_657_746_96);
        assert_close(scores.rank_information_coefficient, 0.511_332_783_319_583_1);
        assert_close(scores.hit_rate, 0.68);
    }

    #[test]
    fn one_forecast_without_a_variance_leaves_the_scores_of_the_mean() {
        let mut rows = reference();
        rows[7].variance = None;
        let (with, without) = (forecast_scores(&reference()).expect("valid"), forecast_scores(&rows).expect("valid"));
        assert_eq!((without.mse, without.information_coefficient), (with.mse, with.information_coefficient));
        assert_eq!((without.crps, without.negative_log_likelihood, without.pit_histogram), (None, None, None));
        assert_eq!(without.coverage_95, None);
    }

    #[test]
    fn no_forecasts_have_no_scores() {
        assert_eq!(forecast_scores(&[]), Ok(ForecastScores::default()));
    }

    #[test]
    fn numbers_that_are_none_are_named() {
        let good = ScoredForecast::from_moments(0.0, Some(1.0), 0.0);
        let check = |bad: ScoredForecast, message: &str| {
            let error = forecast_scores(&[good.clone(), bad]).expect_err(message).to_string();
            assert_eq!(error, message);
        };
        check(
            ScoredForecast { mean: f64::NAN, ..good.clone() },
            "a forecast mean must be finite, was `NaN` at row `1`",
        );
        check(
            ScoredForecast { actual: f64::INFINITY, ..good.clone() },
            "an actual return must be finite, was `inf` at row `1`",
        );
        check(
            ScoredForecast { variance: Some(0.0), ..good.clone() },
            "a forecast variance must be finite and above 0, was `0` at row `1`",
        );
    }

    proptest! {
        #[test]
        fn no_score_is_ever_nan_or_infinite(
            rows in prop::collection::vec((-1e3_f64..1e3, 1e-12_f64..1e3, -1e3_f64..1e3), 0..20),
            flat in any::<bool>(),
        ) {
            let row = |&(mean, variance, actual): &(f64, f64, f64)| ScoredForecast {
                train_mean: Some(mean),
                reference: Some(Distribution::StudentT { location: mean, scale: variance, degrees_of_freedom: 3.0 }),
                ..ScoredForecast::from_moments(if flat { 0.0 } else { mean }, Some(variance), actual)
            };
            let scores = forecast_scores(&rows.iter().map(row).collect::<Vec<_>>()).expect("valid");
            let json = serde_json::to_value(scores).expect("plain fields");
            let values = [
                scores.mse, scores.mean_absolute_error, scores.relative_squared_error, scores.r2_out_of_sample,
                scores.r2_out_of_sample_train_mean, scores.information_coefficient, scores.rank_information_coefficient,
                scores.hit_rate, scores.negative_log_likelihood, scores.crps, scores.crps_skill, scores.interval_score_95,
                scores.coverage_50, scores.coverage_80, scores.coverage_90, scores.coverage_95, scores.coverage_99,
                scores.pit_kolmogorov_smirnov, scores.pit_kolmogorov_smirnov_p_value, scores.kupiec_95_p_value,
                scores.christoffersen_95_p_value, scores.conditional_coverage_95_p_value,
            ];
            prop_assert!(values.iter().all(|value| value.is_none_or(f64::is_finite)), "{json}");
        }
    }
}
