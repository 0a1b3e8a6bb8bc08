//! Distillation for regression: a small network learns from labels and from a larger one's forecasts.
//!
//! The student minimises `(1 - share) loss(label) + share E[loss(y)]`, `y` distributed as the teacher forecasts. Where the teacher
//! states a variance `s^2` around its mean `m`, two labels `m - s` and `m + s` of half the weight stand for `y`: they have its mean
//! and variance, on which alone the squared error and a normal likelihood depend, so for these two losses the sum is exact. A
//! teacher's mean alone would teach a student that there is no noise.

use tidegate_forecast::{FitTask, FittedForecaster, ForecastError, Forecaster, Predictive, WindowBlock, Windows};

use crate::ModelError;
use crate::forecaster::NeuralForecaster;
use crate::spec::{Encoder, NetworkSpec};

/// Trains a student on a task's labels and on what a teacher forecasts for the same windows.
///
/// `share` is the teacher's part of the loss, in [0, 1]; with 0 it is a plain fit. Validation stays on labels. An epoch has up to
/// three times the samples.
///
/// # Errors
/// [`ForecastError::Range`] for a share outside its range, and whatever the teacher's forecast or the fit refuses.
pub fn distill(
    student: &NeuralForecaster,
    teacher: &dyn FittedForecaster,
    task: &FitTask<'_>,
    share: f64,
) -> Result<Box<dyn FittedForecaster>, ForecastError> {
    if !(0.0..=1.0).contains(&share) {
        return Err(ForecastError::Range { name: "share", rule: "in [0, 1]".to_owned(), value: share.to_string() });
    }
    if share == 0.0 {
        return student.fit(task);
    }
    let lessons = lessons(task.train, &teacher.forecast(task.train)?, share);
    student.fit(&FitTask { train: &lessons, ..*task })
}

/// Returns the specification of a network like another, with other hidden values per layer and direction.
///
/// # Errors
/// [`ModelError::Unsupported`] for encoders other than `gru`, `multi_scale_gru` and `lstm`, [`ModelError::Range`] for a size that
/// no network has.
pub fn with_hidden_size(network: &NetworkSpec, hidden_size: usize) -> Result<NetworkSpec, ModelError> {
    let mut student = network.clone();
    match &mut student.encoder {
        Encoder::Gru(gru) | Encoder::MultiScaleGru(gru) => gru.hidden_size = hidden_size,
        Encoder::Lstm(lstm) => lstm.hidden_size = hidden_size,
        other => {
            let hint = "use encoder `gru`, `multi_scale_gru` or `lstm`";
            let what = format!("encoder `{}`", other.name());
            return Err(ModelError::Unsupported { what, done: "distilled", hint });
        }
    }
    student.validate()?;
    Ok(student)
}

/// Returns the windows once for each label that a sample stands for, weighted.
fn lessons(train: &Windows, forecasts: &[Predictive], share: f64) -> Windows {
    let targets = |sign: f64| {
        let value = |forecast: &Predictive| forecast.mean + sign * forecast.variance.unwrap_or(0.0).sqrt();
        forecasts.iter().map(|forecast| Some(value(forecast))).collect::<Vec<_>>()
    };
    let spread = forecasts.iter().any(|forecast| forecast.variance.is_some());
    let taught = if spread {
        vec![(targets(-1.0), share / 2.0), (targets(1.0), share / 2.0)]
    } else {
        vec![(targets(0.0), share)]
    };
    let all: Vec<usize> = (0..train.samples.len()).collect();
    let mut lessons = Lessons::new(train);
    if share < 1.0 {
        let has_label =
            |&sample: &usize| train.target[sample * train.horizons..][..train.horizons].iter().any(Option::is_some);
        let labelled: Vec<usize> = all.iter().copied().filter(has_label).collect();
        lessons.add(train, &labelled, &train.target, 1.0 - share);
    }
    for (targets, weight) in &taught {
        lessons.add(train, &all, targets, *weight);
    }
    lessons.finish()
}

/// Windows under construction.
struct Lessons {
    windows: Windows,
}

impl Lessons {
    fn new(train: &Windows) -> Self {
        let block = |block: &WindowBlock| WindowBlock { values: vec![], lengths: vec![], ..block.clone() };
        let scales = train.scales.iter().map(block).collect();
        Self { windows: Windows { scales, horizons: train.horizons, ..Windows::default() } }
    }

    /// Appends some samples with targets from `[N, K]` and one weight.
    fn add(&mut self, train: &Windows, samples: &[usize], targets: &[Option<f64>], weight: f64) {
        let windows = &mut self.windows;
        for (own, block) in windows.scales.iter_mut().zip(&train.scales) {
            own.values.extend(samples.iter().flat_map(|&sample| block.window(sample)));
            if !block.lengths.is_empty() {
                own.lengths.extend(samples.iter().map(|&sample| block.lengths[sample]));
            }
        }
        for &sample in samples {
            windows.samples.push(train.samples[sample]);
            windows.target.extend(&targets[sample * train.horizons..][..train.horizons]);
            windows.ewma_variance.push(train.ewma_variance[sample]);
            windows.weight.push(weight * train.weight.get(sample).copied().unwrap_or(1.0));
        }
    }

    /// Brings the weights to a mean of 1.
    fn finish(mut self) -> Windows {
        let mean = self.windows.weight.iter().sum::<f64>() / self.windows.weight.len().max(1) as f64;
        self.windows.weight.iter_mut().for_each(|weight| *weight /= mean);
        self.windows
    }
}

#[cfg(test)]
mod tests {
    use tidegate_forecast::{PredictiveShape, TrainingReport};

    use super::*;
    use crate::device::Device;
    use crate::fixture::{learnable, point, ragged, task, training, windows};
    use crate::spec::{GruSpec, Head, Loss, MlpSpec};
    use crate::training_spec::{Schedule, TrainingSpec};

    /// Knows the rule behind `learnable`, and the deviation of the noise around it.
    struct Teacher {
        deviation: Option<f64>,
    }

    impl FittedForecaster for Teacher {
        fn forecast(&self, windows: &Windows) -> Result<Vec<Predictive>, ForecastError> {
            let forecast = |sample| Predictive {
                mean: rule(windows.scales[0].window(sample)),
                variance: self.deviation.map(|deviation| deviation.powi(2)),
                epistemic_variance: None,
                shape: PredictiveShape::Normal,
            };
            Ok((0..windows.samples.len()).map(forecast).collect())
        }

        fn checkpoint(&self) -> Result<Vec<u8>, ForecastError> {
            Ok(vec![])
        }

        fn report(&self) -> TrainingReport {
            TrainingReport::default()
        }
    }

    fn rule(window: &[f32]) -> f64 {
        0.01 * (0.8 * f64::from(window[15]) - 0.5 * f64::from(window[12]))
    }

    /// Mean squared distance of a fit's means to the rule, in units of the rule's variance, 8.9e-5.
    fn distance(fitted: &dyn FittedForecaster, test: &Windows) -> f64 {
        let forecasts = fitted.forecast(test).expect("the same shape");
        let square =
            |(sample, forecast): (usize, &Predictive)| (forecast.mean - rule(test.scales[0].window(sample))).powi(2);
        forecasts.iter().enumerate().map(square).sum::<f64>() / forecasts.len() as f64 / 8.9e-5
    }

    #[test]
    fn a_student_of_noisy_labels_comes_closer_to_the_rule_with_a_teacher() {
        let noisy = |count, seed| windows(count, 1, seed, |own, normal| rule(own[0]) + 0.02 * normal);
        let (train, valid, test) = (noisy(150, 1), noisy(100, 2), learnable(300, 1, 3));
        let network = NetworkSpec::new(Encoder::Gru(GruSpec::new(6, 1)), Head::Point, Loss::Mse, vec![3]);
        let student = NeuralForecaster::new(network, training(15), Device::Cpu).expect("valid specifications");
        let fit = |share| {
            let teacher = Teacher { deviation: None };
            distill(&student, &teacher, &task(&train, &valid, 7), share).expect("a sane task")
        };
        let (alone, taught) = (distance(fit(0.0).as_ref(), &test), distance(fit(0.9).as_ref(), &test));
        assert!(taught < 0.6 * alone, "{taught} and {alone}");
    }

    #[test]
    fn a_student_takes_over_the_teachers_variance() {
        let (train, valid) = (learnable(400, 1, 1), learnable(60, 1, 2));
        let head = Head::Gaussian { variance_floor: 1e-4 };
        let network = NetworkSpec::new(Encoder::Gru(GruSpec::new(6, 1)), head, Loss::GaussianNll, vec![3]);
        // Without early stopping, which would watch labels that have no noise.
        let unwatched = TrainingSpec { early_stopping_patience: None, schedule: Schedule::Constant, ..training(25) };
        let student = NeuralForecaster::new(network, unwatched, Device::Cpu).expect("valid specifications");
        let teacher = Teacher { deviation: Some(0.02) };
        let fitted = distill(&student, &teacher, &task(&train, &valid, 7), 1.0).expect("a sane task");
        let forecasts = fitted.forecast(&valid).expect("the same shape");
        let mean = forecasts.iter().filter_map(|forecast| forecast.variance).sum::<f64>() / forecasts.len() as f64;
        assert!((3.2e-4..4.8e-4).contains(&mean), "{mean} is not about 0.02^2");
    }

    #[test]
    fn lessons_have_the_moments_of_label_and_teacher() {
        let mut train = ragged(12, 1);
        train.target[3] = None;
        let teacher = Teacher { deviation: Some(0.5) };
        let forecasts = teacher.forecast(&train).expect("the same shape");
        let lessons = lessons(&train, &forecasts, 0.6);
        assert_eq!(lessons.samples.len(), 11 + 12 + 12);
        assert!((lessons.weight.iter().sum::<f64>() / 35.0 - 1.0).abs() < 1e-12);
        // Sample 5: its label has 0.4 of its weight, what the teacher says 0.3 on either side.
        let places: Vec<usize> = (0..35).filter(|&place| lessons.samples[place] == train.samples[5]).collect();
        let weight: Vec<f64> = places.iter().map(|&place| lessons.weight[place]).collect();
        let share: Vec<f64> = weight.iter().map(|own| own / weight.iter().sum::<f64>()).collect();
        assert!(
            share.iter().zip([0.4, 0.3, 0.3]).all(|(found, expected)| (found - expected).abs() < 1e-12),
            "{share:?}"
        );
        let targets: Vec<f64> = places.iter().map(|&place| lessons.target[place].expect("a label")).collect();
        let mean = forecasts[5].mean;
        assert_eq!(targets, [train.target[5].expect("a label"), mean - 0.5, mean + 0.5]);
        for place in places {
            assert_eq!(lessons.scales[1].window(place), train.scales[1].window(5));
            assert_eq!(lessons.scales[1].lengths[place], train.scales[1].lengths[5]);
        }
    }

    #[test]
    fn a_student_has_its_teachers_parts_and_another_size() {
        let student = with_hidden_size(&point(), 4).expect("a recurrent network");
        assert_eq!(student, NetworkSpec { encoder: Encoder::Gru(GruSpec::new(4, 1)), ..point() });
        let message = with_hidden_size(&point(), 0).expect_err("no size").to_string();
        assert_eq!(message, "hidden_size must be in [1, 4096], was `0`");
        let mlp = NetworkSpec { encoder: Encoder::Mlp(MlpSpec { hidden_sizes: vec![4], dropout: 0.0 }), ..point() };
        let message = with_hidden_size(&mlp, 4).expect_err("not recurrent").to_string();
        assert!(message.starts_with("encoder `mlp` cannot be distilled\nhint: "), "{message}");
    }

    #[test]
    fn a_share_outside_its_range_is_refused() {
        let (train, valid) = (learnable(40, 1, 1), learnable(10, 1, 2));
        let student = NeuralForecaster::new(point(), training(1), Device::Cpu).expect("valid specifications");
        let refused = distill(&student, &Teacher { deviation: None }, &task(&train, &valid, 7), 1.5).err();
        assert_eq!(refused.expect("above 1").to_string(), "share must be in [0, 1], was `1.5`");
    }
}
