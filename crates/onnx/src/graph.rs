//! A graph under construction: every function appends something and returns its name.

use prost::Message;

use crate::Opset;
use crate::metadata::Metadata;
use crate::proto::{
    AttributeProto, DimensionProto, DimensionValue, FLOAT, GraphProto, INT64, ModelProto, NodeProto,
    OperatorSetIdProto, StringStringEntryProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto,
    ValueInfoProto,
};

/// The size of a dimension, or the name under which a run may choose it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dimension {
    /// A fixed size.
    Size(usize),
    /// Any size, equal wherever the name is equal.
    Any(String),
}

impl Dimension {
    /// Returns a dimension that every run may choose.
    pub(crate) fn any(name: &str) -> Self {
        Self::Any(name.to_owned())
    }
}

/// Nodes and constants in an order in which they can run.
#[derive(Debug)]
pub(crate) struct GraphBuilder {
    opset: Opset,
    graph: GraphProto,
}

impl GraphBuilder {
    pub(crate) fn new(name: &str, opset: Opset) -> Self {
        Self { opset, graph: GraphProto { name: name.to_owned(), ..GraphProto::default() } }
    }

    /// Declares an input of floats.
    pub(crate) fn input(&mut self, name: &str, shape: &[Dimension]) -> String {
        self.graph.input.push(value_info(name, FLOAT, shape));
        name.to_owned()
    }

    /// Declares an input of integers.
    pub(crate) fn input_of_integers(&mut self, name: &str, shape: &[Dimension]) -> String {
        self.graph.input.push(value_info(name, INT64, shape));
        name.to_owned()
    }

    /// Declares an output of floats, which a node of that name computes.
    pub(crate) fn output(&mut self, name: &str, shape: &[Dimension]) {
        self.graph.output.push(value_info(name, FLOAT, shape));
    }

    /// Adds a constant of floats.
    ///
    /// # Panics
    /// When the shape does not hold the values.
    pub(crate) fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "one value per place of the constant");
        let raw_data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name.to_owned(), shape, FLOAT, raw_data)
    }

    /// Adds a list of integers, once however often it is used.
    pub(crate) fn integers(&mut self, values: &[i64]) -> String {
        let text: Vec<String> = values.iter().map(ToString::to_string).collect();
        let name = format!("integers_{}", text.join("_").replace('-', "minus"));
        let raw_data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, &[values.len()], INT64, raw_data)
    }

    /// Adds a single integer without dimensions, once however often it is used.
    pub(crate) fn integer(&mut self, value: i64) -> String {
        let name = format!("integer_{value}").replace('-', "minus");
        self.constant(name, &[], INT64, value.to_le_bytes().to_vec())
    }

    fn constant(&mut self, name: String, shape: &[usize], data_type: i32, raw_data: Vec<u8>) -> String {
        let dims = shape.iter().map(|&size| size as i64).collect();
        let tensor = TensorProto { dims, data_type, name: name.clone(), raw_data };
        if let Some(present) = self.graph.initializer.iter().find(|present| present.name == name) {
            assert_eq!(*present, tensor, "two constants have two names");
            return name;
        }
        self.graph.initializer.push(tensor);
        name
    }

    /// Adds an operator with one output, which gives the node its name.
    pub(crate) fn node(&mut self, operator: &str, inputs: &[&str], output: &str) -> String {
        self.node_with(operator, inputs, &[output], vec![]);
        output.to_owned()
    }

    /// Adds an operator with all that it can have; an empty name leaves an input or output out.
    pub(crate) fn node_with(
        &mut self,
        operator: &str,
        inputs: &[&str],
        outputs: &[&str],
        attribute: Vec<AttributeProto>,
    ) {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let first = outputs.iter().find(|name| !name.is_empty()).expect("a node has an output");
        self.graph.node.push(NodeProto {
            input: names(inputs),
            output: names(outputs),
            name: format!("{operator}_{first}"),
            op_type: operator.to_owned(),
            attribute,
        });
    }

    /// Reorders dimensions.
    pub(crate) fn transpose(&mut self, input: &str, order: &[i64], output: &str) -> String {
        self.node_with("Transpose", &[input], &[output], vec![AttributeProto::ints("perm", order)]);
        output.to_owned()
    }

    /// Joins tensors along a dimension; one alone stays as it is.
    pub(crate) fn concat(&mut self, inputs: &[&str], axis: i64, output: &str) -> String {
        self.node_with("Concat", inputs, &[output], vec![AttributeProto::int("axis", axis)]);
        output.to_owned()
    }

    /// Drops a dimension of size 1.
    pub(crate) fn squeeze(&mut self, input: &str, axis: i64, output: &str) -> String {
        let axes = self.integers(&[axis]);
        self.node("Squeeze", &[input, &axes], output)
    }

    /// Cuts `start..end` out of a dimension.
    pub(crate) fn slice(&mut self, input: &str, axis: i64, places: std::ops::Range<i64>, output: &str) -> String {
        let (starts, ends) = (self.integers(&[places.start]), self.integers(&[places.end]));
        let axes = self.integers(&[axis]);
        self.node("Slice", &[input, &starts, &ends, &axes], output)
    }

    /// Makes a tensor of zeros of a shape that is known when the model runs.
    pub(crate) fn zeros(&mut self, shape: &str, output: &str) -> String {
        // Zeros of floats are the default, but tract takes them for doubles.
        let zero = TensorProto { dims: vec![1], data_type: FLOAT, name: String::new(), raw_data: vec![0; 4] };
        self.node_with("ConstantOfShape", &[shape], &[output], vec![AttributeProto::tensor("value", zero)]);
        output.to_owned()
    }

    /// Takes the mean over a dimension, which goes away.
    pub(crate) fn mean(&mut self, input: &str, axis: i64, output: &str) -> String {
        let drop = AttributeProto::int("keepdims", 0);
        if self.opset.reduces_along_an_input() {
            let axes = self.integers(&[axis]);
            self.node_with("ReduceMean", &[input, &axes], &[output], vec![drop]);
        } else {
            self.node_with("ReduceMean", &[input], &[output], vec![AttributeProto::ints("axes", &[axis]), drop]);
        }
        output.to_owned()
    }

    /// Ends the graph and writes the file.
    pub(crate) fn into_bytes(self, metadata: &Metadata) -> Vec<u8> {
        let entry = |(key, value): (&str, &str)| StringStringEntryProto { key: key.into(), value: value.into() };
        ModelProto {
            ir_version: self.opset.ir_version(),
            producer_name: "tidegate".to_owned(),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            graph: Some(self.graph),
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: self.opset.version() }],
            metadata_props: metadata.entries().map(entry).collect(),
        }
        .encode_to_vec()
    }
}

fn value_info(name: &str, elem_type: i32, shape: &[Dimension]) -> ValueInfoProto {
    let dim = |dimension: &Dimension| DimensionProto {
        value: Some(match dimension {
            Dimension::Size(size) => DimensionValue::Size(*size as i64),
            Dimension::Any(name) => DimensionValue::Name(name.clone()),
        }),
    };
    let shape = TensorShapeProto { dim: shape.iter().map(dim).collect() };
    let tensor_type = TensorTypeProto { elem_type, shape: Some(shape) };
    ValueInfoProto { name: name.to_owned(), r#type: Some(TypeProto { tensor_type: Some(tensor_type) }) }
}
