//! Files to tables.

use std::path::Path;

use polars::prelude::{DataFrame, DataType};
use tidegate_market::Timestamp;

use super::{Column, Table, TimeKind};
use crate::source::{FileFormat, files, stem_and_format};
use crate::{DataError, csv, parquet, time};

pub(super) fn load(path: &Path) -> Result<Table, DataError> {
    let files = files(path)?;
    let [file] = files.as_slice() else {
        let expected = "`.csv`, `.csv.gz`, `.csv.zst` or `.parquet`";
        return Err(DataError::Extension { path: path.to_owned(), expected });
    };
    let (_, format) = stem_and_format(file).expect("files of other kinds were refused");
    let (names, frame, first_line) = match format {
        FileFormat::Parquet => {
            let frame = parquet::read_frame(file, None)?;
            (frame.get_column_names().iter().map(ToString::to_string).collect(), frame, 1)
        }
        FileFormat::Csv => {
            let text = csv::read_named_text(file)?;
            (text.names, text.frame, text.first_line)
        }
    };
    let columns = columns(file, names, &frame)?;
    Ok(Table { columns, rows: frame.height(), source: file.clone(), first_line })
}

fn columns(file: &Path, names: Vec<String>, frame: &DataFrame) -> Result<Vec<(String, Column)>, DataError> {
    names.into_iter().zip(frame.columns()).map(|(name, found)| Ok((name, column(file, found)?))).collect()
}

fn column(file: &Path, found: &polars::prelude::Column) -> Result<Column, DataError> {
    let series = found.as_materialized_series();
    let damaged = |reason: String| DataError::Damaged { path: file.to_owned(), format: "table", reason };
    let cast = |kind: &DataType| series.cast(kind).map_err(|error| damaged(error.to_string()));
    let kind = series.dtype();
    if *kind == DataType::Date || matches!(kind, DataType::Datetime(..)) {
        let times = time::column_times(found, None, &|_, value| damaged(value.to_owned()))?;
        let times = times.into_iter().map(|time| time.map(Timestamp::from_nanos)).collect();
        let kind = if *kind == DataType::Date { TimeKind::Date } else { TimeKind::Instant };
        return Ok(Column::OptionalTime(times, kind));
    }
    if kind.is_integer() {
        let numbers = cast(&DataType::Int64)?;
        let numbers = numbers.i64().expect("cast above").iter();
        let is_complete = series.null_count() == 0;
        return Ok(if is_complete {
            Column::Int(numbers.flatten().collect())
        } else {
            Column::OptionalInt(numbers.collect())
        });
    }
    if kind.is_primitive_numeric() {
        return Ok(Column::OptionalFloat(cast(&DataType::Float64)?.f64().expect("cast above").iter().collect()));
    }
    let texts = cast(&DataType::String)?;
    let texts = texts.str().expect("cast above").iter().map(|text| text.map(str::to_owned));
    Ok(Column::OptionalText(texts.collect()))
}
