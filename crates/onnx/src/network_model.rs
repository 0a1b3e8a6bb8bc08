//! A forecasting network as one model, or as two: an encoder that turns windows into a vector, and a head that reads it.

use crate::error::{equal, finite, positive};
use crate::graph::{Dimension, GraphBuilder};
use crate::head::{HeadGraph, TargetScale};
use crate::linear::LinearLayer;
use crate::metadata::Metadata;
use crate::pooling::Pooling;
use crate::recurrent::append_stack;
use crate::stack::RecurrentStack;
use crate::{OnnxError, Opset};

/// The recurrent layers over one scale of the windows.
#[derive(Debug, Clone, PartialEq)]
pub struct ScaleGraph {
    /// The layers.
    pub stack: RecurrentStack,
    /// How their states become one vector.
    pub pooling: Pooling,
}

/// A vector per series of the panel, appended to the encoder's own.
#[derive(Debug, Clone, PartialEq)]
pub struct SymbolEmbedding {
    symbols: usize,
    size: usize,
    table: Vec<f32>,
}

impl SymbolEmbedding {
    /// Takes a table `[symbols, size]`, row-major.
    ///
    /// # Errors
    /// [`OnnxError::Size`] when the table does not have these sizes, [`OnnxError::Number`] for a value that is not finite.
    pub fn new(symbols: usize, size: usize, table: Vec<f32>) -> Result<Self, OnnxError> {
        positive("symbols of an embedding", symbols)?;
        positive("size of an embedding", size)?;
        equal("values of an embedding", symbols * size, table.len())?;
        finite("an embedding", &table)?;
        Ok(Self { symbols, size, table })
    }

    /// Returns the number of symbols.
    pub const fn symbols(&self) -> usize {
        self.symbols
    }

    /// Returns the number of values per symbol.
    pub const fn size(&self) -> usize {
        self.size
    }

    /// Returns the values, `[symbols, size]`.
    pub fn table(&self) -> &[f32] {
        &self.table
    }
}

/// What turns windows into one vector: a stack per scale, their fusion, and an embedding of the symbol.
#[derive(Debug, Clone, PartialEq)]
pub struct EncoderGraph {
    scales: Vec<ScaleGraph>,
    fusion: Option<LinearLayer>,
    embedding: Option<SymbolEmbedding>,
}

impl EncoderGraph {
    /// Takes the scales, and the layer that joins their vectors, with a ReLU behind it; several scales need one.
    ///
    /// # Errors
    /// [`OnnxError::Size`] when the parts do not fit each other.
    pub fn new(
        scales: Vec<ScaleGraph>,
        fusion: Option<LinearLayer>,
        embedding: Option<SymbolEmbedding>,
    ) -> Result<Self, OnnxError> {
        positive("scales of an encoder", scales.len())?;
        let pooled = |scale: &ScaleGraph| scale.stack.sizes().outputs();
        scales.iter().try_for_each(|scale| scale.pooling.check(pooled(scale)))?;
        match &fusion {
            Some(fusion) => equal("inputs of the fusion", scales.iter().map(pooled).sum(), fusion.inputs())?,
            None => equal("scales of an encoder without fusion", 1, scales.len())?,
        }
        Ok(Self { scales, fusion, embedding })
    }

    /// Returns the scales.
    pub fn scales(&self) -> &[ScaleGraph] {
        &self.scales
    }

    /// Returns the layer that joins the scales' vectors.
    pub const fn fusion(&self) -> Option<&LinearLayer> {
        self.fusion.as_ref()
    }

    /// Returns the embedding of the symbol.
    pub const fn embedding(&self) -> Option<&SymbolEmbedding> {
        self.embedding.as_ref()
    }

    /// Returns the number of values of the vector.
    pub fn outputs(&self) -> usize {
        let encoded = match &self.fusion {
            Some(fusion) => fusion.outputs(),
            None => self.scales[0].stack.sizes().outputs(),
        };
        encoded + self.embedding.as_ref().map_or(0, |embedding| embedding.size)
    }

    /// Returns the names of a model's inputs of windows: `input`, or `input_0`, `input_1` and so on for several scales.
    pub fn input_names(&self) -> Vec<String> {
        (0..self.scales.len()).map(|scale| format!("input{}", self.suffix(scale))).collect()
    }

    fn suffix(&self, scale: usize) -> String {
        if self.scales.len() == 1 { String::new() } else { format!("_{scale}") }
    }

    /// Appends inputs and encoder; the vector gets the name given.
    fn append(&self, graph: &mut GraphBuilder, output: &str) {
        let append = |(place, scale): (usize, &ScaleGraph)| {
            let suffix = self.suffix(place);
            let features = scale.stack.sizes().inputs;
            let shape = [Dimension::any("batch"), Dimension::Any(format!("time{suffix}")), Dimension::Size(features)];
            let input = graph.input(&format!("input{suffix}"), &shape);
            let by_time = graph.transpose(&input, &[1, 0, 2], &format!("input{suffix}_by_time"));
            let prefix = format!("scale{place}_");
            let values = append_stack(graph, &scale.stack, &prefix, &by_time, None);
            scale.pooling.append(graph, &values, &prefix)
        };
        let mut parts: Vec<String> = self.scales.iter().enumerate().map(append).collect();
        if let Some(fusion) = &self.fusion {
            let joined = graph.concat(&parts.iter().map(String::as_str).collect::<Vec<_>>(), 1, "scales_joined");
            let linear = fusion.append(graph, "fusion", &joined);
            parts = vec![graph.node("Relu", &[&linear], "fusion_relu")];
        }
        if let Some(embedding) = &self.embedding {
            let symbol = graph.input_of_integers("symbol", &[Dimension::any("batch")]);
            let table = graph.floats("symbol_table", &[embedding.symbols, embedding.size], &embedding.table);
            parts.push(graph.node("Gather", &[&table, &symbol], "symbol_embedding"));
        }
        graph.concat(&parts.iter().map(String::as_str).collect::<Vec<_>>(), 1, output);
    }
}

/// A whole forecasting network.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkGraph {
    encoder: EncoderGraph,
    head: HeadGraph,
}

impl NetworkGraph {
    /// Joins an encoder and a head.
    ///
    /// # Errors
    /// [`OnnxError::Size`] unless the head reads as many values as the encoder puts out.
    pub fn new(encoder: EncoderGraph, head: HeadGraph) -> Result<Self, OnnxError> {
        equal("inputs of the head", encoder.outputs(), head.inputs())?;
        Ok(Self { encoder, head })
    }

    /// Makes the network put out values in the targets' units, as [`HeadGraph::with_targets`] says.
    ///
    /// # Errors
    /// Whatever [`HeadGraph::with_targets`] refuses.
    pub fn with_targets(self, targets: Vec<TargetScale>) -> Result<Self, OnnxError> {
        Ok(Self { head: self.head.with_targets(targets)?, encoder: self.encoder })
    }

    /// Returns the encoder.
    pub const fn encoder(&self) -> &EncoderGraph {
        &self.encoder
    }

    /// Returns the head.
    pub const fn head(&self) -> &HeadGraph {
        &self.head
    }

    /// Writes the network as one model.
    ///
    /// Inputs: one `[B, T, F]` per scale (see [`EncoderGraph::input_names`]), and `symbol [B]` of integers with an embedding.
    /// Outputs: `mean [B, K]`, and `variance`, `degrees_of_freedom` `[B, K]` or `quantiles [B, K, Q]` by the head. Batch and
    /// time are free.
    pub fn model(&self, opset: Opset, metadata: &Metadata) -> Vec<u8> {
        let mut graph = GraphBuilder::new("network", opset);
        self.encoder.append(&mut graph, "encoding");
        self.head.append(&mut graph, "encoding");
        graph.into_bytes(metadata)
    }

    /// Writes the encoder alone: the network's inputs, and `encoding [B, E]` as the only output.
    pub fn encoder_model(&self, opset: Opset, metadata: &Metadata) -> Vec<u8> {
        let mut graph = GraphBuilder::new("encoder", opset);
        self.encoder.append(&mut graph, "encoding");
        graph.output("encoding", &self.encoding_shape());
        graph.into_bytes(metadata)
    }

    /// Writes the head alone: `encoding [B, E]` as the only input, and the network's outputs.
    pub fn head_model(&self, opset: Opset, metadata: &Metadata) -> Vec<u8> {
        let mut graph = GraphBuilder::new("head", opset);
        let encoding = graph.input("encoding", &self.encoding_shape());
        self.head.append(&mut graph, &encoding);
        graph.into_bytes(metadata)
    }

    fn encoding_shape(&self) -> [Dimension; 2] {
        [Dimension::any("batch"), Dimension::Size(self.encoder.outputs())]
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::head::HeadKind;
    use crate::proto::ModelProto;
    use crate::stack::CellKind;
    use crate::stack::tests::stack;
    use crate::summary::ModelSummary;

    fn linear(inputs: usize, outputs: usize) -> LinearLayer {
        LinearLayer::new(inputs, outputs, vec![0.25; inputs * outputs], vec![0.5; outputs]).expect("it fits")
    }

    fn scale(pooling: Pooling) -> ScaleGraph {
        ScaleGraph { stack: stack(CellKind::Gru, true), pooling }
    }

    fn head(inputs: usize) -> HeadGraph {
        HeadGraph::new(HeadKind::Point, 2, None, linear(inputs, 2)).expect("it fits")
    }

    #[test]
    fn parts_that_do_not_fit_each_other_make_no_network() {
        let message = |result: Result<EncoderGraph, OnnxError>| result.expect_err("it does not fit").to_string();
        let two = || vec![scale(Pooling::Mean), scale(Pooling::Mean)];
        assert_eq!(message(EncoderGraph::new(vec![], None, None)), "scales of an encoder must be at least 1, was `0`");
        let unfused = message(EncoderGraph::new(two(), None, None));
        assert_eq!(unfused, "scales of an encoder without fusion must be `1`, was `2`");
        let fused = message(EncoderGraph::new(two(), Some(linear(8, 4)), None));
        assert_eq!(fused, "inputs of the fusion must be `16`, was `8`");
        let attention = Pooling::Attention { projection: Some(linear(8, 8)), score: linear(8, 2) };
        let attended = message(EncoderGraph::new(vec![scale(attention)], None, None));
        assert_eq!(attended, "outputs of the attention's score must be `1`, was `2`");
        let encoder = EncoderGraph::new(vec![scale(Pooling::Mean)], None, None).expect("it fits");
        let message = NetworkGraph::new(encoder, head(7)).expect_err("8 is not 7").to_string();
        assert_eq!(message, "inputs of the head must be `8`, was `7`");
    }

    #[test]
    fn encoder_and_head_agree_on_the_vector_between_them() {
        let embedding = SymbolEmbedding::new(3, 2, vec![0.0; 6]).expect("it fits");
        let encoder = EncoderGraph::new(vec![scale(Pooling::LastStep)], None, Some(embedding)).expect("it fits");
        let network = NetworkGraph::new(encoder, head(10)).expect("it fits");
        let read = |model: Vec<u8>| ModelSummary::read(&model).expect("as written");
        let (opset, metadata) = (Opset::default(), Metadata::default());
        let (encoder, head) = (network.encoder_model(opset, &metadata), network.head_model(opset, &metadata));
        let (encoder, head) = (read(encoder), read(head));
        assert_eq!(encoder.outputs, head.inputs);
        assert_eq!(head.inputs[0].shape[1], Dimension::Size(10));
        assert!(encoder.inputs[1].integers && encoder.inputs[1].name == "symbol");
        let whole = read(network.model(opset, &metadata));
        assert_eq!(whole.weights, encoder.weights + head.weights);
    }

    #[test]
    fn the_mean_has_its_axes_where_the_operator_set_reads_them() {
        let one_direction = ScaleGraph { stack: stack(CellKind::Gru, false), pooling: Pooling::Mean };
        let encoder = EncoderGraph::new(vec![one_direction], None, None).expect("it fits");
        let network = NetworkGraph::new(encoder, head(4)).expect("it fits");
        let inputs = |version| {
            let model = network.encoder_model(Opset::new(version).expect("in the range"), &Metadata::default());
            let graph = ModelProto::decode(model.as_slice()).expect("as written").graph.expect("as written");
            graph.node.into_iter().find(|node| node.op_type == "ReduceMean").expect("a mean").input.len()
        };
        assert_eq!([14, 17, 18, 22].map(inputs), [1, 1, 2, 2]);
    }
}
