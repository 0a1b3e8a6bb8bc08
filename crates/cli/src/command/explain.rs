//! `tidegate explain`: one trade of a finished run, from the decision to the money.

use tidegate_experiment::{ExplainRequest, explain};

use crate::arguments::ExplainArguments;
use crate::printer::Printer;

pub(crate) fn execute(arguments: &ExplainArguments, printer: Printer) -> anyhow::Result<()> {
    let ExplainArguments { run_dir, trade, strategy } = arguments;
    let request = ExplainRequest { run_dir: run_dir.clone(), trade: *trade, strategy: strategy.clone() };
    let story = explain(&request)?;
    if printer.json() {
        printer.result(&serde_json::to_string_pretty(&story)?);
    } else {
        printer.result(&tidegate_report::trade_story(&story));
    }
    Ok(())
}
