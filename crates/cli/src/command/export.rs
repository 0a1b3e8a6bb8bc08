//! `tidegate export`: a trained network into a file that other programs run.

use anyhow::bail;
use serde_json::json;
use tidegate_experiment::{ExportFormat, ExportRequest, export};
use tidegate_models::Opset;

use crate::model_arguments::{ExportArguments, FormatArgument};
use crate::printer::Printer;

pub(crate) fn execute(arguments: &ExportArguments, printer: Printer) -> anyhow::Result<()> {
    let request = ExportRequest {
        model: arguments.model.request(),
        prefix: arguments.prefix.clone(),
        format: format(arguments)?,
        out: arguments.out.clone(),
    };
    let outcome = export(&request)?;
    if printer.json() {
        let document = json!({
            "source": outcome.source,
            "fold": outcome.fold,
            "files": outcome.files,
            "recurrent_weights": outcome.recurrent_weights,
            "has_head": outcome.has_head,
        });
        printer.result(&serde_json::to_string_pretty(&document)?);
        return Ok(());
    }
    let what = if outcome.has_head { "a network with its head" } else { "recurrent layers" };
    let (path, bytes, weights) = (outcome.source.path.display(), outcome.source.bytes, outcome.recurrent_weights);
    printer.result(&format!("read   {bytes:>10} bytes  {path}: {what}, {weights} recurrent weights"));
    for file in &outcome.files {
        printer.result(&format!("wrote  {:>10} bytes  {}", file.bytes, file.path.display()));
    }
    Ok(())
}

fn format(arguments: &ExportArguments) -> anyhow::Result<ExportFormat> {
    let &ExportArguments { format, opset, split, .. } = arguments;
    if format == FormatArgument::Onnx {
        let opset = opset.map_or_else(|| Ok(Opset::default()), Opset::new)?;
        return Ok(ExportFormat::Onnx { opset, split });
    }
    let misplaced = [(opset.is_some(), "--opset"), (split, "--split")].into_iter().find(|(given, _)| *given);
    if let Some((_, option)) = misplaced {
        bail!("`{option}` belongs to `--format onnx`\nhint: leave it out, or export with `--format onnx`");
    }
    Ok(match format {
        FormatArgument::TorchScript => ExportFormat::TorchScript,
        FormatArgument::Onnx | FormatArgument::Safetensors => ExportFormat::Safetensors,
    })
}
