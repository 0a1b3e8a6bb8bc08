//! Tables to bytes.

use std::ffi::OsStr;
use std::path::Path;

use polars::prelude::{
    CsvWriter, DataFrame, DataType, IntoColumn, NamedFrom, ParquetCompression, ParquetWriter, PolarsResult, SerWriter,
    Series, StatisticsOptions, TimeUnit, TimeZone,
};
use tidegate_market::Timestamp;

use super::{Column, Table, TimeKind};
use crate::DataError;
use crate::atomic::write_atomically;

/// Rows that Parquet groups; fixed so that the bytes depend on the table alone.
const ROW_GROUP: usize = 1 << 17;

pub(super) fn write(table: &Table, path: &Path) -> Result<(), DataError> {
    let bytes = match path.extension().and_then(OsStr::to_str) {
        Some("csv") => csv(table),
        Some("parquet") => parquet(table),
        _ => return Err(DataError::Extension { path: path.to_owned(), expected: "`.csv` or `.parquet`" }),
    };
    let bytes =
        bytes.map_err(|error| DataError::Write { path: path.to_owned(), source: std::io::Error::other(error) })?;
    write_atomically(path, &bytes)
}

fn csv(table: &Table) -> PolarsResult<Vec<u8>> {
    let columns = table.columns.iter().map(|(name, column)| (name.as_str(), text_times(column)));
    let series = columns.map(|(name, column)| Ok(series(name, &column)?.into_column())).collect::<PolarsResult<_>>()?;
    let mut bytes = Vec::new();
    CsvWriter::new(&mut bytes).include_header(true).finish(&mut DataFrame::new(table.rows, series)?)?;
    Ok(bytes)
}

fn parquet(table: &Table) -> PolarsResult<Vec<u8>> {
    let columns = table.columns.iter();
    let series = columns.map(|(name, column)| Ok(series(name, column)?.into_column())).collect::<PolarsResult<_>>()?;
    let mut bytes = Vec::new();
    parquet_writer(&mut bytes).finish(&mut DataFrame::new(table.rows, series)?)?;
    Ok(bytes)
}

/// Returns a writer with every option stated.
pub(super) fn parquet_writer<W: std::io::Write>(to: W) -> ParquetWriter<W> {
    ParquetWriter::new(to)
        .with_compression(ParquetCompression::Zstd(None))
        .with_statistics(StatisticsOptions::default())
        .with_row_group_size(Some(ROW_GROUP))
}

/// Turns times into the texts that CSV shows; other columns stay.
fn text_times(column: &Column) -> Column {
    match column {
        Column::Time(times, kind) => Column::Text(times.iter().map(|time| time_text(*time, *kind)).collect()),
        Column::OptionalTime(times, kind) => {
            Column::OptionalText(times.iter().map(|time| time.map(|time| time_text(time, *kind))).collect())
        }
        other => other.clone(),
    }
}

fn time_text(time: Timestamp, kind: TimeKind) -> String {
    match kind {
        TimeKind::Date => time.date().to_string(),
        TimeKind::Instant => time.datetime().to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
    }
}

pub(super) fn series(name: &str, column: &Column) -> PolarsResult<Series> {
    let name = name.into();
    match column {
        Column::Time(times, kind) => {
            let counts: Vec<i64> = times.iter().map(|time| time.nanos()).collect();
            as_times(&Series::new(name, counts), *kind)
        }
        Column::OptionalTime(times, kind) => {
            let counts: Vec<Option<i64>> = times.iter().map(|time| time.map(Timestamp::nanos)).collect();
            as_times(&Series::new(name, counts), *kind)
        }
        Column::Text(texts) => Ok(Series::new(name, texts)),
        Column::OptionalText(texts) => Ok(Series::new(name, texts)),
        Column::Float(numbers) => Ok(Series::new(name, numbers)),
        Column::OptionalFloat(numbers) => Ok(Series::new(name, numbers)),
        Column::Int(numbers) => Ok(Series::new(name, numbers)),
        Column::OptionalInt(numbers) => Ok(Series::new(name, numbers)),
    }
}

fn as_times(nanos: &Series, kind: TimeKind) -> PolarsResult<Series> {
    let instants = nanos.cast(&DataType::Datetime(TimeUnit::Nanoseconds, Some(TimeZone::UTC)))?;
    match kind {
        TimeKind::Date => instants.cast(&DataType::Date),
        TimeKind::Instant => Ok(instants),
    }
}
