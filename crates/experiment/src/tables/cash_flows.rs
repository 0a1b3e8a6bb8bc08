//! `cash_flows.parquet`: money that moved without a fill, in the order of events.
//!
//! `symbol` is empty for what concerns the account as a whole, `amount` is money of the account, positive when received.

use tidegate_backtest::Journal;
use tidegate_data::{Column, Table};

use super::{Naming, floats, names, table, texts};
use crate::ExperimentError;

pub(crate) fn cash_flows(journal: &Journal, naming: Naming<'_>) -> Result<Table, ExperimentError> {
    let flows = &journal.cash_flows;
    let symbols = flows.iter().map(|flow| flow.instrument.map(|instrument| naming.symbol(instrument)));
    table(vec![
        ("time", naming.time(flows.iter().map(|flow| flow.time).collect())),
        ("symbol", Column::OptionalText(symbols.collect())),
        ("kind", texts(flows, |flow| names::cash_flow_kind(flow.kind).to_owned())),
        ("amount", floats(flows, |flow| flow.amount.0)),
    ])
}
