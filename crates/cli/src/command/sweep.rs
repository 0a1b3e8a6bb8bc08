//! `tidegate sweep`: every combination of a grid.

use serde_json::json;
use tidegate_experiment::{SweepRequest, run_sweep};

use crate::arguments::SweepArguments;
use crate::command::run::{options, read_strategy};
use crate::printer::Printer;
use crate::progress::TerminalProgress;

pub(crate) fn execute(arguments: &SweepArguments, printer: Printer) -> anyhow::Result<()> {
    let source = read_strategy(&arguments.run.strategy)?;
    let request = SweepRequest { grid: arguments.grid.clone(), objective: arguments.objective.clone() };
    let outcome = run_sweep(&source, &request, &options(&arguments.run), &TerminalProgress::new(printer))?;
    if printer.json() {
        let document = json!({ "sweep_dir": outcome.folder, "sweep": outcome.summary });
        printer.result(&serde_json::to_string_pretty(&document)?);
    } else {
        printer.result(&outcome.to_string());
    }
    Ok(())
}
