//! GRU and LSTM layers as ONNX nodes.
//!
//! Two orders differ between PyTorch and ONNX. Gates: GRU `r, z, n` there and `z, r, n` here, LSTM `i, f, g, o` there and
//! `i, o, f, g` here. Dimensions: `[B, T, F]` there and `[T, B, F]` here; the operator's own switch for the batch first is
//! read by few runtimes, so the graph transposes. The GRU's reset gate acts after the recurrent product, as in PyTorch:
//! `linear_before_reset = 1`.

use crate::graph::GraphBuilder;
use crate::proto::AttributeProto;
use crate::stack::{CellKind, RecurrentStack};

/// Names of the values that a stack computes.
pub(crate) struct StackValues {
    /// The top layer's states at every step, `[T, B, D H]`.
    pub(crate) sequence: String,
    /// Every layer's states after its last step, `[D, B, H]` each.
    pub(crate) last_states: Vec<String>,
    /// Every layer's cell values after its last step, likewise; empty for a GRU.
    pub(crate) last_cells: Vec<String>,
}

/// Names of the values that a stack starts from, `[L D, B, H]` each.
pub(crate) struct InitialValues {
    pub(crate) states: String,
    /// Cell values of an LSTM; absent for a GRU.
    pub(crate) cells: Option<String>,
}

/// Appends a stack that reads `[T, B, I]`. Names of everything it adds start with `prefix`.
pub(crate) fn append_stack(
    graph: &mut GraphBuilder,
    stack: &RecurrentStack,
    prefix: &str,
    input: &str,
    initial: Option<&InitialValues>,
) -> StackValues {
    let sizes = stack.sizes();
    let directions = sizes.directions() as i64;
    let mut values = StackValues { sequence: input.to_owned(), last_states: vec![], last_cells: vec![] };
    let zeros = if initial.is_none() { append_zeros(graph, stack, prefix, input) } else { String::new() };
    for layer in 0..sizes.layers {
        let name = |what: &str| format!("{prefix}{what}_l{layer}");
        let places = layer as i64 * directions..(layer as i64 + 1) * directions;
        let mut initial_of = |value: Option<&String>, what: &str| {
            value.map_or_else(|| zeros.clone(), |value| graph.slice(value, 0, places.clone(), &name(what)))
        };
        let initial_states = initial_of(initial.map(|initial| &initial.states), "initial_states");
        let initial_cells = initial_of(initial.and_then(|initial| initial.cells.as_ref()), "initial_cells");
        let [weight_ih, weight_hh, biases] = append_weights(graph, stack, layer, prefix);
        let (states, last) = (name("states"), name("last_states"));
        // The empty name leaves out the lengths of the sequences: all have as many steps as the input.
        let mut inputs = vec![values.sequence.as_str(), &weight_ih, &weight_hh, &biases, "", &initial_states];
        let direction = if sizes.bidirectional { "bidirectional" } else { "forward" };
        let mut attributes = vec![
            AttributeProto::int("hidden_size", sizes.hidden as i64),
            AttributeProto::string("direction", direction),
        ];
        match sizes.kind {
            CellKind::Gru => {
                attributes.push(AttributeProto::int("linear_before_reset", 1));
                graph.node_with("GRU", without_end(&inputs), &[&states, &last], attributes);
            }
            CellKind::Lstm => {
                inputs.push(&initial_cells);
                let cells = name("last_cells");
                graph.node_with("LSTM", without_end(&inputs), &[&states, &last, &cells], attributes);
                values.last_cells.push(cells);
            }
        }
        values.sequence = join_directions(graph, &states, sizes.bidirectional, &name("joined"));
        values.last_states.push(last);
    }
    values
}

/// Appends a layer's states of zeros, `[D, B, H]`.
///
/// An operator without initial states starts from zero too, but tract reads that for a fixed number of windows only.
fn append_zeros(graph: &mut GraphBuilder, stack: &RecurrentStack, prefix: &str, input: &str) -> String {
    let sizes = stack.sizes();
    let shape = graph.node("Shape", &[input], &format!("{prefix}input_shape"));
    let batch = graph.slice(&shape, 0, 1..2, &format!("{prefix}batch"));
    let directions = graph.integers(&[sizes.directions() as i64]);
    let hidden = graph.integers(&[sizes.hidden as i64]);
    let shape = graph.concat(&[&directions, &batch, &hidden], 0, &format!("{prefix}state_shape"));
    graph.zeros(&shape, &format!("{prefix}zeros"))
}

/// Drops the left-out inputs at the end, which need no names.
fn without_end<'a, 'b>(inputs: &'a [&'b str]) -> &'a [&'b str] {
    let given = inputs.iter().rposition(|name| !name.is_empty()).expect("the sequence has a name");
    &inputs[..=given]
}

/// Turns a layer's `[T, D, B, H]` into `[T, B, D H]`.
fn join_directions(graph: &mut GraphBuilder, states: &str, bidirectional: bool, name: &str) -> String {
    if !bidirectional {
        return graph.squeeze(states, 1, name);
    }
    let side_by_side = graph.transpose(states, &[0, 2, 1, 3], &format!("{name}_directions"));
    // 0 keeps a dimension, -1 takes what is left.
    let shape = graph.integers(&[0, 0, -1]);
    graph.node("Reshape", &[&side_by_side, &shape], name)
}

/// Adds a layer's weights as the operator reads them: `[D, G H, I]`, `[D, G H, H]` and both biases in one `[D, 2 G H]`.
fn append_weights(graph: &mut GraphBuilder, stack: &RecurrentStack, layer: usize, prefix: &str) -> [String; 3] {
    let sizes = stack.sizes();
    let (inputs, hidden, directions) = (sizes.layer_inputs(layer), sizes.hidden, sizes.directions());
    let rows = sizes.kind.gates() * hidden;
    let (mut weight_ih, mut weight_hh, mut biases) = (vec![], vec![], vec![]);
    for direction in 0..directions {
        let own = stack.layer(layer, direction);
        weight_ih.extend(reorder(sizes.kind, &own.weight_ih, hidden * inputs));
        weight_hh.extend(reorder(sizes.kind, &own.weight_hh, hidden * hidden));
        biases.extend(reorder(sizes.kind, &own.bias_ih, hidden));
        biases.extend(reorder(sizes.kind, &own.bias_hh, hidden));
    }
    [
        graph.floats(&format!("{prefix}weight_ih_l{layer}"), &[directions, rows, inputs], &weight_ih),
        graph.floats(&format!("{prefix}weight_hh_l{layer}"), &[directions, rows, hidden], &weight_hh),
        graph.floats(&format!("{prefix}bias_l{layer}"), &[directions, 2 * rows], &biases),
    ]
}

/// Reorders gates of `size` values each from PyTorch's order to ONNX's.
fn reorder(kind: CellKind, values: &[f32], size: usize) -> impl Iterator<Item = f32> {
    let order: &[usize] = match kind {
        CellKind::Gru => &[1, 0, 2],
        CellKind::Lstm => &[0, 3, 1, 2],
    };
    order.iter().flat_map(move |gate| values[gate * size..][..size].iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grus_update_gate_comes_first() {
        // Reset 1, update 2, new 3.
        let values = [1.0, 1.5, 2.0, 2.5, 3.0, 3.5];
        assert_eq!(reorder(CellKind::Gru, &values, 2).collect::<Vec<_>>(), [2.0, 2.5, 1.0, 1.5, 3.0, 3.5]);
    }

    #[test]
    fn an_lstms_output_gate_comes_second() {
        // Input 1, forget 2, cell 3, output 4.
        let values = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(reorder(CellKind::Lstm, &values, 1).collect::<Vec<_>>(), [1.0, 4.0, 2.0, 3.0]);
    }

    #[test]
    fn inputs_that_are_left_out_at_the_end_have_no_names() {
        assert_eq!(without_end(&["x", "w", "r", "b", "", ""]), ["x", "w", "r", "b"]);
        assert_eq!(without_end(&["x", "w", "r", "b", "", "h"]), ["x", "w", "r", "b", "", "h"]);
    }
}
