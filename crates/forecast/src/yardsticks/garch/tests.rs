use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::*;
use crate::fixture::normals;
use crate::{NoMonitor, NoStore, Panel, one_bar_returns};

/// Windows without features, a sample at every row of the series of a range.
fn windows_of(series: &[Arc<[Option<f64>]>], rows: std::ops::Range<usize>) -> Windows {
    let panel = Panel {
        axis: Vec::new(),
        series: series
            .iter()
            .map(|returns| {
                let mut one = crate::fixture::series(0, &[], 1);
                one.one_bar_return = Arc::clone(returns);
                one
            })
            .collect(),
    };
    let samples: Vec<Sample> = (0..series.len() as u32)
        .flat_map(|place| rows.clone().map(move |row| Sample { series: place, row: row as u32 }))
        .filter(|sample| (sample.row as usize) < series[sample.series as usize].len())
        .collect();
    Windows { samples, history: Some(ReturnHistory::new(&panel)), ..Windows::default() }
}

fn fit(train: &Windows, horizon_bars: u32) -> Result<Box<dyn FittedForecaster>, ForecastError> {
    let task = FitTask { train, valid: &Windows::default(), seed: 0, monitor: &NoMonitor, store: &NoStore };
    Garch { horizon_bars }.fit(&task)
}

/// Returns with the true variance of each.
fn simulated(seed: u64, count: usize, [mean, omega, alpha, beta]: [f64; 4]) -> (Arc<[Option<f64>]>, Vec<f64>) {
    let mut variance = omega / (1.0 - alpha - beta);
    let mut returns = vec![None];
    let mut variances = vec![variance];
    for normal in normals(seed, count) {
        let error = variance.sqrt() * normal;
        returns.push(Some(mean + error));
        variances.push(variance);
        variance = omega + alpha * error * error + beta * variance;
    }
    (returns.into(), variances)
}

fn correlation(one: &[f64], other: &[f64]) -> f64 {
    let count = one.len() as f64;
    let [mean, other_mean] = [one, other].map(|values| values.iter().sum::<f64>() / count);
    let sum = |values: &[f64], mean: f64, others: &[f64], other_mean: f64| -> f64 {
        values.iter().zip(others).map(|(value, other)| (value - mean) * (other - other_mean)).sum()
    };
    sum(one, mean, other, other_mean) / (sum(one, mean, one, mean) * sum(other, other_mean, other, other_mean)).sqrt()
}

fn vectors() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/garch.json");
    let text = std::fs::read_to_string(path).expect("the vectors are in the checkout");
    serde_json::from_str(&text).expect("the vectors are JSON")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn close_to(found: f64, expected: f64, relative: f64, what: &str) {
    assert!((found / expected - 1.0).abs() < relative, "{what}: {found}, expected {expected}");
}

/// Compares parameters, likelihood, the variance at some places and over some horizons with those of Python's `arch`.
fn check(returns: &Arc<[Option<f64>]>, expected: &Value) {
    let count = expected["observations"].as_u64().expect("a count") as usize;
    assert_eq!(returns.len(), count + 1);
    let train = windows_of(std::slice::from_ref(returns), 1..count + 1);
    let fitted = fit(&train, 1).expect("fits");
    let state: FittedGarch = checkpoint::read(NAME, &fitted.checkpoint().expect("writes")).expect("its own bytes");
    let process = state.series[0].expect("fitted");
    for (name, found) in
        [("mean", process.mean), ("omega", process.omega), ("alpha", process.alpha), ("beta", process.beta)]
    {
        close_to(found, number(&expected[name]), 1e-3, name);
    }
    let mut variance = process.first_variance();
    let mut log_likelihood = 0.0;
    let mut variances = Vec::new();
    for one in &returns[1..] {
        let error = one.expect("no holes") - process.mean;
        log_likelihood -= 0.5 * ((std::f64::consts::TAU * variance).ln() + error * error / variance);
        variances.push(variance);
        variance = process.next_variance(variance, *one);
    }
    let difference = log_likelihood - number(&expected["log_likelihood"]);
    assert!(difference.abs() < 1e-6, "log-likelihood differs by {difference}");
    for pair in expected["conditional_variance"].as_array().expect("pairs") {
        close_to(variances[number(&pair[0]) as usize], number(&pair[1]), 1e-3, "conditional variance");
    }
    let last = windows_of(std::slice::from_ref(returns), count..count + 1);
    for pair in expected["variance_over_horizon"].as_array().expect("pairs") {
        let bars = number(&pair[0]) as u32;
        let forecast = fit(&train, bars).expect("fits").forecast(&last).expect("same panel");
        close_to(forecast[0].variance.expect("stated"), number(&pair[1]), 1e-3, "variance over a horizon");
        close_to(forecast[0].mean, number(&expected["mean"]) * f64::from(bars), 1e-3, "mean over a horizon");
    }
}

#[test]
fn a_simulated_series_is_fitted_as_by_pythons_arch() {
    let vectors = vectors();
    let returns = vectors["simulated"]["returns"].as_array().expect("numbers");
    let returns: Arc<[Option<f64>]> =
        std::iter::once(None).chain(returns.iter().map(|one| Some(number(one)))).collect();
    check(&returns, &vectors["simulated"]["fit"]);
}

#[test]
fn a_stock_index_is_fitted_as_by_pythons_arch() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/sp500_daily.csv");
    let text = std::fs::read_to_string(path).expect("the data are in the checkout");
    let close = |line: &str| line.split(',').nth(5).and_then(|close| close.parse::<f64>().ok()).expect("a close");
    let vectors = vectors();
    let closes = vectors["sp500_daily"]["closes"].as_u64().expect("a count") as usize;
    let closes: Vec<f64> = text.lines().skip(1).take(closes).map(close).collect();
    check(&one_bar_returns(&closes), &vectors["sp500_daily"]["fit"]);
}

#[test]
fn the_true_variance_is_recovered_out_of_sample() {
    let truth = [2e-4, 1e-6, 0.09, 0.9];
    let (returns, variances) = simulated(11, 6000, truth);
    let fitted = fit(&windows_of(std::slice::from_ref(&returns), 1..3000), 1).expect("fits");
    let forecast = fitted.forecast(&windows_of(&[returns], 3000..6000)).expect("same panel");
    // A sample at row t forecasts the return of row t + 1.
    let found: Vec<f64> = forecast.iter().map(|one| one.variance.expect("stated")).collect();
    let correlation = correlation(&found, &variances[3001..6001]);
    assert!(correlation > 0.98, "{correlation}");
    // Over ten bars it is the sum of what the true process expects.
    let process = Process { mean: truth[0], omega: truth[1], alpha: truth[2], beta: truth[3], backcast: 1.0 };
    let state: FittedGarch = checkpoint::read(NAME, &fitted.checkpoint().expect("writes")).expect("its own bytes");
    let [ours, true_sum] =
        [state.series[0].expect("fitted"), process].map(|process| process.variance_over(variances[3001], 10));
    close_to(ours, true_sum, 0.1, "variance over ten bars");
}

#[test]
fn there_is_no_skill_in_noise_of_one_size() {
    let (returns, _) = simulated(5, 4000, [0.0, 1e-4, 0.0, 0.0]);
    let fitted = fit(&windows_of(std::slice::from_ref(&returns), 1..2000), 1).expect("fits");
    let forecast = fitted.forecast(&windows_of(&[returns], 2000..4000)).expect("same panel");
    for one in forecast {
        close_to(one.variance.expect("stated"), 1e-4, 0.25, "variance");
    }
}

#[test]
fn every_series_has_parameters_of_its_own() {
    let (calm, _) = simulated(1, 1500, [0.0, 1e-6, 0.05, 0.9]);
    let (wild, _) = simulated(2, 1500, [0.0, 1e-4, 0.1, 0.8]);
    let (short, _) = simulated(3, 60, [0.0, 1e-4, 0.1, 0.8]);
    let train = windows_of(&[calm.clone(), wild.clone(), short.clone()], 1..1000);
    let fitted = fit(&train, 1).expect("two of them are long enough");
    assert_eq!(fitted.report().parameters, 8);
    let test = windows_of(&[calm, wild, short], 50..51);
    let found = fitted.forecast(&test).expect("same panel");
    assert!(found[1].variance.expect("stated") > 10.0 * found[0].variance.expect("stated"));
    assert_eq!(found[2], predictive(0.0, None));
}

#[test]
fn overwriting_the_future_changes_no_forecast_before_it() {
    let (returns, _) = simulated(7, 800, [1e-4, 1e-6, 0.1, 0.85]);
    let other: Arc<[Option<f64>]> =
        returns.iter().enumerate().map(|(row, one)| if row > 600 { Some(9.0) } else { *one }).collect();
    let [before, after] = [returns, other].map(|returns| {
        let fitted = fit(&windows_of(std::slice::from_ref(&returns), 1..500), 5).expect("fits");
        fitted.forecast(&windows_of(&[returns], 500..601)).expect("same panel")
    });
    assert_eq!(before, after);
}

#[test]
fn the_order_of_samples_and_a_restore_change_nothing() {
    let (returns, _) = simulated(7, 600, [1e-4, 1e-6, 0.1, 0.85]);
    let fitted = fit(&windows_of(std::slice::from_ref(&returns), 1..400), 3).expect("fits");
    let mut test = windows_of(&[returns], 390..600);
    let forward = fitted.forecast(&test).expect("same panel");
    let bytes = fitted.checkpoint().expect("writes");
    let restored = Garch { horizon_bars: 3 }.restore(&bytes).expect("its own bytes");
    assert_eq!(restored.forecast(&test).expect("same panel"), forward);
    assert_eq!(restored.checkpoint().expect("writes"), bytes);
    test.samples.reverse();
    let mut backward = restored.forecast(&test).expect("same panel");
    backward.reverse();
    assert_eq!(backward, forward);
    let error = Garch { horizon_bars: 1 }.restore(&bytes).err().expect("another horizon").to_string();
    assert!(error.contains("its horizon_bars must be `1`, was `3`"), "{error}");
}

#[test]
fn only_the_returns_at_training_samples_are_fitted() {
    // The gap between two stretches of training holds returns a hundred times as large: fitted, they would rule the variance.
    let (returns, _) = simulated(9, 1000, [0.0, 1e-5, 0.05, 0.85]);
    let gap: Arc<[Option<f64>]> = returns
        .iter()
        .enumerate()
        .map(|(row, one)| one.map(|one| if (400..450).contains(&row) { one * 100.0 } else { one }))
        .collect();
    let mut train = windows_of(&[gap], 1..1001);
    train.samples.retain(|sample| !(400..600).contains(&sample.row));
    let state = fit(&train, 1).expect("fits").checkpoint().expect("writes");
    let state: FittedGarch = checkpoint::read(NAME, &state).expect("its own bytes");
    let process = state.series[0].expect("fitted");
    let long_run = process.omega / (1.0 - process.alpha - process.beta);
    assert!((5e-5..2e-4).contains(&long_run), "{process:?}");
}

#[test]
fn what_cannot_be_fitted_is_named() {
    let (returns, _) = simulated(7, 99, [1e-4, 1e-6, 0.1, 0.85]);
    let error = fit(&windows_of(std::slice::from_ref(&returns), 0..100), 1).err().expect("refused");
    assert_eq!(error, ForecastError::TooFewSamples { set: "a series of the training set", needed: 100, found: 99 });
    let error = fit(&windows_of(&[returns], 0..100), 0).err().expect("refused").to_string();
    assert_eq!(error, "horizon_bars must be at least 1, was `0`");
    assert_eq!(fit(&Windows::default(), 1).err(), Some(ForecastError::MissingReturns));
}
