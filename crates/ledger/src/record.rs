//! Writing trials: one transaction a batch.

use rusqlite::{Connection, Statement, TransactionBehavior};

use crate::checksum::Checksum;
use crate::schema::{BUILDS, FIXED_COLUMNS, intern, metric_columns, quoted};
use crate::{Ledger, LedgerError, MetricSetId, Origin, Source, TrialRecord};

/// What became of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Trials that the ledger did not have.
    pub new: usize,
    /// Trials that it had.
    pub known: usize,
    /// Those of the known ones whose result took the place of the one before.
    pub replaced: usize,
}

impl Ledger {
    /// Writes a batch in one transaction, and returns what of it was new.
    ///
    /// A known trial keeps its result, unless it is now evaluated by another build, or was measured by fewer metrics, or had
    /// failed. A failure never takes the place of a result.
    ///
    /// # Errors
    /// When a trial has other metrics than its set, or the file cannot be written; then nothing of the batch is.
    pub fn record(&mut self, origin: &Origin<'_>, trials: &[TrialRecord]) -> Result<Recorded, LedgerError> {
        let mut committed = self.keys.seen();
        let result = self.write(origin, trials, &mut committed);
        if result.is_err() {
            self.keys.forget_after(committed, trials.iter().map(|trial| trial.key));
        }
        result
    }

    fn write(
        &mut self,
        origin: &Origin<'_>,
        trials: &[TrialRecord],
        committed: &mut u32,
    ) -> Result<Recorded, LedgerError> {
        let Self { connection, keys, sets, path } = self;
        let sorted = |error: rusqlite::Error| LedgerError::of(path, &error);
        let names = Self::set_names(connection, sets, origin.metrics).map_err(sorted)?.to_vec();
        check_metric_counts(trials, names.len())?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sorted)?;
        keys.catch_up(&transaction).map_err(sorted)?;
        *committed = keys.seen();
        let mut recorded = Recorded::default();
        let mut write_all = || -> rusqlite::Result<()> {
            let columns = metric_columns(&transaction)?;
            let place =
                |name| columns.iter().position(|column| column == name).map(|place| FIXED_COLUMNS.len() + place);
            let places: Vec<usize> = names.iter().filter_map(place).collect();
            let build = intern(&transaction, &BUILDS, origin.build)?;
            let mut insert = transaction.prepare(&insert_sql(&names))?;
            for trial in trials {
                let row = |number, swept| Row { origin, build, trial, number, swept, places: &places };
                let Some(number) = keys.number(trial.key) else {
                    recorded.new += 1;
                    row(keys.add(trial.key), &trial.values).execute(&mut insert)?;
                    continue;
                };
                recorded.known += 1;
                let stored = Stored::of(&transaction, number)?;
                let covers = Self::set_names(&transaction, sets, stored.metric_set)?;
                let covers = names.iter().all(|name| covers.contains(name));
                if stored.gives_way(trial, origin.source, build, covers) {
                    recorded.replaced += 1;
                    let swept = if trial.values.is_empty() { &stored.swept } else { &trial.values };
                    row(number, swept).execute(&mut transaction.prepare(&update_sql(&columns, &names))?)?;
                }
            }
            Ok(())
        };
        write_all().map_err(sorted)?;
        transaction.commit().map_err(sorted)?;
        Ok(recorded)
    }
}

fn check_metric_counts(trials: &[TrialRecord], expected: usize) -> Result<(), LedgerError> {
    let wrong = |trial: &&TrialRecord| {
        trial.metrics.len() != expected && !(trial.metrics.is_empty() && trial.failure.is_some())
    };
    match trials.iter().find(wrong) {
        None => Ok(()),
        Some(trial) => Err(LedgerError::MetricCount { expected, found: trial.metrics.len() }),
    }
}

/// What decides whether a stored result stays.
struct Stored {
    metric_set: MetricSetId,
    build: i64,
    failed: bool,
    swept: String,
}

impl Stored {
    fn of(connection: &Connection, number: u32) -> rusqlite::Result<Self> {
        let sql = "SELECT metric_set, build, failure IS NOT NULL, swept FROM trial WHERE number = ?1";
        connection.query_row(sql, [number], |row| {
            Ok(Self {
                metric_set: MetricSetId(row.get(0)?),
                build: row.get(1)?,
                failed: row.get(2)?,
                swept: row.get(3)?,
            })
        })
    }

    fn gives_way(&self, trial: &TrialRecord, source: Source, build: i64, covers: bool) -> bool {
        let another_build = self.build != build;
        if source == Source::Imported {
            return false;
        }
        if trial.failure.is_some() {
            return self.failed && another_build;
        }
        self.failed || another_build || !covers
    }
}

/// A row on its way into the table. The values of swept keys outlive the result that they came with.
struct Row<'a> {
    origin: &'a Origin<'a>,
    build: i64,
    trial: &'a TrialRecord,
    number: u32,
    swept: &'a str,
    /// The places of the metrics in the table.
    places: &'a [usize],
}

impl Row<'_> {
    /// Binds the fixed columns in their order, then the metrics. An undefined metric is NULL, since `SQLite` has no NaN.
    fn execute(&self, statement: &mut Statement<'_>) -> rusqlite::Result<usize> {
        let Self { origin, trial, .. } = self;
        let stated = |value: i64| (origin.source != Source::Imported).then_some(value);
        let mut values = Values { statement, checksum: Checksum::new(), place: 0 };
        values.integer(Some(i64::from(self.number)))?;
        values.integer(Some(trial.key.config_hash as i64))?;
        values.integer(Some(trial.key.data_hash as i64))?;
        values.integer(Some(origin.metrics.0))?;
        values.integer(Some(self.build))?;
        values.text(trial.failure.as_deref())?;
        values.integer(stated(trial.seed as i64))?;
        values.text(Some(origin.source.name()))?;
        values.integer(stated(trial.recorded_at_ns))?;
        values.integer(stated(trial.elapsed_ns as i64))?;
        values.text(Some(self.swept))?;
        let Values { statement, mut checksum, place: sum } = values;
        for (index, place) in self.places.iter().enumerate() {
            let value = trial.metrics.get(index).copied().filter(|value| !value.is_nan());
            if let Some(value) = value {
                checksum.float(*place, value);
            }
            statement.raw_bind_parameter(FIXED_COLUMNS.len() + index + 1, value)?;
        }
        statement.raw_bind_parameter(sum + 1, checksum.finish())?;
        statement.raw_execute()
    }
}

/// Binds one value after the other and sums them.
struct Values<'a, 'connection> {
    statement: &'a mut Statement<'connection>,
    checksum: Checksum,
    place: usize,
}

impl Values<'_, '_> {
    fn integer(&mut self, value: Option<i64>) -> rusqlite::Result<()> {
        if let Some(value) = value {
            self.checksum.integer(self.place, value);
        }
        self.place += 1;
        self.statement.raw_bind_parameter(self.place, value)
    }

    fn text(&mut self, value: Option<&str>) -> rusqlite::Result<()> {
        if let Some(value) = value {
            self.checksum.text(self.place, value.as_bytes());
        }
        self.place += 1;
        self.statement.raw_bind_parameter(self.place, value)
    }
}

fn insert_sql(names: &[String]) -> String {
    let fixed = FIXED_COLUMNS.iter().map(|&column| column.to_owned());
    let columns: Vec<String> = fixed.chain(names.iter().map(|name| quoted(name))).collect();
    let places: Vec<String> = (1..=columns.len()).map(|place| format!("?{place}")).collect();
    format!("INSERT INTO trial ({}) VALUES ({})", columns.join(", "), places.join(", "))
}

/// Metrics that the new set has not belong to the result before, and go with it.
fn update_sql(columns: &[String], names: &[String]) -> String {
    let fixed = FIXED_COLUMNS.iter().enumerate().skip(1).map(|(place, column)| format!("{column} = ?{}", place + 1));
    let metrics = columns.iter().map(|column| {
        let value = names.iter().position(|name| name == column);
        let value = value.map_or_else(|| "NULL".to_owned(), |place| format!("?{}", FIXED_COLUMNS.len() + place + 1));
        format!("{} = {value}", quoted(column))
    });
    let assignments: Vec<String> = fixed.chain(metrics).collect();
    format!("UPDATE trial SET {} WHERE number = ?1", assignments.join(", "))
}

#[cfg(test)]
mod tests;
