//! What can be wrong with the specification of a network or its training.

/// A specification that cannot be built. What goes wrong in a fit is a [`tidegate_forecast::ForecastError`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A number of a specification outside its range.
    #[error("{key} must be {rule}, was `{value}`")]
    Range {
        /// The key as it is written in a config.
        key: &'static str,
        /// The rule in words.
        rule: &'static str,
        /// The value found.
        value: f64,
    },
    /// A loss that does not train what the head puts out.
    #[error("loss `{loss}` does not fit head `{head}`\nhint: use {losses}, or {heads}")]
    LossDoesNotFitHead {
        /// The loss.
        loss: &'static str,
        /// The head.
        head: &'static str,
        /// The losses that fit the head.
        losses: &'static str,
        /// The heads that fit the loss.
        heads: &'static str,
    },
    /// Scales that the encoder does not read.
    #[error("encoder `{encoder}` must have `1` scale, has `{scales}`\nhint: use encoder `multi_scale_gru`")]
    Scales {
        /// The encoder.
        encoder: &'static str,
        /// The number of scales found.
        scales: usize,
    },
    /// Something asked of a build that has no libtorch.
    #[error("{what} needs libtorch, which this build was made without\nhint: {hint}")]
    NeedsLibtorch {
        /// What was asked for.
        what: String,
        /// What to do.
        hint: &'static str,
    },
    /// Windows whose length is not stated for every scale.
    #[error("window_bars must have `{scales}` entries for encoder `{encoder}`, one per scale, has `{lengths}`")]
    WindowBars {
        /// The encoder.
        encoder: &'static str,
        /// The number of scales.
        scales: usize,
        /// The number of entries found.
        lengths: usize,
    },
    /// GRU layers that pool what Transformer layers are to read.
    #[error(
        "pooling must be `last` for the GRU inside encoder `gru_transformer`\nhint: set the encoder's own `pooling`"
    )]
    InnerPooling,
    /// GRU layers whose states know later steps, below layers that must not.
    #[error("bidirectional must be `false` for the GRU inside encoder `gru_transformer`\nhint: use encoder `gru`")]
    InnerDirection,
    /// Half precision on the main processor.
    #[error(
        "mixed_precision must be absent on device `cpu`, was `float16`\nhint: remove it, or train on device `cuda`"
    )]
    MixedPrecisionOnCpu,
    /// A text that names no device.
    #[error("device must be `cpu`, `cuda` or `cuda:N`, was `{text}`")]
    DeviceName {
        /// The text found.
        text: String,
    },
    /// A device that this libtorch does not see.
    #[error("device `cuda:{index}` must be one of the `{available}` CUDA devices that libtorch sees\nhint: {hint}")]
    DeviceMissing {
        /// The index asked for.
        index: usize,
        /// The number of CUDA devices.
        available: usize,
        /// What to do.
        hint: &'static str,
    },
    /// Bytes that are no safetensors file.
    #[error(
        "{what} must be a whole safetensors file: {reason}\nhint: write the file anew, with `safetensors.torch.save_file`"
    )]
    NotSafetensors {
        /// What the bytes were to be.
        what: &'static str,
        /// What is wrong with them.
        reason: String,
    },
    /// A file of which it is not clear which recurrent layers are meant.
    #[error("{}", stacks_message(wanted.as_deref(), found))]
    Stacks {
        /// The prefix asked for.
        wanted: Option<String>,
        /// The prefixes of the recurrent layers in the file.
        found: Vec<String>,
    },
    /// A tensor that is not in its file.
    #[error("tensor `{name}` must be in the file, is missing")]
    TensorMissing {
        /// The tensor.
        name: String,
    },
    /// A tensor of another shape than its name and the other tensors say.
    #[error("tensor `{name}` must have shape `{expected}`, has `{found:?}`")]
    TensorShape {
        /// The tensor.
        name: String,
        /// The shape in words.
        expected: String,
        /// The shape found.
        found: Vec<usize>,
    },
    /// A tensor whose values are no single-precision floats.
    #[error("tensor `{name}` must have type `F32`, has `{found}`\nhint: save `tensor.float()`")]
    TensorType {
        /// The tensor.
        name: String,
        /// The type found.
        found: String,
    },
    /// A tensor that the network has no place for.
    #[error("tensor `{name}` {why}")]
    TensorUnsupported {
        /// The tensor.
        name: String,
        /// What it is.
        why: &'static str,
    },
    /// A value of a tensor that is not finite.
    #[error("value `{place}` of tensor `{name}` must be finite, was `{value}`")]
    TensorNotFinite {
        /// The tensor.
        name: String,
        /// The value's place, row-major.
        place: usize,
        /// The value found, as text, so that errors can be compared.
        value: String,
    },
    /// A network that cannot be described or written as an ONNX model.
    #[error(transparent)]
    Onnx(#[from] tidegate_onnx::OnnxError),
    /// A network of a kind that has no form outside this crate, or that cannot be made smaller.
    #[error("{what} cannot be {done}\nhint: {hint}")]
    Unsupported {
        /// The part of the network.
        what: String,
        /// What was to be done with it, such as `exported`.
        done: &'static str,
        /// What could be used instead.
        hint: &'static str,
    },
    /// A trained network's bytes that cannot be read.
    #[error("checkpoint must be one that tidegate wrote: {reason}")]
    NotCheckpoint {
        /// What is wrong with them.
        reason: String,
    },
    /// A file that could not be made.
    #[error("file cannot be written: {reason}")]
    NotWritten {
        /// What stands against it.
        reason: String,
    },
}

fn stacks_message(wanted: Option<&str>, found: &[String]) -> String {
    let list = found.iter().map(|prefix| format!("`{prefix}`")).collect::<Vec<_>>().join(", ");
    match (wanted, found) {
        (_, []) => {
            "weights must hold recurrent layers, found no tensor named like `weight_ih_l0`\nhint: use the names of \
                    PyTorch's `state_dict`"
                .to_owned()
        }
        (Some(wanted), _) => {
            format!("weights must hold recurrent layers behind the prefix `{wanted}`, found them behind {list}")
        }
        (None, _) => {
            format!(
                "weights must hold one stack of recurrent layers, found several, behind {list}\nhint: name one of them"
            )
        }
    }
}
