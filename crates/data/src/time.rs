//! Texts and numbers in a time column to nanoseconds.

mod text;

use chrono::NaiveDate;
use polars::prelude::{Column, DataType, StringChunked, TimeUnit};
use tidegate_market::Timestamp;

use crate::DataError;
use crate::cells::{RawTable, is_missing_mark};
use crate::header::Role;
use text::{NANOS_PER_SECOND, TimeFormat, clock_nanos, numeric_date, stamp, without_zero_fraction};

pub(crate) use text::Stamp;

const EXPECTED: &str = "dates or times";

/// Formats that are tried when the texts are neither numeric nor one of the usual ones.
const NAMED_MONTHS: [&str; 4] = ["%d-%b-%y", "%d-%b-%Y", "%b %d, %Y", "%d %b %Y"];

/// Returns a table's time labels; `None` where one is missing.
pub(crate) fn stamps(table: &RawTable, time_format: Option<&str>) -> Result<Vec<Option<Stamp>>, DataError> {
    let column = table.column(Role::Time).expect("resolved before the file was read");
    if let Some(midnight) = table.midnight {
        return milliseconds_of_day(table, column, midnight);
    }
    let mut stamps = column_stamps(column, time_format, &|row, value| match row {
        Some(row) => table.mistyped(row, column.name(), EXPECTED, value),
        None => DataError::AmbiguousDate { path: table.path.clone(), value: value.to_owned() },
    })?;
    if let Some(clock) = table.column(Role::Clock) {
        let text = texts(clock).map_err(|value| table.mistyped(0, clock.name(), "times of day", &value))?;
        for (row, (stamp, clock_text)) in stamps.iter_mut().zip(text.iter()).enumerate() {
            if let (Some(stamp), Some(clock_text)) = (stamp.as_mut(), clock_text) {
                let nanos = clock_nanos(clock_text.trim());
                let nanos = nanos.ok_or_else(|| table.mistyped(row, clock.name(), "times of day", clock_text))?;
                stamp.nanos = stamp.nanos.saturating_add(nanos);
            }
        }
    }
    Ok(stamps)
}

/// Returns the local times of a file that counts the milliseconds of one day.
fn milliseconds_of_day(table: &RawTable, column: &Column, midnight: i64) -> Result<Vec<Option<Stamp>>, DataError> {
    let error = |row, value: &str| table.mistyped(row, column.name(), "milliseconds since midnight", value);
    let texts = texts(column).map_err(|value| error(0, &value))?;
    let of_day = |text: &str| text.parse().ok().filter(|count| (0..86_400_000_i64).contains(count));
    let stamp = |(row, text): (usize, Option<&str>)| match text.map(str::trim).filter(|text| !is_missing_mark(text)) {
        None => Ok(None),
        Some(text) => {
            let count = of_day(text).ok_or_else(|| error(row, text))?;
            Ok(Some(Stamp { nanos: midnight.saturating_add(count * 1_000_000), local: true }))
        }
    };
    texts.iter().enumerate().map(stamp).collect()
}

/// Returns a column's times in nanoseconds, those without an offset as UTC. `error` is given the row, or none where all dates
/// together are ambiguous.
pub(crate) fn column_times(
    column: &Column,
    time_format: Option<&str>,
    error: &dyn Fn(Option<usize>, &str) -> DataError,
) -> Result<Vec<Option<i64>>, DataError> {
    let stamps = column_stamps(column, time_format, error)?;
    Ok(stamps.into_iter().map(|stamp| stamp.map(|stamp| stamp.nanos)).collect())
}

/// Returns a column's times as the file states them. `error` is as for [`column_times`].
pub(crate) fn column_stamps(
    column: &Column,
    time_format: Option<&str>,
    error: &dyn Fn(Option<usize>, &str) -> DataError,
) -> Result<Vec<Option<Stamp>>, DataError> {
    let series = column.as_materialized_series();
    let (unit, local) = match series.dtype() {
        DataType::Date => (Timestamp::NANOS_PER_DAY, true),
        DataType::Datetime(TimeUnit::Nanoseconds, zone) => (1, zone.is_none()),
        DataType::Datetime(TimeUnit::Microseconds, zone) => (1_000, zone.is_none()),
        DataType::Datetime(TimeUnit::Milliseconds, zone) => (1_000_000, zone.is_none()),
        _ => return text_stamps(&texts(column).map_err(|value| error(Some(0), &value))?, time_format, error),
    };
    let counts = series.to_physical_repr().cast(&DataType::Int64).map_err(|e| error(Some(0), &e.to_string()))?;
    let stamp = |count: i64| Some(Stamp { nanos: count.checked_mul(unit)?, local });
    Ok(counts.i64().expect("cast to i64 above").iter().map(|count| count.and_then(stamp)).collect())
}

/// Returns a column as texts, or its type where it cannot hold times.
fn texts(column: &Column) -> Result<StringChunked, String> {
    let series = column.as_materialized_series();
    let kind = series.dtype();
    if !(*kind == DataType::String || kind.is_primitive_numeric() || *kind == DataType::Null) {
        return Err(format!("a column of type {kind}"));
    }
    let cast = series.cast(&DataType::String).map_err(|error| error.to_string())?;
    Ok(cast.str().expect("cast to string above").clone())
}

fn text_stamps(
    texts: &StringChunked,
    time_format: Option<&str>,
    error: &dyn Fn(Option<usize>, &str) -> DataError,
) -> Result<Vec<Option<Stamp>>, DataError> {
    let present = || texts.iter().flatten().filter(|text| !is_missing_mark(text.trim()));
    let Some(first) = present().next() else {
        return Ok(vec![None; texts.len()]);
    };
    let format = match time_format {
        Some(format) => TimeFormat::Custom(format.to_owned()),
        None => match detect(first.trim(), present()) {
            Detected::Format(format) => format,
            Detected::Ambiguous => return Err(error(None, first)),
            Detected::Unknown => {
                let row = texts.iter().position(|text| text == Some(first)).unwrap_or(0);
                return Err(error(Some(row), first));
            }
        },
    };
    let mut stamps = Vec::with_capacity(texts.len());
    for (row, text) in texts.iter().enumerate() {
        stamps.push(match text.map(str::trim).filter(|text| !is_missing_mark(text)) {
            Some(text) => Some(stamp(&format, text).ok_or_else(|| error(Some(row), text))?),
            None => None,
        });
    }
    Ok(stamps)
}

enum Detected {
    Format(TimeFormat),
    Ambiguous,
    Unknown,
}

/// Finds the format of the first text, and for numeric dates looks at all to tell month from day.
fn detect<'a>(first: &str, all: impl Iterator<Item = &'a str>) -> Detected {
    let digits = first.bytes().take_while(u8::is_ascii_digit).count();
    let whole = without_zero_fraction(first);
    let format = match (digits, first.as_bytes().get(digits)) {
        (9 | 10, None) => TimeFormat::Epoch(NANOS_PER_SECOND),
        (13, None) if first.starts_with(['0', '1']) => TimeFormat::Epoch(1_000_000),
        // Twelve digits from 1 or 2 on are years, `199901040930`; as milliseconds they would lie in 1973 to 1979.
        (12, None) if !first.starts_with(['1', '2']) => TimeFormat::Epoch(1_000_000),
        (15 | 16, None) => TimeFormat::Epoch(1_000),
        (18 | 19, None) => TimeFormat::Epoch(1),
        (8, _) if whole.len() == 8 || stamp(&TimeFormat::Compact, first).is_some() => TimeFormat::Compact,
        (12 | 14, None) => TimeFormat::Compact,
        (4, Some(b'-' | b'/' | b'.')) => TimeFormat::YearFirst,
        (1 | 2, Some(b'.')) => TimeFormat::DayFirst,
        (1 | 2, Some(b'/' | b'-')) if numeric_date(first).is_some() => return month_or_day(all),
        _ => match NAMED_MONTHS.iter().find(|format| NaiveDate::parse_from_str(first, format).is_ok()) {
            Some(format) => TimeFormat::Custom((*format).to_owned()),
            None => return Detected::Unknown,
        },
    };
    Detected::Format(format)
}

/// Tells month from day: the number that exceeds 12 somewhere is the day.
fn month_or_day<'a>(all: impl Iterator<Item = &'a str>) -> Detected {
    for (first, second, _, _) in all.filter_map(|text| numeric_date(text.trim())) {
        if first > 12 {
            return Detected::Format(TimeFormat::DayFirst);
        }
        if second > 12 {
            return Detected::Format(TimeFormat::MonthFirst);
        }
    }
    Detected::Ambiguous
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str]) -> Result<Vec<Option<i64>>, String> {
        let column = Column::new("time".into(), texts);
        let error = |row: Option<usize>, value: &str| DataError::NotFound {
            path: "x".into(),
            hint: format!("{row:?} {value}"),
        };
        column_times(&column, None, &error).map_err(|error| error.to_string())
    }

    /// `expected` as RFC 3339 or a date.
    fn check(texts: &[&str], expected: &str) {
        let expected: Timestamp = expected.parse().expect("valid");
        assert_eq!(read(texts).expect("readable")[0], Some(expected.nanos()), "{texts:?}");
    }

    #[test]
    fn usual_dates_are_recognised() {
        check(&["2018-12-31"], "2018-12-31");
        check(&["2018/12/31"], "2018-12-31");
        check(&["20181231"], "2018-12-31");
        check(&["20181231.0"], "2018-12-31");
        check(&["12/31/2018"], "2018-12-31");
        check(&["31/12/2018"], "2018-12-31");
        check(&["31.12.2018"], "2018-12-31");
        check(&["31-Dec-18"], "2018-12-31");
        check(&["Dec 31, 2018"], "2018-12-31");
    }

    #[test]
    fn usual_times_are_recognised() {
        check(&["2018-12-31 16:00"], "2018-12-31T16:00:00Z");
        check(&["2018-12-31T16:00:05.25Z"], "2018-12-31T16:00:05.25Z");
        check(&["2018-12-31 16:00:00-05:00"], "2018-12-31T21:00:00Z");
        check(&["2018-12-31T09:15:00+05:30"], "2018-12-31T03:45:00Z");
        check(&["20181231 160000"], "2018-12-31T16:00:00Z");
        check(&["201812311600"], "2018-12-31T16:00:00Z");
        check(&["199901040930"], "1999-01-04T09:30:00Z");
        check(&["2018.12.31 16:00"], "2018-12-31T16:00:00Z");
    }

    #[test]
    fn counts_since_1970_are_recognised_by_their_length() {
        // 1,546,272,000 s is 2018-12-31T16:00:00Z.
        check(&["1546272000"], "2018-12-31T16:00:00Z");
        check(&["1546272000000"], "2018-12-31T16:00:00Z");
        // 915,408,000 s is 1999-01-04: milliseconds of twelve digits.
        check(&["915408000000"], "1999-01-04");
        check(&["1546272000000000"], "2018-12-31T16:00:00Z");
        check(&["1546272000000000000"], "2018-12-31T16:00:00Z");
    }

    #[test]
    fn month_and_day_are_told_apart_by_all_dates_together() {
        check(&["1/4/1999", "1/13/1999"], "1999-01-04");
        check(&["1/4/1999", "13/4/1999"], "1999-04-01");
        assert!(read(&["1/4/1999", "2/4/1999"]).expect_err("ambiguous").contains("None 1/4/1999"));
    }

    #[test]
    fn a_text_that_is_no_time_is_named_with_its_row() {
        assert!(read(&["2018-12-31", "yesterday"]).expect_err("no time").contains("Some(1) yesterday"));
        assert!(read(&["2018-12-31", "2018-02-30"]).expect_err("no time").contains("Some(1) 2018-02-30"));
        assert!(read(&["11:26"]).expect_err("no time").contains("Some(0) 11:26"));
    }

    #[test]
    fn only_times_without_an_offset_are_local() {
        let local = |text: &str| {
            let column = Column::new("time".into(), [text]);
            let error =
                |_: Option<usize>, value: &str| DataError::NotFound { path: "x".into(), hint: value.to_owned() };
            column_stamps(&column, None, &error).expect("readable")[0].expect("there").local
        };
        let found =
            ["2018-12-31", "2018-12-31 16:00", "20181231 160000", "12/31/2018 16:00", "Dec 31, 2018"].map(local);
        assert_eq!(found, [true; 5]);
        let found = ["2018-12-31T16:00Z", "2018-12-31 16:00:00-05:00", "1546272000", "1546272000000"].map(local);
        assert_eq!(found, [false; 4]);
    }

    #[test]
    fn a_missing_time_is_none() {
        assert_eq!(read(&["", "1970-01-02"]).expect("readable"), [None, Some(Timestamp::NANOS_PER_DAY)]);
    }
}
