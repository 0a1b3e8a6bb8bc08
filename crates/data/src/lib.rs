//! Market data: files to trusted bars, and plain tables back to files.
//!
//! [`read`] turns a CSV, gzip, zstd, zip or Parquet file, a folder of them or a pattern into [`SymbolBars`]; [`inspect`] says what is
//! in them and what is wrong with them; [`resample`] makes coarser bars; [`simulate`] makes artificial ones; [`Table`] writes
//! and reads the plain tables of a run. This crate knows nothing of features, models or orders, and it is one of the two that see
//! polars, which reads and parses the files and never appears in a public signature.
//!
//! Invariant: bars that leave this crate are sorted, unique in time, finite and sane, or an error names the file, the line, the
//! symbol, the time and the value that are not. Nothing is repaired silently, and nothing is ever filled from the future.

mod actions;
mod adjust;
mod archive;
mod atomic;
mod cells;
mod check;
mod csv;
mod error;
mod factors;
mod forward;
mod gaps;
mod header;
mod layout;
mod lean;
mod nearest;
mod offence;
mod options;
mod parquet;
mod read;
mod report;
mod resample;
mod rows;
mod select;
mod session;
mod simulate;
mod source;
mod table;
mod time;
mod zone;

pub use actions::{ActionCounts, EventSummary, Events, SymbolRename, read_events, rename};
pub use atomic::write_atomically;
pub use error::{DataError, OffenceError};
pub use factors::{FactorFile, read_factor_file};
pub use forward::{SignalAdjustment, forward_adjusted};
pub use gaps::{Gap, GapSummary};
pub use layout::{FileLayout, Layout, QuoteSide};
pub use offence::{OffenceGroup, OffenceKind, OffencePolicy, OffenceRow, Policy};
pub use options::{Adjustment, ColumnMapping, MissingVolume, ReadOptions};
pub use read::{SymbolBars, inspect, read, read_with_report};
pub use report::DataReport;
pub use resample::{resample, resample_to};
pub use select::{in_range, prefix, select};
pub use session::{SessionSpec, in_sessions, sessions};
pub use simulate::{Garch, Jumps, SimulationSpec, simulate};
pub use table::{Column, Table, TableWriter, TimeKind, bars_table};
pub use zone::TimeZone;
