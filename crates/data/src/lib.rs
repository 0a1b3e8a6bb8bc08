//! Market data: files to trusted bars, and plain tables back to files.
//!
//! [`read`] turns a CSV, gzip, zstd or Parquet file, a folder of them or a pattern into [`SymbolBars`]; [`inspect`] says what is
//! in them and what is wrong with them; [`resample`] makes coarser bars; [`simulate`] makes artificial ones; [`Table`] writes
//! and reads the plain tables of a run. This crate knows nothing of features, models or orders, and it is one of the two that see
//! polars, which reads and parses the files and never appears in a public signature.
//!
//! Invariant: bars that leave this crate are sorted, unique in time, finite and sane, or an error names the file, the line, the
//! symbol, the time and the value that are not. Nothing is repaired silently, and nothing is ever filled from the future.

mod adjust;
mod atomic;
mod cells;
mod check;
mod csv;
mod error;
mod gaps;
mod header;
mod nearest;
mod offence;
mod options;
mod parquet;
mod read;
mod report;
mod resample;
mod rows;
mod select;
mod simulate;
mod source;
mod table;
mod time;

pub use atomic::write_atomically;
pub use error::{DataError, OffenceError};
pub use gaps::{Gap, GapSummary};
pub use header::Layout;
pub use offence::{OffenceGroup, OffenceKind, OffencePolicy, OffenceRow, Policy};
pub use options::{Adjustment, ColumnMapping, MissingVolume, ReadOptions};
pub use read::{SymbolBars, inspect, read, read_with_report};
pub use report::DataReport;
pub use resample::{resample, resample_to};
pub use select::{in_range, prefix, select};
pub use simulate::{Garch, Jumps, SimulationSpec, simulate};
pub use table::{Column, Table, TimeKind, bars_table};
