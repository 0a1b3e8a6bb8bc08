//! Where nothing is to be found, p-values are uniform: every test of this crate held against noise.
//!
//! A thousand p-values of noise go through [`kolmogorov_smirnov_uniform`]. The generators are seeded, so that the outcome is the
//! same every time; a test passes when uniformity is not rejected at 1 %. Each has a twin with something to be found, which must
//! be rejected: a test that never rejects would pass the first half.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Binomial, Distribution as _, Exp1, StandardNormal, StudentT};

use super::{
    Distribution, LongRunVariance, PairedLosses, ScoredForecast, calibration, diebold_mariano,
    kolmogorov_smirnov_uniform, kupiec, mean_test,
};

const TRIALS: usize = 1000;

#[track_caller]
fn uniform(p_values: &[f64]) {
    let test = kolmogorov_smirnov_uniform(p_values).expect("in [0, 1]").expect("values");
    assert!(test.p_value > 0.01, "{test:?}");
}

#[track_caller]
fn not_uniform(p_values: &[f64]) {
    let test = kolmogorov_smirnov_uniform(p_values).expect("in [0, 1]").expect("values");
    assert!(test.p_value < 1e-6, "{test:?}");
}

/// Computes a p-value for each of a thousand seeds.
fn trials(mut p_value: impl FnMut(&mut ChaCha8Rng) -> f64) -> Vec<f64> {
    (0..TRIALS).map(|trial| p_value(&mut ChaCha8Rng::seed_from_u64(trial as u64))).collect()
}

fn normals(generator: &mut ChaCha8Rng, count: usize) -> Vec<f64> {
    (0..count).map(|_| StandardNormal.sample(generator)).collect()
}

/// Returns the p-value of equal accuracy of two forecasters with errors of equal size, the second's scaled.
fn accuracy_p_value(generator: &mut ChaCha8Rng, count: usize, scale: f64) -> f64 {
    let square = |error: &f64| error * error;
    let model: Vec<f64> = normals(generator, count).iter().map(square).collect();
    let yardstick: Vec<f64> = normals(generator, count).iter().map(|error| square(&(error * scale))).collect();
    let losses = PairedLosses { model: &model, yardstick: &yardstick };
    diebold_mariano(losses, 1, LongRunVariance::Truncated).expect("valid").expect("varies").p_value
}

#[test]
fn equally_accurate_forecasters_differ_by_chance_alone() {
    uniform(&trials(|generator| accuracy_p_value(generator, 200, 1.0)));
    not_uniform(&trials(|generator| accuracy_p_value(generator, 200, 1.2)));
}

#[test]
fn overlapping_errors_are_allowed_for() {
    // Sums of three shocks: neighbors share two of them, and a horizon of 3 knows it while one of 1 does not.
    let p_value = |generator: &mut ChaCha8Rng, horizon: usize| {
        let shocks = normals(generator, 1002);
        let sums: Vec<f64> = shocks.windows(3).map(|three| three.iter().sum()).collect();
        mean_test(&sums, horizon, LongRunVariance::Truncated).expect("valid").expect("varies").p_value
    };
    uniform(&trials(|generator| p_value(generator, 3)));
    not_uniform(&trials(|generator| p_value(generator, 1)));
}

#[test]
fn intervals_that_are_right_are_missed_by_chance_alone() {
    // Misses are whole numbers. A million observations have so many likely counts (a standard deviation of 218) that the p-values
    // take hundreds of values, the likeliest with a probability of 0.004, well below the 0.05 that 1,000 values can tell.
    let p_value = |generator: &mut ChaCha8Rng, rate: f64| {
        let misses = Binomial::new(1_000_000, rate).expect("a rate").sample(generator);
        kupiec(misses, 1_000_000, 0.95).expect("valid").expect("observations").p_value
    };
    uniform(&trials(|generator| p_value(generator, 0.05)));
    not_uniform(&trials(|generator| p_value(generator, 0.0505)));
}

/// Returns the p-values of uniformity, serial correlation, independence and conditional coverage of one set of forecasts.
fn calibration_p_values(rows: &[ScoredForecast]) -> [f64; 4] {
    let found = calibration(rows).expect("valid").expect("distributions");
    let interval = found.intervals[0];
    [
        found.kolmogorov_smirnov.p_value,
        found.ljung_box.expect("rows").p_value,
        interval.independence.expect("both states").p_value,
        interval.conditional_coverage.expect("both states").p_value,
    ]
}

fn columns(rows: &[[f64; 4]]) -> [Vec<f64>; 4] {
    [0, 1, 2, 3].map(|column| rows.iter().map(|row| row[column]).collect())
}

#[test]
fn a_right_student_t_is_calibrated_and_a_normal_of_the_same_variance_is_not() {
    let degrees_of_freedom = 4.0;
    let draw = |generator: &mut ChaCha8Rng| StudentT::new(degrees_of_freedom).expect("above 0").sample(generator);
    let rows = |trial: usize, distribution: &Distribution| -> Vec<ScoredForecast> {
        let mut generator = ChaCha8Rng::seed_from_u64(trial as u64);
        (0..2000).map(|_| ScoredForecast::from_distribution(distribution.clone(), draw(&mut generator))).collect()
    };
    let right = Distribution::StudentT { location: 0.0, scale: 1.0, degrees_of_freedom };
    // Variance nu / (nu - 2) = 2.
    let wrong = Distribution::from_moments(0.0, Some(2.0));
    let test = |distribution: &Distribution| -> [Vec<f64>; 4] {
        columns(&(0..TRIALS).map(|trial| calibration_p_values(&rows(trial, distribution))).collect::<Vec<_>>())
    };
    let [uniformity, correlation, independence, both] = test(&right);
    uniform(&uniformity);
    uniform(&correlation);
    uniform(&independence);
    uniform(&both);
    let [uniformity, correlation, ..] = test(&wrong);
    not_uniform(&uniformity);
    // The shape is wrong, but each value still tells nothing of the next.
    uniform(&correlation);
}

#[test]
fn clustered_volatility_is_found_in_the_misses() {
    // Spread that doubles and halves in blocks of 50, forecast as constant: misses cluster although the average spread is right.
    let p_values = trials(|generator| {
        let row = |step: usize| {
            let spread = if (step / 50_usize).is_multiple_of(2) { 0.5 } else { 1.5 };
            let shock: f64 = StandardNormal.sample(generator);
            ScoredForecast::from_moments(0.0, Some(1.25), spread * shock)
        };
        let rows: Vec<ScoredForecast> = (0..1000).map(row).collect();
        calibration_p_values(&rows)[2]
    });
    not_uniform(&p_values);
}

#[test]
fn losses_with_heavy_tails_are_compared_fairly() {
    // Exponential losses: skewed, but their difference is symmetric.
    let p_values = trials(|generator| {
        let mut losses = || (0..100).map(|_| Exp1.sample(generator)).collect::<Vec<f64>>();
        let (model, yardstick) = (losses(), losses());
        let losses = PairedLosses { model: &model, yardstick: &yardstick };
        diebold_mariano(losses, 1, LongRunVariance::Bartlett).expect("valid").expect("varies").p_value
    });
    uniform(&p_values);
}
