//! What can be wrong with a network that is to be written, or with a model that is read.

/// A description that cannot be written as a model, or a file that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// A version of the operators outside the range that is written.
    #[error("opset must be in [14, 22], was `{version}`\nhint: 17 is read by every runtime of the last years")]
    Opset {
        /// The version found.
        version: i64,
    },
    /// A size that must be positive, or must equal another.
    #[error("{what} must be {rule}, was `{found}`")]
    Size {
        /// What has the size.
        what: String,
        /// The rule in words.
        rule: String,
        /// The size found.
        found: usize,
    },
    /// A number outside its range.
    #[error("{what} must be {rule}, was `{found}`")]
    Number {
        /// What the number is.
        what: String,
        /// The rule in words.
        rule: &'static str,
        /// The number found, as text, so that errors can be compared.
        found: String,
    },
    /// Bytes that are not a whole ONNX model.
    #[error("file must be a whole ONNX model: {reason}\nhint: write it anew")]
    Damaged {
        /// What is wrong with them.
        reason: String,
    },
}

/// Returns an error unless a size is the one expected.
pub(crate) fn equal(what: impl Into<String>, expected: usize, found: usize) -> Result<(), OnnxError> {
    if expected == found {
        return Ok(());
    }
    Err(OnnxError::Size { what: what.into(), rule: format!("`{expected}`"), found })
}

/// Returns an error unless a size is at least 1.
pub(crate) fn positive(what: impl Into<String>, found: usize) -> Result<(), OnnxError> {
    if found > 0 {
        return Ok(());
    }
    Err(OnnxError::Size { what: what.into(), rule: "at least 1".to_owned(), found })
}

/// Returns an error that names the first value that is not finite.
pub(crate) fn finite(what: &str, values: &[f32]) -> Result<(), OnnxError> {
    let Some(place) = values.iter().position(|value| !value.is_finite()) else { return Ok(()) };
    let found = values[place].to_string();
    Err(OnnxError::Number { what: format!("value `{place}` of {what}"), rule: "finite", found })
}
