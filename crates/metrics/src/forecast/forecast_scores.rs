//! Every score of a set of forecasts.

use serde::{Deserialize, Serialize};

use super::ScoredForecast;
use super::coverage::coverage;
use super::crps::mean_crps;
use super::hit_rate::hit_rate;
use super::information_coefficient::information_coefficient;
use super::mean_squared_error::mean_squared_error;
use super::negative_log_likelihood::mean_negative_log_likelihood;
use super::probability_integral_transform::{histogram, kolmogorov_smirnov, probability_integral_transform};
use super::r2_out_of_sample::r2_out_of_sample;
use super::rank_information_coefficient::rank_information_coefficient;
use super::scored_forecast::standardize;
use crate::MetricsError;

/// Every score of a set of forecasts, pooled over instruments and times; undefined is `None`.
///
/// Scores of the distribution take it as normal with the stated mean and variance, and are `None` unless every forecast states
/// a variance.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForecastScores {
    /// How many forecasts were scored.
    pub count: usize,
    /// Mean squared error, a squared fraction.
    pub mse: Option<f64>,
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
    /// [`gaussian_negative_log_likelihood`](crate::gaussian_negative_log_likelihood).
    pub negative_log_likelihood: Option<f64>,
    /// Mean continuous ranked probability score, a fraction: see [`gaussian_crps`](crate::gaussian_crps).
    pub crps: Option<f64>,
    /// Share of observations inside the central 50 % interval.
    pub coverage_50: Option<f64>,
    /// Share of observations inside the central 80 % interval.
    pub coverage_80: Option<f64>,
    /// Share of observations inside the central 95 % interval.
    pub coverage_95: Option<f64>,
    /// Counts of the probability integral transform in ten equal bins of [0, 1]: flat when calibrated, high at both ends when
    /// overconfident. Source: Diebold, Gunther and Tay (1998).
    pub pit_histogram: Option<[u64; 10]>,
    /// Kolmogorov-Smirnov distance of the transforms from uniform.
    pub pit_kolmogorov_smirnov: Option<f64>,
}

/// Computes every score of a set of forecasts.
///
/// # Errors
/// [`MetricsError::Row`] for a number that is not finite or a variance that is not above 0.
pub fn forecast_scores(forecasts: &[ScoredForecast]) -> Result<ForecastScores, MetricsError> {
    ScoredForecast::validate_all(forecasts)?;
    let errors = standardize(forecasts);
    let errors = errors.as_deref();
    let transforms = errors.map(probability_integral_transform);
    Ok(ForecastScores {
        count: forecasts.len(),
        mse: mean_squared_error(forecasts),
        r2_out_of_sample: r2_out_of_sample(forecasts, |_| Some(0.0)),
        r2_out_of_sample_train_mean: r2_out_of_sample(forecasts, |forecast| forecast.train_mean),
        information_coefficient: information_coefficient(forecasts),
        rank_information_coefficient: rank_information_coefficient(forecasts),
        hit_rate: hit_rate(forecasts),
        negative_log_likelihood: errors.and_then(mean_negative_log_likelihood),
        crps: errors.and_then(mean_crps),
        coverage_50: errors.and_then(|errors| coverage(errors, 0.5)),
        coverage_80: errors.and_then(|errors| coverage(errors, 0.8)),
        coverage_95: errors.and_then(|errors| coverage(errors, 0.95)),
        pit_histogram: transforms.as_deref().map(histogram),
        pit_kolmogorov_smirnov: transforms.as_deref().and_then(kolmogorov_smirnov),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::calibration_curve;
    use crate::vectors::{FORECAST, assert_close, floats};

    fn reference() -> Vec<ScoredForecast> {
        let read = |key: &str| floats(&FORECAST[key]);
        let (means, deviations, actuals) = (read("mu"), read("sigma"), read("y"));
        let row = |row: usize| ScoredForecast {
            mean: means[row],
            variance: Some(deviations[row].powi(2)),
            actual: actuals[row],
            train_mean: Some(0.001),
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
        assert_eq!(scores.coverage_95, Some(coverage("0.95")));
        let histogram = scores.pit_histogram.expect("every variance").map(|count| count as f64);
        assert_eq!(histogram.to_vec(), floats(&FORECAST["pit_hist10"]));
        let curve = calibration_curve(&reference(), &[0.9]).expect("valid");
        assert_eq!(curve[0].observed, coverage("0.9"));
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
        let good = ScoredForecast { mean: 0.0, variance: Some(1.0), actual: 0.0, train_mean: None };
        let check = |bad: ScoredForecast, message: &str| {
            let error = forecast_scores(&[good, bad]).expect_err(message).to_string();
            assert_eq!(error, message);
        };
        check(ScoredForecast { mean: f64::NAN, ..good }, "a forecast mean must be finite, was `NaN` at row `1`");
        check(
            ScoredForecast { actual: f64::INFINITY, ..good },
            "an actual return must be finite, was `inf` at row `1`",
        );
        check(
            ScoredForecast { variance: Some(0.0), ..good },
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
                mean: if flat { 0.0 } else { mean },
                variance: Some(variance),
                actual,
                train_mean: Some(mean),
            };
            let scores = forecast_scores(&rows.iter().map(row).collect::<Vec<_>>()).expect("valid");
            let json = serde_json::to_value(scores).expect("plain fields");
            let values = [
                scores.mse, scores.r2_out_of_sample, scores.r2_out_of_sample_train_mean, scores.information_coefficient,
                scores.rank_information_coefficient, scores.hit_rate, scores.negative_log_likelihood, scores.crps,
                scores.coverage_50, scores.coverage_80, scores.coverage_95, scores.pit_kolmogorov_smirnov,
            ];
            prop_assert!(values.iter().all(|value| value.is_none_or(f64::is_finite)), "{json}");
        }
    }
}
