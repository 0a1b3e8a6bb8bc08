//! What goes, what stays, and what a network says afterwards.

use super::*;
use crate::fixture::{forecasts, fresh_checkpoint, gaussian, learnable, lstm, point, task, training};
use crate::spec::{GruSpec, Head, LinearSpec, Loss, LstmSpec};

/// Two GRUs in both directions with attention each, fused.
fn fused_attention() -> NetworkSpec {
    let gru = GruSpec { bidirectional: true, pooling: Pooling::Attention, layer_norm: true, ..GruSpec::new(6, 2) };
    let head = Head::Gaussian { variance_floor: 1e-4 };
    NetworkSpec::new(Encoder::MultiScaleGru(gru), head, Loss::GaussianNll, vec![3, 2])
}

/// Makes one value of every group dead: nothing makes it or reads it. Which one differs from group to group.
fn with_dead_values(checkpoint: &[u8]) -> Vec<u8> {
    let mut parts = CheckpointParts::read(checkpoint).expect("a checkpoint");
    let sizes = RecurrentSizes::of(&parts.network).expect("recurrent layers");
    for (place, group) in sizes.groups(&parts.network).iter().enumerate() {
        for slice in &group.slices {
            let tensor = parts.tensors.get_mut(&slice.tensor).expect("a weight of the network");
            let (stride, size) = tensor.stride(slice.axis);
            let dead = slice.offset + place % sizes.hidden;
            let own = tensor.values.iter_mut().enumerate().filter(|(index, _)| index / stride % size == dead);
            own.for_each(|(_, value)| *value = 0.0);
        }
    }
    parts.write().expect("plain names")
}

#[test]
fn dead_values_go_first_and_nothing_else_changes() {
    for (spec, scales) in [(point(), 1), (gaussian(), 2), (lstm(), 1), (fused_attention(), 2)] {
        let hidden = RecurrentSizes::of(&spec).expect("recurrent layers").hidden;
        // Layer normalisation makes a dead value live again: it stands for the mean of its gate.
        let spec = match spec.encoder.clone() {
            Encoder::MultiScaleGru(gru) => {
                NetworkSpec { encoder: Encoder::MultiScaleGru(GruSpec { layer_norm: false, ..gru }), ..spec }
            }
            _ => spec,
        };
        let checkpoint = with_dead_values(&fresh_checkpoint(&spec, 3));
        let pruned = prune(&checkpoint, hidden - 1).expect("one less");
        let mut windows = learnable(30, scales, 1);
        windows.horizons = spec.horizons;
        windows.target = vec![Some(0.0); 30 * spec.horizons];
        for (before, after) in forecasts(&checkpoint, &windows).iter().zip(forecasts(&pruned, &windows)) {
            assert!((before.mean - after.mean).abs() < 1e-8, "{spec:?}: {} {}", before.mean, after.mean);
            let [before, after] = [before.variance, after.variance].map(|variance| variance.unwrap_or(1.0));
            assert!((before / after - 1.0).abs() < 1e-5, "{spec:?}: {before} {after}");
        }
    }
}

#[test]
fn every_matrix_becomes_smaller() {
    let checkpoint = fresh_checkpoint(&fused_attention(), 3);
    let parts = CheckpointParts::read(&prune(&checkpoint, 4).expect("two less")).expect("a checkpoint");
    let shape = |name: &str| parts.tensors[name].shape.clone();
    assert_eq!(shape("gru.0.weight_ih_l0"), [12, 3]);
    assert_eq!(shape("gru.1.weight_ih_l1_reverse"), [12, 8]);
    assert_eq!(shape("gru.1.weight_hh_l1_reverse"), [12, 4]);
    assert_eq!(shape("gru.0.norm_hh_l0"), [12]);
    assert_eq!(shape("attention.0.weight"), [8, 8]);
    assert_eq!(shape("attention.1.score"), [1, 8]);
    assert_eq!(shape("fusion.weight"), [4, 16]);
    assert_eq!(shape("head.weight"), [2, 4]);
    let weights: usize = parts.tensors.values().map(|tensor| tensor.values.len()).sum();
    assert_eq!(parts.report.parameters, weights);
    assert!(prune(&checkpoint, 4).expect("two less").len() < checkpoint.len());
}

#[test]
fn an_embeddings_columns_stay() {
    let checkpoint = fresh_checkpoint(&lstm(), 3);
    let parts = CheckpointParts::read(&prune(&checkpoint, 2).expect("three less")).expect("a checkpoint");
    let before = CheckpointParts::read(&checkpoint).expect("a checkpoint");
    assert_eq!(parts.tensors["head_hidden.weight"].shape, [7, 2 * 2 + 3]);
    assert_eq!(parts.tensors["embedding.weight"], before.tensors["embedding.weight"]);
    let last = |parts: &CheckpointParts| {
        let weight = &parts.tensors["head_hidden.weight"];
        weight.values.chunks(weight.shape[1]).flat_map(|row| row[row.len() - 3..].to_vec()).collect::<Vec<_>>()
    };
    assert_eq!(last(&parts), last(&before));
}

#[test]
fn training_on_repairs_what_pruning_broke() {
    let (train, valid) = (learnable(300, 1, 1), learnable(100, 1, 2));
    let task = task(&train, &valid, 7);
    let forecaster = crate::NeuralForecaster::new(point(), training(25), Device::Cpu).expect("valid specifications");
    let whole = tidegate_forecast::Forecaster::fit(&forecaster, &task).expect("a sane task");
    let pruned = prune(&whole.checkpoint().expect("bytes"), 3).expect("nine less");
    let tuned = fine_tune(&pruned, &training(15), Device::Cpu, &task).expect("a sane task");
    let tuned = tuned.checkpoint().expect("bytes");
    let loss =
        |checkpoint: &[u8]| crate::compress::footprint(checkpoint, &valid, &mut || 0.0).expect("labels").valid_loss;
    let (broken, repaired) = (loss(&pruned), loss(&tuned));
    assert!(repaired < 0.5 * broken, "{repaired} of {broken}");
    let [pruned, tuned] = [pruned, tuned].map(|bytes| CheckpointParts::read(&bytes).expect("a checkpoint"));
    assert_eq!((pruned.network, pruned.targets), (tuned.network, tuned.targets));
}

#[test]
fn sizes_that_cannot_be_are_refused() {
    for size in [0, 13] {
        let message = prune(&fresh_checkpoint(&point(), 3), size).expect_err("not 1 to 12").to_string();
        let expected = "hidden_size after pruning must be at least 1 and at most the network's own, was `";
        assert_eq!(message, format!("{expected}{size}`"));
    }
}

#[test]
fn encoders_without_recurrent_layers_of_one_size_are_refused() {
    let linear = NetworkSpec {
        window_bars: vec![6],
        ..NetworkSpec::new(Encoder::Linear(LinearSpec {}), Head::Point, Loss::Mse, vec![3])
    };
    let message = prune(&fresh_checkpoint(&linear, 3), 1).expect_err("no recurrent layer").to_string();
    assert_eq!(message, "encoder `linear` cannot be pruned\nhint: use encoder `gru`, `multi_scale_gru` or `lstm`");
}

#[test]
fn an_lstm_has_four_gates_to_prune() {
    let spec = NetworkSpec::new(Encoder::Lstm(LstmSpec::new(4, 1)), Head::Point, Loss::Mse, vec![3]);
    let parts = CheckpointParts::read(&prune(&fresh_checkpoint(&spec, 3), 3).expect("one less")).expect("a checkpoint");
    assert_eq!(parts.tensors["lstm.weight_hh_l0"].shape, [12, 3]);
}
