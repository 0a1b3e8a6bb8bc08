//! A trained network as bytes: a safetensors file with PyTorch's names and one JSON document in its header.
//!
//! The document holds everything that the weights mean: the network's specification, the scales of its targets, the training
//! report and a format version. The same network gives the same bytes, and reading them takes no libtorch.

#[cfg(feature = "libtorch")]
mod parts;

use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use tidegate_forecast::{ForecastError, TrainingReport};

use crate::parameter_shape::ParameterShape;
use crate::sealed_file::{self, SealedFile, StoredTensor, json};
use crate::spec::NetworkSpec;
use crate::target::TargetScale;

#[cfg(feature = "libtorch")]
pub use self::parts::checkpoint_network;
#[cfg(feature = "libtorch")]
pub(crate) use self::parts::{CheckpointParts, NamedTensor};

const FORMAT_VERSION: u32 = 2;

/// What the weights mean.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    format_version: u32,
    network: NetworkSpec,
    /// One scale per horizon.
    targets: Vec<TargetScale>,
    report: TrainingReport,
}

/// A trained network as plain numbers: what a checkpoint holds.
#[derive(Debug, Clone)]
pub(crate) struct StoredNetwork {
    pub(crate) spec: NetworkSpec,
    /// Names and shapes of the weights, in the network's own order.
    pub(crate) shapes: Vec<ParameterShape>,
    /// All weights in that order, `[P]`.
    pub(crate) values: Vec<f32>,
    /// One scale per horizon.
    pub(crate) targets: Vec<TargetScale>,
    pub(crate) report: TrainingReport,
}

/// Writes a trained network.
pub(crate) fn write(stored: &StoredNetwork) -> Result<Vec<u8>, ForecastError> {
    let content = Content {
        format_version: FORMAT_VERSION,
        network: stored.spec.clone(),
        targets: stored.targets.clone(),
        report: stored.report.clone(),
    };
    sealed_file::write(&content, named_weights(&stored.shapes, &stored.values))
}

/// Reads a trained network with the stated weights, after every name, shape, type and the hash have been checked.
pub(crate) fn read(
    bytes: &[u8],
    expected: &NetworkSpec,
    shapes: Vec<ParameterShape>,
) -> Result<StoredNetwork, ForecastError> {
    let (content, values) = parse(bytes, expected, &shapes).map_err(|reason| ForecastError::Checkpoint { reason })?;
    Ok(StoredNetwork { spec: content.network, shapes, values, targets: content.targets, report: content.report })
}

/// Returns the header's content and the weights in the network's own order, or what is wrong.
fn parse(bytes: &[u8], expected: &NetworkSpec, shapes: &[ParameterShape]) -> Result<(Content, Vec<f32>), String> {
    let file: SealedFile<'_, Content> = sealed_file::read(bytes)?;
    if file.content.format_version != FORMAT_VERSION {
        return Err(format!("format_version must be `{FORMAT_VERSION}`, was `{}`", file.content.format_version));
    }
    same_network(expected, &file.content.network)?;
    check_names(&file.tensors, shapes)?;
    let mut values = Vec::new();
    for shape in shapes {
        values.extend(file.values(&shape.name, &sizes(shape))?);
    }
    file.check_seal()?;
    Ok((file.content, values))
}

/// Compares the specification part by part, so that the difference can be named.
fn same_network(expected: &NetworkSpec, found: &NetworkSpec) -> Result<(), String> {
    let differ = |part: &str, expected: String, found: String| {
        if expected == found { Ok(()) } else { Err(format!("{part} must be `{expected}`, was `{found}`")) }
    };
    differ("encoder", json(&expected.encoder), json(&found.encoder))?;
    differ("head", json(&expected.head), json(&found.head))?;
    differ("loss", json(&expected.loss), json(&found.loss))?;
    differ("feature_counts", json(&expected.feature_counts), json(&found.feature_counts))?;
    differ("window_bars", json(&expected.window_bars), json(&found.window_bars))?;
    differ("horizons", json(&expected.horizons), json(&found.horizons))?;
    differ("symbols", json(&expected.symbols), json(&found.symbols))?;
    differ("symbol_embedding", json(&expected.symbol_embedding), json(&found.symbol_embedding))?;
    differ("head_hidden_size", json(&expected.head_hidden_size), json(&found.head_hidden_size))?;
    differ("head_dropout", json(&expected.head_dropout), json(&found.head_dropout))
}

/// Refuses a tensor that the network does not have.
fn check_names(tensors: &SafeTensors<'_>, shapes: &[ParameterShape]) -> Result<(), String> {
    let mut names: Vec<&str> = tensors.names();
    names.sort_unstable();
    match names.iter().find(|&&name| shapes.iter().all(|shape| shape.name != name)) {
        None => Ok(()),
        Some(name) => Err(format!("tensor `{name}` does not belong to this network")),
    }
}

/// Cuts the flat values into weights.
fn named_weights<'a>(shapes: &'a [ParameterShape], values: &[f32]) -> Vec<(&'a str, StoredTensor)> {
    let mut rest = values;
    let cut = |shape: &'a ParameterShape| {
        let (own, others) = rest.split_at(shape.len());
        rest = others;
        (shape.name.as_str(), StoredTensor::new(sizes(shape), own))
    };
    shapes.iter().map(cut).collect()
}

fn sizes(shape: &ParameterShape) -> Vec<usize> {
    shape.shape.iter().map(|&size| size as usize).collect()
}

#[cfg(all(test, feature = "libtorch"))]
mod tests;
