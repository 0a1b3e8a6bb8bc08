//! Where nothing is to be found the fitted yardsticks find nothing: many small studies of noise.
//!
//! Labels `y` are noise of mean 0, so nothing beats a forecast of 0, and a fitted forecast `f` contains that one. Its loss is
//! smaller by `y^2 - (y - f)^2 = 2 y f - f^2`: chance less a price. So p-values of the Diebold-Mariano test against 0 are not
//! uniform; nested models make it conservative, and what must hold is that they are not smaller than uniform ones. Uniform they
//! are without the price (Clark and West 2007, "Approximately normal tests for equal predictive accuracy in nested models"), for
//! any forecast that has not seen the labels: against its mirror image `-f`, which is exactly as good, the loss differs by `4 y f`.
//! A forecast of the variance is one of the squared label, and is held against the true variance and its image in that mirror.

use std::sync::Arc;

use tidegate_metrics::{LongRunVariance, MeanTest, PairedLosses, diebold_mariano, kolmogorov_smirnov_uniform};

use crate::fixture::{normals, tabular};
use crate::{
    EwmaVolatility, FitTask, Forecaster, Garch, GradientBoostedTrees, HistoricalMean, NoMonitor, NoStore, Panel,
    Predictive, ReturnHistory, Ridge, Sample, Windows,
};

/// Studies of noise, each with data of its own.
const STUDIES: u64 = 200;

const FEATURES: usize = 3;

/// Labels are noise, and `lean` times the first feature.
fn data(count: usize, lean: f64, seed: u64) -> Windows {
    let numbers = normals(seed, count * (FEATURES + 1));
    let (features, noise) = numbers.split_at(count * FEATURES);
    let features: Vec<f32> = features.iter().map(|&value| value as f32).collect();
    let rows: Vec<&[f32]> = features.chunks(FEATURES).collect();
    let label = |(row, noise): (&&[f32], &f64)| 0.01 * (lean * f64::from(row[0]) + noise);
    tabular(&rows, &rows.iter().zip(noise).map(label).collect::<Vec<_>>())
}

/// Fits a yardstick to the data of a seed and returns its forecasts beside the labels of others.
fn study(yardstick: &dyn Forecaster, lean: f64, seed: u64) -> Vec<[f64; 2]> {
    let [train, valid, test] =
        [(150, 0), (50, 1), (200, 2)].map(|(count, part)| data(count, lean, 1000 + 3 * seed + part));
    let task = FitTask { train: &train, valid: &valid, seed, monitor: &NoMonitor, store: &NoStore };
    let forecasts = yardstick.fit(&task).expect("fits").forecast(&test).expect("the same shape");
    let labels = test.target.iter().map(|label| label.expect("every sample has a label"));
    forecasts.iter().zip(labels).map(|(forecast, label)| [forecast.mean, label]).collect()
}

/// Holds forecasts against others of the same labels.
fn against(rows: &[[f64; 2]], other: impl Fn(f64) -> f64) -> MeanTest {
    let [model, yardstick]: [Vec<f64>; 2] = [
        rows.iter().map(|[mean, label]| (label - mean).powi(2)).collect(),
        rows.iter().map(|[mean, label]| (label - other(*mean)).powi(2)).collect(),
    ];
    let losses = PairedLosses { model: &model, yardstick: &yardstick };
    diebold_mariano(losses, 1, LongRunVariance::Truncated).expect("finite losses").expect("other losses")
}

/// The probability of a model that looks at least as much better by chance.
fn of_better(test: MeanTest) -> f64 {
    if test.statistic > 0.0 { test.p_value / 2.0 } else { 1.0 - test.p_value / 2.0 }
}

/// The most by which p-values are smaller than uniform ones, `max (rank / n - p)`.
fn excess_of_small(mut p_values: Vec<f64>) -> f64 {
    p_values.sort_by(f64::total_cmp);
    let count = p_values.len() as f64;
    p_values.iter().zip(1..).map(|(p_value, rank)| f64::from(rank) / count - p_value).fold(0.0, f64::max)
}

/// Checks forecasts beside their labels, study by study: neither better than 0 nor better or worse than their mirror image.
fn check(name: &str, studies: &[Vec<[f64; 2]>]) {
    let p_values: Vec<f64> = studies.iter().map(|rows| of_better(against(rows, |_| 0.0))).collect();
    // Of 200 results 10 are significant at 5 %, with a standard deviation of sqrt(200 0.05 0.95) = 3.1; three of them more.
    let significant = |p_values: &[f64]| p_values.iter().filter(|p_value| **p_value < 0.05).count();
    let better = significant(&p_values);
    assert!(better <= 19, "{name}: {better} of {STUDIES} are better than zero");
    // Uniform p-values have a mean of 0.5 with a standard error of 0.0204; the price of a fit makes them larger.
    let mean = p_values.iter().sum::<f64>() / p_values.len() as f64;
    // Exceeded with a probability of exp(-2 200 0.107^2) = 1 % if p-values are uniform (Smirnov 1944), less if they are larger.
    let excess = excess_of_small(p_values);
    assert!(excess < 0.107 && mean > 0.5, "{name}: {excess} {mean}");

    let mirrored: Vec<f64> = studies.iter().map(|rows| of_better(against(rows, |mean| -mean))).collect();
    let uniform = kolmogorov_smirnov_uniform(&mirrored).expect("in [0, 1]").expect("values");
    let better = significant(&mirrored);
    assert!(uniform.p_value > 0.01 && better <= 19, "{name} against its mirror image: {better} {uniform:?}");
}

/// Checks that studies of what is there to be found find it.
fn check_power(name: &str, studies: &[Vec<[f64; 2]>]) {
    let excess = excess_of_small(studies.iter().map(|rows| of_better(against(rows, |_| 0.0))).collect());
    // Of uniform p-values exceeded with a probability of exp(-2 20 0.9^2) = 8e-15.
    assert!(excess > 0.9, "{name}: {excess}");
}

fn check_mean(yardstick: &dyn Forecaster) {
    check(yardstick.name(), &(0..STUDIES).map(|seed| study(yardstick, 0.0, seed)).collect::<Vec<_>>());
}

fn check_mean_power(yardstick: &dyn Forecaster) {
    check_power(yardstick.name(), &(0..20).map(|seed| study(yardstick, 0.7, seed)).collect::<Vec<_>>());
}

/// The variance of returns.
const VARIANCE: f64 = 1e-4;

/// Samples at the days of a range, whose labels are the next day's returns.
fn days(returns: &[f64], rows: std::ops::Range<usize>) -> Windows {
    let mut series = crate::fixture::series(0, &[], 1);
    series.one_bar_return = returns.iter().copied().map(Some).collect::<Arc<[_]>>();
    let panel = Panel { axis: Vec::new(), series: vec![series] };
    let mut weighted = VARIANCE;
    let ewma: Vec<f64> = returns
        .iter()
        .map(|one| {
            weighted = 0.94 * weighted + 0.06 * one * one;
            weighted
        })
        .collect();
    Windows {
        samples: rows.clone().map(|row| Sample { series: 0, row: row as u32 }).collect(),
        target: rows.clone().map(|row| Some(returns[row + 1])).collect(),
        ewma_variance: rows.map(|row| Some(ewma[row])).collect(),
        history: Some(ReturnHistory::new(&panel)),
        ..Windows::default()
    }
}

/// Returns of a GARCH process, `h' = VARIANCE (1 - alpha - beta) + alpha r^2 + beta h`.
fn returns(count: usize, [alpha, beta]: [f64; 2], seed: u64) -> Vec<f64> {
    let mut variance = VARIANCE;
    let step = |normal: f64| {
        let one = variance.sqrt() * normal;
        variance = VARIANCE * (1.0 - alpha - beta) + alpha * one * one + beta * variance;
        one
    };
    normals(5000 + seed, count).into_iter().map(step).collect()
}

/// Fits a yardstick to the first of some returns; returns its forecasts of the others beside the returns themselves, and
/// those of the variance beside the squared returns, both less the variance on average.
fn volatility_study(yardstick: &dyn Forecaster, returns: &[f64], trained: usize) -> [Vec<[f64; 2]>; 2] {
    let [train, test] = [0..trained, trained..returns.len() - 1].map(|rows| days(returns, rows));
    let task = FitTask { train: &train, valid: &Windows::default(), seed: 0, monitor: &NoMonitor, store: &NoStore };
    let forecasts = yardstick.fit(&task).expect("fits").forecast(&test).expect("the same shape");
    let beside = |row: &dyn Fn(&Predictive, f64) -> [f64; 2]| -> Vec<[f64; 2]> {
        let labels = test.target.iter().map(|label| label.expect("every sample has a label"));
        forecasts.iter().zip(labels).map(|(forecast, label)| row(forecast, label)).collect()
    };
    let variance = |forecast: &Predictive| forecast.variance.expect("a spread") - VARIANCE;
    [
        beside(&|forecast, label| [forecast.mean, label]),
        beside(&|forecast, label| [variance(forecast), label * label - VARIANCE]),
    ]
}

/// Returns the study of a seed on noise.
///
/// Squared returns are skewed and raise the forecasts that follow them, so the mean of the losses nears a normal distribution
/// slowly: in thousands of simulations of a weighted variance p-values of 200 days are 0.075 away from
/// uniform ones and too large, those of 4,000 days no further than chance.
fn volatility_study_of_noise(yardstick: &dyn Forecaster, seed: u64) -> [Vec<[f64; 2]>; 2] {
    volatility_study(yardstick, &returns(4200, [0.0, 0.0], seed), 200)
}

fn check_volatility(yardstick: &dyn Forecaster) {
    let study = |seed| volatility_study_of_noise(yardstick, seed)[1].clone();
    check(yardstick.name(), &(0..STUDIES).map(study).collect::<Vec<_>>());
    let study = |seed| volatility_study(yardstick, &returns(3000, [0.15, 0.8], seed), 1500)[1].clone();
    check_power(yardstick.name(), &(0..20).map(study).collect::<Vec<_>>());
}

#[test]
fn the_historical_mean_has_no_skill_on_noise() {
    check_mean(&HistoricalMean);
}

#[test]
fn ridge_has_no_skill_on_noise() {
    check_mean(&Ridge { lambda: None });
    check_mean_power(&Ridge { lambda: None });
}

#[test]
fn boosted_trees_have_no_skill_on_noise() {
    let trees = GradientBoostedTrees { trees_max: 60, patience_trees: 10, ..GradientBoostedTrees::STANDARD };
    check_mean(&trees);
    check_mean_power(&trees);
}

#[test]
fn a_weighted_variance_has_no_skill_on_noise() {
    check_volatility(&EwmaVolatility { horizon_bars: 1 });
}

#[test]
fn garch_has_no_skill_on_noise() {
    check_volatility(&Garch { horizon_bars: 1 });
    let study = |seed| volatility_study_of_noise(&Garch { horizon_bars: 1 }, seed)[0].clone();
    check("the mean of garch", &(0..STUDIES).map(study).collect::<Vec<_>>());
}
