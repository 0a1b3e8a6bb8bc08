//! Weights of eight bits: every row of a matrix as whole numbers from -127 to 127 and one scale.
//!
//! Vectors (biases, gains) keep single precision. The file is sealed like a checkpoint, and says that it is none.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tidegate_forecast::TrainingReport;
use tidegate_recurrence::QuantizedRows;

use crate::ModelError;
use crate::checkpoint::{CheckpointParts, NamedTensor};
use crate::network::Network;
use crate::sealed_file::{self, SealedFile, StoredTensor};
use crate::spec::NetworkSpec;
use crate::target::TargetScale;

const INT8_VERSION: u32 = 1;

/// What the weights mean.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    int8_version: u32,
    network: NetworkSpec,
    targets: Vec<TargetScale>,
    report: TrainingReport,
}

/// Rounds a checkpoint's matrices to eight bits, and returns a file of a form of its own.
///
/// A row's scale is its largest absolute weight over 127; a weight becomes the nearest multiple of it.
///
/// # Errors
/// [`ModelError::NotCheckpoint`], or [`ModelError::TensorNotFinite`] for a weight that has no multiple.
pub fn quantize(checkpoint: &[u8]) -> Result<Vec<u8>, ModelError> {
    let CheckpointParts { network, targets, report, tensors } = CheckpointParts::read(checkpoint)?;
    let mut stored: Vec<(String, StoredTensor)> = Vec::new();
    for (name, tensor) in &tensors {
        if let Some(place) = tensor.values.iter().position(|value| !value.is_finite()) {
            let value = tensor.values[place].to_string();
            return Err(ModelError::TensorNotFinite { name: name.clone(), place, value });
        }
        match columns(&tensor.shape) {
            None => stored.push((name.clone(), StoredTensor::new(tensor.shape.clone(), &tensor.values))),
            Some(columns) => {
                let rows = QuantizedRows::new(&tensor.values, columns);
                stored.push((name.clone(), StoredTensor::whole(tensor.shape.clone(), &rows.values)));
                stored.push((scale_name(name), StoredTensor::new(vec![tensor.shape[0]], &rows.scales)));
            }
        }
    }
    let content = Content { int8_version: INT8_VERSION, network, targets, report };
    sealed_file::write(&content, stored).map_err(|error| ModelError::NotWritten { reason: error.to_string() })
}

/// Returns the checkpoint with the rounded weights.
///
/// # Errors
/// [`ModelError::NotCheckpoint`] for bytes that [`quantize`] did not write.
pub fn dequantize(bytes: &[u8]) -> Result<Vec<u8>, ModelError> {
    let damaged = |reason| ModelError::NotCheckpoint { reason };
    let file: SealedFile<'_, Content> = sealed_file::read(bytes).map_err(damaged)?;
    if file.content.int8_version != INT8_VERSION {
        return Err(damaged(format!("int8_version must be `{INT8_VERSION}`, was `{}`", file.content.int8_version)));
    }
    file.content.network.validate()?;
    let (_, parameters) = Network::build(&file.content.network, 0, tch::Device::Cpu);
    let read = |name: &str, shape: &[usize]| {
        if columns(shape).is_none() {
            return file.values(name, shape);
        }
        let values = file.whole_values(name, shape)?;
        let scales = file.values(&scale_name(name), &shape[..1])?;
        Ok(QuantizedRows { values, scales }.dequantized())
    };
    let mut tensors = BTreeMap::new();
    for parameter in parameters.shapes() {
        let shape: Vec<usize> = parameter.shape.iter().map(|&size| size as usize).collect();
        let values = read(&parameter.name, &shape).map_err(damaged)?;
        tensors.insert(parameter.name.clone(), NamedTensor { shape, values });
    }
    file.check_seal().map_err(damaged)?;
    let Content { network, targets, report, .. } = file.content;
    CheckpointParts { network, targets, report, tensors }.write()
}

/// Bytes of weights alone, without the file's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeightBytes {
    /// In single precision: four each.
    pub single: usize,
    /// With matrices of eight bits: one each, and four for every row's scale and every value of a vector.
    pub int8: usize,
}

/// Returns how many bytes a checkpoint's weights take, before and after [`quantize`].
///
/// # Errors
/// [`ModelError::NotCheckpoint`].
pub fn weight_bytes(checkpoint: &[u8]) -> Result<WeightBytes, ModelError> {
    let parts = CheckpointParts::read(checkpoint)?;
    let mut bytes = WeightBytes { single: 0, int8: 0 };
    for tensor in parts.tensors.values() {
        let single = 4 * tensor.values.len();
        bytes.single += single;
        bytes.int8 += columns(&tensor.shape).map_or(single, |_| tensor.values.len() + 4 * tensor.shape[0]);
    }
    Ok(bytes)
}

/// Returns the values per row of a matrix, or of what is kept like one; `None` for a vector.
fn columns(shape: &[usize]) -> Option<usize> {
    (shape.len() >= 2).then(|| shape[1..].iter().product())
}

fn scale_name(name: &str) -> String {
    format!("{name}.scale")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{forecasts, fresh_checkpoint, gaussian, learnable, lstm};
    use crate::spec::{Encoder, GruSpec, Head, Loss};

    /// A network of the size of PyTorch's `GRU(10, 64, 2)` and a linear layer.
    fn medium() -> NetworkSpec {
        NetworkSpec::new(Encoder::Gru(GruSpec::new(64, 2)), Head::Point, Loss::Mse, vec![10])
    }

    #[test]
    fn rounded_weights_are_within_half_a_scale_and_vectors_stay() {
        let checkpoint = fresh_checkpoint(&lstm(), 3);
        let rounded = dequantize(&quantize(&checkpoint).expect("finite weights")).expect("as written");
        let [before, after] = [checkpoint, rounded].map(|bytes| CheckpointParts::read(&bytes).expect("a checkpoint"));
        assert_eq!((&before.network, &before.targets), (&after.network, &after.targets));
        for (name, tensor) in &before.tensors {
            let after = &after.tensors[name];
            let row = columns(&tensor.shape).unwrap_or(usize::MAX).min(tensor.values.len());
            for (before, after) in tensor.values.chunks(row).zip(after.values.chunks(row)) {
                let largest = before.iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
                let half = if tensor.shape.len() < 2 { 0.0 } else { largest / 127.0 * 0.500_01 };
                assert!(before.iter().zip(after).all(|(one, other)| (one - other).abs() <= half), "{name}");
            }
        }
    }

    #[test]
    fn files_and_weights_are_about_a_quarter_of_the_size() {
        let checkpoint = fresh_checkpoint(&medium(), 3);
        let bytes = weight_bytes(&checkpoint).expect("a checkpoint");
        // 192 rows of 10, 64, 64 and 64 columns with four biases each, and a row of 64 with one.
        let (matrices, rows, biases) = (192 * (10 + 64 + 64 + 64) + 64, 4 * 192 + 1, 4 * 192 + 1);
        assert_eq!(bytes, WeightBytes { single: 4 * (matrices + biases), int8: matrices + 4 * rows + 4 * biases });
        let quantized = quantize(&checkpoint).expect("finite weights");
        let share = quantized.len() as f64 / checkpoint.len() as f64;
        assert!((0.25..0.31).contains(&share), "{share}");
    }

    #[test]
    fn forecasts_hardly_move() {
        let (checkpoint, windows) = (fresh_checkpoint(&gaussian(), 3), learnable(40, 2, 1));
        let rounded = dequantize(&quantize(&checkpoint).expect("finite weights")).expect("as written");
        for (before, after) in forecasts(&checkpoint, &windows).iter().zip(forecasts(&rounded, &windows)) {
            let moved = (before.mean - after.mean).abs() / 0.01;
            assert!(moved < 0.03, "{moved} of the targets' deviation");
        }
    }

    #[test]
    fn the_same_checkpoint_gives_the_same_bytes() {
        let checkpoint = fresh_checkpoint(&gaussian(), 3);
        assert_eq!(quantize(&checkpoint), quantize(&checkpoint));
    }

    #[test]
    fn neither_form_is_read_as_the_other() {
        let checkpoint = fresh_checkpoint(&gaussian(), 3);
        let quantized = quantize(&checkpoint).expect("finite weights");
        for message in
            [quantize(&quantized), dequantize(&checkpoint)].map(|bytes| bytes.expect_err("another form").to_string())
        {
            assert!(message.starts_with("checkpoint must be one that tidegate wrote: its header"), "{message}");
        }
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let quantized = quantize(&fresh_checkpoint(&gaussian(), 3)).expect("finite weights");
        for end in (0..quantized.len()).step_by(97) {
            assert!(dequantize(&quantized[..end]).is_err(), "cut at {end}");
        }
        for place in (0..quantized.len()).step_by(97) {
            let mut changed = quantized.clone();
            changed[place] ^= 1;
            assert!(dequantize(&changed).is_err(), "changed at {place}");
        }
    }

    #[test]
    fn a_weight_that_is_not_finite_is_refused_by_name() {
        let mut parts = CheckpointParts::read(&fresh_checkpoint(&gaussian(), 3)).expect("a checkpoint");
        parts.tensors.get_mut("head.weight").expect("a weight").values[5] = f32::INFINITY;
        let message = quantize(&parts.write().expect("plain names")).expect_err("not finite").to_string();
        assert_eq!(message, "value `5` of tensor `head.weight` must be finite, was `inf`");
    }
}
