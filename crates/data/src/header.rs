//! Which column of a file holds what.

use std::path::Path;

use crate::nearest::{listed, nearest};
use crate::{Adjustment, ColumnMapping, DataError, FileLayout, MissingVolume, QuoteSide, ReadOptions};

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
    Dividend,
    /// The same of a quote's ask, where the mid of both sides is read.
    AskOpen,
    AskHigh,
    AskLow,
    AskClose,
    AskVolume,
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
            Self::Dividend => "dividend",
            Self::AskOpen => "ask_open",
            Self::AskHigh => "ask_high",
            Self::AskLow => "ask_low",
            Self::AskClose => "ask_close",
            Self::AskVolume => "ask_volume",
        }
    }

    /// Returns the names that vendors use, [`plain`], best first.
    const fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Symbol => &["symbol", "ticker"],
            Self::Time => &["time", "timestamp", "datetime", "date", "opentime", "unnamed:0", ""],
            Self::Clock => &[],
            Self::AskOpen => &["askopen"],
            Self::AskHigh => &["askhigh"],
            Self::AskLow => &["asklow"],
            Self::AskClose => &["askclose"],
            Self::AskVolume => &["askvolume"],
            Self::Open => &["open"],
            Self::High => &["high"],
            Self::Low => &["low"],
            Self::Close => &["close", "closelast", "last"],
            Self::Volume => &["volume", "vol"],
            Self::AdjustedClose => &["adjustedclose", "adjclose"],
            Self::SplitRatio => &["splitratio", "splitcoefficient", "splitfactor", "stocksplits"],
            Self::Dividend => &["dividend", "dividends", "dividendamount", "divcash"],
        }
    }

    fn mapped(self, mapping: &ColumnMapping) -> Option<&str> {
        match self {
            Self::Symbol => mapping.symbol.as_deref(),
            Self::Time => mapping.time.as_deref(),
            Self::Open => mapping.open.as_deref(),
            Self::High => mapping.high.as_deref(),
            Self::Low => mapping.low.as_deref(),
            Self::Close => mapping.close.as_deref(),
            Self::Volume => mapping.volume.as_deref(),
            Self::AdjustedClose => mapping.adjusted_close.as_deref(),
            Self::SplitRatio => mapping.split_ratio.as_deref(),
            Self::Dividend => mapping.dividend.as_deref(),
            Self::Clock | Self::AskOpen | Self::AskHigh | Self::AskLow | Self::AskClose | Self::AskVolume => None,
        }
    }
}

/// Finds the columns that reading needs: pairs of what a column holds and its place among `names`.
pub(crate) fn resolve(path: &Path, names: &[String], options: &ReadOptions) -> Result<Vec<(Role, usize)>, DataError> {
    let mapping = &options.columns;
    check_unique(path, names)?;
    let mut columns = Vec::new();
    for role in needed(options) {
        match find(path, names, role, mapping)? {
            Some(place) => columns.push((role, place)),
            None => return Err(missing(path, names, role, mapping)),
        }
    }
    for role in wanted(options) {
        if columns.iter().any(|(found, _)| *found == role) {
            continue;
        }
        match find(path, names, role, mapping)? {
            Some(place) => columns.push((role, place)),
            None if role.mapped(mapping).is_some() => return Err(missing(path, names, role, mapping)),
            None => {}
        }
    }
    let is_action = |role: Role| matches!(role, Role::SplitRatio | Role::Dividend);
    if options.corporate_actions && !columns.iter().any(|(role, _)| is_action(*role)) {
        return Err(missing(path, names, Role::SplitRatio, mapping));
    }
    if mapping.time.is_none() && mapping.layout.is_none() {
        split_time(names, &mut columns);
    }
    Ok(columns)
}

/// Returns what a file must have.
fn needed(options: &ReadOptions) -> Vec<Role> {
    let mut needed = vec![Role::Time, Role::Open, Role::High, Role::Low, Role::Close];
    if options.columns.missing_volume == MissingVolume::Error {
        needed.push(Role::Volume);
    }
    match options.adjustment {
        _ if options.factor_files.is_some() => {}
        Adjustment::Raw => {}
        Adjustment::Split => needed.push(Role::SplitRatio),
        Adjustment::TotalReturn => needed.push(Role::AdjustedClose),
    }
    let quotes = options.columns.layout == Some(FileLayout::LeanQuote);
    if quotes && options.columns.quote_side == Some(QuoteSide::Mid) {
        needed.extend([Role::AskOpen, Role::AskHigh, Role::AskLow, Role::AskClose, Role::AskVolume]);
    }
    needed
}

/// Returns what is read where a file has it.
fn wanted(options: &ReadOptions) -> Vec<Role> {
    let mut wanted = vec![Role::Symbol, Role::Volume];
    if options.corporate_actions {
        wanted.extend([Role::SplitRatio, Role::Dividend]);
    }
    wanted
}

/// Refuses a name that stands for two columns; an empty one is no name.
pub(crate) fn check_unique(path: &Path, names: &[String]) -> Result<(), DataError> {
    for (second, name) in names.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        if let Some(first) = names[..second].iter().position(|earlier| earlier == name) {
            return Err(twice(path, names, first, second));
        }
    }
    Ok(())
}

fn twice(path: &Path, names: &[String], first: usize, second: usize) -> DataError {
    let shown = |place: usize| format!("column {} is `{}`", place + 1, names[place]);
    DataError::DuplicateColumn { path: path.to_owned(), first: shown(first), second: shown(second) }
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

/// Finds a role's column by its mapped name, or by the first vendor's name that occurs; two spellings of that one are refused.
fn find(path: &Path, names: &[String], role: Role, mapping: &ColumnMapping) -> Result<Option<usize>, DataError> {
    if let Some(wanted) = role.mapped(mapping) {
        return Ok(names.iter().position(|name| name == wanted));
    }
    for alias in role.aliases() {
        let mut places = (0..names.len()).filter(|place| plain(&names[*place]) == *alias);
        match (places.next(), places.next()) {
            (Some(first), Some(second)) if !alias.is_empty() => return Err(twice(path, names, first, second)),
            (Some(first), _) => return Ok(Some(first)),
            (None, _) => {}
        }
    }
    Ok(None)
}

fn missing(path: &Path, names: &[String], role: Role, mapping: &ColumnMapping) -> DataError {
    let wanted = role.mapped(mapping).unwrap_or(role.name());
    let near = nearest(wanted, names.iter().map(String::as_str));
    let hint = match near {
        Some(name) => format!("; hint: if it is `{name}`, map `{}` to that", role.name()),
        None if role == Role::SplitRatio && mapping.split_ratio.is_none() => {
            "; hint: map `split_ratio` or `dividend` to the columns that hold them".to_owned()
        }
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
pub(crate) fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '<' | '>' | ' ' | '_' | '-' | '/' | '.'))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Layout;
    use crate::layout::layout;
    use tidegate_market::BarLabel;

    fn options(mapping: &ColumnMapping) -> ReadOptions {
        let options = ReadOptions::new("1d".parse().expect("valid"), BarLabel::Open);
        ReadOptions { columns: mapping.clone(), ..options }
    }

    fn names(header: &str) -> Vec<String> {
        header.split(',').map(str::to_owned).collect()
    }

    fn check(header: &str, expected: Layout, places: &[usize]) {
        let names = names(header);
        assert_eq!(layout(&names), expected);
        let found = resolve(Path::new("f.csv"), &names, &options(&ColumnMapping::default())).expect("complete");
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
        resolve(Path::new("f.csv"), &names(header), &options(mapping)).expect_err("incomplete").to_string()
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

    #[test]
    fn a_name_that_stands_for_two_columns_is_refused() {
        assert_eq!(
            error("time,open,high,low,close,volume,close", &ColumnMapping::default()),
            "`f.csv` must name each column once: column 5 is `close`, and column 7 is `close`; hint: remove one, or map the columns \
             to be read by their names"
        );
        let spelled = "time,open,high,low,close,volume,Close";
        assert!(error(spelled, &ColumnMapping::default()).contains("column 5 is `close`, and column 7 is `Close`"));
        // Mapped, two spellings are two names.
        let mapping = ColumnMapping { close: Some("Close".to_owned()), ..ColumnMapping::default() };
        let found = resolve(Path::new("f.csv"), &names(spelled), &options(&mapping)).expect("told apart");
        assert!(found.contains(&(Role::Close, 6)));
    }

    #[test]
    fn corporate_actions_need_one_of_their_columns() {
        let asked = ReadOptions { corporate_actions: true, ..options(&ColumnMapping::default()) };
        let found = |header: &str| resolve(Path::new("f.csv"), &names(header), &asked);
        let places = found("date,open,high,low,close,volume,Stock Splits,Dividends").expect("both");
        assert!(places.contains(&(Role::SplitRatio, 6)) && places.contains(&(Role::Dividend, 7)));
        let places = found("date,open,high,low,close,volume,divCash").expect("one");
        assert!(places.contains(&(Role::Dividend, 6)));
        assert_eq!(
            found("date,open,high,low,close,volume").expect_err("neither").to_string(),
            "`f.csv` must have a column `split_ratio`, has `date, open, high, low, close, volume`; hint: map `split_ratio` or \
             `dividend` to the columns that hold them"
        );
    }
}
