//! Columns as polars read them, and the numbers and texts in them.

use std::path::{Path, PathBuf};

use polars::prelude::{Column, DataType};

use crate::header::Role;
use crate::{DataError, Layout};

/// The columns of one file that reading needs, as they were in the file.
pub(crate) struct RawTable {
    pub(crate) path: PathBuf,
    pub(crate) layout: Layout,
    pub(crate) rows: usize,
    /// The line of the first row.
    pub(crate) first_line: usize,
    /// Local midnight of the day whose milliseconds the time column counts.
    pub(crate) midnight: Option<i64>,
    pub(crate) columns: Vec<(Role, Column)>,
}

impl RawTable {
    /// Returns a column.
    pub(crate) fn column(&self, role: Role) -> Option<&Column> {
        self.columns.iter().find(|(found, _)| *found == role).map(|(_, column)| column)
    }

    /// Returns the line of a row.
    pub(crate) const fn line(&self, row: usize) -> usize {
        self.first_line + row
    }

    /// Says that a value is not of its column's type.
    pub(crate) fn mistyped(&self, row: usize, column: &str, expected: &'static str, value: &str) -> DataError {
        mistyped(&self.path, self.line(row), column, expected, value)
    }

    /// Returns a column as numbers; NaN where it is absent.
    pub(crate) fn floats(&self, role: Role) -> Result<Vec<f64>, DataError> {
        let Some(column) = self.column(role) else {
            return Ok(vec![f64::NAN; self.rows]);
        };
        floats(column, |row, value| self.mistyped(row, column.name(), "numbers", value))
    }

    /// Tells which rows have nothing in any column: blank lines.
    pub(crate) fn blank_rows(&self) -> Vec<bool> {
        let mut blank = vec![true; self.rows];
        for (_, column) in &self.columns {
            if column.null_count() == 0 {
                return vec![false; self.rows];
            }
            let absent = column.as_materialized_series().is_null();
            for (blank, absent) in blank.iter_mut().zip(absent.iter()) {
                *blank &= absent.unwrap_or(true);
            }
        }
        blank
    }
}

/// Says that a value of a file is not of its column's type.
pub(crate) fn mistyped(path: &Path, line: usize, column: &str, expected: &'static str, value: &str) -> DataError {
    DataError::Mistyped { path: path.to_owned(), line, column: column.to_owned(), expected, value: value.to_owned() }
}

/// Returns a column as numbers; NaN where a value is absent.
///
/// Numbers that polars does not read are tried again without blanks and a leading `$`.
pub(crate) fn floats(column: &Column, error: impl Fn(usize, &str) -> DataError) -> Result<Vec<f64>, DataError> {
    let series = column.as_materialized_series();
    let kind = series.dtype().clone();
    if !(kind == DataType::String || kind.is_primitive_numeric() || kind == DataType::Null) {
        return Err(error(0, &format!("a column of type {kind}")));
    }
    let cast = series.cast(&DataType::Float64).map_err(|e| error(0, &e.to_string()))?;
    let numbers = cast.f64().expect("cast to f64 above");
    let mut values: Vec<f64> = numbers.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
    if kind == DataType::String && numbers.null_count() > series.null_count() {
        let texts = series.str().expect("a string column by its type");
        for (row, (text, number)) in texts.iter().zip(numbers.iter()).enumerate() {
            if let (Some(text), None) = (text, number) {
                values[row] = number_of(text).ok_or_else(|| error(row, text))?;
            }
        }
    }
    Ok(values)
}

/// Reads one number the forgiving way; NaN for the marks of a missing value, `None` for anything else.
pub(crate) fn number_of(text: &str) -> Option<f64> {
    let trimmed = text.trim();
    if is_missing_mark(trimmed) {
        return Some(f64::NAN);
    }
    trimmed.strip_prefix('$').unwrap_or(trimmed).parse().ok()
}

/// Tells whether a text stands for a missing value.
pub(crate) fn is_missing_mark(trimmed: &str) -> bool {
    const MARKS: [&str; 7] = ["", "-", "na", "n/a", "nan", "null", "none"];
    MARKS.iter().any(|mark| trimmed.eq_ignore_ascii_case(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<f64>) {
        let found = number_of(text);
        assert!(found == expected || (found.is_some_and(f64::is_nan) && expected.is_some_and(f64::is_nan)), "{text}");
    }

    #[test]
    fn numbers_with_blanks_or_a_dollar_sign_are_read() {
        check(" 12.5 ", Some(12.5));
        check("$321.85", Some(321.85));
        check("-1.40E-05", Some(-1.4e-5));
    }

    #[test]
    fn marks_of_a_missing_value_are_not_numbers_but_allowed() {
        for mark in ["", " ", "-", "null", "N/A", "NaN"] {
            check(mark, Some(f64::NAN));
        }
    }

    #[test]
    fn thousands_commas_and_words_are_refused() {
        check("8,966,531", None);
        check("497.30K", None);
        check("suspended", None);
    }
}
