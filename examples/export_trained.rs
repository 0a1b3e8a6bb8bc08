//! Trains small networks on made-up windows and writes everything that they can be exported as.
//!
//! ```text
//! cargo run --release -p tidegate-models --example export_trained -- FOLDER
//! ```
//!
//! For each network FOLDER gets a folder with `checkpoint.safetensors`, `network.onnx`, `encoder.onnx`, `head.onnx`, the TorchScript `network.pt`, and
//! `forecasts.safetensors` with windows and what the network says about them, for `scripts/torchscript_check.py`.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use tidegate_forecast::{
    FitTask, Forecaster, NoMonitor, NoStore, Predictive, PredictiveShape, Sample, WindowBlock, Windows,
};
use tidegate_models::{
    Device, Encoder, GruSpec, Head, Loss, LstmSpec, NetworkSpec, NeuralForecaster, Optimizer, Pooling, TrainingSpec,
    export_checkpoint, network_torchscript,
};
use tidegate_onnx::Opset;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: export_trained FOLDER")?);
    for (name, network) in networks() {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder)?;
        export(network, &folder)?;
        println!("wrote {}", folder.display());
    }
    Ok(())
}

/// One network of each kind of head and pooling.
fn networks() -> [(&'static str, NetworkSpec); 4] {
    let gru = GruSpec::new(16, 2);
    let lstm = LstmSpec { bidirectional: true, pooling: Pooling::Attention, ..LstmSpec::new(6, 2) };
    let student_t = Head::StudentT { variance_floor: 1e-4, degrees_of_freedom: None };
    let quantile = Head::Quantile { levels: vec![0.05, 0.5, 0.95] };
    let attention = GruSpec { pooling: Pooling::Attention, bidirectional: true, ..GruSpec::new(5, 1) };
    let mean = GruSpec { pooling: Pooling::Mean, ..GruSpec::new(8, 1) };
    [
        (
            "gaussian",
            NetworkSpec::new(
                Encoder::MultiScaleGru(gru),
                Head::Gaussian { variance_floor: 1e-4 },
                Loss::GaussianNll,
                vec![3, 2],
            ),
        ),
        (
            "student_t",
            NetworkSpec {
                horizons: 2,
                symbols: 3,
                symbol_embedding: Some(2),
                head_hidden_size: Some(7),
                ..NetworkSpec::new(Encoder::Lstm(lstm), student_t, Loss::StudentTNll, vec![3])
            },
        ),
        (
            "quantile",
            NetworkSpec {
                horizons: 3,
                ..NetworkSpec::new(Encoder::MultiScaleGru(attention), quantile, Loss::Pinball, vec![3, 2])
            },
        ),
        ("point", NetworkSpec::new(Encoder::Gru(mean), Head::Point, Loss::Mse, vec![3])),
    ]
}

/// Trains a network and writes it in every form.
fn export(network: NetworkSpec, folder: &Path) -> Result<(), Box<dyn Error>> {
    let training = TrainingSpec::new(4, 32, Optimizer::Adam { learning_rate: 0.01, weight_decay: 0.0 });
    let [train, valid, test] = [(200, 1), (50, 2), (40, 3)].map(|(count, seed)| windows(&network, count, seed));
    let task = FitTask { train: &train, valid: &valid, seed: 7, monitor: &NoMonitor, store: &NoStore };
    let fitted = NeuralForecaster::new(network, training, Device::Cpu)?.fit(&task)?;
    let checkpoint = fitted.checkpoint()?;
    let exported = export_checkpoint(&checkpoint)?;
    let (graph, metadata, opset) = (&exported.graph, &exported.metadata, Opset::default());
    std::fs::write(folder.join("network.onnx"), graph.model(opset, metadata))?;
    std::fs::write(folder.join("encoder.onnx"), graph.encoder_model(opset, metadata))?;
    std::fs::write(folder.join("head.onnx"), graph.head_model(opset, metadata))?;
    std::fs::write(folder.join("checkpoint.safetensors"), checkpoint)?;
    network_torchscript(graph, &folder.join("network.pt"))?;
    write_forecasts(&folder.join("forecasts.safetensors"), &test, &fitted.forecast(&test)?)
}

/// Windows of waves; the labels are what the first one does next.
fn windows(network: &NetworkSpec, count: usize, seed: usize) -> Windows {
    let wave = |place: usize, feature: usize| ((place * (feature + 3) + seed * 17) as f32 * 0.37).sin();
    let block = |steps: usize, features: usize| WindowBlock {
        steps,
        features,
        values: (0..count * steps * features)
            .map(|place| wave(place / (steps * features) + place / features % steps, place % features))
            .collect(),
        lengths: vec![],
    };
    let horizons = network.horizons;
    Windows {
        scales: [12, 5].into_iter().zip(&network.feature_counts).map(|(steps, &size)| block(steps, size)).collect(),
        samples: (0..count as u32).map(|row| Sample { series: row % network.symbols as u32, row }).collect(),
        horizons,
        target: (0..count * horizons)
            .map(|place| Some(f64::from(0.01 * wave(place / horizons + 12 + place % horizons, 0)) + 0.003))
            .collect(),
        ewma_variance: vec![None; count],
        ..Windows::default()
    }
}

fn write_forecasts(path: &Path, windows: &Windows, forecasts: &[Predictive]) -> Result<(), Box<dyn Error>> {
    let (count, horizons) = (windows.samples.len(), windows.horizons);
    let single = |values: Vec<f64>| values.into_iter().map(|value| value as f32).collect::<Vec<f32>>();
    let means = single(forecasts.iter().map(|forecast| forecast.mean).collect());
    let variances = single(forecasts.iter().filter_map(|forecast| forecast.variance).collect());
    let (mut degrees, mut quantiles) = (vec![], vec![]);
    for forecast in forecasts {
        match &forecast.shape {
            PredictiveShape::Normal => {}
            PredictiveShape::StudentT { degrees_of_freedom } => degrees.push(*degrees_of_freedom),
            PredictiveShape::Quantiles(own) => quantiles.extend(own.iter().map(|quantile| quantile.value)),
        }
    }
    let symbols = windows.samples.iter().map(|sample| sample.series as f32).collect();
    let mut tensors: Vec<(String, Vec<usize>, Vec<f32>)> = vec![("symbol".to_owned(), vec![count], symbols)];
    let levels = quantiles.len() / (count * horizons);
    for (name, values) in [("mean", means), ("variance", variances), ("degrees_of_freedom", single(degrees))] {
        if !values.is_empty() && levels == 0 {
            tensors.push((name.to_owned(), vec![count, horizons], values));
        }
    }
    if levels > 0 {
        tensors.push(("quantiles".to_owned(), vec![count, horizons, levels], single(quantiles)));
    }
    for (scale, block) in windows.scales.iter().enumerate() {
        tensors.push((format!("input_{scale}"), vec![count, block.steps, block.features], block.values.clone()));
    }
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(_, _, values)| values.iter().flat_map(|value| value.to_le_bytes()).collect()).collect();
    let views = tensors
        .iter()
        .zip(&bytes)
        .map(|((name, shape, _), bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    Ok(safetensors::serialize_to_file(views, None, path)?)
}
