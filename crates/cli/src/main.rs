//! The `tidegate` command.

mod arguments;
mod command;
mod exit;
mod model_arguments;
mod printer;
mod progress;
mod stop;
mod stopwatch;
mod study_arguments;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};
use crate::printer::Printer;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return exit::usage(&error),
    };
    let printer = Printer::new(arguments.output);
    if let Err(error) = stop::listen() {
        return exit::code(&error, printer);
    }
    // A panic is a bug of ours; its message is on stderr already.
    match std::panic::catch_unwind(|| dispatch(&arguments, printer)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => exit::code(&error, printer),
        Err(_) => ExitCode::from(2),
    }
}

fn dispatch(arguments: &Arguments, printer: Printer) -> anyhow::Result<()> {
    match &arguments.command {
        Command::Run(run) => command::run::execute(run, printer),
        Command::Audit(audit) => command::audit::execute(audit, printer),
        Command::Robustness(robustness) => command::robustness::execute(robustness, printer),
        Command::Check(check) => command::check::execute(check, printer),
        Command::Features(features) => command::features::execute(features, printer),
        Command::Train(train) => command::train::execute(train, printer),
        Command::Backtest(backtest) => command::backtest::execute(backtest, printer),
        Command::Sweep(sweep) => command::sweep::execute(sweep, printer),
        Command::Study(study) => command::study::execute(study, printer),
        Command::Report(report) => command::report::execute(report, printer),
        Command::Compare(compare) => command::compare::execute(compare, printer),
        Command::Explain(explain) => command::explain::execute(explain, printer),
        Command::Predict(predict) => command::predict::execute(predict, printer),
        Command::Export(export) => command::export::execute(export, printer),
        Command::Compress(compress) => command::compress::execute(compress, printer),
        Command::Bench(bench) => command::bench::execute(bench, printer),
        Command::Metrics(metrics) => command::metrics::execute(metrics, printer),
        Command::Data(data) => command::data::execute(data, printer),
        Command::Schema => command::schema::execute(printer),
        Command::Completions(completions) => command::completions::execute(*completions, printer),
    }
}
