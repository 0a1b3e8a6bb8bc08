//! What can go wrong between a strategy file and its result.

use std::path::PathBuf;

use crate::config::ConfigError;

/// Anything that ends an experiment early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// A mistake in the strategy file.
    #[error(transparent)]
    Config(#[from] Box<ConfigError>),
    /// A mistake in the data.
    #[error(transparent)]
    Data(#[from] tidegate_data::DataError),
    /// Bars that break a rule.
    #[error(transparent)]
    Market(#[from] tidegate_market::MarketError),
    /// A feature that cannot be computed.
    #[error(transparent)]
    Features(#[from] tidegate_features::FeatureError),
    /// A forecaster that cannot be fitted, restored or used.
    #[error(transparent)]
    Forecast(#[from] tidegate_forecast::ForecastError),
    /// A network that cannot be built.
    #[error(transparent)]
    Model(#[from] tidegate_models::ModelError),
    /// A backtest that cannot run.
    #[error(transparent)]
    Backtest(#[from] tidegate_backtest::BacktestError),
    /// A metric's input that is not what it must be.
    #[error(transparent)]
    Metrics(#[from] tidegate_metrics::MetricsError),
    /// A trial ledger that cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] tidegate_ledger::LedgerError),
    /// A space of trials that cannot be walked.
    #[error(transparent)]
    Search(#[from] tidegate_search::SearchError),
    /// A report that cannot be rendered.
    #[error(transparent)]
    Report(#[from] tidegate_report::ReportError),
    /// A file that cannot be written or read.
    #[error("{action} `{path}`: {source}{hint}")]
    File {
        /// What was tried, such as `cannot write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
        /// The next step, starting with a new line; may be empty.
        hint: &'static str,
    },
    /// A stored result that is not what it must be.
    #[error("`{path}` is damaged: {reason}\nhint: {hint}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
        /// The next step.
        hint: &'static str,
    },
    /// A question the data cannot answer.
    #[error("{0}")]
    Sample(String),
    /// A sweep that cannot start.
    #[error("{0}")]
    Sweep(String),
    /// An audit that found a leak.
    #[error(
        "the audit found a leak in {0}\nhint: results of this strategy use the future and mean nothing; docs/AUDIT.md says how to read this"
    )]
    Audit(String),
    /// The user asked to stop.
    #[error("stopped; models that were finished stay in the cache, from where the same command goes on")]
    Cancelled,
    /// A bug: the value that was not to be had, and where.
    #[error("internal error: {0}; please report it")]
    Internal(String),
}

impl ExperimentError {
    /// Returns whether the user can mend it: exit code 1, where ours is 2.
    pub const fn is_users(&self) -> bool {
        !matches!(self, Self::Internal(_) | Self::Report(_))
    }

    /// Returns whether the user asked to stop: exit code 130.
    pub const fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled | Self::Forecast(tidegate_forecast::ForecastError::Cancelled))
    }
}

impl From<ConfigError> for ExperimentError {
    fn from(error: ConfigError) -> Self {
        Self::Config(Box::new(error))
    }
}

/// Says which file could not be written, and what to do.
pub(crate) fn cannot_write(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> ExperimentError {
    let path = path.into();
    move |source| ExperimentError::File {
        action: "cannot write",
        path,
        source,
        hint: "\nhint: choose a folder you may write to with `--out DIR`",
    }
}

/// Says which file could not be read.
pub(crate) fn cannot_read(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> ExperimentError {
    let path = path.into();
    move |source| ExperimentError::File { action: "cannot read", path, source, hint: "" }
}
