//! Feature columns: numbers that were known at each bar's close.

use crate::MarketError;

/// One feature down one instrument's bars.
///
/// A missing value (warm-up, or undefined at that bar) is a NaN inside and `None` at every border; infinite values do not
/// construct.
#[derive(Debug, Clone)]
pub struct FeatureColumn {
    name: String,
    values: Vec<f64>,
}

impl FeatureColumn {
    /// Wraps a column; NaN is missing, and an infinite value becomes missing too (a ratio over zero is undefined).
    pub fn new(name: impl Into<String>, mut values: Vec<f64>) -> Self {
        for value in &mut values {
            if value.is_infinite() {
                *value = f64::NAN;
            }
        }
        Self { name: name.into(), values }
    }

    /// Returns the name, such as `rsi_14`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the value at a row, `None` where it is missing or past the end.
    pub fn value(&self, row: usize) -> Option<f64> {
        self.values.get(row).copied().filter(|value| !value.is_nan())
    }

    /// Returns all rows; NaN is missing.
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

/// Several features down the same bars of one instrument: column-major, all of one length.
#[derive(Debug, Clone)]
pub struct FeatureMatrix {
    columns: Vec<FeatureColumn>,
    rows: usize,
}

impl FeatureMatrix {
    /// Joins columns of equal length.
    ///
    /// # Errors
    /// [`MarketError::Length`] when a column's length is not `rows`.
    pub fn new(rows: usize, columns: Vec<FeatureColumn>) -> Result<Self, MarketError> {
        for column in &columns {
            if column.values.len() != rows {
                return Err(MarketError::Length { column: "feature", expected: rows, found: column.values.len() });
            }
        }
        Ok(Self { columns, rows })
    }

    /// Returns the number of rows: the instrument's bars.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the columns in the config's order.
    pub fn columns(&self) -> &[FeatureColumn] {
        &self.columns
    }

    /// Returns whether every column has a value at a row.
    pub fn row_is_complete(&self, row: usize) -> bool {
        self.columns.iter().all(|column| column.value(row).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_infinite_value_is_none_at_the_border() {
        let column = FeatureColumn::new("ratio", vec![f64::NAN, 1.5, f64::INFINITY]);
        assert_eq!([column.value(0), column.value(1), column.value(2), column.value(3)], [None, Some(1.5), None, None]);
    }

    #[test]
    fn columns_of_different_lengths_do_not_join() {
        let columns = vec![FeatureColumn::new("a", vec![1.0]), FeatureColumn::new("b", vec![])];
        assert!(FeatureMatrix::new(1, columns).is_err());
    }
}
