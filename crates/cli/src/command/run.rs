//! `tidegate run`: everything, from the strategy file to the report.

use serde_json::json;
use tidegate_experiment::{
    ArtifactCache, ConfigSource, DEFAULT_CUTS, ResolvedExperiment, RunOptions, RunOutcome, run_experiment,
};
use tidegate_report::ColorChoice;

use crate::arguments::{AuditedRunArguments, ExecutionArguments, RunArguments, StrategyArguments};
use crate::command::audit::{audit, refuse_leak};
use crate::printer::Printer;
use crate::progress::TerminalProgress;

pub(crate) fn execute(arguments: &AuditedRunArguments, printer: Printer) -> anyhow::Result<()> {
    let source = read_strategy(&arguments.run.strategy)?;
    let experiment = ResolvedExperiment::from_source(&source)?;
    if arguments.audit {
        let report = audit(&experiment, &arguments.run, DEFAULT_CUTS, printer)?;
        refuse_leak(&report)?;
        printer.note(&report.verdict());
    }
    run_and_show(&experiment, &arguments.run, printer)
}

/// Reads a strategy file and lays the command line's overrides over it.
pub(crate) fn read_strategy(arguments: &StrategyArguments) -> anyhow::Result<ConfigSource> {
    let mut source = ConfigSource::read(&arguments.strategy).map_err(tidegate_experiment::ExperimentError::from)?;
    for assignment in &arguments.overrides {
        source.push_override(assignment);
    }
    if let Some(seed) = arguments.seed {
        source.push_override(format!("seed={seed}"));
    }
    Ok(source)
}

/// Turns the command line into options.
pub(crate) fn options(arguments: &RunArguments) -> RunOptions {
    let ExecutionArguments { threads, device, no_cache, study, cache } = &arguments.execution;
    RunOptions {
        out: arguments.out.clone(),
        study: study.clone(),
        cache: if *no_cache { ArtifactCache::off() } else { ArtifactCache::in_folder(cache) },
        reuse_finished: !no_cache,
        threads: threads.map(usize::from),
        device: device.clone(),
    }
}

/// Runs an experiment and shows the result.
pub(crate) fn run_and_show(
    experiment: &ResolvedExperiment,
    arguments: &RunArguments,
    printer: Printer,
) -> anyhow::Result<()> {
    let outcome = run_experiment(experiment, &options(arguments), &TerminalProgress::new(printer))?;
    show(&outcome, printer)
}

fn show(outcome: &RunOutcome, printer: Printer) -> anyhow::Result<()> {
    if printer.json() {
        let document = json!({ "run_dir": outcome.run_dir, "metrics": outcome.metrics, "cached": outcome.cached });
        printer.result(&serde_json::to_string_pretty(&document)?);
        return Ok(());
    }
    let color = if printer.color() { ColorChoice::Always } else { ColorChoice::Never };
    printer.result(&tidegate_report::terminal(&outcome.report, printer.width(), color));
    printer.result(&format!("report: {}", outcome.run_dir.join("report.html").display()));
    Ok(())
}
