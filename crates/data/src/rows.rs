//! Typed rows of files, gathered by symbol.

use std::collections::HashMap;
use std::path::Path;

use polars::prelude::DataType;

use crate::cells::RawTable;
use crate::csv::read_csv;
use crate::header::Role;
use crate::parquet::read_parquet;
use crate::source::{FileFormat, stem_and_format};
use crate::{Adjustment, DataError, Layout, MissingVolume, ReadOptions, lean};

/// Where a row stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    /// Place among the files that were read.
    pub(crate) file: u32,
    /// One-based line, or row of a Parquet file.
    pub(crate) line: u32,
}

/// One symbol's rows in the order of the files, not checked yet.
#[derive(Debug, Default)]
pub(crate) struct SeriesRows {
    pub(crate) origin: Vec<Origin>,
    pub(crate) time: Vec<Option<i64>>,
    /// Which times are local, without an offset from UTC.
    pub(crate) local: Vec<bool>,
    /// Open, high, low, close, volume; NaN where missing.
    pub(crate) values: [Vec<f64>; 5],
    /// The column that the adjustment needs, if any; NaN where missing.
    pub(crate) adjuster: Option<Vec<f64>>,
    /// Split ratios and dividends, where they are asked for; NaN where missing.
    pub(crate) actions: Option<[Vec<f64>; 2]>,
}

impl SeriesRows {
    /// Names of [`SeriesRows::values`].
    pub(crate) const VALUES: [&str; 5] = ["open", "high", "low", "close", "volume"];

    fn push(&mut self, from: &Self, row: usize) {
        self.origin.push(from.origin[row]);
        self.time.push(from.time[row]);
        self.local.push(from.local[row]);
        for (column, source) in self.values.iter_mut().zip(&from.values) {
            column.push(source[row]);
        }
        if let Some(source) = &from.adjuster {
            self.adjuster.get_or_insert_default().push(source[row]);
        }
        if let Some(sources) = &from.actions {
            for (column, source) in self.actions.get_or_insert_default().iter_mut().zip(sources) {
                column.push(source[row]);
            }
        }
    }

    fn append(&mut self, mut from: Self) {
        if self.time.is_empty() {
            *self = from;
            return;
        }
        self.origin.append(&mut from.origin);
        self.time.append(&mut from.time);
        self.local.append(&mut from.local);
        for (column, source) in self.values.iter_mut().zip(&mut from.values) {
            column.append(source);
        }
        if let Some(mut source) = from.adjuster {
            self.adjuster.get_or_insert_default().append(&mut source);
        }
        if let Some(mut sources) = from.actions {
            for (column, source) in self.actions.get_or_insert_default().iter_mut().zip(&mut sources) {
                column.append(source);
            }
        }
    }
}

/// Rows by symbol, in the order in which symbols first appear.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) symbols: Vec<String>,
    pub(crate) series: Vec<SeriesRows>,
    pub(crate) layouts: Vec<Layout>,
    pub(crate) rows_read: usize,
    places: HashMap<String, usize>,
}

impl Gathered {
    /// Reads one file and adds its rows.
    pub(crate) fn add(&mut self, path: &Path, file: u32, options: &ReadOptions) -> Result<(), DataError> {
        let (stem, format) = stem_and_format(path).expect("files of other kinds were left out or refused");
        let table = match format {
            FileFormat::Csv => read_csv(path, options)?,
            FileFormat::Parquet => read_parquet(path, options)?,
        };
        self.layouts.push(table.layout);
        let (rows, kept) = typed(&table, file, options)?;
        self.rows_read += rows.time.len();
        if let Some(symbols) = symbols(&table, &kept)? {
            self.distribute(&rows, &symbols);
        } else {
            let stem = if options.columns.layout.is_some() { lean::describe(path).symbol } else { stem };
            let place = self.place(options.symbol.as_deref().unwrap_or(&stem));
            self.series[place].append(rows);
        }
        Ok(())
    }

    fn place(&mut self, symbol: &str) -> usize {
        if let Some(place) = self.places.get(symbol) {
            return *place;
        }
        let place = self.symbols.len();
        self.places.insert(symbol.to_owned(), place);
        self.symbols.push(symbol.to_owned());
        self.series.push(SeriesRows::default());
        place
    }

    fn distribute(&mut self, rows: &SeriesRows, symbols: &[String]) {
        let mut last = None;
        for (row, symbol) in symbols.iter().enumerate() {
            let place = match last {
                Some((name, place)) if name == symbol => place,
                _ => self.place(symbol),
            };
            last = Some((symbol, place));
            self.series[place].push(rows, row);
        }
    }
}

/// Returns a table's rows without blank lines, and which of its rows those are.
fn typed(table: &RawTable, file: u32, options: &ReadOptions) -> Result<(SeriesRows, Vec<bool>), DataError> {
    let stamps = crate::time::stamps(table, options.columns.time_format.as_deref())?;
    let mut rows = SeriesRows {
        origin: (0..table.rows).map(|row| Origin { file, line: table.line(row) as u32 }).collect(),
        time: stamps.iter().map(|stamp| stamp.map(|stamp| stamp.nanos)).collect(),
        local: stamps.iter().map(|stamp| stamp.is_some_and(|stamp| stamp.local)).collect(),
        values: values(table, options)?,
        adjuster: adjuster(table, options)?,
        actions: actions(table, options)?,
    };
    let kept: Vec<bool> = table.blank_rows().iter().map(|blank| !blank).collect();
    if kept.contains(&false) {
        let mut dense = SeriesRows::default();
        for row in (0..table.rows).filter(|row| kept[*row]) {
            dense.push(&rows, row);
        }
        rows = dense;
    }
    Ok((rows, kept))
}

/// Returns prices in money per unit, and volume; of quotes, those of the side that is read.
fn values(table: &RawTable, options: &ReadOptions) -> Result<[Vec<f64>; 5], DataError> {
    let mut volume = table.floats(Role::Volume)?;
    if table.column(Role::Volume).is_none() && options.columns.missing_volume == MissingVolume::Zero {
        volume.fill(0.0);
    }
    let price = |role| table.floats(role);
    let mut values = [price(Role::Open)?, price(Role::High)?, price(Role::Low)?, price(Role::Close)?, volume];
    if table.column(Role::AskOpen).is_some() {
        let asks = [Role::AskOpen, Role::AskHigh, Role::AskLow, Role::AskClose];
        for (bid, ask) in values.iter_mut().zip(asks) {
            for (bid, ask) in bid.iter_mut().zip(table.floats(ask)?) {
                *bid = f64::midpoint(*bid, ask);
            }
        }
        for (bid, ask) in values[4].iter_mut().zip(table.floats(Role::AskVolume)?) {
            // Not `min`, which would take the other side's size for a missing one.
            *bid = if ask < *bid || ask.is_nan() { ask } else { *bid };
        }
    }
    for column in &mut values[..4] {
        to_money(column, options.columns.price_scale);
    }
    Ok(values)
}

/// Multiplies by the scale. One that is a whole part of 1 is divided by, so that 1674200 ten-thousandths are exactly 167.42.
fn to_money(column: &mut [f64], scale: Option<f64>) {
    let Some(scale) = scale else {
        return;
    };
    let parts = (1.0 / scale).round();
    let whole = parts >= 1.0 && (parts * scale - 1.0).abs() < 1e-12;
    for value in column {
        *value = if whole { *value / parts } else { *value * scale };
    }
}

fn adjuster(table: &RawTable, options: &ReadOptions) -> Result<Option<Vec<f64>>, DataError> {
    match options.adjustment {
        _ if options.factor_files.is_some() => Ok(None),
        Adjustment::Raw => Ok(None),
        Adjustment::Split => Ok(Some(table.floats(Role::SplitRatio)?)),
        Adjustment::TotalReturn => {
            let mut adjusted = table.floats(Role::AdjustedClose)?;
            to_money(&mut adjusted, options.columns.price_scale);
            Ok(Some(adjusted))
        }
    }
}

/// Returns split ratios and dividends, where they are asked for; 0, which is none, for a column that is not there.
fn actions(table: &RawTable, options: &ReadOptions) -> Result<Option<[Vec<f64>; 2]>, DataError> {
    if !options.corporate_actions {
        return Ok(None);
    }
    let column = |role| if table.column(role).is_some() { table.floats(role) } else { Ok(vec![0.0; table.rows]) };
    let mut dividends = column(Role::Dividend)?;
    to_money(&mut dividends, options.columns.price_scale);
    Ok(Some([column(Role::SplitRatio)?, dividends]))
}

/// Returns the symbol of each kept row, where the table has a column for it.
fn symbols(table: &RawTable, kept: &[bool]) -> Result<Option<Vec<String>>, DataError> {
    let Some(column) = table.column(Role::Symbol) else {
        return Ok(None);
    };
    let error = |row, value: &str| table.mistyped(row, column.name(), "symbols", value);
    let cast = column.as_materialized_series().cast(&DataType::String).map_err(|e| error(0, &e.to_string()))?;
    let texts = cast.str().expect("cast to string above");
    let mut symbols = Vec::with_capacity(texts.len());
    for (row, text) in texts.iter().enumerate().filter(|(row, _)| kept[*row]) {
        match text.map(str::trim) {
            None | Some("") => return Err(error(row, "missing")),
            Some(symbol) => symbols.push(symbol.to_owned()),
        }
    }
    Ok(Some(symbols))
}
