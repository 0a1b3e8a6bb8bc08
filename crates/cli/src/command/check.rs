//! `tidegate check`: what a run will do, without running it.

use std::fmt::Write;

use tidegate_experiment::{CheckedForecaster, CheckedRun, ResolvedExperiment, check};

use crate::arguments::CheckArguments;
use crate::command::run::read_strategy;
use crate::printer::Printer;

pub(crate) fn execute(arguments: &CheckArguments, printer: Printer) -> anyhow::Result<()> {
    let experiment = ResolvedExperiment::from_source(&read_strategy(&arguments.strategy)?)?;
    let checked = check(&experiment)?;
    if printer.json() {
        printer.result(&serde_json::to_string_pretty(&checked)?);
    } else {
        printer.result(&describe(&checked)?);
    }
    Ok(())
}

fn describe(checked: &CheckedRun) -> Result<String, std::fmt::Error> {
    let mut text = format!("{} is valid (config {})\n\n", checked.name, checked.config_hash);
    for (symbol, bars, first, last) in &checked.symbols {
        writeln!(text, "{symbol}: {bars} bars, {first} to {last}")?;
    }
    if !checked.folds.is_empty() {
        writeln!(text, "\n{} folds, {} models to train\n", checked.folds.len(), checked.models)?;
        if let Some(forecaster) = &checked.forecaster {
            describe_forecaster(&mut text, forecaster)?;
        }
        writeln!(text, "fold    train  valid   test  purged  test span")?;
    }
    for fold in &checked.folds {
        writeln!(
            text,
            "{:>4} {:>8} {:>6} {:>6} {:>7}  {} to {}",
            fold.fold,
            fold.train_samples,
            fold.valid_samples,
            fold.test_samples,
            fold.purged,
            fold.test_first,
            fold.test_last
        )?;
    }
    for warning in &checked.warnings {
        writeln!(text, "\nwarning: {warning}")?;
    }
    for hint in &checked.hints {
        writeln!(text, "\nhint: {hint}")?;
    }
    Ok(text)
}

fn describe_forecaster(text: &mut String, forecaster: &CheckedForecaster) -> std::fmt::Result {
    let bars: Vec<String> = forecaster.horizon_bars.iter().map(u32::to_string).collect();
    let plural = if bars == ["1"] { "bar" } else { "bars" };
    writeln!(text, "forecaster  {}", forecaster.name)?;
    writeln!(text, "target      {}, {} {plural} ahead", forecaster.target, bars.join(", "))?;
    writeln!(text, "scheme      {}", forecaster.scheme)?;
    if let Some(count) = forecaster.parameters {
        writeln!(text, "parameters  {count} per member")?;
    }
    if let (Some(hidden), Some(advice)) = (forecaster.hidden_size, &forecaster.hidden_size_advice) {
        writeln!(text, "hidden size {hidden}; {advice}")?;
    }
    writeln!(text)
}
