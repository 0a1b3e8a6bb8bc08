//! A trained network behind the trait that every fitted model implements.

use std::sync::Arc;

use tidegate_forecast::{FittedForecaster, ForecastError, ForecastStream, Predictive, TrainingReport, Windows};

use super::layout;
use super::network::InferenceNetwork;
use super::stream::InferenceStream;
use crate::checkpoint::{self, StoredNetwork};
use crate::spec::NetworkSpec;

/// A trained network that plain Rust runs.
#[derive(Debug)]
pub(crate) struct TrainedNetwork {
    pub(super) stored: StoredNetwork,
    network: Arc<InferenceNetwork>,
}

impl TrainedNetwork {
    /// Takes a network that [`super::runs`].
    pub(crate) fn new(stored: StoredNetwork) -> Self {
        let network = Arc::new(InferenceNetwork::new(&stored));
        Self { stored, network }
    }

    /// Reads a checkpoint.
    pub(crate) fn restore(bytes: &[u8], expected: &NetworkSpec) -> Result<Self, ForecastError> {
        Ok(Self::new(checkpoint::read(bytes, expected, layout::shapes(expected))?))
    }
}

impl FittedForecaster for TrainedNetwork {
    fn forecast(&self, windows: &Windows) -> Result<Vec<Predictive>, ForecastError> {
        self.stored.spec.check_windows(windows)?;
        self.network.forecast(windows)
    }

    fn checkpoint(&self) -> Result<Vec<u8>, ForecastError> {
        checkpoint::write(&self.stored)
    }

    fn report(&self) -> TrainingReport {
        self.stored.report.clone()
    }

    fn stream(&self, series: u32) -> Option<Box<dyn ForecastStream>> {
        InferenceStream::new(&self.network, series).map(|stream| Box::new(stream) as Box<dyn ForecastStream>)
    }
}
