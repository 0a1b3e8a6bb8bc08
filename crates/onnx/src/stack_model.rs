//! A stack of recurrent layers as a model of its own, with PyTorch's inputs and outputs.

use crate::Opset;
use crate::graph::{Dimension, GraphBuilder};
use crate::metadata::Metadata;
use crate::recurrent::{InitialValues, append_stack};
use crate::stack::{CellKind, RecurrentStack};

/// Where a stack's states start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitialState {
    /// From zero; the model has no input for it.
    Zero,
    /// From the inputs `h0` and, for an LSTM, `c0`, which a run may leave out: then from zero.
    ///
    /// An input with a default is a constant that a run may replace. ONNX Runtime reads it so; tract keeps the constant.
    Optional,
    /// From the inputs `h0` and, for an LSTM, `c0`, which every run gives.
    Required,
}

/// Writes a stack as a model.
///
/// Inputs: `input [B, T, I]`, and `h0`, `c0` `[L D, B, H]` as `initial` has it. Outputs: `output [B, T, D H]`, the top layer's
/// states; `h_n` and, for an LSTM, `c_n` `[L D, B, H]`. Batch and time are free.
pub fn stack_model(stack: &RecurrentStack, initial: InitialState, opset: Opset, metadata: &Metadata) -> Vec<u8> {
    let sizes = stack.sizes();
    let mut graph = GraphBuilder::new("recurrent_stack", opset);
    let shape = [Dimension::any("batch"), Dimension::any("time"), Dimension::Size(sizes.inputs)];
    let input = graph.input("input", &shape);
    let by_time = graph.transpose(&input, &[1, 0, 2], "input_by_time");
    let initial = append_initial(&mut graph, stack, initial, &input);
    let values = append_stack(&mut graph, stack, "", &by_time, initial.as_ref());
    graph.transpose(&values.sequence, &[1, 0, 2], "output");
    graph.output("output", &[Dimension::any("batch"), Dimension::any("time"), Dimension::Size(sizes.outputs())]);
    for (name, last) in [("h_n", &values.last_states), ("c_n", &values.last_cells)] {
        if !last.is_empty() {
            graph.concat(&last.iter().map(String::as_str).collect::<Vec<_>>(), 0, name);
            graph.output(name, &state_shape(stack));
        }
    }
    graph.into_bytes(metadata)
}

fn state_shape(stack: &RecurrentStack) -> [Dimension; 3] {
    let sizes = stack.sizes();
    let states = Dimension::Size(sizes.layers * sizes.directions());
    [states, Dimension::any("batch"), Dimension::Size(sizes.hidden)]
}

fn append_initial(
    graph: &mut GraphBuilder,
    stack: &RecurrentStack,
    initial: InitialState,
    input: &str,
) -> Option<InitialValues> {
    let sizes = stack.sizes();
    let mut append = |name: &str| match initial {
        InitialState::Zero => None,
        InitialState::Required => Some(graph.input(name, &state_shape(stack))),
        InitialState::Optional => {
            let states = sizes.layers * sizes.directions();
            // The default has a batch of 1, which is repeated for each sample.
            let shape =
                [Dimension::Size(states), Dimension::Any(format!("{name}_batch")), Dimension::Size(sizes.hidden)];
            graph.input(name, &shape);
            graph.floats(name, &[states, 1, sizes.hidden], &vec![0.0; states * sizes.hidden]);
            let shape = graph.node("Shape", &[input], &format!("{name}_input_shape"));
            let batch = graph.slice(&shape, 0, 0..1, &format!("{name}_size"));
            let (states, hidden) = (graph.integers(&[states as i64]), graph.integers(&[sizes.hidden as i64]));
            let shape = graph.concat(&[&states, &batch, &hidden], 0, &format!("{name}_shape"));
            Some(graph.node("Expand", &[name, &shape], &format!("{name}_of_batch")))
        }
    };
    let states = append("h0")?;
    let cells = if sizes.kind == CellKind::Lstm { append("c0") } else { None };
    Some(InitialValues { states, cells })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::tests::stack;
    use crate::summary::ModelSummary;

    fn summary(kind: CellKind, bidirectional: bool, initial: InitialState) -> ModelSummary {
        let model = stack_model(&stack(kind, bidirectional), initial, Opset::default(), &Metadata::default());
        ModelSummary::read(&model).expect("as written")
    }

    fn names(ports: &[crate::Port]) -> Vec<&str> {
        ports.iter().map(|port| port.name.as_str()).collect()
    }

    #[test]
    fn inputs_and_outputs_are_pytorchs() {
        let gru = summary(CellKind::Gru, false, InitialState::Required);
        assert_eq!((names(&gru.inputs), names(&gru.outputs)), (vec!["input", "h0"], vec!["output", "h_n"]));
        let lstm = summary(CellKind::Lstm, true, InitialState::Required);
        assert_eq!(names(&lstm.inputs), ["input", "h0", "c0"]);
        assert_eq!(names(&lstm.outputs), ["output", "h_n", "c_n"]);
        let any = |name: &str| Dimension::Any(name.to_owned());
        assert_eq!(lstm.inputs[1].shape, [Dimension::Size(4), any("batch"), Dimension::Size(4)]);
        assert_eq!(lstm.outputs[0].shape, [any("batch"), any("time"), Dimension::Size(8)]);
        assert_eq!(names(&summary(CellKind::Lstm, false, InitialState::Zero).inputs), ["input"]);
    }

    #[test]
    fn every_weight_is_written_once() {
        for (kind, bidirectional) in [(CellKind::Gru, false), (CellKind::Lstm, true)] {
            let count = stack(kind, bidirectional).sizes().parameter_count();
            assert_eq!(summary(kind, bidirectional, InitialState::Zero).weights, count);
        }
        // The default of an optional state has a value per layer and hidden value.
        let count = stack(CellKind::Gru, false).sizes().parameter_count();
        assert_eq!(summary(CellKind::Gru, false, InitialState::Optional).weights, count + 2 * 4);
    }

    #[test]
    fn the_same_stack_gives_the_same_bytes() {
        let write = || {
            let metadata = Metadata::default().with("b", "2").with("a", "1");
            stack_model(&stack(CellKind::Gru, true), InitialState::Optional, Opset::default(), &metadata)
        };
        assert_eq!(write(), write());
    }
}
