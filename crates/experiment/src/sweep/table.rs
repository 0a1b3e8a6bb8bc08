//! Rows as columns of `trials.parquet`, written as they come.

use std::path::Path;

use tidegate_data::{Column, Table, TableWriter};

use super::axis::{ValueKind, text};
use super::plan::SweepPlan;
use super::trial::{Outcome, TrialRow};
use crate::ExperimentError;

/// Rows that Parquet groups: fixed, so that the bytes depend on the rows alone.
const ROW_GROUP: usize = 1 << 16;

/// `trials.parquet` on its way: one row per trial in trial order.
pub(super) struct TrialTable {
    writer: TableWriter,
    names: Vec<String>,
    kinds: Vec<ValueKind>,
    pending: Pending,
}

/// Rows of a group that is not full.
#[derive(Default)]
struct Pending {
    trial: Vec<i64>,
    values: Vec<Values>,
    metrics: Vec<Vec<Option<f64>>>,
    skipped: Vec<String>,
}

enum Values {
    Whole(Vec<i64>),
    Real(Vec<f64>),
    Text(Vec<String>),
}

impl TrialTable {
    /// Starts the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn create(path: &Path, plan: &SweepPlan) -> Result<Self, ExperimentError> {
        let names: Vec<String> = std::iter::once("trial".to_owned())
            .chain(plan.keys.iter().map(|key| key.key.clone()))
            .chain(plan.metrics.names().iter().map(|name| (*name).to_owned()))
            .chain(std::iter::once("skipped".to_owned()))
            .collect();
        let kinds: Vec<ValueKind> = plan.keys.iter().map(super::axis::SweptKey::kind).collect();
        let pending = Pending::new(&kinds, plan.metrics.len());
        let writer = TableWriter::create(path, &Pending::new(&kinds, plan.metrics.len()).table(&names)?)?;
        Ok(Self { writer, names, kinds, pending })
    }

    /// Appends a row.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn push(&mut self, plan: &SweepPlan, row: &TrialRow) -> Result<(), ExperimentError> {
        self.pending.push(plan, row);
        if self.pending.trial.len() == ROW_GROUP {
            self.flush()?;
        }
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn finish(mut self) -> Result<(), ExperimentError> {
        self.flush()?;
        Ok(self.writer.finish()?)
    }

    fn flush(&mut self) -> Result<(), ExperimentError> {
        let fresh = Pending::new(&self.kinds, self.pending.metrics.len());
        let full = std::mem::replace(&mut self.pending, fresh);
        Ok(self.writer.append(&full.table(&self.names)?)?)
    }
}

impl Pending {
    fn new(kinds: &[ValueKind], metrics: usize) -> Self {
        let column = |kind: &ValueKind| match kind {
            ValueKind::Whole => Values::Whole(Vec::new()),
            ValueKind::Real => Values::Real(Vec::new()),
            ValueKind::Text => Values::Text(Vec::new()),
        };
        Self { values: kinds.iter().map(column).collect(), metrics: vec![Vec::new(); metrics], ..Self::default() }
    }

    fn push(&mut self, plan: &SweepPlan, row: &TrialRow) {
        self.trial.push(row.number as i64);
        for ((column, key), coordinate) in self.values.iter_mut().zip(&plan.keys).zip(&row.point) {
            let value = key.value(*coordinate);
            match column {
                Values::Whole(column) => column.push(value.as_integer().expect("the kind was seen in all values")),
                Values::Real(column) => {
                    let number = value.as_float().or_else(|| value.as_integer().map(|value| value as f64));
                    column.push(number.expect("the kind was seen in all values"));
                }
                Values::Text(column) => column.push(text(&value)),
            }
        }
        let ran = row.ran();
        for (place, column) in self.metrics.iter_mut().enumerate() {
            column.push(ran.map(|ran| ran.metrics[place]).filter(|value| !value.is_nan()));
        }
        self.skipped.push(match &row.outcome {
            Outcome::Ran(_) => String::new(),
            Outcome::Skipped(reason) => reason.to_string(),
        });
    }

    fn table(self, names: &[String]) -> Result<Table, ExperimentError> {
        let values = self.values.into_iter().map(|column| match column {
            Values::Whole(column) => Column::Int(column),
            Values::Real(column) => Column::Float(column),
            Values::Text(column) => Column::Text(column),
        });
        let columns = std::iter::once(Column::Int(self.trial))
            .chain(values)
            .chain(self.metrics.into_iter().map(Column::OptionalFloat))
            .chain(std::iter::once(Column::Text(self.skipped)));
        Ok(Table::new(names.iter().cloned().zip(columns).collect())?)
    }
}
