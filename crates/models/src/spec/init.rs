//! How weights start.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the weights of recurrent layers start, drawn per gate; biases start at 0 unless said otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// Input weights Xavier uniform (Glorot and Bengio 2010), recurrent weights orthogonal (Saxe et al. 2014).
    #[default]
    XavierOrthogonal,
    /// Both Xavier uniform.
    Xavier,
    /// Both orthogonal; of a matrix that is not square, the shorter side's vectors are orthonormal.
    Orthogonal,
    /// PyTorch's default: everything uniform in `+-1 / sqrt(H)`, biases included.
    Pytorch,
}
