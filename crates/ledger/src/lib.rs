//! The trial ledger: every configuration that a study ever evaluated, in one `SQLite` file, written before a result is shown.
//!
//! A trial is a config on data. It counts once, whoever evaluated it and however often, and its first result stays until
//! another build of the program evaluates it again. Batches are transactions: a reader sees all of one or nothing, and a
//! process that is killed leaves none in part. Several processes may write at once. What cannot be read is refused and never
//! written to.
//!
//! The ledger stores and counts. It neither evaluates nor judges: what luck explains of the best trial is computed elsewhere.

mod checksum;
mod error;
mod import;
mod keys;
mod ledger;
mod open;
mod read;
mod record;
mod schema;
mod trial;

pub use error::LedgerError;
pub use ledger::Ledger;
pub use read::{Order, StoredResult, TrialQuery};
pub use record::Recorded;
pub use schema::{FILE_NAME, MetricSetId, SCHEMA_VERSION};
pub use trial::{Origin, Source, StoredTrial, TrialKey, TrialRecord};
