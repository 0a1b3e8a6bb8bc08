//! Reference values made by other tools, and how tests read them. Their sources are in `tests/vectors/README.md`.

use std::sync::LazyLock;

use serde_json::Value;
use tidegate_market::Timestamp;

use crate::{BenchmarkedReturns, Convention, MetricOptions, Returns};

/// 750 daily returns with a benchmark, and the values of empyrical, `QuantStats` and `SciPy`.
pub(crate) static METRICS: LazyLock<Value> =
    LazyLock::new(|| parse(include_str!("../../../tests/vectors/metrics.json")));
/// Probabilistic and deflated Sharpe ratios.
pub(crate) static SHARPE: LazyLock<Value> =
    LazyLock::new(|| parse(include_str!("../../../tests/vectors/dsr_psr.json")));
/// Scores of Gaussian and ensemble forecasts.
pub(crate) static FORECAST: LazyLock<Value> =
    LazyLock::new(|| parse(include_str!("../../../tests/vectors/forecast_scores.json")));
/// Distributions, scores, calibration tests and comparisons of forecasts.
pub(crate) static FORECAST_REFERENCE: LazyLock<Value> =
    LazyLock::new(|| parse(include_str!("../../../tests/vectors/forecast_reference.json")));
/// A case of combinatorially symmetric cross-validation.
pub(crate) static OVERFITTING: LazyLock<Value> =
    LazyLock::new(|| parse(include_str!("../../../tests/vectors/pbo.json")));
/// Block lengths, data snooping, overfitting, multiple testing, clusters and paired tests.
pub(crate) static LUCK: LazyLock<Value> =
    LazyLock::new(|| parse(include_str!("../../../tests/vectors/luck_reference.json")));

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("a vector file is JSON")
}

/// Reads a list of numbers.
pub(crate) fn floats(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|item| item.as_f64().expect("a number")).collect()
}

/// Returns the value that a tool gave for a metric.
pub(crate) fn published(tool: &str, metric: &str) -> f64 {
    METRICS[tool][metric].as_f64().unwrap_or_else(|| panic!("no {metric} of {tool}"))
}

/// Reads the dates of the 750 returns.
pub(crate) fn dates() -> Vec<Timestamp> {
    let dates = METRICS["dates"].as_array().expect("a list");
    dates.iter().map(|date| date.as_str().expect("text").parse().expect("a date")).collect()
}

/// Returns the 750 returns.
pub(crate) fn returns() -> Returns {
    Returns::from_times(dates(), floats(&METRICS["returns"]), 252.0).expect("valid returns")
}

/// Returns the 750 returns beside their benchmark.
pub(crate) fn benchmarked() -> BenchmarkedReturns {
    let benchmark = Returns::from_times(dates(), floats(&METRICS["benchmark"]), 252.0).expect("valid returns");
    BenchmarkedReturns::new(returns(), benchmark).expect("the same dates")
}

/// Returns 252 periods a year with these returns and no times.
pub(crate) fn periods(values: &[f64]) -> Returns {
    Returns::from_periods(values.to_vec(), 252.0).expect("valid returns")
}

/// Returns options of a convention with the vectors' risk-free rate.
pub(crate) fn with_risk_free(convention: Convention) -> MetricOptions {
    let risk_free_annual = METRICS["rf_annual"].as_f64().expect("a number");
    MetricOptions { risk_free_annual, ..MetricOptions::new(convention) }
}

/// Asserts that a metric equals a number from outside to 1e-9, relative above 1 and absolute below.
#[track_caller]
pub(crate) fn assert_close(found: Option<f64>, expected: f64) {
    let found = found.expect("the metric is defined");
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "found {found}, expected {expected}");
}
