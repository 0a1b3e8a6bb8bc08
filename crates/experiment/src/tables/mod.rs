//! The columns of a run's Parquet files, one file per table.
//!
//! Tables say what the journal says, in its order: the same journal gives the same bytes, and a table without rows keeps its columns.

mod cash_flows;
mod corporate_actions;
mod equity;
mod fills;
mod forecasts;
mod names;
mod orders;
mod positions;
mod trades;

#[cfg(test)]
pub(crate) mod fixture;

use tidegate_backtest::FillTiming;
use tidegate_data::{Column, Table, TimeKind};
use tidegate_market::{BarInterval, InstrumentId, IntervalUnit, Timestamp};

use crate::ExperimentError;

pub(crate) use cash_flows::cash_flows;
pub(crate) use corporate_actions::corporate_actions;
pub(crate) use equity::equity;
pub(crate) use fills::fills;
pub(crate) use forecasts::{forecasts, statements};
pub(crate) use orders::orders;
pub(crate) use positions::positions;
pub(crate) use trades::trades;

/// What a journal's numbers stand for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Naming<'a> {
    /// The symbol of each instrument.
    pub(crate) symbols: &'a [String],
    /// The length of a bar.
    pub(crate) interval: BarInterval,
    /// When market orders fill.
    pub(crate) fill: FillTiming,
}

impl Naming<'_> {
    fn symbol(&self, instrument: InstrumentId) -> String {
        self.symbols[instrument.index()].clone()
    }

    fn time(&self, values: Vec<Timestamp>) -> Column {
        let kind = self.time_kind(values.iter().copied());
        Column::Time(values, kind)
    }

    fn optional_time(&self, values: Vec<Option<Timestamp>>) -> Column {
        let kind = self.time_kind(values.iter().copied().flatten());
        Column::OptionalTime(values, kind)
    }

    /// Times are dates where all of them are midnights of daily or longer bars, as in the features' tables.
    fn time_kind(&self, times: impl IntoIterator<Item = Timestamp>) -> TimeKind {
        let midnight = |time: Timestamp| time.nanos().rem_euclid(Timestamp::NANOS_PER_DAY) == 0;
        let daily = matches!(self.interval.unit(), IntervalUnit::Day | IntervalUnit::Week);
        if daily && times.into_iter().all(midnight) { TimeKind::Date } else { TimeKind::Instant }
    }
}

fn table(columns: Vec<(&str, Column)>) -> Result<Table, ExperimentError> {
    Ok(Table::new(columns.into_iter().map(|(name, column)| (name.to_owned(), column)).collect())?)
}

fn floats<T>(rows: &[T], value: impl Fn(&T) -> f64) -> Column {
    Column::Float(rows.iter().map(value).collect())
}

fn optional_floats<T>(rows: &[T], value: impl Fn(&T) -> Option<f64>) -> Column {
    Column::OptionalFloat(rows.iter().map(value).collect())
}

fn texts<T>(rows: &[T], value: impl Fn(&T) -> String) -> Column {
    Column::Text(rows.iter().map(value).collect())
}
