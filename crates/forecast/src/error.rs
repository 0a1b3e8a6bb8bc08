//! What can go wrong between a feature column and a forecast.

use tidegate_market::InstrumentId;

/// Why a fold, a scaler, a fit or a forecast could not be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ForecastError {
    /// The data are shorter than the first fold.
    #[error(
        "one fold needs `{needed}` bars (train_bars `{train_bars}` + valid_bars `{valid_bars}` + test_bars `{test_bars}`), but the data have `{available}`\nhint: shorten train_bars, or add data"
    )]
    FoldTooLong {
        /// Bars that one whole fold takes.
        needed: usize,
        /// Bars on the time axis.
        available: usize,
        /// Training bars asked for.
        train_bars: usize,
        /// Validation bars asked for.
        valid_bars: usize,
        /// Test bars asked for.
        test_bars: usize,
    },
    /// The data are too short for the fractions of a holdout.
    #[error(
        "a holdout must train, validate and test on at least `1` bar each, the `{available}` bars of the data give `{}`, `{}` and `{}`\nhint: add data, or move the fractions",
        parts[0], parts[1], parts[2]
    )]
    HoldoutTooShort {
        /// Bars on the time axis.
        available: usize,
        /// Bars to train, to validate and to test on.
        parts: [usize; 3],
    },
    /// A setting outside its range.
    #[error("{name} must be {rule}, was `{value}`")]
    Range {
        /// The setting's name, as in the config.
        name: &'static str,
        /// The rule in words.
        rule: String,
        /// The value found, as text.
        value: String,
    },
    /// A panel whose parts do not fit together.
    #[error("instrument `{}`: {rule}", instrument.0)]
    Panel {
        /// The instrument whose series is wrong.
        instrument: InstrumentId,
        /// The rule, then what was found.
        rule: String,
    },
    /// Fewer rows or samples than the fit needs.
    #[error(
        "{set} must have at least `{needed}` samples, has `{found}`\nhint: lengthen that part of the fold, or shorten window_bars, bar_multiple, horizon_bars or the features' look-back"
    )]
    TooFewSamples {
        /// Which set, such as `training set`.
        set: &'static str,
        /// The smallest number that works.
        needed: usize,
        /// The number found.
        found: usize,
    },
    /// A sample without a label where one is needed.
    #[error("every sample of a fit must have a label, sample `{sample}` has none")]
    MissingTarget {
        /// The sample's place in its set.
        sample: usize,
    },
    /// A forecaster of volatility without the returns that it reads.
    #[error(
        "a forecaster of volatility needs the one-bar returns of its samples' series, these windows carry none\nhint: cut the windows from a panel"
    )]
    MissingReturns,
    /// Windows of another shape than the forecaster was fitted on.
    #[error("{what} must have `{expected}` entries as in the fit, has `{found}`")]
    Shape {
        /// What was counted.
        what: &'static str,
        /// The number at fit.
        expected: usize,
        /// The number found.
        found: usize,
    },
    /// Bytes that are not a whole checkpoint of this forecaster.
    #[error("checkpoint cannot be read: {reason}\nhint: delete it and fit again")]
    Checkpoint {
        /// The rule, then what was found.
        reason: String,
    },
    /// The monitor asked for the fit to stop.
    #[error("the fit was cancelled")]
    Cancelled,
    /// A value that must be finite is not.
    #[error("{what} must be finite, was `{value}`")]
    NotFinite {
        /// What the value is.
        what: String,
        /// The value found.
        value: f64,
    },
    /// A model's own failure.
    #[error("{0}")]
    Model(String),
}
