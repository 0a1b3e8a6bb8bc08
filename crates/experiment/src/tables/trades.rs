//! `trades.parquet`: one row per round trip, in the order of exits.

use tidegate_backtest::Journal;
use tidegate_data::{Column, Table};

use super::{Naming, floats, names, table, texts};
use crate::ExperimentError;

pub(crate) fn trades(journal: &Journal, naming: Naming<'_>) -> Result<Table, ExperimentError> {
    let trades = &journal.trades;
    table(vec![
        ("symbol", texts(trades, |trade| naming.symbol(trade.instrument))),
        ("side", texts(trades, |trade| names::side(trade.side).to_owned())),
        ("quantity", floats(trades, |trade| trade.quantity.0)),
        ("entry_time", naming.time(trades.iter().map(|trade| trade.entry_time).collect())),
        ("entry_price", floats(trades, |trade| trade.entry_price.0)),
        ("exit_time", naming.time(trades.iter().map(|trade| trade.exit_time).collect())),
        ("exit_price", floats(trades, |trade| trade.exit_price.0)),
        ("bars_held", Column::Int(trades.iter().map(|trade| i64::from(trade.bars_held())).collect())),
        ("realized_pnl", floats(trades, |trade| trade.realized_pnl.0)),
        ("commission", floats(trades, |trade| trade.commission.0)),
        ("slippage", floats(trades, |trade| trade.slippage.0)),
        ("mae", floats(trades, |trade| trade.max_adverse_excursion)),
        ("mfe", floats(trades, |trade| trade.max_favorable_excursion)),
    ])
}
