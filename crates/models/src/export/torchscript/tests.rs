//! Written, read back, and run on other sizes than those that were recorded.

use super::*;
use crate::export::export_checkpoint;
use crate::fixture::{forecasts, fresh_checkpoint, gaussian, learnable, lstm, point};
use crate::parameters::to_vec;
use crate::spec::NetworkSpec;

/// Writes a network, reads it back, and returns what it says about the windows, `[B, K, P]`.
fn run_exported(checkpoint: &[u8], spec: &NetworkSpec, count: usize) -> Vec<f32> {
    let graph = export_checkpoint(checkpoint).expect("recurrent layers").graph;
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("network.pt");
    network_torchscript(&graph, &path).expect("libtorch records it");
    let module = CModule::load(&path).expect("as written");
    let windows = learnable(count, spec.feature_counts.len(), 1);
    let mut inputs: Vec<Tensor> =
        windows.scales.iter().map(|block| tensor(&block.values, &[count, block.steps, block.features])).collect();
    for scale in graph.encoder().scales() {
        let sizes = scale.stack.sizes();
        let states = example(&[sizes.layers * sizes.directions(), count, sizes.hidden]);
        inputs.extend((0..if sizes.kind == CellKind::Lstm { 2 } else { 1 }).map(|_| states.shallow_clone()));
    }
    if spec.symbol_embedding.is_some() {
        inputs.push(Tensor::zeros([count as i64], (Kind::Int64, tch::Device::Cpu)));
    }
    to_vec(&module.forward_ts(&inputs).expect("the same inputs"))
}

#[test]
fn an_exported_network_says_what_the_network_says() {
    for (spec, count) in [(point(), 1), (gaussian(), 9), (lstm(), 5)] {
        let checkpoint = fresh_checkpoint(&spec, 3);
        let found = run_exported(&checkpoint, &spec, count);
        let mut windows = learnable(count, spec.feature_counts.len(), 1);
        windows.horizons = spec.horizons;
        let expected = forecasts(&checkpoint, &windows);
        let outputs = found.len() / expected.len();
        for (found, expected) in found.chunks(outputs).zip(&expected) {
            // The targets' deviation is 0.01.
            assert!((f64::from(found[0]) - expected.mean).abs() < 1e-7, "{spec:?}");
            if let Some(variance) = expected.variance {
                assert!((f64::from(found[1]) / variance - 1.0).abs() < 1e-5, "{spec:?}");
            }
        }
    }
}

#[test]
fn a_stack_starts_where_it_is_told() {
    let bytes =
        std::fs::read(format!("{}/../../tests/vectors/nn/lstm_l2_h0_clip.safetensors", env!("CARGO_MANIFEST_DIR")))
            .expect("the reference file is in the repository");
    let stack = crate::read_stack(&bytes, None).expect("a whole network");
    let file = safetensors::SafeTensors::deserialize(&bytes).expect("a whole file");
    let read = |name: &str| {
        let view = file.tensor(name).expect("a tensor of the file");
        tensor(&crate::state_dict::floats(name, &view).expect("floats"), view.shape())
    };
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("stack.pt");
    stack_torchscript(&stack, &path).expect("libtorch records it");
    let inputs = ["input", "h0", "c0"].map(read);
    let found = CModule::load(&path).expect("as written").forward_ts(&inputs).expect("the same inputs");
    let [output, states, cells] = ["output", "h_n", "c_n"].map(read);
    let by_sample =
        [output.flatten(1, -1), states.transpose(0, 1).flatten(1, -1), cells.transpose(0, 1).flatten(1, -1)];
    let expected = Tensor::cat(&by_sample, 1);
    assert_eq!(found.size(), expected.size());
    let difference = (found - expected).abs().max().double_value(&[]);
    assert!(difference < 1e-6, "{difference}");
}

#[test]
fn a_folder_that_does_not_exist_is_an_error() {
    let graph = export_checkpoint(&fresh_checkpoint(&point(), 3)).expect("recurrent layers").graph;
    let error = network_torchscript(&graph, Path::new("/nowhere/network.pt")).expect_err("no such folder");
    assert!(error.to_string().starts_with("file cannot be written: "), "{error}");
}
