//! The bars of an experiment, checked, selected, cut to its dates.

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
            found.extend(tidegate_data::read(path, &options)?);
        }
        let selected = tidegate_data::select(found, &data.symbols)?;
        let mut bars = Vec::with_capacity(selected.len());
        for symbol in selected {
            check_interval(&symbol, data.interval)?;
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

/// Refuses bars of another interval than the config's: an hourly bar taken for a half-hourly one would be known half an hour early.
///
/// Bars may be missing, so the usual step is the one that a quarter of the steps do not exceed. Fewer than four bars show none.
fn check_interval(symbol: &SymbolBars, interval: BarInterval) -> Result<(), ExperimentError> {
    let mut steps: Vec<i64> = symbol.bars.time().windows(2).map(|pair| pair[1].nanos() - pair[0].nanos()).collect();
    if steps.len() < 3 {
        return Ok(());
    }
    let quarter = steps.len() / 4;
    let (_, &mut step, _) = steps.select_nth_unstable(quarter);
    if step == interval.nanos() {
        return Ok(());
    }
    Err(ExperimentError::Sample(format!(
        "data.interval must be that of the bars, was `{interval}`, but bars of `{}` are mostly `{}` minutes apart\nhint: a day has 1440 minutes, a week 10080",
        symbol.symbol,
        step as f64 / 60e9
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
    use tidegate_market::{BarColumns, BarLabel};

    use super::*;

    fn check(interval: &str, minutes: &[i64]) -> Result<(), ExperimentError> {
        let interval: BarInterval = interval.parse().expect("valid interval");
        let rows = minutes.len();
        let columns = BarColumns {
            time: minutes.iter().map(|minute| Timestamp::from_nanos(minute * 60_000_000_000)).collect(),
            open: vec![1.0; rows],
            high: vec![1.0; rows],
            low: vec![1.0; rows],
            close: vec![1.0; rows],
            volume: vec![1.0; rows],
        };
        let bars = Bars::new(columns, BarLabel::Open, interval).expect("sane bars");
        check_interval(&SymbolBars { symbol: "X".to_owned(), bars }, interval)
    }

    #[test]
    fn bars_of_the_stated_interval_pass_with_holes_or_without() {
        check("1m", &[0, 1, 2, 3, 4, 5]).expect("no hole");
        check("1m", &[0, 1, 5, 6, 20, 21]).expect("holes");
        check("1d", &[0, 1_440, 2_880, 7_200, 8_640]).expect("a weekend");
        check("1w", &[0, 90]).expect("too few to tell");
    }

    #[test]
    fn coarser_or_finer_bars_than_stated_are_refused() {
        let error = check("1m", &[0, 1_440, 2_880, 4_320]).expect_err("daily bars").to_string();
        assert!(error.starts_with("data.interval must be that of the bars, was `1m`"), "{error}");
        assert!(error.contains("`X` are mostly `1440` minutes apart"), "{error}");
        check("30m", &[0, 60, 120, 180]).expect_err("hourly bars");
        check("1d", &[0, 1, 2, 3]).expect_err("minute bars");
    }
}
