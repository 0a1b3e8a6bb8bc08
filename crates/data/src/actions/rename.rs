//! Two symbols of one instrument.

use tidegate_market::{BarColumns, Bars};

use crate::nearest::{did_you_mean, listed};
use crate::{DataError, SymbolBars};

/// Joins the bars of a symbol and those of the symbol that it was changed to into one instrument, under the new symbol.
///
/// Where the new symbol has no bars, the old one is renamed.
///
/// # Errors
/// [`DataError::UnknownSymbol`] when the old symbol is not there; [`DataError::Overlap`] unless its bars end before the new one's begin;
/// [`DataError::Interval`] for bars of different lengths.
pub fn rename(mut symbols: Vec<SymbolBars>, old: &str, new: &str) -> Result<Vec<SymbolBars>, DataError> {
    let Some(place) = symbols.iter().position(|symbol| symbol.symbol == old) else {
        let names = || symbols.iter().map(|symbol| symbol.symbol.as_str());
        let hint = did_you_mean(old, names());
        return Err(DataError::UnknownSymbol { symbol: old.to_owned(), known: listed(names()), hint });
    };
    if old == new {
        return Ok(symbols);
    }
    match symbols.iter().position(|symbol| symbol.symbol == new) {
        None => new.clone_into(&mut symbols[place].symbol),
        Some(after) => {
            symbols[after] = join(&symbols[place], &symbols[after])?;
            symbols.remove(place);
        }
    }
    Ok(symbols)
}

/// Joins the bars before and after a change of symbol.
pub(super) fn join(old: &SymbolBars, new: &SymbolBars) -> Result<SymbolBars, DataError> {
    if let (Some(last), Some(first)) = (old.bars.time().last(), new.bars.time().first())
        && last >= first
    {
        let (old, new) = (old.symbol.clone(), new.symbol.clone());
        return Err(DataError::Overlap { old, new, last: *last, first: *first });
    }
    if (old.bars.interval(), old.bars.label()) != (new.bars.interval(), new.bars.label()) {
        return Err(DataError::Interval { from: old.bars.interval(), to: new.bars.interval() });
    }
    let joined = |column: fn(&Bars) -> &[f64]| [column(&old.bars), column(&new.bars)].concat();
    let columns = BarColumns {
        time: [old.bars.time(), new.bars.time()].concat(),
        open: joined(Bars::open),
        high: joined(Bars::high),
        low: joined(Bars::low),
        close: joined(Bars::close),
        volume: joined(Bars::volume),
    };
    let bars = Bars::new(columns, new.bars.label(), new.bars.interval()).expect("two parts of sane bars in order");
    let mut actions = [old.actions.as_slice(), new.actions.as_slice()].concat();
    super::in_order(&mut actions);
    Ok(SymbolBars { symbol: new.symbol.clone(), bars, actions })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_market::{BarLabel, CorporateAction, CorporateActionKind, Timestamp};

    fn symbol(name: &str, days: &[i64]) -> SymbolBars {
        let flat = vec![1.0; days.len()];
        let columns = BarColumns {
            time: days.iter().map(|day| Timestamp::from_nanos(day * Timestamp::NANOS_PER_DAY)).collect(),
            open: flat.clone(),
            high: flat.clone(),
            low: flat.clone(),
            close: flat.clone(),
            volume: flat,
        };
        let bars = Bars::new(columns, BarLabel::Open, "1d".parse().expect("valid")).expect("sane");
        let kind = CorporateActionKind::Dividend { amount: 0.5 };
        let actions = vec![CorporateAction { time: bars.time()[0], kind }];
        SymbolBars { symbol: name.to_owned(), bars, actions }
    }

    #[test]
    fn bars_and_actions_of_two_symbols_join_under_the_new_one() {
        let found = rename(vec![symbol("WM", &[5, 6]), symbol("WMI", &[1, 2, 4])], "WMI", "WM").expect("in order");
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].symbol.as_str(), found[0].bars.len()), ("WM", 5));
        let days: Vec<i64> = found[0].actions.iter().map(|a| a.time.nanos() / Timestamp::NANOS_PER_DAY).collect();
        assert_eq!(days, [1, 5]);
    }

    #[test]
    fn a_symbol_whose_successor_has_no_bars_is_renamed() {
        let found = rename(vec![symbol("UW", &[1, 2])], "UW", "WMI").expect("alone");
        assert_eq!((found[0].symbol.as_str(), found[0].bars.len()), ("WMI", 2));
    }

    #[test]
    fn symbols_with_bars_at_one_time_are_not_one_instrument() {
        let error = rename(vec![symbol("WM", &[4, 6]), symbol("WMI", &[1, 4])], "WMI", "WM").expect_err("overlap");
        assert_eq!(
            error.to_string(),
            "`WMI` cannot become `WM`: its bars must end before those of `WM` begin, `1970-01-05` is not before `1970-01-05`"
        );
        let error = rename(vec![symbol("WM", &[4])], "WMJ", "WM").expect_err("unknown");
        assert_eq!(error.to_string(), "symbol must be one of `WM`, was `WMJ`; hint: did you mean `WM`?");
    }
}
