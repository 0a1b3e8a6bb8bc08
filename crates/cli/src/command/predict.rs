//! `tidegate predict`: recurrent layers of any program on windows of any program, without libtorch.

use std::path::Path;

use anyhow::Context;
use serde_json::json;
use tidegate_models::{CellKind, StackSizes, predict_stack, read_stack, tensor_shapes};

use crate::model_arguments::PredictArguments;
use crate::printer::Printer;

pub(crate) fn execute(arguments: &PredictArguments, printer: Printer) -> anyhow::Result<()> {
    let PredictArguments { weights, input, output, prefix } = arguments;
    let in_file = |path: &Path| format!("in `{}`", path.display());
    let stack = read_stack(&read(weights)?, prefix.as_deref()).with_context(|| in_file(weights))?;
    let result = predict_stack(&stack, &read(input)?).with_context(|| in_file(input))?;
    tidegate_data::write_atomically(output, &result)?;
    let StackSizes { inputs, hidden, layers, bidirectional, .. } = stack.sizes();
    let kind = match stack.sizes().kind {
        CellKind::Gru => "gru",
        CellKind::Lstm => "lstm",
    };
    let shapes = tensor_shapes(&result)?;
    if printer.json() {
        let document = json!({
            "output": output,
            "kind": kind,
            "inputs": inputs,
            "hidden_size": hidden,
            "layers": layers,
            "bidirectional": bidirectional,
            "tensors": shapes,
        });
        printer.result(&serde_json::to_string_pretty(&document)?);
        return Ok(());
    }
    let directions = if bidirectional { "both directions" } else { "one direction" };
    printer.result(&format!("{kind}: {layers} layers of {hidden}, {inputs} inputs, {directions}"));
    let tensors: Vec<String> = shapes.iter().map(|(name, shape)| format!("{name} {shape:?}")).collect();
    printer.result(&format!("{} in {}", tensors.join(", "), output.display()));
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))
}
