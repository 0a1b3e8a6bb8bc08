//! Returns by calendar month and year.

use chrono::Datelike;
use serde::{Deserialize, Serialize};

use crate::Returns;

/// The compounded return of one calendar month.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MonthlyReturn {
    /// The year.
    pub year: i32,
    /// The month, 1 to 12.
    pub month: u32,
    /// The return, a fraction.
    pub value: f64,
}

/// The compounded return of one calendar year.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct YearlyReturn {
    /// The year.
    pub year: i32,
    /// The return, a fraction.
    pub value: f64,
}

/// Returns the compounded return of each calendar month that has a period, in order; nothing without times.
///
/// A period belongs to the month (UTC) of its label. `prod(1 + r) - 1` within the month.
pub fn monthly_returns(returns: &Returns) -> Vec<MonthlyReturn> {
    let months = by_calendar(returns, |year, month| (year, month));
    months.into_iter().map(|((year, month), value)| MonthlyReturn { year, month, value }).collect()
}

/// Returns the compounded return of each calendar year that has a period, in order; nothing without times.
///
/// A period belongs to the year (UTC) of its label. `prod(1 + r) - 1` within the year.
pub fn yearly_returns(returns: &Returns) -> Vec<YearlyReturn> {
    by_calendar(returns, |year, _| year).into_iter().map(|(year, value)| YearlyReturn { year, value }).collect()
}

/// Compounds consecutive periods whose labels have the same key.
fn by_calendar<K: PartialEq>(returns: &Returns, key: impl Fn(i32, u32) -> K) -> Vec<(K, f64)> {
    let mut growth: Vec<(K, f64)> = Vec::new();
    for (time, value) in returns.time().into_iter().flatten().zip(returns.values()) {
        let date = time.date();
        let key = key(date.year(), date.month());
        match growth.last_mut() {
            Some((last, growth)) if *last == key => *growth *= 1.0 + value,
            _ => growth.push((key, 1.0 + value)),
        }
    }
    growth.into_iter().map(|(key, growth)| (key, growth - 1.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::total_return;
    use crate::vectors::{assert_close, periods, returns};

    fn check(times: &[&str], values: &[f64]) -> Returns {
        let time = times.iter().map(|time| time.parse().expect("a date")).collect();
        Returns::from_times(time, values.to_vec(), 252.0).expect("valid")
    }

    #[test]
    fn days_of_a_month_compound() {
        let returns = check(&["2015-01-30", "2015-01-31", "2015-02-01", "2016-02-01"], &[0.5, 1.0, -0.5, 0.25]);
        let months: Vec<_> = monthly_returns(&returns).iter().map(|m| (m.year, m.month, m.value)).collect();
        assert_eq!(months, [(2015, 1, 2.0), (2015, 2, -0.5), (2016, 2, 0.25)]);
        let years: Vec<_> = yearly_returns(&returns).iter().map(|y| (y.year, y.value)).collect();
        assert_eq!(years, [(2015, 0.5), (2016, 0.25)]);
    }

    #[test]
    fn months_and_years_compound_to_the_total() {
        let returns = returns();
        let total = total_return(&returns).expect("750 periods");
        let months: f64 = monthly_returns(&returns).iter().map(|month| 1.0 + month.value).product();
        let years: f64 = yearly_returns(&returns).iter().map(|year| 1.0 + year.value).product();
        assert_close(Some(months - 1.0), total);
        assert_close(Some(years - 1.0), total);
        // 2015-01 to 2017-11.
        assert_eq!(monthly_returns(&returns).len(), 35);
    }

    #[test]
    fn without_times_there_is_no_calendar() {
        assert!(monthly_returns(&periods(&[0.1])).is_empty());
    }
}
