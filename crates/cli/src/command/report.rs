//! `tidegate report`: a finished run's report, again.

use tidegate_report::ColorChoice;

use crate::arguments::{ReportArguments, ReportFormat};
use crate::printer::Printer;

pub(crate) fn execute(arguments: &ReportArguments, printer: Printer) -> anyhow::Result<()> {
    let report = tidegate_experiment::read_report(&arguments.run_dir)?;
    let text_for_json = printer.json() && arguments.format == ReportFormat::Text;
    let format = if text_for_json { ReportFormat::Json } else { arguments.format };
    let color = if printer.color() && arguments.out.is_none() { ColorChoice::Always } else { ColorChoice::Never };
    let text = match format {
        ReportFormat::Text => tidegate_report::terminal(&report, printer.width(), color),
        ReportFormat::Html => tidegate_report::html(&report)?,
        ReportFormat::Json => tidegate_report::json(&report)?,
        ReportFormat::Csv => tidegate_report::csv(&report),
    };
    match &arguments.out {
        None => printer.result(&text),
        Some(path) => {
            tidegate_data::write_atomically(path, text.as_bytes())?;
            printer.note(&format!("report: {}", path.display()));
        }
    }
    Ok(())
}
