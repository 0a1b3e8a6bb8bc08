//! Neural forecasters: encoders, heads, losses, training and checkpoints.
//!
//! [`NeuralForecaster`] implements [`tidegate_forecast::Forecaster`]; a specification goes in, forecasts and bytes come out,
//! and no tensor crosses the border of this crate. There are no folds, features, files or threads here.
//!
//! A network is an encoder (windows to one vector per sample), a head (the vector to one distribution per horizon) and a loss;
//! `docs/NETWORKS.md` has them all. On the main processor plain GRU layers run in `tidegate-recurrence`, and whole networks of them
//! forecast in plain Rust; everything else, and everything on CUDA, runs in libtorch.
//!
//! Without the feature `libtorch` nothing is trained, but networks that were forecast the same bits.
//!
//! Invariants:
//! - the same task gives the same bytes on the CPU, whatever the number of threads around it: every random number comes from
//!   a seeded ChaCha generator of our own, and every fit uses one libtorch thread;
//! - a forecast does not depend, by a single bit, on the samples forecast beside it;
//! - a short window is forecast as if its padding were not there, by every encoder;
//! - a label that is missing counts nothing, neither in a loss nor in a gradient;
//! - both recurrences give the same losses and gradients to rounding; which one runs follows from device and encoder alone;
//! - dropout and zoneout exist only in a training step: an evaluation has no masks to apply;
//! - a checkpoint is read whole and unchanged, or not at all.

mod error;
mod export;
mod predict;
mod spec;
mod state_dict;
mod training_spec;

mod checkpoint;
mod device;
mod forecaster;
mod inference;
mod parameter_count;
mod parameter_shape;
mod quantile_moments;
mod sealed_file;
mod target;
mod window_checks;

#[cfg(feature = "libtorch")]
mod adam;
#[cfg(feature = "libtorch")]
mod augmentation;
#[cfg(feature = "libtorch")]
mod batches;
#[cfg(feature = "libtorch")]
mod claims;
#[cfg(feature = "libtorch")]
mod compress;
#[cfg(feature = "libtorch")]
mod diagnostics;
#[cfg(feature = "libtorch")]
mod dropout;
#[cfg(feature = "libtorch")]
mod fault;
#[cfg(feature = "libtorch")]
mod fit;
#[cfg(feature = "libtorch")]
mod fitted;
#[cfg(all(test, feature = "libtorch"))]
mod fixture;
#[cfg(feature = "libtorch")]
mod initial_weights;
#[cfg(feature = "libtorch")]
mod loss;
#[cfg(feature = "libtorch")]
mod mixed_precision;
#[cfg(feature = "libtorch")]
mod native;
#[cfg(feature = "libtorch")]
mod network;
#[cfg(feature = "libtorch")]
mod parameters;
#[cfg(feature = "libtorch")]
mod random;
#[cfg(feature = "libtorch")]
mod recurrence;
#[cfg(feature = "libtorch")]
mod samples;
#[cfg(feature = "libtorch")]
mod schedule;
#[cfg(feature = "libtorch")]
mod stopping;
#[cfg(feature = "libtorch")]
mod threads;
#[cfg(feature = "libtorch")]
mod trainer;
#[cfg(feature = "libtorch")]
mod training_state;

#[cfg(feature = "libtorch")]
pub use adam::AdamState;
#[cfg(feature = "libtorch")]
pub use checkpoint::checkpoint_network;
#[cfg(feature = "libtorch")]
pub use claims::{Claim, ClaimUnit, claims};
#[cfg(feature = "libtorch")]
pub use compress::{
    Footprint, KernelSpeed, WeightBytes, dequantize, distill, fine_tune, footprint, kernel_speed, prune, quantize,
    weight_bytes, with_hidden_size,
};
pub use device::Device;
pub use error::ModelError;
#[cfg(feature = "libtorch")]
pub use export::{ExportedNetwork, export_checkpoint, network_torchscript, stack_torchscript};
pub use export::{ModelFile, NetworkLayout, PoolingLayout, read_network};
pub use forecaster::NeuralForecaster;
pub use inference::can_stream;
#[cfg(feature = "libtorch")]
pub use mixed_precision::LossScale;
pub use parameter_count::parameter_count;
pub use predict::{predict, predict_stack};
#[cfg(feature = "libtorch")]
pub use recurrence::Recurrence;
#[cfg(feature = "libtorch")]
pub use samples::SampleTensors;
pub use spec::{
    CnnGruSpec, Encoder, GruSpec, GruTransformerSpec, Head, Init, LinearSpec, Loss, LstmSpec, MlpSpec, NetworkSpec,
    Pooling, Position, TransformerSpec,
};
pub use state_dict::{read_stack, tensor_shapes, write_stack};
// What the parts above speak of.
pub use tidegate_onnx::{CellKind, Metadata, Opset, RecurrentStack, StackSizes};
#[cfg(feature = "libtorch")]
pub use trainer::{Step, Trainer, TrainerState};
pub use training_spec::{Augmentation, Batches, MixedPrecision, Optimizer, Schedule, TrainingSpec};
