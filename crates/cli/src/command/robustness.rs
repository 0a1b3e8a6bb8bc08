//! `tidegate robustness`: how a result changes when its assumptions do.

use serde_json::json;
use tidegate_experiment::{ResolvedExperiment, RobustnessOptions, robustness_and_store};

use crate::arguments::RobustnessArguments;
use crate::command::run::{options, read_strategy};
use crate::printer::Printer;
use crate::progress::TerminalProgress;

pub(crate) fn execute(arguments: &RobustnessArguments, printer: Printer) -> anyhow::Result<()> {
    let experiment = ResolvedExperiment::from_source(&read_strategy(&arguments.run.strategy)?)?;
    let options = RobustnessOptions { resamples: arguments.resamples as usize, run: options(&arguments.run) };
    let (path, report) = robustness_and_store(&experiment, &options, &TerminalProgress::new(printer))?;
    if printer.json() {
        printer.result(&serde_json::to_string_pretty(&json!({ "file": path, "robustness": report }))?);
    } else {
        printer.result(&report.to_string());
        printer.result(&format!("robustness: {}", path.display()));
    }
    Ok(())
}
