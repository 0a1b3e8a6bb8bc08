//! One training step: batches, forward, loss, backward, clipping, optimizer.

use serde::{Deserialize, Serialize};
use tch::Tensor;
use tidegate_forecast::{ForecastError, NetworkDiagnostics, Windows};

use crate::ModelError;
use crate::adam::{Adam, AdamState};
use crate::augmentation::Disturbance;
use crate::device::{Device, check_device};
use crate::diagnostics;
use crate::dropout::DropoutMasks;
use crate::mixed_precision::LossScale;
use crate::network::{Network, NetworkOutput};
use crate::parameters::Parameters;
use crate::recurrence::{Recurrence, Runner};
use crate::samples::SampleTensors;
use crate::spec::{NetworkSpec, check};
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
    spec: NetworkSpec,
    optimizer: Adam,
    gradient_clip_norm: Option<f64>,
    masks: DropoutMasks,
    disturbance: Option<Disturbance>,
    device: Device,
    loss_scale: Option<LossScale>,
    last_gradient: Tensor,
}

/// What one step measured, before it moved the weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The training loss of the step's samples, in standardised units.
    pub loss: f64,
    /// The global norm of the gradient, before clipping. A step whose loss or norm is not finite moves nothing.
    pub gradient_norm: f64,
    /// Whether the gradient was scaled down.
    pub clipped: bool,
    /// The sum of the samples' weights over their labels.
    pub label_weight: f64,
    /// Steps of all windows, padding included.
    pub steps: usize,
    /// How many of them were padding.
    pub padding: usize,
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
    /// How many words of the generator the disturbances have used.
    pub augmentation_words: u64,
    /// The factor of losses in mixed precision.
    pub loss_scale: Option<LossScale>,
}

impl Trainer {
    /// Draws initial weights from a seed and puts the optimizer at rest.
    ///
    /// # Errors
    /// Whatever [`NetworkSpec::validate`] and [`TrainingSpec::validate`] refuse, and [`ModelError::MixedPrecisionOnCpu`].
    pub fn new(network: &NetworkSpec, training: &TrainingSpec, device: Device, seed: u64) -> Result<Self, ModelError> {
        Self::with_recurrence(network, training, device, Recurrence::of(device), seed)
    }

    /// Likewise with GRU layers run by something else than what the device would choose, for comparisons.
    ///
    /// # Errors
    /// Whatever [`NetworkSpec::validate`] and [`TrainingSpec::validate`] refuse, and [`ModelError::MixedPrecisionOnCpu`].
    pub fn with_recurrence(
        network: &NetworkSpec,
        training: &TrainingSpec,
        device: Device,
        recurrence: Recurrence,
        seed: u64,
    ) -> Result<Self, ModelError> {
        network.validate()?;
        training.validate()?;
        check_device(training, device)?;
        use_one_thread();
        let (structure, parameters) = Network::build(network, seed, device.tch());
        let optimizer = Adam::new(training.optimizer.clone(), parameters.flat());
        Ok(Self {
            last_gradient: parameters.flat().zeros_like(),
            runner: recurrence.runner(&structure),
            network: structure,
            parameters,
            spec: network.clone(),
            optimizer,
            gradient_clip_norm: training.gradient_clip_norm,
            masks: DropoutMasks::new(seed),
            disturbance: training.augmentation.map(|spec| Disturbance::new(spec, seed)),
            device,
            loss_scale: training.mixed_precision.map(|_| LossScale::new()),
        })
    }

    /// Checks windows, standardises their targets by their own mean and deviation, and copies both to the device.
    ///
    /// # Errors
    /// [`ForecastError::Shape`], [`ForecastError::MissingTarget`], [`ForecastError::NotFinite`] or
    /// [`ForecastError::TooFewSamples`].
    pub fn samples(&self, windows: &Windows) -> Result<SampleTensors, ForecastError> {
        self.scaled_samples(windows, "training", &TargetScale::of(windows)?)
    }

    /// Checks windows, standardises their targets by given scales, one per horizon, and copies both to the device.
    pub(crate) fn scaled_samples(
        &self,
        windows: &Windows,
        set: &str,
        scales: &[TargetScale],
    ) -> Result<SampleTensors, ForecastError> {
        self.spec.check_windows(windows)?;
        SampleTensors::new(windows, set, &self.spec.feature_counts, Some(scales), self.device.tch())
    }

    /// Takes one step on the samples at `places`.
    pub fn step(&mut self, samples: &SampleTensors, places: &[i64]) -> Step {
        self.step_over(samples, &[places])
    }

    /// Takes one step on several batches, which need not be in memory at once: their gradients are averaged by the weight of
    /// their labels, clipped, and move the weights together.
    pub fn step_over<P: AsRef<[i64]>>(&mut self, samples: &SampleTensors, batches: &[P]) -> Step {
        let mut mean = self.mean_gradient(samples, batches);
        // In half precision a gradient that overflows is a matter of the factor, as long as that is not 1.
        while let Some(scale) = &mut self.loss_scale {
            if mean.is_finite() {
                scale.succeeded();
            } else if scale.overflowed() {
                mean = self.mean_gradient(samples, batches);
                continue;
            }
            break;
        }
        let MeanGradient { loss, weight, gradient, steps, padding } = mean;
        self.last_gradient = gradient.expect("a step has at least one batch");
        let clip = self.gradient_clip_norm;
        let gradient_norm = if loss.is_finite() {
            descend(self.last_gradient.shallow_clone(), &mut self.parameters, clip, &mut self.optimizer)
        } else {
            self.last_gradient.norm().double_value(&[])
        };
        let clipped = clip.is_some_and(|norm_max| clip_factor(gradient_norm, norm_max) < 1.0);
        Step { loss, gradient_norm, clipped, label_weight: weight, steps, padding }
    }

    /// Returns the gradient of several batches by the weight of their labels.
    fn mean_gradient<P: AsRef<[i64]>>(&mut self, samples: &SampleTensors, batches: &[P]) -> MeanGradient {
        let mut mean = MeanGradient::default();
        for places in batches {
            let mut batch = self.network.cut(samples.pick(places.as_ref()));
            mean.count(batch.steps_and_padding());
            if let Some(disturbance) = &mut self.disturbance {
                disturbance.apply(&mut batch);
            }
            let (network, parameters, masks) = (&self.network, &self.parameters, &mut self.masks);
            let (loss, gradient) = match self.loss_scale {
                None => self.runner.loss_and_gradient(network, parameters, &batch, masks, &self.spec.loss),
                Some(LossScale { factor, .. }) => {
                    Runner::loss_and_gradient_in_half(network, parameters, &batch, masks, &self.spec.loss, factor)
                }
            };
            mean.add(&loss, gradient, batch.weight());
        }
        mean
    }

    /// Returns the validation loss over a set: see `Loss::validation`.
    pub(crate) fn evaluate(&mut self, samples: &SampleTensors) -> f64 {
        let mut order = Vec::with_capacity(samples.len());
        let outputs = for_each_batch(&self.network, &self.parameters, &mut self.runner, samples, |places, output| {
            order.extend_from_slice(places);
            output
        });
        let output = NetworkOutput::joined(&outputs).expect("a validation set has samples").in_order(&order);
        self.spec.loss.validation(&output, samples.all())
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
            loss_scale: self.loss_scale,
            augmentation_words: self.disturbance.as_ref().map_or(0, Disturbance::words_used),
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
        self.loss_scale = state.loss_scale;
        if let Some(disturbance) = &mut self.disturbance {
            disturbance.skip_to(state.augmentation_words);
        }
        Ok(())
    }

    /// Returns the mean gradient `[P]` of the last step, which is used up where the step moved the weights.
    pub(crate) const fn last_gradient(&self) -> &Tensor {
        &self.last_gradient
    }

    /// Returns how many steps have moved the weights.
    pub(crate) const fn steps(&self) -> usize {
        self.optimizer.steps()
    }

    /// Looks at the present weights on a set of samples.
    pub(crate) fn look_inside(&self, samples: &SampleTensors, padded_share: f64) -> NetworkDiagnostics {
        diagnostics::look_inside(&self.network, &self.parameters, samples, padded_share)
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

/// The mean of several batches' losses and gradients by the weight of their labels.
#[derive(Debug, Default)]
struct MeanGradient {
    loss: f64,
    weight: f64,
    gradient: Option<Tensor>,
    steps: usize,
    padding: usize,
}

impl MeanGradient {
    const fn count(&mut self, (steps, padding): (usize, usize)) {
        self.steps += steps;
        self.padding += padding;
    }

    fn is_finite(&self) -> bool {
        let _guard = tch::no_grad_guard();
        self.loss.is_finite()
            && self.gradient.as_ref().is_none_or(|gradient| gradient.norm().double_value(&[]).is_finite())
    }

    /// Moves the mean towards one more batch; the first one is taken as it is, to the last bit.
    fn add(&mut self, loss: &Tensor, gradient: Tensor, weight: f64) {
        let _guard = tch::no_grad_guard();
        self.weight += weight;
        let share = weight / self.weight;
        self.loss += share * (loss.double_value(&[]) - self.loss);
        match &mut self.gradient {
            None => self.gradient = Some(gradient),
            Some(mean) => {
                let _ = mean.lerp_(&gradient, share);
            }
        }
    }
}

/// Moves the weights against a gradient, scaled down to a global norm where it is larger, and returns the norm before that.
///
/// A gradient that is not finite moves nothing.
pub(crate) fn descend(
    mut gradient: Tensor,
    parameters: &mut Parameters,
    norm_max: Option<f64>,
    optimizer: &mut Adam,
) -> f64 {
    let _guard = tch::no_grad_guard();
    let norm = gradient.norm().double_value(&[]);
    if !norm.is_finite() {
        return norm;
    }
    let factor = norm_max.map_or(1.0, |norm_max| clip_factor(norm, norm_max));
    if factor < 1.0 {
        let _ = gradient.g_mul_scalar_(factor);
    }
    optimizer.step(parameters.flat_mut(), &mut gradient);
    norm
}

/// Returns the factor of a gradient that is longer than allowed, 1 or more for any other.
fn clip_factor(norm: f64, norm_max: f64) -> f64 {
    // The 1e-6 is PyTorch's, against a division by zero.
    norm_max / (norm + 1e-6)
}

/// Runs a network over a set without gradients and without dropout, and collects one result per batch; `result` gets the
/// places of the batch's samples in the set and the output.
///
/// Samples run in their order; where rounding depends on padding, windows of one length after another. The output is cut to the
/// samples that exist.
pub(crate) fn for_each_batch<R>(
    network: &Network,
    parameters: &Parameters,
    runner: &mut Runner,
    samples: &SampleTensors,
    mut result: impl FnMut(&[i64], NetworkOutput) -> R,
) -> Vec<R> {
    let _guard = tch::no_grad_guard();
    let weights = parameters.views();
    runner.load(parameters);
    let mixes_lengths = runner.mixes_lengths();
    let evaluate = |places: Vec<i64>| {
        let batch = network.cut(samples.pick(&places));
        result(&places, runner.evaluate(network, &weights, &batch, EVALUATION_BATCH))
    };
    let batches =
        if mixes_lengths { samples.batches(EVALUATION_BATCH) } else { samples.batches_of_one_length(EVALUATION_BATCH) };
    batches.into_iter().map(evaluate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{gaussian, learnable, point, ragged, training};
    use crate::spec::{Encoder, GruSpec};

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

    #[test]
    fn gradients_of_small_batches_average_to_that_of_the_large_one() {
        let spec = TrainingSpec { augmentation: None, ..training(1) };
        let mut windows = learnable(20, 1, 1);
        windows.weight = (0..20).map(|place| 0.5 + 0.05 * f64::from(place)).collect();
        let weights = |batches: &[Vec<i64>]| {
            let mut trainer = Trainer::new(&point(), &spec, Device::Cpu, 7).expect("valid specifications");
            let samples = trainer.samples(&windows).expect("labels");
            let step = trainer.step_over(&samples, batches);
            (step, trainer.parameters().values())
        };
        let all: Vec<i64> = (0..20).collect();
        let (large, expected) = weights(std::slice::from_ref(&all));
        // Sizes 6, 6, 6 and 2: the last, smaller one counts by its weight.
        let (small, found) = weights(&all.chunks(6).map(<[i64]>::to_vec).collect::<Vec<_>>());
        assert!((large.loss - small.loss).abs() < 1e-6, "{} {}", large.loss, small.loss);
        assert!((large.gradient_norm - small.gradient_norm).abs() < 1e-6 * large.gradient_norm);
        assert!((large.label_weight - small.label_weight).abs() < 1e-9);
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
        }
    }

    #[test]
    fn a_gradient_is_clipped_after_it_has_been_accumulated() {
        let clipped = TrainingSpec { gradient_clip_norm: Some(1e-3), ..training(1) };
        let windows = learnable(20, 1, 1);
        let first_moment = |batches: &[Vec<i64>]| {
            let mut trainer = Trainer::new(&point(), &clipped, Device::Cpu, 7).expect("valid specifications");
            let samples = trainer.samples(&windows).expect("labels");
            let step = trainer.step_over(&samples, batches);
            assert!(step.clipped && step.gradient_norm > 1e-3);
            let moment = trainer.state().optimizer.first_moment;
            moment.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt()
        };
        // The first moment is a tenth of the gradient that arrived: of norm 1e-3, and not of the mean of clipped ones, which
        // is shorter wherever the batches disagree.
        let norm = first_moment(&[(0..10).collect(), (10..20).collect()]);
        assert!((norm - 1e-4).abs() < 1e-9, "{norm}");
    }

    #[test]
    fn windows_of_different_lengths_train_as_if_each_length_came_alone() {
        let spec = NetworkSpec { encoder: Encoder::MultiScaleGru(GruSpec::new(8, 2)), ..gaussian() };
        let train = |batches: &[&[i64]]| {
            let mut trainer = Trainer::new(&spec, &training(1), Device::Cpu, 7).expect("valid specifications");
            let samples = trainer.samples(&ragged(12, 1)).expect("labels");
            let step = trainer.step_over(&samples, batches);
            (step, trainer.state().optimizer.first_moment)
        };
        let (step, packed) = train(&[&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]]);
        let (alone_step, alone) = train(&[&[0, 1, 2], &[3, 4, 5], &[6, 7, 8], &[9, 10, 11]]);
        assert!((step.loss - alone_step.loss).abs() < 1e-6, "{} {}", step.loss, alone_step.loss);
        assert!((step.gradient_norm - alone_step.gradient_norm).abs() < 1e-5 * step.gradient_norm);
        for (found, expected) in packed.iter().zip(&alone) {
            assert!((found - expected).abs() < 1e-7, "{found} is not {expected}");
        }
        // Lengths 3, 4, 5, 6 of the first scale and 2, 3, 4, 2 of the second, three samples each; the longest are 6 and 4.
        assert_eq!((step.steps, step.padding), (12 * 10, 3 * (3 + 2 + 1) + 3 * (2 + 1 + 2)));
        assert_eq!(step.label_weight, 3.0 * 1.75 + 9.0 * 0.75);
    }
}
