use proptest::prelude::*;

use super::*;
use crate::pinball_loss;
use crate::vectors::{FORECAST, FORECAST_REFERENCE, assert_close, floats};

fn normal(mean: f64, standard_deviation: f64) -> Distribution {
    Distribution::Normal { mean, standard_deviation }
}

fn student_t(location: f64, scale: f64, degrees_of_freedom: f64) -> Distribution {
    Distribution::StudentT { location, scale, degrees_of_freedom }
}

fn quantiles(levels: &[f64], values: &[f64]) -> Distribution {
    Distribution::Quantiles { levels: levels.to_vec(), values: values.to_vec() }
}

#[test]
fn the_scores_of_three_normals_and_a_student_t_are_the_published_ones() {
    let check = |distribution: Distribution, y: f64, expected: f64| {
        let found = distribution.crps(y);
        assert!((found - expected).abs() < 5e-8, "{distribution:?} at {y}: {found}");
    };
    check(normal(0.0, 1.0), 0.0, 0.233_695_0);
    check(normal(0.0, 1.0), 1.0, 0.602_441_4);
    check(normal(1.0, 2.0), -0.5, 0.896_288_5);
    check(student_t(0.0, 1.0, 4.0), 0.7, 0.438_792_9);
    // Scale and location: 3 times as far in units of 3 times the size.
    check(student_t(0.1, 3.0, 4.0), 2.2, 3.0 * 0.438_792_875_5);
    check(Distribution::Point { value: 1.5 }, -0.5, 2.0);
    let density = normal(0.0, 1.0).log_density(1.0).expect("a density");
    assert!((density + 1.418_939).abs() < 5e-7);
}

#[test]
fn every_normal_forecast_equals_the_reference() {
    let read = |key: &str| floats(&FORECAST[key]);
    let (mean, deviation, actual) = (read("mu"), read("sigma"), read("y"));
    let (crps, pit) = (read("crps"), read("pit"));
    let mut likelihood = 0.0;
    for row in 0..crps.len() {
        let distribution = normal(mean[row], deviation[row]);
        assert_close(Some(distribution.crps(actual[row])), crps[row]);
        assert_close(Some(distribution.cdf(actual[row])), pit[row]);
        likelihood -= distribution.log_density(actual[row]).expect("a density") / 200.0;
    }
    assert_close(Some(likelihood), FORECAST["nll_mean"].as_f64().expect("a number"));
    for (level, expected) in FORECAST["pinball_mean"].as_object().expect("an object") {
        let level: f64 = level.parse().expect("a level");
        let loss =
            |row: usize| pinball_loss(normal(mean[row], deviation[row]).quantile(level)?, level, actual[row]).into();
        let losses: Option<Vec<f64>> = (0..actual.len()).map(loss).collect();
        assert_close(losses.map(|losses| losses.iter().sum::<f64>() / 200.0), expected.as_f64().expect("a number"));
    }
    for (level, expected) in FORECAST["coverage"].as_object().expect("an object") {
        let level: f64 = level.parse().expect("a level");
        let inside =
            |&row: &usize| normal(mean[row], deviation[row]).interval(level).expect("inside").contains(actual[row]);
        let inside = (0..actual.len()).filter(inside).count();
        assert_eq!(inside as f64 / 200.0, expected.as_f64().expect("a share"));
    }
}

#[test]
fn a_student_t_is_wider_than_its_scale() {
    // variance = 4 * 5 / 3; SciPy 1.17.1: t.ppf(0.975, 5) = 2.5705818356363146, t.logpdf(1, 5) = -1.5155842594365883.
    let distribution = student_t(1.0, 2.0, 5.0);
    assert_eq!((distribution.mean(), distribution.variance()), (1.0, Some(20.0 / 3.0)));
    let interval = distribution.interval(0.95).expect("inside");
    assert_close(Some(interval.upper), 1.0 + 2.0 * 2.570_581_835_636_314_6);
    assert_close(Some(interval.lower), 1.0 - 2.0 * 2.570_581_835_636_314_6);
    assert_close(distribution.log_density(3.0), -1.515_584_259_436_588_3 - 2.0_f64.ln());
    assert_eq!(student_t(0.0, 1.0, 2.0).variance(), None);
    // Variance 8 of nu = 4: scale^2 = 8 * 2 / 4 = 4.
    assert_eq!(Distribution::student_t_from_moments(1.0, 8.0, 4.0), student_t(1.0, 2.0, 4.0));
}

#[test]
fn quantiles_have_the_moments_of_their_quantile_function() {
    let reference = &FORECAST_REFERENCE["quantiles"];
    let distribution = quantiles(&floats(&reference["levels"]), &floats(&reference["values"]));
    assert_close(Some(distribution.mean()), reference["mean"].as_f64().expect("a number"));
    assert_close(distribution.variance(), reference["variance"].as_f64().expect("a number"));
    let probabilities = floats(&reference["probabilities"]);
    for (probability, expected) in probabilities.into_iter().zip(floats(&reference["quantiles"])) {
        assert_close(distribution.quantile(probability), expected);
        assert_close(Some(distribution.cdf(expected)), probability);
    }
}

#[test]
fn the_score_of_quantiles_is_twice_their_mean_pinball_loss() {
    // At 2: 0.1 (2 - 0) = 0.2, 0.5 (2 - 1) = 0.5, (1 - 0.9) (4 - 2) = 0.2; twice the mean is 0.6.
    let distribution = quantiles(&[0.1, 0.5, 0.9], &[0.0, 1.0, 4.0]);
    assert_close(Some(distribution.crps(2.0)), 0.6);
    assert_eq!(distribution.log_density(2.0), None);
}

#[test]
fn many_quantiles_of_a_normal_are_that_normal() {
    let levels: Vec<f64> = (1..1000).map(|level| f64::from(level) / 1000.0).collect();
    let values: Vec<f64> = levels.iter().map(|&level| normal(1.0, 2.0).quantile(level).expect("inside")).collect();
    let distribution = quantiles(&levels, &values);
    // The published score of N(1, 2) at -0.5.
    assert!((distribution.crps(-0.5) - 0.896_288_5).abs() < 2e-3);
    assert!((distribution.mean() - 1.0).abs() < 1e-9);
    assert!((distribution.variance().expect("always") - 4.0).abs() < 2e-2);
}

#[test]
fn equal_values_hold_the_probability_between_their_levels() {
    let distribution = quantiles(&[0.2, 0.4, 0.8], &[-1.0, 3.0, 3.0]);
    // Half way from -1 to 3: half way from 0.2 to 0.4.
    assert_close(Some(distribution.cdf(1.0)), 0.3);
    assert_eq!(distribution.cdf(3.0), 1.0);
    assert_eq!((distribution.quantile(0.6), distribution.quantile(0.99)), (Some(3.0), Some(3.0)));
    // Nothing but one value: a point.
    let point = quantiles(&[0.2, 0.8], &[5.0, 5.0]);
    assert_eq!((point.mean(), point.variance(), point.cdf(4.9), point.cdf(5.0)), (5.0, Some(0.0), 0.0, 1.0));
}

#[test]
fn a_point_is_all_on_one_value() {
    let point = Distribution::from_moments(2.0, None);
    assert_eq!(point, Distribution::Point { value: 2.0 });
    assert_eq!((point.mean(), point.variance(), point.cdf(1.9), point.cdf(2.0)), (2.0, Some(0.0), 0.0, 1.0));
    assert_eq!((point.quantile(0.1), point.log_density(2.0), point.states_spread()), (Some(2.0), None, false));
    assert_eq!(Distribution::from_moments(2.0, Some(9.0)), normal(2.0, 3.0));
}

#[test]
fn what_is_no_distribution_is_named() {
    let check = |distribution: Distribution, message: &str| {
        assert_eq!(distribution.validate().expect_err(message).to_string(), message);
    };
    check(Distribution::Point { value: f64::NAN }, "a forecast value must be finite, was `NaN`");
    check(normal(0.0, 0.0), "a forecast standard deviation must be finite and above 0, was `0`");
    check(student_t(0.0, -1.0, 4.0), "a forecast scale must be finite and above 0, was `-1`");
    check(student_t(0.0, 1.0, 1.0), "the degrees of freedom of a forecast must be finite and above 1, was `1`");
    check(quantiles(&[0.1, 0.9], &[1.0]), "the values of a quantile forecast must have `2` rows, has `1`");
    check(
        quantiles(&[0.5], &[1.0]),
        "a quantile forecast must have at least two levels, has `1`\nhint: a single value is a point forecast",
    );
    check(quantiles(&[0.0, 0.9], &[1.0, 2.0]), "a quantile level must be in (0, 1), was `0` at row `0`");
    check(quantiles(&[0.5, 0.5], &[1.0, 2.0]), "a quantile level must be above the one before, was `0.5` at row `1`");
    check(quantiles(&[0.1, 0.9], &[1.0, 0.5]), "a quantile must be at least the one before, was `0.5` at row `1`");
    check(quantiles(&[0.1, 0.9], &[1.0, f64::INFINITY]), "a quantile must be finite, was `inf` at row `1`");
}

#[test]
fn a_distribution_is_written_by_its_kind() {
    let distribution = student_t(0.1, 0.5, 4.0);
    let json = serde_json::to_string(&distribution).expect("plain fields");
    assert_eq!(json, r#"{"kind":"student_t","location":0.1,"scale":0.5,"degrees_of_freedom":4.0}"#);
    assert_eq!(serde_json::from_str::<Distribution>(&json).expect("the same"), distribution);
}

fn any_distribution() -> impl Strategy<Value = Distribution> {
    let location = -10.0_f64..10.0;
    prop_oneof![
        (location.clone(), 1e-3_f64..10.0).prop_map(|(mean, deviation)| normal(mean, deviation)),
        (location.clone(), 1e-3_f64..10.0, 1.1_f64..1e6).prop_map(|(mean, scale, nu)| student_t(mean, scale, nu)),
        (location, prop::collection::vec((0.01_f64..1.0, 0.01_f64..5.0), 2..8)).prop_map(|(start, steps)| {
            let total: f64 = steps.iter().map(|step| step.0).sum::<f64>() + 0.1;
            let sum = |count: usize, pick: fn(&(f64, f64)) -> f64| steps[..=count].iter().map(pick).sum::<f64>();
            let levels = (0..steps.len()).map(|count| sum(count, |step| step.0) / total).collect();
            let values = (0..steps.len()).map(|count| start + sum(count, |step| step.1)).collect();
            Distribution::Quantiles { levels, values }
        }),
    ]
}

proptest! {
    #[test]
    fn the_quantile_undoes_the_distribution_function(distribution in any_distribution(), p in 0.001_f64..0.999) {
        prop_assert_eq!(distribution.validate(), Ok(()));
        let y = distribution.quantile(p).expect("inside");
        prop_assert!((distribution.cdf(y) - p).abs() < 1e-9, "{:?} at {}: {}", distribution, p, distribution.cdf(y));
    }

    #[test]
    fn a_distribution_function_rises_from_zero_to_one(distribution in any_distribution(), a in -50.0_f64..50.0, step in 0.0_f64..50.0) {
        let (low, high) = (distribution.cdf(a), distribution.cdf(a + step));
        prop_assert!(0.0 <= low && low <= high + 1e-15 && high <= 1.0);
    }

    #[test]
    fn a_score_is_never_below_zero(distribution in any_distribution(), y in -1e3_f64..1e3) {
        prop_assert!(distribution.crps(y) >= 0.0);
    }
}
