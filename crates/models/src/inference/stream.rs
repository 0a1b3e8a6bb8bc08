//! A network that is stepped bar by bar.

use std::sync::Arc;

use tidegate_forecast::{ForecastError, ForecastStream, Predictive};
use tidegate_recurrence::Stream;

use super::head::BLANK;
use super::network::{InferenceNetwork, Memory, check_finite};
use crate::window_checks::check_count;

/// A network of one scale and its present state.
#[derive(Debug)]
pub(super) struct InferenceStream {
    network: Arc<InferenceNetwork>,
    series: u32,
    states: Stream,
    memory: Memory,
    /// `[K]`.
    forecasts: Vec<Predictive>,
}

impl InferenceStream {
    /// Starts a series of the panel from zero; `None` for a series that the network does not know, and for a network of several
    /// scales, whose windows end together but do not step together.
    pub(super) fn new(network: &Arc<InferenceNetwork>, series: u32) -> Option<Self> {
        let [stack] = network.stacks.as_slice() else { return None };
        if !network.knows(series) {
            return None;
        }
        Some(Self {
            network: Arc::clone(network),
            series,
            states: stack.stream(),
            memory: Memory::default(),
            forecasts: vec![BLANK; network.horizons()],
        })
    }
}

impl ForecastStream for InferenceStream {
    fn step(&mut self, features: &[f32]) -> Result<&[Predictive], ForecastError> {
        let stack = &self.network.stacks[0];
        check_count("features of a step", stack.shape().inputs, features.len())?;
        if let Some(feature) = features.iter().position(|value| !value.is_finite()) {
            let what = format!("feature column `{feature}` of a step");
            return Err(ForecastError::NotFinite { what, value: f64::from(features[feature]) });
        }
        let top = stack.step(&mut self.states, features);
        self.memory.states.clear();
        self.memory.states.extend(top.iter().copied().map(f64::from));
        self.network.read(self.series, &mut self.memory, &mut self.forecasts);
        check_finite(&self.forecasts, || "the forecast of a step".to_owned())?;
        Ok(&self.forecasts)
    }

    fn reset(&mut self) {
        self.states.reset();
    }
}
