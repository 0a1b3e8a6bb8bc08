//! `[execution]`: how orders become fills.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_data::ColumnMapping;
use tidegate_market::{BarInterval, BarLabel};

use super::costs::{CommissionConfig, SlippageConfig, SlippageScopeConfig};
use super::delay::Delay;
use super::{BarLabelSchema, OneOrMany};

/// `[execution]`: how orders become fills, and what they cost.
///
/// `fill`, `commission` and `slippage` have no default but that of a `profile`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecutionConfig {
    /// Another engine whose unmodified defaults hold for every key of this table that is not stated, for `account.kind` and
    /// `account.lot_size`, and, without an `account.kind`, for `risk.gross_leverage_max`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileConfig>,
    /// When a market order fills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<FillConfig>,
    /// How prices move inside a bar; missing is `pessimistic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathConfig>,
    /// What fills a limit order inside a bar; missing is `touch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_fill: Option<LimitFillConfig>,
    /// Which orders of one moment fill first; missing, those that only take away from a position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill_order: Option<FillOrderConfig>,
    /// What happens where the account cannot pay at the fill; missing, as many units fill as it can pay for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortfall: Option<ShortfallConfig>,
    /// From when on a stop and a target work; missing, from the fill of their entry on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bracket_legs: Option<BracketLegsConfig>,
    /// How long an order is on its way; missing works from the next event on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<LatencyConfig>,
    /// The most that all fills of an instrument in one bar take of its volume, as a fraction; the rest of an order stays working. At an open it
    /// is the volume of the bar before. Missing is no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_share_max: Option<f64>,
    /// Whether positions are closed at the close of the last bar of every session of `[data.session]`; missing is false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub session_exit: bool,
    /// What happens to positions when the data ends; missing is `keep`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_end: Option<DataEndConfig>,
    /// Finer bars that say how prices moved inside each bar; missing goes by `path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<DetailConfig>,
    /// What a fill pays the broker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commission: Option<CommissionConfig>,
    /// How much worse than the quoted price a fill is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slippage: Option<SlippageConfig>,
    /// Which fills have slippage; missing is `all`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slippage_scope: Option<SlippageScopeConfig>,
    /// How a target weight becomes units; missing is at the close of the decision, without a buffer, costs not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sizing: Option<SizingConfig>,
}

/// An engine whose unmodified defaults are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProfileConfig {
    /// backtesting.py 0.6.6: the next open, sized there with all free equity, whole units, no costs; a spread is paid on entries only.
    BacktestingPy,
    /// vectorbt 1.2.0: the same close, sized there with all free equity, fractions, no costs.
    Vectorbt,
    /// backtrader 1.9.78.123: the next open, sized there from all cash, no costs, all or nothing.
    Backtrader,
    /// zipline-reloaded 3.2.1: the next close, 5 bps of slippage, a tenth of the volume, 0.001 per share, whole shares.
    Zipline,
    /// Lean on daily bars: the next open, sized at the close before it with 0.25 % left alone and fees included, 0.005 per share and at least
    /// 1 per order, whole shares.
    Lean,
}

impl ProfileConfig {
    /// Returns the name as it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BacktestingPy => "backtesting_py",
            Self::Vectorbt => "vectorbt",
            Self::Backtrader => "backtrader",
            Self::Zipline => "zipline",
            Self::Lean => "lean",
        }
    }
}

/// When a market order fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FillConfig {
    /// At the next bar's open.
    NextOpen,
    /// At the next bar's close.
    NextClose,
    /// At the close the decision was made from: optimistic, for parity with other tools.
    SameClose,
    /// At the close the decision was made from, but in the books when the next bar opens: for parity with other tools.
    SameCloseBookedNext,
}

/// How prices move inside a bar, where no finer bars say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PathConfig {
    /// In the order that is worst for the account: of a stop and a target in one bar, the stop.
    Pessimistic,
    /// From the open to the nearer of high and low, to the other, to the close.
    NearestExtreme,
    /// Not at all: orders with a price of their own are looked at the close alone, and fill there.
    CloseOnly,
}

/// Which orders of one moment fill first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FillOrderConfig {
    /// Those that only take away from a position, so that sales pay for purchases.
    ReducingFirst,
    /// The older ones, whatever they do.
    OldestFirst,
}

/// What happens to units that open or add where the account cannot pay for all of them at their fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShortfallConfig {
    /// As many of them fill as it can pay for.
    Trim,
    /// None of them fills.
    Drop,
}

/// From when on the orders that close a position again work, where one request asked for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BracketLegsConfig {
    /// From the fill of the entry on.
    WithEntry,
    /// From the fill of an entry at the market on, and from the next bar on after an entry with a price of its own.
    WithMarketEntry,
    /// From the bar after the entry's on: optimistic, for parity with other tools.
    NextBar,
}

/// What fills a limit order inside a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitFillConfig {
    /// The price touches the limit.
    Touch,
    /// The price goes beyond the limit.
    Penetrate,
}

/// How long an order is on its way; not beside fills at the close of the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LatencyConfig {
    /// Bars of its instrument that pass first.
    Bars(NonZeroU32),
    /// Time, such as `250ms`, `5s` or `1h`: the order works in bars that open at least so long after the decision.
    Time(Delay),
}

/// What happens to positions when the data ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DataEndConfig {
    /// They are kept and valued at the last close.
    Keep,
    /// They are closed in the last bar, as if it had been known to be the last: for parity with other tools.
    Close,
}

/// `[execution.detail]`: finer bars of the same symbols, read as `[data]` is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DetailConfig {
    /// Files, folders or globs, relative to the strategy file.
    pub path: OneOrMany,
    /// The length of a fine bar: `1h`, `5m`.
    #[schemars(with = "String")]
    pub interval: BarInterval,
    /// Which end of the fine bar the file's time names; missing is `data.timestamp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BarLabelSchema>")]
    pub timestamp: Option<BarLabel>,
    /// Names of the columns in the files, where they are not the usual ones.
    #[serde(default)]
    pub columns: ColumnMapping,
}

/// How a target weight becomes units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SizingConfig {
    /// At the close of the decision, with its prices and equity.
    AtDecision(AtDecisionConfig),
    /// At the fill, where a position opens: as much as the weight's share of free equity pays for, costs included.
    AtFill(AtFillConfig),
}

/// `[execution.sizing.at_decision]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AtDecisionConfig {
    /// The fraction of equity that is left alone.
    pub cash_buffer: f64,
    /// Whether value and commission together must fit, or the value alone.
    pub fees_included: bool,
}

/// `[execution.sizing.at_fill]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AtFillConfig {
    /// The fraction of the budget that is used: 1 where nothing is held back.
    pub budget_fraction: f64,
    /// The price at which the commission of that size is reckoned.
    pub fee_basis: FeeBasisConfig,
}

/// The price at which a commission is reckoned when an order is sized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeeBasisConfig {
    /// The price of the fill, slippage included: what will be charged.
    Fill,
    /// The quoted price, for parity with other tools.
    Quote,
}
