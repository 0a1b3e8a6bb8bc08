//! Plain tables: columns with names, to and from CSV and Parquet.

mod append;
mod bars;
mod load;
mod typed;
mod write;

use std::path::{Path, PathBuf};

use tidegate_market::Timestamp;

use crate::DataError;

pub use append::TableWriter;
pub use bars::bars_table;

/// How a time column is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeKind {
    /// As a date: `2018-12-31`. The times must fall on midnight UTC.
    Date,
    /// As a moment: `2018-12-31T21:00:00Z`.
    Instant,
}

/// The values of one column; `None` is an empty cell of CSV and a null of Parquet.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Times.
    Time(Vec<Timestamp>, TimeKind),
    /// Times, some missing.
    OptionalTime(Vec<Option<Timestamp>>, TimeKind),
    /// Texts.
    Text(Vec<String>),
    /// Texts, some missing.
    OptionalText(Vec<Option<String>>),
    /// Numbers.
    Float(Vec<f64>),
    /// Numbers, some missing.
    OptionalFloat(Vec<Option<f64>>),
    /// Whole numbers.
    Int(Vec<i64>),
    /// Whole numbers, some missing.
    OptionalInt(Vec<Option<i64>>),
}

impl Column {
    /// Returns the number of rows.
    pub const fn len(&self) -> usize {
        match self {
            Self::Time(values, _) => values.len(),
            Self::OptionalTime(values, _) => values.len(),
            Self::Text(values) => values.len(),
            Self::OptionalText(values) => values.len(),
            Self::Float(values) => values.len(),
            Self::OptionalFloat(values) => values.len(),
            Self::Int(values) => values.len(),
            Self::OptionalInt(values) => values.len(),
        }
    }

    /// Returns whether there are no rows.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Named columns of one length, and the file they came from if any.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    columns: Vec<(String, Column)>,
    rows: usize,
    /// The file, for messages.
    source: PathBuf,
    /// The line of the first row, for messages.
    first_line: usize,
}

impl Table {
    /// Joins columns.
    ///
    /// # Errors
    /// [`DataError::Length`] for columns of different lengths.
    pub fn new(columns: Vec<(String, Column)>) -> Result<Self, DataError> {
        let rows = columns.first().map_or(0, |(_, column)| column.len());
        if let Some((name, column)) = columns.iter().find(|(_, column)| column.len() != rows) {
            return Err(DataError::Length { column: name.clone(), expected: rows, found: column.len() });
        }
        Ok(Self { columns, rows, source: PathBuf::from("table"), first_line: 1 })
    }

    /// Reads a `.csv` (also `.csv.gz`, `.csv.zst`) or `.parquet` file with all its columns.
    ///
    /// Columns of CSV are texts until they are asked for as something else. A file may have no rows.
    ///
    /// # Errors
    /// [`DataError`] for a file that is missing, of another kind or damaged.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        load::load(path)
    }

    /// Writes a `.csv` or `.parquet` file, whole or not at all. The same table gives the same bytes.
    ///
    /// # Errors
    /// [`DataError::Extension`] for other endings and [`DataError::Write`] when the system refuses.
    pub fn write(&self, path: &Path) -> Result<(), DataError> {
        write::write(self, path)
    }

    /// Returns the number of rows.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the columns with their names, in order.
    pub fn columns(&self) -> &[(String, Column)] {
        &self.columns
    }

    /// Returns whether there is a column of that name.
    pub fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|(found, _)| found == name)
    }
}

#[cfg(test)]
mod tests;
