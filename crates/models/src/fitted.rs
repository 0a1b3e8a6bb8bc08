//! A trained network in libtorch: what plain Rust does not run, and everything on CUDA.

use tch::Tensor;
use tidegate_forecast::{FittedForecaster, ForecastError, ForecastStream, Predictive, TrainingReport, Windows};

use crate::checkpoint::{self, StoredNetwork};
use crate::device::Device;
use crate::inference::{self, TrainedNetwork};
use crate::network::Network;
use crate::parameters::Parameters;
use crate::recurrence::Recurrence;
use crate::samples::SampleTensors;
use crate::spec::NetworkSpec;
use crate::target::TargetScale;
use crate::threads::use_one_thread;
use crate::trainer::for_each_batch;

/// A trained network as tensors.
#[derive(Debug)]
pub(crate) struct FittedNetwork {
    pub(crate) spec: NetworkSpec,
    network: Network,
    pub(crate) parameters: Parameters,
    /// One scale per horizon.
    pub(crate) targets: Vec<TargetScale>,
    pub(crate) report: TrainingReport,
    device: Device,
}

impl FittedNetwork {
    pub(crate) const fn new(
        spec: NetworkSpec,
        network: Network,
        parameters: Parameters,
        targets: Vec<TargetScale>,
        report: TrainingReport,
        device: Device,
    ) -> Self {
        Self { spec, network, parameters, targets, report, device }
    }

    /// Reads a checkpoint.
    pub(crate) fn restore(bytes: &[u8], expected: &NetworkSpec, device: Device) -> Result<Self, ForecastError> {
        let (network, mut parameters) = Network::build(expected, 0, device.tch());
        let stored = checkpoint::read(bytes, expected, parameters.shapes().to_vec())?;
        parameters.assign(&Tensor::from_slice(&stored.values));
        Ok(Self::new(stored.spec, network, parameters, stored.targets, stored.report, device))
    }

    /// Returns the network as plain numbers.
    pub(crate) fn stored(&self) -> StoredNetwork {
        StoredNetwork {
            spec: self.spec.clone(),
            shapes: self.parameters.shapes().to_vec(),
            values: self.parameters.values(),
            targets: self.targets.clone(),
            report: self.report.clone(),
        }
    }
}

impl FittedForecaster for FittedNetwork {
    fn forecast(&self, windows: &Windows) -> Result<Vec<Predictive>, ForecastError> {
        self.forecast_with(Recurrence::of(self.device), windows)
    }

    fn checkpoint(&self) -> Result<Vec<u8>, ForecastError> {
        checkpoint::write(&self.stored())
    }

    fn report(&self) -> TrainingReport {
        self.report.clone()
    }

    /// Streams run on the main processor, wherever the network was trained.
    fn stream(&self, series: u32) -> Option<Box<dyn ForecastStream>> {
        if inference::runs(&self.spec) { TrainedNetwork::new(self.stored()).stream(series) } else { None }
    }
}

impl FittedNetwork {
    /// Forecasts with a recurrence of the caller's choice.
    pub(crate) fn forecast_with(
        &self,
        recurrence: Recurrence,
        windows: &Windows,
    ) -> Result<Vec<Predictive>, ForecastError> {
        use_one_thread();
        self.spec.check_windows(windows)?;
        let samples = SampleTensors::new(windows, "forecast", &self.spec.feature_counts, None, self.device.tch())?;
        let mut runner = recurrence.runner(&self.network);
        let mut forecasts = vec![Vec::new(); samples.len()];
        for_each_batch(&self.network, &self.parameters, &mut runner, &samples, |places, output| {
            let own = output.predictives(&self.targets);
            for (&place, own) in places.iter().zip(own.chunks(self.spec.horizons)) {
                forecasts[place as usize] = own.to_vec();
            }
        });
        for (sample, forecast) in forecasts.iter().enumerate() {
            inference::check_finite(forecast, || format!("the forecast of sample `{sample}`"))?;
        }
        Ok(forecasts.concat())
    }
}
