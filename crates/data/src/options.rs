//! How a file is to be read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_market::{BarInterval, BarLabel};

use crate::OffencePolicy;

/// How a file is to be read.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadOptions {
    /// Which columns hold what, where the names do not say.
    pub columns: ColumnMapping,
    /// Which end of the bar the file's times name.
    pub label: BarLabel,
    /// The length of a bar.
    pub interval: BarInterval,
    /// The symbol of files without a symbol column; the file's stem when absent.
    pub symbol: Option<String>,
    /// What happens to rows that break a rule.
    pub policy: OffencePolicy,
    /// Which prices are read.
    pub adjustment: Adjustment,
}

impl ReadOptions {
    /// Returns options that recognise columns by name, stop at the first broken row and read prices as they are.
    pub fn new(interval: BarInterval, label: BarLabel) -> Self {
        Self {
            columns: ColumnMapping::default(),
            label,
            interval,
            symbol: None,
            policy: OffencePolicy::default(),
            adjustment: Adjustment::Raw,
        }
    }
}

/// Which prices are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Adjustment {
    /// As they are in the file.
    Raw,
    /// Prices over, and volumes times, the product of all later values of the column `split_ratio`.
    ///
    /// Returns between bars do not depend on later splits, price levels do.
    Split,
    /// Open, high, low and close times `adjusted_close / close`; volume as in the file.
    ///
    /// Returns between bars do not depend on later dividends, price levels do.
    TotalReturn,
}

/// What happens to files without a volume column, such as indices and currencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingVolume {
    /// Reading stops.
    #[default]
    Error,
    /// Volume is 0 throughout.
    Zero,
}

/// Names of columns in the file; an absent one is recognised by the names that vendors use.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ColumnMapping {
    /// The ticker; a file without one holds one symbol.
    pub symbol: Option<String>,
    /// The time label.
    pub time: Option<String>,
    /// The first price.
    pub open: Option<String>,
    /// The highest price.
    pub high: Option<String>,
    /// The lowest price.
    pub low: Option<String>,
    /// The last price.
    pub close: Option<String>,
    /// The units traded.
    pub volume: Option<String>,
    /// The close adjusted for splits and dividends.
    pub adjusted_close: Option<String>,
    /// New units for one old unit from this bar on; 1 or 0 is no split.
    pub split_ratio: Option<String>,
    /// The times' `chrono` format, such as `%d/%m/%Y %H:%M`; recognised when absent. Times without an offset are UTC.
    pub time_format: Option<String>,
    /// The names of the columns of a file that has no header line.
    pub header: Option<Vec<String>>,
    /// What happens to files without a volume column.
    pub missing_volume: MissingVolume,
}
