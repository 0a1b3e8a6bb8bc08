//! What a check of robustness found, as it is stored.

use serde::{Deserialize, Serialize};

use super::costs::CostsAnswer;
use super::execution::ExecutionAnswer;
use super::intervals::IntervalsAnswer;
use super::periods::PeriodsAnswer;
use super::trade_order::TradeOrderAnswer;
use super::trader::{Variant, VariantResult};

/// How a result changes when its assumptions do: the content of `robustness.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RobustnessReport {
    /// The experiment's title.
    pub name: String,
    /// The hash of the config.
    pub config_hash: String,
    /// The hash of everything that it reads.
    pub data_hash: String,
    /// The version that checked.
    pub version: String,
    /// The result of the run itself.
    pub actual: VariantResult,
    /// Other trading costs.
    pub costs: CostsAnswer,
    /// Orders that arrive so many bars later than in the run.
    pub delay: Vec<Variant>,
    /// Other paths inside a bar and other moments of fills.
    pub execution: ExecutionAnswer,
    /// Parts of the time.
    pub periods: PeriodsAnswer,
    /// Other orders of the trades.
    pub trade_order: TradeOrderAnswer,
    /// Resampled returns.
    pub intervals: IntervalsAnswer,
}
