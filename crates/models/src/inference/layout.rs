//! The weights of a network by name and shape, in the order in which they are stored.

use tidegate_recurrence::StackShape;

use super::head;
use crate::parameter_shape::ParameterShape;
use crate::spec::{Encoder, NetworkSpec};

/// Returns names and shapes of all weights.
pub(super) fn shapes(spec: &NetworkSpec) -> Vec<ParameterShape> {
    let (kind, gates) = match spec.encoder {
        Encoder::Lstm(_) => ("lstm", 4),
        _ => ("gru", 3),
    };
    let stacks = stacks(spec);
    let hidden = stacks[0].hidden;
    let mut shapes = Vec::new();
    for (scale, stack) in stacks.iter().enumerate() {
        let module = if is_fused(spec) { format!("{kind}.{scale}") } else { kind.to_owned() };
        for layer in 0..stack.layers {
            let inputs = if layer == 0 { stack.inputs } else { hidden };
            shapes.push(ParameterShape::new(format!("{module}.weight_ih_l{layer}"), &[gates * hidden, inputs]));
            shapes.push(ParameterShape::new(format!("{module}.weight_hh_l{layer}"), &[gates * hidden, hidden]));
            shapes.push(ParameterShape::new(format!("{module}.bias_ih_l{layer}"), &[gates * hidden]));
            shapes.push(ParameterShape::new(format!("{module}.bias_hh_l{layer}"), &[gates * hidden]));
        }
    }
    if is_fused(spec) {
        shapes.extend(linear("fusion", hidden, stacks.len() * hidden));
    }
    let mut width = hidden;
    if let Some(size) = spec.symbol_embedding {
        shapes.push(ParameterShape::new("embedding.weight".to_owned(), &[spec.symbols, size]));
        width += size;
    }
    if let Some(size) = spec.head_hidden_size {
        shapes.extend(linear("head_hidden", size, width));
        width = size;
    }
    shapes.extend(linear("head", head::outputs(&spec.head) * spec.horizons, width));
    shapes
}

fn linear(name: &str, outputs: usize, inputs: usize) -> [ParameterShape; 2] {
    let weight = ParameterShape::new(format!("{name}.weight"), &[outputs, inputs]);
    [weight, ParameterShape::new(format!("{name}.bias"), &[outputs])]
}

/// Returns the sizes of the recurrent layers, one stack per scale, of a network that plain Rust runs.
pub(super) fn stacks(spec: &NetworkSpec) -> Vec<StackShape> {
    let (hidden, layers) = match &spec.encoder {
        Encoder::Lstm(lstm) => (lstm.hidden_size, lstm.layers),
        encoder => {
            let gru = encoder.gru().expect("plain Rust runs stacks of GRU and LSTM layers");
            (gru.hidden_size, gru.layers)
        }
    };
    spec.feature_counts.iter().map(|&inputs| StackShape { inputs, hidden, layers }).collect()
}

/// Returns whether a linear layer and a ReLU join the scales.
pub(super) const fn is_fused(spec: &NetworkSpec) -> bool {
    matches!(spec.encoder, Encoder::MultiScaleGru(_))
}

#[cfg(all(test, feature = "libtorch"))]
mod tests {
    use super::*;
    use crate::inference::tests::every_kind;
    use crate::network::Network;

    #[test]
    fn names_and_shapes_are_those_that_libtorch_trains() {
        for spec in every_kind() {
            assert_eq!(shapes(&spec), Network::build(&spec, 0, tch::Device::Cpu).1.shapes());
        }
    }
}
