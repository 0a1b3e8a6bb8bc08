//! Lean's factor files: adjusted prices from raw ones.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use tidegate_market::{BarColumns, BarLabel, Bars, Timestamp};

use crate::cells::mistyped;
use crate::{Adjustment, DataError, ReadOptions, SignalAdjustment, TimeZone};

/// One row: the factors of bars up to and including its date.
#[derive(Debug, Clone, Copy, PartialEq)]
struct FactorRow {
    date: NaiveDate,
    price_factor: f64,
    split_factor: f64,
}

/// The factors of one instrument: rows `yyyyMMdd,price_factor,split_factor,reference_price` without a header.
///
/// A bar's factors are those of the first row at or after its date. The adjusted price is the price times both (for splits alone: times the split
/// factor), the adjusted volume is the volume over the split factor. As in any vendor's adjusted series, price levels depend on later events;
/// returns between bars do not.
#[derive(Debug, Clone, PartialEq)]
pub struct FactorFile {
    path: PathBuf,
    /// In the order of their dates.
    rows: Vec<FactorRow>,
}

/// Reads a factor file.
///
/// # Errors
/// [`DataError`] for a file that is missing or empty, and for the first line that is not as it must be.
pub fn read_factor_file(path: &Path) -> Result<FactorFile, DataError> {
    let text = fs::read_to_string(path).map_err(|source| DataError::Read { path: path.to_owned(), source })?;
    let mut rows = Vec::new();
    for (place, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        rows.push(factor_row(path, place + 1, line)?);
    }
    if rows.is_empty() {
        return Err(DataError::Empty { path: path.to_owned() });
    }
    rows.sort_by_key(|row| row.date);
    Ok(FactorFile { path: path.to_owned(), rows })
}

fn factor_row(path: &Path, line: usize, text: &str) -> Result<FactorRow, DataError> {
    let mut fields = text.split(',').map(str::trim);
    let mut next = || fields.next().unwrap_or("missing");
    let (date, price_factor, split_factor) = (next(), next(), next());
    let factor = |column, text: &str| {
        let found = text.parse().ok().filter(|factor: &f64| factor.is_finite() && *factor > 0.0);
        found.ok_or_else(|| mistyped(path, line, column, "numbers above 0", text))
    };
    Ok(FactorRow {
        date: NaiveDate::parse_from_str(date, "%Y%m%d")
            .map_err(|_| mistyped(path, line, "date", "dates `yyyyMMdd`", date))?,
        price_factor: factor("price_factor", price_factor)?,
        split_factor: factor("split_factor", split_factor)?,
    })
}

impl FactorFile {
    /// Returns adjusted bars. Dates are those of the bars' opens in a time zone, or of UTC.
    ///
    /// # Errors
    /// [`DataError::Factors`] for a bar after the last row; [`DataError::Forward`] when prices leave the range of numbers.
    pub fn adjusted(
        &self,
        bars: &Bars,
        adjustment: SignalAdjustment,
        time_zone: Option<TimeZone>,
    ) -> Result<Bars, DataError> {
        let mut columns = bars.columns().clone();
        let dates: Vec<NaiveDate> = (0..bars.len()).map(|row| date(bars.open_time(row), time_zone)).collect();
        self.adjust(&mut columns, &dates, adjustment)?;
        Bars::new(columns, bars.label(), bars.interval()).map_err(|source| DataError::Forward { source })
    }

    fn adjust(
        &self,
        columns: &mut BarColumns,
        dates: &[NaiveDate],
        adjustment: SignalAdjustment,
    ) -> Result<(), DataError> {
        for (row, date) in dates.iter().enumerate() {
            let place = self.rows.partition_point(|row| row.date < *date);
            let Some(factors) = self.rows.get(place) else {
                let last = self.rows.last().map_or_else(String::new, |row| row.date.to_string());
                return Err(DataError::Factors { path: self.path.clone(), last, bar: columns.time[row] });
            };
            let factor = match adjustment {
                SignalAdjustment::Split => factors.split_factor,
                SignalAdjustment::TotalReturn => factors.price_factor * factors.split_factor,
            };
            for column in [&mut columns.open, &mut columns.high, &mut columns.low, &mut columns.close] {
                column[row] *= factor;
            }
            columns.volume[row] /= factors.split_factor;
        }
        Ok(())
    }
}

/// Returns the date on which a bar opens; that of a daily bar is its label, whatever the zone.
fn date(open: Timestamp, time_zone: Option<TimeZone>) -> NaiveDate {
    match time_zone {
        Some(zone) if open.nanos() % Timestamp::NANOS_PER_DAY != 0 => zone.local(open).date(),
        _ => open.date(),
    }
}

/// The factor files of the symbols that are read.
pub(crate) struct Factors(Vec<(String, FactorFile)>);

impl Factors {
    /// Reads the files that the options name, one for each symbol.
    pub(crate) fn of(options: &ReadOptions, symbols: &[String]) -> Result<Option<Self>, DataError> {
        let Some(path) = &options.factor_files else {
            return Ok(None);
        };
        if !path.is_dir() && symbols.len() > 1 {
            return Err(DataError::Setting {
                name: "factor_files",
                rule: "a folder with a file `SYMBOL.csv` for each of several symbols",
                value: path.display().to_string(),
            });
        }
        let read = |symbol: &String| Ok((symbol.clone(), read_factor_file(&file_of(path, symbol))?));
        symbols.iter().map(read).collect::<Result<_, DataError>>().map(|files| Some(Self(files)))
    }

    /// Adjusts one symbol's sorted columns as the options say.
    pub(crate) fn adjust(
        &self,
        symbol: &str,
        columns: &mut BarColumns,
        options: &ReadOptions,
    ) -> Result<(), DataError> {
        let (_, file) = self.0.iter().find(|(found, _)| found == symbol).expect("one was read for each symbol");
        let adjustment = match options.adjustment {
            Adjustment::Raw => return Ok(()),
            Adjustment::Split => SignalAdjustment::Split,
            Adjustment::TotalReturn => SignalAdjustment::TotalReturn,
        };
        let before_label = if options.label == BarLabel::Close { options.interval.nanos() } else { 0 };
        let opens = columns.time.iter().map(|time| time.plus_nanos(-before_label));
        let dates: Vec<NaiveDate> = opens.map(|open| date(open, options.time_zone)).collect();
        file.adjust(columns, &dates, adjustment)
    }
}

/// Returns the file of a symbol, whose name may be in lower case.
fn file_of(path: &Path, symbol: &str) -> PathBuf {
    if !path.is_dir() {
        return path.to_owned();
    }
    let exact = path.join(format!("{symbol}.csv"));
    if exact.exists() { exact } else { path.join(format!("{}.csv", symbol.to_lowercase())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factor_file(text: &str) -> Result<FactorFile, DataError> {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("spy.csv");
        fs::write(&path, text).expect("written");
        read_factor_file(&path).map(|file| FactorFile { path: "spy.csv".into(), ..file })
    }

    /// A split of two for one after the 6th, a dividend of 2 % after the 8th.
    const TEXT: &str = "20200103,0.98,0.5,50\n20200106,0.98,0.5,100\n20200108,0.98,1,49\n20501231,1,1,0\n";

    fn bars() -> Bars {
        let prices = vec![100.0, 100.0, 50.0, 50.0, 50.0];
        let columns = BarColumns {
            time: ["2020-01-03", "2020-01-06", "2020-01-07", "2020-01-08", "2020-01-09"]
                .map(|date| date.parse().expect("valid"))
                .to_vec(),
            open: prices.clone(),
            high: prices.clone(),
            low: prices.clone(),
            close: prices,
            volume: vec![10.0; 5],
        };
        Bars::new(columns, BarLabel::Open, "1d".parse().expect("valid")).expect("sane")
    }

    #[test]
    fn the_first_row_at_or_after_a_bar_has_its_factors() {
        let file = factor_file(TEXT).expect("readable");
        let total = file.adjusted(&bars(), SignalAdjustment::TotalReturn, None).expect("covered");
        assert_eq!(total.close(), [49.0, 49.0, 49.0, 49.0, 50.0]);
        assert_eq!(total.volume(), [20.0, 20.0, 10.0, 10.0, 10.0]);
        let split = file.adjusted(&bars(), SignalAdjustment::Split, None).expect("covered");
        assert_eq!(split.close(), [50.0; 5]);
    }

    #[test]
    fn a_bar_belongs_to_its_local_date() {
        // 20:00 in New York on the 6th is 01:00 UTC on the 7th.
        let evening = "2020-01-07T01:00:00Z".parse().expect("valid");
        let new_york = "America/New_York".parse().expect("known");
        assert_eq!(date(evening, Some(new_york)).to_string(), "2020-01-06");
        assert_eq!(date(evening, None).to_string(), "2020-01-07");
    }

    #[test]
    fn a_file_that_ends_before_the_bars_and_a_factor_of_nothing_are_refused() {
        let file = factor_file("20200106,0.98,0.5,100\n").expect("readable");
        let error = file.adjusted(&bars(), SignalAdjustment::Split, None).expect_err("too short");
        assert_eq!(
            error.to_string(),
            "`spy.csv` must have a row at or after every bar, ends on `2020-01-06` before `2020-01-07`"
        );
        let error = factor_file("20200106,0.98,0.5\n20200107,0,1\n").expect_err("zero").to_string();
        assert!(error.ends_with("line 2: column `price_factor` must hold numbers above 0, was `0`"), "{error}");
        let error = factor_file("2020-01-06,1,1\n").expect_err("another format").to_string();
        assert!(error.ends_with("line 1: column `date` must hold dates `yyyyMMdd`, was `2020-01-06`"), "{error}");
    }
}
