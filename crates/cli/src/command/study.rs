//! `tidegate study`: what was ever tried.

use serde_json::json;
use tidegate_experiment::{StudyRequest, StudyTable, export_study, list_studies, show_study};

use crate::printer::Printer;
use crate::study_arguments::{
    StudyArguments, StudyCommand, StudyExportArguments, StudyListArguments, StudyShowArguments,
};

pub(crate) fn execute(arguments: &StudyArguments, printer: Printer) -> anyhow::Result<()> {
    match &arguments.command {
        StudyCommand::List(arguments) => list(arguments, printer),
        StudyCommand::Show(arguments) => show(arguments, printer),
        StudyCommand::Export(arguments) => export(arguments, printer),
    }
}

fn list(arguments: &StudyListArguments, printer: Printer) -> anyhow::Result<()> {
    let studies = list_studies(&arguments.runs)?;
    if printer.json() {
        printer.result(&serde_json::to_string_pretty(&json!({ "studies": studies }))?);
        return Ok(());
    }
    for problem in studies.iter().filter_map(|study| study.problem.as_ref()) {
        printer.note(problem);
    }
    if studies.is_empty() {
        printer.result(&format!("no studies below {}", arguments.runs.display()));
    } else {
        printer.result(&StudyTable(&studies).to_string());
    }
    Ok(())
}

fn show(arguments: &StudyShowArguments, printer: Printer) -> anyhow::Result<()> {
    let request = StudyRequest {
        study: arguments.study.clone(),
        runs: arguments.list.runs.clone(),
        sort: arguments.sort.clone(),
        ascending: arguments.ascending,
        limit: arguments.limit,
    };
    let trials = show_study(&request)?;
    if printer.json() {
        printer.result(&serde_json::to_string_pretty(&trials)?);
    } else {
        printer.result(&trials.to_string());
    }
    Ok(())
}

fn export(arguments: &StudyExportArguments, printer: Printer) -> anyhow::Result<()> {
    let rows = export_study(&arguments.study, &arguments.list.runs, &arguments.out)?;
    if printer.json() {
        printer.result(&json!({ "path": arguments.out, "rows": rows }).to_string());
    } else {
        printer.result(&format!("{rows} trials in {}", arguments.out.display()));
    }
    Ok(())
}
