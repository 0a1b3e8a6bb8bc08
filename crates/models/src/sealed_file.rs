//! Tensors and one JSON document in a safetensors file, sealed together by a hash.
//!
//! The same content gives the same bytes; a file that was cut short or changed, by a single bit, is refused.

use std::borrow::Cow;
use std::collections::HashMap;

use safetensors::{Dtype, SafeTensors, View};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tidegate_forecast::ForecastError;

/// The header's only key: one key, because the file format keeps several in no order.
const HEADER_KEY: &str = "tidegate";

/// What the header says, and the hash that seals it together with the tensors.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<C> {
    content: C,
    blake3: String,
}

/// One tensor's type, shape and little-endian bytes.
pub(crate) struct StoredTensor {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl StoredTensor {
    /// Takes values in single precision.
    pub(crate) fn new(shape: Vec<usize>, values: &[f32]) -> Self {
        Self { dtype: Dtype::F32, shape, bytes: values.iter().flat_map(|value| value.to_le_bytes()).collect() }
    }

    #[cfg(feature = "libtorch")]
    /// Takes whole numbers of eight bits.
    pub(crate) fn whole(shape: Vec<usize>, values: &[i8]) -> Self {
        Self { dtype: Dtype::I8, shape, bytes: values.iter().map(|value| value.cast_unsigned()).collect() }
    }
}

impl View for &StoredTensor {
    fn dtype(&self) -> Dtype {
        self.dtype
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

/// A file whose header has been read; its seal is checked last, so that a foreign file is told from a damaged one.
pub(crate) struct SealedFile<'a, C> {
    pub(crate) content: C,
    pub(crate) tensors: SafeTensors<'a>,
    header: String,
}

/// Writes a document and named tensors, which lie in the file in the order of their names.
pub(crate) fn write<C: Serialize, N: AsRef<str> + Ord>(
    content: &C,
    mut tensors: Vec<(N, StoredTensor)>,
) -> Result<Vec<u8>, ForecastError> {
    tensors.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let blake3 = seal(content, tensors.iter().map(|(name, tensor)| (name.as_ref(), tensor.bytes.as_slice())));
    let header = json(&Header { content, blake3 });
    let metadata = HashMap::from([(HEADER_KEY.to_owned(), header)]);
    safetensors::serialize(tensors.iter().map(|(name, tensor)| (name.as_ref(), tensor)), Some(metadata))
        .map_err(|error| ForecastError::Model(format!("checkpoint cannot be written: {error}")))
}

/// Returns whether bytes claim to be a file of ours: the header of a safetensors file has our key.
pub(crate) fn is_ours(bytes: &[u8]) -> bool {
    let header = SafeTensors::read_metadata(bytes).ok().and_then(|(_, metadata)| metadata.metadata().clone());
    header.is_some_and(|header| header.contains_key(HEADER_KEY))
}

/// Reads header and tensors, or says what is wrong.
pub(crate) fn read<C: DeserializeOwned>(bytes: &[u8]) -> Result<SealedFile<'_, C>, String> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| damaged(&error))?;
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| damaged(&error))?;
    let header = metadata.metadata().as_ref().and_then(|metadata| metadata.get(HEADER_KEY));
    let header = header.ok_or_else(|| format!("its header must have the key `{HEADER_KEY}`, which is missing"))?;
    let Header { content, .. } =
        serde_json::from_str(header).map_err(|error| format!("its header `{HEADER_KEY}` cannot be read ({error})"))?;
    Ok(SealedFile { content, tensors, header: header.clone() })
}

impl<C: Serialize> SealedFile<'_, C> {
    /// Compares the content with its hash, and the header's text with the only one that says the same.
    pub(crate) fn check_seal(&self) -> Result<(), String> {
        let mut names = self.tensors.names();
        names.sort_unstable();
        let data =
            |name| self.tensors.tensor(name).map(|tensor| (name, tensor.data())).map_err(|error| damaged(&error));
        let sorted: Vec<(&str, &[u8])> = names.into_iter().map(data).collect::<Result<_, _>>()?;
        let blake3 = seal(&self.content, sorted.into_iter());
        if json(&Header { content: &self.content, blake3 }) == self.header {
            return Ok(());
        }
        Err("its content does not match its hash, so some bytes have changed since it was written".to_owned())
    }

    /// Returns one tensor's values when its type and shape are those expected.
    pub(crate) fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        let (numbers, _) = self.bytes(name, Dtype::F32, shape)?.as_chunks::<4>();
        Ok(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }

    #[cfg(feature = "libtorch")]
    /// Likewise for whole numbers of eight bits.
    pub(crate) fn whole_values(&self, name: &str, shape: &[usize]) -> Result<Vec<i8>, String> {
        Ok(self.bytes(name, Dtype::I8, shape)?.iter().map(|byte| byte.cast_signed()).collect())
    }

    fn bytes(&self, name: &str, dtype: Dtype, shape: &[usize]) -> Result<&[u8], String> {
        let tensor = self.tensors.tensor(name).map_err(|_| format!("tensor `{name}` is missing"))?;
        if tensor.dtype() != dtype {
            return Err(format!("tensor `{name}` must have type `{dtype:?}`, has `{:?}`", tensor.dtype()));
        }
        if tensor.shape() != shape {
            return Err(format!("tensor `{name}` must have shape `{shape:?}`, has `{:?}`", tensor.shape()));
        }
        Ok(tensor.data())
    }
}

fn damaged(error: &safetensors::SafeTensorError) -> String {
    format!("it is not a whole safetensors file ({error})")
}

/// Hashes the header's content and all tensors, names and lengths included.
fn seal<'a>(content: &impl Serialize, tensors: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(json(content).as_bytes());
    for (name, bytes) in tensors {
        hasher.update(name.as_bytes());
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    }
    hasher.finalize().to_hex().to_string()
}

/// Returns a document's only JSON form.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain numbers and names always have a JSON form")
}
