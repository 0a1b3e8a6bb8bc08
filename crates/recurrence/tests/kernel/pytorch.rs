//! States against those of PyTorch to 1e-6, in both directions and from initial states.
//!
//! Reference values from `tests/vectors/nn`; its README says how they were made.

use std::collections::BTreeMap;

use tidegate_recurrence::{
    Batch, Direction, LstmWeights, QuantizedWeights, Recurrent, StackShape, States, Stream, Weights, all_states,
};

/// Shape and values by name.
type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Reads a file of tensors in single precision: eight bytes for the length of a JSON header, the header, the numbers.
fn read(file: &str) -> Tensors {
    let path = format!("{}/../../tests/vectors/nn/{file}.safetensors", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).expect("the reference file is in the repository");
    let (len, rest) = bytes.split_first_chunk::<8>().expect("the reference file is whole");
    let (header, numbers) = rest.split_at(u64::from_le_bytes(*len) as usize);
    let header: serde_json::Value = serde_json::from_slice(header).expect("the header is JSON");
    let integers = |value: &serde_json::Value| -> Vec<usize> {
        let values = value.as_array().into_iter().flatten();
        values.map(|value| value.as_u64().expect("sizes are whole") as usize).collect()
    };
    let entries = header.as_object().into_iter().flatten().filter(|(name, _)| *name != "__metadata__");
    entries
        .map(|(name, entry)| {
            let offsets = integers(&entry["data_offsets"]);
            let bytes = numbers[offsets[0]..offsets[1]].as_chunks().0;
            (name.clone(), (integers(&entry["shape"]), bytes.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()))
        })
        .collect()
}

/// Returns the four weights of a layer and direction.
fn layer(tensors: &Tensors, layer: usize, suffix: &str) -> Vec<f32> {
    let names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"];
    names.iter().flat_map(|name| tensors[&format!("w.{name}_l{layer}{suffix}")].1.clone()).collect()
}

/// Returns the batch and its shape.
fn batch(tensors: &Tensors, layers: usize) -> (Batch<'_>, StackShape) {
    let (sizes, input) = &tensors["input"];
    let hidden = tensors["w.weight_hh_l0"].0[1];
    let initial = |name| tensors.get(name).map(|(_, values)| values.as_slice());
    let batch =
        Batch { initial_states: initial("h0"), initial_cells: initial("c0"), ..Batch::new(input, sizes[0], sizes[1]) };
    (batch, StackShape { inputs: sizes[2], hidden, layers })
}

fn near(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
    }
}

fn check(tensors: &Tensors, states: &States) {
    near(&states.all, &tensors["output"].1);
    near(&states.last, &tensors["h_n"].1);
    if let Some((_, cells)) = tensors.get("c_n") {
        near(&states.last_cells, cells);
    }
}

#[test]
fn gru_stacks_equal_pytorch() {
    for (file, layers) in [("gru_l1", 1), ("gru_l2", 2), ("gru_l2_h0_clip", 2)] {
        let tensors = read(file);
        let (batch, shape) = batch(&tensors, layers);
        let weights: Vec<f32> = (0..layers).flat_map(|index| layer(&tensors, index, "")).collect();
        check(&tensors, &all_states(&Weights::new(shape, &weights), &batch));
    }
}

#[test]
fn lstm_stacks_equal_pytorch() {
    for (file, layers) in [("lstm_l1", 1), ("lstm_l2", 2), ("lstm_l2_h0_clip", 2)] {
        let tensors = read(file);
        let (batch, shape) = batch(&tensors, layers);
        let weights: Vec<f32> = (0..layers).flat_map(|index| layer(&tensors, index, "")).collect();
        check(&tensors, &all_states(&LstmWeights::new(shape, &weights), &batch));
    }
}

/// Runs a stack of two layers in both directions, a layer at a time, as libtorch joins them: the next layer reads forward and
/// backward states side by side, and the last states come layer by layer, forward first.
fn bidirectional<W: Recurrent>(tensors: &Tensors, weights: impl Fn(StackShape, &[f32]) -> W) -> States {
    let (batch, mut shape) = batch(tensors, 1);
    let mut joined = States { all: batch.windows.to_vec(), last: Vec::new(), last_cells: Vec::new() };
    for index in 0..2 {
        let both = [("", Direction::Forward), ("_reverse", Direction::Backward)].map(|(suffix, direction)| {
            let weights = weights(shape, &layer(tensors, index, suffix));
            all_states(&weights, &Batch { windows: &joined.all, direction, ..batch })
        });
        let rows = both[0].all.chunks(shape.hidden).zip(both[1].all.chunks(shape.hidden));
        joined.all = rows.flat_map(|(forward, backward)| [forward, backward].concat()).collect();
        for states in both {
            joined.last.extend(states.last);
            joined.last_cells.extend(states.last_cells);
        }
        shape.inputs = 2 * shape.hidden;
    }
    joined
}

#[test]
fn bidirectional_stacks_equal_pytorch() {
    let tensors = read("gru_l2_bi");
    check(&tensors, &bidirectional(&tensors, Weights::new));
    let tensors = read("lstm_l2_bi");
    check(&tensors, &bidirectional(&tensors, LstmWeights::new));
}

#[test]
fn a_stream_equals_pytorch() {
    let tensors = read("gru_l2");
    let (batch, shape) = batch(&tensors, 2);
    let weights: Vec<f32> = (0..2).flat_map(|index| layer(&tensors, index, "")).collect();
    let weights = Weights::new(shape, &weights);
    let mut stream = Stream::new(&weights);
    let mut states = Vec::new();
    for window in batch.windows.chunks(batch.steps * shape.inputs) {
        stream.reset();
        for features in window.chunks(shape.inputs) {
            states.extend_from_slice(stream.step(&weights, features));
        }
    }
    near(&states, &tensors["output"].1);
}

#[test]
fn eight_bit_weights_stay_within_a_hundredth_of_pytorch() {
    for file in ["gru_l1", "gru_l2", "gru_l2_h0_clip"] {
        let tensors = read(file);
        let layers = tensors["h_n"].0[0];
        let (batch, shape) = batch(&tensors, layers);
        let weights: Vec<f32> = (0..layers).flat_map(|index| layer(&tensors, index, "")).collect();
        let found = all_states(&QuantizedWeights::from_f32(shape, &weights), &batch).all;
        let worst = found.iter().zip(&tensors["output"].1).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-2, "{file}: {worst}");
    }
}
