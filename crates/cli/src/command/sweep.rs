//! `tidegate sweep`: many configs of one study.

use serde_json::json;
use tidegate_experiment::{
    AuditOptions, ConfigSource, DEFAULT_CUTS, Dataset, ResolvedExperiment, SweepRequest, audit_experiment, run_sweep,
};

use crate::arguments::SweepArguments;
use crate::command::audit::refuse_leak;
use crate::command::run::{options, read_strategy};
use crate::printer::Printer;
use crate::progress::TerminalProgress;

pub(crate) fn execute(arguments: &SweepArguments, printer: Printer) -> anyhow::Result<()> {
    let source = read_strategy(&arguments.run.strategy)?;
    if arguments.audit {
        audit(&source, arguments, printer)?;
    }
    let request = SweepRequest {
        file: arguments.sweep.clone(),
        grid: arguments.grid.clone(),
        objective: arguments.objective.clone(),
    };
    let outcome = run_sweep(&source, &request, &options(&arguments.run), &TerminalProgress::new(printer))?;
    if printer.json() {
        let document = json!({ "sweep_dir": outcome.folder, "sweep": outcome.summary });
        printer.result(&serde_json::to_string_pretty(&document)?);
    } else {
        printer.result(&outcome.to_string());
    }
    Ok(())
}

/// Audits the config that the sweep varies; the study's folder is not a run's, so that nothing is stored there.
fn audit(source: &ConfigSource, arguments: &SweepArguments, printer: Printer) -> anyhow::Result<()> {
    let experiment = ResolvedExperiment::from_source(source)?;
    let dataset = Dataset::load(&experiment.data)?;
    let options = AuditOptions { cuts: DEFAULT_CUTS, run: options(&arguments.run) };
    let report = audit_experiment(&experiment, &dataset, &options, &TerminalProgress::new(printer))?;
    refuse_leak(&report)?;
    printer.note(&report.verdict());
    Ok(())
}
