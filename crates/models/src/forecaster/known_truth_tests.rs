//! What networks find in simulated data, held against the truth that only the simulation knows.

use tidegate_forecast::{Forecaster, Predictive, PredictiveShape, Sample, WindowBlock, Windows};
use tidegate_metrics::{Distribution, LongRunVariance, MeanTest, PairedLosses, diebold_mariano};

use super::*;
use crate::fixture::{point, task, windows};
use crate::random::{SeededRandom, Stream};
use crate::spec::{Encoder, GruSpec, Head, Loss};
use crate::training_spec::{Optimizer, Schedule};

/// The unit of a day's return; the process below has this deviation on average.
const UNIT: f64 = 0.01;

/// Steps of a window.
const STEPS: usize = 20;

/// What the simulation knows beside the windows, one entry per sample.
struct Simulated {
    windows: Windows,
    means: Vec<f64>,
    deviations: Vec<f64>,
    /// An exponentially weighted volatility of decay 0.94, which the network also reads.
    ewma: Vec<f64>,
}

/// Simulates `r' = 0.5 UNIT sin(2 x) + s' e'` with `s'^2 = UNIT^2 0.05 + 0.15 (s e)^2 + 0.8 s^2`, `x` and `e` independent standard
/// normal numbers. A row's features are the return, its absolute value, the weighted volatility and `x`; its label is the next
/// return.
fn simulate(count: usize, seed: u64) -> Simulated {
    let mut random = SeededRandom::new(seed, Stream::Shuffle);
    let (mut variance, mut ewma, mut value) = (1.0_f64, 1.0_f64, 0.0_f64);
    let mut rows = Vec::new();
    let (mut means, mut deviations, mut volatilities, mut target) = (vec![], vec![], vec![], vec![]);
    for _ in 0..count + STEPS - 1 {
        let signal = random.normal();
        rows.extend([value, value.abs(), ewma.sqrt(), signal].map(|feature| feature as f32));
        let mean = 0.5 * (2.0 * signal).sin();
        let shock = variance.sqrt() * random.normal();
        means.push(UNIT * mean);
        deviations.push(UNIT * variance.sqrt());
        volatilities.push(UNIT * ewma.sqrt());
        value = mean + shock;
        target.push(Some(UNIT * value));
        variance = 0.05 + 0.15 * shock * shock + 0.8 * variance;
        ewma = 0.94 * ewma + 0.06 * value * value;
    }
    let values = (0..count).flat_map(|sample| &rows[4 * sample..4 * (sample + STEPS)]).copied().collect();
    let samples = (0..count as u32).map(|row| Sample { series: 0, row }).collect();
    let windows = Windows {
        scales: vec![WindowBlock { steps: STEPS, features: 4, values, lengths: vec![] }],
        samples,
        target: target.split_off(STEPS - 1),
        ewma_variance: vec![None; count],
        ..Windows::default()
    };
    let [means, deviations, ewma] = [means, deviations, volatilities].map(|mut truth| truth.split_off(STEPS - 1));
    Simulated { windows, means, deviations, ewma }
}

fn forecasts(spec: NetworkSpec, epochs: usize, [train, valid, test]: [&Windows; 3]) -> Vec<Predictive> {
    let training = TrainingSpec {
        gradient_clip_norm: Some(1.0),
        schedule: Schedule::Plateau { factor: 0.3, patience: 2, learning_rate_min: 1e-4 },
        early_stopping_patience: Some(6),
        ..TrainingSpec::new(epochs, 64, Optimizer::Adam { learning_rate: 5e-3, weight_decay: 0.0 })
    };
    let forecaster = NeuralForecaster::new(spec, training, Device::Cpu).expect("valid specifications");
    let fitted = forecaster.fit(&task(train, valid, 7)).expect("a sane task");
    fitted.forecast(test).expect("the same shape")
}

fn correlation(one: &[f64], other: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (one_mean, other_mean) = (mean(one), mean(other));
    let products = |a: &[f64], a_mean: f64, b: &[f64], b_mean: f64| -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - a_mean) * (b - b_mean)).sum()
    };
    let squares = products(one, one_mean, one, one_mean) * products(other, other_mean, other, other_mean);
    products(one, one_mean, other, other_mean) / squares.sqrt()
}

fn distribution(forecast: &Predictive) -> Distribution {
    match forecast.shape {
        PredictiveShape::StudentT { degrees_of_freedom } => {
            let variance = forecast.variance.expect("a spread");
            Distribution::student_t_from_moments(forecast.mean, variance, degrees_of_freedom)
        }
        _ => Distribution::from_moments(forecast.mean, forecast.variance),
    }
}

fn labels(windows: &Windows) -> impl Iterator<Item = f64> {
    windows.target.iter().map(|label| label.expect("every sample has a label"))
}

#[test]
fn a_gaussian_head_recovers_a_curved_mean_and_a_garch_volatility() {
    let (train, valid, test) = (simulate(30_000, 1), simulate(5_000, 2), simulate(20_000, 3));
    let gru = Encoder::Gru(GruSpec::new(16, 1));
    let spec = NetworkSpec::new(gru, Head::Gaussian { variance_floor: 1e-4 }, Loss::GaussianNll, vec![4]);
    let forecasts = forecasts(spec, 25, [&train.windows, &valid.windows, &test.windows]);

    // The best straight line through sin(2 x) correlates with it by 2 e^-2 / sqrt((1 - e^-8) / 2) = 0.38.
    let means: Vec<f64> = forecasts.iter().map(|forecast| forecast.mean).collect();
    let mean = correlation(&means, &test.means);
    assert!(mean > 0.9, "{mean}");

    let deviations: Vec<f64> = forecasts.iter().map(|one| one.variance.expect("a spread").sqrt()).collect();
    let volatility = correlation(&deviations, &test.deviations);
    let ready_made = correlation(&test.ewma, &test.deviations);
    assert!(volatility > 0.9 && volatility > ready_made + 0.03, "{volatility} {ready_made}");

    // Of 20,000 intervals a standard error of sqrt(0.95 0.05 / 20000) = 0.0015: 94 to 96 % are 6.5 of them to either side. Of the
    // half with the smaller or larger true volatility, 10,000, it is 0.0022; a constant width would cover 99 % and 91 %.
    let covered: Vec<bool> = forecasts
        .iter()
        .zip(labels(&test.windows))
        .map(|(forecast, label)| distribution(forecast).interval(0.95).expect("a spread").contains(label))
        .collect();
    let mut sorted = test.deviations.clone();
    sorted.sort_by(f64::total_cmp);
    let share = |which: &dyn Fn(f64) -> bool| {
        let own: Vec<bool> =
            covered.iter().zip(&test.deviations).filter(|(_, s)| which(**s)).map(|(c, _)| *c).collect();
        own.iter().filter(|covered| **covered).count() as f64 / own.len() as f64
    };
    let (all, calm, wild) = (share(&|_| true), share(&|s| s < sorted[10_000]), share(&|s| s >= sorted[10_000]));
    assert!((0.94..=0.96).contains(&all), "{all}");
    assert!((0.935..=0.965).contains(&calm) && (0.935..=0.965).contains(&wild), "{calm} {wild}");
}

/// Noise whose deviation follows a feature, of Student's t of 4 degrees of freedom and unit variance, or normal.
fn noise(count: usize, seed: u64, fat: bool) -> Windows {
    let mut random = SeededRandom::new(seed, Stream::Shuffle);
    let mut drawn = windows(count, 1, seed, |own, _| UNIT * (0.3 * f64::from(own[0][15])).exp());
    for label in &mut drawn.target {
        // A normal number over the root of the mean of four squared ones has a variance of 4 / (4 - 2) = 2.
        let squares: f64 = (0..4).map(|_| random.normal().powi(2)).sum();
        let divisor = if fat { (squares / 4.0 * 2.0).sqrt() } else { 1.0 };
        *label = label.map(|deviation| deviation * random.normal() / divisor);
    }
    drawn
}

/// Holds the likelihood of Student's t against that of a normal distribution, each trained on its own loss.
fn student_against_normal(fat: bool) -> MeanTest {
    let (train, valid, test) = (noise(8_000, 1, fat), noise(2_000, 2, fat), noise(10_000, 3, fat));
    let student = Head::StudentT { variance_floor: 1e-4, degrees_of_freedom: None };
    let [normal, student] =
        [(Head::Gaussian { variance_floor: 1e-4 }, Loss::GaussianNll), (student, Loss::StudentTNll)].map(
            |(head, loss)| {
                let forecasts = forecasts(NetworkSpec { head, loss, ..point() }, 20, [&train, &valid, &test]);
                let density = |(forecast, label)| distribution(forecast).log_density(label).expect("a density");
                forecasts.iter().zip(labels(&test)).map(|row| -density(row)).collect::<Vec<f64>>()
            },
        );
    let losses = PairedLosses { model: &student, yardstick: &normal };
    diebold_mariano(losses, 1, LongRunVariance::Truncated).expect("finite losses").expect("other losses")
}

#[test]
fn students_t_is_likelier_than_a_normal_distribution_on_fat_tails_alone() {
    // A t of 4 degrees of freedom and unit variance has an entropy of 1.3365 nats; the normal one of that variance costs 1.4189.
    let fat = student_against_normal(true);
    let thin = student_against_normal(false);
    assert!(fat.statistic > 0.0 && fat.p_value < 0.01, "{fat:?}");
    assert!((0.04..0.16).contains(&fat.mean), "{fat:?}");
    // On normal noise there is nothing to be gained and, with degrees of freedom that rise, little to be lost.
    assert!((-0.02..0.002).contains(&thin.mean), "{thin:?}");
}
