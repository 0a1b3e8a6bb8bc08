//! An open ledger.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use crate::keys::Keys;
use crate::schema::{self, METRIC_SETS, add_metric_columns, broken_rule, intern};
use crate::{LedgerError, MetricSetId};

/// A study's ledger: one connection to its file.
///
/// Each thread or process that needs one opens its own.
#[derive(Debug)]
pub struct Ledger {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
    pub(crate) keys: Keys,
    /// The names of the metric sets that were asked for so far.
    pub(crate) sets: BTreeMap<MetricSetId, Vec<String>>,
}

impl Ledger {
    pub(crate) fn new(connection: Connection, path: PathBuf) -> Self {
        Self { connection, path, keys: Keys::default(), sets: BTreeMap::new() }
    }

    /// Returns the ledger's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Registers an ordered list of metrics and returns its number, the same for the same list ever after.
    ///
    /// # Errors
    /// When a name cannot be a column, a name comes twice, or the file cannot be written.
    pub fn metric_set(&mut self, names: &[&str]) -> Result<MetricSetId, LedgerError> {
        for (place, name) in names.iter().enumerate() {
            let rule = if names[..place].contains(name) { Some("come once in a set") } else { broken_rule(name) };
            if let Some(rule) = rule {
                return Err(LedgerError::MetricName { name: (*name).to_owned(), rule });
            }
        }
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let text = serde_json::to_string(&names).expect("a list of texts is JSON");
        let id = self.registered_set(&text, &names).map_err(|error| LedgerError::of(&self.path, &error))?;
        self.sets.insert(id, names);
        Ok(id)
    }

    fn registered_set(&mut self, text: &str, names: &[String]) -> rusqlite::Result<MetricSetId> {
        if let Some(id) = METRIC_SETS.find(&self.connection, text)? {
            return Ok(MetricSetId(id));
        }
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        add_metric_columns(&transaction, names)?;
        let id = intern(&transaction, &METRIC_SETS, text)?;
        transaction.commit()?;
        Ok(MetricSetId(id))
    }

    /// Returns the names of a set, read from the file when another process registered it.
    pub(crate) fn set_names<'a>(
        connection: &Connection,
        sets: &'a mut BTreeMap<MetricSetId, Vec<String>>,
        id: MetricSetId,
    ) -> rusqlite::Result<&'a [String]> {
        Ok(match sets.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let text: Option<String> = connection
                    .query_row("SELECT names FROM metric_set WHERE id = ?1", [id.0], |row| row.get(0))
                    .optional()?;
                place.insert(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
            }
        })
    }

    /// Returns the names of every metric that any trial was measured by, in the order in which they came.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn metric_names(&self) -> Result<Vec<String>, LedgerError> {
        schema::metric_columns(&self.connection).map_err(|error| LedgerError::of(&self.path, &error))
    }
}
