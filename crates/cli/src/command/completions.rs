//! `tidegate completions`: a shell's completion script.

use clap::CommandFactory;

use crate::arguments::{Arguments, CompletionsArguments};
use crate::printer::Printer;

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
pub(crate) fn execute(arguments: CompletionsArguments, printer: Printer) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "tidegate", &mut script);
    printer.result(&String::from_utf8_lossy(&script));
    Ok(())
}
