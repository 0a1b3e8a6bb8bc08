//! The keys of the trials that a ledger holds, in memory, with the number of each.

use std::collections::HashMap;

use rusqlite::Connection;

use crate::TrialKey;

/// Every key up to a number; 17 to 39 bytes a trial.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// Both halves of a config hash and the place of the data hash, in 12 bytes; only ever looked up, never walked.
    numbers: HashMap<[u32; 3], u32>,
    data_hashes: HashMap<u64, u32>,
    seen: u32,
}

impl Keys {
    /// Returns the number of a trial; `None` when the ledger does not have it.
    pub(crate) fn number(&self, key: TrialKey) -> Option<u32> {
        let data = *self.data_hashes.get(&key.data_hash)?;
        self.numbers.get(&packed(key.config_hash, data)).copied()
    }

    /// Adds a trial and returns its number, the next one.
    pub(crate) fn add(&mut self, key: TrialKey) -> u32 {
        let number = self.seen + 1;
        self.insert(key, number);
        number
    }

    /// Takes back the trials after a number, which could not be written.
    pub(crate) fn forget_after(&mut self, seen: u32, keys: impl Iterator<Item = TrialKey>) {
        for key in keys {
            if self.number(key).is_some_and(|number| number > seen)
                && let Some(data) = self.data_hashes.get(&key.data_hash)
            {
                self.numbers.remove(&packed(key.config_hash, *data));
            }
        }
        self.seen = seen;
    }

    /// The largest number known.
    pub(crate) const fn seen(&self) -> u32 {
        self.seen
    }

    /// Learns what other connections have written since.
    pub(crate) fn catch_up(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement =
            connection.prepare("SELECT number, config_hash, data_hash FROM trial WHERE number > ?1 ORDER BY number")?;
        let mut rows = statement.query([self.seen])?;
        while let Some(row) = rows.next()? {
            let key = TrialKey { config_hash: row.get::<_, i64>(1)? as u64, data_hash: row.get::<_, i64>(2)? as u64 };
            self.insert(key, row.get(0)?);
        }
        Ok(())
    }

    fn insert(&mut self, key: TrialKey, number: u32) {
        let places = self.data_hashes.len() as u32;
        let data = *self.data_hashes.entry(key.data_hash).or_insert(places);
        self.numbers.entry(packed(key.config_hash, data)).or_insert(number);
        self.seen = number;
    }
}

fn packed(config_hash: u64, data: u32) -> [u32; 3] {
    [(config_hash >> 32) as u32, config_hash as u32, data]
}
