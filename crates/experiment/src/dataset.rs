//! The bars of an experiment, checked, selected, cut to its dates.

use std::sync::Arc;

use tidegate_data::{ReadOptions, SymbolBars};
use tidegate_market::{Bars, Instrument, Timestamp};

use crate::ExperimentError;
use crate::resolve::ResolvedData;

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
    /// When a file is missing or broken, a row breaks a rule, a symbol is not in the files, or no bar lies in the dates.
    pub fn load(data: &ResolvedData) -> Result<Self, ExperimentError> {
        let options = read_options(data);
        let mut found: Vec<SymbolBars> = Vec::new();
        for path in &data.paths {
            found.extend(tidegate_data::read(path, &options)?);
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
