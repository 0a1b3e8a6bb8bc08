//! `tidegate backtest`: the engine on stored forecasts.

use tidegate_experiment::{ForecastSource, ResolvedExperiment};

use crate::arguments::BacktestArguments;
use crate::command::run::{read_strategy, run_and_show};
use crate::printer::Printer;

pub(crate) fn execute(arguments: &BacktestArguments, printer: Printer) -> anyhow::Result<()> {
    let source = read_strategy(&arguments.run.strategy)?;
    let experiment = ResolvedExperiment::with_forecasts_from(&source, &arguments.forecasts)?;
    debug_assert!(matches!(experiment.forecasts, ForecastSource::File(_)));
    run_and_show(&experiment, &arguments.run, printer)
}
