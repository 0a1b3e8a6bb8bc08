//! What a weight is called and how large it is.

/// Name and shape of one weight, in PyTorch's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParameterShape {
    /// Such as `gru.weight_ih_l0`.
    pub(crate) name: String,
    /// Rows and columns, or the length of a bias.
    pub(crate) shape: Vec<i64>,
}

impl ParameterShape {
    pub(crate) fn new(name: String, shape: &[usize]) -> Self {
        Self { name, shape: shape.iter().map(|&size| size as i64).collect() }
    }

    /// Returns the number of values.
    pub(crate) fn len(&self) -> usize {
        self.shape.iter().product::<i64>() as usize
    }
}
