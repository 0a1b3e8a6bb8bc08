//! What a model file holds, read back from its bytes.

use prost::Message;

use crate::graph::Dimension;
use crate::metadata::Metadata;
use crate::proto::{DimensionValue, FLOAT, GraphProto, INT64, ModelProto, ValueInfoProto};
use crate::{OnnxError, Opset};

/// Name and shape of an input or output of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Its dimensions.
    pub shape: Vec<Dimension>,
    /// Whether it holds integers instead of floats.
    pub integers: bool,
}

/// What a model reads and puts out, without its weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelSummary {
    /// The operator set it is written in.
    pub opset: Opset,
    /// What it reads; an input with a default is among them.
    pub inputs: Vec<Port>,
    /// What it puts out.
    pub outputs: Vec<Port>,
    /// Values of all its constants of floats, the number of its weights.
    pub weights: usize,
    /// Its operators in the order in which they run.
    pub operators: Vec<String>,
    /// What it says about itself.
    pub metadata: Metadata,
}

impl ModelSummary {
    /// Reads a model file of ours.
    ///
    /// # Errors
    /// [`OnnxError::Damaged`] for bytes that are not a whole model, [`OnnxError::Opset`] for an operator set that is too old
    /// or too new.
    pub fn read(bytes: &[u8]) -> Result<Self, OnnxError> {
        let damaged = |reason: String| OnnxError::Damaged { reason };
        let model = ModelProto::decode(bytes).map_err(|error| damaged(error.to_string()))?;
        let opset = model.opset_import.iter().find(|import| import.domain.is_empty());
        let opset = opset.ok_or_else(|| damaged("it names no operator set".to_owned()))?;
        let opset = Opset::new(opset.version)?;
        let graph = model.graph.as_ref().ok_or_else(|| damaged("it has no graph".to_owned()))?;
        let ports = |infos: &[ValueInfoProto]| infos.iter().map(port).collect::<Result<Vec<_>, _>>().map_err(damaged);
        let metadata = model.metadata_props.iter();
        Ok(Self {
            opset,
            inputs: ports(&graph.input)?,
            outputs: ports(&graph.output)?,
            weights: weights(graph).map_err(damaged)?,
            operators: graph.node.iter().map(|node| node.op_type.clone()).collect(),
            metadata: metadata
                .fold(Metadata::default(), |metadata, entry| metadata.with(&entry.key, entry.value.as_str())),
        })
    }
}

/// Counts the values of all float constants, and holds each against its shape.
fn weights(graph: &GraphProto) -> Result<usize, String> {
    let mut count = 0;
    for tensor in graph.initializer.iter().filter(|tensor| tensor.data_type == FLOAT) {
        let values = tensor
            .dims
            .iter()
            .try_fold(1_usize, |product, &size| usize::try_from(size).ok().and_then(|size| product.checked_mul(size)));
        let found = tensor.raw_data.len();
        match values {
            Some(values) if values.checked_mul(4) == Some(found) => count += values,
            _ => return Err(format!("constant `{}` of shape `{:?}` has `{found}` bytes", tensor.name, tensor.dims)),
        }
    }
    Ok(count)
}

fn port(info: &ValueInfoProto) -> Result<Port, String> {
    let tensor = info.r#type.as_ref().and_then(|of| of.tensor_type.as_ref());
    let tensor = tensor.ok_or_else(|| format!("`{}` is not a tensor", info.name))?;
    let integers = match tensor.elem_type {
        FLOAT => false,
        INT64 => true,
        other => return Err(format!("`{}` must hold floats or integers, has element type `{other}`", info.name)),
    };
    let shape = tensor.shape.as_ref().ok_or_else(|| format!("`{}` has no shape", info.name))?;
    let dimension = |value: &Option<DimensionValue>| match value {
        Some(DimensionValue::Size(size)) => usize::try_from(*size).map(Dimension::Size).ok(),
        Some(DimensionValue::Name(name)) => Some(Dimension::Any(name.clone())),
        None => Some(Dimension::Any(String::new())),
    };
    let shape: Option<Vec<Dimension>> = shape.dim.iter().map(|dim| dimension(&dim.value)).collect();
    let shape = shape.ok_or_else(|| format!("`{}` has a negative dimension", info.name))?;
    Ok(Port { name: info.name.clone(), shape, integers })
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::stack::tests::stack;
    use crate::{CellKind, InitialState, stack_model};

    fn model() -> Vec<u8> {
        let metadata = Metadata::default().with("tidegate.features", r#"["a"]"#);
        stack_model(&stack(CellKind::Gru, false), InitialState::Zero, Opset::default(), &metadata)
    }

    /// Reads a model after a change of its parts.
    fn changed(change: impl FnOnce(&mut ModelProto)) -> String {
        let mut parts = ModelProto::decode(model().as_slice()).expect("as written");
        change(&mut parts);
        ModelSummary::read(&parts.encode_to_vec()).expect_err("no model of ours").to_string()
    }

    #[test]
    fn a_model_says_what_it_is() {
        let summary = ModelSummary::read(&model()).expect("as written");
        assert_eq!(summary.opset, Opset::default());
        assert_eq!(summary.metadata.value("tidegate.features"), Some(r#"["a"]"#));
        let of_layers: Vec<&str> =
            summary.operators.iter().map(String::as_str).filter(|name| *name != "Slice").collect();
        let zeros = ["Transpose", "Shape", "Concat", "ConstantOfShape"];
        assert_eq!(of_layers, [&zeros[..], &["GRU", "Squeeze", "GRU", "Squeeze", "Transpose", "Concat"]].concat());
    }

    #[test]
    fn another_operator_set_is_refused() {
        for version in [13, 23] {
            let message = changed(|parts| parts.opset_import[0].version = version);
            assert!(message.starts_with(&format!("opset must be in [14, 22], was `{version}`")), "{message}");
        }
        let message = changed(|parts| parts.opset_import.clear());
        assert_eq!(message, "file must be a whole ONNX model: it names no operator set\nhint: write it anew");
    }

    #[test]
    fn a_model_that_was_cut_short_is_refused() {
        let model = model();
        // Protobuf writes a message's fields one after another: only a cut between two top-level fields is a message again,
        // and before the operator set it lacks that.
        let short = (0..model.len()).filter(|&end| ModelSummary::read(&model[..end]).is_ok()).count();
        assert!(short <= 1, "{short} cuts were read as whole models");
        assert!(ModelSummary::read(&model[..model.len() / 2]).is_err());
        assert!(ModelSummary::read(b"no protobuf").is_err());
    }

    #[test]
    fn constants_and_shapes_that_cannot_be_are_refused() {
        let graph = |parts: &mut ModelProto| parts.graph.take().expect("as written");
        let weight = |graph: &GraphProto| {
            graph.initializer.iter().position(|tensor| tensor.name == "weight_ih_l0").expect("a weight")
        };
        let message = changed(|parts| parts.graph = None);
        assert!(message.contains("it has no graph"), "{message}");
        let message = changed(|parts| {
            let mut graph = graph(parts);
            let place = weight(&graph);
            graph.initializer[place].raw_data.pop();
            parts.graph = Some(graph);
        });
        assert!(message.contains("constant `weight_ih_l0` of shape `[1, 12, 3]` has `143` bytes"), "{message}");
        let message = changed(|parts| {
            let mut graph = graph(parts);
            let place = weight(&graph);
            graph.initializer[place].dims = vec![i64::MAX, i64::MAX];
            parts.graph = Some(graph);
        });
        assert!(message.contains("constant `weight_ih_l0`"), "{message}");
        let message = changed(|parts| {
            let mut graph = graph(parts);
            graph.input[0].r#type = None;
            parts.graph = Some(graph);
        });
        assert!(message.contains("`input` is not a tensor"), "{message}");
    }
}
