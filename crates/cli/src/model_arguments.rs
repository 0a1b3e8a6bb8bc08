//! What can be typed about networks that are trained already.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use tidegate_experiment::ModelRequest;

#[derive(Debug, Args)]
pub(crate) struct PredictArguments {
    /// A safetensors file with `weight_ih_l0`, `weight_hh_l0` and so on
    #[arg(long, value_name = "W.safetensors")]
    pub(crate) weights: PathBuf,
    /// A safetensors file with `input` `[B, T, I]` and, if the states do not start from zero, `h0` and `c0`
    #[arg(long, value_name = "X.safetensors")]
    pub(crate) input: PathBuf,
    /// The file to write: `output`, `h_n` and, for an LSTM, `c_n`
    #[arg(long, value_name = "Y.safetensors")]
    pub(crate) output: PathBuf,
    /// What the names of the layers' tensors start with, such as `gru.`; found when not given
    #[arg(long)]
    pub(crate) prefix: Option<String>,
}

/// Which network is meant.
#[derive(Debug, Clone, Args)]
pub(crate) struct ModelArguments {
    /// A run directory, a checkpoint, or a safetensors file of PyTorch's names
    #[arg(value_name = "MODEL")]
    pub(crate) model: PathBuf,
    /// The fold of a run; the last one when not given
    #[arg(long, value_name = "N")]
    pub(crate) fold: Option<u32>,
    /// The ensemble member of a run
    #[arg(long, value_name = "M", default_value_t = 0)]
    pub(crate) member: usize,
}

impl ModelArguments {
    /// Returns the request for the network.
    pub(crate) fn request(&self) -> ModelRequest {
        ModelRequest { model: self.model.clone(), fold: self.fold, member: self.member }
    }
}

/// The form that a network leaves in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArgument {
    /// ONNX, with free batch and time
    Onnx,
    /// TorchScript, for `torch.jit.load`
    #[value(name = "torchscript")]
    TorchScript,
    /// Tensors under PyTorch's names
    Safetensors,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    pub(crate) model: ModelArguments,
    /// The form to write
    #[arg(long, value_enum)]
    pub(crate) format: FormatArgument,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// The operator set of an ONNX model, from 14 to 22; 17 when not given
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) opset: Option<i64>,
    /// Write encoder and head as `FILE.encoder.onnx` and `FILE.head.onnx`
    #[arg(long)]
    pub(crate) split: bool,
    /// What the names of the layers' tensors start with in a file of PyTorch's; found when not given
    #[arg(long)]
    pub(crate) prefix: Option<String>,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("how").required(true).args(["int8", "prune", "distil"]))]
pub(crate) struct CompressArguments {
    #[command(flatten)]
    pub(crate) model: ModelArguments,
    /// The strategy that a checkpoint was trained with; for a run, where its data lie now
    #[arg(long, value_name = "STRATEGY.toml")]
    pub(crate) strategy: Option<PathBuf>,
    /// Round the weights to eight bits
    #[arg(long)]
    pub(crate) int8: bool,
    /// Take so large a fraction of the hidden values away, and train the rest on
    #[arg(long, value_name = "FRACTION", allow_negative_numbers = true)]
    pub(crate) prune: Option<f64>,
    /// Teach a student of so many hidden values
    #[arg(long, value_name = "HIDDEN")]
    pub(crate) distil: Option<usize>,
    /// The teacher's part of the student's loss, from 0 to 1
    #[arg(long, value_name = "S", default_value_t = 0.5, requires = "distil")]
    pub(crate) share: f64,
    /// How often speed is measured; the median counts
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) rounds: u16,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArguments {
    #[command(subcommand)]
    pub(crate) command: BenchCommand,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum BenchCommand {
    /// Measure what is claimed of GRU networks: size, speed, eight bits, packing
    #[command(after_help = "Examples:\n  tidegate bench claims\n  tidegate bench claims --rounds 31 --json")]
    Claims(ClaimsArguments),
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct ClaimsArguments {
    /// How often both sides of every claim take their turn
    #[arg(long, value_name = "N", default_value_t = 11, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) rounds: u16,
}
