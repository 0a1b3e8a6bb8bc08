//! Feature tables: instruments under each other, written for people and notebooks.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use polars::prelude::*;
use tidegate_market::{Bars, FeatureMatrix, IntervalUnit, Timestamp};

use crate::FeatureError;

/// Returns a table with the columns `time`, `symbol` and the features, one instrument's rows after another's; a missing value is
/// null.
///
/// `time` holds the bars' labels: dates where all are midnights of daily or weekly bars, else UTC nanoseconds.
///
/// # Errors
/// [`FeatureError::Misaligned`] unless there are equally many symbols, bars and matrices, each matrix has its bars' rows, and
/// all have the same columns; [`FeatureError::DuplicateColumn`] and [`FeatureError::ReservedColumn`] for names that a table
/// cannot have.
pub fn to_frame(symbols: &[String], bars: &[Arc<Bars>], matrices: &[FeatureMatrix]) -> Result<DataFrame, FeatureError> {
    check_alignment(symbols, bars, matrices)?;
    let names = matrices.first().map_or_else(Vec::new, column_names);
    check_names(&names)?;
    let rows: usize = bars.iter().map(|bars| bars.len()).sum();
    let mut columns = vec![time_column(bars)?.into_column(), symbol_column(symbols, bars).into_column()];
    for (place, &name) in names.iter().enumerate() {
        let values = matrices.iter().flat_map(|matrix| matrix.columns()[place].values());
        let values = values.map(|&value| (!value.is_nan()).then_some(value));
        columns.push(Float64Chunked::from_iter_options(name.into(), values).into_column());
    }
    Ok(DataFrame::new(rows, columns)?)
}

/// Writes a table to a `.csv` or `.parquet` file, whole or not at all.
///
/// CSV: dates as `2018-12-31`, times as RFC 3339 in UTC, numbers with the fewest digits that read back to the same value, nothing
/// where a value is missing. The bytes depend on the table alone.
///
/// # Errors
/// [`FeatureError::Format`] for another ending, [`FeatureError::Write`] when the file cannot be written.
pub fn write(frame: &DataFrame, path: &Path) -> Result<(), FeatureError> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    match extension {
        Some("csv") => write_whole(path, |file| {
            let mut frame = with_text_time(frame)?;
            CsvWriter::new(file).include_header(true).finish(&mut frame)
        }),
        Some("parquet") => write_whole(path, |file| {
            let writer = ParquetWriter::new(file).with_compression(ParquetCompression::Zstd(None)).set_parallel(false);
            writer.finish(&mut frame.clone()).map(drop)
        }),
        _ => Err(FeatureError::Format { path: path.to_owned() }),
    }
}

fn column_names(matrix: &FeatureMatrix) -> Vec<&str> {
    matrix.columns().iter().map(tidegate_market::FeatureColumn::name).collect()
}

fn check_alignment(symbols: &[String], bars: &[Arc<Bars>], matrices: &[FeatureMatrix]) -> Result<(), FeatureError> {
    let misaligned = |found: String| Err(FeatureError::Misaligned { found });
    if symbols.len() != bars.len() || symbols.len() != matrices.len() {
        return misaligned(format!(
            "`{}` symbols, `{}` bars, `{}` matrices",
            symbols.len(),
            bars.len(),
            matrices.len()
        ));
    }
    for ((symbol, bars), matrix) in symbols.iter().zip(bars).zip(matrices) {
        if bars.len() != matrix.rows() {
            return misaligned(format!("`{symbol}` has `{}` bars and `{}` feature rows", bars.len(), matrix.rows()));
        }
        let (names, first) = (column_names(matrix).join(", "), column_names(&matrices[0]).join(", "));
        if names != first {
            return misaligned(format!("`{symbol}` has the columns `{names}`, `{}` has `{first}`", symbols[0]));
        }
    }
    Ok(())
}

fn check_names(names: &[&str]) -> Result<(), FeatureError> {
    for (place, &name) in names.iter().enumerate() {
        if ["", "time", "symbol"].contains(&name) {
            return Err(FeatureError::ReservedColumn { name: name.to_owned() });
        }
        if names[..place].contains(&name) {
            return Err(FeatureError::DuplicateColumn { name: name.to_owned() });
        }
    }
    Ok(())
}

fn time_column(bars: &[Arc<Bars>]) -> PolarsResult<Series> {
    let nanos = || bars.iter().flat_map(|bars| bars.time()).map(|time| time.nanos());
    let is_daily = |bars: &Arc<Bars>| matches!(bars.interval().unit(), IntervalUnit::Day | IntervalUnit::Week);
    if bars.iter().all(is_daily) && nanos().all(|nanos| nanos.rem_euclid(Timestamp::NANOS_PER_DAY) == 0) {
        let days: Vec<_> = nanos().map(|nanos| nanos.div_euclid(Timestamp::NANOS_PER_DAY) as i32).collect();
        Series::new("time".into(), days).cast(&DataType::Date)
    } else {
        let utc = DataType::Datetime(TimeUnit::Nanoseconds, Some(TimeZone::UTC));
        Series::new("time".into(), nanos().collect::<Vec<_>>()).cast(&utc)
    }
}

fn symbol_column(symbols: &[String], bars: &[Arc<Bars>]) -> Series {
    let rows = symbols.iter().zip(bars).flat_map(|(symbol, bars)| std::iter::repeat_n(symbol.as_str(), bars.len()));
    Series::new("symbol".into(), rows.collect::<Vec<_>>())
}

/// Returns the table with a `time` of instants as text; dates are text already in a CSV file.
fn with_text_time(frame: &DataFrame) -> PolarsResult<DataFrame> {
    let mut frame = frame.clone();
    let time = frame.column("time")?;
    if let DataType::Datetime(..) = time.dtype() {
        let nanos = time.cast(&DataType::Int64)?;
        let text = |nanos: Option<i64>| {
            let datetime = Timestamp::from_nanos(nanos?).datetime();
            Some(datetime.format("%Y-%m-%dT%H:%M:%S%.fZ").to_string())
        };
        let text: StringChunked = nanos.i64()?.iter().map(text).collect();
        frame.with_column(text.with_name("time".into()).into_column())?;
    }
    Ok(frame)
}

/// Writes beside the path, flushes to the disk and renames.
fn write_whole(
    path: &Path,
    contents: impl FnOnce(&mut BufWriter<File>) -> PolarsResult<()>,
) -> Result<(), FeatureError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".tmp");
    let write = || -> io::Result<()> {
        let mut file = BufWriter::new(File::create(&beside)?);
        contents(&mut file).map_err(io::Error::other)?;
        file.flush()?;
        file.get_ref().sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().map_err(|source| {
        // The cause is what the caller needs; a temporary file that cannot be removed either adds nothing to it.
        let _ = std::fs::remove_file(&beside);
        FeatureError::Write { path: path.to_owned(), source }
    })
}

#[cfg(test)]
mod tests {
    use tidegate_market::{BarColumns, BarLabel, FeatureColumn};

    use super::*;
    use crate::fixture::bars;

    fn hourly(nanos: &[i64]) -> Arc<Bars> {
        let ones = vec![1.0; nanos.len()];
        let columns = BarColumns {
            time: nanos.iter().map(|&nanos| Timestamp::from_nanos(nanos)).collect(),
            open: ones.clone(),
            high: ones.clone(),
            low: ones.clone(),
            close: ones.clone(),
            volume: ones,
        };
        Arc::new(Bars::new(columns, BarLabel::Close, "1h".parse().expect("valid interval")).expect("sane"))
    }

    fn matrix(columns: &[(&str, &[f64])]) -> FeatureMatrix {
        let rows = columns[0].1.len();
        let columns = columns.iter().map(|&(name, values)| FeatureColumn::new(name, values.to_vec())).collect();
        FeatureMatrix::new(rows, columns).expect("equal lengths")
    }

    fn symbols(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    /// Two instruments with histories of two and one daily bars.
    fn daily_frame() -> DataFrame {
        let matrices = [
            matrix(&[("rsi_14", &[f64::NAN, 0.1]), ("sma_2", &[f64::NAN, 1e20])]),
            matrix(&[("rsi_14", &[100.0]), ("sma_2", &[1e-7])]),
        ];
        let bars = [Arc::new(bars(2, 1)), Arc::new(bars(1, 2))];
        to_frame(&symbols(&["SPY", "A,B"]), &bars, &matrices).expect("aligned")
    }

    fn written(frame: &DataFrame, name: &str) -> Vec<u8> {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join(name);
        write(frame, &path).expect("writable");
        assert_eq!(std::fs::read_dir(folder.path()).expect("readable").count(), 1, "nothing is left beside the file");
        std::fs::read(path).expect("readable")
    }

    #[test]
    fn a_csv_file_has_dates_symbols_and_nothing_for_missing_values() {
        let text = String::from_utf8(written(&daily_frame(), "features.csv")).expect("text");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[..2], ["time,symbol,rsi_14,sma_2", "1970-01-01,SPY,,"]);
        let numbers: Vec<f64> = lines[2].split(',').skip(2).map(|number| number.parse().expect("a number")).collect();
        assert!(lines[2].starts_with("1970-01-02,SPY,"), "{}", lines[2]);
        assert_eq!(numbers, [0.1, 1e20]);
        assert!(lines[3].starts_with("1970-01-01,\"A,B\",100.0,"), "{}", lines[3]);
        assert_eq!(lines.len(), 4);
    }

    #[test]
    fn a_parquet_file_reads_back_as_the_same_table() {
        let frame = daily_frame();
        let bytes = written(&frame, "features.parquet");
        let read = ParquetReader::new(io::Cursor::new(bytes)).finish().expect("whole");
        assert!(read.equals_missing(&frame));
        assert_eq!(read.column("time").expect("present").dtype(), &DataType::Date);
    }

    #[test]
    fn the_same_table_makes_the_same_bytes() {
        for name in ["features.csv", "features.parquet"] {
            assert_eq!(written(&daily_frame(), name), written(&daily_frame(), name));
        }
    }

    #[test]
    fn intraday_times_are_instants_in_utc() {
        let hour = 3_600 * 1_000_000_000;
        let features = [matrix(&[("sma_1", &[1.0, 1.0])])];
        let frame =
            to_frame(&symbols(&["BTC"]), &[hourly(&[hour, 2 * hour + 500_000_000])], &features).expect("aligned");
        let utc = DataType::Datetime(TimeUnit::Nanoseconds, Some(TimeZone::UTC));
        assert_eq!(frame.column("time").expect("present").dtype(), &utc);
        let text = String::from_utf8(written(&frame, "features.csv")).expect("text");
        assert_eq!(text, "time,symbol,sma_1\n1970-01-01T01:00:00Z,BTC,1.0\n1970-01-01T02:00:00.500Z,BTC,1.0\n");
        let read = ParquetReader::new(io::Cursor::new(written(&frame, "features.parquet"))).finish().expect("whole");
        assert_eq!(read.column("time").expect("present").dtype(), &utc);
    }

    fn check(symbol_names: &[&str], matrices: &[FeatureMatrix], message: &str) {
        let bars: Vec<_> = matrices.iter().map(|_| Arc::new(bars(2, 1))).collect();
        let error = to_frame(&symbols(symbol_names), &bars, matrices).expect_err(message).to_string();
        assert!(error.contains(message), "{error}");
    }

    #[test]
    fn lists_that_do_not_match_are_refused() {
        let two_rows = || matrix(&[("a", &[1.0, 2.0])]);
        check(&["A"], &[two_rows(), two_rows()], "`1` symbols, `2` bars, `2` matrices");
        check(&["A"], &[matrix(&[("a", &[1.0])])], "`A` has `2` bars and `1` feature rows");
        check(&["A", "B"], &[two_rows(), matrix(&[("b", &[1.0, 2.0])])], "`B` has the columns `b`, `A` has `a`");
    }

    #[test]
    fn names_that_a_table_cannot_have_are_refused() {
        check(&["A"], &[matrix(&[("time", &[1.0, 2.0])])], "other than `time` and `symbol`, was `time`");
        check(&["A"], &[matrix(&[("a", &[1.0, 2.0]), ("a", &[1.0, 2.0])])], "found `a` twice");
    }

    #[test]
    fn an_unknown_ending_is_refused() {
        let error = write(&daily_frame(), Path::new("features.xlsx")).expect_err("unknown ending").to_string();
        assert_eq!(error, "feature table must be written to a `.csv` or `.parquet` file, was `features.xlsx`");
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = write(&daily_frame(), Path::new("no/such/folder/features.csv")).expect_err("no folder").to_string();
        assert!(error.starts_with("feature table could not be written to `no/such/folder/features.csv`: "), "{error}");
    }
}
