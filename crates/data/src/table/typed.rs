//! Columns of a table as values of one type.

use polars::prelude::Column as PolarsColumn;
use tidegate_market::Timestamp;

use super::{Column, Table, TimeKind};
use crate::cells::{is_missing_mark, mistyped, number_of};
use crate::nearest::{did_you_mean, listed};
use crate::time::{Stamp, column_stamps};
use crate::{DataError, time};

impl Table {
    /// Returns a column as numbers.
    ///
    /// # Errors
    /// [`DataError::MissingColumn`]; [`DataError::Mistyped`] for a value that is missing or no number.
    pub fn floats(&self, name: &str) -> Result<Vec<f64>, DataError> {
        self.complete(name, "numbers", self.optional_floats(name)?)
    }

    /// Returns a column as numbers, `None` where one is missing or not finite.
    ///
    /// # Errors
    /// [`DataError::MissingColumn`]; [`DataError::Mistyped`] for a value that is no number.
    pub fn optional_floats(&self, name: &str) -> Result<Vec<Option<f64>>, DataError> {
        let finite = |value: f64| value.is_finite().then_some(value);
        let parse = |row: usize, text: &str| {
            number_of(text).map(finite).ok_or_else(|| self.mistyped(row, name, "numbers", text))
        };
        match self.column(name)? {
            Column::Float(values) => Ok(values.iter().map(|value| finite(*value)).collect()),
            Column::OptionalFloat(values) => Ok(values.iter().map(|value| value.and_then(finite)).collect()),
            Column::Int(values) => Ok(values.iter().map(|value| Some(*value as f64)).collect()),
            Column::OptionalInt(values) => Ok(values.iter().map(|value| value.map(|value| value as f64)).collect()),
            Column::Text(texts) => texts.iter().enumerate().map(|(row, text)| parse(row, text)).collect(),
            Column::OptionalText(texts) => {
                let parse =
                    |(row, text): (usize, &Option<String>)| text.as_ref().map_or(Ok(None), |text| parse(row, text));
                texts.iter().enumerate().map(parse).collect()
            }
            Column::Time(..) | Column::OptionalTime(..) => Err(self.mistyped(0, name, "numbers", "a column of times")),
        }
    }

    /// Returns a column as whole numbers.
    ///
    /// # Errors
    /// [`DataError::MissingColumn`]; [`DataError::Mistyped`] for a value that is missing or no whole number.
    pub fn ints(&self, name: &str) -> Result<Vec<i64>, DataError> {
        self.complete(name, "whole numbers", self.optional_ints(name)?)
    }

    /// Returns a column as whole numbers, `None` where one is missing.
    ///
    /// # Errors
    /// [`DataError::MissingColumn`]; [`DataError::Mistyped`] for a value that is no whole number.
    pub fn optional_ints(&self, name: &str) -> Result<Vec<Option<i64>>, DataError> {
        match self.column(name)? {
            Column::Int(values) => return Ok(values.iter().copied().map(Some).collect()),
            Column::OptionalInt(values) => return Ok(values.clone()),
            _ => {}
        }
        let whole = |(row, value): (usize, Option<f64>)| match value {
            // Above 2^53 a float no longer tells neighbouring whole numbers apart.
            Some(value) if value.fract() != 0.0 || value.abs() > 9_007_199_254_740_992.0 => {
                Err(self.mistyped(row, name, "whole numbers", &value.to_string()))
            }
            value => Ok(value.map(|value| value as i64)),
        };
        self.optional_floats(name)?.into_iter().enumerate().map(whole).collect()
    }

    /// Returns a column as times.
    ///
    /// # Errors
    /// [`DataError::MissingColumn`]; [`DataError::Mistyped`] for a value that is missing or no time.
    pub fn times(&self, name: &str) -> Result<Vec<Timestamp>, DataError> {
        self.complete(name, "dates or times", self.optional_times(name)?)
    }

    /// Returns a column as times, `None` where one is missing.
    ///
    /// # Errors
    /// [`DataError::MissingColumn`]; [`DataError::Mistyped`] for a value that is no time.
    pub fn optional_times(&self, name: &str) -> Result<Vec<Option<Timestamp>>, DataError> {
        let texts = match self.column(name)? {
            Column::Time(times, _) => return Ok(times.iter().copied().map(Some).collect()),
            Column::OptionalTime(times, _) => return Ok(times.clone()),
            Column::Text(texts) => PolarsColumn::new(name.into(), texts),
            Column::OptionalText(texts) => PolarsColumn::new(name.into(), texts),
            Column::Int(values) => PolarsColumn::new(name.into(), values),
            Column::OptionalInt(values) => PolarsColumn::new(name.into(), values),
            Column::Float(_) | Column::OptionalFloat(_) => {
                return Err(self.mistyped(0, name, "dates or times", "a column of numbers"));
            }
        };
        let times = time::column_times(&texts, None, &self.time_error(name))?;
        Ok(times.into_iter().map(|time| time.map(Timestamp::from_nanos)).collect())
    }

    /// Returns a column as times that know whether they are local; moments of Parquet are not.
    pub(crate) fn stamps(&self, name: &str) -> Result<Vec<Stamp>, DataError> {
        let expected = "dates or times";
        let texts = match self.column(name)? {
            Column::Text(texts) => PolarsColumn::new(name.into(), texts),
            Column::OptionalText(texts) => PolarsColumn::new(name.into(), texts),
            column => {
                let local = matches!(column, Column::Time(_, TimeKind::Date) | Column::OptionalTime(_, TimeKind::Date));
                return Ok(self.times(name)?.into_iter().map(|time| Stamp { nanos: time.nanos(), local }).collect());
            }
        };
        let stamps = column_stamps(&texts, None, &self.time_error(name))?;
        self.complete(name, expected, stamps)
    }

    fn time_error<'a>(&'a self, name: &'a str) -> impl Fn(Option<usize>, &str) -> DataError + 'a {
        move |row, value| match row {
            Some(row) => self.mistyped(row, name, "dates or times", value),
            None => DataError::AmbiguousDate { path: self.source.clone(), value: value.to_owned() },
        }
    }

    /// Returns a column as texts.
    ///
    /// # Errors
    /// [`DataError::MissingColumn`]; [`DataError::Mistyped`] for a value that is missing or no text.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, DataError> {
        self.complete(name, "texts", self.optional_texts(name)?)
    }

    /// Returns a column as texts, `None` where one is missing.
    ///
    /// # Errors
    /// [`DataError::MissingColumn`]; [`DataError::Mistyped`] for a column of times or numbers.
    pub fn optional_texts(&self, name: &str) -> Result<Vec<Option<String>>, DataError> {
        match self.column(name)? {
            Column::Text(texts) => Ok(texts.iter().cloned().map(Some).collect()),
            Column::OptionalText(texts) => Ok(texts.clone()),
            Column::Time(..) | Column::OptionalTime(..) => Err(self.mistyped(0, name, "texts", "a column of times")),
            _ => Err(self.mistyped(0, name, "texts", "a column of numbers")),
        }
    }

    fn column(&self, name: &str) -> Result<&Column, DataError> {
        let names = || self.columns.iter().map(|(found, _)| found.as_str());
        let found = self.columns.iter().find(|(found, _)| found == name).map(|(_, column)| column);
        found.ok_or_else(|| DataError::MissingColumn {
            path: self.source.clone(),
            column: name.to_owned(),
            found: listed(names()),
            hint: did_you_mean(name, names()),
        })
    }

    fn complete<T>(&self, name: &str, expected: &'static str, values: Vec<Option<T>>) -> Result<Vec<T>, DataError> {
        let missing = |row: usize| self.mistyped(row, name, expected, "missing");
        values.into_iter().enumerate().map(|(row, value)| value.ok_or_else(|| missing(row))).collect()
    }

    pub(crate) fn mistyped(&self, row: usize, name: &str, expected: &'static str, value: &str) -> DataError {
        let shown = if is_missing_mark(value.trim()) { "missing" } else { value };
        mistyped(&self.source, self.first_line + row, name, expected, shown)
    }
}
