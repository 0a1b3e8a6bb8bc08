//! Networks on their way out: from named tensors to the description that ONNX and TorchScript models are written from.

#[cfg(feature = "libtorch")]
mod checkpoint_graph;
mod model_file;
mod network_layout;
#[cfg(feature = "libtorch")]
mod torchscript;

#[cfg(feature = "libtorch")]
pub(crate) use checkpoint_graph::PartNames;
#[cfg(feature = "libtorch")]
pub use checkpoint_graph::{ExportedNetwork, export_checkpoint};
pub use model_file::ModelFile;
pub use network_layout::{NetworkLayout, PoolingLayout, read_network};
#[cfg(feature = "libtorch")]
pub use torchscript::{network_torchscript, stack_torchscript};
