//! The neural forecaster: a network and its training behind the trait that every model implements.

use tidegate_forecast::{
    FitTask, FittedForecaster, ForecastError, Forecaster, Predictive, PredictiveShape, TrainingReport, Windows,
};

use crate::ModelError;
use crate::checkpoint;
use crate::device::Device;
use crate::fit::fit;
use crate::network::Network;
use crate::parameters::Parameters;
use crate::recurrence::Recurrence;
use crate::samples::{SampleTensors, to_doubles};
use crate::spec::NetworkSpec;
use crate::target::TargetScale;
use crate::threads::use_one_thread;
use crate::trainer::for_each_batch;
use crate::training_spec::TrainingSpec;

/// A network to be trained on every fold anew.
///
/// A fit uses one libtorch thread, the calling one, and leaves that thread so. The same task gives the same bytes on
/// [`Device::Cpu`], whatever else runs beside it; fits for several folds or seeds run in parallel on threads of their own.
#[derive(Debug, Clone)]
pub struct NeuralForecaster {
    network: NetworkSpec,
    training: TrainingSpec,
    device: Device,
}

impl NeuralForecaster {
    /// Takes specifications that are valid and fit each other.
    ///
    /// # Errors
    /// Whatever [`NetworkSpec::validate`] and [`TrainingSpec::validate`] refuse.
    pub fn new(network: NetworkSpec, training: TrainingSpec, device: Device) -> Result<Self, ModelError> {
        network.validate()?;
        training.validate()?;
        Ok(Self { network, training, device })
    }
}

impl Forecaster for NeuralForecaster {
    fn name(&self) -> &str {
        self.network.encoder.name()
    }

    fn fit(&self, task: &FitTask<'_>) -> Result<Box<dyn FittedForecaster>, ForecastError> {
        Ok(Box::new(fit(&self.network, &self.training, self.device, task)?))
    }

    fn restore(&self, checkpoint: &[u8]) -> Result<Box<dyn FittedForecaster>, ForecastError> {
        Ok(Box::new(checkpoint::read(checkpoint, &self.network, self.device)?))
    }
}

/// A trained network.
#[derive(Debug)]
pub(crate) struct FittedNetwork {
    pub(crate) spec: NetworkSpec,
    network: Network,
    pub(crate) parameters: Parameters,
    pub(crate) target: TargetScale,
    pub(crate) report: TrainingReport,
    device: Device,
}

impl FittedNetwork {
    pub(crate) const fn new(
        spec: NetworkSpec,
        network: Network,
        parameters: Parameters,
        target: TargetScale,
        report: TrainingReport,
        device: Device,
    ) -> Self {
        Self { spec, network, parameters, target, report, device }
    }

    /// Turns a network's output into the target's units.
    fn predictive(&self, mean: f64, variance: Option<f64>) -> Predictive {
        let variance = variance.map(|variance| self.target.variance(variance));
        Predictive { mean: self.target.mean(mean), variance, epistemic_variance: None, shape: PredictiveShape::Normal }
    }
}

impl FittedForecaster for FittedNetwork {
    fn forecast(&self, windows: &Windows) -> Result<Vec<Predictive>, ForecastError> {
        use_one_thread();
        let samples = SampleTensors::new(windows, "forecast", &self.spec.feature_counts, None, self.device.tch())?;
        let mut runner = Recurrence::of(self.device).runner(&self.network);
        let batches = for_each_batch(&self.network, &self.parameters, &mut runner, &samples, |output, _| {
            (to_doubles(&output.mean), output.variance.as_ref().map(to_doubles))
        });
        let mut forecasts = Vec::with_capacity(samples.len());
        for (means, variances) in batches {
            for (place, mean) in means.into_iter().enumerate() {
                let forecast = self.predictive(mean, variances.as_ref().map(|variances| variances[place]));
                if let Some(value) =
                    [Some(forecast.mean), forecast.variance].into_iter().flatten().find(|v| !v.is_finite())
                {
                    return Err(ForecastError::NotFinite {
                        what: format!("the forecast of sample `{}`", forecasts.len()),
                        value,
                    });
                }
                forecasts.push(forecast);
            }
        }
        Ok(forecasts)
    }

    fn checkpoint(&self) -> Result<Vec<u8>, ForecastError> {
        checkpoint::write(self)
    }

    fn report(&self) -> TrainingReport {
        self.report.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{gaussian, learnable, point, task, training, windows};
    use crate::spec::{Head, Loss};

    fn forecaster(network: NetworkSpec, epochs: usize) -> NeuralForecaster {
        NeuralForecaster::new(network, training(epochs), Device::Cpu).expect("valid specifications")
    }

    /// Fits the network with everything in it and returns its bytes.
    fn fitted_bytes(seed: u64) -> Vec<u8> {
        let (train, valid) = (learnable(70, 2, 1), learnable(30, 2, 2));
        let fitted = forecaster(gaussian(), 3).fit(&task(&train, &valid, seed)).expect("a sane task");
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
        let scale = TargetScale::of(&train.target).expect("labels");
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
