//! `tidegate train`: forecasts and models, without a backtest.

use serde_json::json;
use tidegate_experiment::{ForecastSummary, ResolvedExperiment, train};

use crate::arguments::RunArguments;
use crate::command::run::{options, read_strategy};
use crate::printer::Printer;
use crate::progress::TerminalProgress;

pub(crate) fn execute(arguments: &RunArguments, printer: Printer) -> anyhow::Result<()> {
    let source = read_strategy(&arguments.strategy)?;
    let experiment = ResolvedExperiment::from_source(&source)?;
    let trained = train(&experiment, &options(arguments), &TerminalProgress::new(printer))?;
    let file = trained.run_dir.join("forecasts.parquet");
    if printer.json() {
        let document = json!({
            "run_dir": trained.run_dir,
            "forecast": trained.scores,
            "members_trained": trained.members_trained,
            "members_reused": trained.members_reused,
        });
        printer.result(&serde_json::to_string_pretty(&document)?);
    } else {
        if let Some(table) = level_errors(&trained.scores) {
            printer.result(&table);
        }
        printer.result(&format!(
            "{} forecasts in {} ({} models trained, {} from the cache)",
            trained.forecasts,
            file.display(),
            trained.members_trained,
            trained.members_reused
        ));
    }
    Ok(())
}

/// Returns the errors of the forecast prices beside those of the last value, horizon by horizon, where a change of the price is learned.
fn level_errors(scores: &ForecastSummary) -> Option<String> {
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
    let mut table = format!("{:>7}  {:>22}  {:>10}", "horizon", "relative squared error", "last value");
    for horizon in &scores.by_horizon {
        let level = horizon.level?;
        let (own, last) = (number(level.relative_squared_error), number(level.last_value));
        table.extend(["\n".to_owned(), format!("{:>7}  {own:>22}  {last:>10}", horizon.horizon_bars)]);
    }
    Some(table)
}
