//! Bars as columns.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{BarInterval, MarketError, Timestamp};

/// Which end of the bar its time label names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BarLabel {
    /// The label is the time the bar opened; a date labels its session this way.
    Open,
    /// The label is the time the bar closed.
    Close,
}

/// One bar. The open is known at `open_time`, everything else at `close_time` and never before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// When the bar opened.
    pub open_time: Timestamp,
    /// When the bar closed.
    pub close_time: Timestamp,
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Units traded.
    pub volume: f64,
}

/// Columns that have not been checked yet: what a reader hands to [`Bars::new`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BarColumns {
    /// Time labels as in the file.
    pub time: Vec<Timestamp>,
    /// First prices.
    pub open: Vec<f64>,
    /// Highest prices.
    pub high: Vec<f64>,
    /// Lowest prices.
    pub low: Vec<f64>,
    /// Last prices.
    pub close: Vec<f64>,
    /// Units traded.
    pub volume: Vec<f64>,
}

/// One instrument's bars as columns: sorted, unique in time, finite, sane.
///
/// A bar labelled by its open closes one interval later; one labelled by its close opened one interval earlier. A daily bar
/// labelled by a date therefore closes at the end of that day.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    columns: BarColumns,
    label: BarLabel,
    interval: BarInterval,
}

impl Bars {
    /// Checks columns and wraps them.
    ///
    /// # Errors
    /// [`MarketError::Length`] for columns of different lengths; [`MarketError::Row`] for the first row whose time does not
    /// come after the one before, whose values are not finite, whose prices are not above zero and at most 1e12, whose volume is negative, or
    /// for which `low <= min(open, close)` and `max(open, close) <= high` do not both hold.
    pub fn new(columns: BarColumns, label: BarLabel, interval: BarInterval) -> Result<Self, MarketError> {
        let rows = columns.time.len();
        let lengths = [
            ("open", columns.open.len()),
            ("high", columns.high.len()),
            ("low", columns.low.len()),
            ("close", columns.close.len()),
            ("volume", columns.volume.len()),
        ];
        for (column, found) in lengths {
            if found != rows {
                return Err(MarketError::Length { column, expected: rows, found });
            }
        }
        for row in 0..rows {
            if let Some(rule) = broken_rule(&columns, row) {
                return Err(MarketError::Row { row, time: columns.time[row], rule });
            }
        }
        Ok(Self { columns, label, interval })
    }

    /// Returns the number of bars.
    pub const fn len(&self) -> usize {
        self.columns.time.len()
    }

    /// Returns whether there are no bars.
    pub const fn is_empty(&self) -> bool {
        self.columns.time.is_empty()
    }

    /// Returns the interval.
    pub const fn interval(&self) -> BarInterval {
        self.interval
    }

    /// Returns which end of a bar its time label names.
    pub const fn label(&self) -> BarLabel {
        self.label
    }

    /// Returns the time labels, as in the file.
    pub fn time(&self) -> &[Timestamp] {
        &self.columns.time
    }

    /// Returns the first prices.
    pub fn open(&self) -> &[f64] {
        &self.columns.open
    }

    /// Returns the highest prices.
    pub fn high(&self) -> &[f64] {
        &self.columns.high
    }

    /// Returns the lowest prices.
    pub fn low(&self) -> &[f64] {
        &self.columns.low
    }

    /// Returns the last prices.
    pub fn close(&self) -> &[f64] {
        &self.columns.close
    }

    /// Returns the units traded.
    pub fn volume(&self) -> &[f64] {
        &self.columns.volume
    }

    /// Returns when a bar opened.
    pub fn open_time(&self, row: usize) -> Timestamp {
        match self.label {
            BarLabel::Open => self.columns.time[row],
            BarLabel::Close => self.columns.time[row].plus_nanos(-self.interval.nanos()),
        }
    }

    /// Returns when a bar closed: the moment its high, low, close and volume became known.
    pub fn close_time(&self, row: usize) -> Timestamp {
        match self.label {
            BarLabel::Open => self.columns.time[row].plus_nanos(self.interval.nanos()),
            BarLabel::Close => self.columns.time[row],
        }
    }

    /// Returns one bar.
    pub fn bar(&self, row: usize) -> Bar {
        Bar {
            open_time: self.open_time(row),
            close_time: self.close_time(row),
            open: self.columns.open[row],
            high: self.columns.high[row],
            low: self.columns.low[row],
            close: self.columns.close[row],
            volume: self.columns.volume[row],
        }
    }

    /// Returns the columns.
    pub const fn columns(&self) -> &BarColumns {
        &self.columns
    }

    /// Returns the first `rows` bars, or all when there are fewer.
    #[must_use]
    pub fn prefix(&self, rows: usize) -> Self {
        self.slice(0..rows.min(self.len()))
    }

    /// Returns the bars of a range of rows.
    #[must_use]
    pub fn slice(&self, rows: Range<usize>) -> Self {
        Self {
            columns: BarColumns {
                time: self.columns.time[rows.clone()].to_vec(),
                open: self.columns.open[rows.clone()].to_vec(),
                high: self.columns.high[rows.clone()].to_vec(),
                low: self.columns.low[rows.clone()].to_vec(),
                close: self.columns.close[rows.clone()].to_vec(),
                volume: self.columns.volume[rows].to_vec(),
            },
            ..*self
        }
    }
}

/// No price is higher: what is reckoned from prices stays far from overflow.
const PRICE_MAX: f64 = 1e12;

/// Names the rule that a row breaks and what was found.
fn broken_rule(columns: &BarColumns, row: usize) -> Option<String> {
    let [open, high, low, close] = [columns.open[row], columns.high[row], columns.low[row], columns.close[row]];
    let volume = columns.volume[row];
    if row > 0 && columns.time[row] <= columns.time[row - 1] {
        return Some(format!("time must come after the row before, which is `{}`", columns.time[row - 1]));
    }
    for (name, value) in [("open", open), ("high", high), ("low", low), ("close", close)] {
        if !value.is_finite() || value <= 0.0 {
            return Some(format!("{name} must be finite and above 0, was `{value}`"));
        }
        if value > PRICE_MAX {
            return Some(format!("{name} must be at most 1e12, was `{value}`"));
        }
    }
    if !volume.is_finite() || volume < 0.0 {
        return Some(format!("volume must be finite and at least 0, was `{volume}`"));
    }
    if low > open.min(close) || high < open.max(close) {
        return Some(format!(
            "low must not be above, nor high below, open and close; open `{open}`, high `{high}`, low `{low}`, close `{close}`"
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> BarColumns {
        let day = Timestamp::NANOS_PER_DAY;
        BarColumns {
            time: vec![Timestamp::from_nanos(0), Timestamp::from_nanos(day)],
            open: vec![10.0, 11.0],
            high: vec![12.0, 12.0],
            low: vec![9.0, 10.0],
            close: vec![11.0, 10.5],
            volume: vec![100.0, 0.0],
        }
    }

    fn daily(columns: BarColumns, label: BarLabel) -> Result<Bars, MarketError> {
        Bars::new(columns, label, "1d".parse().expect("valid interval"))
    }

    fn check(spoil: impl FnOnce(&mut BarColumns), message: &str) {
        let mut columns = columns();
        spoil(&mut columns);
        let error = daily(columns, BarLabel::Open).expect_err(message).to_string();
        assert!(error.contains(message), "{error}");
    }

    #[test]
    fn a_bar_labelled_by_a_date_closes_at_the_end_of_that_day() {
        let bars = daily(columns(), BarLabel::Open).expect("sane");
        assert_eq!(bars.open_time(0).nanos(), 0);
        assert_eq!(bars.close_time(0).nanos(), Timestamp::NANOS_PER_DAY);
    }

    #[test]
    fn a_bar_labelled_by_its_close_opened_one_interval_earlier() {
        let bars = daily(columns(), BarLabel::Close).expect("sane");
        assert_eq!(bars.open_time(1).nanos(), 0);
        assert_eq!(bars.close_time(1).nanos(), Timestamp::NANOS_PER_DAY);
    }

    #[test]
    fn a_broken_row_does_not_construct() {
        check(|c| c.time[1] = c.time[0], "must come after the row before");
        check(|c| c.high[1] = 10.9, "nor high below");
        check(|c| c.low[0] = 10.5, "low must not be above");
        check(|c| c.close[0] = f64::NAN, "close must be finite");
        check(|c| c.open[0] = 0.0, "above 0");
        check(|c| c.volume[1] = -1.0, "volume must be finite");
        check(|c| c.close.truncate(1), "`close` must have `2` rows");
    }

    #[test]
    fn a_prefix_is_the_first_rows() {
        let bars = daily(columns(), BarLabel::Open).expect("sane");
        assert_eq!(bars.prefix(1).close(), &[11.0]);
        assert_eq!(bars.prefix(9), bars);
    }
}
