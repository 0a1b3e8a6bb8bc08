//! Claims about speed: two sides that take turns.

use std::hint::black_box;

use tidegate_forecast::{ForecastError, Sample, WindowBlock, Windows};
use tidegate_recurrence::{Batch, LstmWeights, QuantizedWeights, Recurrent, Stream, Weights, last_states};

use super::{Claim, ClaimUnit, SHAPE, STEPS};
use crate::device::Device;
use crate::fit::model_error;
use crate::recurrence::Recurrence;
use crate::spec::{Encoder, GruSpec, Head, Loss, LstmSpec, NetworkSpec, Pooling, TransformerSpec};
use crate::trainer::Trainer;
use crate::training_spec::{Optimizer, TrainingSpec};

/// Windows of a training step.
const BATCH: usize = 32;
/// Training steps of a round.
const TRAINING_STEPS: usize = 2;
/// Windows of a batch in the kernel.
const KERNEL_BATCH: usize = 64;
/// Steps of a stream in a round.
const STREAM_STEPS: usize = 1000;
/// Lengths of windows where they differ: two fifths of the steps are padding.
const LENGTHS: [usize; 5] = [10, 20, 30, 40, 50];

const GATES: &str =
    "three gates cost three quarters of the arithmetic of four; what a step costs besides decides the rest";
const FUSED: &str = "on the main processor libtorch has a fused kernel for the LSTM and none for the GRU";
const ATTENTION: &str =
    "a recurrent layer takes its steps one after another, attention takes all at once but compares each with each";
const ROUNDED: &str = "whole numbers of eight bits are read faster and turned back into floats: it pays where reading the weights is what \
                       takes the time, as it does step by step more than in batches";
const PADDING: &str = "what is saved is the padding, here two fifths of the steps, less what it costs to keep windows of one length together";

/// Two ways to do the same.
pub(super) struct Race {
    claim: Claim,
    other: Box<dyn FnMut()>,
    own: Box<dyn FnMut()>,
    ratios: Vec<f64>,
}

impl Race {
    /// Runs both sides once without looking at the clock.
    pub(super) fn warm_up(&mut self) {
        (self.other)();
        (self.own)();
    }

    /// Runs both sides, in turn the one or the other first.
    pub(super) fn run(&mut self, round: usize, seconds: &mut dyn FnMut() -> f64) {
        let mut time = |side: &mut dyn FnMut()| {
            let start = seconds();
            side();
            seconds() - start
        };
        let (other, own) = if round.is_multiple_of(2) {
            let other = time(&mut self.other);
            (other, time(&mut self.own))
        } else {
            let own = time(&mut self.own);
            (time(&mut self.other), own)
        };
        self.ratios.push(other / own);
    }

    /// Returns the claim with what was measured.
    pub(super) fn claim(&self) -> Claim {
        let mut values: Vec<f64> = self.ratios.iter().map(|&ratio| self.claim.unit.of(ratio)).collect();
        values.sort_by(f64::total_cmp);
        let count = values.len();
        let measured = f64::midpoint(values[(count - 1) / 2], values[count / 2]);
        Claim { measured, low: values[0], high: values[count - 1], ..self.claim.clone() }
    }
}

pub(super) fn races() -> Result<Vec<Race>, ForecastError> {
    let mut races = training_races()?;
    races.extend(kernel_races());
    races.extend(packing_races()?);
    Ok(races)
}

fn race(
    name: &'static str,
    what: &'static str,
    (unit, claimed): (ClaimUnit, [f64; 2]),
    why: &'static str,
    other: impl FnMut() + 'static,
    own: impl FnMut() + 'static,
) -> Race {
    let claim = Claim { name, what, unit, claimed, measured: 0.0, low: 0.0, high: 0.0, why };
    Race { claim, other: Box::new(other), own: Box::new(own), ratios: Vec::new() }
}

const FASTER: (ClaimUnit, [f64; 2]) = (ClaimUnit::PercentFaster, [10.0, 15.0]);
const TWICE: (ClaimUnit, [f64; 2]) = (ClaimUnit::TimesFaster, [2.0, 3.0]);
const PACKED: (ClaimUnit, [f64; 2]) = (ClaimUnit::PercentFaster, [20.0, 30.0]);

/// A GRU against an LSTM and a Transformer: training steps and evaluations.
fn training_races() -> Result<Vec<Race>, ForecastError> {
    use Recurrence::{Libtorch, Native};
    Ok(vec![
        race(
            "gru_lstm_training_libtorch",
            "a training step of a GRU against an LSTM, both in libtorch",
            FASTER,
            FUSED,
            training(lstm(), Libtorch)?,
            training(gru(), Libtorch)?,
        ),
        race(
            "gru_lstm_training",
            "a training step of a GRU in our kernel against an LSTM in libtorch, as networks are trained here",
            FASTER,
            "our kernel takes a step in one piece, where libtorch makes a dozen operations of it",
            training(lstm(), Libtorch)?,
            training(gru(), Native)?,
        ),
        race(
            "gru_transformer_training_libtorch",
            "a training step of a GRU against a Transformer of the same width and depth, both in libtorch",
            FASTER,
            ATTENTION,
            training(transformer(), Libtorch)?,
            training(gru(), Libtorch)?,
        ),
        race(
            "gru_transformer_training",
            "a training step of a GRU in our kernel against a Transformer in libtorch, as networks are trained here",
            FASTER,
            ATTENTION,
            training(transformer(), Libtorch)?,
            training(gru(), Native)?,
        ),
        race(
            "gru_transformer_inference",
            "an evaluation of 64 windows by a GRU in our kernel against a Transformer in libtorch",
            FASTER,
            ATTENTION,
            evaluation(transformer(), Libtorch)?,
            evaluation(gru(), Native)?,
        ),
    ])
}

/// A GRU against an LSTM, and against itself with weights of eight bits, in our kernel.
fn kernel_races() -> Vec<Race> {
    let single = Weights::new(SHAPE, &values(SHAPE.weight_count()));
    let int8 = QuantizedWeights::from_f32(SHAPE, &values(SHAPE.weight_count()));
    let lstm = LstmWeights::new(SHAPE, &values(SHAPE.lstm_weight_count()));
    vec![
        race(
            "gru_lstm_inference",
            "64 windows through a GRU against an LSTM, both in our kernel",
            FASTER,
            GATES,
            in_batch(lstm.clone(), None),
            in_batch(single.clone(), None),
        ),
        race(
            "gru_lstm_streaming",
            "one step after another through a GRU against an LSTM, both in our kernel",
            FASTER,
            GATES,
            in_stream(lstm),
            in_stream(single.clone()),
        ),
        race(
            "int8_batch_speed",
            "64 windows through a GRU with weights of eight bits against single precision",
            TWICE,
            ROUNDED,
            in_batch(single.clone(), None),
            in_batch(int8.clone(), None),
        ),
        race(
            "int8_streaming_speed",
            "one step after another through a GRU with weights of eight bits against single precision",
            TWICE,
            ROUNDED,
            in_stream(single),
            in_stream(int8),
        ),
    ]
}

/// Windows of different lengths, with and without their padding.
fn packing_races() -> Result<Vec<Race>, ForecastError> {
    let single = Weights::new(SHAPE, &values(SHAPE.weight_count()));
    let starts: Vec<usize> = lengths(KERNEL_BATCH).map(|length| STEPS - length).collect();
    Ok(vec![
        race(
            "packing_training",
            "training on batches of windows of 10 to 50 steps, padding left out against padding read",
            PACKED,
            PADDING,
            training_of_lengths(false)?,
            training_of_lengths(true)?,
        ),
        race(
            "packing_inference",
            "64 windows of 10 to 50 steps through a GRU, padding left out against padding read",
            PACKED,
            PADDING,
            in_batch(single.clone(), None),
            in_batch(single, Some(starts)),
        ),
    ])
}

fn gru() -> Encoder {
    Encoder::Gru(GruSpec::new(SHAPE.hidden, SHAPE.layers))
}

fn lstm() -> Encoder {
    Encoder::Lstm(LstmSpec::new(SHAPE.hidden, SHAPE.layers))
}

fn transformer() -> Encoder {
    Encoder::Transformer(TransformerSpec {
        model_size: SHAPE.hidden,
        heads: 4,
        layers: SHAPE.layers,
        feedforward_size: 4 * SHAPE.hidden,
        dropout: 0.0,
        pooling: Pooling::Last,
    })
}

fn trainer(encoder: Encoder, recurrence: Recurrence) -> Result<Trainer, ForecastError> {
    let network = NetworkSpec::new(encoder, Head::Point, Loss::Mse, vec![SHAPE.inputs]);
    let optimizer = Optimizer::Adam { learning_rate: 1e-3, weight_decay: 0.0 };
    let training = TrainingSpec { gradient_clip_norm: Some(1.0), ..TrainingSpec::new(1, BATCH, optimizer) };
    Trainer::with_recurrence(&network, &training, Device::Cpu, recurrence, 7).map_err(|error| model_error(&error))
}

fn training(encoder: Encoder, recurrence: Recurrence) -> Result<impl FnMut() + 'static, ForecastError> {
    let mut trainer = trainer(encoder, recurrence)?;
    let samples = trainer.samples(&windows(BATCH, Vec::new()))?;
    let places: Vec<i64> = (0..BATCH as i64).collect();
    Ok(move || {
        for _ in 0..TRAINING_STEPS {
            trainer.step(&samples, &places);
        }
    })
}

fn evaluation(encoder: Encoder, recurrence: Recurrence) -> Result<impl FnMut() + 'static, ForecastError> {
    let mut trainer = trainer(encoder, recurrence)?;
    let samples = trainer.samples(&windows(KERNEL_BATCH, Vec::new()))?;
    Ok(move || {
        black_box(trainer.evaluate(&samples));
    })
}

/// Trains a GRU on batches of windows of every length; padded windows differ in nothing else.
fn training_of_lengths(packed: bool) -> Result<impl FnMut() + 'static, ForecastError> {
    let count = LENGTHS.len() * BATCH;
    let mut trainer = trainer(gru(), Recurrence::Native)?;
    let known = if packed { lengths(count).map(|length| length as u32).collect() } else { Vec::new() };
    let samples = trainer.samples(&windows(count, known))?;
    let batches = samples.batches(BATCH);
    Ok(move || {
        for batch in &batches {
            trainer.step(&samples, batch);
        }
    })
}

fn in_batch<W: Recurrent + 'static>(weights: W, starts: Option<Vec<usize>>) -> impl FnMut() + 'static {
    let features = values(KERNEL_BATCH * STEPS * SHAPE.inputs);
    move || {
        let batch = Batch { starts: starts.as_deref(), ..Batch::new(&features, KERNEL_BATCH, STEPS) };
        black_box(last_states(&weights, &batch));
    }
}

fn in_stream<W: Recurrent + 'static>(weights: W) -> impl FnMut() + 'static {
    let features = values(SHAPE.inputs);
    let mut stream = Stream::new(&weights);
    move || {
        for _ in 0..STREAM_STEPS {
            black_box(stream.step(&weights, &features));
        }
    }
}

fn lengths(count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(|place| LENGTHS[place % LENGTHS.len()])
}

/// Returns numbers in the range of weights and scaled features, none of them in a row.
fn values(count: usize) -> Vec<f32> {
    (0..count).map(|place| 0.3 * (place as f32 * 0.7).sin()).collect()
}

fn windows(count: usize, lengths: Vec<u32>) -> Windows {
    let mut block =
        WindowBlock { steps: STEPS, features: SHAPE.inputs, values: values(count * STEPS * SHAPE.inputs), lengths };
    for (sample, &length) in block.lengths.iter().enumerate() {
        let first = sample * STEPS * SHAPE.inputs;
        block.values[first..first + (STEPS - length as usize) * SHAPE.inputs].fill(0.0);
    }
    Windows {
        scales: vec![block],
        samples: (0..count as u32).map(|row| Sample { series: 0, row }).collect(),
        target: (0..count).map(|place| Some((place as f64 * 1.3).cos())).collect(),
        ewma_variance: vec![None; count],
        ..Windows::default()
    }
}
