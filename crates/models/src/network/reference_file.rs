//! Reading the reference files of `tests/vectors/nn`, and comparing with them.

use std::collections::{BTreeMap, HashMap};

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use tch::Tensor;

use crate::parameters::to_vec;

/// Returns the tensors of a file and what its header says.
pub(super) fn read(file: &str) -> (BTreeMap<String, Tensor>, HashMap<String, String>) {
    let path = format!("{}/../../tests/vectors/nn/{file}.safetensors", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).expect("the reference file is in the repository");
    let (_, metadata) = SafeTensors::read_metadata(&bytes).expect("the reference file is whole");
    let file = SafeTensors::deserialize(&bytes).expect("the reference file is whole");
    let tensor = |(name, view): (String, TensorView<'_>)| {
        assert_eq!(view.dtype(), Dtype::F32, "{name}");
        let values: Vec<f32> = view.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        let shape: Vec<i64> = view.shape().iter().map(|&size| size as i64).collect();
        (name, Tensor::from_slice(&values).view(shape.as_slice()))
    };
    (file.tensors().into_iter().map(tensor).collect(), metadata.metadata().clone().unwrap_or_default())
}

/// Compares to 1e-6, relative where a value is above 1.
pub(super) fn assert_close(found: &Tensor, expected: &Tensor, what: &str) {
    assert_within(1e-6, found, expected, what);
}

/// Compares likewise to another tolerance.
pub(super) fn assert_within(tolerance: f32, found: &Tensor, expected: &Tensor, what: &str) {
    assert_eq!(found.size(), expected.size(), "{what}");
    for (found, expected) in to_vec(found).into_iter().zip(to_vec(expected)) {
        assert!((found - expected).abs() <= tolerance * expected.abs().max(1.0), "{what}: {found} is not {expected}");
    }
}
