//! Any file with a network in it: one of ours, or recurrent layers under the names that PyTorch gives them.

use std::path::Path;

use tidegate_onnx::{InitialState, Metadata, Opset, RecurrentStack, StackSizes, stack_model};

#[cfg(feature = "libtorch")]
use super::checkpoint_graph::{ExportedNetwork, export_checkpoint};
#[cfg(feature = "libtorch")]
use super::torchscript::{network_torchscript, stack_torchscript};
use crate::ModelError;
use crate::sealed_file;
use crate::state_dict::{read_stack, write_stack};

/// A network that was read from a file and is to leave in another form.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelFile {
    /// A trained network of ours, in single precision or of eight bits.
    #[cfg(feature = "libtorch")]
    Network {
        /// The network and what is known of it.
        network: Box<ExportedNetwork>,
        /// Its checkpoint.
        checkpoint: Vec<u8>,
    },
    /// Recurrent layers alone.
    Stack(RecurrentStack),
}

impl ModelFile {
    /// Reads a checkpoint, a network that was quantized to eight bits, or a safetensors file of PyTorch's names; `prefix` says
    /// which recurrent layers of the latter are meant.
    ///
    /// # Errors
    /// [`ModelError::NotCheckpoint`] for a damaged file of ours, [`ModelError::Unsupported`] for a network that has no form
    /// outside, whatever [`read_stack`] refuses of other files; [`ModelError::NeedsLibtorch`] for a file of ours in a build
    /// without libtorch.
    pub fn read(bytes: &[u8], prefix: Option<&str>) -> Result<Self, ModelError> {
        if sealed_file::is_ours(bytes) { Self::read_ours(bytes) } else { Ok(Self::Stack(read_stack(bytes, prefix)?)) }
    }

    #[cfg(feature = "libtorch")]
    fn read_ours(bytes: &[u8]) -> Result<Self, ModelError> {
        // A file of eight bits says so in its header; any other is taken for a checkpoint, whose error is the one to show.
        let checkpoint = crate::compress::dequantize(bytes).unwrap_or_else(|_| bytes.to_vec());
        Ok(Self::Network { network: Box::new(export_checkpoint(&checkpoint)?), checkpoint })
    }

    #[cfg(not(feature = "libtorch"))]
    fn read_ours(_: &[u8]) -> Result<Self, ModelError> {
        let hint =
            "export with a build with default features; recurrent layers under PyTorch's names are exported here too";
        Err(ModelError::NeedsLibtorch { what: "reading a checkpoint for export".to_owned(), hint })
    }

    /// Returns whether it is a whole network with a head.
    pub const fn has_head(&self) -> bool {
        !matches!(self, Self::Stack(_))
    }

    /// Returns the sizes of the recurrent layers, scale by scale.
    pub fn stacks(&self) -> Vec<StackSizes> {
        match self {
            #[cfg(feature = "libtorch")]
            Self::Network { network, .. } => {
                network.graph.encoder().scales().iter().map(|scale| scale.stack.sizes()).collect()
            }
            Self::Stack(stack) => vec![stack.sizes()],
        }
    }

    /// Writes it as one ONNX model, with more lines beside its own metadata. Layers alone take the states from which they start
    /// as optional inputs.
    pub fn onnx(&self, opset: Opset, more: &Metadata) -> Vec<u8> {
        match self {
            #[cfg(feature = "libtorch")]
            Self::Network { network, .. } => network.graph.model(opset, &joined(&network.metadata, more)),
            Self::Stack(stack) => stack_model(stack, InitialState::Optional, opset, more),
        }
    }

    /// Writes encoder and head as two ONNX models.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] for layers alone.
    pub fn onnx_parts(&self, opset: Opset, more: &Metadata) -> Result<[Vec<u8>; 2], ModelError> {
        match self {
            #[cfg(feature = "libtorch")]
            Self::Network { network, .. } => {
                let metadata = joined(&network.metadata, more);
                Ok([network.graph.encoder_model(opset, &metadata), network.graph.head_model(opset, &metadata)])
            }
            Self::Stack(_) => {
                let _ = (opset, more);
                let hint = "leave out `--split`, or name a run directory or a checkpoint";
                Err(ModelError::Unsupported {
                    what: "a file of recurrent layers alone".to_owned(),
                    done: "split",
                    hint,
                })
            }
        }
    }

    /// Writes it as TorchScript.
    ///
    /// # Errors
    /// [`ModelError::NotWritten`] when libtorch cannot record or write it; [`ModelError::NeedsLibtorch`].
    #[cfg(feature = "libtorch")]
    pub fn torchscript(&self, path: &Path) -> Result<(), ModelError> {
        match self {
            Self::Network { network, .. } => network_torchscript(&network.graph, path),
            Self::Stack(stack) => stack_torchscript(stack, path),
        }
    }

    /// Refuses: TorchScript is recorded by libtorch.
    ///
    /// # Errors
    /// [`ModelError::NeedsLibtorch`].
    #[cfg(not(feature = "libtorch"))]
    pub fn torchscript(&self, _: &Path) -> Result<(), ModelError> {
        let hint = "build with default features, or export with `--format onnx`";
        Err(ModelError::NeedsLibtorch { what: "TorchScript".to_owned(), hint })
    }

    /// Returns it as a safetensors file under PyTorch's names; layers alone lose their prefix.
    ///
    /// # Errors
    /// [`ModelError::NotWritten`] when the format refuses a name or size.
    pub fn safetensors(&self) -> Result<Vec<u8>, ModelError> {
        match self {
            #[cfg(feature = "libtorch")]
            Self::Network { checkpoint, .. } => Ok(checkpoint.clone()),
            Self::Stack(stack) => write_stack(stack, ""),
        }
    }
}

#[cfg(feature = "libtorch")]
fn joined(own: &Metadata, more: &Metadata) -> Metadata {
    more.entries().fold(own.clone(), |all, (key, value)| all.with(key, value))
}

#[cfg(test)]
mod tests {
    use tidegate_onnx::ModelSummary;

    use super::*;

    fn reference(file: &str) -> Vec<u8> {
        let path = format!("{}/../../tests/vectors/nn/{file}.safetensors", env!("CARGO_MANIFEST_DIR"));
        std::fs::read(path).expect("the reference file is in the repository")
    }

    #[test]
    fn layers_of_pytorch_leave_as_onnx_and_under_their_names() {
        let file = ModelFile::read(&reference("gru_l2"), None).expect("a stack behind `w.`");
        assert!(!file.has_head());
        let own = Metadata::default().with("made", "here");
        let summary = ModelSummary::read(&file.onnx(Opset::default(), &own)).expect("as written");
        assert_eq!(summary.metadata.value("made"), Some("here"));
        let again = ModelFile::read(&file.safetensors().expect("plain names"), Some("")).expect("without a prefix");
        assert_eq!(again, file);
        let message = file.onnx_parts(Opset::default(), &own).expect_err("no head").to_string();
        assert!(message.starts_with("a file of recurrent layers alone cannot be split\nhint: "), "{message}");
    }

    #[cfg(feature = "libtorch")]
    #[test]
    fn a_checkpoint_and_its_form_of_eight_bits_are_read() {
        let checkpoint = crate::fixture::fresh_checkpoint(&crate::fixture::gaussian(), 3);
        let file = ModelFile::read(&checkpoint, None).expect("a checkpoint");
        assert_eq!(file.safetensors().expect("its own bytes"), checkpoint);
        assert_eq!(file.stacks().len(), 2);
        let own = Metadata::default().with("made", "here");
        let summary = ModelSummary::read(&file.onnx(Opset::default(), &own)).expect("as written");
        assert!(summary.metadata.value("made").is_some() && summary.metadata.value("tidegate.network").is_some());
        let rounded = ModelFile::read(&crate::compress::quantize(&checkpoint).expect("finite"), None);
        assert_eq!(rounded.expect("weights of eight bits").stacks(), file.stacks());
    }

    #[test]
    fn other_bytes_are_refused() {
        let message = ModelFile::read(b"no model", None).expect_err("no safetensors").to_string();
        assert!(message.starts_with("weights must be a whole safetensors file"), "{message}");
    }
}
