//! Where a network runs.

use std::fmt;
use std::str::FromStr;

use crate::ModelError;
use crate::training_spec::TrainingSpec;

/// The processor that holds a network's weights.
///
/// Results are bit-identical between runs on [`Device::Cpu`]; a CUDA device sums in an order of its own choosing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// The main processor, one libtorch thread per fit.
    Cpu,
    /// A CUDA device.
    Cuda {
        /// Zero-based index.
        index: usize,
    },
}

impl Device {
    /// Reads `cpu`, `cuda` (the first one) or `cuda:N`, and checks that libtorch sees the device.
    ///
    /// # Errors
    /// [`ModelError::DeviceName`] for any other text, [`ModelError::DeviceMissing`] for a CUDA device that is not there,
    /// [`ModelError::NeedsLibtorch`] for one in a build without libtorch.
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        let name_error = || ModelError::DeviceName { text: text.to_owned() };
        let index = match text {
            "cpu" => return Ok(Self::Cpu),
            "cuda" => 0,
            _ => text.strip_prefix("cuda:").and_then(|index| index.parse().ok()).ok_or_else(name_error)?,
        };
        Self::cuda(index)
    }

    #[cfg(feature = "libtorch")]
    fn cuda(index: usize) -> Result<Self, ModelError> {
        let available = usize::try_from(tch::Cuda::device_count()).unwrap_or(0);
        if index < available {
            return Ok(Self::Cuda { index });
        }
        let hint = if available == 0 {
            "use device `cpu`, or point LIBTORCH to a CUDA build of libtorch and rebuild"
        } else {
            "use a smaller index"
        };
        Err(ModelError::DeviceMissing { index, available, hint })
    }

    #[cfg(not(feature = "libtorch"))]
    fn cuda(index: usize) -> Result<Self, ModelError> {
        let hint = "use device `cpu`, or build with default features and a CUDA build of libtorch";
        Err(ModelError::NeedsLibtorch { what: format!("device `cuda:{index}`"), hint })
    }

    /// Returns libtorch's name of the device.
    #[cfg(feature = "libtorch")]
    pub(crate) const fn tch(self) -> tch::Device {
        match self {
            Self::Cpu => tch::Device::Cpu,
            Self::Cuda { index } => tch::Device::Cuda(index),
        }
    }
}

impl FromStr for Device {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Device {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => formatter.write_str("cpu"),
            Self::Cuda { index } => write!(formatter, "cuda:{index}"),
        }
    }
}

/// Refuses half precision where libtorch does not offer it.
pub(crate) fn check_device(training: &TrainingSpec, device: Device) -> Result<(), ModelError> {
    match device {
        Device::Cpu if training.mixed_precision.is_some() => Err(ModelError::MixedPrecisionOnCpu),
        Device::Cpu | Device::Cuda { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_is_always_there() {
        assert_eq!(Device::parse("cpu"), Ok(Device::Cpu));
        assert_eq!(Device::Cpu.to_string(), "cpu");
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_names_that_exist() {
        let message = Device::parse("gpu").expect_err("no such device").to_string();
        assert_eq!(message, "device must be `cpu`, `cuda` or `cuda:N`, was `gpu`");
        assert!(Device::parse("cuda:x").is_err());
    }

    #[cfg(not(feature = "libtorch"))]
    #[test]
    fn a_cuda_device_needs_libtorch() {
        let message = Device::parse("cuda").expect_err("no libtorch").to_string();
        assert!(message.starts_with("device `cuda:0` needs libtorch, which this build was made without"), "{message}");
    }

    #[cfg(feature = "libtorch")]
    #[test]
    fn a_cuda_device_that_is_not_there_is_refused() {
        let message = Device::parse("cuda:4096").expect_err("no machine has that many").to_string();
        assert!(message.starts_with("device `cuda:4096` must be one of"), "{message}");
        assert!(message.contains("hint: "), "{message}");
    }
}
