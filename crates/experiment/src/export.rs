//! Trained networks into files that other programs run.

use std::path::{Path, PathBuf};

use serde::Serialize;
use tidegate_features::FeatureSpec;
use tidegate_forecast::ScaleSpec;
use tidegate_models::{Metadata, ModelFile, Opset, StackSizes};

use crate::ExperimentError;
use crate::error::cannot_write;
use crate::files::{make_folder, write_atomically};
use crate::stored_model::{ModelRequest, StoredModel, plan_of, run_config};

/// The form that a network leaves in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// An ONNX model, whole or as encoder and head.
    Onnx {
        /// The operator set.
        opset: Opset,
        /// Whether encoder and head are two files, `FILE.encoder.onnx` and `FILE.head.onnx`.
        split: bool,
    },
    /// TorchScript.
    TorchScript,
    /// Tensors under PyTorch's names.
    Safetensors,
}

/// What is exported, and where to.
#[derive(Debug, Clone)]
pub struct ExportRequest {
    /// The network.
    pub model: ModelRequest,
    /// Which recurrent layers of a file of PyTorch's are meant, by the prefix of their names.
    pub prefix: Option<String>,
    /// The form.
    pub format: ExportFormat,
    /// The file to write.
    pub out: PathBuf,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WrittenFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
}

/// What an export left behind.
#[derive(Debug, Clone)]
pub struct ExportOutcome {
    /// The file that was read.
    pub source: WrittenFile,
    /// The fold of a run that the network belongs to.
    pub fold: Option<u32>,
    /// The files that were written.
    pub files: Vec<WrittenFile>,
    /// Weights of the recurrent layers.
    pub recurrent_weights: usize,
    /// Whether it is a network with a head, not layers alone.
    pub has_head: bool,
}

/// Reads a network and writes it in another form; what a run knows of its inputs goes into an ONNX model's metadata.
///
/// # Errors
/// When the network is not there or cannot be read, has no such form, or the file cannot be written.
pub fn export(request: &ExportRequest) -> Result<ExportOutcome, ExperimentError> {
    let stored = StoredModel::open(&request.model)?;
    let file = ModelFile::read(&stored.bytes, request.prefix.as_deref())?;
    let files = match request.format {
        ExportFormat::Onnx { opset, split } => {
            let metadata = stored.run_dir.as_deref().map(|run| run_metadata(run, &stored)).transpose()?;
            write_onnx(&file, opset, split, &metadata.unwrap_or_default(), &request.out)?
        }
        ExportFormat::TorchScript => vec![write_torchscript(&file, &request.out)?],
        ExportFormat::Safetensors => vec![written(&request.out, &file.safetensors()?)?],
    };
    Ok(ExportOutcome {
        source: WrittenFile { bytes: stored.bytes.len() as u64, path: stored.path },
        fold: stored.fold,
        files,
        recurrent_weights: file.stacks().iter().map(StackSizes::parameter_count).sum(),
        has_head: file.has_head(),
    })
}

fn write_onnx(
    file: &ModelFile,
    opset: Opset,
    split: bool,
    metadata: &Metadata,
    out: &Path,
) -> Result<Vec<WrittenFile>, ExperimentError> {
    if !split {
        return Ok(vec![written(out, &file.onnx(opset, metadata))?]);
    }
    let name = out.as_os_str().to_string_lossy().into_owned();
    let stem = name.strip_suffix(".onnx").unwrap_or(&name);
    let [encoder, head] = file.onnx_parts(opset, metadata)?;
    [("encoder", encoder), ("head", head)]
        .iter()
        .map(|(part, bytes)| written(Path::new(&format!("{stem}.{part}.onnx")), bytes))
        .collect()
}

fn written(path: &Path, bytes: &[u8]) -> Result<WrittenFile, ExperimentError> {
    write_atomically(path, bytes)?;
    Ok(WrittenFile { path: path.to_owned(), bytes: bytes.len() as u64 })
}

/// Lets libtorch write in a folder beside the file, and moves what it wrote there in one step. The archive names itself after its
/// file, so that a name of its own would be in its bytes.
fn write_torchscript(file: &ModelFile, out: &Path) -> Result<WrittenFile, ExperimentError> {
    let name = out.file_name().ok_or_else(|| {
        ExperimentError::Sample(format!("the file to write must have a name, was `{}`", out.display()))
    })?;
    let folder = out.parent().unwrap_or_else(|| Path::new("")).join(format!(".torchscript.{}.tmp", std::process::id()));
    make_folder(&folder)?;
    let beside = folder.join(name);
    let moved = file.torchscript(&beside).map_err(ExperimentError::from).and_then(|()| {
        std::fs::rename(&beside, out).map_err(cannot_write(out))?;
        let bytes = std::fs::metadata(out).map_err(cannot_write(out))?.len();
        Ok(WrittenFile { path: out.to_owned(), bytes })
    });
    // What matters is the first error; a folder left beside is harmless.
    let _ = std::fs::remove_dir_all(&folder);
    moved
}

/// Returns what a run knows of its networks' inputs: features and windows in the order of the model's inputs, the scaler, the
/// target and the symbols, as JSON.
fn run_metadata(run_dir: &Path, stored: &StoredModel) -> Result<Metadata, ExperimentError> {
    let experiment = run_config(run_dir, None)?;
    let plan = plan_of(&experiment)?;
    let window =
        |scale: &ScaleSpec| serde_json::json!({ "bars": scale.window_bars, "bar_multiple": scale.bar_multiple });
    let features: Vec<String> = plan.features.iter().flat_map(FeatureSpec::column_names).collect();
    let mut metadata = Metadata::default()
        .with("tidegate.config_hash", experiment.config_hash.as_str())
        .with("tidegate.features", json(&features)?)
        .with("tidegate.windows", json(&plan.scales.iter().map(window).collect::<Vec<_>>())?)
        .with("tidegate.target", json(&plan.target)?)
        .with("tidegate.symbols", json(&experiment.data.symbols)?);
    if let Some(fold) = stored.fold
        && let Ok(scaler) = std::fs::read(run_dir.join(format!("models/fold_{fold:03}_scaler.json")))
        && let Ok(scaler) = serde_json::from_slice::<serde_json::Value>(&scaler)
    {
        metadata = metadata.with("tidegate.scaler", json(&scaler)?);
    }
    Ok(metadata)
}

fn json(value: &impl Serialize) -> Result<String, ExperimentError> {
    serde_json::to_string(value).map_err(|error| ExperimentError::Internal(error.to_string()))
}
