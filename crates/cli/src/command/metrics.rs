//! `tidegate metrics`: any series of returns, measured.

use tidegate_experiment::{ReturnsRequest, measure_returns};

use crate::arguments::MetricsArguments;
use crate::printer::Printer;

pub(crate) fn execute(arguments: &MetricsArguments, printer: Printer) -> anyhow::Result<()> {
    let request = ReturnsRequest {
        path: arguments.returns.clone(),
        periods_per_year: arguments.periods_per_year,
        convention: arguments.convention.clone(),
        risk_free_annual: arguments.risk_free,
    };
    let measured = measure_returns(&request)?;
    if printer.json() {
        printer.result(&serde_json::to_string_pretty(&measured)?);
        return Ok(());
    }
    let width = measured.keys().map(String::len).max().unwrap_or(0);
    for (key, value) in &measured {
        let shown = value.as_f64().map_or_else(|| "n/a".to_owned(), |value| format!("{value:.6}"));
        printer.result(&format!("{key:<width$}  {shown:>14}"));
    }
    Ok(())
}
