//! `corporate_actions.parquet`: the corporate actions that met a position, in the order of events.
//!
//! `value` is the new units per old one of a `split`, the money per unit of a `dividend`, and the price at which a `delisting` paid out,
//! empty where that was the last close.

use tidegate_backtest::{AppliedAction, Journal};
use tidegate_data::Table;
use tidegate_market::CorporateActionKind;

use super::{Naming, floats, optional_floats, table, texts};
use crate::ExperimentError;

pub(crate) fn corporate_actions(journal: &Journal, naming: Naming<'_>) -> Result<Table, ExperimentError> {
    let actions = &journal.actions;
    table(vec![
        ("time", naming.time(actions.iter().map(|action| action.time).collect())),
        ("symbol", texts(actions, |action| naming.symbol(action.instrument))),
        ("kind", texts(actions, |action| kind(action).to_owned())),
        ("value", optional_floats(actions, value)),
        ("units_before", floats(actions, |action| action.units_before.0)),
        ("units_after", floats(actions, |action| action.units_after.0)),
    ])
}

const fn kind(action: &AppliedAction) -> &'static str {
    match action.kind {
        CorporateActionKind::Split { .. } => "split",
        CorporateActionKind::Dividend { .. } => "dividend",
        CorporateActionKind::Delisting { .. } => "delisting",
    }
}

fn value(action: &AppliedAction) -> Option<f64> {
    match action.kind {
        CorporateActionKind::Split { ratio } => Some(ratio),
        CorporateActionKind::Dividend { amount } => Some(amount),
        CorporateActionKind::Delisting { price } => price.map(|price| price.0),
    }
}
