//! `[data]`: where the bars come from, and what happens to who holds them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use tidegate_data::{Adjustment, ColumnMapping, OffencePolicy, SessionSpec, TimeZone};
use tidegate_market::{BarInterval, BarLabel, Timestamp, TradingCalendar};

use super::account::RateFileConfig;

/// `[data]`: where the bars come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// Files, folders or globs, relative to the strategy file.
    pub path: OneOrMany,
    /// The symbols to load; their order breaks ties between instruments.
    pub symbols: Vec<String>,
    /// The length of a bar: `1d`, `1h`, `5m`.
    #[schemars(with = "String")]
    pub interval: BarInterval,
    /// Which end of the bar the file's time names; a date names the session, which is `open`.
    #[schemars(with = "BarLabelSchema")]
    pub timestamp: BarLabel,
    /// How many bars make a year, where the calendar's own count is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub periods_per_year: Option<f64>,
    /// When the market trades: `sessions` (252 days a year) or `round_the_clock` (365).
    #[schemars(with = "TradingCalendarSchema")]
    pub calendar: TradingCalendar,
    /// The first bar to use: a date or a time, with or without quotes.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "moment")]
    #[schemars(with = "Option<String>")]
    pub start: Option<Timestamp>,
    /// The last bar to use: a date, which means its whole day, or a time; with or without quotes.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "moment")]
    #[schemars(with = "Option<String>")]
    pub end: Option<Timestamp>,
    /// Names of the columns in the file, where they are not the usual ones.
    #[serde(default)]
    pub columns: ColumnMapping,
    /// What to do with rows that break a rule: `error` unless stated.
    #[serde(default)]
    pub policy: OffencePolicy,
    /// Which corporate actions prices are adjusted for, by the file's adjusted close or split ratio, or by `factor_files`.
    pub adjustment: Adjustment,
    /// Lean's factor file, or a folder with one per symbol, relative to the strategy file: adjusts prices in place of the file's columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor_files: Option<PathBuf>,
    /// Splits, dividends and delistings as events that positions go through; `adjustment` must be `raw` then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corporate_actions: Option<CorporateActionsConfig>,
    /// The zone of times without an offset, such as `America/New_York`; missing is UTC. Dates stay dates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<TimeZone>,
    /// The opening hours of the market: days begin and end with them, and bars shorter than a day that open outside are left out. Missing
    /// keeps every bar and counts days in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionSpec>,
    /// Exchange rates by the currency of the instruments: money of the account for one of its units.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fx: BTreeMap<String, RateFileConfig>,
}

/// `[data.corporate_actions]`: orders fill at raw prices, and positions go through splits, dividends, delistings and changes of symbol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CorporateActionsConfig {
    /// Which events the prices that features, forecasts and strategies see make up for, point in time.
    pub signals: SignalsConfig,
    /// A file with the columns `symbol, time, kind, value`, relative to the strategy file; missing reads the columns of splits and dividends
    /// in the files of bars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
}

/// Which events the prices that features, forecasts and strategies see make up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignalsConfig {
    /// None: prices jump at a split.
    Raw,
    /// Splits.
    Split,
    /// Splits and dividends.
    TotalReturn,
}

/// Reads a moment as text or as TOML's own date or time.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = match toml::Value::deserialize(deserializer)? {
        toml::Value::String(text) => text,
        toml::Value::Datetime(datetime) => datetime.to_string(),
        other => return Err(D::Error::custom(format!("must be a date or a time, was {}", other.type_str()))),
    };
    text.parse().map(Some).map_err(D::Error::custom)
}

/// A path, or a list of paths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "toml::Value", into = "toml::Value")]
#[schemars(with = "OneOrManySchema")]
pub struct OneOrMany(pub Vec<PathBuf>);

impl TryFrom<toml::Value> for OneOrMany {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        let text = |value: toml::Value| match value {
            toml::Value::String(text) => Ok(PathBuf::from(text)),
            other => Err(format!("path must be text or a list of texts, was {}", other.type_str())),
        };
        match value {
            toml::Value::Array(items) if items.is_empty() => Err("path must name at least one file".to_owned()),
            toml::Value::Array(items) => items.into_iter().map(text).collect::<Result<_, _>>().map(Self),
            single => text(single).map(|path| Self(vec![path])),
        }
    }
}

impl From<OneOrMany> for toml::Value {
    fn from(paths: OneOrMany) -> Self {
        let mut texts: Vec<Self> =
            paths.0.into_iter().map(|path| Self::String(path.to_string_lossy().into_owned())).collect();
        if texts.len() == 1 { texts.remove(0) } else { Self::Array(texts) }
    }
}

/// The schema of a path or a list of paths.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes the accepted forms for editors; values are read by `OneOrMany`")]
enum OneOrManySchema {
    One(String),
    Many(Vec<String>),
}

/// The schema of [`BarLabel`].
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the accepted forms for editors")]
pub(crate) enum BarLabelSchema {
    Open,
    Close,
}

/// The schema of [`TradingCalendar`].
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the accepted forms for editors")]
enum TradingCalendarSchema {
    Sessions,
    RoundTheClock,
}
