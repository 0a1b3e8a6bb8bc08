//! `tidegate schema`: the JSON Schema of strategy files.

use crate::printer::Printer;

pub(crate) fn execute(printer: Printer) -> anyhow::Result<()> {
    printer.result(&serde_json::to_string_pretty(&tidegate_experiment::schema())?);
    Ok(())
}
