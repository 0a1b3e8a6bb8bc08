//! What is in the files, and what is wrong with it.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;
use tidegate_market::{BarInterval, Timestamp};

use crate::error::time_text;
use crate::nearest::listed;
use crate::{ActionCounts, GapSummary, Layout, OffenceError, OffenceGroup, Policy};

/// What is in the files behind a path, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DataReport {
    /// The path as given.
    pub source: PathBuf,
    /// How many files were read.
    pub files: usize,
    /// The layouts of the files, each once.
    pub layouts: Vec<Layout>,
    /// Rows in the files, without header and blank lines.
    pub rows_read: usize,
    /// Rows that become bars.
    pub rows_kept: usize,
    /// The symbols, in the order in which they first appear.
    pub symbols: Vec<String>,
    /// The interval that the options state.
    pub interval: BarInterval,
    /// The median step between neighbouring bars in nanoseconds. Where it is not the interval's length, the interval is likely wrong, and with
    /// it the times at which bars are known.
    pub step_nanos: Option<i64>,
    /// The earliest time label of a bar.
    pub first_time: Option<Timestamp>,
    /// The latest time label of a bar.
    pub last_time: Option<Timestamp>,
    /// Rows that break a rule, by rule; a row counts under the first rule that it breaks.
    pub offences: Vec<OffenceGroup>,
    /// Holes in the time axis.
    pub gaps: GapSummary,
    /// Corporate actions that were read from the file.
    pub corporate_actions: ActionCounts,
}

impl DataReport {
    /// Returns the first offence that stops reading, if any.
    pub fn stopper(&self) -> Option<OffenceError> {
        let group = self.offences.iter().find(|group| group.policy == Policy::Error)?;
        let row = group.first.first()?;
        Some(OffenceError {
            file: row.file.clone(),
            line: row.line,
            symbol: row.symbol.clone(),
            time: row.time,
            kind: group.kind,
            value: row.value.clone(),
            count: group.count,
        })
    }
}

impl fmt::Display for DataReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layouts: Vec<String> = self.layouts.iter().map(ToString::to_string).collect();
        let files = if self.files == 1 { "1 file".to_owned() } else { format!("{} files", self.files) };
        writeln!(f, "source    {} ({files}, layout {})", self.source.display(), layouts.join(", "))?;
        writeln!(f, "rows      {} read, {} kept", self.rows_read, self.rows_kept)?;
        writeln!(f, "symbols   {}: {}", self.symbols.len(), listed(self.symbols.iter().map(String::as_str)))?;
        writeln!(f, "time      {} to {}", time_text(self.first_time), time_text(self.last_time))?;
        writeln!(f, "interval  {}, bars mostly {} apart", self.interval, step_text(self.step_nanos))?;
        writeln!(f, "gaps      {}", self.gaps.count)?;
        for gap in &self.gaps.longest {
            writeln!(f, "  {} {} to {}: {}", gap.symbol, gap.from, gap.to, length_text(gap.nanos()))?;
        }
        if self.corporate_actions != ActionCounts::default() {
            writeln!(f, "actions   {}", self.corporate_actions)?;
        }
        let total: usize = self.offences.iter().map(|group| group.count).sum();
        write!(f, "offences  {total}")?;
        for group in &self.offences {
            let rows = if group.count == 1 { "1 row".to_owned() } else { format!("{} rows", group.count) };
            write!(f, "\n  {}: {rows}, policy {}", group.kind, group.policy)?;
            for row in &group.first {
                let time = time_text(row.time);
                write!(f, "\n    {} line {}, {}, {time}: {}", row.file.display(), row.line, row.symbol, row.value)?;
            }
        }
        Ok(())
    }
}

/// Shows a gap in days, or if it is shorter in the largest unit of which it is a whole number.
fn length_text(nanos: i64) -> String {
    let days = nanos as f64 / Timestamp::NANOS_PER_DAY as f64;
    if days < 1.0 { step_text(Some(nanos)) } else { format!("{days:.1} days") }
}

/// Shows a step in the largest unit of which it is a whole number.
fn step_text(nanos: Option<i64>) -> String {
    const UNITS: [(i64, &str); 4] =
        [(Timestamp::NANOS_PER_DAY, "d"), (3_600_000_000_000, "h"), (60_000_000_000, "m"), (1_000_000_000, "s")];
    let Some(nanos) = nanos else {
        return "an unknown step".to_owned();
    };
    let whole = UNITS.iter().find(|(unit, _)| nanos % unit == 0);
    whole.map_or_else(|| format!("{nanos} ns"), |(unit, name)| format!("{}{name}", nanos / unit))
}
