//! Structured pruning: whole hidden values go, so that every matrix really becomes smaller.

use std::collections::BTreeMap;

use tidegate_forecast::{FitTask, FittedForecaster, ForecastError};

use crate::ModelError;
use crate::checkpoint::{CheckpointParts, NamedTensor};
use crate::device::Device;
use crate::export::PartNames;
use crate::fit::{fit_on, model_error};
use crate::spec::{Encoder, NetworkSpec, Pooling};
use crate::training_spec::TrainingSpec;

/// Returns a checkpoint's network with fewer hidden values, `hidden_size` per layer and direction.
///
/// In every layer and direction, and in the fusion of scales, the values stay whose weights have the largest norm, those that make
/// them and those that read them taken together (after Li et al. 2017, who prune filters so). What reads a value that goes loses
/// its column; nothing makes up for that before [`fine_tune`].
///
/// # Errors
/// [`ModelError::NotCheckpoint`], [`ModelError::Unsupported`] for encoders other than `gru`, `multi_scale_gru` and `lstm`, or
/// [`ModelError::Range`] for a `hidden_size` of 0 or above the network's.
pub fn prune(checkpoint: &[u8], hidden_size: usize) -> Result<Vec<u8>, ModelError> {
    let mut parts = CheckpointParts::read(checkpoint)?;
    let sizes = RecurrentSizes::of(&parts.network)?;
    if hidden_size == 0 || hidden_size > sizes.hidden {
        let (key, rule) = ("hidden_size after pruning", "at least 1 and at most the network's own");
        return Err(ModelError::Range { key, rule, value: hidden_size as f64 });
    }
    let mut gone: BTreeMap<(String, usize), Vec<usize>> = BTreeMap::new();
    for group in sizes.groups(&parts.network) {
        let importance = group.importance(&parts.tensors, sizes.hidden);
        for unit in weakest(&importance, sizes.hidden - hidden_size) {
            for slice in &group.slices {
                gone.entry((slice.tensor.clone(), slice.axis)).or_default().push(slice.offset + unit);
            }
        }
    }
    for ((name, axis), places) in &gone {
        let tensor = parts.tensors.get_mut(name).expect("a group's slices are of the network's tensors");
        *tensor = tensor.without(*axis, places);
    }
    match &mut parts.network.encoder {
        Encoder::Gru(gru) | Encoder::MultiScaleGru(gru) => gru.hidden_size = hidden_size,
        Encoder::Lstm(lstm) => lstm.hidden_size = hidden_size,
        _ => unreachable!("`RecurrentSizes::of` refuses other encoders"),
    }
    parts.report.parameters = parts.tensors.values().map(|tensor| tensor.values.len()).sum();
    parts.write()
}

/// Trains a checkpoint's network on, in units of the targets that it was trained for.
///
/// # Errors
/// [`ForecastError::Model`] for bytes that are no checkpoint, and whatever a fit refuses.
pub fn fine_tune(
    checkpoint: &[u8],
    training: &TrainingSpec,
    device: Device,
    task: &FitTask<'_>,
) -> Result<Box<dyn FittedForecaster>, ForecastError> {
    let parts = CheckpointParts::read(checkpoint).map_err(|error| model_error(&error))?;
    Ok(Box::new(fit_on(training, device, task, &parts)?))
}

/// The sizes of a network's recurrent layers.
struct RecurrentSizes {
    module: &'static str,
    gates: usize,
    hidden: usize,
    layers: usize,
    directions: usize,
    attention: bool,
    layer_norm: bool,
}

/// Values of which some go: everything that makes or reads value `i` lies at `offset + i` of one of the slices.
struct Group {
    slices: Vec<Slice>,
}

/// A run of places along an axis of a tensor.
struct Slice {
    tensor: String,
    axis: usize,
    offset: usize,
}

impl RecurrentSizes {
    fn of(spec: &NetworkSpec) -> Result<Self, ModelError> {
        let (module, hidden, layers, bidirectional, pooling, layer_norm) = match &spec.encoder {
            Encoder::Gru(gru) | Encoder::MultiScaleGru(gru) => {
                ("gru", gru.hidden_size, gru.layers, gru.bidirectional, gru.pooling, gru.layer_norm)
            }
            Encoder::Lstm(lstm) => {
                ("lstm", lstm.hidden_size, lstm.layers, lstm.bidirectional, lstm.pooling, lstm.layer_norm)
            }
            other => {
                let hint = "use encoder `gru`, `multi_scale_gru` or `lstm`";
                return Err(ModelError::Unsupported {
                    what: format!("encoder `{}`", other.name()),
                    done: "pruned",
                    hint,
                });
            }
        };
        let directions = if bidirectional { 2 } else { 1 };
        let gates = if module == "gru" { 3 } else { 4 };
        Ok(Self { module, gates, hidden, layers, directions, attention: pooling == Pooling::Attention, layer_norm })
    }

    /// Returns a group for each scale, layer and direction, and for the fusion.
    fn groups(&self, spec: &NetworkSpec) -> Vec<Group> {
        let names = PartNames::of(spec);
        let head = if spec.head_hidden_size.is_some() { "head_hidden" } else { "head" };
        let reader = if names.fused { "fusion" } else { head };
        let mut groups = Vec::new();
        for (scale, prefix) in names.of_scales(self.module, ".").iter().enumerate() {
            let attention = self.attention.then(|| names.of_scales("attention", "").swap_remove(scale));
            for layer in 0..self.layers {
                for direction in 0..self.directions {
                    let mut slices = self.own_slices(prefix, layer, direction);
                    let offset = direction * self.hidden;
                    if layer + 1 < self.layers {
                        slices.extend((0..self.directions).map(|above| Slice {
                            tensor: format!("{prefix}weight_ih_l{}{}", layer + 1, suffix(above)),
                            axis: 1,
                            offset,
                        }));
                    } else {
                        slices.extend(attention.iter().flat_map(|name| attention_slices(name, offset)));
                        let offset = scale * self.directions * self.hidden + offset;
                        slices.push(Slice { tensor: format!("{reader}.weight"), axis: 1, offset });
                    }
                    groups.push(Group { slices });
                }
            }
        }
        if names.fused {
            let slice = |tensor: &str, axis| Slice { tensor: tensor.to_owned(), axis, offset: 0 };
            let read = slice(&format!("{head}.weight"), 1);
            groups.push(Group { slices: vec![slice("fusion.weight", 0), slice("fusion.bias", 0), read] });
        }
        groups
    }

    /// Returns where a direction of a layer makes its values, and reads them at the next step.
    fn own_slices(&self, prefix: &str, layer: usize, direction: usize) -> Vec<Slice> {
        let kinds = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "norm_ih", "norm_hh"];
        let name = |kind: &str| format!("{prefix}{kind}_l{layer}{}", suffix(direction));
        let made = kinds[..if self.layer_norm { 6 } else { 4 }].iter().flat_map(|kind| {
            (0..self.gates).map(move |gate| Slice { tensor: name(kind), axis: 0, offset: gate * self.hidden })
        });
        made.chain([Slice { tensor: name("weight_hh"), axis: 1, offset: 0 }]).collect()
    }
}

const fn suffix(direction: usize) -> &'static str {
    if direction == 0 { "" } else { "_reverse" }
}

/// Returns where an attention's square layer and its score make and read a value.
fn attention_slices(name: &str, offset: usize) -> [Slice; 4] {
    let slice = |tensor: String, axis| Slice { tensor, axis, offset };
    [
        slice(format!("{name}.weight"), 0),
        slice(format!("{name}.weight"), 1),
        slice(format!("{name}.bias"), 0),
        slice(format!("{name}.score"), 1),
    ]
}

impl Group {
    /// Returns the norm of all weights that make or read each of the values.
    fn importance(&self, tensors: &BTreeMap<String, NamedTensor>, hidden: usize) -> Vec<f64> {
        let square = |unit: usize| {
            self.slices.iter().map(|slice| tensors[&slice.tensor].square(slice.axis, slice.offset + unit)).sum::<f64>()
        };
        (0..hidden).map(|unit| square(unit).sqrt()).collect()
    }
}

/// Returns the places of the smallest values; of equal ones the later go first.
fn weakest(importance: &[f64], count: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..importance.len()).rev().collect();
    places.sort_by(|&one, &other| importance[one].total_cmp(&importance[other]));
    places.truncate(count);
    places
}

impl NamedTensor {
    /// Returns the values that lie between neighbours along an axis, and the axis's length.
    fn stride(&self, axis: usize) -> (usize, usize) {
        (self.shape[axis + 1..].iter().product(), self.shape[axis])
    }

    /// Returns the sum of squares at one place of an axis.
    fn square(&self, axis: usize, place: usize) -> f64 {
        let (stride, size) = self.stride(axis);
        let here = |(index, value): (usize, &f32)| (index / stride % size == place).then(|| f64::from(*value).powi(2));
        self.values.iter().enumerate().filter_map(here).sum()
    }

    /// Returns the tensor without some places of an axis.
    fn without(&self, axis: usize, places: &[usize]) -> Self {
        let (stride, size) = self.stride(axis);
        let stays = |index: usize| !places.contains(&(index / stride % size));
        let kept = self.values.iter().enumerate().filter(|(index, _)| stays(*index));
        let mut shape = self.shape.clone();
        shape[axis] -= places.len();
        Self { shape, values: kept.map(|(_, value)| *value).collect() }
    }
}

#[cfg(test)]
mod tests;
