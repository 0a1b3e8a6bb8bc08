//! What this program writes into its study's ledger, and what its reports count there.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tidegate_ledger::{Ledger, Origin, Source, TrialKey, TrialRecord};

use crate::ExperimentError;

/// The build that results are recorded under; those of another one are not taken for its own.
pub(crate) const BUILD: &str = if cfg!(feature = "libtorch") {
    concat!(env!("CARGO_PKG_VERSION"), " with libtorch")
} else {
    concat!(env!("CARGO_PKG_VERSION"), " without libtorch")
};

/// How much was tried in a study, by which its best result is judged.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialCount {
    /// The different trials that were ever evaluated.
    pub trials: u64,
    /// Their Sharpe ratios per year where defined, in an order that does not depend on who wrote first.
    pub sharpe_ratios: Vec<f64>,
}

impl TrialCount {
    /// Reads a study's ledger.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn of(ledger: &Ledger) -> Result<Self, ExperimentError> {
        Ok(Self { trials: ledger.count()?, sharpe_ratios: ledger.sharpe_ratios()? })
    }

    /// Returns the variance of the Sharpe ratios per period; `None` below two of them.
    pub fn sharpe_ratio_variance(&self, periods_per_year: f64) -> Option<f64> {
        let per_period: Vec<f64> = self.sharpe_ratios.iter().map(|ratio| ratio / periods_per_year.sqrt()).collect();
        tidegate_metrics::sample_variance(&per_period)
    }
}

/// Writes trials that were measured by the same metrics, and returns what the study then holds.
pub(crate) fn record(
    ledger: &mut Ledger,
    source: Source,
    metrics: &[&str],
    trials: &[TrialRecord],
) -> Result<TrialCount, ExperimentError> {
    let metrics = ledger.metric_set(metrics)?;
    ledger.record(&Origin { source, build: BUILD, metrics }, trials)?;
    TrialCount::of(ledger)
}

/// Joins the two hashes that make a trial.
pub(crate) fn trial_key(config_hash: &str, data_hash: &str) -> Result<TrialKey, ExperimentError> {
    TrialKey::from_hex(config_hash, data_hash)
        .ok_or_else(|| ExperimentError::Internal(format!("`{config_hash}` and `{data_hash}` are not two hashes")))
}

/// The time for a ledger's row, in nanoseconds since 1970. It reaches no result.
pub(crate) fn now_ns() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| saturated_ns(since) as i64)
}

/// A duration in nanoseconds, the largest number when it does not fit.
pub(crate) fn saturated_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
