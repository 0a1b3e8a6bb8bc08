//! Holds the ONNX models that tidegate writes against PyTorch's outputs, in tract.
//!
//! ```text
//! cargo run --release --manifest-path benches/peers/tract/Cargo.toml [VECTORS ...]
//! ```
//!
//! For each reference network in the folders (default `tests/vectors/nn`): the stack with the recorded input and states, the two
//! heads on it, whole and cut in two, and other numbers of windows and steps against the same network run without ONNX. It ends
//! with one line: `N passed, N failed`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use safetensors::SafeTensors;
use tidegate_models::{NetworkLayout, PoolingLayout, predict, read_network, read_stack};
use tidegate_onnx::{HeadKind, InitialState, Metadata, Opset, RecurrentStack, stack_model};
use tract_onnx::prelude::{Framework, InferenceModelExt, IntoRunnable, Tensor, TypedRunnableModel};

type Outcome<T> = Result<T, Box<dyn Error>>;

const TOLERANCE: f32 = 1e-5;

/// What was compared so far.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    largest: f32,
}

impl Tally {
    fn compare(&mut self, case: &str, found: &[f32], expected: &[f32]) {
        let difference = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs());
        let largest = difference.fold(0.0_f32, f32::max);
        if found.len() == expected.len() && largest < TOLERANCE {
            self.passed += 1;
            self.largest = self.largest.max(largest);
        } else {
            self.failed += 1;
            println!("FAILED {case}: {} of {} values, largest difference {largest:e}", found.len(), expected.len());
        }
    }
}

fn main() -> Outcome<()> {
    let mut folders: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    if folders.is_empty() {
        folders.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/vectors/nn"));
    }
    let mut tally = Tally::default();
    for folder in folders {
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
        files.retain(|file| file.extension().is_some_and(|extension| extension == "safetensors"));
        files.sort();
        for file in files {
            check(&mut tally, &file)?;
        }
    }
    println!("largest difference {:.1e}\n{} passed, {} failed", tally.largest, tally.passed, tally.failed);
    if tally.failed > 0 { Err("tract disagrees".into()) } else { Ok(()) }
}

fn check(tally: &mut Tally, path: &Path) -> Outcome<()> {
    let bytes = std::fs::read(path)?;
    let file = SafeTensors::deserialize(&bytes)?;
    if file.tensor("w.weight_ih_l0").is_err() {
        return Ok(());
    }
    let stack = read_stack(&bytes, None)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    for opset in [14, 17, 18, 22] {
        let opset = Opset::new(opset)?;
        let has_states = file.tensor("h0").is_ok();
        let initial = if has_states { InitialState::Required } else { InitialState::Zero };
        let model = load(&stack_model(&stack, initial, opset, &Metadata::default()))?;
        let given: Vec<&str> = ["input", "h0", "c0"].into_iter().filter(|name| file.tensor(name).is_ok()).collect();
        let inputs = given.iter().map(|name| read(&file, name)).collect::<Outcome<Vec<_>>>()?;
        for (output, found) in outputs(&stack).iter().zip(run(&model, &inputs)?) {
            let (_, expected) = read(&file, output)?;
            tally.compare(&format!("{name} opset {} {output}", opset.version()), &found, &expected);
        }
        check_other_sizes(tally, &name, &bytes, &stack, opset)?;
        if !has_states {
            check_heads(tally, &name, &bytes, &file, opset)?;
        }
    }
    Ok(())
}

fn outputs(stack: &RecurrentStack) -> &'static [&'static str] {
    if stack.sizes().kind.gates() == 4 { &["output", "h_n", "c_n"] } else { &["output", "h_n"] }
}

/// One loaded model on other numbers of windows and steps.
fn check_other_sizes(tally: &mut Tally, name: &str, weights: &[u8], stack: &RecurrentStack, opset: Opset) -> Outcome<()> {
    let model = load(&stack_model(stack, InitialState::Zero, opset, &Metadata::default()))?;
    for (batch, steps) in [(1, 1), (7, 3), (2, 40)] {
        let shape = vec![batch, steps, stack.sizes().inputs];
        let values: Vec<f32> = (0..shape.iter().product()).map(|place| ((place * 37 % 101) as f32 / 50.0) - 1.0).collect();
        let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.clone(), &data)?;
        let predicted = predict(weights, &safetensors::serialize([("input", view)], None)?)?;
        let predicted = SafeTensors::deserialize(&predicted)?;
        for (output, found) in outputs(stack).iter().zip(run(&model, &[(shape, values)])?) {
            let case = format!("{name} opset {} batch {batch} steps {steps} {output}", opset.version());
            tally.compare(&case, &found, &read(&predicted, output)?.1);
        }
    }
    Ok(())
}

/// The two heads of a reference file, which read the output of the last step.
fn check_heads(tally: &mut Tally, name: &str, bytes: &[u8], file: &SafeTensors<'_>, opset: Opset) -> Outcome<()> {
    let heads = [
        ("w.fc", HeadKind::Point, vec!["pred"]),
        ("w.fc2", HeadKind::Gaussian { variance_floor: 1e-6 }, vec!["nll_mu", "nll_var"]),
    ];
    for (head, kind, expected) in heads {
        let layout = NetworkLayout {
            recurrent: vec!["w.".to_owned()],
            pooling: PoolingLayout::LastStep,
            fusion: None,
            embedding: None,
            head_hidden: None,
            head: head.to_owned(),
            kind,
            horizons: 1,
        };
        let network = read_network(bytes, &layout)?;
        let metadata = Metadata::default();
        let input = read(file, "input")?;
        let whole = run(&load(&network.model(opset, &metadata))?, std::slice::from_ref(&input))?;
        let encoding = run(&load(&network.encoder_model(opset, &metadata))?, std::slice::from_ref(&input))?.remove(0);
        let shape = vec![input.0[0], network.encoder().outputs()];
        let parts = run(&load(&network.head_model(opset, &metadata))?, &[(shape, encoding)])?;
        for (place, expected) in expected.iter().enumerate() {
            let (_, values) = read(file, expected)?;
            tally.compare(&format!("{name} {head} {expected}"), &whole[place], &values);
            tally.compare(&format!("{name} {head} {expected} in two graphs"), &parts[place], &values);
        }
    }
    Ok(())
}

fn load(model: &[u8]) -> Outcome<Arc<TypedRunnableModel>> {
    Ok(tract_onnx::onnx().model_for_read(&mut &*model)?.into_optimized()?.into_runnable()?)
}

fn run(model: &Arc<TypedRunnableModel>, inputs: &[(Vec<usize>, Vec<f32>)]) -> Outcome<Vec<Vec<f32>>> {
    let tensor = |(shape, values): &(Vec<usize>, Vec<f32>)| Ok(Tensor::from_shape(shape, values)?.into());
    let inputs = inputs.iter().map(tensor).collect::<Outcome<_>>()?;
    let values = |output: &tract_onnx::prelude::TValue| Ok(output.to_plain_array_view::<f32>()?.iter().copied().collect());
    model.run(inputs)?.iter().map(values).collect()
}

fn read(file: &SafeTensors<'_>, name: &str) -> Outcome<(Vec<usize>, Vec<f32>)> {
    let view = file.tensor(name)?;
    let values = view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    Ok((view.shape().to_vec(), values))
}
