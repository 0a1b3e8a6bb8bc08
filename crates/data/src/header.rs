//! Which column of a file holds what.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use crate::nearest::{listed, nearest};
use crate::{Adjustment, ColumnMapping, DataError, MissingVolume};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Symbol,
    Time,
    /// The time of day, where the date has a column of its own.
    Clock,
    Open,
    High,
    Low,
    Close,
    Volume,
    AdjustedClose,
    SplitRatio,
}

impl Role {
    /// Returns the canonical column name.
    const fn name(self) -> &'static str {
        match self {
            Self::Symbol => "symbol",
            Self::Time | Self::Clock => "time",
            Self::Open => "open",
            Self::High => "high",
            Self::Low => "low",
            Self::Close => "close",
            Self::Volume => "volume",
            Self::AdjustedClose => "adjusted_close",
            Self::SplitRatio => "split_ratio",
        }
    }

    /// Returns the names that vendors use, [`plain`], best first.
    const fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Symbol => &["symbol", "ticker"],
            Self::Time => &["time", "timestamp", "datetime", "date", "opentime", "unnamed:0", ""],
            Self::Clock => &[],
            Self::Open => &["open"],
            Self::High => &["high"],
            Self::Low => &["low"],
            Self::Close => &["close", "closelast", "last"],
            Self::Volume => &["volume", "vol"],
            Self::AdjustedClose => &["adjustedclose", "adjclose"],
            Self::SplitRatio => &["splitratio", "splitcoefficient", "stocksplits"],
        }
    }

    fn mapped(self, mapping: &ColumnMapping) -> Option<&str> {
        match self {
            Self::Symbol => mapping.symbol.as_deref(),
            Self::Time => mapping.time.as_deref(),
            Self::Clock => None,
            Self::Open => mapping.open.as_deref(),
            Self::High => mapping.high.as_deref(),
            Self::Low => mapping.low.as_deref(),
            Self::Close => mapping.close.as_deref(),
            Self::Volume => mapping.volume.as_deref(),
            Self::AdjustedClose => mapping.adjusted_close.as_deref(),
            Self::SplitRatio => mapping.split_ratio.as_deref(),
        }
    }
}

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
            Self::Named => "named",
        })
    }
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

/// Finds the columns that reading needs: pairs of what a column holds and its place among `names`.
pub(crate) fn resolve(
    path: &Path,
    names: &[String],
    mapping: &ColumnMapping,
    adjustment: Adjustment,
) -> Result<Vec<(Role, usize)>, DataError> {
    let mut needed = vec![Role::Time, Role::Open, Role::High, Role::Low, Role::Close];
    if mapping.missing_volume == MissingVolume::Error {
        needed.push(Role::Volume);
    }
    match adjustment {
        Adjustment::Raw => {}
        Adjustment::Split => needed.push(Role::SplitRatio),
        Adjustment::TotalReturn => needed.push(Role::AdjustedClose),
    }
    let mut columns = Vec::new();
    for role in needed {
        let place = find(names, role, mapping).ok_or_else(|| missing(path, names, role, mapping))?;
        columns.push((role, place));
    }
    for role in [Role::Symbol, Role::Volume] {
        if columns.iter().all(|(found, _)| *found != role) {
            match find(names, role, mapping) {
                Some(place) => columns.push((role, place)),
                None if role.mapped(mapping).is_some() => return Err(missing(path, names, role, mapping)),
                None => {}
            }
        }
    }
    if mapping.time.is_none() {
        split_time(names, &mut columns);
    }
    Ok(columns)
}

/// Where both `date` and `time` exist, the first is the date and the second the time of day.
fn split_time(names: &[String], columns: &mut Vec<(Role, usize)>) {
    let place = |wanted: &str| names.iter().position(|name| plain(name) == wanted);
    if let (Some(date), Some(clock)) = (place("date"), place("time")) {
        for column in columns.iter_mut().filter(|(role, _)| *role == Role::Time) {
            column.1 = date;
        }
        columns.push((Role::Clock, clock));
    }
}

fn find(names: &[String], role: Role, mapping: &ColumnMapping) -> Option<usize> {
    match role.mapped(mapping) {
        Some(wanted) => names.iter().position(|name| name == wanted),
        None => role.aliases().iter().find_map(|alias| names.iter().position(|name| plain(name) == *alias)),
    }
}

fn missing(path: &Path, names: &[String], role: Role, mapping: &ColumnMapping) -> DataError {
    let wanted = role.mapped(mapping).unwrap_or(role.name());
    let near = nearest(wanted, names.iter().map(String::as_str));
    let hint = match near {
        Some(name) => format!("; hint: if it is `{name}`, map `{}` to that", role.name()),
        None if role == Role::Volume => "; hint: for prices without volume set `missing_volume` to `zero`".to_owned(),
        None => String::new(),
    };
    DataError::MissingColumn {
        path: path.to_owned(),
        column: wanted.to_owned(),
        found: listed(names.iter().map(String::as_str)),
        hint,
    }
}

/// Returns a name in lower case without brackets, blanks and punctuation.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '<' | '>' | ' ' | '_' | '-' | '/' | '.'))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(header: &str) -> Vec<String> {
        header.split(',').map(str::to_owned).collect()
    }

    fn check(header: &str, expected: Layout, places: &[usize]) {
        let names = names(header);
        assert_eq!(layout(&names), expected);
        let found = resolve(Path::new("f.csv"), &names, &ColumnMapping::default(), Adjustment::Raw).expect("complete");
        assert_eq!(found.iter().map(|(_, place)| *place).collect::<Vec<_>>(), places);
    }

    #[test]
    fn vendors_are_recognised_by_their_header() {
        check("symbol,time,open,high,low,close,volume", Layout::Canonical, &[1, 2, 3, 4, 5, 6, 0]);
        check("Date,Open,High,Low,Close,Adj Close,Volume", Layout::Yahoo, &[0, 1, 2, 3, 4, 6]);
        check(
            "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient",
            Layout::AlphaVantage,
            &[0, 1, 2, 3, 4, 6],
        );
        check(
            "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
            Layout::Stooq,
            &[2, 4, 5, 6, 7, 8, 0, 3],
        );
        check("open_time,open,high,low,close,volume,close_time,quote_volume", Layout::Binance, &[0, 1, 2, 3, 4, 5]);
        check(",Open,High,Low,Close,Volume", Layout::Pandas, &[0, 1, 2, 3, 4, 5]);
        check("Date,Close/Last,Volume,Open,High,Low", Layout::Named, &[0, 3, 4, 5, 1, 2]);
    }

    fn error(header: &str, mapping: &ColumnMapping) -> String {
        resolve(Path::new("f.csv"), &names(header), mapping, Adjustment::Raw).expect_err("incomplete").to_string()
    }

    #[test]
    fn a_missing_column_lists_those_found() {
        assert_eq!(
            error("time,open,low,close,volume", &ColumnMapping::default()),
            "`f.csv` must have a column `high`, has `time, open, low, close, volume`"
        );
        assert_eq!(
            error("time,open,high,low,close", &ColumnMapping::default()),
            "`f.csv` must have a column `volume`, has `time, open, high, low, close`; hint: for prices without volume set \
             `missing_volume` to `zero`"
        );
    }

    #[test]
    fn a_misspelled_column_is_offered() {
        assert_eq!(
            error("time,open,high,low,clsoe,volume", &ColumnMapping::default()),
            "`f.csv` must have a column `close`, has `time, open, high, low, clsoe, volume`; hint: if it is `clsoe`, map `close` to that"
        );
    }

    #[test]
    fn a_mapped_column_must_be_there_by_that_name() {
        let mapping = ColumnMapping { close: Some("Settle".to_owned()), ..ColumnMapping::default() };
        assert_eq!(
            error("time,open,high,low,settel,volume", &mapping),
            "`f.csv` must have a column `Settle`, has `time, open, high, low, settel, volume`; hint: if it is `settel`, map `close` to that"
        );
    }
}
