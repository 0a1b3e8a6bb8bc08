//! Runs side by side: plain numbers that somebody else computed, and their text.
//!
//! Runs are numbered from one, in the order in which they were named; every difference is a run's value less the first run's.

mod text;

use std::path::PathBuf;

use serde::Serialize;
use tidegate_market::Timestamp;

use crate::MetricUnit;

pub use text::comparison;

/// Runs side by side, with tests of each against the first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The runs, in the order in which they were named.
    pub runs: Vec<ComparedRun>,
    /// What makes the comparison less than fair.
    pub warnings: Vec<String>,
    /// The metrics that each run stored, over its own span.
    pub metrics: Vec<ComparedMetric>,
    /// The periods that all runs share, on which alone they are tested.
    pub paired: PairedPeriods,
    /// How the differences were resampled.
    pub bootstrap: PairedBootstrap,
    /// Every run but the first against the first.
    pub tests: Vec<PairedTests>,
    /// The config keys whose values are not the same in all runs.
    pub config_differences: Vec<ConfigDifference>,
}

/// What was run on what.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparedRun {
    /// The run's number, from one.
    pub number: usize,
    /// The run directory as it was named.
    pub run_dir: PathBuf,
    /// The run's title.
    pub name: String,
    /// The hash of the config.
    pub config_hash: String,
    /// The hash of everything that was read.
    pub data_hash: String,
    /// The hash of the bars alone.
    pub bars_hash: String,
    /// The seed.
    pub seed: u64,
    /// The length of a bar, as in the config.
    pub interval: String,
    /// When market orders filled.
    pub fill: String,
    /// The first bar's time label.
    pub first_bar: Timestamp,
    /// The last bar's time label.
    pub last_bar: Timestamp,
    /// How many bars were traded.
    pub bars: usize,
}

/// Which values of a metric are the better ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BetterWhen {
    /// Higher values.
    Higher,
    /// Lower values.
    Lower,
    /// Neither: the metric describes and does not judge.
    Neither,
}

/// One metric of every run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparedMetric {
    /// The metric's name in `metrics.json`.
    pub key: String,
    /// The metric's name for a reader.
    pub label: String,
    /// How the values are shown.
    pub unit: MetricUnit,
    /// Which values are better.
    pub better_when: BetterWhen,
    /// Run by run; null where undefined.
    pub values: Vec<Option<f64>>,
    /// The numbers of the runs with the best value; empty where all are equal or no value is better.
    pub best: Vec<usize>,
}

/// The periods between the times that all runs share.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairedPeriods {
    /// How many returns were paired.
    pub returns: usize,
    /// The first common time label, where the first paired return starts.
    pub first: Timestamp,
    /// The last common time label.
    pub last: Timestamp,
    /// What annualized: periods a year.
    pub periods_per_year: f64,
    /// The risk-free rate a year, as a fraction.
    pub risk_free_rate: f64,
    /// The annual Sharpe ratio of each run over these periods; null where undefined.
    pub sharpe_ratios: Vec<Option<f64>>,
}

/// How the paired returns were resampled, by the stationary bootstrap.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PairedBootstrap {
    /// How many resamples.
    pub resamples: usize,
    /// The mean length of a block, in periods.
    pub mean_block_length: f64,
    /// The seed.
    pub seed: u64,
    /// The confidence of the intervals.
    pub confidence: f64,
}

/// One run against the first, on the paired periods.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairedTests {
    /// The run's number.
    pub run: usize,
    /// The number of the run it is tested against.
    pub against: usize,
    /// The correlation of their returns; null where one does not vary.
    pub correlation: Option<f64>,
    /// The difference of the annual Sharpe ratios; null where undefined.
    pub sharpe_ratio_difference: Option<PairedEstimate>,
    /// The difference of the mean returns, a fraction a year; null where undefined.
    pub mean_return_difference: Option<PairedEstimate>,
    /// The test for equal Sharpe ratios that takes returns for normal and independent; null where undefined.
    pub jobson_korkie: Option<EqualSharpeTest>,
}

/// A difference with its interval and p-value, by the paired bootstrap.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PairedEstimate {
    /// The run's value less the first run's.
    pub estimate: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// The lower end of the studentized interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The two-sided p-value of no difference.
    pub p_value: f64,
    /// The p-value adjusted by Holm over the comparisons.
    pub p_value_holm: f64,
}

/// The outcome of the test of Jobson and Korkie.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct EqualSharpeTest {
    /// The test statistic, positive where the run's ratio is the higher one.
    pub statistic: f64,
    /// The two-sided p-value of no difference.
    pub p_value: f64,
    /// The p-value adjusted by Holm over the comparisons.
    pub p_value_holm: f64,
}

/// A config key whose value is not the same in all runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConfigDifference {
    /// The dotted key, such as `execution.commission.bps`.
    pub key: String,
    /// Run by run; null where the key is not set.
    pub values: Vec<Option<serde_json::Value>>,
}
