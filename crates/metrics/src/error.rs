//! What can be wrong with an input of this crate.

use tidegate_market::Timestamp;

/// An input from which no metric can be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricsError {
    /// Two columns that belong together but differ in length.
    #[error("{name} must have `{expected}` rows, has `{found}`")]
    Length {
        /// What the shorter or longer column is.
        name: &'static str,
        /// The rows that it should have.
        expected: usize,
        /// The rows that it has.
        found: usize,
    },
    /// A time that does not come after the one before it.
    #[error("times must ascend: row `{row}` is at `{time}`, the one before at `{before}`")]
    Unsorted {
        /// Zero-based row.
        row: usize,
        /// The row's time.
        time: Timestamp,
        /// The time before it.
        before: Timestamp,
    },
    /// A value that is not a finite number, or not in its range.
    #[error("{name} must be {rule}, was `{value}` at row `{row}`")]
    Row {
        /// What the value is.
        name: &'static str,
        /// The rule in words.
        rule: &'static str,
        /// The value found.
        value: f64,
        /// Zero-based row.
        row: usize,
    },
    /// A forecast whose distribution is none.
    #[error("forecast `{row}`: {source}")]
    Distribution {
        /// Zero-based row of the forecast.
        row: usize,
        /// What is wrong with it.
        source: Box<MetricsError>,
    },
    /// More misses of an interval than observations.
    #[error("misses must be at most the `{observations}` observations, were `{misses}`")]
    Misses {
        /// The misses.
        misses: u64,
        /// The observations.
        observations: u64,
    },
    /// A yardstick that was held against other outcomes than the model.
    #[error(
        "a yardstick must be held against the outcomes of the model: row `{row}` is `{expected}`, of `{yardstick}` `{found}`\nhint: score both on the same samples, in the same order"
    )]
    OtherRow {
        /// The yardstick's name.
        yardstick: String,
        /// Zero-based row.
        row: usize,
        /// The model's outcome.
        expected: f64,
        /// The yardstick's outcome.
        found: f64,
    },
    /// A test of forecasts no step ahead.
    #[error("the horizon of a test must be at least 1 step, was `0`")]
    NoHorizon,
    /// A quantile forecast of fewer than two levels.
    #[error(
        "a quantile forecast must have at least two levels, has `{found}`\nhint: a single value is a point forecast"
    )]
    FewQuantiles {
        /// The levels that it has.
        found: usize,
    },
    /// Maxima of other resamples.
    #[error("maxima can be merged only when they come from the same resamples")]
    OtherResamples,
    /// A setting that is not a finite number, or not in its range.
    #[error("{name} must be {rule}, was `{value}`")]
    Setting {
        /// What the setting is.
        name: &'static str,
        /// The rule in words.
        rule: &'static str,
        /// The value found.
        value: f64,
    },
    /// A return after the account is gone.
    #[error(
        "after a return of -1 or below nothing is left to earn on, but row `{row}` has a return of `{value}`\nhint: returns are fractions (0.01 is one percent); end the series at the ruin"
    )]
    AfterRuin {
        /// Zero-based row.
        row: usize,
        /// The return found there.
        value: f64,
    },
    /// An equity curve without its initial point.
    #[error("an equity curve needs its initial point, had no points")]
    NoInitialPoint,
    /// A benchmark whose rows are not those of the returns.
    #[error(
        "a benchmark must have a return at every time of the returns: row `{row}` is at `{expected}`, the benchmark's at `{found}`\nhint: join the two series on time first"
    )]
    Benchmark {
        /// Zero-based row.
        row: usize,
        /// The time of the returns' row.
        expected: Timestamp,
        /// The time of the benchmark's row.
        found: Timestamp,
    },
    /// A name that is not a convention.
    #[error("convention must be one of {valid}, was `{text}`")]
    Convention {
        /// The text as found.
        text: String,
        /// The valid names.
        valid: String,
    },
}
