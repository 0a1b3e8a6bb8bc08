//! `tidegate features`: the feature columns as a file.

use serde_json::json;
use tidegate_experiment::write_features;

use crate::arguments::FeaturesArguments;
use crate::command::run::read_strategy;
use crate::printer::Printer;

pub(crate) fn execute(arguments: &FeaturesArguments, printer: Printer) -> anyhow::Result<()> {
    let rows = write_features(&read_strategy(&arguments.strategy)?, &arguments.out)?;
    if printer.json() {
        printer.result(&json!({ "path": arguments.out, "rows": rows }).to_string());
    } else {
        printer.result(&format!("{rows} rows in {}", arguments.out.display()));
    }
    Ok(())
}
