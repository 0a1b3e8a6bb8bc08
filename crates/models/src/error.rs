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
    #[error("loss `{loss}` does not fit head `{head}`\nhint: use {hint}")]
    LossDoesNotFitHead {
        /// The loss.
        loss: &'static str,
        /// The head.
        head: &'static str,
        /// The losses or heads that would fit.
        hint: &'static str,
    },
    /// Scales that the encoder does not read.
    #[error("encoder `gru` must have `1` scale, has `{scales}`\nhint: use encoder `multi_scale_gru`")]
    Scales {
        /// The number of scales found.
        scales: usize,
    },
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
}
