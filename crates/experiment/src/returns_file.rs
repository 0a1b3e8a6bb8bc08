//! `tidegate metrics`: any series of returns from a file, measured.

use std::path::PathBuf;

use tidegate_data::Table;
use tidegate_metrics::{Convention, MetricOptions, Returns, performance};

use crate::ExperimentError;

/// What to measure, and by whose definitions.
#[derive(Debug, Clone)]
pub struct ReturnsRequest {
    /// A CSV or Parquet file with the columns `time, return` and optionally `benchmark`.
    pub path: PathBuf,
    /// Periods in a year.
    pub periods_per_year: f64,
    /// The convention's name.
    pub convention: String,
    /// The risk-free rate per year, as a fraction.
    pub risk_free_annual: f64,
}

/// Measures a file of returns; keys are those of `metrics.json`'s `performance`.
///
/// # Errors
/// When the file, a column or a value is not what it must be, or the convention is unknown.
pub fn measure_returns(
    request: &ReturnsRequest,
) -> Result<serde_json::Map<String, serde_json::Value>, ExperimentError> {
    let convention: Convention = request.convention.parse()?;
    let table = Table::read(&request.path)?;
    let times = table.times("time")?;
    let returns = |name: &str| -> Result<Returns, ExperimentError> {
        Ok(Returns::from_times(times.clone(), table.floats(name)?, request.periods_per_year)?)
    };
    let own = returns("return")?;
    let benchmark = if table.has("benchmark") { Some(returns("benchmark")?) } else { None };
    let options = MetricOptions { risk_free_annual: request.risk_free_annual, ..MetricOptions::new(convention) };
    let measured = performance(&own, benchmark.as_ref(), &options)?;
    match serde_json::to_value(measured).map_err(|error| ExperimentError::Internal(error.to_string()))? {
        serde_json::Value::Object(entries) => Ok(entries),
        other => Err(ExperimentError::Internal(format!("performance is a table, was {other}"))),
    }
}
