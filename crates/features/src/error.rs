//! What can be wrong with a feature, a target or a feature table.

use std::path::PathBuf;

/// A feature or target that cannot be computed, or a table that cannot be made or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureError {
    /// A period that is too short for the feature.
    #[error("`{feature}`: {field} must be at least `{minimum}`, was `{value}`")]
    TooShort {
        /// The feature, target or argument as in the config.
        feature: &'static str,
        /// The parameter.
        field: &'static str,
        /// The smallest valid value.
        minimum: usize,
        /// The value found.
        value: usize,
    },
    /// Horizons of a target that do not rise from at least one bar on.
    #[error("horizon_bars must be at least `1` and rise, were `{found:?}`")]
    Horizons {
        /// The horizons as given.
        found: Vec<u32>,
    },
    /// Bollinger bands that are not a finite distance above zero apart.
    #[error("`bollinger`: width must be finite and above 0, was `{value}`")]
    Width {
        /// The value found.
        value: f64,
    },
    /// A MACD whose fast average is not the faster one.
    #[error("`macd`: fast must be below slow, was `{fast}` with slow `{slow}`")]
    FastNotBelowSlow {
        /// The shorter period as given.
        fast: usize,
        /// The longer period as given.
        slow: usize,
    },
    /// A list of outputs that is empty or names one twice.
    #[error(
        "`{feature}`: outputs must name at least one output and none twice, was `{outputs}`; hint: leave `outputs` out for all"
    )]
    Outputs {
        /// The feature as in the config.
        feature: &'static str,
        /// The list as given.
        outputs: String,
    },
    /// A column name that would collide with a table's own columns or be empty.
    #[error("feature column must have a name other than `time` and `symbol`, was `{name}`; hint: change its `as`")]
    ReservedColumn {
        /// The name.
        name: String,
    },
    /// Two features with one column name.
    #[error("feature columns must have different names, found `{name}` twice; hint: rename one with `as`")]
    DuplicateColumn {
        /// The name.
        name: String,
    },
    /// Lists that should have one entry per instrument.
    #[error("symbols, bars and feature matrices must be equally many with equal rows and columns: {found}")]
    Misaligned {
        /// What was found.
        found: String,
    },
    /// A table without the column asked for.
    #[error("feature table must have a column `{column}`, has `{found}`")]
    MissingColumn {
        /// The column asked for.
        column: String,
        /// The columns found, separated by commas.
        found: String,
    },
    /// A file name whose ending names no format.
    #[error("feature table must be written to a `.csv` or `.parquet` file, was `{}`", path.display())]
    Format {
        /// The path.
        path: PathBuf,
    },
    /// A file that could not be written.
    #[error("feature table could not be written to `{}`: {source}", path.display())]
    Write {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A failure inside polars.
    #[error("feature table could not be made: {0}")]
    Table(#[from] polars::error::PolarsError),
}
