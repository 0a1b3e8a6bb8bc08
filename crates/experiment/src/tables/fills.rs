//! `fills.parquet`: one row per execution, in the order of events.
//!
//! `time` labels the bar, `moment` says where in it: `open`, `inside` or `close`. `price` contains the slippage and is in the
//! instrument's currency, `commission` and `slippage` are money of the account. The fill moved `quantity * price * multiplier * fx_rate`
//! of the account's money, and the quoted price was `price` less `slippage / (quantity * multiplier * fx_rate)` for a buy, plus it for a
//! sale.

use tidegate_backtest::Journal;
use tidegate_data::{Column, Table};

use super::{Naming, floats, names, table, texts};
use crate::ExperimentError;

pub(crate) fn fills(journal: &Journal, naming: Naming<'_>) -> Result<Table, ExperimentError> {
    let fills = &journal.fills;
    table(vec![
        ("order", Column::Int(fills.iter().map(|fill| i64::from(fill.order.0)).collect())),
        ("symbol", texts(fills, |fill| naming.symbol(fill.instrument))),
        ("side", texts(fills, |fill| names::side(fill.side).to_owned())),
        ("quantity", floats(fills, |fill| fill.quantity.0)),
        ("price", floats(fills, |fill| fill.price.0)),
        ("commission", floats(fills, |fill| fill.commission.0)),
        ("slippage", floats(fills, |fill| fill.slippage.0)),
        ("multiplier", floats(fills, |fill| journal.positions[fill.instrument.index()].multiplier)),
        ("fx_rate", floats(fills, |fill| fill.fx_rate)),
        ("liquidity", texts(fills, |fill| names::liquidity(fill.liquidity).to_owned())),
        ("time", naming.time(fills.iter().map(|fill| fill.time).collect())),
        ("moment", texts(fills, |fill| names::moment(fill.moment).to_owned())),
    ])
}
