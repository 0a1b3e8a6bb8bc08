//! Where nothing is to be found no network finds anything: many small studies of noise, each with its own network.
//!
//! Labels `y` are noise of mean 0, so nothing beats a forecast of 0, and a network `f` contains that forecast. Its loss is
//! smaller by `y^2 - (y - f)^2 = 2 y f - f^2`: chance less a price. So p-values of the Diebold-Mariano test against 0 are not
//! uniform; nested models make it conservative, and what must hold is that they are not smaller than uniform ones. Uniform they
//! are without the price (Clark and West 2007, "Approximately normal tests for equal predictive accuracy in nested models"), for
//! any forecast that has not seen the labels: against its mirror image `-f`, which is exactly as good, the loss differs by `4 y f`.

use tidegate_forecast::{Forecaster, Predictive, Windows};
use tidegate_metrics::{
    Distribution, LongRunVariance, MeanTest, PairedLosses, diebold_mariano, kolmogorov_smirnov_uniform,
};

use super::*;
use crate::fixture::{point, task, windows};
use crate::spec::{Encoder, GruSpec, Head, LinearSpec, Loss, MlpSpec};
use crate::training_spec::Optimizer;

/// Studies of noise, each with data, weights and a test set of its own.
const STUDIES: u64 = 150;

/// Labels are noise, and `lean` times the last value of the first feature.
fn data(count: usize, lean: f64, seed: u64) -> Windows {
    windows(count, 1, seed, |own, normal| 0.01 * (lean * f64::from(own[0][15]) + normal))
}

fn labels(windows: &Windows) -> Vec<f64> {
    windows.target.iter().map(|label| label.expect("every sample has a label")).collect()
}

/// A network trained on some data, and its forecasts of others.
struct Study {
    train: Vec<f64>,
    test: Vec<f64>,
    forecasts: Vec<Predictive>,
}

impl Study {
    fn new(spec: &NetworkSpec, lean: f64, seed: u64) -> Self {
        let [train, valid, test] =
            [(100, 0), (40, 1), (150, 2)].map(|(count, part)| data(count, lean, 1000 + 3 * seed + part));
        let training = TrainingSpec {
            early_stopping_patience: Some(4),
            ..TrainingSpec::new(12, 20, Optimizer::Adam { learning_rate: 0.02, weight_decay: 0.0 })
        };
        let forecaster = NeuralForecaster::new(spec.clone(), training, Device::Cpu).expect("valid specifications");
        let fitted = forecaster.fit(&task(&train, &valid, seed)).expect("a sane task");
        let forecasts = fitted.forecast(&test).expect("the same shape");
        Self { train: labels(&train), test: labels(&test), forecasts }
    }

    fn all(spec: &NetworkSpec, lean: f64, count: u64) -> Vec<Self> {
        (0..count).map(|seed| Self::new(spec, lean, seed)).collect()
    }

    /// Holds the network's squared errors against those of another forecast.
    fn squared_errors_against(&self, other: impl Fn(&Predictive) -> f64) -> MeanTest {
        let losses = |mean: &dyn Fn(&Predictive) -> f64| -> Vec<f64> {
            self.forecasts.iter().zip(&self.test).map(|(forecast, label)| (label - mean(forecast)).powi(2)).collect()
        };
        compare(&losses(&|forecast| forecast.mean), &losses(&other))
    }

    /// Holds the network's likelihood against that of a normal distribution of the training labels' moments.
    fn likelihood_against_a_constant(&self) -> MeanTest {
        let count = self.train.len() as f64;
        let mean = self.train.iter().sum::<f64>() / count;
        let variance = self.train.iter().map(|label| (label - mean).powi(2)).sum::<f64>() / count;
        let loss =
            |(mean, variance), label| -Distribution::from_moments(mean, variance).log_density(label).expect("one");
        let rows = self.forecasts.iter().zip(&self.test);
        let own: Vec<f64> = rows.map(|(forecast, &label)| loss((forecast.mean, forecast.variance), label)).collect();
        let constant: Vec<f64> = self.test.iter().map(|&label| loss((mean, Some(variance)), label)).collect();
        compare(&own, &constant)
    }
}

fn compare(model: &[f64], yardstick: &[f64]) -> MeanTest {
    let test = diebold_mariano(PairedLosses { model, yardstick }, 1, LongRunVariance::Truncated);
    test.expect("finite losses").expect("other losses")
}

/// The probability of a model that looks at least as much better by chance.
fn of_better(test: MeanTest) -> f64 {
    if test.statistic > 0.0 { test.p_value / 2.0 } else { 1.0 - test.p_value / 2.0 }
}

/// The most by which p-values are smaller than uniform ones, `max (rank / n - p)`.
fn excess_of_small(p_values: &[f64]) -> f64 {
    let mut sorted = p_values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len() as f64;
    sorted.iter().zip(1..).map(|(p_value, rank)| f64::from(rank) / count - p_value).fold(0.0, f64::max)
}

/// Checks that better results are as rare as chance makes them.
#[track_caller]
fn no_skill(what: &str, p_values: &[f64]) {
    assert_eq!(p_values.len(), 150);
    // Of 150 results 7.5 are significant at 5 %, with a standard deviation of sqrt(150 0.05 0.95) = 2.67; three of them more.
    let significant = p_values.iter().filter(|p_value| **p_value < 0.05).count();
    // Exceeded with a probability of exp(-2 150 0.124^2) = 1 % if p-values are uniform (Smirnov 1944), less if they are larger.
    let excess = excess_of_small(p_values);
    let mean = p_values.iter().sum::<f64>() / 150.0;
    assert!(significant <= 15 && excess < 0.124, "{what}: {significant} {excess}");
    // The price of a fit: uniform p-values have a mean of 0.5 with a standard error of 0.0236.
    assert!(mean > 0.5, "{what}: {mean}");
}

fn check(encoder: Encoder) {
    let spec = NetworkSpec { encoder, window_bars: vec![6], ..point() };
    let name = spec.encoder.name();
    let studies = Study::all(&spec, 0.0, STUDIES);
    let against = |other: &dyn Fn(&Study, &Predictive) -> f64| -> Vec<MeanTest> {
        studies.iter().map(|study| study.squared_errors_against(|forecast| other(study, forecast))).collect()
    };
    let mean = |study: &Study, _: &Predictive| study.train.iter().sum::<f64>() / study.train.len() as f64;
    for (yardstick, tests) in [("zero", against(&|_, _| 0.0)), ("mean", against(&mean))] {
        no_skill(&format!("{name} against {yardstick}"), &tests.into_iter().map(of_better).collect::<Vec<_>>());
    }
    let mirrored: Vec<f64> = against(&|_, forecast| -forecast.mean).into_iter().map(of_better).collect();
    let significant = mirrored.iter().filter(|p_value| **p_value < 0.05).count();
    let uniform = kolmogorov_smirnov_uniform(&mirrored).expect("in [0, 1]").expect("values");
    assert!(uniform.p_value > 0.01 && significant <= 15, "{name} against its mirror image: {significant} {uniform:?}");

    // Where there is something to be found the same studies find it.
    let found = Study::all(&spec, 2.0, 20);
    let found: Vec<f64> = found.iter().map(|study| of_better(study.squared_errors_against(|_| 0.0))).collect();
    // Uniform p-values exceed this with a probability of exp(-2 20 0.6^2) = 6e-7.
    assert!(excess_of_small(&found) > 0.6, "{name}: {found:?}");
}

#[test]
fn a_gru_has_no_skill_on_noise() {
    check(Encoder::Gru(GruSpec::new(4, 1)));
}

#[test]
fn a_linear_network_has_no_skill_on_noise() {
    check(Encoder::Linear(LinearSpec {}));
}

#[test]
fn a_perceptron_has_no_skill_on_noise() {
    check(Encoder::Mlp(MlpSpec { hidden_sizes: vec![6], dropout: 0.0 }));
}

#[test]
fn a_gaussian_head_has_no_skill_on_noise() {
    let gru = Encoder::Gru(GruSpec::new(4, 1));
    let spec = NetworkSpec::new(gru, Head::Gaussian { variance_floor: 1e-4 }, Loss::GaussianNll, vec![3]);
    let studies = Study::all(&spec, 0.0, STUDIES);
    let p_values: Vec<f64> = studies.iter().map(|study| of_better(study.likelihood_against_a_constant())).collect();
    no_skill("a gaussian head against a constant one", &p_values);
}
