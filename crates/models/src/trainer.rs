//! One training step: batch, forward, loss, backward, clipping, optimizer.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};
use tidegate_forecast::{ForecastError, Windows};

use crate::ModelError;
use crate::adam::{Adam, AdamState};
use crate::device::Device;
use crate::dropout::DropoutMasks;
use crate::network::{Network, NetworkOutput};
use crate::parameters::Parameters;
use crate::recurrence::{Recurrence, Runner};
use crate::samples::SampleTensors;
use crate::spec::{Loss, NetworkSpec, check};
use crate::target::TargetScale;
use crate::threads::use_one_thread;
use crate::training_spec::TrainingSpec;

/// Samples of an evaluation that run together. What libtorch reads of the last batch is filled up with zeros, so that the
/// forecast of a sample does not depend, by a rounding error, on how many samples follow it.
const EVALUATION_BATCH: usize = 128;

/// A network in the middle of its training.
///
/// [`crate::NeuralForecaster`] drives it through epochs; by itself it is what a benchmark measures.
#[derive(Debug)]
pub struct Trainer {
    network: Network,
    runner: Runner,
    parameters: Parameters,
    feature_counts: Vec<usize>,
    loss: Loss,
    optimizer: Adam,
    gradient_clip_norm: Option<f64>,
    masks: DropoutMasks,
    device: Device,
}

/// What one step measured, before it moved the weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The training loss of the batch, in standardised units.
    pub loss: f64,
    /// The global norm of the gradient, before clipping.
    pub gradient_norm: f64,
}

/// Everything that a training between two steps remembers: with it, it goes on bit for bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainerState {
    /// All weights, in the network's own order.
    pub weights: Vec<f32>,
    /// What the optimizer remembers.
    pub optimizer: AdamState,
    /// How many words of the generator the dropout masks have used.
    pub mask_words: u64,
}

impl Trainer {
    /// Draws initial weights from a seed and puts the optimizer at rest.
    ///
    /// # Errors
    /// Whatever [`NetworkSpec::validate`] and [`TrainingSpec::validate`] refuse.
    pub fn new(network: &NetworkSpec, training: &TrainingSpec, device: Device, seed: u64) -> Result<Self, ModelError> {
        Self::with_recurrence(network, training, device, Recurrence::of(device), seed)
    }

    /// Likewise with GRU layers run by something else than what the device would choose, for comparisons.
    ///
    /// # Errors
    /// Whatever [`NetworkSpec::validate`] and [`TrainingSpec::validate`] refuse.
    pub fn with_recurrence(
        network: &NetworkSpec,
        training: &TrainingSpec,
        device: Device,
        recurrence: Recurrence,
        seed: u64,
    ) -> Result<Self, ModelError> {
        network.validate()?;
        training.validate()?;
        use_one_thread();
        let (structure, parameters) = Network::build(network, seed, device.tch());
        let optimizer = Adam::new(training.optimizer.clone(), parameters.flat());
        Ok(Self {
            runner: recurrence.runner(&structure),
            network: structure,
            parameters,
            feature_counts: network.feature_counts.clone(),
            loss: network.loss.clone(),
            optimizer,
            gradient_clip_norm: training.gradient_clip_norm,
            masks: DropoutMasks::new(network.encoder.gru().dropout, seed),
            device,
        })
    }

    /// Checks windows, standardises their targets by their own mean and deviation, and copies both to the device.
    ///
    /// # Errors
    /// [`ForecastError::Shape`], [`ForecastError::MissingTarget`], [`ForecastError::NotFinite`] or
    /// [`ForecastError::TooFewSamples`].
    pub fn samples(&self, windows: &Windows) -> Result<SampleTensors, ForecastError> {
        self.scaled_samples(windows, "training", TargetScale::of(&windows.target)?)
    }

    /// Checks windows, standardises their targets by a given scale, and copies both to the device.
    pub(crate) fn scaled_samples(
        &self,
        windows: &Windows,
        set: &str,
        scale: TargetScale,
    ) -> Result<SampleTensors, ForecastError> {
        SampleTensors::new(windows, set, &self.feature_counts, Some(scale), self.device.tch())
    }

    /// Takes one step on the samples at `places`.
    pub fn step(&mut self, samples: &SampleTensors, places: &[i64]) -> Step {
        let batch = samples.pick(places);
        let (network, parameters) = (&self.network, &self.parameters);
        let (loss, gradient) = self.runner.loss_and_gradient(network, parameters, &batch, &mut self.masks, &self.loss);
        let gradient_norm = descend(gradient, &mut self.parameters, self.gradient_clip_norm, &mut self.optimizer);
        Step { loss: loss.double_value(&[]), gradient_norm }
    }

    /// Returns the mean validation loss over a set: the squared error for a point head, else the full negative
    /// log-likelihood.
    pub(crate) fn evaluate(&mut self, samples: &SampleTensors) -> f64 {
        let sums = for_each_batch(&self.network, &self.parameters, &mut self.runner, samples, |output, targets| {
            let targets = targets.expect("samples of a validation have targets");
            Loss::validation(output, targets).sum(Kind::Double).double_value(&[])
        });
        sums.iter().sum::<f64>() / samples.len() as f64
    }

    /// Changes the learning rate of the following steps.
    pub const fn set_learning_rate(&mut self, learning_rate: f64) {
        self.optimizer.set_learning_rate(learning_rate);
    }

    /// Copies out everything that the following steps depend on.
    pub fn state(&self) -> TrainerState {
        TrainerState {
            weights: self.parameters.values(),
            optimizer: self.optimizer.state(),
            mask_words: self.masks.words_used(),
        }
    }

    /// Goes on from the state of a trainer of the same specifications and seed.
    ///
    /// # Errors
    /// [`ModelError::Range`] for a state of a network of another size.
    pub fn restore(&mut self, state: &TrainerState) -> Result<(), ModelError> {
        let expected = self.parameters.flat().numel();
        check("weights of a saved state", "as many as the network's", state.weights.len() as f64, |found| {
            found == expected as f64
        })?;
        self.optimizer.restore(&state.optimizer)?;
        self.parameters.assign(&Tensor::from_slice(&state.weights));
        self.masks.skip_to(state.mask_words);
        Ok(())
    }

    /// Returns the weights.
    pub(crate) const fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Overwrites the weights, `[P]`.
    pub(crate) fn restore_weights(&mut self, weights: &Tensor) {
        self.parameters.assign(weights);
    }

    /// Ends the training.
    pub(crate) fn into_network(self) -> (Network, Parameters) {
        (self.network, self.parameters)
    }
}

/// Moves the weights against a gradient, scaled down to a global norm where it is larger, and returns the norm before that.
pub(crate) fn descend(
    mut gradient: Tensor,
    parameters: &mut Parameters,
    norm_max: Option<f64>,
    optimizer: &mut Adam,
) -> f64 {
    let _guard = tch::no_grad_guard();
    let norm = gradient.norm().double_value(&[]);
    // The 1e-6 is PyTorch's, against a division by zero.
    let factor = norm_max.map_or(1.0, |norm_max| norm_max / (norm + 1e-6));
    if factor < 1.0 {
        let _ = gradient.g_mul_scalar_(factor);
    }
    optimizer.step(parameters.flat_mut(), &mut gradient);
    norm
}

/// Runs a network over a set without gradients and without dropout, and collects one result per batch.
///
/// The output is cut to the samples that exist.
pub(crate) fn for_each_batch<R>(
    network: &Network,
    parameters: &Parameters,
    runner: &mut Runner,
    samples: &SampleTensors,
    mut result: impl FnMut(&NetworkOutput, Option<&Tensor>) -> R,
) -> Vec<R> {
    let _guard = tch::no_grad_guard();
    let weights = parameters.views();
    runner.load(parameters);
    (0..samples.len())
        .step_by(EVALUATION_BATCH)
        .map(|start| {
            let batch = samples.cut(start, EVALUATION_BATCH);
            let filled = EVALUATION_BATCH.min(samples.len() - start);
            let states = runner.evaluate(network, &weights, &batch.inputs, EVALUATION_BATCH);
            let output = network.read_states(&weights, &states).first(filled as i64);
            result(&output, batch.targets.as_ref())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{gaussian, learnable, point, training};

    fn trainer() -> Trainer {
        Trainer::new(&gaussian(), &training(1), Device::Cpu, 7).expect("valid specifications")
    }

    fn run(trainer: &mut Trainer, samples: &SampleTensors, batches: std::ops::Range<i64>) -> Vec<Step> {
        batches.map(|batch| trainer.step(samples, &[batch, batch + 3, batch + 5])).collect()
    }

    #[test]
    fn a_training_goes_on_from_its_saved_state_bit_for_bit() {
        let mut whole = trainer();
        let samples = whole.samples(&learnable(20, 2, 1)).expect("labels");
        let whole_steps = run(&mut whole, &samples, 0..8);
        let mut first = trainer();
        run(&mut first, &samples, 0..5);
        let saved = serde_json::to_string(&first.state()).expect("plain numbers");
        let mut second = trainer();
        second.restore(&serde_json::from_str(&saved).expect("as written")).expect("the same network");
        assert_eq!(run(&mut second, &samples, 5..8), whole_steps[5..]);
        assert_eq!(second.state(), whole.state());
    }

    #[test]
    fn the_state_of_another_network_is_refused() {
        let mut other = Trainer::new(&point(), &training(1), Device::Cpu, 7).expect("valid specifications");
        let message = other.restore(&trainer().state()).expect_err("another network").to_string();
        assert!(message.starts_with("weights of a saved state must be as many as the network's, was `"), "{message}");
    }
}
