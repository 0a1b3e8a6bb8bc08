//! What is read and refused, on the reference networks with single tensors changed.

use super::*;

/// Returns the tensors of a reference network behind `w.`, renamed to another prefix.
fn network(file: &str, prefix: &str) -> BTreeMap<String, FloatTensor> {
    let path = format!("{}/../../tests/vectors/nn/{file}.safetensors", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).expect("the reference file is in the repository");
    let file = SafeTensors::deserialize(&bytes).expect("a whole file");
    let tensor = |(name, view): (String, TensorView<'_>)| {
        let own = name.strip_prefix("w.")?;
        let values = floats(&name, &view).expect("floats");
        Some((format!("{prefix}{own}"), FloatTensor::new(view.shape().to_vec(), &values)))
    };
    file.tensors().into_iter().filter_map(tensor).collect()
}

fn bytes(tensors: &BTreeMap<String, FloatTensor>) -> Vec<u8> {
    write_tensors(tensors).expect("plain names")
}

/// Changes a network and returns the message of its refusal.
fn refused(file: &str, change: impl Fn(&mut BTreeMap<String, FloatTensor>)) -> String {
    let mut tensors = network(file, "gru.");
    change(&mut tensors);
    read_stack(&bytes(&tensors), None).expect_err("the network is wrong").to_string()
}

#[test]
fn kind_layers_directions_and_sizes_follow_from_names_and_shapes() {
    let sizes = |file, prefix| read_stack(&bytes(&network(file, prefix)), None).expect("a whole network").sizes();
    let gru = StackSizes { kind: CellKind::Gru, inputs: 5, hidden: 8, layers: 2, bidirectional: true };
    assert_eq!(sizes("gru_l2_bi", "gru."), gru);
    assert_eq!(sizes("gru_l2_bi", ""), gru);
    assert_eq!(sizes("gru_l2_bi", "encoder.rnn."), gru);
    let lstm = StackSizes { kind: CellKind::Lstm, inputs: 4, hidden: 6, layers: 1, bidirectional: false };
    assert_eq!(sizes("lstm_l1", "lstm."), lstm);
}

#[test]
fn what_is_written_is_read_and_written_again_as_the_same_bytes() {
    for (file, prefix) in [("gru_l2", "gru."), ("lstm_l2_bi", ""), ("gru_l2_h0_clip", "w.")] {
        let mut tensors = network(file, prefix);
        tensors.retain(|name, _| !name.contains("fc"));
        let original = bytes(&tensors);
        let stack = read_stack(&original, None).expect("a whole network");
        let written = write_stack(&stack, prefix).expect("plain names");
        assert_eq!(written, original, "{file}");
        assert_eq!(read_stack(&written, Some(prefix)), Ok(stack));
    }
}

#[test]
fn a_network_without_biases_has_zeros() {
    let mut tensors = network("gru_l1", "gru.");
    tensors.retain(|name, _| !name.contains("bias"));
    let stack = read_stack(&bytes(&tensors), None).expect("biases are optional");
    assert_eq!(stack.layer(0, 0).bias_ih, vec![0.0; 18]);
    let message = refused("gru_l1", |tensors| {
        tensors.remove("gru.bias_hh_l0");
    });
    assert_eq!(message, "tensor `gru.bias_hh_l0` must be in the file, is missing");
}

#[test]
fn a_missing_tensor_is_named() {
    for name in ["gru.weight_hh_l0", "gru.weight_ih_l1", "gru.weight_ih_l0_reverse", "gru.bias_ih_l1_reverse"] {
        let message = refused("gru_l2_bi", |tensors| {
            tensors.remove(name);
        });
        assert_eq!(message, format!("tensor `{name}` must be in the file, is missing"));
    }
    let message = refused("gru_l1", |tensors| {
        let far = tensors["gru.weight_ih_l0"].clone();
        tensors.insert("gru.weight_ih_l18446744073709551614".to_owned(), far);
    });
    assert_eq!(message, "tensor `gru.weight_ih_l1` must be in the file, is missing");
}

#[test]
fn a_tensor_of_another_shape_is_named_with_both_shapes() {
    let replaced = |name: &str, shape: &[usize]| {
        refused("gru_l2", |tensors| {
            let zeros = vec![0.0; shape.iter().product()];
            tensors.insert(name.to_owned(), FloatTensor::new(shape.to_vec(), &zeros));
        })
    };
    let message = replaced("gru.weight_ih_l1", &[24, 9]);
    assert_eq!(message, "tensor `gru.weight_ih_l1` must have shape `[24, 8]`, has `[24, 9]`");
    let message = replaced("gru.bias_ih_l0", &[24, 1]);
    assert_eq!(message, "tensor `gru.bias_ih_l0` must have shape `[24]`, has `[24, 1]`");
    let message = replaced("gru.weight_ih_l0", &[24]);
    assert_eq!(message, "tensor `gru.weight_ih_l0` must have shape `[24, any]`, has `[24]`");
    // One gate: an Elman network.
    let message = replaced("gru.weight_hh_l0", &[8, 8]);
    assert_eq!(
        message,
        "tensor `gru.weight_hh_l0` must have shape `[3 H, H] of a GRU or [4 H, H] of an LSTM`, has `[8, 8]`"
    );
}

#[test]
fn a_tensor_of_another_type_is_named() {
    struct Doubles;
    impl View for Doubles {
        fn dtype(&self) -> Dtype {
            Dtype::F64
        }
        fn shape(&self) -> &[usize] {
            &[24, 8]
        }
        fn data(&self) -> Cow<'_, [u8]> {
            Cow::Owned(vec![0; 8 * 24 * 8])
        }
        fn data_len(&self) -> usize {
            8 * 24 * 8
        }
    }
    let bytes =
        safetensors::serialize([("weight_hh_l0", Doubles), ("weight_ih_l0", Doubles)], None).expect("plain names");
    let message = read_stack(&bytes, None).expect_err("double precision").to_string();
    assert_eq!(message, "tensor `weight_ih_l0` must have type `F32`, has `F64`\nhint: save `tensor.float()`");
}

#[test]
fn projections_and_names_that_look_recurrent_are_refused() {
    let added = |name: &str| {
        refused("lstm_l1", |tensors| {
            tensors.insert(name.to_owned(), FloatTensor::new(vec![1], &[0.0]));
        })
    };
    assert_eq!(
        added("gru.weight_hr_l0"),
        "tensor `gru.weight_hr_l0` is the projection of an LSTM, which is not supported"
    );
    assert_eq!(added("gru.weight_ih_l00"), "tensor `gru.weight_ih_l00` is not a name of a recurrent layer");
    assert_eq!(added("gru.bias_ih_l0_backward"), "tensor `gru.bias_ih_l0_backward` is not a name of a recurrent layer");
}

#[test]
fn a_weight_that_is_not_a_number_is_refused() {
    let message = refused("gru_l1", |tensors| {
        tensors.insert("gru.bias_hh_l0".to_owned(), FloatTensor::new(vec![18], &[f32::NAN; 18]));
    });
    assert_eq!(message, "value `0` of bias_hh of layer 0 must be finite, was `NaN`");
}

#[test]
fn among_several_stacks_one_must_be_named() {
    let mut tensors = network("gru_l1", "gru.0.");
    tensors.extend(network("gru_l2", "gru.1."));
    let two = bytes(&tensors);
    let message = read_stack(&two, None).expect_err("two stacks").to_string();
    assert_eq!(
        message,
        "weights must hold one stack of recurrent layers, found several, behind `gru.0.`, `gru.1.`\nhint: name one of them"
    );
    assert_eq!(read_stack(&two, Some("gru.1.")).expect("it is there").sizes().layers, 2);
    let message = read_stack(&two, Some("gru.2.")).expect_err("not there").to_string();
    assert_eq!(
        message,
        "weights must hold recurrent layers behind the prefix `gru.2.`, found them behind `gru.0.`, `gru.1.`"
    );
}

#[test]
fn a_file_without_recurrent_layers_is_refused() {
    let mut tensors = network("gru_l1", "");
    tensors.retain(|name, _| name.contains("fc"));
    let message = read_stack(&bytes(&tensors), None).expect_err("heads only").to_string();
    assert!(message.starts_with("weights must hold recurrent layers, found no tensor named like"), "{message}");
}

#[test]
fn a_truncated_file_is_refused_wherever_it_ends() {
    let whole = bytes(&network("gru_l1", "gru."));
    for end in 0..whole.len() {
        let message = read_stack(&whole[..end], None).expect_err("the end is missing").to_string();
        assert!(message.starts_with("weights must be a whole safetensors file: "), "{message}");
    }
}
