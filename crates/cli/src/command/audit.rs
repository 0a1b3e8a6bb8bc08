//! `tidegate audit`: proof that nothing known at a bar depends on what came after it.

use serde_json::json;
use tidegate_experiment::{AuditOptions, AuditReport, ExperimentError, ResolvedExperiment, audit_and_store};

use crate::arguments::{AuditArguments, RunArguments};
use crate::command::run::{options, read_strategy};
use crate::printer::Printer;
use crate::progress::TerminalProgress;

pub(crate) fn execute(arguments: &AuditArguments, printer: Printer) -> anyhow::Result<()> {
    let experiment = ResolvedExperiment::from_source(&read_strategy(&arguments.run.strategy)?)?;
    let report = audit(&experiment, &arguments.run, usize::from(arguments.cuts), printer)?;
    if printer.json() {
        let document = json!({ "clean": report.leak.is_none(), "audit": report });
        printer.result(&serde_json::to_string_pretty(&document)?);
    } else {
        printer.result(&report.to_string());
    }
    refuse_leak(&report)
}

/// Fails where there is a leak.
pub(crate) fn refuse_leak(report: &AuditReport) -> anyhow::Result<()> {
    match &report.leak {
        None => Ok(()),
        Some(leak) => Err(ExperimentError::Audit(leak.to_string()).into()),
    }
}

/// Audits and stores the result in the run directory.
pub(crate) fn audit(
    experiment: &ResolvedExperiment,
    arguments: &RunArguments,
    cuts: usize,
    printer: Printer,
) -> anyhow::Result<AuditReport> {
    let options = AuditOptions { cuts, run: options(arguments) };
    let (_, report) = audit_and_store(experiment, &options, &TerminalProgress::new(printer))?;
    Ok(report)
}
