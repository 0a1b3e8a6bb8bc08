//! Neural forecasters: GRU encoders, heads, losses, training and checkpoints.
//!
//! [`NeuralForecaster`] implements [`tidegate_forecast::Forecaster`]; a specification goes in, forecasts and bytes come out,
//! and no tensor crosses the border of this crate. There are no folds, features, files or threads here.
//!
//! On the main processor GRU layers run in `tidegate-recurrence`; everything else, and GRU layers on CUDA, runs in libtorch.
//!
//! Without the feature `libtorch` only the specifications are left, so that a config can be read, checked and refused.
//!
//! Invariants:
//! - the same task gives the same bytes on the CPU, whatever the number of threads around it: every random number comes from
//!   a seeded ChaCha generator of our own, and every fit uses one libtorch thread;
//! - a forecast does not depend, by a single bit, on the samples forecast beside it;
//! - both recurrences give the same losses and gradients to rounding; which one runs follows from the device alone;
//! - dropout exists only in a training step: an evaluation has no masks to apply;
//! - a checkpoint is read whole and unchanged, or not at all.

mod error;
mod spec;
mod training_spec;

#[cfg(feature = "libtorch")]
mod adam;
#[cfg(feature = "libtorch")]
mod checkpoint;
#[cfg(feature = "libtorch")]
mod device;
#[cfg(feature = "libtorch")]
mod dropout;
#[cfg(feature = "libtorch")]
mod fit;
#[cfg(all(test, feature = "libtorch"))]
mod fixture;
#[cfg(feature = "libtorch")]
mod forecaster;
#[cfg(feature = "libtorch")]
mod gru;
#[cfg(feature = "libtorch")]
mod initial_weights;
#[cfg(feature = "libtorch")]
mod loss;
#[cfg(feature = "libtorch")]
mod native;
#[cfg(feature = "libtorch")]
mod network;
#[cfg(feature = "libtorch")]
mod parameters;
#[cfg(all(test, feature = "libtorch"))]
mod pytorch_vectors;
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
mod target;
#[cfg(feature = "libtorch")]
mod threads;
#[cfg(feature = "libtorch")]
mod trainer;

#[cfg(feature = "libtorch")]
pub use adam::AdamState;
#[cfg(feature = "libtorch")]
pub use device::Device;
pub use error::ModelError;
#[cfg(feature = "libtorch")]
pub use forecaster::NeuralForecaster;
#[cfg(feature = "libtorch")]
pub use recurrence::Recurrence;
#[cfg(feature = "libtorch")]
pub use samples::SampleTensors;
pub use spec::{Encoder, GruSpec, Head, Loss, NetworkSpec};
#[cfg(feature = "libtorch")]
pub use trainer::{Step, Trainer, TrainerState};
pub use training_spec::{Optimizer, Schedule, TrainingSpec};
