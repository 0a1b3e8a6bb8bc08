//! `tidegate train`: forecasts and models, without a backtest.

use serde_json::json;
use tidegate_experiment::{ResolvedExperiment, train};

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
