//! The bars of an experiment, checked, selected, cut to its dates.

use std::path::Path;
use std::sync::Arc;

use tidegate_data::{ReadOptions, SymbolBars};
use tidegate_market::{BarInterval, Bars, Instrument, Timestamp};

use crate::ExperimentError;
use crate::error::cannot_read;
use crate::resolve::{ResolvedData, ResolvedExperiment};

/// The bars of an experiment, in the order of its symbols.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The symbols, in the config's order.
    pub symbols: Vec<String>,
    /// The bars of each symbol, shared read-only by everything that runs.
    pub bars: Vec<Arc<Bars>>,
    /// The hash of every symbol, time, price and volume.
    pub hash: String,
}

impl Dataset {
    /// Reads, selects and cuts.
    ///
    /// # Errors
    /// When a file is missing or broken, a row breaks a rule, the bars are of another interval, a symbol is not in the files, or no
    /// bar lies in the dates.
    pub fn load(data: &ResolvedData) -> Result<Self, ExperimentError> {
        let options = read_options(data);
        let mut found: Vec<SymbolBars> = Vec::new();
        for path in &data.paths {
            let (symbols, report) = tidegate_data::read_with_report(path, &options)?;
            if let Some(step) = report.step_nanos {
                check_interval(path, data.interval, step)?;
            }
            found.extend(symbols);
        }
        let selected = tidegate_data::select(found, &data.symbols)?;
        let mut bars = Vec::with_capacity(selected.len());
        for symbol in selected {
            bars.push(Arc::new(cut(&symbol, data.start, data.end)?));
        }
        Ok(Self::new(data.symbols.clone(), bars))
    }

    /// Wraps bars that are in memory already.
    pub fn new(symbols: Vec<String>, bars: Vec<Arc<Bars>>) -> Self {
        let hash = hash(&symbols, &bars);
        Self { symbols, bars, hash }
    }

    /// Returns the hash of everything an experiment reads: the bars, and the forecasts or weights that come from a file.
    ///
    /// # Errors
    /// When that file cannot be read.
    pub fn input_hash(&self, experiment: &ResolvedExperiment) -> Result<String, ExperimentError> {
        let files = experiment.input_files();
        if files.is_empty() {
            return Ok(self.hash.clone());
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.hash.as_bytes());
        for file in files {
            let bytes = std::fs::read(&file).map_err(cannot_read(&file))?;
            hasher.update(blake3::hash(&bytes).as_bytes());
        }
        Ok(hasher.finalize().to_hex()[..16].to_owned())
    }

    /// Returns the instruments that an account trades.
    pub fn instruments(&self, lot_size: Option<f64>) -> Vec<Instrument> {
        self.symbols.iter().map(|symbol| Instrument { lot_size, ..Instrument::fractional(symbol.clone()) }).collect()
    }

    /// Returns the first and the last time label.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let first = self.bars.iter().filter_map(|bars| bars.time().first()).min()?;
        let last = self.bars.iter().filter_map(|bars| bars.time().last()).max()?;
        Some((*first, *last))
    }
}

/// Refuses bars of another interval than the config's: a daily bar taken for a minute's would be known a day early.
///
/// Bars may be missing, so half of them may be up to two intervals apart.
fn check_interval(path: &Path, interval: BarInterval, step_nanos: i64) -> Result<(), ExperimentError> {
    let nanos = interval.nanos();
    if (nanos..=2 * nanos).contains(&step_nanos) {
        return Ok(());
    }
    let minutes = step_nanos as f64 / 60e9;
    Err(ExperimentError::Sample(format!(
        "data.interval must be that of the bars, was `{interval}`, but half of the bars in `{}` are `{minutes}` minutes apart or less\nhint: a day has 1440 minutes",
        path.display()
    )))
}

/// Returns how the files of an experiment are read.
pub fn read_options(data: &ResolvedData) -> ReadOptions {
    ReadOptions {
        columns: data.columns.clone(),
        policy: data.policy,
        adjustment: data.adjustment,
        ..ReadOptions::new(data.interval, data.label)
    }
}

fn cut(symbol: &SymbolBars, start: Timestamp, end: Timestamp) -> Result<Bars, ExperimentError> {
    let time = symbol.bars.time();
    let first = time.partition_point(|&time| time < start);
    let last = time.partition_point(|&time| time <= end);
    if first >= last {
        let span = match (time.first(), time.last()) {
            (Some(first), Some(last)) => format!("its bars run from `{first}` to `{last}`"),
            _ => "it has no bars".to_owned(),
        };
        let message = format!("symbol `{}` must have bars between `data.start` and `data.end`; {span}", symbol.symbol);
        return Err(ExperimentError::Sample(message));
    }
    Ok(symbol.bars.slice(first..last))
}

fn hash(symbols: &[String], bars: &[Arc<Bars>]) -> String {
    let mut hasher = blake3::Hasher::new();
    for (symbol, bars) in symbols.iter().zip(bars) {
        hasher.update(&(symbol.len() as u64).to_le_bytes());
        hasher.update(symbol.as_bytes());
        hasher.update(&(bars.len() as u64).to_le_bytes());
        let times: Vec<u8> = bars.time().iter().flat_map(|time| time.nanos().to_le_bytes()).collect();
        hasher.update(&times);
        for column in [bars.open(), bars.high(), bars.low(), bars.close(), bars.volume()] {
            let bytes: Vec<u8> = column.iter().flat_map(|value| value.to_bits().to_le_bytes()).collect();
            hasher.update(&bytes);
        }
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(interval: &str, step_minutes: i64) -> Result<(), ExperimentError> {
        check_interval(Path::new("x.csv"), interval.parse().expect("valid interval"), step_minutes * 60_000_000_000)
    }

    #[test]
    fn bars_of_the_stated_interval_pass_with_holes_or_without() {
        for (interval, minutes) in [("1d", 1_440), ("1m", 1), ("1m", 2), ("5m", 5), ("1h", 60)] {
            check(interval, minutes).expect("the interval fits");
        }
    }

    #[test]
    fn daily_bars_are_not_taken_for_minutes_nor_minutes_for_days() {
        let error = check("1m", 1_440).expect_err("daily bars").to_string();
        assert!(error.starts_with("data.interval must be that of the bars, was `1m`"), "{error}");
        assert!(error.contains("`x.csv` are `1440` minutes apart"), "{error}");
        check("1d", 1).expect_err("minute bars");
    }
}
