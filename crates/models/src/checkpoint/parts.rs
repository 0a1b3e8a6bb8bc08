//! A checkpoint taken apart, to be changed and written again.

use std::collections::BTreeMap;

use tidegate_forecast::TrainingReport;

use super::{Content, FORMAT_VERSION, parse, sizes};
use crate::ModelError;
use crate::network::Network;
use crate::sealed_file::{self, StoredTensor};
use crate::spec::NetworkSpec;
use crate::target::TargetScale;

/// What a checkpoint holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CheckpointParts {
    pub(crate) network: NetworkSpec,
    pub(crate) targets: Vec<TargetScale>,
    pub(crate) report: TrainingReport,
    /// Every weight by name.
    pub(crate) tensors: BTreeMap<String, NamedTensor>,
}

/// One weight.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NamedTensor {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

/// Returns the specification of a checkpoint's network.
///
/// # Errors
/// [`ModelError::NotCheckpoint`].
pub fn checkpoint_network(bytes: &[u8]) -> Result<NetworkSpec, ModelError> {
    Ok(CheckpointParts::read(bytes)?.network)
}

impl CheckpointParts {
    /// Takes a checkpoint apart, after every name, shape, type and the hash have been checked.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, ModelError> {
        let damaged = |reason| ModelError::NotCheckpoint { reason };
        let network = sealed_file::read::<Content>(bytes).map_err(damaged)?.content.network;
        network.validate()?;
        let (_, parameters) = Network::build(&network, 0, tch::Device::Cpu);
        let (content, values) = parse(bytes, &network, parameters.shapes()).map_err(damaged)?;
        let mut rest = values.as_slice();
        let mut tensors = BTreeMap::new();
        for shape in parameters.shapes() {
            let (own, others) = rest.split_at(shape.len());
            rest = others;
            tensors.insert(shape.name.clone(), NamedTensor { shape: sizes(shape), values: own.to_vec() });
        }
        Ok(Self { network, targets: content.targets, report: content.report, tensors })
    }

    /// Returns a network with the initial weights of a seed.
    pub(crate) fn fresh(network: &NetworkSpec, targets: Vec<TargetScale>, seed: u64) -> Self {
        let (_, parameters) = Network::build(network, seed, tch::Device::Cpu);
        let mut rest = parameters.values();
        let mut tensors = BTreeMap::new();
        for parameter in parameters.shapes() {
            let others = rest.split_off(parameter.len());
            let values = std::mem::replace(&mut rest, others);
            tensors.insert(parameter.name.clone(), NamedTensor { shape: sizes(parameter), values });
        }
        Self { network: network.clone(), targets, report: TrainingReport::default(), tensors }
    }

    /// Writes a checkpoint.
    pub(crate) fn write(self) -> Result<Vec<u8>, ModelError> {
        let Self { network, targets, report, tensors } = self;
        let content = Content { format_version: FORMAT_VERSION, network, targets, report };
        let stored = tensors
            .iter()
            .map(|(name, tensor)| (name.as_str(), StoredTensor::new(tensor.shape.clone(), &tensor.values)))
            .collect();
        sealed_file::write(&content, stored).map_err(|error| ModelError::NotWritten { reason: error.to_string() })
    }

    /// Returns all weights in the order in which the network keeps them.
    pub(crate) fn values(&self) -> Vec<f32> {
        let (_, parameters) = Network::build(&self.network, 0, tch::Device::Cpu);
        parameters.shapes().iter().flat_map(|shape| self.tensors[&shape.name].values.iter().copied()).collect()
    }
}
