//! The neural forecaster: a network and its training behind the trait that every model implements.

use tidegate_forecast::{FitTask, FittedForecaster, ForecastError, Forecaster};

use crate::ModelError;
use crate::device::{Device, check_device};
use crate::inference::{self, TrainedNetwork};
use crate::spec::NetworkSpec;
use crate::training_spec::TrainingSpec;

/// A network to be trained on every fold anew.
///
/// A fit uses one libtorch thread, the calling one, and leaves that thread so. The same task gives the same bytes on
/// [`Device::Cpu`], whatever else runs beside it; fits for several folds or seeds run in parallel on threads of their own.
///
/// Without the feature `libtorch` a fit is refused; a checkpoint of a network that plain Rust runs is restored as ever, and
/// forecasts the same bits.
#[derive(Debug, Clone)]
pub struct NeuralForecaster {
    network: NetworkSpec,
    #[cfg(feature = "libtorch")]
    training: TrainingSpec,
    #[cfg(feature = "libtorch")]
    device: Device,
}

impl NeuralForecaster {
    /// Takes specifications that are valid and fit each other.
    ///
    /// # Errors
    /// Whatever [`NetworkSpec::validate`] and [`TrainingSpec::validate`] refuse; [`ModelError::MixedPrecisionOnCpu`]; [`ModelError::NeedsLibtorch`] for a network that
    /// a build without libtorch cannot run.
    #[cfg_attr(
        not(feature = "libtorch"),
        expect(clippy::needless_pass_by_value, reason = "one signature for both builds")
    )]
    pub fn new(network: NetworkSpec, training: TrainingSpec, device: Device) -> Result<Self, ModelError> {
        network.validate()?;
        training.validate()?;
        check_device(&training, device)?;
        #[cfg(not(feature = "libtorch"))]
        if device != Device::Cpu || !inference::runs(&network) {
            return Err(ModelError::NeedsLibtorch {
                what: format!("encoder `{}` on device `{device}`", network.encoder.name()),
                hint: "build with default features, or use `gru`, `multi_scale_gru` or `lstm` in one direction on device `cpu`, \
                       with pooling `last` and without zoneout and layer norm",
            });
        }
        Ok(Self {
            network,
            #[cfg(feature = "libtorch")]
            training,
            #[cfg(feature = "libtorch")]
            device,
        })
    }

    /// Returns whether trained networks of this forecaster run in plain Rust.
    #[cfg(feature = "libtorch")]
    fn runs_natively(&self) -> bool {
        self.device == Device::Cpu && inference::runs(&self.network)
    }
}

impl Forecaster for NeuralForecaster {
    fn name(&self) -> &str {
        self.network.encoder.name()
    }

    #[cfg(feature = "libtorch")]
    fn fit(&self, task: &FitTask<'_>) -> Result<Box<dyn FittedForecaster>, ForecastError> {
        let fitted = crate::fit::fit(&self.network, &self.training, self.device, task)?;
        if self.runs_natively() {
            return Ok(Box::new(TrainedNetwork::new(fitted.stored())));
        }
        Ok(Box::new(fitted))
    }

    #[cfg(not(feature = "libtorch"))]
    fn fit(&self, _: &FitTask<'_>) -> Result<Box<dyn FittedForecaster>, ForecastError> {
        let error = ModelError::NeedsLibtorch {
            what: format!("training encoder `{}`", self.network.encoder.name()),
            hint: "train with a build with default features and bring its cache along: what is trained runs here; or use \
                   `[model.yardstick]`",
        };
        Err(ForecastError::Model(error.to_string()))
    }

    fn restore(&self, checkpoint: &[u8]) -> Result<Box<dyn FittedForecaster>, ForecastError> {
        #[cfg(feature = "libtorch")]
        if !self.runs_natively() {
            return Ok(Box::new(crate::fitted::FittedNetwork::restore(checkpoint, &self.network, self.device)?));
        }
        Ok(Box::new(TrainedNetwork::restore(checkpoint, &self.network)?))
    }
}

#[cfg(all(test, feature = "libtorch"))]
mod known_truth_tests;
#[cfg(all(test, feature = "libtorch"))]
mod learning_tests;
#[cfg(all(test, feature = "libtorch"))]
mod no_skill_tests;

#[cfg(all(test, feature = "libtorch"))]
mod tests {
    use tidegate_forecast::{Predictive, Windows};

    use super::*;
    use crate::fixture::{full_training, gaussian, learnable, point, ragged, task, training, windows};
    use crate::spec::{Head, Loss};
    use crate::target::TargetScale;

    fn forecaster(network: NetworkSpec, epochs: usize) -> NeuralForecaster {
        NeuralForecaster::new(network, training(epochs), Device::Cpu).expect("valid specifications")
    }

    /// Fits the network with everything in it, by a training with everything in it, and returns its bytes.
    fn fitted_bytes(seed: u64) -> Vec<u8> {
        let (train, valid) = (ragged(70, 1), ragged(30, 2));
        let forecaster =
            NeuralForecaster::new(gaussian(), full_training(3), Device::Cpu).expect("valid specifications");
        let fitted = forecaster.fit(&task(&train, &valid, seed)).expect("a sane task");
        fitted.checkpoint().expect("a network has bytes")
    }

    fn mean_squared_error(forecasts: &[Predictive], windows: &Windows) -> f64 {
        let errors = forecasts
            .iter()
            .zip(&windows.target)
            .map(|(forecast, target)| (forecast.mean - target.expect("every sample has a label")).powi(2));
        errors.sum::<f64>() / forecasts.len() as f64
    }

    #[test]
    fn a_linear_rule_of_the_last_two_steps_is_learned() {
        let (train, valid, test) = (learnable(400, 1, 1), learnable(100, 1, 2), learnable(200, 1, 3));
        let fitted = forecaster(point(), 40).fit(&task(&train, &valid, 7)).expect("a sane task");
        let forecasts = fitted.forecast(&test).expect("the same shape");
        // The label's variance is 0.01^2 (0.8^2 + 0.5^2) = 8.9e-5; a constant forecast would miss by that.
        let error = mean_squared_error(&forecasts, &test);
        assert!(error < 0.05 * 8.9e-5, "{error}");
        assert!(forecasts.iter().all(|forecast| forecast.variance.is_none() && forecast.epistemic_variance.is_none()));
    }

    #[test]
    fn a_variance_that_depends_on_the_last_step_is_learned() {
        // The label is noise of deviation 0.02 where the last first feature is positive, and of 0.005 elsewhere.
        let noise = |count, seed| {
            windows(count, 2, seed, |own, normal| if own[0][15] > 0.0 { 0.02 * normal } else { 0.005 * normal })
        };
        let (train, valid, test) = (noise(800, 1), noise(200, 2), noise(400, 3));
        let network = NetworkSpec { loss: Loss::GaussianNll, ..gaussian() };
        let fitted = forecaster(network, 30).fit(&task(&train, &valid, 7)).expect("a sane task");
        let forecasts = fitted.forecast(&test).expect("the same shape");
        let mean_variance = |positive: bool| {
            let group = forecasts.iter().enumerate().filter(|(i, _)| (test.scales[0].window(*i)[15] > 0.0) == positive);
            let variances: Vec<f64> = group.map(|(_, forecast)| forecast.variance.expect("a Gaussian head")).collect();
            variances.iter().sum::<f64>() / variances.len() as f64
        };
        let (wide, narrow) = (mean_variance(true), mean_variance(false));
        assert!((2e-4..8e-4).contains(&wide) && (1.2e-5..1e-4).contains(&narrow), "{wide} {narrow}");
    }

    #[test]
    fn one_seed_gives_one_network_and_another_seed_another() {
        assert_eq!(fitted_bytes(5), fitted_bytes(5));
        assert_ne!(fitted_bytes(5), fitted_bytes(6));
    }

    #[test]
    fn fits_on_two_threads_at_once_equal_fits_one_after_another() {
        let serial: Vec<Vec<u8>> = (0..4).map(fitted_bytes).collect();
        let parallel: Vec<Vec<u8>> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                [[0, 1], [2, 3]].into_iter().map(|seeds| scope.spawn(move || seeds.map(fitted_bytes))).collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("a fit does not panic")).collect()
        });
        assert_eq!(serial, parallel);
    }

    #[test]
    fn the_weights_of_the_best_epoch_are_the_ones_that_forecast() {
        // Labels without a rule: the validation loss soon rises, so the best epoch is not the last.
        let noise = |count, seed| windows(count, 1, seed, |_, normal| 0.01 * normal);
        let (train, valid) = (noise(60, 1), noise(40, 2));
        let fitted = forecaster(point(), 60).fit(&task(&train, &valid, 7)).expect("a sane task");
        let report = fitted.report();
        let best = report.best_epoch.expect("a network iterates");
        assert!(best < report.epochs.len(), "stopped at {} with the best at {best}", report.epochs.len());
        assert_eq!(report.epochs.len(), best + 6);
        let scale = TargetScale::of(&train).expect("labels")[0];
        let forecasts = fitted.forecast(&valid).expect("the same shape");
        let error = mean_squared_error(&forecasts, &valid) / scale.variance(1.0);
        let recorded = report.epochs[best - 1].valid_loss.expect("a validation set");
        assert!((error - recorded).abs() < 1e-5 * recorded, "{error} is not {recorded}");
    }

    #[test]
    fn a_forecast_does_not_depend_on_the_samples_after_it() {
        let (train, valid, test) = (learnable(70, 2, 1), learnable(30, 2, 2), learnable(300, 2, 3));
        let fitted = forecaster(gaussian(), 2).fit(&task(&train, &valid, 7)).expect("a sane task");
        let all = fitted.forecast(&test).expect("the same shape");
        for count in [1, 127, 129] {
            let mut first = test.clone();
            first.samples.truncate(count);
            first.target.truncate(count);
            first.scales.iter_mut().for_each(|scale| scale.values.truncate(count * scale.steps * scale.features));
            assert_eq!(fitted.forecast(&first).expect("the same shape"), all[..count]);
        }
    }

    #[test]
    fn a_short_window_is_forecast_as_if_its_padding_were_not_there() {
        let (train, valid, test) = (ragged(70, 1), ragged(30, 2), ragged(40, 3));
        let fitted = forecaster(gaussian(), 2).fit(&task(&train, &valid, 7)).expect("a sane task");
        let all = fitted.forecast(&test).expect("the same shape");
        for sample in 0..40 {
            let mut alone =
                Windows { samples: vec![test.samples[sample]], target: vec![None], weight: vec![], ..test.clone() };
            for block in &mut alone.scales {
                let steps = block.lengths[sample] as usize;
                let window = block.window(sample)[(block.steps - steps) * block.features..].to_vec();
                (block.steps, block.values, block.lengths) = (steps, window, vec![]);
            }
            assert_eq!(fitted.forecast(&alone).expect("the same features"), all[sample..=sample], "sample {sample}");
        }
    }

    #[test]
    fn no_samples_have_no_forecasts() {
        let (train, valid) = (learnable(40, 1, 1), learnable(20, 1, 2));
        let fitted = forecaster(point(), 1).fit(&task(&train, &valid, 7)).expect("a sane task");
        assert_eq!(fitted.forecast(&learnable(0, 1, 3)), Ok(vec![]));
    }

    #[test]
    fn windows_of_another_shape_are_refused() {
        let (train, valid) = (learnable(40, 1, 1), learnable(20, 1, 2));
        let fitted = forecaster(point(), 1).fit(&task(&train, &valid, 7)).expect("a sane task");
        let message = fitted.forecast(&learnable(5, 2, 3)).expect_err("two scales").to_string();
        assert_eq!(message, "scales must have `1` entries as in the fit, has `2`");
        let network = NetworkSpec { feature_counts: vec![4], ..point() };
        let message = forecaster(network, 1).fit(&task(&train, &valid, 7)).err().expect("three features").to_string();
        assert_eq!(message, "features of a scale must have `4` entries as in the fit, has `3`");
    }

    #[test]
    fn a_loss_that_does_not_fit_its_head_makes_no_forecaster() {
        let network = NetworkSpec { head: Head::Point, ..gaussian() };
        let message = NeuralForecaster::new(network, training(1), Device::Cpu).expect_err("no variance").to_string();
        assert!(message.starts_with("loss `beta_nll` does not fit head `point`"), "{message}");
    }
}

#[cfg(all(test, not(feature = "libtorch")))]
mod tests {
    use tidegate_forecast::{NoMonitor, NoStore, Windows};

    use super::*;

    const TRAINING: &str = r#"{ "epochs_max": 1, "batch_size": 8, "schedule": "constant",
        "optimizer": { "adam": { "learning_rate": 0.01, "weight_decay": 0.0 } } }"#;

    fn forecaster(encoder: &str) -> Result<NeuralForecaster, ModelError> {
        let network = format!(r#"{{ "encoder": {encoder}, "head": "point", "loss": "mse", "feature_counts": [3] }}"#);
        let network = serde_json::from_str(&network).expect("a network");
        NeuralForecaster::new(network, serde_json::from_str(TRAINING).expect("a training"), Device::Cpu)
    }

    #[test]
    fn a_network_that_plain_rust_does_not_run_is_refused_by_name() {
        let pooled = r#"{ "gru": { "hidden_size": 4, "layers": 1, "dropout": 0.0, "pooling": "mean" } }"#;
        let message = forecaster(pooled).expect_err("pooled").to_string();
        let expected =
            "encoder `gru` on device `cpu` needs libtorch, which this build was made without\nhint: build with default";
        assert!(message.starts_with(expected), "{message}");
    }

    #[test]
    fn a_fit_without_libtorch_says_what_it_needs_and_what_to_do() {
        let gru = r#"{ "gru": { "hidden_size": 4, "layers": 1, "dropout": 0.0 } }"#;
        let forecaster = forecaster(gru).expect("plain Rust runs it");
        let (train, valid) = (Windows::default(), Windows::default());
        let task = FitTask { train: &train, valid: &valid, seed: 0, monitor: &NoMonitor, store: &NoStore };
        let message = forecaster.fit(&task).err().expect("no libtorch").to_string();
        assert!(
            message.contains("training encoder `gru` needs libtorch, which this build was made without"),
            "{message}"
        );
        assert!(
            message.contains("hint: train with a build with default features and bring its cache along"),
            "{message}"
        );
    }
}
