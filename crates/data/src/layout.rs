//! How a file's columns are arranged, by the vendor whose habits it follows.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::header::plain;

/// The vendor whose habits a file's columns follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// `symbol, time, open, high, low, close, volume`.
    Canonical,
    /// `Date,Open,High,Low,Close,Adj Close,Volume`.
    Yahoo,
    /// `timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient`.
    AlphaVantage,
    /// `<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,...`.
    Stooq,
    /// Klines: `open_time` in milliseconds, 11 or 12 columns, often without a header.
    Binance,
    /// An unnamed index column first.
    Pandas,
    /// No header line: time, open, high, low, close, volume.
    Headerless,
    /// Trades of Lean: [`FileLayout::LeanTrade`].
    LeanTrade,
    /// Quotes of Lean: [`FileLayout::LeanQuote`].
    LeanQuote,
    /// Other names, recognised one by one or mapped.
    Named,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Canonical => "canonical",
            Self::Yahoo => "yahoo",
            Self::AlphaVantage => "alpha_vantage",
            Self::Stooq => "stooq",
            Self::Binance => "binance",
            Self::Pandas => "pandas",
            Self::Headerless => "headerless",
            Self::LeanTrade => "lean_trade",
            Self::LeanQuote => "lean_quote",
            Self::Named => "named",
        })
    }
}

/// A layout without a header that cannot be told from the file, and is stated.
///
/// Daily and hourly files hold all days, with times `yyyyMMdd HH:mm`, and are named by their symbol: `spy.zip`, `eurusd_quote.zip`.
/// Files of shorter bars hold one day, with milliseconds since midnight, are named by it and lie in a folder named by their symbol:
/// `spy/20131007_trade.zip`. A folder or pattern that holds trades and quotes gives those of the layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileLayout {
    /// Time, open, high, low, close, volume.
    LeanTrade,
    /// Time, then open, high, low, close and last size of the bid, then of the ask. `quote_side` says which become bars.
    LeanQuote,
}

impl FileLayout {
    /// Returns the layout as a report names it.
    pub(crate) const fn named(self) -> Layout {
        match self {
            Self::LeanTrade => Layout::LeanTrade,
            Self::LeanQuote => Layout::LeanQuote,
        }
    }
}

/// Which prices of a quote become the bar's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuoteSide {
    /// What buyers offer; volume is the last bid size.
    Bid,
    /// What sellers ask; volume is the last ask size.
    Ask,
    /// The mean of both; volume is the smaller last size.
    Mid,
}

/// Names the layout of a file that has a header.
pub(crate) fn layout(names: &[String]) -> Layout {
    let plain: Vec<String> = names.iter().map(|name| self::plain(name)).collect();
    let has = |name: &str| plain.iter().any(|found| found == name);
    if names.first().is_some_and(|name| name.starts_with('<')) {
        Layout::Stooq
    } else if has("opentime") {
        Layout::Binance
    } else if has("splitcoefficient") {
        Layout::AlphaVantage
    } else if has("date") && has("adjclose") {
        Layout::Yahoo
    } else if plain.first().is_some_and(|name| name.is_empty() || name == "unnamed:0") {
        Layout::Pandas
    } else if ["time", "open", "high", "low", "close", "volume"].iter().all(|wanted| names.iter().any(|n| n == wanted))
    {
        Layout::Canonical
    } else {
        Layout::Named
    }
}

/// Names the layout of a file without a header from the width and the first field of its first row.
pub(crate) fn headerless_layout(width: usize, first_field: &str) -> Layout {
    let counts = first_field.len() >= 13 && first_field.bytes().all(|byte| byte.is_ascii_digit());
    if matches!(width, 11 | 12) && counts { Layout::Binance } else { Layout::Headerless }
}
