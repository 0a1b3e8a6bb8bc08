//! What made a training step go wrong, by name.

use tch::Tensor;
use tidegate_forecast::ForecastError;

use crate::parameters::{Parameters, to_vec};
use crate::samples::{Batch, SampleTensors};
use crate::trainer::{Step, Trainer};

/// Numbers from here on are taken for the cause of an overflow: their squares, summed over a batch, come near the end of
/// single precision, and no standardised value is ever as large.
const HUGE: f32 = 1e15;

/// Weights from here on are taken for a training that has run away.
const RUNAWAY: f32 = 1e6;

/// Where a step is in its training, from 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepPlace {
    pub(crate) epoch: usize,
    /// The step within the epoch; a batch where gradients are not accumulated.
    pub(crate) batch: usize,
}

/// Refuses a step whose loss or gradient is not finite: names where it is, and the weight, target, feature or gradient that
/// made it so, as far as one of them stands out.
pub(crate) fn check(
    step: &Step,
    place: StepPlace,
    trainer: &Trainer,
    samples: &SampleTensors,
    batches: &[Vec<i64>],
) -> Result<(), ForecastError> {
    let (what, value) = match (step.loss.is_finite(), step.gradient_norm.is_finite()) {
        (true, true) => return Ok(()),
        (false, _) => ("training loss", step.loss),
        (true, false) => ("gradient norm", step.gradient_norm),
    };
    let cause = batches
        .iter()
        .find_map(|places| data_at_fault(&samples.pick(places), places, "training"))
        .or_else(|| weight_at_fault(trainer.parameters()))
        .or_else(|| gradient_at_fault(trainer.parameters(), trainer.last_gradient()))
        .map_or_else(String::new, |cause| format!(" ({cause})"));
    let StepPlace { epoch, batch } = place;
    Err(ForecastError::NotFinite { what: format!("the {what} of epoch `{epoch}`, batch `{batch}`{cause}"), value })
}

/// Refuses a validation loss that is not finite: names its epoch, and the target or feature that made it so.
pub(crate) fn check_validation(loss: f64, epoch: usize, samples: &SampleTensors) -> Result<(), ForecastError> {
    if loss.is_finite() {
        return Ok(());
    }
    let places: Vec<i64> = (0..samples.len() as i64).collect();
    let cause =
        data_at_fault(samples.all(), &places, "validation").map_or_else(String::new, |cause| format!(" ({cause})"));
    Err(ForecastError::NotFinite { what: format!("the validation loss of epoch `{epoch}`{cause}"), value: loss })
}

/// Names the largest target or feature where it is huge.
fn data_at_fault(batch: &Batch, places: &[i64], set: &str) -> Option<String> {
    let targets = to_vec(batch.targets.as_ref().expect("samples of a training have targets"));
    let horizons = targets.len() / places.len();
    if let Some((place, value)) = largest(&targets).filter(|(_, value)| value.abs() >= HUGE) {
        let (sample, horizon) = (places[place / horizons], place % horizons);
        return Some(format!(
            "the target of horizon `{horizon}` of {set} sample `{sample}` lies `{value:e}` standard deviations from the mean"
        ));
    }
    batch.inputs.iter().enumerate().find_map(|(scale, input)| {
        let (_, steps, features) = input.size3().expect("windows are `[B, T, F]`");
        let (place, value) = largest(&to_vec(input)).filter(|(_, value)| value.abs() >= HUGE)?;
        let [steps, features] = [steps, features].map(|count| count as usize);
        let (sample, feature) = (places[place / (steps * features)], place % features);
        Some(format!("feature column `{feature}` of scale `{scale}` reaches `{value:e}` in {set} sample `{sample}`"))
    })
}

/// Names the largest weight where it is not finite or has run away.
fn weight_at_fault(parameters: &Parameters) -> Option<String> {
    let (name, value) = largest_of(parameters, parameters.flat())?;
    let runs_away = !value.is_finite() || value.abs() >= RUNAWAY;
    runs_away.then(|| format!("a weight of `{name}` has grown to `{value:e}`: the learning rate is too high"))
}

/// Names the weights whose gradient is the largest, or not finite.
fn gradient_at_fault(parameters: &Parameters, gradient: &Tensor) -> Option<String> {
    let (name, value) = largest_of(parameters, gradient)?;
    Some(format!("the gradient of `{name}` reaches `{value:e}`"))
}

/// Returns the largest of one value per weight, and the name of its weight.
fn largest_of<'a>(parameters: &'a Parameters, values: &Tensor) -> Option<(&'a str, f32)> {
    let (mut place, value) = largest(&to_vec(values))?;
    for shape in parameters.shapes() {
        if place < shape.len() {
            return Some((&shape.name, value));
        }
        place -= shape.len();
    }
    None
}

/// Returns place and value of the largest number by size; what is no number does not count, so that missing labels do not.
fn largest(values: &[f32]) -> Option<(usize, f32)> {
    let mut found: Option<(usize, f32)> = None;
    for (place, &value) in values.iter().enumerate() {
        if !value.is_nan() && found.is_none_or(|(_, other)| value.abs() > other.abs()) {
            found = Some((place, value));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use tidegate_forecast::Windows;

    use super::*;
    use crate::device::Device;
    use crate::fixture::{learnable, point, training};
    use crate::target::TargetScale;

    const UNIT: TargetScale = TargetScale { mean: 0.0, standard_deviation: 1.0 };

    /// Steps over forty samples in batches of sixteen until one fails.
    fn refused(windows: &Windows, scale: TargetScale, change: impl FnOnce(&mut Trainer)) -> String {
        let mut trainer = Trainer::new(&point(), &training(1), Device::Cpu, 7).expect("valid specifications");
        change(&mut trainer);
        let samples = trainer.scaled_samples(windows, "training", &[scale]).expect("finite");
        for (batch, start) in [0, 16, 32].into_iter().enumerate() {
            let places = [(start..40.min(start + 16)).collect::<Vec<i64>>()];
            let step = trainer.step_over(&samples, &places);
            let place = StepPlace { epoch: 3, batch: batch + 1 };
            if let Err(error) = check(&step, place, &trainer, &samples, &places) {
                return error.to_string();
            }
        }
        panic!("no step has failed")
    }

    #[test]
    fn a_target_whose_square_overflows_is_named_by_its_sample() {
        let mut windows = learnable(40, 1, 1);
        windows.target[20] = Some(-2.5e28);
        let message = refused(&windows, UNIT, |_| {});
        let expected = "the training loss of epoch `3`, batch `2` (the target of horizon `0` of training sample `20` lies \
                        `-2.5e28` standard deviations from the mean) must be finite, was `inf`";
        assert_eq!(message, expected);
    }

    #[test]
    fn a_feature_that_overflows_is_named_by_its_column_and_sample() {
        let mut windows = learnable(40, 1, 1);
        // Sample 3, step 4, feature 1.
        windows.scales[0].values[3 * 18 + 4 * 3 + 1] = -3e38;
        let message = refused(&windows, UNIT, |trainer| {
            // Gates saturate at such a value and then take no gradient, unless the input weights are as small as it is large.
            let _guard = tch::no_grad_guard();
            let weights = trainer.parameters().flat().copy();
            let _ = weights.narrow(0, 0, 36 * 3).g_mul_scalar_(1e-38);
            trainer.restore_weights(&weights);
        });
        let expected = "the gradient norm of epoch `3`, batch `1` (feature column `1` of scale `0` reaches `-3e38` in \
                        training sample `3`) must be finite, was `inf`";
        assert_eq!(message, expected);
    }

    #[test]
    fn weights_that_have_run_away_are_named() {
        let message = refused(&learnable(40, 1, 1), UNIT, |trainer| {
            let mut values = trainer.parameters().values();
            // The last two are the head's bias and, before it, its weights.
            *values.last_mut().expect("a head has a bias") = 1e25;
            trainer.restore_weights(&Tensor::from_slice(&values));
        });
        let expected = "the training loss of epoch `3`, batch `1` (a weight of `head.bias` has grown to `1e25`: the learning \
                        rate is too high) must be finite, was `inf`";
        assert_eq!(message, expected);
    }
}
