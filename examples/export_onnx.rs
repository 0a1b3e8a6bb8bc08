//! Writes a network made with PyTorch as ONNX models, without libtorch.
//!
//! ```text
//! cargo run --release -p tidegate-models --no-default-features --example export_onnx -- stack weights.safetensors 17 FOLDER
//! cargo run ... --example export_onnx -- network weights.safetensors 17 FOLDER kind=gaussian,1e-6 head=fc2 recurrent=gru.
//! ```
//!
//! `stack` writes `stack.onnx` with optional and `stack_required.onnx` with required initial states; `network` writes
//! `network.onnx`, `encoder.onnx` and `head.onnx`. Its settings are those of `NetworkLayout`, lists separated by commas.
//! `scripts/onnx_check.py` calls it.

#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use tidegate_models::{NetworkLayout, PoolingLayout, read_network, read_stack};
use tidegate_onnx::{DegreesOfFreedom, HeadKind, InitialState, Metadata, ModelSummary, Opset, stack_model};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, weights, opset, folder, settings @ ..] = arguments.as_slice() else {
        return Err("usage: export_onnx stack|network WEIGHTS OPSET FOLDER [KEY=VALUE ...]".into());
    };
    let (weights, opset, folder) = (std::fs::read(weights)?, Opset::new(opset.parse()?)?, Path::new(folder));
    let settings: BTreeMap<&str, &str> = settings.iter().filter_map(|setting| setting.split_once('=')).collect();
    let metadata = settings.iter().fold(Metadata::default(), |metadata, (key, value)| metadata.with(key, *value));
    let models = if what == "stack" {
        let stack = read_stack(&weights, settings.get("prefix").copied())?;
        let model = |initial| stack_model(&stack, initial, opset, &metadata);
        vec![
            ("stack.onnx", model(InitialState::Optional)),
            ("stack_required.onnx", model(InitialState::Required)),
            ("stack_zero.onnx", model(InitialState::Zero)),
        ]
    } else {
        let network = read_network(&weights, &layout(&settings)?)?;
        vec![
            ("network.onnx", network.model(opset, &metadata)),
            ("encoder.onnx", network.encoder_model(opset, &metadata)),
            ("head.onnx", network.head_model(opset, &metadata)),
        ]
    };
    for (name, model) in models {
        let summary = ModelSummary::read(&model)?;
        println!("{name}: {} weights, {} operators, {} bytes", summary.weights, summary.operators.len(), model.len());
        std::fs::write(folder.join(name), model)?;
    }
    Ok(())
}

/// Reads the settings; what is left out has the names of networks trained here.
fn layout(settings: &BTreeMap<&str, &str>) -> Result<NetworkLayout, Box<dyn Error>> {
    let list = |key: &str, default: &str| -> Vec<String> {
        settings.get(key).unwrap_or(&default).split(',').map(str::to_owned).collect()
    };
    let name = |key: &str| settings.get(key).map(|&name| name.to_owned());
    let pooling = match list("pooling", "last_states").as_slice() {
        [last] if last == "last_step" => PoolingLayout::LastStep,
        [last] if last == "last_states" => PoolingLayout::LastStates,
        [mean] if mean == "mean" => PoolingLayout::Mean,
        names => PoolingLayout::Attention(names.to_vec()),
    };
    Ok(NetworkLayout {
        recurrent: list("recurrent", "gru."),
        pooling,
        fusion: name("fusion"),
        embedding: name("embedding"),
        head_hidden: name("head_hidden"),
        head: name("head").unwrap_or_else(|| "head".to_owned()),
        kind: kind(&list("kind", "point"))?,
        horizons: settings.get("horizons").unwrap_or(&"1").parse()?,
    })
}

fn kind(setting: &[String]) -> Result<HeadKind, Box<dyn Error>> {
    let numbers = setting[1..].iter().map(|number| number.parse()).collect::<Result<Vec<f64>, _>>()?;
    Ok(match (setting[0].as_str(), numbers.as_slice()) {
        ("point", []) => HeadKind::Point,
        ("gaussian", &[variance_floor]) => HeadKind::Gaussian { variance_floor },
        ("student_t", &[variance_floor, floor]) => {
            HeadKind::StudentT { variance_floor, degrees_of_freedom: DegreesOfFreedom::Learned { floor } }
        }
        ("student_t_fixed", &[variance_floor, degrees]) => {
            HeadKind::StudentT { variance_floor, degrees_of_freedom: DegreesOfFreedom::Fixed(degrees) }
        }
        ("quantile", levels) => HeadKind::Quantile { levels: levels.to_vec() },
        _ => return Err(format!("kind `{}` has other settings", setting.join(",")).into()),
    })
}
