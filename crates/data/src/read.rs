//! Files to trusted bars.

use std::path::Path;

use tidegate_market::Bars;

use crate::check::{Findings, check};
use crate::rows::Gathered;
use crate::source::files;
use crate::{DataError, DataReport, GapSummary, Layout, ReadOptions};

/// One symbol and its bars.
#[derive(Debug, Clone, PartialEq)]
pub struct SymbolBars {
    /// The ticker, as in the data.
    pub symbol: String,
    /// The bars.
    pub bars: Bars,
}

/// Reads bars from a file, a folder of files, or a pattern with `*` and `?`.
///
/// Files end in `.csv`, `.csv.gz`, `.csv.zst`, `.txt`, `.txt.gz`, `.parquet` or `.pq`. A file with a symbol column may hold many symbols; one
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
    options.policy.validate()?;
    let files = files(path)?;
    let mut gathered = Gathered::default();
    for (place, file) in files.iter().enumerate() {
        gathered.add(file, place as u32, options)?;
    }
    let Gathered { symbols: names, series, layouts, rows_read, .. } = gathered;
    let mut findings = Findings::new(&files, options.policy);
    let mut gaps = GapSummary::default();
    let mut symbols = Vec::with_capacity(names.len());
    for (symbol, rows) in names.iter().zip(series) {
        let columns = check(symbol, rows, options.adjustment, &mut findings);
        let bars = Bars::new(columns, options.label, options.interval)
            .map_err(|source| DataError::Adjusted { symbol: symbol.clone(), source })?;
        gaps.add(symbol, &bars);
        if !bars.is_empty() {
            symbols.push(SymbolBars { symbol: symbol.clone(), bars });
        }
    }
    let report = DataReport {
        source: path.to_owned(),
        files: files.len(),
        layouts: each_once(layouts),
        rows_read,
        rows_kept: symbols.iter().map(|symbol| symbol.bars.len()).sum(),
        symbols: names,
        interval: options.interval,
        step_nanos: median_step(&symbols),
        first_time: symbols.iter().filter_map(|symbol| symbol.bars.time().first().copied()).min(),
        last_time: symbols.iter().filter_map(|symbol| symbol.bars.time().last().copied()).max(),
        offences: findings.into_groups(),
        gaps,
    };
    Ok((symbols, report))
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
