//! `tidegate data`: inspect, convert, simulate.

use std::path::Path;

use serde_json::json;
use tidegate_data::{
    Garch, Jumps, OffencePolicy, Policy, ReadOptions, SimulationSpec, SymbolBars, bars_table, inspect,
    read_with_report, simulate,
};
use tidegate_market::BarLabel;

use crate::arguments::{
    ConvertArguments, DataArguments, DataCommand, InspectArguments, ReadArguments, SimulateArguments,
};
use crate::printer::Printer;

/// GARCH weights typical of daily equity index returns.
const GARCH: Garch = Garch { alpha: 0.08, beta: 0.9 };

/// Two jumps of about three percent a year.
const JUMPS: Jumps = Jumps { per_year: 2.0, mean: -0.01, sd: 0.03 };

pub(crate) fn execute(arguments: &DataArguments, printer: Printer) -> anyhow::Result<()> {
    match &arguments.command {
        DataCommand::Inspect(arguments) => show_report(arguments, printer),
        DataCommand::Convert(arguments) => write_canonical(arguments, printer),
        DataCommand::Simulate(arguments) => write_simulated(arguments, printer),
    }
}

fn options(arguments: &ReadArguments) -> anyhow::Result<ReadOptions> {
    let label = if arguments.timestamp == "close" { BarLabel::Close } else { BarLabel::Open };
    Ok(ReadOptions { symbol: arguments.symbol.clone(), ..ReadOptions::new(arguments.interval.parse()?, label) })
}

fn show_report(arguments: &InspectArguments, printer: Printer) -> anyhow::Result<()> {
    let report = inspect(&arguments.read.path, &options(&arguments.read)?)?;
    if printer.json() {
        printer.result(&serde_json::to_string_pretty(&report)?);
    } else {
        printer.result(&report.to_string());
    }
    Ok(())
}

fn write_canonical(arguments: &ConvertArguments, printer: Printer) -> anyhow::Result<()> {
    let mut options = options(&arguments.read)?;
    if arguments.drop_offences {
        options.policy = OffencePolicy {
            missing: Policy::Drop,
            non_positive_price: Policy::Drop,
            negative_volume: Policy::Drop,
            high_below_low: Policy::Drop,
            corporate_action: Policy::Drop,
            // Rows that are only out of order are sorted, not lost.
            unsorted: Policy::Keep,
            duplicate: Policy::Drop,
        };
    }
    let (symbols, report) = read_with_report(&arguments.read.path, &options)?;
    if report.rows_kept < report.rows_read {
        printer.note(&format!(
            "{} of {} rows break a rule and are left out",
            report.rows_read - report.rows_kept,
            report.rows_read
        ));
    }
    write_bars(&symbols, &arguments.out, printer)
}

fn write_simulated(arguments: &SimulateArguments, printer: Printer) -> anyhow::Result<()> {
    let digits = arguments.symbols.to_string().len();
    let symbols = simulate(&SimulationSpec {
        symbols: (1..=arguments.symbols.get()).map(|number| format!("SIM{number:0digits$}")).collect(),
        bars: arguments.bars.get(),
        interval: arguments.interval.parse()?,
        calendar: arguments.calendar.into(),
        start: arguments.start.parse()?,
        seed: arguments.seed,
        start_price: 100.0,
        annual_drift: arguments.drift,
        annual_volatility: arguments.volatility,
        correlation: arguments.correlation,
        open_gap_share: 0.2,
        garch: GARCH,
        jump: JUMPS,
    })?;
    write_bars(&symbols, &arguments.out, printer)
}

fn write_bars(symbols: &[SymbolBars], out: &Path, printer: Printer) -> anyhow::Result<()> {
    let table = bars_table(symbols);
    table.write(out)?;
    if printer.json() {
        printer.result(&json!({ "path": out, "rows": table.rows() }).to_string());
    } else {
        printer.result(&format!("{} rows in {}", table.rows(), out.display()));
    }
    Ok(())
}
