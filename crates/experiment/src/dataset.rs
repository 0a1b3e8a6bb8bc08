//! The bars of an experiment, checked, selected, cut to its dates.

mod beside;

use std::sync::Arc;

use tidegate_data::{DataError, ReadOptions, SymbolBars, forward_adjusted, in_sessions, sessions};
use tidegate_market::{BarInterval, Bars, CorporateActionKind, Sessions, Timestamp};

pub use self::beside::Beside;
use crate::ExperimentError;
use crate::error::cannot_read;
use crate::resolve::{ResolvedData, ResolvedExperiment};

/// The bars of an experiment, in the order of its symbols, and what lies beside them.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The symbols, in the config's order.
    pub symbols: Vec<String>,
    /// The bars that are traded of each symbol, shared read-only by everything that runs.
    pub bars: Vec<Arc<Bars>>,
    /// The bars that features, forecasts and strategies see, row by row beside `bars`: the same ones unless corporate actions are events.
    pub signal_bars: Vec<Arc<Bars>>,
    /// Corporate actions, finer bars and rates of each symbol.
    pub beside: Vec<Beside>,
    /// When the market is open; `None` counts days in UTC.
    pub sessions: Option<Arc<Sessions>>,
    /// The hash of every symbol, time, price and volume, and of what lies beside them.
    pub hash: String,
}

impl Dataset {
    /// Reads, selects and cuts.
    ///
    /// # Errors
    /// When a file is missing or broken, a row breaks a rule, the bars are of another interval, a symbol is not in the files, or no
    /// bar lies in the dates.
    pub fn load(data: &ResolvedData) -> Result<Self, ExperimentError> {
        let mut found: Vec<SymbolBars> = Vec::new();
        for path in &data.paths {
            found.extend(tidegate_data::read(path, &read_options(data))?);
        }
        if let Some(path) = data.corporate_actions.as_ref().and_then(|actions| actions.path.as_ref()) {
            (found, _) = tidegate_data::read_events(path, &read_options(data))?.apply(found)?;
        }
        let selected = tidegate_data::select(found, &data.symbols)?;
        let sessions = market_sessions(data, &selected)?;
        let mut dataset = Self { sessions, ..Self::new(data.symbols.clone(), Vec::new()) };
        let details = beside::details(data, dataset.sessions.as_deref())?;
        for ((symbol, files), detail) in selected.into_iter().zip(&data.rates).zip(details) {
            check_interval(&symbol, data.interval, "data.interval")?;
            let symbol = in_hours(symbol, dataset.sessions.as_deref());
            let (bars, beside) = (Arc::new(cut(&symbol, data.start, data.end)?), Beside::read(files, detail)?);
            dataset.push(data, bars, Beside { actions: symbol.actions, ..beside })?;
        }
        dataset.hash = dataset.hashed();
        Ok(dataset)
    }

    /// Wraps bars that are in memory already.
    pub fn new(symbols: Vec<String>, bars: Vec<Arc<Bars>>) -> Self {
        let beside = vec![Beside::default(); bars.len()];
        let dataset = Self { symbols, signal_bars: bars.clone(), bars, beside, sessions: None, hash: String::new() };
        Self { hash: dataset.hashed(), ..dataset }
    }

    /// Returns the same symbols with other bars and other things beside them, and the prices that signals see made anew.
    ///
    /// # Errors
    /// When prices cannot be adjusted.
    pub(crate) fn with_parts(
        &self,
        data: &ResolvedData,
        parts: Vec<(Arc<Bars>, Beside)>,
    ) -> Result<Self, ExperimentError> {
        let mut dataset = Self { sessions: self.sessions.clone(), ..Self::new(self.symbols.clone(), Vec::new()) };
        for (bars, beside) in parts {
            dataset.push(data, bars, beside)?;
        }
        dataset.hash = dataset.hashed();
        Ok(dataset)
    }

    /// Adds one symbol's bars and the corporate actions that happen while they last.
    fn push(&mut self, data: &ResolvedData, bars: Arc<Bars>, mut beside: Beside) -> Result<(), DataError> {
        let first = bars.open_time(0);
        beside.actions.retain(|action| {
            let happens = action.time > first || matches!(action.kind, CorporateActionKind::Delisting { .. });
            happens && action.time <= data.end
        });
        let signals = data.corporate_actions.as_ref().and_then(|actions| actions.signals);
        self.signal_bars.push(match signals {
            Some(adjustment) => Arc::new(forward_adjusted(&bars, &beside.actions, adjustment)?),
            None => Arc::clone(&bars),
        });
        self.bars.push(bars);
        self.beside.push(beside);
        Ok(())
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

    /// Returns the hash of the content.
    fn hashed(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for (symbol, bars) in self.symbols.iter().zip(&self.bars) {
            hasher.update(&(symbol.len() as u64).to_le_bytes());
            hasher.update(symbol.as_bytes());
            beside::hash_bars(&mut hasher, bars);
        }
        for beside in &self.beside {
            beside.hash(&mut hasher);
        }
        hasher.finalize().to_hex()[..16].to_owned()
    }

    /// Returns the first and the last time label.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let first = self.bars.iter().filter_map(|bars| bars.time().first()).min()?;
        let last = self.bars.iter().filter_map(|bars| bars.time().last()).max()?;
        Some((*first, *last))
    }
}

/// Returns the sessions from the first bar to a while after the last, so that the last close has a session that it belongs to.
fn market_sessions(data: &ResolvedData, symbols: &[SymbolBars]) -> Result<Option<Arc<Sessions>>, ExperimentError> {
    const DAYS_AFTER: i64 = 31;
    let Some(spec) = &data.session else { return Ok(None) };
    let bars = || symbols.iter().map(|symbol| &symbol.bars).filter(|bars| !bars.is_empty());
    let first = bars().map(|bars| bars.open_time(0)).min();
    let last = bars().map(|bars| bars.close_time(bars.len() - 1)).max();
    let Some((first, last)) = first.zip(last) else { return Ok(None) };
    Ok(Some(Arc::new(sessions(spec, first, last.plus_nanos(DAYS_AFTER * Timestamp::NANOS_PER_DAY))?)))
}

fn in_hours(symbol: SymbolBars, sessions: Option<&Sessions>) -> SymbolBars {
    match sessions {
        Some(sessions) => SymbolBars { bars: in_sessions(&symbol.bars, sessions), ..symbol },
        None => symbol,
    }
}

/// Refuses bars of another interval than the config's: an hourly bar taken for a half-hourly one would be known half an hour early.
///
/// Bars may be missing, so the usual step is the one that a quarter of the steps do not exceed. Fewer than four bars show none.
fn check_interval(symbol: &SymbolBars, interval: BarInterval, key: &str) -> Result<(), ExperimentError> {
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
        "{key} must be that of the bars, was `{interval}`, but bars of `{}` are mostly `{}` minutes apart\nhint: a day has 1440 minutes, a week 10080",
        symbol.symbol,
        step as f64 / 60e9
    )))
}

/// Returns how the files of bars of an experiment are read.
pub fn read_options(data: &ResolvedData) -> ReadOptions {
    ReadOptions {
        columns: data.columns.clone(),
        policy: data.policy,
        adjustment: data.adjustment,
        corporate_actions: data.corporate_actions.as_ref().is_some_and(|actions| actions.path.is_none()),
        factor_files: data.factor_files.clone(),
        time_zone: data.time_zone,
        session: data.session.clone(),
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
        check_interval(&SymbolBars::new("X", bars), interval, "data.interval")
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
