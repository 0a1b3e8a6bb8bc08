//! What a network costs and how good it is.

use tch::Tensor;
use tidegate_forecast::{ForecastError, Windows};
use tidegate_onnx::{CellKind, RecurrentStack, StackSizes};
use tidegate_recurrence::{Batch, QuantizedWeights, StackShape, Weights, last_states};

use crate::ModelError;
use crate::checkpoint::CheckpointParts;
use crate::device::Device;
use crate::export::export_checkpoint;
use crate::fit::model_error;
use crate::trainer::Trainer;
use crate::training_spec::{Optimizer, TrainingSpec};

/// Evaluations that are timed one by one, after one that is not; an odd number, which has a median.
const TIMED: usize = 5;

/// Size, speed and error of a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Footprint {
    /// The number of weights.
    pub parameters: usize,
    /// The size of the file, header and training report included.
    pub bytes: usize,
    /// The mean validation loss, in standardised units: the squared error of a point head, else a proper score.
    pub valid_loss: f64,
    /// Windows evaluated per second on the main processor, losses included; the median of some evaluations.
    pub windows_per_second: f64,
}

/// Measures a checkpoint on a set of windows with labels; `seconds` reads a clock.
///
/// # Errors
/// [`ForecastError::Model`] for bytes that are no checkpoint, and what a fit refuses of windows.
pub fn footprint(
    checkpoint: &[u8],
    valid: &Windows,
    seconds: &mut dyn FnMut() -> f64,
) -> Result<Footprint, ForecastError> {
    let parts = CheckpointParts::read(checkpoint).map_err(|error| model_error(&error))?;
    let values = parts.values();
    let training = TrainingSpec::new(1, 1, Optimizer::Adam { learning_rate: 1e-3, weight_decay: 0.0 });
    let mut trainer = Trainer::new(&parts.network, &training, Device::Cpu, 0).map_err(|error| model_error(&error))?;
    trainer.restore_weights(&Tensor::from_slice(&values));
    let samples = trainer.scaled_samples(valid, "validation", &parts.targets)?;
    if samples.is_empty() {
        return Err(ForecastError::TooFewSamples { set: "validation set", needed: 1, found: 0 });
    }
    let valid_loss = trainer.evaluate(&samples);
    let per_second = windows_per_second(samples.len(), seconds, || {
        trainer.evaluate(&samples);
    });
    Ok(Footprint { parameters: values.len(), bytes: checkpoint.len(), valid_loss, windows_per_second: per_second })
}

/// Times some runs over a set of windows and takes the median.
fn windows_per_second(windows: usize, seconds: &mut dyn FnMut() -> f64, mut run: impl FnMut()) -> f64 {
    let mut timed = || {
        let start = seconds();
        run();
        windows as f64 / (seconds() - start)
    };
    let mut speeds: [f64; TIMED] = std::array::from_fn(|_| timed());
    speeds.sort_by(f64::total_cmp);
    speeds[TIMED / 2]
}

/// Windows per second through the GRU layers alone, without libtorch, on one core.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KernelSpeed {
    /// With weights in single precision.
    pub single: f64,
    /// With the same weights rounded to eight bits.
    pub int8: f64,
}

/// Measures how much faster eight-bit weights run; `None` unless every recurrent layer is a GRU in one direction.
///
/// # Errors
/// Whatever [`export_checkpoint`] refuses.
pub fn kernel_speed(
    checkpoint: &[u8],
    valid: &Windows,
    seconds: &mut dyn FnMut() -> f64,
) -> Result<Option<KernelSpeed>, ModelError> {
    let network = export_checkpoint(checkpoint)?.graph;
    let stacks: Vec<&RecurrentStack> = network.encoder().scales().iter().map(|scale| &scale.stack).collect();
    let plain = |stack: &&RecurrentStack| stack.sizes().kind == CellKind::Gru && !stack.sizes().bidirectional;
    if !stacks.iter().all(plain) || stacks.len() != valid.scales.len() {
        return Ok(None);
    }
    let packed: Vec<(Weights, QuantizedWeights)> = stacks.iter().map(|stack| pack(stack)).collect();
    let batches: Vec<Batch<'_>> =
        valid.scales.iter().map(|block| Batch::new(&block.values, valid.samples.len(), block.steps)).collect();
    let single =
        || packed.iter().zip(&batches).map(|((single, _), batch)| last_states(single, batch).len()).sum::<usize>();
    let int8 = || packed.iter().zip(&batches).map(|((_, int8), batch)| last_states(int8, batch).len()).sum::<usize>();
    let mut measure = |run: &dyn Fn() -> usize| {
        std::hint::black_box(run());
        windows_per_second(valid.samples.len(), seconds, || {
            std::hint::black_box(run());
        })
    };
    Ok(Some(KernelSpeed { single: measure(&single), int8: measure(&int8) }))
}

fn pack(stack: &RecurrentStack) -> (Weights, QuantizedWeights) {
    let StackSizes { inputs, hidden, layers, .. } = stack.sizes();
    let of_layer = |layer: usize| {
        let own = stack.layer(layer, 0);
        [own.weight_ih.as_slice(), &own.weight_hh, &own.bias_ih, &own.bias_hh].concat()
    };
    let values: Vec<f32> = (0..layers).flat_map(of_layer).collect();
    let shape = StackShape { inputs, hidden, layers };
    (Weights::new(shape, &values), QuantizedWeights::from_f32(shape, &values))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{fresh_checkpoint, gaussian, learnable, lstm, point};

    /// A clock that is a second later at every look.
    fn clock() -> impl FnMut() -> f64 {
        let mut now = 0.0;
        move || {
            now += 1.0;
            now
        }
    }

    #[test]
    fn a_footprint_counts_weights_bytes_and_windows() {
        let checkpoint = fresh_checkpoint(&point(), 3);
        let found = footprint(&checkpoint, &learnable(40, 1, 1), &mut clock()).expect("labels");
        // 36 rows of 3 and 12 columns with two biases, and a row of 12 with one.
        assert_eq!((found.parameters, found.bytes), (36 * (3 + 12 + 2) + 13, checkpoint.len()));
        assert_eq!(found.windows_per_second, 40.0);
        // Targets of deviation 0.01 under a fresh network: about the variance of 0.8 x - 0.5 y, 0.89.
        assert!((0.5..2.0).contains(&found.valid_loss), "{}", found.valid_loss);
    }

    #[test]
    fn the_kernel_is_measured_where_it_can_run() {
        let speed = kernel_speed(&fresh_checkpoint(&gaussian(), 3), &learnable(20, 2, 1), &mut clock());
        assert_eq!(speed, Ok(Some(KernelSpeed { single: 20.0, int8: 20.0 })));
        let speed = kernel_speed(&fresh_checkpoint(&lstm(), 3), &learnable(20, 1, 1), &mut clock());
        assert_eq!(speed, Ok(None));
    }

    #[test]
    fn nothing_is_measured_without_windows() {
        let message =
            footprint(&fresh_checkpoint(&point(), 3), &learnable(0, 1, 1), &mut clock()).expect_err("no windows");
        assert!(message.to_string().starts_with("validation set must have at least `1` samples"), "{message}");
    }
}
