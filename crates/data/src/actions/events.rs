//! A file of corporate actions, and what it does to bars.

use std::path::Path;

use chrono::{DateTime, MappedLocalTime};
use tidegate_market::{CorporateAction, CorporateActionKind, Price, Timestamp};

use super::rename::join;
use crate::time::Stamp;
use crate::{DataError, ReadOptions, SymbolBars, Table};

/// A change of ticker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymbolRename {
    /// The first moment under the new symbol.
    pub time: Timestamp,
    /// The symbol before.
    pub old: String,
    /// The symbol from then on.
    pub new: String,
}

/// Corporate actions and changes of ticker, as a file lists them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Events {
    /// Splits, dividends and ends of trading, each with the symbol of its time.
    pub actions: Vec<(String, CorporateAction)>,
    /// Changes of ticker, in the order of time.
    pub renames: Vec<SymbolRename>,
}

/// What [`Events::apply`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventSummary {
    /// Actions that were added to a symbol.
    pub added: usize,
    /// Actions of symbols that have no bars.
    pub of_other_symbols: usize,
    /// Changes of ticker that joined or renamed bars.
    pub renamed: usize,
    /// Bars of another company that had the new ticker before, and were left out.
    pub bars_left_out: usize,
}

/// Reads a table with the columns `symbol, time, kind, value`: CSV, also packed, or Parquet.
///
/// | kind | value |
/// |---|---|
/// | `split` | new units for one old unit, above 0 |
/// | `dividend` | cash per unit, at least 0; of a split on the same day, per new unit |
/// | `delisting` | payout per unit, at least 0; empty pays the last close |
/// | `rename` | the new symbol |
///
/// `time` is the ex-date, or the first day under the new symbol. With bars shorter than a day it is in the time zone of the options; a delisting
/// takes effect after the last bar whatever its time.
///
/// # Errors
/// [`DataError`] for a file that cannot be read, and for the first line that breaks a rule.
pub fn read_events(path: &Path, options: &ReadOptions) -> Result<Events, DataError> {
    let table = Table::read(path)?;
    let symbols = table.texts("symbol")?;
    let stamps = table.stamps("time")?;
    let kinds = table.texts("kind")?;
    let values = if table.has("value") { Values::of(&table)? } else { Values::Texts(vec![None; table.rows()]) };
    let mut events = Events::default();
    for (row, (symbol, kind)) in symbols.into_iter().zip(&kinds).enumerate() {
        let time = moment(stamps[row], options).ok_or_else(|| {
            let local = DateTime::from_timestamp_nanos(stamps[row].nanos).naive_utc().to_string();
            table.mistyped(row, "time", "times that clocks showed", &local)
        })?;
        let number = |expected, least_above: bool| {
            let found = values.number(row).filter(|value| *value > 0.0 || (*value == 0.0 && !least_above));
            found.ok_or_else(|| table.mistyped(row, "value", expected, &values.shown(row)))
        };
        let kind = match kind.trim() {
            "split" => CorporateActionKind::Split { ratio: number("split ratios above 0", true)? },
            "dividend" => CorporateActionKind::Dividend { amount: number("dividends of at least 0", false)? },
            "delisting" if values.is_missing(row) => CorporateActionKind::Delisting { price: None },
            "delisting" => {
                let price = number("payouts of at least 0, or nothing", false)?;
                CorporateActionKind::Delisting { price: Some(Price(price)) }
            }
            "rename" => {
                let new = values.shown(row);
                if values.is_missing(row) || new == symbol {
                    return Err(table.mistyped(row, "value", "the new symbol", &new));
                }
                events.renames.push(SymbolRename { time, old: symbol, new });
                continue;
            }
            other => {
                let expected = "one of `split`, `dividend`, `delisting`, `rename`";
                return Err(table.mistyped(row, "kind", expected, other));
            }
        };
        events.actions.push((symbol, CorporateAction { time, kind }));
    }
    events.renames.sort_by_key(|rename| rename.time);
    Ok(events)
}

impl Events {
    /// Adds each symbol's actions to its bars, then joins the bars of symbols that were changed.
    ///
    /// At a change, the bars of the old symbol before it and those of the new symbol from it on become one instrument under the new symbol. Bars of the
    /// new symbol before are another company's and are left out; bars of the old symbol after are another company's and stay under it. Where
    /// the old symbol has no bars, nothing changes: the file spells all of history with the new one. Events of symbols that are not there are
    /// left out, so this comes before [`crate::select`].
    ///
    /// # Errors
    /// [`DataError::Interval`] for bars of different lengths.
    pub fn apply(&self, mut symbols: Vec<SymbolBars>) -> Result<(Vec<SymbolBars>, EventSummary), DataError> {
        let mut summary = EventSummary::default();
        for (name, action) in &self.actions {
            match symbols.iter_mut().find(|symbol| symbol.symbol == *name) {
                Some(symbol) => {
                    symbol.actions.push(*action);
                    summary.added += 1;
                }
                None => summary.of_other_symbols += 1,
            }
        }
        for symbol in &mut symbols {
            super::in_order(&mut symbol.actions);
        }
        for change in &self.renames {
            let Some(place) = symbols.iter().position(|symbol| symbol.symbol == change.old) else {
                continue;
            };
            let (mut before, still_old) = cut(&symbols[place], change.time);
            let after = symbols.iter().position(|symbol| symbol.symbol == change.new);
            let (new_before, new) = after.map(|after| cut(&symbols[after], change.time)).unzip();
            summary.renamed += 1;
            summary.bars_left_out += new_before.map_or(0, |symbol| symbol.bars.len());
            change.new.clone_into(&mut before.symbol);
            let joined = new.map_or(Ok(before.clone()), |new| join(&before, &new))?;
            symbols[after.unwrap_or(place)] = joined;
            match (after, still_old.bars.is_empty()) {
                (Some(_), true) => drop(symbols.remove(place)),
                (Some(_), false) => symbols[place] = still_old,
                (None, true) => {}
                (None, false) => symbols.push(still_old),
            }
        }
        Ok((symbols, summary))
    }
}

/// Cuts a symbol's bars and actions at a moment.
fn cut(symbol: &SymbolBars, time: Timestamp) -> (SymbolBars, SymbolBars) {
    let rows = (0..symbol.bars.len()).take_while(|row| symbol.bars.open_time(*row) < time).count();
    let actions = symbol.actions.iter().copied();
    let part = |bars, actions| SymbolBars { symbol: symbol.symbol.clone(), bars, actions };
    let (before, after) = actions.partition(|action| action.time < time);
    (part(symbol.bars.slice(0..rows), before), part(symbol.bars.slice(rows..symbol.bars.len()), after))
}

/// Returns the moment of a time as the bars count it; `None` for one that clocks skipped.
fn moment(stamp: Stamp, options: &ReadOptions) -> Option<Timestamp> {
    let Some(zone) = options.time_zone.filter(|_| stamp.local && !options.daily()) else {
        return Some(Timestamp::from_nanos(stamp.nanos));
    };
    match zone.moments(DateTime::from_timestamp_nanos(stamp.nanos).naive_utc()) {
        MappedLocalTime::Single(moment) | MappedLocalTime::Ambiguous(moment, _) => Some(moment),
        MappedLocalTime::None => None,
    }
}

/// The column `value`, which holds numbers and symbols in a text file and may hold numbers only in a Parquet file.
enum Values {
    Texts(Vec<Option<String>>),
    Numbers(Vec<Option<f64>>),
}

impl Values {
    fn of(table: &Table) -> Result<Self, DataError> {
        match table.optional_texts("value") {
            Ok(texts) => Ok(Self::Texts(texts)),
            Err(_) => table.optional_floats("value").map(Self::Numbers),
        }
    }

    fn number(&self, row: usize) -> Option<f64> {
        match self {
            Self::Texts(texts) => texts[row].as_ref()?.trim().parse().ok().filter(|value: &f64| value.is_finite()),
            Self::Numbers(numbers) => numbers[row],
        }
    }

    fn is_missing(&self, row: usize) -> bool {
        match self {
            Self::Texts(texts) => texts[row].as_ref().is_none_or(|text| text.trim().is_empty()),
            Self::Numbers(numbers) => numbers[row].is_none(),
        }
    }

    fn shown(&self, row: usize) -> String {
        match self {
            _ if self.is_missing(row) => "missing".to_owned(),
            Self::Texts(texts) => texts[row].as_ref().map_or_else(String::new, |text| text.trim().to_owned()),
            Self::Numbers(numbers) => numbers[row].map_or_else(String::new, |number| number.to_string()),
        }
    }
}
