//! The version of ONNX's operators that a model is written in.

use crate::OnnxError;

/// A version of ONNX's operators that this crate writes.
///
/// 14 is the first with the present GRU and LSTM, 22 the last that the written models were checked with. Later versions of a
/// runtime read all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opset(i64);

impl Opset {
    /// The oldest version written.
    pub const OLDEST: Self = Self(14);
    /// The newest version written.
    pub const NEWEST: Self = Self(22);

    /// Takes a version number.
    ///
    /// # Errors
    /// [`OnnxError::Opset`] for a version that is too old or too new.
    pub const fn new(version: i64) -> Result<Self, OnnxError> {
        if version < Self::OLDEST.0 || version > Self::NEWEST.0 {
            return Err(OnnxError::Opset { version });
        }
        Ok(Self(version))
    }

    /// Returns the version number.
    pub const fn version(self) -> i64 {
        self.0
    }

    /// Returns the version of the file format that came with these operators.
    pub(crate) const fn ir_version(self) -> i64 {
        match self.0 {
            ..=14 => 7,
            15..=18 => 8,
            19..=20 => 9,
            _ => 10,
        }
    }

    /// Returns whether `ReduceMean` takes its axes as an input; before, they are an attribute.
    pub(crate) const fn reduces_along_an_input(self) -> bool {
        self.0 >= 18
    }
}

impl Default for Opset {
    /// Returns 17, which every runtime of the last years reads.
    fn default() -> Self {
        Self(17)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_from_14_to_22_are_written() {
        assert!((14..=22).all(|version| Opset::new(version).is_ok_and(|opset| opset.version() == version)));
    }

    #[test]
    fn a_version_that_is_too_old_or_too_new_is_refused_with_the_range() {
        for version in [-1, 0, 13, 23, i64::MAX] {
            let message = Opset::new(version).expect_err("outside the range").to_string();
            assert_eq!(
                message,
                format!(
                    "opset must be in [14, 22], was `{version}`\nhint: 17 is read by every runtime of the last years"
                )
            );
        }
    }
}
