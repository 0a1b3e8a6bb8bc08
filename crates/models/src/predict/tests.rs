//! Outputs against PyTorch's, and inputs that are refused.

use super::*;

/// The reference files, one of each kind; their README says how they were made.
const FILES: [&str; 9] = [
    "gru_article_size",
    "gru_l1",
    "gru_l2",
    "gru_l2_bi",
    "gru_l2_h0_clip",
    "lstm_l1",
    "lstm_l2",
    "lstm_l2_bi",
    "lstm_l2_h0_clip",
];

fn reference(file: &str) -> Vec<u8> {
    let path = format!("{}/../../tests/vectors/nn/{file}.safetensors", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).expect("the reference file is in the repository")
}

/// Returns the tensors of a file of floats.
fn tensors(bytes: &[u8]) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let file = SafeTensors::deserialize(bytes).expect("a whole file");
    let tensor = |(name, view): (String, safetensors::tensor::TensorView<'_>)| {
        let values = floats(&name, &view).expect("floats");
        (name, (view.shape().to_vec(), values))
    };
    file.tensors().into_iter().map(tensor).collect()
}

/// Writes a file of tensors of the shapes given, filled with one value.
fn filled(shapes: &[(&str, &[usize], f32)]) -> Vec<u8> {
    let tensor = |(name, shape, value): &(&str, &[usize], f32)| {
        let len = shape.iter().product();
        ((*name).to_owned(), FloatTensor::new(shape.to_vec(), &vec![*value; len]))
    };
    write_tensors(&shapes.iter().map(tensor).collect()).expect("plain names")
}

fn refused(file: &str, input: &[u8]) -> String {
    predict(&reference(file), input).expect_err("the input is wrong").to_string()
}

#[test]
fn outputs_and_last_states_equal_pytorchs_with_one_file_as_weights_and_input() {
    for file in FILES {
        let bytes = reference(file);
        let (expected, found) = (tensors(&bytes), tensors(&predict(&bytes, &bytes).expect("a sane file")));
        let names: Vec<&str> = found.keys().map(String::as_str).collect();
        let of_kind: &[&str] = if file.starts_with("lstm") { &["c_n", "h_n", "output"] } else { &["h_n", "output"] };
        assert_eq!(names, of_kind, "{file}");
        for name in names {
            let ((shape, values), (expected_shape, expected)) = (&found[name], &expected[name]);
            assert_eq!(shape, expected_shape, "{file} {name}");
            let difference = values.iter().zip(expected).map(|(found, expected)| (found - expected).abs());
            let largest = difference.fold(0.0, f32::max);
            assert!(largest < 1e-6, "{file} {name}: {largest}");
        }
    }
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let bytes = reference("lstm_l2_bi");
    assert_eq!(predict(&bytes, &bytes), predict(&bytes, &bytes));
}

#[test]
fn an_input_of_another_shape_is_refused() {
    let message = refused("gru_l1", &filled(&[("input", &[2, 7, 5], 0.0)]));
    assert_eq!(message, "tensor `input` must have shape `[B, T, 4] with B and T at least 1`, has `[2, 7, 5]`");
    for shape in [&[2, 4][..], &[0, 7, 4], &[2, 0, 4]] {
        let message = refused("gru_l1", &filled(&[("input", shape, 0.0)]));
        assert!(message.starts_with("tensor `input` must have shape"), "{message}");
    }
    assert_eq!(refused("gru_l1", &filled(&[])), "tensor `input` must be in the file, is missing");
}

#[test]
fn initial_states_must_fit_the_layers_and_the_batch() {
    let message = refused("gru_l2", &filled(&[("input", &[3, 7, 5], 0.0), ("h0", &[2, 2, 8], 0.0)]));
    assert_eq!(message, "tensor `h0` must have shape `[2, 3, 8]`, has `[2, 2, 8]`");
    let message = refused("gru_l1", &filled(&[("input", &[3, 7, 4], 0.0), ("c0", &[1, 3, 6], 0.0)]));
    assert_eq!(message, "tensor `c0` belongs to an LSTM, the weights are a GRU's");
    let message = refused("lstm_l1", &filled(&[("input", &[3, 7, 4], 0.0), ("h0", &[1, 3, 6], 0.0)]));
    assert_eq!(message, "tensor `c0` must be in the file, is missing");
}

#[test]
fn a_value_that_is_not_finite_is_refused_by_its_place() {
    let message = refused("gru_l1", &filled(&[("input", &[1, 2, 4], f32::INFINITY)]));
    assert_eq!(message, "value `0` of tensor `input` must be finite, was `inf`");
}

#[test]
fn a_truncated_input_is_refused_wherever_it_ends() {
    let (weights, whole) = (reference("gru_l1"), filled(&[("input", &[1, 2, 4], 0.5)]));
    for end in 0..whole.len() {
        let message = predict(&weights, &whole[..end]).expect_err("the end is missing").to_string();
        assert!(message.starts_with("input must be a whole safetensors file: "), "{message}");
    }
    assert!(predict(&weights, &whole).is_ok());
}
