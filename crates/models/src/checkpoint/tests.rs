//! What a checkpoint keeps and what it refuses.

use safetensors::Dtype;
use tidegate_forecast::{FittedForecaster, Windows};

use super::*;
use crate::Device;
use crate::fit::fit;
use crate::fitted::FittedNetwork;
use crate::fixture::{gaussian, learnable, task, training};
use crate::network::Network;
use crate::spec::Head;

fn fitted() -> (FittedNetwork, Windows) {
    let (train, valid) = (learnable(50, 2, 1), learnable(20, 2, 2));
    (fit(&gaussian(), &training(2), Device::Cpu, &task(&train, &valid, 7)).expect("a sane task"), valid)
}

fn shapes() -> Vec<ParameterShape> {
    Network::build(&gaussian(), 0, tch::Device::Cpu).1.shapes().to_vec()
}

fn refused(bytes: &[u8]) -> String {
    read(bytes, &gaussian(), shapes()).expect_err("the bytes are wrong").to_string()
}

/// Writes the file anew with its weights changed and its header kept.
fn with_weights(change: impl FnOnce(&mut Vec<(String, Dtype, Vec<usize>, Vec<u8>)>)) -> Vec<u8> {
    let bytes = fitted().0.checkpoint().expect("a network has bytes");
    let (_, metadata) = SafeTensors::read_metadata(&bytes).expect("whole");
    let file = SafeTensors::deserialize(&bytes).expect("whole");
    let mut weights: Vec<_> = file
        .tensors()
        .into_iter()
        .map(|(name, view)| (name, view.dtype(), view.shape().to_vec(), view.data().to_vec()))
        .collect();
    change(&mut weights);
    let views = weights.iter().map(|(name, dtype, shape, data)| {
        (name, safetensors::tensor::TensorView::new(*dtype, shape.clone(), data).expect("sizes fit"))
    });
    safetensors::serialize(views, metadata.metadata().clone()).expect("sizes fit")
}

#[test]
fn a_restored_network_forecasts_the_same_bits_and_has_the_same_bytes() {
    let (fitted, windows) = fitted();
    let bytes = fitted.checkpoint().expect("a network has bytes");
    let restored = FittedNetwork::restore(&bytes, &gaussian(), Device::Cpu).expect("whole");
    assert_eq!(restored.forecast(&windows), fitted.forecast(&windows));
    assert_eq!(restored.checkpoint(), Ok(bytes));
    assert_eq!(restored.report(), fitted.report());
}

#[test]
fn tensors_lie_in_the_file_in_the_order_of_their_names() {
    let bytes = fitted().0.checkpoint().expect("a network has bytes");
    let names = SafeTensors::read_metadata(&bytes).expect("whole").1.offset_keys();
    assert!(names.is_sorted() && names[0] == "fusion.bias" && names[2] == "gru.0.bias_hh_l0", "{names:?}");
}

#[test]
fn a_truncated_file_is_refused_at_any_length() {
    let bytes = fitted().0.checkpoint().expect("a network has bytes");
    for length in [0, 4, 100, bytes.len() / 2, bytes.len() - 1] {
        let message = refused(&bytes[..length]);
        assert!(message.starts_with("checkpoint cannot be read: it is not a whole safetensors file ("), "{message}");
    }
}

#[test]
fn no_changed_byte_goes_unseen() {
    let bytes = fitted().0.checkpoint().expect("a network has bytes");
    for place in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
        let mut damaged = bytes.clone();
        damaged[place] ^= 1;
        assert!(refused(&damaged).starts_with("checkpoint cannot be read: "), "byte {place}");
    }
    let mut damaged = bytes.clone();
    *damaged.last_mut().expect("not empty") ^= 1;
    assert!(refused(&damaged).contains("its content does not match its hash"));
}

#[test]
fn missing_extra_and_mistyped_tensors_are_named() {
    let missing = with_weights(|weights| weights.retain(|weight| weight.0 != "head.bias"));
    assert!(refused(&missing).contains("tensor `head.bias` is missing"));
    let extra = with_weights(|weights| weights.push(("head.w".to_owned(), Dtype::F32, vec![1], vec![0; 4])));
    assert!(refused(&extra).contains("tensor `head.w` does not belong to this network"));
    let mistyped = with_weights(|weights| {
        let weight = weights.iter_mut().find(|weight| weight.0 == "head.bias").expect("a head");
        (weight.1, weight.3) = (Dtype::F16, vec![0; 4]);
    });
    assert!(refused(&mistyped).contains("tensor `head.bias` must have type `F32`, has `F16`"));
    let reshaped = with_weights(|weights| {
        weights.iter_mut().find(|weight| weight.0 == "head.weight").expect("a head").2 = vec![8, 2];
    });
    assert!(refused(&reshaped).contains("tensor `head.weight` must have shape `[2, 8]`, has `[8, 2]`"));
}

#[test]
fn a_file_of_another_network_or_program_is_refused() {
    let bytes = fitted().0.checkpoint().expect("a network has bytes");
    let other = NetworkSpec { head: Head::Gaussian { variance_floor: 0.01 }, ..gaussian() };
    let message = read(&bytes, &other, shapes()).expect_err("another head").to_string();
    let expected =
        r#"head must be `{"gaussian":{"variance_floor":0.01}}`, was `{"gaussian":{"variance_floor":0.0001}}`"#;
    assert!(message.contains(expected), "{message}");
    let weight = StoredTensor::new(vec![1], &[0.0]);
    let foreign = safetensors::serialize([("x", &weight)], None).expect("sizes fit");
    assert!(refused(&foreign).contains("its header must have the key `tidegate`, which is missing"));
}
