//! The outcome of a statistical test.

use serde::{Deserialize, Serialize};

/// The outcome of a statistical test: small p-values speak against what the test assumes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestOutcome {
    /// The test statistic.
    pub statistic: f64,
    /// The probability of a statistic at least as extreme, if what the test assumes is true.
    pub p_value: f64,
}
