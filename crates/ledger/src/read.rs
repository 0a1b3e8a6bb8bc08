//! Reading trials: to go on where a sweep was stopped, to count, to show.

use rusqlite::{Row, TransactionBehavior};

use crate::schema::{BUILDS, metric_columns, quoted};
use crate::{Ledger, LedgerError, MetricSetId, Source, StoredTrial, TrialKey};

/// The order of the hashes as numbers without a sign; the file holds their bits as numbers with one.
const BY_KEY: &str = "config_hash < 0, config_hash, data_hash < 0, data_hash";

/// A result that need not be computed again.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredResult {
    /// The metrics in the order of the set that was asked for, NaN where undefined; empty when the trial failed.
    pub metrics: Vec<f64>,
    /// Why there is no result; `None` when there is one.
    pub failure: Option<String>,
}

/// The order in which trials are read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Order {
    /// As they were first recorded.
    #[default]
    Number,
    /// By the hashes of config and data, which does not depend on who wrote first.
    Key,
    /// By a metric, the largest first; trials without it come last.
    Largest(String),
    /// By a metric, the smallest first; trials without it come last.
    Smallest(String),
}

/// Which trials are read, and what of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrialQuery {
    /// The metrics, in this order.
    pub metrics: Vec<String>,
    /// The order of the trials.
    pub order: Order,
    /// How many at most; `None` is all of them.
    pub limit: Option<u64>,
}

impl Ledger {
    /// Returns, for each key, the result that this build recorded with at least the metrics of the set.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn find(
        &mut self,
        keys: &[TrialKey],
        build: &str,
        metrics: MetricSetId,
    ) -> Result<Vec<Option<StoredResult>>, LedgerError> {
        let path = self.path.clone();
        self.find_in_snapshot(keys, build, metrics).map_err(|error| LedgerError::of(&path, &error))
    }

    fn find_in_snapshot(
        &mut self,
        wanted: &[TrialKey],
        build: &str,
        metrics: MetricSetId,
    ) -> rusqlite::Result<Vec<Option<StoredResult>>> {
        let Self { connection, keys, sets, .. } = self;
        let names = Self::set_names(connection, sets, metrics)?.to_vec();
        let snapshot = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
        keys.catch_up(&snapshot)?;
        let Some(build) = BUILDS.find(&snapshot, build)? else {
            return Ok(vec![None; wanted.len()]);
        };
        let columns: Vec<String> = ["metric_set".to_owned(), "failure".to_owned()]
            .into_iter()
            .chain(names.iter().map(|name| quoted(name)))
            .collect();
        let sql = format!("SELECT {} FROM trial WHERE number = ?1 AND build = ?2", columns.join(", "));
        let mut statement = snapshot.prepare(&sql)?;
        let mut found = Vec::with_capacity(wanted.len());
        for key in wanted {
            let Some(number) = keys.number(*key) else {
                found.push(None);
                continue;
            };
            let mut rows = statement.query([i64::from(number), build])?;
            let Some(row) = rows.next()? else {
                found.push(None);
                continue;
            };
            let set = MetricSetId(row.get(0)?);
            let failure: Option<String> = row.get(1)?;
            let covers = failure.is_some() || set == metrics || {
                let covered = Self::set_names(&snapshot, sets, set)?;
                names.iter().all(|name| covered.contains(name))
            };
            let count = if failure.is_some() { 0 } else { names.len() };
            let values = (0..count).map(|place| Ok(row.get::<_, Option<f64>>(2 + place)?.unwrap_or(f64::NAN)));
            let metrics = values.collect::<rusqlite::Result<Vec<f64>>>()?;
            found.push(covers.then_some(StoredResult { metrics, failure }));
        }
        Ok(found)
    }

    /// Counts the different trials that were ever evaluated; those that failed have told nothing and do not count.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn count(&self) -> Result<u64, LedgerError> {
        self.number("SELECT count(*) FROM trial WHERE failure IS NULL").map(|count| count.unwrap_or_default() as u64)
    }

    /// Counts the trials that failed and have no result since.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn failed(&self) -> Result<u64, LedgerError> {
        self.number("SELECT count(*) FROM trial WHERE failure IS NOT NULL")
            .map(|count| count.unwrap_or_default() as u64)
    }

    /// Returns when a trial was recorded last, in nanoseconds since 1970; `None` without one that says so.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last_recorded_at_ns(&self) -> Result<Option<i64>, LedgerError> {
        self.number("SELECT max(recorded_at_ns) FROM trial")
    }

    fn number(&self, sql: &str) -> Result<Option<i64>, LedgerError> {
        self.connection.query_row(sql, [], |row| row.get(0)).map_err(|error| LedgerError::of(&self.path, &error))
    }

    /// Returns the annual Sharpe ratios of all trials where they are defined, in the order of the trials' keys.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn sharpe_ratios(&self) -> Result<Vec<f64>, LedgerError> {
        self.metric_values("sharpe_ratio")
    }

    /// Returns a metric of all trials where it is defined, in the order of the trials' keys.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn metric_values(&self, name: &str) -> Result<Vec<f64>, LedgerError> {
        let read = || {
            if !metric_columns(&self.connection)?.iter().any(|column| column == name) {
                return Ok(Vec::new());
            }
            let name = quoted(name);
            let sql = format!("SELECT {name} FROM trial WHERE {name} IS NOT NULL ORDER BY {BY_KEY}");
            self.connection.prepare(&sql)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| LedgerError::of(&self.path, &error))
    }

    /// Returns the trials that a query names.
    ///
    /// # Errors
    /// When a metric is unknown or the file cannot be read.
    pub fn trials(&self, query: &TrialQuery) -> Result<Vec<StoredTrial>, LedgerError> {
        let mut trials = Vec::new();
        self.visit(query, |trial| trials.push(trial))?;
        Ok(trials)
    }

    /// Hands the trials that a query names to a function, one at a time.
    ///
    /// # Errors
    /// When a metric is unknown or the file cannot be read.
    pub fn visit(&self, query: &TrialQuery, mut visitor: impl FnMut(StoredTrial)) -> Result<(), LedgerError> {
        let known = self.metric_names()?;
        let ordering = match &query.order {
            Order::Largest(name) | Order::Smallest(name) => Some(name),
            Order::Number | Order::Key => None,
        };
        if let Some(name) = query.metrics.iter().chain(ordering).find(|name| !known.contains(name)) {
            let known = known.join(", ");
            return Err(LedgerError::UnknownMetric { path: self.path.clone(), name: name.clone(), known });
        }
        let mut read = || {
            let mut statement = self.connection.prepare(&query.sql())?;
            let limit = query.limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
            let mut rows = statement.query([limit])?;
            while let Some(row) = rows.next()? {
                visitor(stored_trial(row, query.metrics.len())?);
            }
            Ok(())
        };
        read().map_err(|error| LedgerError::of(&self.path, &error))
    }
}

impl TrialQuery {
    fn sql(&self) -> String {
        let fixed =
            "number, config_hash, data_hash, seed, source, build.name, recorded_at_ns, elapsed_ns, failure, swept";
        let metrics = self.metrics.iter().map(|name| format!("trial.{}", quoted(name)));
        let columns: Vec<String> = std::iter::once(fixed.to_owned()).chain(metrics).collect();
        let order = match &self.order {
            Order::Number => "number".to_owned(),
            Order::Key => BY_KEY.to_owned(),
            Order::Largest(name) => format!("trial.{} DESC NULLS LAST, {BY_KEY}", quoted(name)),
            Order::Smallest(name) => format!("trial.{} ASC NULLS LAST, {BY_KEY}", quoted(name)),
        };
        format!(
            "SELECT {} FROM trial JOIN build ON build.id = trial.build ORDER BY {order} LIMIT ?1",
            columns.join(", ")
        )
    }
}

fn stored_trial(row: &Row<'_>, metrics: usize) -> rusqlite::Result<StoredTrial> {
    let word: String = row.get(4)?;
    Ok(StoredTrial {
        number: row.get::<_, u32>(0)?.into(),
        key: TrialKey { config_hash: row.get::<_, i64>(1)? as u64, data_hash: row.get::<_, i64>(2)? as u64 },
        seed: row.get::<_, Option<i64>>(3)?.map(|seed| seed as u64),
        source: Source::from_name(&word).ok_or_else(|| {
            let unknown = format!("no command is called `{word}`");
            rusqlite::Error::FromSqlConversionFailure(4, rusqlite::types::Type::Text, unknown.into())
        })?,
        build: row.get(5)?,
        recorded_at_ns: row.get(6)?,
        elapsed_ns: row.get::<_, Option<i64>>(7)?.map(|elapsed| elapsed as u64),
        failure: row.get(8)?,
        values: row.get(9)?,
        metrics: (0..metrics).map(|place| row.get(10 + place)).collect::<rusqlite::Result<_>>()?,
    })
}
