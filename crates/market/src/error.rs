//! What can be wrong with a value of this crate.

use crate::Timestamp;

/// A value that is not what its type promises.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MarketError {
    /// Text that is neither a date nor an RFC 3339 time.
    #[error("time must be `YYYY-MM-DD`, `YYYY-MM-DD HH:MM:SS` or RFC 3339, was `{text}`")]
    Timestamp {
        /// The text as found.
        text: String,
    },
    /// Text that is not a bar interval.
    #[error("bar interval must be a whole number and one of `m`, `h`, `d`, `w` (such as `1d` or `5m`), was `{text}`")]
    Interval {
        /// The text as found.
        text: String,
    },
    /// Columns of one table with different lengths.
    #[error("column `{column}` must have `{expected}` rows like the others, has `{found}`")]
    Length {
        /// The column's name.
        column: &'static str,
        /// Rows of the first column.
        expected: usize,
        /// Rows of this column.
        found: usize,
    },
    /// A row that breaks a rule of [`crate::Bars`].
    #[error("row `{row}` at `{time}`: {rule}")]
    Row {
        /// Zero-based row.
        row: usize,
        /// The row's time label.
        time: Timestamp,
        /// The rule, then what was found.
        rule: String,
    },
    /// A value outside its range.
    #[error("{name} must be {rule}, was `{value}`")]
    Range {
        /// What the value is.
        name: &'static str,
        /// The rule in words.
        rule: &'static str,
        /// The value found.
        value: f64,
    },
}
