//! Parquet files to columns.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use polars::prelude::{DataFrame, ParquetReader, PolarsResult, SerReader};

use crate::cells::RawTable;
use crate::header::resolve;
use crate::layout::layout;
use crate::{DataError, ReadOptions};

const MAGIC: &[u8; 4] = b"PAR1";
/// The magic number at both ends and the length of the footer.
const SMALLEST: u64 = 12;

/// Reads the columns of a Parquet file that bars need. Lines are rows, from 1.
pub(crate) fn read_parquet(path: &Path, options: &ReadOptions) -> Result<RawTable, DataError> {
    let names = guarded(path, |file| {
        let schema = ParquetReader::new(file).schema()?;
        Ok(schema.iter_names().map(ToString::to_string).collect::<Vec<String>>())
    })?;
    let places = resolve(path, &names, options)?;
    let mut wanted: Vec<String> = places.iter().map(|(_, place)| names[*place].clone()).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let frame = read_frame(path, Some(wanted))?;
    if frame.height() == 0 {
        return Err(DataError::Empty { path: path.to_owned() });
    }
    let column = |place: usize| frame.column(&names[place]).expect("projected above").clone();
    let columns = places.into_iter().map(|(role, place)| (role, column(place))).collect();
    Ok(RawTable {
        path: path.to_owned(),
        layout: layout(&names),
        rows: frame.height(),
        first_line: 1,
        midnight: None,
        columns,
    })
}

/// Reads named columns, or all, of a Parquet file.
pub(crate) fn read_frame(path: &Path, columns: Option<Vec<String>>) -> Result<DataFrame, DataError> {
    guarded(path, |file| ParquetReader::new(file).with_columns(columns).set_rechunk(true).finish())
}

/// Runs a read on a file whose ends have been checked, and turns an error or a panic of the decoder into an error.
fn guarded<T>(path: &Path, read: impl FnOnce(File) -> PolarsResult<T>) -> Result<T, DataError> {
    check_ends(path)?;
    let file = File::open(path).map_err(|source| DataError::Read { path: path.to_owned(), source })?;
    let result = catch_unwind(AssertUnwindSafe(|| read(file)));
    let reason = match result {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "its pages do not decode".to_owned(),
    };
    Err(damaged(path, reason))
}

/// Checks the magic number at both ends and that the footer lies inside the file.
fn check_ends(path: &Path) -> Result<(), DataError> {
    let error = |source| DataError::Read { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(error)?;
    let length = file.metadata().map_err(error)?.len();
    if length == 0 {
        return Err(DataError::Empty { path: path.to_owned() });
    }
    let mut magic = [0; 4];
    if length >= SMALLEST {
        file.read_exact(&mut magic).map_err(error)?;
    }
    if &magic != MAGIC {
        return Err(damaged(path, "it does not start with `PAR1`".to_owned()));
    }
    let mut end = [0; 8];
    file.seek(SeekFrom::End(-8)).map_err(error)?;
    file.read_exact(&mut end).map_err(error)?;
    if &end[4..] != MAGIC {
        return Err(damaged(path, "it does not end with `PAR1`".to_owned()));
    }
    let footer = u64::from(u32::from_le_bytes([end[0], end[1], end[2], end[3]]));
    if footer + SMALLEST > length {
        return Err(damaged(path, format!("its footer of {footer} bytes does not fit into its {length} bytes")));
    }
    Ok(())
}

fn damaged(path: &Path, reason: String) -> DataError {
    DataError::Damaged { path: path.to_owned(), format: "Parquet", reason }
}
