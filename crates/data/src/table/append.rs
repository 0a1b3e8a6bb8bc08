//! Tables that are longer than memory: written in pieces, one row group each.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{DataFrame, IntoColumn, PolarsResult};

use super::Table;
use super::write::{parquet_writer, series};
use crate::DataError;
use crate::atomic::{beside, remove_leftovers};

/// Writes one Parquet file table after table.
///
/// The file appears under its name with [`TableWriter::finish`], whole or not at all; a writer that is dropped before leaves nothing
/// behind. The same tables give the same bytes. One thread writes: nothing here enters a thread pool.
pub struct TableWriter {
    path: PathBuf,
    beside: PathBuf,
    writer: BatchedWriter<BufWriter<File>>,
    is_finished: bool,
}

impl TableWriter {
    /// Starts a file whose columns are those of a table, which may have no rows and is not written.
    ///
    /// What processes that no longer exist left of the same file is removed.
    ///
    /// # Errors
    /// [`DataError::Write`] when the system refuses.
    pub fn create(path: &Path, columns: &Table) -> Result<Self, DataError> {
        let failed = |source| DataError::Write { path: path.to_owned(), source };
        remove_leftovers(path);
        let beside = beside(path);
        let file = File::create(&beside).map_err(failed)?;
        let frame = frame(columns).map_err(|error| failed(io::Error::other(error)))?;
        let writer = parquet_writer(BufWriter::new(file)).set_parallel(false);
        let writer = writer.batched(frame.schema()).map_err(|error| failed(io::Error::other(error)))?;
        Ok(Self { path: path.to_owned(), beside, writer, is_finished: false })
    }

    /// Appends the rows of a table with the same columns as one row group; none for a table without rows.
    ///
    /// # Errors
    /// [`DataError::Write`] when the system refuses.
    pub fn append(&mut self, table: &Table) -> Result<(), DataError> {
        let written = frame(table).and_then(|frame| self.writer.write_batch(&frame));
        written.map_err(|error| self.failed(io::Error::other(error)))
    }

    /// Ends the file, brings it to the disk and gives it its name.
    ///
    /// # Errors
    /// [`DataError::Write`] when the system refuses; what was there before stays as it was.
    pub fn finish(mut self) -> Result<(), DataError> {
        let ended = self.writer.finish().map_err(io::Error::other);
        // The writer holds the file to itself; a second handle of it is as good to wait for the disk with.
        let synced = ended.and_then(|_| File::open(&self.beside)?.sync_all());
        let named = synced.and_then(|()| fs::rename(&self.beside, &self.path));
        self.is_finished = named.is_ok();
        named.map_err(|error| self.failed(error))
    }

    fn failed(&self, source: io::Error) -> DataError {
        DataError::Write { path: self.path.clone(), source }
    }
}

impl Drop for TableWriter {
    fn drop(&mut self) {
        if !self.is_finished {
            // What matters was reported already; a leftover beside is harmless.
            let _ = fs::remove_file(&self.beside);
        }
    }
}

fn frame(table: &Table) -> PolarsResult<DataFrame> {
    let columns = table.columns.iter();
    let columns = columns.map(|(name, column)| Ok(series(name, column)?.into_column())).collect::<PolarsResult<_>>()?;
    DataFrame::new(table.rows, columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Column;

    fn piece(numbers: &[i64]) -> Table {
        let texts = numbers.iter().map(|number| if number % 2 == 0 { String::new() } else { number.to_string() });
        let halves = numbers.iter().map(|number| (number % 3 != 0).then_some(*number as f64 / 2.0));
        let columns = vec![
            ("trial".to_owned(), Column::Int(numbers.to_vec())),
            ("half".to_owned(), Column::OptionalFloat(halves.collect())),
            ("text".to_owned(), Column::Text(texts.collect())),
        ];
        Table::new(columns).expect("same lengths")
    }

    fn write(path: &Path, pieces: &[&[i64]]) {
        let mut writer = TableWriter::create(path, &piece(&[])).expect("started");
        for numbers in pieces {
            writer.append(&piece(numbers)).expect("appended");
        }
        writer.finish().expect("ended");
    }

    #[test]
    fn pieces_come_back_as_one_table() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("a.parquet");
        write(&path, &[&[1, 2, 3], &[], &[4, 5]]);
        let table = Table::read(&path).expect("readable");
        assert_eq!(table.ints("trial").expect("whole"), [1, 2, 3, 4, 5]);
        let halves = table.optional_floats("half").expect("numbers");
        assert_eq!(halves, [Some(0.5), Some(1.0), None, Some(2.0), Some(2.5)]);
        assert_eq!(table.texts("text").expect("texts"), ["1", "", "3", "", "5"]);
        assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 1);
    }

    #[test]
    fn the_same_pieces_give_the_same_bytes_and_no_piece_is_a_table_without_rows() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = |name: &str| folder.path().join(name);
        for name in ["a.parquet", "b.parquet"] {
            write(&path(name), &[&[1, 2], &[3]]);
        }
        assert_eq!(fs::read(path("a.parquet")).expect("there"), fs::read(path("b.parquet")).expect("there"));
        write(&path("none.parquet"), &[]);
        assert_eq!(Table::read(&path("none.parquet")).expect("readable").rows(), 0);
    }

    #[test]
    fn a_file_that_is_not_ended_leaves_the_old_one_and_nothing_else() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("a.parquet");
        write(&path, &[&[1]]);
        let mut writer = TableWriter::create(&path, &piece(&[])).expect("started");
        writer.append(&piece(&[7])).expect("appended");
        drop(writer);
        assert_eq!(Table::read(&path).expect("readable").ints("trial").expect("whole"), [1]);
        assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 1);
    }

    #[test]
    fn what_a_killed_process_left_is_removed() {
        let folder = tempfile::tempdir().expect("temporary folder");
        // No process has this number: the largest that Linux gives out is 4,194,304.
        let leftover = folder.path().join(".a.parquet.4194399.tmp");
        let other = folder.path().join(".b.parquet.4194399.tmp");
        for path in [&leftover, &other] {
            fs::write(path, b"PAR1").expect("written");
        }
        write(&folder.path().join("a.parquet"), &[&[1]]);
        assert_eq!(leftover.exists(), !Path::new("/proc/self").exists());
        assert!(other.exists());
    }
}
