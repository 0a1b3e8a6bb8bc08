//! Recurrent layers in a safetensors file, under the names that PyTorch gives them.
//!
//! `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0` and so on for each layer, with `_reverse` at the end for the second
//! direction, all behind one prefix such as `gru.`. Kind, number of layers, directions and sizes follow from names and shapes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors, View};
use tidegate_onnx::{CellKind, LayerWeights, RecurrentStack, StackSizes};

use crate::ModelError;

/// Prefixes that are taken when a file holds several stacks and none was asked for, the first that is there.
const PREFIXES: [&str; 5] = ["", "w.", "gru.", "lstm.", "rnn."];

/// Reads a stack of GRU or LSTM layers from a safetensors file.
///
/// Without a prefix the file's only stack is read or, among several, the one behind no prefix, `w.`, `gru.`, `lstm.` or `rnn.`.
/// Tensors that belong to no recurrent layer are passed over. A file without any biases means zeros.
///
/// # Errors
/// [`ModelError::NotSafetensors`], [`ModelError::Stacks`], [`ModelError::TensorMissing`], [`ModelError::TensorShape`],
/// [`ModelError::TensorType`], [`ModelError::TensorUnsupported`], or [`ModelError::Onnx`] for a weight that is not finite.
pub fn read_stack(bytes: &[u8], prefix: Option<&str>) -> Result<RecurrentStack, ModelError> {
    let file = open(bytes, "weights")?;
    let mut stacks: BTreeMap<&str, BTreeSet<Place>> = BTreeMap::new();
    for name in file.names() {
        if let Some((prefix, place)) = Place::parse(name) {
            stacks.entry(prefix).or_default().insert(place);
        }
    }
    let prefix = choose(&stacks, prefix)?;
    check_names(&file, prefix)?;
    read(&file, prefix, &stacks[prefix])
}

/// Writes a stack as a safetensors file; the same stack gives the same bytes.
///
/// # Errors
/// [`ModelError::NotWritten`] when the format refuses a name or size.
pub fn write_stack(stack: &RecurrentStack, prefix: &str) -> Result<Vec<u8>, ModelError> {
    let sizes = stack.sizes();
    let rows = sizes.kind.gates() * sizes.hidden;
    let mut tensors = BTreeMap::new();
    for layer in 0..sizes.layers {
        for direction in 0..sizes.directions() {
            let weights = stack.layer(layer, direction);
            let parts = [
                (Part::WeightIh, &weights.weight_ih, vec![rows, sizes.layer_inputs(layer)]),
                (Part::WeightHh, &weights.weight_hh, vec![rows, sizes.hidden]),
                (Part::BiasIh, &weights.bias_ih, vec![rows]),
                (Part::BiasHh, &weights.bias_hh, vec![rows]),
            ];
            for (part, values, shape) in parts {
                let name = Place { layer, reverse: direction == 1, part }.name(prefix);
                tensors.insert(name, FloatTensor::new(shape, values));
            }
        }
    }
    write_tensors(&tensors)
}

/// Returns the shape of every tensor of a safetensors file by its name.
///
/// # Errors
/// [`ModelError::NotSafetensors`].
pub fn tensor_shapes(bytes: &[u8]) -> Result<BTreeMap<String, Vec<usize>>, ModelError> {
    let shape = |(name, view): (String, TensorView<'_>)| (name, view.shape().to_vec());
    Ok(open(bytes, "file")?.tensors().into_iter().map(shape).collect())
}

/// Writes tensors sorted by name.
pub(crate) fn write_tensors(tensors: &BTreeMap<String, FloatTensor>) -> Result<Vec<u8>, ModelError> {
    let written = safetensors::serialize(tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)), None);
    written.map_err(|error| ModelError::NotWritten { reason: error.to_string() })
}

/// Opens a safetensors file, called `what` in messages.
pub(crate) fn open<'a>(bytes: &'a [u8], what: &'static str) -> Result<SafeTensors<'a>, ModelError> {
    SafeTensors::deserialize(bytes).map_err(|error| ModelError::NotSafetensors { what, reason: error.to_string() })
}

/// Returns the values of a tensor of single-precision floats.
pub(crate) fn floats(name: &str, tensor: &TensorView<'_>) -> Result<Vec<f32>, ModelError> {
    if tensor.dtype() != Dtype::F32 {
        let found = format!("{:?}", tensor.dtype());
        return Err(ModelError::TensorType { name: name.to_owned(), found });
    }
    Ok(tensor.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

/// A tensor of floats on its way into a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FloatTensor {
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl FloatTensor {
    pub(crate) fn new(shape: Vec<usize>, values: &[f32]) -> Self {
        Self { shape, bytes: values.iter().flat_map(|value| value.to_le_bytes()).collect() }
    }
}

impl View for &FloatTensor {
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

/// One of the four tensors of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    WeightIh,
    WeightHh,
    BiasIh,
    BiasHh,
}

impl Part {
    const ALL: [Self; 4] = [Self::WeightIh, Self::WeightHh, Self::BiasIh, Self::BiasHh];

    const fn name(self) -> &'static str {
        match self {
            Self::WeightIh => "weight_ih",
            Self::WeightHh => "weight_hh",
            Self::BiasIh => "bias_ih",
            Self::BiasHh => "bias_hh",
        }
    }

    const fn is_bias(self) -> bool {
        matches!(self, Self::BiasIh | Self::BiasHh)
    }
}

/// Where a tensor belongs in its stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    layer: usize,
    reverse: bool,
    part: Part,
}

impl Place {
    /// Reads a name such as `gru.weight_ih_l0_reverse` as prefix and place.
    fn parse(name: &str) -> Option<(&str, Self)> {
        let start = name.rfind('.').map_or(0, |dot| dot + 1);
        let (prefix, own) = name.split_at(start);
        let (own, reverse) = own.strip_suffix("_reverse").map_or((own, false), |own| (own, true));
        let (part, layer) = own.rsplit_once("_l")?;
        let part = Part::ALL.into_iter().find(|candidate| candidate.name() == part)?;
        // A number in its only form: `l01` is no layer's name.
        let layer: usize = layer.parse().ok().filter(|number: &usize| number.to_string() == layer)?;
        Some((prefix, Self { layer, reverse, part }))
    }

    fn name(self, prefix: &str) -> String {
        let direction = if self.reverse { "_reverse" } else { "" };
        format!("{prefix}{}_l{}{direction}", self.part.name(), self.layer)
    }
}

/// Picks the stack to read.
fn choose<'a>(stacks: &BTreeMap<&'a str, BTreeSet<Place>>, wanted: Option<&str>) -> Result<&'a str, ModelError> {
    let found: Vec<&'a str> = stacks.keys().copied().collect();
    let chosen = match (wanted, found.as_slice()) {
        (Some(wanted), _) => found.iter().find(|&&prefix| prefix == wanted),
        (None, [only]) => Some(only),
        (None, _) => PREFIXES.iter().find_map(|known| found.iter().find(|prefix| *prefix == known)),
    };
    let wanted = wanted.map(str::to_owned);
    chosen
        .copied()
        .ok_or_else(|| ModelError::Stacks { wanted, found: found.iter().map(|&prefix| prefix.into()).collect() })
}

/// Refuses tensors beside the chosen stack's that would change what it computes, or look like a part of it and are none.
fn check_names(file: &SafeTensors<'_>, prefix: &str) -> Result<(), ModelError> {
    let mut names: Vec<&str> = file.names();
    names.sort_unstable();
    for name in names {
        let Some(own) = name.strip_prefix(prefix).filter(|own| !own.contains('.')) else { continue };
        let unsupported = |why| Err(ModelError::TensorUnsupported { name: name.to_owned(), why });
        if own.starts_with("weight_hr_l") {
            return unsupported("is the projection of an LSTM, which is not supported");
        }
        let looks_recurrent = Part::ALL.iter().any(|part| own.starts_with(part.name()));
        if looks_recurrent && Place::parse(name).is_none() {
            return unsupported("is not a name of a recurrent layer");
        }
    }
    Ok(())
}

/// Reads the tensors of a stack whose names are known.
fn read(file: &SafeTensors<'_>, prefix: &str, places: &BTreeSet<Place>) -> Result<RecurrentStack, ModelError> {
    let layers = places.iter().map(|place| place.layer).max().expect("a stack has a tensor") + 1;
    let bidirectional = places.iter().any(|place| place.reverse);
    let has_biases = places.iter().any(|place| place.part.is_bias());
    // A file with `weight_ih_l1000000000` alone must not be counted through layer by layer.
    if layers > places.len() {
        let missing =
            (0..layers).find(|layer| places.iter().all(|place| place.layer != *layer)).expect("one is missing");
        let name = Place { layer: missing, reverse: false, part: Part::WeightIh }.name(prefix);
        return Err(ModelError::TensorMissing { name });
    }
    let first = |part| tensor(file, Place { layer: 0, reverse: false, part }.name(prefix));
    let (kind, hidden) = kind_of(&first(Part::WeightHh)?)?;
    let weight_ih = first(Part::WeightIh)?;
    let &[_, inputs] = weight_ih.view.shape() else {
        return Err(weight_ih.shape_error(format!("[{}, any]", kind.gates() * hidden)));
    };
    let sizes = StackSizes { kind, inputs, hidden, layers, bidirectional };
    let mut weights = Vec::with_capacity(layers * sizes.directions());
    for layer in 0..layers {
        for reverse in [false, true].into_iter().take(sizes.directions()) {
            weights.push(read_layer(file, prefix, &sizes, layer, reverse, has_biases)?);
        }
    }
    Ok(RecurrentStack::new(sizes, weights)?)
}

fn read_layer(
    file: &SafeTensors<'_>,
    prefix: &str,
    sizes: &StackSizes,
    layer: usize,
    reverse: bool,
    has_biases: bool,
) -> Result<LayerWeights, ModelError> {
    let rows = sizes.kind.gates() * sizes.hidden;
    let values = |part: Part| {
        let shape = match part {
            Part::WeightIh => vec![rows, sizes.layer_inputs(layer)],
            Part::WeightHh => vec![rows, sizes.hidden],
            Part::BiasIh | Part::BiasHh => vec![rows],
        };
        if part.is_bias() && !has_biases {
            return Ok(vec![0.0; rows]);
        }
        let tensor = tensor(file, Place { layer, reverse, part }.name(prefix))?;
        if tensor.view.shape() != shape {
            return Err(tensor.shape_error(format!("{shape:?}")));
        }
        floats(&tensor.name, &tensor.view)
    };
    Ok(LayerWeights {
        weight_ih: values(Part::WeightIh)?,
        weight_hh: values(Part::WeightHh)?,
        bias_ih: values(Part::BiasIh)?,
        bias_hh: values(Part::BiasHh)?,
    })
}

/// A tensor of a file and its name.
struct Named<'a> {
    name: String,
    view: TensorView<'a>,
}

impl Named<'_> {
    fn shape_error(&self, expected: String) -> ModelError {
        ModelError::TensorShape { name: self.name.clone(), expected, found: self.view.shape().to_vec() }
    }
}

fn tensor<'a>(file: &SafeTensors<'a>, name: String) -> Result<Named<'a>, ModelError> {
    match file.tensor(&name) {
        Ok(view) => Ok(Named { name, view }),
        Err(_) => Err(ModelError::TensorMissing { name }),
    }
}

/// Tells the cell and the state's size by the rows of `weight_hh`: three times its columns in a GRU, four times in an LSTM.
fn kind_of(weight_hh: &Named<'_>) -> Result<(CellKind, usize), ModelError> {
    let kinds = [CellKind::Gru, CellKind::Lstm];
    if let &[rows, hidden] = weight_hh.view.shape()
        && hidden > 0
        && let Some(kind) = kinds.into_iter().find(|kind| Some(rows) == hidden.checked_mul(kind.gates()))
    {
        return Ok((kind, hidden));
    }
    Err(weight_hh.shape_error("[3 H, H] of a GRU or [4 H, H] of an LSTM".to_owned()))
}

#[cfg(test)]
mod tests;
