//! `tidegate compress`: a smaller network, and what it costs.

use serde_json::json;
use tidegate_experiment::{CompressOutcome, CompressRequest, Compression, compress};

use crate::model_arguments::CompressArguments;
use crate::printer::Printer;
use crate::progress::TerminalProgress;
use crate::stopwatch;

pub(crate) fn execute(arguments: &CompressArguments, printer: Printer) -> anyhow::Result<()> {
    let request = CompressRequest {
        model: arguments.model.request(),
        strategy: arguments.strategy.clone(),
        compression: compression(arguments),
        rounds: arguments.rounds.into(),
        out: arguments.out.clone(),
    };
    let outcome = compress(&request, &mut stopwatch::stopwatch(), &TerminalProgress::new(printer))?;
    if printer.json() {
        let document = json!({
            "out": outcome.out,
            "fold": outcome.fold,
            "valid_windows": outcome.valid_windows,
            "clock": stopwatch::NAME,
            "networks": outcome.networks,
            "gru_layers_windows_per_second": outcome.kernel.map(|[single, int8]| json!({ "single": single, "int8": int8 })),
        });
        printer.result(&serde_json::to_string_pretty(&document)?);
    } else {
        show(&outcome, printer);
    }
    Ok(())
}

fn compression(arguments: &CompressArguments) -> Compression {
    match (arguments.prune, arguments.distil) {
        (Some(fraction), _) => Compression::Prune(fraction),
        (None, Some(hidden_size)) => Compression::Distil { hidden_size, share: arguments.share },
        (None, None) => Compression::Int8,
    }
}

fn show(outcome: &CompressOutcome, printer: Printer) {
    let (fold, windows) = (outcome.fold, outcome.valid_windows);
    let width = outcome.networks.iter().map(|network| network.name.len()).max().unwrap_or(0);
    printer.result(&format!("{:width$}  {:>10}  {:>10}  {:>10}  {:>10}", "", "weights", "bytes", "loss", "windows/s"));
    for network in &outcome.networks {
        let [slow, fast] = network.windows_per_second_range;
        printer.result(&format!(
            "{:width$}  {:>10}  {:>10}  {:>10.5}  {:>10.0}  ({slow:.0} to {fast:.0})",
            network.name, network.parameters, network.bytes, network.valid_loss, network.windows_per_second
        ));
    }
    if let [before, .., after] = outcome.networks.as_slice() {
        let smaller = (1.0 - after.bytes as f64 / before.bytes as f64) * 100.0;
        let (faster, lost) =
            (after.windows_per_second / before.windows_per_second, after.valid_loss - before.valid_loss);
        printer.result(&format!("{smaller:.1} % smaller, {faster:.2} times as fast, loss {lost:+.5}"));
    }
    if let Some([single, int8]) = outcome.kernel {
        printer.result(&format!(
            "GRU layers alone, before: {single:.0} windows/s in single precision, {int8:.0} with weights of eight bits"
        ));
    }
    printer.note(&format!(
        "losses are those of the {windows} validation windows of fold {fold}, in standardized units; \
                          speeds are by {}",
        stopwatch::NAME
    ));
    printer.result(&format!("wrote {}", outcome.out.display()));
}
