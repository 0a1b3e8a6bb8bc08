//! Which tensors of a safetensors file make which part of a network.

use safetensors::SafeTensors;
use tidegate_onnx::{
    EncoderGraph, HeadGraph, HeadKind, LinearLayer, NetworkGraph, Pooling, ScaleGraph, SymbolEmbedding,
};

use crate::ModelError;
use crate::state_dict::{floats, open, read_stack};

/// The names of a network's parts in a safetensors file; their sizes follow from the tensors.
///
/// A linear layer called `head` has the tensors `head.weight [outputs, inputs]` and `head.bias [outputs]`.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkLayout {
    /// The prefix of the recurrent layers of each scale, such as `gru.` or `gru.0.`.
    pub recurrent: Vec<String>,
    /// How the states of each scale's steps become one vector.
    pub pooling: PoolingLayout,
    /// The linear layer that joins the scales' vectors, with a ReLU behind it; several scales need one.
    pub fusion: Option<String>,
    /// The tensor `[symbols, size]` whose rows are appended to the vector.
    pub embedding: Option<String>,
    /// The head's linear layer with a ReLU behind it.
    pub head_hidden: Option<String>,
    /// The head's last linear layer.
    pub head: String,
    /// What the head puts out.
    pub kind: HeadKind,
    /// The number of horizons, `K`.
    pub horizons: usize,
}

/// How states become one vector, and the names of the weights of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolingLayout {
    /// See [`Pooling::LastStep`].
    LastStep,
    /// See [`Pooling::LastStates`].
    LastStates,
    /// See [`Pooling::Mean`].
    Mean,
    /// See [`Pooling::Attention`]: for each scale a name such as `attention`, of a linear layer (the projection) and the tensor
    /// `attention.score [1, V]`.
    Attention(Vec<String>),
}

/// Reads a network from a safetensors file.
///
/// # Errors
/// Whatever [`read_stack`] refuses, [`ModelError::TensorMissing`], [`ModelError::TensorShape`] or [`ModelError::TensorType`] for
/// the other tensors, and [`ModelError::Onnx`] when the parts do not fit each other.
pub fn read_network(bytes: &[u8], layout: &NetworkLayout) -> Result<NetworkGraph, ModelError> {
    let file = open(bytes, "weights")?;
    let linear = |name: &Option<String>| name.as_ref().map(|name| read_linear(&file, name)).transpose();
    let scale = |(place, prefix): (usize, &String)| {
        let stack = read_stack(bytes, Some(prefix))?;
        Ok(ScaleGraph { stack, pooling: read_pooling(&file, &layout.pooling, place)? })
    };
    let scales = layout.recurrent.iter().enumerate().map(scale).collect::<Result<Vec<_>, ModelError>>()?;
    let embedding = layout.embedding.as_ref().map(|name| read_embedding(&file, name)).transpose()?;
    let encoder = EncoderGraph::new(scales, linear(&layout.fusion)?, embedding)?;
    let (hidden, output) = (linear(&layout.head_hidden)?, read_linear(&file, &layout.head)?);
    let head = HeadGraph::new(layout.kind.clone(), layout.horizons, hidden, output)?;
    Ok(NetworkGraph::new(encoder, head)?)
}

fn read_pooling(file: &SafeTensors<'_>, layout: &PoolingLayout, scale: usize) -> Result<Pooling, ModelError> {
    Ok(match layout {
        PoolingLayout::LastStep => Pooling::LastStep,
        PoolingLayout::LastStates => Pooling::LastStates,
        PoolingLayout::Mean => Pooling::Mean,
        PoolingLayout::Attention(names) => {
            let missing = || ModelError::TensorMissing { name: format!("attention of scale {scale}") };
            let name = names.get(scale).ok_or_else(missing)?;
            let ([rows, columns], score) = read_matrix(file, &format!("{name}.score"))?;
            let score = LinearLayer::new(columns, rows, score, vec![0.0; rows])?;
            Pooling::Attention { projection: Some(read_linear(file, name)?), score }
        }
    })
}

fn read_embedding(file: &SafeTensors<'_>, name: &str) -> Result<SymbolEmbedding, ModelError> {
    let ([symbols, size], table) = read_matrix(file, name)?;
    Ok(SymbolEmbedding::new(symbols, size, table)?)
}

fn read_linear(file: &SafeTensors<'_>, name: &str) -> Result<LinearLayer, ModelError> {
    let ([outputs, inputs], weight) = read_matrix(file, &format!("{name}.weight"))?;
    let name = format!("{name}.bias");
    let view = file.tensor(&name).map_err(|_| ModelError::TensorMissing { name: name.clone() })?;
    if view.shape() != [outputs] {
        return Err(ModelError::TensorShape { name, expected: format!("[{outputs}]"), found: view.shape().to_vec() });
    }
    Ok(LinearLayer::new(inputs, outputs, weight, floats(&name, &view)?)?)
}

/// Reads a tensor of two dimensions.
fn read_matrix(file: &SafeTensors<'_>, name: &str) -> Result<([usize; 2], Vec<f32>), ModelError> {
    let view = file.tensor(name).map_err(|_| ModelError::TensorMissing { name: name.to_owned() })?;
    let Ok(shape) = <[usize; 2]>::try_from(view.shape()) else {
        let (name, found) = (name.to_owned(), view.shape().to_vec());
        return Err(ModelError::TensorShape { name, expected: "[rows, columns]".to_owned(), found });
    };
    Ok((shape, floats(name, &view)?))
}
