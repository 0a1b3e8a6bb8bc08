//! `[sweep]`: which keys are varied, how, and what is looked for.

mod axis;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use axis::{AxisConfig, Number, RangeConfig, ScaleKind};

/// `[sweep]`: every point that the method picks is one trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SweepConfig {
    /// How points are picked; every combination of the grid where missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<MethodConfig>,
    /// The metric to rank trials by, a column of `trials.parquet`. Most is best, but for volatility, kurtosis, the length of
    /// the drawdown, costs and turnover, of which least is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objective: Option<String>,
    /// Several metrics at once, in place of `objective`: the trials that no other beats in all of them are listed, and the first ranks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objectives: Vec<String>,
    /// Further metrics of each trial, which cost as much as its backtest: `tail_ratio`, `value_at_risk_95`, `conditional_value_at_risk_95`,
    /// `alpha`, `beta`, `information_ratio`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<String>,
    /// Conditions between swept keys that a trial must fulfil, such as `fast_bars < slow_bars`: a full key, or the unique end of one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<String>,
    /// Dotted config keys with their values, such as `"strategy.sma_cross.fast_bars" = [5, 10, 20]` or `{ from = 5, to = 50, step = 5 }`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub grid: BTreeMap<String, AxisConfig>,
    /// Dotted config keys with ranges that need no step, for every method but the grid.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub space: BTreeMap<String, AxisConfig>,
}

/// A file with nothing but a `[sweep]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SweepFile {
    pub(crate) sweep: SweepConfig,
}

/// `[sweep.method]`: how points are picked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum MethodConfig {
    /// Every combination, the last key changing fastest.
    Grid {},
    /// Points drawn one by one.
    Random(DrawsConfig),
    /// Points of which each slice of each key has as many as any other.
    LatinHypercube(DrawsConfig),
    /// A tree-structured Parzen estimator: looks where trials were good.
    Tpe(TpeConfig),
    /// Many trials with few of a resource, the best of them again with more.
    SuccessiveHalving(HalvingConfig),
}

/// `[sweep.method.random]`, `[sweep.method.latin_hypercube]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DrawsConfig {
    /// How many points.
    pub trials: u64,
    /// The seed of the draws; the experiment's where missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// `[sweep.method.tpe]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TpeConfig {
    /// How many points.
    pub trials: u64,
    /// The first of them, which are drawn at random.
    pub startup: u64,
    /// Points that are picked at a time, before any of them is known: the results depend on it, but not on the number of threads.
    pub batch: u64,
    /// Candidates of which the most promising is taken.
    pub candidates: u32,
    /// The seed of the draws; the experiment's where missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// `[sweep.method.successive_halving]`: the first rung has all trials with the least of the resource; each next one has the best part
/// with so many times more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HalvingConfig {
    /// The key that is the resource, a whole number: `training.epochs_max`.
    pub resource: String,
    /// The resource of the first rung.
    pub from: u64,
    /// The most of the resource.
    pub to: u64,
    /// How many times more of the resource the next rung has, and how many times fewer trials.
    pub reduction: u64,
    /// Points drawn for the first rung; every combination of the grid where missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trials: Option<u64>,
    /// The seed of the draws; the experiment's where missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}
