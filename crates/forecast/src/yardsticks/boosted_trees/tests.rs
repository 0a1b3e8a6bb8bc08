use super::*;
use crate::fixture::{normals, tabular};
use crate::{NoMonitor, NoStore, Ridge};

const ONE_STUMP: GradientBoostedTrees = GradientBoostedTrees {
    trees_max: 1,
    learning_rate: 1.0,
    depth_max: 1,
    leaf_samples_min: 1,
    l2: 0.0,
    patience_trees: 1,
};

fn fit(
    forecaster: &dyn Forecaster,
    train: &Windows,
    valid: &Windows,
) -> Result<Box<dyn FittedForecaster>, ForecastError> {
    forecaster.fit(&FitTask { train, valid, seed: 0, monitor: &NoMonitor, store: &NoStore })
}

fn close_to(found: &Predictive, mean: f64, variance: f64) {
    let stated = found.variance.expect("stated");
    assert!((found.mean - mean).abs() < 1e-6 && (stated - variance).abs() < 1e-5, "{found:?}");
}

/// Samples of three features, of which the label reads two in a way that no plane follows, and noise of deviation 0.1.
fn curved(seed: u64, count: usize) -> Windows {
    let numbers = normals(seed, 4 * count);
    let rows: Vec<[f32; 3]> = numbers.chunks(4).map(|row| [row[0] as f32, row[1] as f32, row[2] as f32]).collect();
    let label = |(row, numbers): (&[f32; 3], &[f64])| {
        f64::from(row[0].abs() + if row[1] > 0.5 { 1.0 } else { 0.0 }) + 0.1 * numbers[3]
    };
    let labels: Vec<f64> = rows.iter().zip(numbers.chunks(4)).map(label).collect();
    tabular(&rows.iter().map(<[f32; 3]>::as_slice).collect::<Vec<_>>(), &labels)
}

/// The share of the test labels' variance around the training mean that a forecaster explains.
fn skill(forecaster: &dyn Forecaster, train: &Windows, valid: &Windows, test: &Windows) -> f64 {
    let forecast = fit(forecaster, train, valid).expect("fits").forecast(test).expect("same shape");
    let labels: Vec<f64> = test.target.iter().map(|label| label.expect("labelled")).collect();
    let trained: Vec<f64> = train.target.iter().map(|label| label.expect("labelled")).collect();
    let mean = trained.iter().sum::<f64>() / trained.len() as f64;
    let error: f64 = forecast.iter().zip(&labels).map(|(one, label)| (label - one.mean).powi(2)).sum();
    1.0 - error / labels.iter().map(|label| (label - mean).powi(2)).sum::<f64>()
}

#[test]
fn one_split_forecasts_the_mean_on_either_side() {
    // Below the split 1 and 3, above it 10 and 14: means 2 and 12. On the validation set 2 - 3 and 12 - 11: error 1.
    let train = tabular(&[&[0.0], &[0.0], &[1.0], &[1.0]], &[1.0, 3.0, 10.0, 14.0]);
    let valid = tabular(&[&[0.0], &[1.0]], &[3.0, 11.0]);
    let forecast = fit(&ONE_STUMP, &train, &valid).expect("fits").forecast(&valid).expect("same shape");
    close_to(&forecast[0], 2.0, 1.0);
    close_to(&forecast[1], 12.0, 1.0);
}

#[test]
fn weights_move_the_mean_of_a_leaf() {
    // Weighted 3 to 1 the left leaf's mean is (3 * 1 + 1 * 3) / 4 = 1.5.
    let mut train = tabular(&[&[0.0], &[0.0], &[1.0], &[1.0]], &[1.0, 3.0, 10.0, 14.0]);
    train.weight = vec![1.5, 0.5, 1.0, 1.0];
    let valid = tabular(&[&[0.0]], &[1.5]);
    let forecast = fit(&ONE_STUMP, &train, &valid).expect("fits").forecast(&valid).expect("same shape");
    assert!((forecast[0].mean - 1.5).abs() < 1e-6, "{forecast:?}");
}

#[test]
fn no_tree_is_kept_when_none_helps_on_the_validation_set() {
    // The training mean is 7; the validation labels have the slope turned round: errors 9 and 25, on average 17.
    let train = tabular(&[&[0.0], &[0.0], &[1.0], &[1.0]], &[1.0, 3.0, 10.0, 14.0]);
    let valid = tabular(&[&[0.0], &[1.0]], &[10.0, 2.0]);
    let fitted = fit(&ONE_STUMP, &train, &valid).expect("fits");
    assert_eq!(fitted.report().parameters, 2);
    close_to(&fitted.forecast(&valid).expect("same shape")[1], 7.0, 17.0);
}

#[test]
fn a_curve_is_found_that_a_plane_misses() {
    let [train, valid, test] = [(1, 3000), (2, 1000), (3, 1000)].map(|(seed, count)| curved(seed, count));
    let trees = skill(&GradientBoostedTrees::STANDARD, &train, &valid, &test);
    let plane = skill(&Ridge { lambda: None }, &train, &valid, &test);
    assert!(trees > 0.95 && plane < 0.4, "trees {trees}, plane {plane}");
    // The stated variance is the noise's, 0.01, and what the trees do not reach.
    let fitted = fit(&GradientBoostedTrees::STANDARD, &train, &valid).expect("fits");
    let variance = fitted.forecast(&test).expect("same shape")[0].variance.expect("stated");
    assert!((0.01..0.02).contains(&variance), "{variance}");
}

#[test]
fn there_is_no_skill_in_noise() {
    let [train, valid, test] = [(1, 2000), (2, 700), (3, 2000)].map(|(seed, count)| {
        let mut windows = curved(seed, count);
        windows.target = normals(seed + 100, count).into_iter().map(Some).collect();
        windows
    });
    let skill = skill(&GradientBoostedTrees::STANDARD, &train, &valid, &test);
    assert!((-0.02..0.005).contains(&skill), "{skill}");
}

#[test]
fn a_restored_fit_forecasts_the_same_bits_and_so_does_a_second_one() {
    let [train, valid] = [(1, 600), (2, 300)].map(|(seed, count)| curved(seed, count));
    let fitted = fit(&GradientBoostedTrees::STANDARD, &train, &valid).expect("fits");
    let bytes = fitted.checkpoint().expect("writes");
    let again = fit(&GradientBoostedTrees::STANDARD, &train, &valid).expect("fits");
    assert_eq!(again.checkpoint().expect("writes"), bytes);
    let restored = GradientBoostedTrees::STANDARD.restore(&bytes).expect("its own bytes");
    assert_eq!(restored.forecast(&valid).expect("same shape"), fitted.forecast(&valid).expect("same shape"));
    assert_eq!(restored.checkpoint().expect("writes"), bytes);
    assert_eq!(restored.report(), fitted.report());
    let error = restored.forecast(&tabular(&[&[0.0]], &[0.0])).expect_err("one feature");
    assert_eq!(error, ForecastError::Shape { what: "the summary of a window", expected: 3, found: 1 });
}

#[test]
fn labels_that_are_all_the_same_are_forecast() {
    let train = tabular(&[&[0.0], &[1.0], &[2.0]], &[0.5; 3]);
    let forecast = fit(&ONE_STUMP, &train, &train).expect("fits").forecast(&train).expect("same shape");
    assert_eq!(forecast[2], predictive(0.5, None));
}

#[test]
fn settings_out_of_range_are_named() {
    let message = |spec: GradientBoostedTrees| {
        let set = tabular(&[&[0.0], &[1.0]], &[0.0, 1.0]);
        fit(&spec, &set, &set).err().expect("refused").to_string()
    };
    let standard = GradientBoostedTrees::STANDARD;
    assert_eq!(message(GradientBoostedTrees { depth_max: 0, ..standard }), "depth_max must be at least 1, was `0`");
    assert_eq!(
        message(GradientBoostedTrees { learning_rate: 1.5, ..standard }),
        "learning_rate must be in (0, 1], was `1.5`"
    );
    assert_eq!(
        message(GradientBoostedTrees { l2: f64::NAN, ..standard }),
        "l2 must be finite and at least 0, was `NaN`"
    );
}

#[test]
fn a_validation_set_is_needed() {
    let train = tabular(&[&[0.0], &[1.0]], &[0.0, 1.0]);
    let error = fit(&ONE_STUMP, &train, &Windows::default()).err().expect("refused");
    assert_eq!(error, ForecastError::TooFewSamples { set: "validation set", needed: 1, found: 0 });
}
