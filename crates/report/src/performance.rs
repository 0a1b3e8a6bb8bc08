//! What the strategy earned, beside the benchmark.

use serde::{Deserialize, Serialize};
use tidegate_market::Timestamp;

/// One performance metric of the strategy and of the benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricRow {
    /// The metric's name in `metrics.json`, such as `sharpe_ratio`.
    pub key: String,
    /// The metric's name for a reader, such as `Sharpe ratio`.
    pub label: String,
    /// How the value is shown.
    pub unit: MetricUnit,
    /// The strategy's value; `None` when undefined.
    pub strategy: Option<f64>,
    /// The benchmark's value; `None` when undefined or without a benchmark.
    pub benchmark: Option<f64>,
}

/// How a metric's value is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricUnit {
    /// A fraction, shown in percent.
    Percent,
    /// A pure number.
    Ratio,
    /// An amount in the account's currency.
    Money,
    /// A whole number of things.
    Count,
    /// A number of days.
    Days,
    /// A date, in days since 1970-01-01.
    Date,
}

impl MetricRow {
    /// Makes the row of a metric known by its key in `metrics.json`, with label and unit; `None` for an unknown key.
    pub fn known(key: &str, strategy: Option<f64>, benchmark: Option<f64>) -> Option<Self> {
        let (key, label, unit) = KNOWN.iter().find(|(known, ..)| *known == key)?;
        Some(Self { key: (*key).to_owned(), label: (*label).to_owned(), unit: *unit, strategy, benchmark })
    }

    /// Returns the keys that [`MetricRow::known`] accepts, in the order in which a report shows them.
    pub fn known_keys() -> impl Iterator<Item = &'static str> {
        KNOWN.iter().map(|(key, ..)| *key)
    }
}

/// Key, label and unit of the metrics in `metrics.json`.
const KNOWN: [(&str, &str, MetricUnit); 24] = [
    ("total_return", "Total return", MetricUnit::Percent),
    ("cagr", "CAGR", MetricUnit::Percent),
    ("volatility", "Volatility (annual)", MetricUnit::Percent),
    ("sharpe_ratio", "Sharpe ratio", MetricUnit::Ratio),
    ("probabilistic_sharpe_ratio", "Probabilistic Sharpe", MetricUnit::Percent),
    ("deflated_sharpe_ratio", "Deflated Sharpe", MetricUnit::Percent),
    ("sortino_ratio", "Sortino ratio", MetricUnit::Ratio),
    ("calmar_ratio", "Calmar ratio", MetricUnit::Ratio),
    ("omega_ratio", "Omega ratio", MetricUnit::Ratio),
    ("tail_ratio", "Tail ratio", MetricUnit::Ratio),
    ("max_drawdown", "Max drawdown", MetricUnit::Percent),
    ("max_drawdown_periods", "Max drawdown (bars)", MetricUnit::Count),
    ("value_at_risk_95", "Value at risk 95%", MetricUnit::Percent),
    ("conditional_value_at_risk_95", "Expected shortfall 95%", MetricUnit::Percent),
    ("skewness", "Skewness", MetricUnit::Ratio),
    ("kurtosis", "Kurtosis", MetricUnit::Ratio),
    ("alpha", "Alpha (annual)", MetricUnit::Percent),
    ("beta", "Beta", MetricUnit::Ratio),
    ("information_ratio", "Information ratio", MetricUnit::Ratio),
    ("best_period", "Best bar", MetricUnit::Percent),
    ("worst_period", "Worst bar", MetricUnit::Percent),
    ("hit_rate", "Bars with a gain", MetricUnit::Percent),
    ("minimum_track_record_length", "Minimum track record (bars)", MetricUnit::Count),
    ("final_equity", "Final equity", MetricUnit::Money),
];

/// Equity at one time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EquityPoint {
    /// The bar's time label.
    pub time: Timestamp,
    /// The strategy's equity in the account's currency.
    pub strategy: f64,
    /// The benchmark's equity from the same initial cash; `None` where the benchmark has no value.
    pub benchmark: Option<f64>,
}

/// The strategy's return over one calendar month.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MonthlyReturn {
    /// The calendar year.
    pub year: i32,
    /// The month, 1 to 12.
    pub month: u32,
    /// The simple return as a fraction.
    pub value: f64,
}

/// One drawdown of the strategy, from peak to recovery.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DrawdownRow {
    /// The last peak before the loss.
    pub peak: Timestamp,
    /// The deepest point.
    pub valley: Timestamp,
    /// The first time at which the peak was reached again; `None` when it never was.
    pub recovery: Option<Timestamp>,
    /// The loss from peak to valley as a negative fraction.
    pub depth: f64,
    /// Bars from peak to recovery, or to the end of the run.
    pub bars: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_key_brings_its_label_and_unit() {
        let row = MetricRow::known("cagr", Some(0.1), None).expect("known");
        assert_eq!((row.label.as_str(), row.unit), ("CAGR", MetricUnit::Percent));
        assert_eq!(MetricRow::known("sharpe", None, None), None);
    }

    #[test]
    fn every_known_key_is_listed_once() {
        let keys: Vec<_> = MetricRow::known_keys().collect();
        let unique: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(unique.len(), keys.len());
    }
}
