//! Parts of what was read.

use tidegate_market::{BarColumns, Bars, Timestamp};

use crate::nearest::{did_you_mean, listed};
use crate::{DataError, SymbolBars};

/// Returns the wanted symbols, in the wanted order.
///
/// # Errors
/// [`DataError::UnknownSymbol`] for one that is not there.
pub fn select(symbols: Vec<SymbolBars>, wanted: &[String]) -> Result<Vec<SymbolBars>, DataError> {
    let mut left: Vec<Option<SymbolBars>> = symbols.into_iter().map(Some).collect();
    let names: Vec<String> = left.iter().flatten().map(|symbol| symbol.symbol.clone()).collect();
    let mut found = Vec::with_capacity(wanted.len());
    for name in wanted {
        let place = names.iter().position(|known| known == name);
        let Some(symbol) = place.and_then(|place| left[place].take()) else {
            let known = || names.iter().map(String::as_str);
            let hint =
                if place.is_some() { "; it was asked for twice".to_owned() } else { did_you_mean(name, known()) };
            return Err(DataError::UnknownSymbol { symbol: name.clone(), known: listed(known()), hint });
        };
        found.push(symbol);
    }
    Ok(found)
}

/// Returns the first `rows` bars of every symbol.
pub fn prefix(symbols: &[SymbolBars], rows: usize) -> Vec<SymbolBars> {
    symbols.iter().map(|symbol| with_bars(symbol, symbol.bars.prefix(rows))).collect()
}

/// Returns the bars whose time labels lie between two times, both included; `None` is no bound.
pub fn in_range(symbols: &[SymbolBars], first: Option<Timestamp>, last: Option<Timestamp>) -> Vec<SymbolBars> {
    let cut = |bars: &Bars| {
        let from = first.map_or(0, |first| bars.time().partition_point(|time| *time < first));
        let to = last.map_or(bars.len(), |last| bars.time().partition_point(|time| *time <= last)).max(from);
        let columns = bars.columns();
        let columns = BarColumns {
            time: columns.time[from..to].to_vec(),
            open: columns.open[from..to].to_vec(),
            high: columns.high[from..to].to_vec(),
            low: columns.low[from..to].to_vec(),
            close: columns.close[from..to].to_vec(),
            volume: columns.volume[from..to].to_vec(),
        };
        Bars::new(columns, bars.label(), bars.interval()).expect("a part of sane bars is sane")
    };
    symbols.iter().map(|symbol| with_bars(symbol, cut(&symbol.bars))).collect()
}

fn with_bars(symbol: &SymbolBars, bars: Bars) -> SymbolBars {
    SymbolBars { symbol: symbol.symbol.clone(), bars, actions: symbol.actions.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_market::BarLabel;

    fn symbol(name: &str, days: i64) -> SymbolBars {
        let flat = vec![1.0; days as usize];
        let columns = BarColumns {
            time: (0..days).map(|day| Timestamp::from_nanos(day * Timestamp::NANOS_PER_DAY)).collect(),
            open: flat.clone(),
            high: flat.clone(),
            low: flat.clone(),
            close: flat.clone(),
            volume: flat,
        };
        let bars = Bars::new(columns, BarLabel::Open, "1d".parse().expect("valid")).expect("sane");
        SymbolBars::new(name, bars)
    }

    #[test]
    fn symbols_come_in_the_wanted_order() {
        let found = select(vec![symbol("SPX", 1), symbol("IXIC", 2)], &["IXIC".to_owned(), "SPX".to_owned()]);
        let names: Vec<String> = found.expect("known").into_iter().map(|symbol| symbol.symbol).collect();
        assert_eq!(names, ["IXIC", "SPX"]);
    }

    #[test]
    fn an_unknown_symbol_lists_those_present() {
        let error = |wanted: &[&str]| {
            let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
            select(vec![symbol("SPX", 1), symbol("IXIC", 2)], &wanted).expect_err("unknown").to_string()
        };
        assert_eq!(error(&["IXCI"]), "symbol must be one of `SPX, IXIC`, was `IXCI`; hint: did you mean `IXIC`?");
        assert_eq!(error(&["DAX40"]), "symbol must be one of `SPX, IXIC`, was `DAX40`");
        assert_eq!(error(&["SPX", "SPX"]), "symbol must be one of `SPX, IXIC`, was `SPX`; it was asked for twice");
    }

    #[test]
    fn a_range_includes_both_ends() {
        let day = |day: i64| Some(Timestamp::from_nanos(day * Timestamp::NANOS_PER_DAY));
        let lengths = |first, last| in_range(&[symbol("SPX", 10)], first, last)[0].bars.len();
        assert_eq!(lengths(day(2), day(4)), 3);
        assert_eq!(lengths(None, day(4)), 5);
        assert_eq!(lengths(day(8), None), 2);
        assert_eq!(lengths(day(5), day(3)), 0);
    }

    #[test]
    fn a_prefix_is_the_first_rows_of_each() {
        let found = prefix(&[symbol("SPX", 10), symbol("IXIC", 2)], 4);
        assert_eq!([found[0].bars.len(), found[1].bars.len()], [4, 2]);
    }
}
