//! A number that changes now and then: an exchange rate, a funding rate.

use crate::{MarketError, Timestamp};

/// Values with the times from which they were known, ascending.
#[derive(Debug, Clone, PartialEq)]
pub struct RateSeries {
    known_time: Vec<Timestamp>,
    value: Vec<f64>,
}

impl RateSeries {
    /// Checks and wraps the columns.
    ///
    /// # Errors
    /// [`MarketError::Length`] for columns of different lengths, [`MarketError::Row`] for a time that does not come after the one
    /// before and for a value that is not finite.
    pub fn new(known_time: Vec<Timestamp>, value: Vec<f64>) -> Result<Self, MarketError> {
        if known_time.len() != value.len() {
            return Err(MarketError::Length { column: "rate", expected: known_time.len(), found: value.len() });
        }
        for row in 0..value.len() {
            let error = |rule| Err(MarketError::Row { row, time: known_time[row], rule });
            if row > 0 && known_time[row] <= known_time[row - 1] {
                return error(format!("time must come after the row before, which is `{}`", known_time[row - 1]));
            }
            if !value[row].is_finite() {
                return error(format!("rate must be finite, was `{}`", value[row]));
            }
        }
        Ok(Self { known_time, value })
    }

    /// Returns the times from which the values were known.
    pub fn known_time(&self) -> &[Timestamp] {
        &self.known_time
    }

    /// Returns the values.
    pub fn value(&self) -> &[f64] {
        &self.value
    }

    /// Returns the last value known at a moment; `None` before the first.
    pub fn at(&self, time: Timestamp) -> Option<f64> {
        let after = self.known_time.partition_point(|&known| known <= time);
        after.checked_sub(1).map(|last| self.value[last])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: i64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    #[test]
    fn the_last_known_value_counts_and_none_before_the_first() {
        let rates = RateSeries::new(vec![at(10), at(20)], vec![1.1, 1.2]).expect("ascending");
        assert_eq!(
            [rates.at(at(9)), rates.at(at(10)), rates.at(at(19)), rates.at(at(99))],
            [None, Some(1.1), Some(1.1), Some(1.2)]
        );
    }

    #[test]
    fn times_that_do_not_ascend_and_values_that_are_not_finite_do_not_construct() {
        assert!(RateSeries::new(vec![at(10), at(10)], vec![1.0, 1.0]).is_err());
        assert!(RateSeries::new(vec![at(10)], vec![f64::NAN]).is_err());
        assert!(RateSeries::new(vec![at(10)], vec![]).is_err());
    }
}
