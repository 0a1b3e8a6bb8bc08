//! Recurrent networks written as ONNX models, from plain sizes and weights.
//!
//! A description goes in, the bytes of a model come out; there is no libtorch, file or data frame here, and nothing is computed:
//! whether a model says what the network said is for a runtime to show (`scripts/onnx_check.py`, `docs/EXPORT.md`).
//!
//! Invariants:
//! - a description that exists is consistent: sizes fit each other, every weight is finite;
//! - batch and time of every model are free;
//! - the same description gives the same bytes.

mod opset;
mod proto;

mod graph;
mod metadata;

mod linear;
mod stack;

mod head;
mod pooling;
mod recurrent;

mod network_model;
mod stack_model;
mod summary;

mod error;

pub use error::OnnxError;
pub use graph::Dimension;
pub use head::{DegreesOfFreedom, HeadGraph, HeadKind, TargetScale};
pub use linear::LinearLayer;
pub use metadata::Metadata;
pub use network_model::{EncoderGraph, NetworkGraph, ScaleGraph, SymbolEmbedding};
pub use opset::Opset;
pub use pooling::Pooling;
pub use stack::{CellKind, LayerWeights, RecurrentStack, StackSizes};
pub use stack_model::{InitialState, stack_model};
pub use summary::{ModelSummary, Port};
