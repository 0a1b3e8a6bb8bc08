//! A trained network as bytes: a safetensors file with PyTorch's names and one JSON document in its header.
//!
//! The document holds everything that the weights mean: the network's specification, the scale of its target, the training
//! report, a format version, and a hash of all of that and of the weights. The same network gives the same bytes.

use std::borrow::Cow;
use std::collections::HashMap;

use safetensors::{Dtype, SafeTensors, View};
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tidegate_forecast::{EpochRecord, ForecastError, TrainingReport};

use crate::device::Device;
use crate::forecaster::FittedNetwork;
use crate::network::Network;
use crate::parameters::ParameterShape;
use crate::spec::NetworkSpec;
use crate::target::TargetScale;

const FORMAT_VERSION: u32 = 1;

/// The header's only key: one key, because the file format keeps several in no order.
const HEADER_KEY: &str = "tidegate";

/// What the header says, and the hash that seals it together with the weights.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    content: Content,
    blake3: String,
}

/// What the weights mean.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    format_version: u32,
    network: NetworkSpec,
    target: TargetScale,
    best_epoch: Option<usize>,
    epochs: Vec<Epoch>,
}

/// One epoch of the training report.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Epoch {
    train_loss: f64,
    valid_loss: Option<f64>,
    learning_rate: f64,
}

/// One weight's little-endian bytes.
struct Weight {
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl View for &Weight {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// Writes a trained network.
pub(crate) fn write(fitted: &FittedNetwork) -> Result<Vec<u8>, ForecastError> {
    let weights = sorted_weights(fitted.parameters.shapes(), &fitted.parameters.values());
    let content = Content {
        format_version: FORMAT_VERSION,
        network: fitted.spec.clone(),
        target: fitted.target,
        best_epoch: fitted.report.best_epoch,
        epochs: fitted.report.epochs.iter().map(Epoch::of).collect(),
    };
    let blake3 = seal(&content, weights.iter().map(|(name, weight)| (*name, weight.bytes.as_slice())));
    let header = serde_json::to_string(&Header { content, blake3 }).map_err(|error| not_written(&error))?;
    let metadata = HashMap::from([(HEADER_KEY.to_owned(), header)]);
    let tensors = weights.iter().map(|(name, weight)| (*name, weight));
    safetensors::serialize(tensors, Some(metadata)).map_err(|error| not_written(&error))
}

/// Reads a trained network, after every name, shape, type and the hash have been checked.
pub(crate) fn read(bytes: &[u8], expected: &NetworkSpec, device: Device) -> Result<FittedNetwork, ForecastError> {
    let (content, values) = parse(bytes, expected).map_err(|reason| ForecastError::Checkpoint { reason })?;
    let (network, mut parameters) = Network::build(expected, 0, device.tch());
    parameters.assign(&Tensor::from_slice(&values));
    let epochs = content.epochs.iter().enumerate().map(|(place, epoch)| epoch.record(place + 1)).collect();
    let report = TrainingReport { epochs, best_epoch: content.best_epoch, parameters: values.len() };
    Ok(FittedNetwork::new(content.network, network, parameters, content.target, report, device))
}

/// Returns the header's content and the weights in the network's own order, or what is wrong.
fn parse(bytes: &[u8], expected: &NetworkSpec) -> Result<(Content, Vec<f32>), String> {
    let damaged = |error: safetensors::SafeTensorError| format!("it is not a whole safetensors file ({error})");
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let tensors = SafeTensors::deserialize(bytes).map_err(damaged)?;
    let header = metadata.metadata().as_ref().and_then(|metadata| metadata.get(HEADER_KEY));
    let header = header.ok_or_else(|| format!("its header must have the key `{HEADER_KEY}`, which is missing"))?;
    let Header { content, blake3 } =
        serde_json::from_str(header).map_err(|error| format!("its header `{HEADER_KEY}` cannot be read ({error})"))?;
    if content.format_version != FORMAT_VERSION {
        return Err(format!("format_version must be `{FORMAT_VERSION}`, was `{}`", content.format_version));
    }
    same_network(expected, &content.network)?;
    let (_, parameters) = Network::build(expected, 0, tch::Device::Cpu);
    let values = check_weights(&tensors, parameters.shapes())?;
    let mut sorted: Vec<&str> = parameters.shapes().iter().map(|shape| shape.name.as_str()).collect();
    sorted.sort_unstable();
    let data = |name| tensors.tensor(name).map(|tensor| (name, tensor.data())).map_err(damaged);
    let sorted: Vec<(&str, &[u8])> = sorted.into_iter().map(data).collect::<Result<_, _>>()?;
    if seal(&content, sorted.into_iter()) != blake3 {
        return Err("its content does not match its hash, so some bytes have changed since it was written".to_owned());
    }
    Ok((content, values))
}

/// Compares the specification part by part, so that the difference can be named.
fn same_network(expected: &NetworkSpec, found: &NetworkSpec) -> Result<(), String> {
    let differ = |part: &str, expected: String, found: String| {
        if expected == found { Ok(()) } else { Err(format!("{part} must be `{expected}`, was `{found}`")) }
    };
    differ("encoder", json(&expected.encoder), json(&found.encoder))?;
    differ("head", json(&expected.head), json(&found.head))?;
    differ("loss", json(&expected.loss), json(&found.loss))?;
    differ("feature_counts", json(&expected.feature_counts), json(&found.feature_counts))
}

/// Returns all values in the order of `shapes`, when names, shapes and types are exactly those.
fn check_weights(tensors: &SafeTensors<'_>, shapes: &[ParameterShape]) -> Result<Vec<f32>, String> {
    let mut names: Vec<&str> = tensors.names();
    names.sort_unstable();
    if let Some(name) = names.iter().find(|&&name| shapes.iter().all(|shape| shape.name != name)) {
        return Err(format!("tensor `{name}` does not belong to this network"));
    }
    let mut values = Vec::new();
    for expected in shapes {
        let name = &expected.name;
        let tensor = tensors.tensor(name).map_err(|_| format!("tensor `{name}` is missing"))?;
        if tensor.dtype() != Dtype::F32 {
            return Err(format!("tensor `{name}` must have type `F32`, has `{:?}`", tensor.dtype()));
        }
        if tensor.shape().iter().map(|&size| size as i64).ne(expected.shape.iter().copied()) {
            return Err(format!("tensor `{name}` must have shape `{:?}`, has `{:?}`", expected.shape, tensor.shape()));
        }
        let (numbers, _) = tensor.data().as_chunks::<4>();
        values.extend(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)));
    }
    Ok(values)
}

/// Cuts the flat values into weights, sorted by name.
fn sorted_weights<'a>(shapes: &'a [ParameterShape], values: &[f32]) -> Vec<(&'a str, Weight)> {
    let mut rest = values;
    let mut weights: Vec<(&str, Weight)> = Vec::with_capacity(shapes.len());
    for shape in shapes {
        let (own, others) = rest.split_at(shape.len());
        rest = others;
        let bytes = own.iter().flat_map(|value| value.to_le_bytes()).collect();
        weights.push((&shape.name, Weight { shape: shape.shape.iter().map(|&size| size as usize).collect(), bytes }));
    }
    weights.sort_unstable_by_key(|(name, _)| *name);
    weights
}

/// Hashes the header's content and all weights, names and lengths included.
fn seal<'a>(content: &Content, weights: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(json(content).as_bytes());
    for (name, bytes) in weights {
        hasher.update(name.as_bytes());
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    }
    hasher.finalize().to_hex().to_string()
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain numbers and names always have a JSON form")
}

fn not_written(error: &dyn std::fmt::Display) -> ForecastError {
    ForecastError::Model(format!("checkpoint cannot be written: {error}"))
}

impl Epoch {
    fn of(record: &EpochRecord) -> Self {
        let EpochRecord { train_loss, valid_loss, learning_rate, .. } = *record;
        Self { train_loss, valid_loss, learning_rate }
    }

    fn record(&self, epoch: usize) -> EpochRecord {
        EpochRecord {
            epoch,
            train_loss: self.train_loss,
            valid_loss: self.valid_loss,
            learning_rate: self.learning_rate,
        }
    }
}

#[cfg(test)]
mod tests;
