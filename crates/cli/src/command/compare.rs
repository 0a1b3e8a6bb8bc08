//! `tidegate compare`: runs side by side.

use tidegate_experiment::compare;

use crate::arguments::CompareArguments;
use crate::printer::Printer;

pub(crate) fn execute(arguments: &CompareArguments, printer: Printer) -> anyhow::Result<()> {
    let comparison = compare(&arguments.run_dirs)?;
    if printer.json() {
        printer.result(&serde_json::to_string_pretty(&comparison)?);
    } else {
        printer.result(&tidegate_report::comparison(&comparison, printer.width()));
    }
    Ok(())
}
