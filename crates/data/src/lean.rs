//! What the names of Lean's files say, and the columns that they hold.

use std::path::Path;

use chrono::NaiveDate;
use tidegate_market::Timestamp;

use crate::source::stem_and_format;
use crate::{FileLayout, QuoteSide};

/// What a file's name and folder say of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeanFile {
    /// The symbol, as it is spelled there.
    pub(crate) symbol: String,
    /// Midnight of the day whose milliseconds the file counts, as local nanoseconds.
    pub(crate) midnight: Option<i64>,
}

/// Reads a file's name: `spy/20131007_trade.zip` is a day of `spy`, `btcusd_trade.zip` all days of `btcusd`.
pub(crate) fn describe(path: &Path) -> LeanFile {
    let stem = stem(path);
    let Some(midnight) =
        stem.get(..8).filter(|_| matches!(stem.as_bytes().get(8), None | Some(b'_'))).and_then(midnight)
    else {
        let symbol = stem.strip_suffix("_trade").or_else(|| stem.strip_suffix("_quote")).unwrap_or(&stem);
        return LeanFile { symbol: symbol.to_owned(), midnight: None };
    };
    let folder = path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    LeanFile { symbol: folder.unwrap_or(stem), midnight: Some(midnight) }
}

/// Tells whether a file of a folder can be of a layout: quotes are not trades.
pub(crate) fn belongs(path: &Path, layout: FileLayout) -> bool {
    let stem = stem(path);
    let others: &[&str] = match layout {
        FileLayout::LeanTrade => &["_quote", "_openinterest"],
        FileLayout::LeanQuote => &["_trade", "_openinterest"],
    };
    !others.iter().any(|other| stem.ends_with(other))
}

/// Names the columns of a layout. Those of the side that is read have the usual names.
pub(crate) fn names(layout: FileLayout, side: QuoteSide) -> Vec<String> {
    const VALUES: [&str; 5] = ["open", "high", "low", "close", "volume"];
    let plain = VALUES.map(str::to_owned);
    let prefixed = |side: &str| VALUES.map(|value| format!("{side}_{value}"));
    let sides: Vec<[String; 5]> = match (layout, side) {
        (FileLayout::LeanTrade, _) => vec![plain],
        (FileLayout::LeanQuote, QuoteSide::Ask) => vec![prefixed("bid"), plain],
        (FileLayout::LeanQuote, QuoteSide::Bid | QuoteSide::Mid) => vec![plain, prefixed("ask")],
    };
    std::iter::once("time".to_owned()).chain(sides.into_iter().flatten()).collect()
}

fn stem(path: &Path) -> String {
    stem_and_format(path).map_or_else(String::new, |(stem, _)| stem)
}

fn midnight(digits: &str) -> Option<i64> {
    let date = NaiveDate::parse_from_str(digits, "%Y%m%d").ok()?;
    Timestamp::from_date(date).map(Timestamp::nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, symbol: &str, date: Option<&str>) {
        let midnight = date.map(|date| date.parse::<Timestamp>().expect("valid").nanos());
        assert_eq!(describe(Path::new(path)), LeanFile { symbol: symbol.to_owned(), midnight });
    }

    #[test]
    fn the_name_tells_symbol_and_day() {
        check("equity/usa/minute/spy/20131007_trade.zip", "spy", Some("2013-10-07"));
        check("minute/spy/20131007_spy_minute_trade.csv", "spy", Some("2013-10-07"));
        check("equity/usa/daily/spy.zip", "spy", None);
        check("crypto/coinbase/daily/btcusd_trade.zip", "btcusd", None);
        // Eight digits that are no date, and digits that do not end there, are a symbol.
        check("daily/20131332.zip", "20131332", None);
        check("daily/201310071.zip", "201310071", None);
    }

    #[test]
    fn quotes_are_not_trades() {
        let kept = |layout| {
            ["a/20131007_trade.zip", "a/20131007_quote.zip", "a/eurusd.zip"]
                .map(|path| belongs(Path::new(path), layout))
        };
        assert_eq!(kept(FileLayout::LeanTrade), [true, false, true]);
        assert_eq!(kept(FileLayout::LeanQuote), [false, true, true]);
    }

    #[test]
    fn the_side_that_is_read_has_the_usual_names() {
        assert_eq!(names(FileLayout::LeanQuote, QuoteSide::Ask)[6..8], ["open", "high"]);
        assert_eq!(names(FileLayout::LeanQuote, QuoteSide::Mid)[6..8], ["ask_open", "ask_high"]);
        assert_eq!(names(FileLayout::LeanTrade, QuoteSide::Bid).len(), 6);
    }
}
