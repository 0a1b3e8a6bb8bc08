//! How a file is to be read.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_market::{BarInterval, BarLabel};

use crate::{DataError, FileLayout, OffencePolicy, QuoteSide, SessionSpec, TimeZone};

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
    /// Whether splits and dividends are read from the file's columns, beside raw prices.
    pub corporate_actions: bool,
    /// Lean's factor file, or a folder with one per symbol, named `spy.csv`: the source of adjusted prices instead of the file's columns.
    pub factor_files: Option<PathBuf>,
    /// The zone of times without an offset; UTC when absent. Dates of bars of a day or longer stay dates.
    pub time_zone: Option<TimeZone>,
    /// When the market is open, so that a report counts the gaps inside its sessions only.
    pub session: Option<SessionSpec>,
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
            corporate_actions: false,
            factor_files: None,
            time_zone: None,
            session: None,
        }
    }

    /// Checks the rules that span options.
    ///
    /// # Errors
    /// [`DataError::Policy`] and [`DataError::Setting`].
    pub(crate) fn validate(&self) -> Result<(), DataError> {
        self.policy.validate()?;
        let setting = |name, rule, value: String| Err(DataError::Setting { name, rule, value });
        let columns = &self.columns;
        if let Some(scale) = columns.price_scale.filter(|scale| !(scale.is_finite() && *scale > 0.0)) {
            return setting("price_scale", "finite and above 0", scale.to_string());
        }
        if columns.layout == Some(FileLayout::LeanQuote) && columns.quote_side.is_none() {
            return setting("quote_side", "`bid`, `ask` or `mid` for the layout `lean_quote`", "missing".to_owned());
        }
        if columns.layout != Some(FileLayout::LeanQuote)
            && let Some(side) = columns.quote_side
        {
            return setting("quote_side", "absent without the layout `lean_quote`", format!("{side:?}").to_lowercase());
        }
        if let Some(header) = columns.header.as_ref().filter(|_| columns.layout.is_some()) {
            return setting("header", "absent where `layout` names the columns", header.join(", "));
        }
        if self.corporate_actions && self.adjustment != Adjustment::Raw {
            let found = if self.adjustment == Adjustment::Split { "split" } else { "total_return" };
            return setting("adjustment", "`raw` where corporate actions are read", found.to_owned());
        }
        if let Some(path) = self.factor_files.as_ref().filter(|_| self.adjustment == Adjustment::Raw) {
            let rule = "absent unless `adjustment` is `split` or `total_return`";
            return setting("factor_files", rule, path.display().to_string());
        }
        Ok(())
    }

    /// Returns whether bars are a day or longer, so that their labels are dates.
    pub(crate) fn daily(&self) -> bool {
        self.interval.nanos() >= tidegate_market::Timestamp::NANOS_PER_DAY
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
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
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
    /// Cash per unit, for who held it before this bar; 0 is none.
    pub dividend: Option<String>,
    /// The times' `chrono` format, such as `%d/%m/%Y %H:%M`; recognised when absent. Times without an offset are in the data's time zone.
    pub time_format: Option<String>,
    /// The names of the columns of a file that has no header line.
    pub header: Option<Vec<String>>,
    /// A layout without a header that the file does not show.
    pub layout: Option<FileLayout>,
    /// The side of a quote that becomes bars; needed for the layout `lean_quote`.
    pub quote_side: Option<QuoteSide>,
    /// Money per unit of the file's numbers: 0.0001 for prices written times 10000. Applies to prices, adjusted closes and dividends.
    pub price_scale: Option<f64>,
    /// What happens to files without a volume column.
    pub missing_volume: MissingVolume,
}
