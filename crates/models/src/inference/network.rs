//! A network that reads windows and states.

use std::ops::Range;

use tidegate_forecast::{ForecastError, Predictive, WindowBlock, Windows};
use tidegate_recurrence::{Batch, LstmWeights, Weights};

use super::dense::Dense;
use super::head::{self, BLANK};
use super::layout::{self, is_fused};
use super::stack::Stack;
use crate::checkpoint::StoredNetwork;
use crate::parameter_shape::ParameterShape;
use crate::spec::{Encoder, NetworkSpec};
use crate::target::TargetScale;
use crate::window_checks::{check_block, check_count, valid_steps};

/// Windows whose states are held at a time.
const CHUNK: usize = 1024;

/// A trained network, ready to run.
#[derive(Debug)]
pub(super) struct InferenceNetwork {
    spec: NetworkSpec,
    /// One stack per scale.
    pub(super) stacks: Vec<Stack>,
    fusion: Option<Dense>,
    /// `[S, E]`; empty without an embedding of symbols.
    embedding: Vec<f32>,
    head_hidden: Option<Dense>,
    head: Dense,
    /// One scale per horizon.
    targets: Vec<TargetScale>,
}

/// What lies between states and forecasts, kept so that nothing is allocated.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The last states of all scales, one after the other.
    pub(super) states: Vec<f64>,
    fused: Vec<f64>,
    hidden: Vec<f64>,
    raw: Vec<f64>,
}

impl InferenceNetwork {
    pub(super) fn new(stored: &StoredNetwork) -> Self {
        let spec = &stored.spec;
        let (mut shapes, mut rest) = (stored.shapes.iter(), stored.values.as_slice());
        let mut take = |weights: usize| {
            let count = shapes.by_ref().take(weights).map(ParameterShape::len).sum();
            let (own, others) = rest.split_at(count);
            rest = others;
            own
        };
        let stacks = layout::stacks(spec).into_iter().map(|shape| {
            let weights = take(4 * shape.layers);
            match spec.encoder {
                Encoder::Lstm(_) => Stack::Lstm(LstmWeights::new(shape, weights)),
                _ => Stack::Gru(Weights::new(shape, weights)),
            }
        });
        let stacks = stacks.collect();
        let fusion = is_fused(spec).then(|| Dense::new(take(1), take(1)));
        let embedding = if spec.symbol_embedding.is_some() { take(1).to_vec() } else { Vec::new() };
        let head_hidden = spec.head_hidden_size.map(|_| Dense::new(take(1), take(1)));
        let head = Dense::new(take(1), take(1));
        Self { spec: spec.clone(), stacks, fusion, embedding, head_hidden, head, targets: stored.targets.clone() }
    }

    /// Returns the number of forecasts per sample, `K`.
    pub(super) const fn horizons(&self) -> usize {
        self.targets.len()
    }

    /// Returns the forecasts of windows, `[N, K]`.
    pub(super) fn forecast(&self, windows: &Windows) -> Result<Vec<Predictive>, ForecastError> {
        let count = windows.samples.len();
        self.spec.check_windows(windows)?;
        check_count("scales", self.stacks.len(), windows.scales.len())?;
        let mut scales = Vec::with_capacity(self.stacks.len());
        for (scale, (block, stack)) in windows.scales.iter().zip(&self.stacks).enumerate() {
            check_block(block, count, stack.shape().inputs, "forecast", scale)?;
            let starts = |lengths: Vec<u32>| lengths.iter().map(|&length| block.steps - length as usize).collect();
            scales.push(ScaleReader { stack, block, starts: valid_steps(block, count)?.map(starts) });
        }
        let mut forecasts = vec![BLANK; count * self.horizons()];
        let mut memory = Memory::default();
        for first in (0..count).step_by(CHUNK) {
            let samples = first..count.min(first + CHUNK);
            let states: Vec<Vec<f32>> = scales.iter().map(|scale| scale.states(samples.clone())).collect();
            for (place, sample) in samples.enumerate() {
                let own_states = states.iter().zip(&self.stacks).flat_map(|(states, stack)| {
                    let hidden = stack.shape().hidden;
                    &states[place * hidden..(place + 1) * hidden]
                });
                memory.states.clear();
                memory.states.extend(own_states.copied().map(f64::from));
                let own = &mut forecasts[sample * self.horizons()..(sample + 1) * self.horizons()];
                self.read(windows.samples[sample].series, &mut memory, own);
                check_finite(own, || format!("the forecast of sample `{sample}`"))?;
            }
        }
        Ok(forecasts)
    }

    /// Returns whether the network has learned about a series of the panel, where it tells them apart.
    pub(super) fn knows(&self, series: u32) -> bool {
        self.spec.symbol_embedding.is_none() || (series as usize) < self.spec.symbols
    }

    /// Runs fusion, embedding and head on the states in the memory; `forecasts` is `[K]`.
    pub(super) fn read(&self, series: u32, memory: &mut Memory, forecasts: &mut [Predictive]) {
        let Memory { states, fused, hidden, raw } = memory;
        let vector = match &self.fusion {
            None => states,
            Some(fusion) => {
                fusion.run(states, fused);
                rectify(fused);
                fused
            }
        };
        if let Some(size) = self.spec.symbol_embedding {
            vector.extend(self.embedding[series as usize * size..][..size].iter().copied().map(f64::from));
        }
        match &self.head_hidden {
            None => self.head.run(vector, raw),
            Some(layer) => {
                layer.run(vector, hidden);
                rectify(hidden);
                self.head.run(hidden, raw);
            }
        }
        head::read(&self.spec.head, raw, &self.targets, forecasts);
    }
}

/// Replaces what is below 0. Unlike `max`, a comparison keeps what is not a number.
fn rectify(values: &mut [f64]) {
    values.iter_mut().filter(|value| **value < 0.0).for_each(|value| *value = 0.0);
}

/// One scale's stack and the windows that it reads.
struct ScaleReader<'a> {
    stack: &'a Stack,
    block: &'a WindowBlock,
    /// The first valid step of each window; `None` where all are full.
    starts: Option<Vec<usize>>,
}

impl ScaleReader<'_> {
    /// Returns the top layer's states after the last step of some windows, `[B, H]`.
    fn states(&self, samples: Range<usize>) -> Vec<f32> {
        let WindowBlock { steps, features, values, .. } = self.block;
        let (size, top) = (steps * features, samples.len() * self.stack.shape().hidden);
        let starts = self.starts.as_ref().map(|starts| &starts[samples.clone()]);
        let windows = &values[samples.start * size..samples.end * size];
        let mut states = self.stack.last_states(&Batch { starts, ..Batch::new(windows, samples.len(), *steps) });
        states.split_off(states.len() - top)
    }
}

/// Refuses a forecast that is not finite.
pub(crate) fn check_finite(forecasts: &[Predictive], what: impl Fn() -> String) -> Result<(), ForecastError> {
    let numbers = forecasts.iter().flat_map(|forecast| [Some(forecast.mean), forecast.variance]).flatten();
    for value in numbers {
        if !value.is_finite() {
            return Err(ForecastError::NotFinite { what: what(), value });
        }
    }
    Ok(())
}
