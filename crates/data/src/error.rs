//! What can be wrong with market data, said so that the file can be repaired.

use std::io;
use std::path::PathBuf;

use tidegate_market::{BarInterval, MarketError, Timestamp};

use crate::{OffenceKind, Policy};

/// A file, a column, a row or an option that is not what it must be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// Nothing exists under the path.
    #[error("no file or folder at `{}`{hint}", path.display())]
    NotFound {
        /// The path as given.
        path: PathBuf,
        /// Empty, or what lies beside it.
        hint: String,
    },
    /// A folder or a pattern without a file of a known kind.
    #[error("`{}` must hold files that end in `.csv`, `.csv.gz`, `.csv.zst`, `.zip` or `.parquet`, holds none", path.display())]
    NoFiles {
        /// The folder or pattern.
        path: PathBuf,
    },
    /// A file name whose ending says nothing.
    #[error("file name must end in {expected}, was `{}`", path.display())]
    Extension {
        /// The path as given.
        path: PathBuf,
        /// The endings that are known here.
        expected: &'static str,
    },
    /// The operating system refused to read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The operating system refused to write.
    #[error("cannot write `{}`: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file without a row.
    #[error("`{}` must have at least one row, has none", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A file whose bytes are not of its format: cut off, or overwritten.
    #[error("`{}` is not a whole {format} file: {reason}; hint: it may have been cut off, copy or download it again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The format by name.
        format: &'static str,
        /// What was found.
        reason: String,
    },
    /// A zip archive that does not hold one file.
    #[error("`{}` must hold one file, holds {found}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// The names of its files, joined by commas, or `none`.
        found: String,
    },
    /// Two columns of one name.
    #[error(
        "`{}` must name each column once: {first}, and {second}; hint: remove one, or map the columns to be read by their names",
        path.display()
    )]
    DuplicateColumn {
        /// The file.
        path: PathBuf,
        /// The place and name of the first.
        first: String,
        /// The place and name of the second.
        second: String,
    },
    /// A column that is needed and not there, or misspelled.
    #[error("`{}` must have a column `{column}`, has `{found}`{hint}", path.display())]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The name that was looked for.
        column: String,
        /// The names that were found, joined by commas.
        found: String,
        /// Empty, or the nearest name.
        hint: String,
    },
    /// A value of another type than its column's.
    #[error("`{}` line {line}: column `{column}` must hold {expected}, was `{value}`", path.display())]
    Mistyped {
        /// The file.
        path: PathBuf,
        /// One-based line of a text file, one-based row of a Parquet file.
        line: usize,
        /// The column's name in the file.
        column: String,
        /// What the column must hold.
        expected: &'static str,
        /// The value found.
        value: String,
    },
    /// Dates in which the month cannot be told from the day.
    #[error(
        "`{}`: dates such as `{value}` must show which number is the month, and none here is above 12; hint: set the column \
         mapping's `time_format`, such as `%m/%d/%Y`", path.display()
    )]
    AmbiguousDate {
        /// The file.
        path: PathBuf,
        /// The first date.
        value: String,
    },
    /// A name that is no time zone's.
    #[error("time zone must be a name of the IANA database such as `America/New_York`, was `{name}`{hint}")]
    TimeZone {
        /// The name as given.
        name: String,
        /// Empty, or names near it.
        hint: String,
    },
    /// A local time that clocks skipped when they went forward.
    #[error(
        "`{}` line {line}, symbol `{symbol}`: a local time must exist in `{zone}`, whose clocks skipped `{local}`; hint: the times may \
         be of another zone, or UTC", path.display()
    )]
    SkippedTime {
        /// The file.
        path: PathBuf,
        /// One-based line of a text file, one-based row of a Parquet file.
        line: usize,
        /// The symbol.
        symbol: String,
        /// The zone's name.
        zone: String,
        /// The time as in the file.
        local: String,
    },
    /// An option of reading that is not what it must be.
    #[error("{name} must be {rule}, was `{value}`")]
    Setting {
        /// The option.
        name: &'static str,
        /// The rule in words.
        rule: &'static str,
        /// The value found.
        value: String,
    },
    /// Two symbols that cannot be one instrument, since both have bars at one time.
    #[error(
        "`{old}` cannot become `{new}`: its bars must end before those of `{new}` begin, `{last}` is not before `{first}`"
    )]
    Overlap {
        /// The symbol before.
        old: String,
        /// The symbol after.
        new: String,
        /// The last time label of the old symbol.
        last: Timestamp,
        /// The first time label of the new symbol.
        first: Timestamp,
    },
    /// A factor file that says nothing of the last bars.
    #[error("`{}` must have a row at or after every bar, ends on `{last}` before `{bar}`", path.display())]
    Factors {
        /// The factor file.
        path: PathBuf,
        /// The date of its last row.
        last: String,
        /// The bar without a factor.
        bar: Timestamp,
    },
    /// Prices that left the range of numbers when they were adjusted forward.
    #[error("adjusted for corporate actions: {source}")]
    Forward {
        /// The rule that the adjusted bars break.
        source: MarketError,
    },
    /// A row with more fields than the header.
    #[error("`{}` line {line}: a row must have {expected} fields like the first line, has {found}", path.display())]
    Ragged {
        /// The file.
        path: PathBuf,
        /// One-based line.
        line: usize,
        /// Fields of the first line.
        expected: usize,
        /// Fields of this line.
        found: usize,
    },
    /// A row that breaks a rule of bars, where the policy is to stop.
    #[error(transparent)]
    Offence(Box<OffenceError>),
    /// Adjusted prices that left the range of numbers.
    #[error("symbol `{symbol}`, adjusted: {source}")]
    Adjusted {
        /// The symbol.
        symbol: String,
        /// The rule that the adjusted bars break.
        source: MarketError,
    },
    /// A policy that would leave bars that are not sane.
    #[error("policy for `{kind}` must be `error` or `drop`, was `{policy}`; only `unsorted` rows can be kept")]
    Policy {
        /// The kind of offence.
        kind: OffenceKind,
        /// The policy found.
        policy: Policy,
    },
    /// A symbol that the data do not have.
    #[error("symbol must be one of `{known}`, was `{symbol}`{hint}")]
    UnknownSymbol {
        /// The symbol as given.
        symbol: String,
        /// The symbols that are there, joined by commas.
        known: String,
        /// Empty, or the nearest symbol.
        hint: String,
    },
    /// A coarser interval that is not a multiple of the bars' own.
    #[error("resampling needs a whole multiple of the bars' interval `{from}`, was `{to}`")]
    Interval {
        /// The bars' interval.
        from: BarInterval,
        /// The interval asked for.
        to: BarInterval,
    },
    /// A parameter of the simulator outside its range.
    #[error("simulation: {name} must be {rule}, was `{value}`")]
    Simulation {
        /// The parameter.
        name: &'static str,
        /// The rule in words.
        rule: &'static str,
        /// The value found.
        value: String,
    },
    /// Columns of a table with different lengths.
    #[error("table column `{column}` must have {expected} rows like the others, has {found}")]
    Length {
        /// The column.
        column: String,
        /// Rows of the first column.
        expected: usize,
        /// Rows of this column.
        found: usize,
    },
}

/// The first of the rows that break one rule.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "`{}` line {line}, symbol `{symbol}`, time `{}`: {}, was `{value}`; {count} such row{}; hint: repair the file, or set the policy \
     for `{kind}` to {}", file.display(), time_text(*time), kind.rule(), if *count == 1 { "" } else { "s" }, kind.ways_out()
)]
pub struct OffenceError {
    /// The file.
    pub file: PathBuf,
    /// One-based line of a text file, one-based row of a Parquet file.
    pub line: usize,
    /// The symbol.
    pub symbol: String,
    /// The row's time label, where it has one.
    pub time: Option<Timestamp>,
    /// The rule that is broken.
    pub kind: OffenceKind,
    /// What was found.
    pub value: String,
    /// Rows that break this rule in all files.
    pub count: usize,
}

/// Shows a time that may be missing.
pub(crate) fn time_text(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "missing".to_owned(), |time| time.to_string())
}
