//! Bars as a table in the canonical columns.

use tidegate_market::Timestamp;

use super::{Column, Table, TimeKind};
use crate::SymbolBars;

/// Returns bars in the columns `symbol, time, open, high, low, close, volume`, symbol after symbol. Times are shown as dates when all fall on midnight.
pub fn bars_table(symbols: &[SymbolBars]) -> Table {
    let all = || symbols.iter().map(|symbol| &symbol.bars);
    let midnight = |time: &Timestamp| time.nanos() % Timestamp::NANOS_PER_DAY == 0;
    let kind = if all().all(|bars| bars.time().iter().all(midnight)) { TimeKind::Date } else { TimeKind::Instant };
    let names = symbols.iter().flat_map(|symbol| vec![symbol.symbol.clone(); symbol.bars.len()]);
    let columns = vec![
        ("symbol".to_owned(), Column::Text(names.collect())),
        ("time".to_owned(), Column::Time(all().flat_map(|bars| bars.time().to_vec()).collect(), kind)),
        ("open".to_owned(), Column::Float(all().flat_map(|bars| bars.open().to_vec()).collect())),
        ("high".to_owned(), Column::Float(all().flat_map(|bars| bars.high().to_vec()).collect())),
        ("low".to_owned(), Column::Float(all().flat_map(|bars| bars.low().to_vec()).collect())),
        ("close".to_owned(), Column::Float(all().flat_map(|bars| bars.close().to_vec()).collect())),
        ("volume".to_owned(), Column::Float(all().flat_map(|bars| bars.volume().to_vec()).collect())),
    ];
    Table::new(columns).expect("all columns have a row per bar")
}
