//! Files to trusted bars.

use std::path::Path;

use tidegate_market::{Bars, CorporateAction, Timestamp};

use crate::actions::{ActionCounts, file_actions};
use crate::check::{Findings, check};
use crate::factors::Factors;
use crate::gaps::OpenHours;
use crate::rows::{Gathered, SeriesRows};
use crate::source::files;
use crate::zone::localize;
use crate::{DataError, DataReport, GapSummary, Layout, ReadOptions, lean};

/// One symbol, its bars and what happened to who held it.
#[derive(Debug, Clone, PartialEq)]
pub struct SymbolBars {
    /// The ticker, as in the data.
    pub symbol: String,
    /// The bars.
    pub bars: Bars,
    /// Splits, dividends and the end of trading in the order of time, where they were read; prices are raw then.
    pub actions: Vec<CorporateAction>,
}

impl SymbolBars {
    /// Joins a symbol and its bars, without corporate actions.
    pub fn new(symbol: impl Into<String>, bars: Bars) -> Self {
        Self { symbol: symbol.into(), bars, actions: Vec::new() }
    }
}

/// Reads bars from a file, a folder of files, or a pattern with `*` and `?`.
///
/// Files end in `.csv`, `.csv.gz`, `.csv.zst`, `.txt`, `.txt.gz`, `.zip`, `.parquet` or `.pq`. A file with a symbol column may hold many symbols; one
/// without holds the symbol of the options, or else of its stem. Symbols come in the order in which they first appear, files in the
/// order of their names. A symbol of which no row is kept is left out.
///
/// # Errors
/// [`DataError`] for whatever is missing, damaged, mistyped, or breaks a rule whose policy is to stop.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Vec<SymbolBars>, DataError> {
    read_with_report(path, options).map(|(symbols, _)| symbols)
}

/// Reads bars as [`read`] does, and says what was left out.
///
/// # Errors
/// As [`read`].
pub fn read_with_report(path: &Path, options: &ReadOptions) -> Result<(Vec<SymbolBars>, DataReport), DataError> {
    let (symbols, report) = load(path, options)?;
    if let Some(offence) = report.stopper() {
        return Err(DataError::Offence(Box::new(offence)));
    }
    if symbols.is_empty() {
        return Err(DataError::Empty { path: path.to_owned() });
    }
    Ok((symbols, report))
}

/// Says what is in the files behind a path and what is wrong with it, without stopping at rows that break a rule.
///
/// # Errors
/// [`DataError`] for files that cannot be read as tables at all.
pub fn inspect(path: &Path, options: &ReadOptions) -> Result<DataReport, DataError> {
    load(path, options).map(|(_, report)| report)
}

fn load(path: &Path, options: &ReadOptions) -> Result<(Vec<SymbolBars>, DataReport), DataError> {
    options.validate()?;
    let mut files = files(path)?;
    if let Some(layout) = options.columns.layout.filter(|_| files.len() > 1) {
        files.retain(|file| lean::belongs(file, layout));
        if files.is_empty() {
            let rule = "one that a file there has by its name";
            return Err(DataError::Setting { name: "layout", rule, value: layout.named().to_string() });
        }
    }
    let mut gathered = Gathered::default();
    for (place, file) in files.iter().enumerate() {
        gathered.add(file, place as u32, options)?;
    }
    let Gathered { symbols: names, series, layouts, rows_read, .. } = gathered;
    let factors = Factors::of(options, &names)?;
    let mut findings = Findings::new(&files, options.policy);
    let mut symbols = Vec::with_capacity(names.len());
    for (symbol, rows) in names.iter().zip(series) {
        symbols.push(one_symbol(symbol, rows, options, factors.as_ref(), &mut findings)?);
    }
    symbols.retain(|symbol| !symbol.bars.is_empty());
    let report = DataReport {
        source: path.to_owned(),
        files: files.len(),
        layouts: each_once(layouts),
        rows_read,
        rows_kept: symbols.iter().map(|symbol| symbol.bars.len()).sum(),
        symbols: names,
        interval: options.interval,
        step_nanos: median_step(&symbols),
        first_time: first_time(&symbols),
        last_time: last_time(&symbols),
        offences: findings.into_groups(),
        gaps: gaps(&symbols, options)?,
        corporate_actions: ActionCounts::of(&symbols),
    };
    Ok((symbols, report))
}

/// Turns one symbol's rows into its bars and corporate actions.
fn one_symbol(
    symbol: &str,
    mut rows: SeriesRows,
    options: &ReadOptions,
    factors: Option<&Factors>,
    findings: &mut Findings<'_>,
) -> Result<SymbolBars, DataError> {
    if let Some(zone) = options.time_zone {
        localize(&mut rows, zone, options.daily()).map_err(|(row, local)| DataError::SkippedTime {
            path: findings.file(rows.origin[row]),
            line: rows.origin[row].line as usize,
            symbol: symbol.to_owned(),
            zone: zone.to_string(),
            local: local.to_string(),
        })?;
    }
    let actions = file_actions(&rows, options);
    let mut columns = check(symbol, rows, options.adjustment, findings);
    if let Some(factors) = factors {
        factors.adjust(symbol, &mut columns, options)?;
    }
    let bars = Bars::new(columns, options.label, options.interval)
        .map_err(|source| DataError::Adjusted { symbol: symbol.to_owned(), source })?;
    Ok(SymbolBars { symbol: symbol.to_owned(), bars, actions })
}

fn gaps(symbols: &[SymbolBars], options: &ReadOptions) -> Result<GapSummary, DataError> {
    let hours = match (&options.session, first_time(symbols), last_time(symbols)) {
        (Some(spec), Some(first), Some(last)) => Some(OpenHours::new(spec, first, last)?),
        _ => None,
    };
    let mut gaps = GapSummary::default();
    for symbol in symbols {
        gaps.add(&symbol.symbol, &symbol.bars, hours.as_ref());
    }
    Ok(gaps)
}

fn first_time(symbols: &[SymbolBars]) -> Option<Timestamp> {
    symbols.iter().filter_map(|symbol| symbol.bars.time().first().copied()).min()
}

fn last_time(symbols: &[SymbolBars]) -> Option<Timestamp> {
    symbols.iter().filter_map(|symbol| symbol.bars.time().last().copied()).max()
}

/// Returns the median step between neighbouring bars of all symbols, in nanoseconds.
fn median_step(symbols: &[SymbolBars]) -> Option<i64> {
    let steps = |bars: &Bars| bars.time().windows(2).map(|pair| pair[1].nanos() - pair[0].nanos()).collect::<Vec<_>>();
    let mut steps: Vec<i64> = symbols.iter().flat_map(|symbol| steps(&symbol.bars)).collect();
    let middle = steps.len() / 2;
    (!steps.is_empty()).then(|| *steps.select_nth_unstable(middle).1)
}

fn each_once(layouts: Vec<Layout>) -> Vec<Layout> {
    let mut found: Vec<Layout> = Vec::new();
    for layout in layouts {
        if !found.contains(&layout) {
            found.push(layout);
        }
    }
    found
}
