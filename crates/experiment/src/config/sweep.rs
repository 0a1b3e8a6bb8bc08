//! `[sweep]`: which keys are varied.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[sweep]`: every combination of the listed values is one trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SweepConfig {
    /// The metric to rank trials by, a key of `metrics.json`'s `performance`. Most is best, but for volatility, kurtosis, the length of
    /// the drawdown, costs and turnover, of which least is.
    pub objective: String,
    /// Dotted config keys and their values, such as `"strategy.sma_cross.fast_bars" = [5, 10, 20]`.
    #[schemars(with = "BTreeMap<String, Vec<serde_json::Value>>")]
    pub grid: BTreeMap<String, Vec<toml::Value>>,
}
