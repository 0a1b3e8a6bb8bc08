//! Learned values per symbol.

use tch::Tensor;

use super::layout::Layout;

/// Where the table `[S, E]` lies among a network's weights.
#[derive(Debug, Clone)]
pub(crate) struct Embedding {
    table: usize,
}

/// Standard deviation of the initial values: small beside hidden values, so that a network starts almost blind to its symbol.
const DEVIATION: f64 = 0.1;

impl Embedding {
    /// Appends normal values, one row per symbol.
    pub(crate) fn build(symbols: usize, size: usize, layout: &mut Layout) -> Self {
        let values: Vec<f32> = (0..symbols * size).map(|_| (DEVIATION * layout.random.normal()) as f32).collect();
        Self { table: layout.push("embedding.weight".to_owned(), &[symbols, size], values) }
    }

    /// Appends each sample's row to its vector: `[B, V]` becomes `[B, V + E]`.
    ///
    /// # Shapes
    /// `symbols` is `[B]`, 64-bit whole numbers below `S`.
    pub(crate) fn append(&self, weights: &[Tensor], vectors: &Tensor, symbols: &Tensor) -> Tensor {
        Tensor::cat(&[vectors, &weights[self.table].index_select(0, symbols)], 1)
    }
}
