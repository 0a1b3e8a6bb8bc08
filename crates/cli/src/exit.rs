//! Exit codes: 0 done, 1 the user's input or a failed check, 2 our fault, 130 stopped by the user.

use std::process::ExitCode;

use tidegate_experiment::ExperimentError;

use crate::printer::Printer;

/// Shows what was mistyped; help and version are not mistakes.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // A closed pipe while showing help is nothing to report.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(1) } else { ExitCode::SUCCESS }
}

/// Shows an error and picks its code.
pub(crate) fn code(error: &anyhow::Error, printer: Printer) -> ExitCode {
    printer.error(error);
    match error.downcast_ref::<ExperimentError>() {
        Some(error) if error.is_cancelled() => ExitCode::from(130),
        Some(error) if !error.is_users() => ExitCode::from(2),
        _ => ExitCode::from(1),
    }
}
