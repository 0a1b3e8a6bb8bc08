//! Windows as tensors: checked once, then cut into batches.

use tch::{Kind, Tensor};
use tidegate_forecast::{ForecastError, WindowBlock, Windows};

use crate::target::TargetScale;

/// The windows and targets of one set on one device.
#[derive(Debug)]
pub struct SampleTensors {
    /// One `[N, T, F]` per scale.
    inputs: Vec<Tensor>,
    /// Standardised targets `[N]`; absent where they are not needed.
    targets: Option<Tensor>,
    count: usize,
}

/// Some samples of a set.
#[derive(Debug)]
pub(crate) struct Batch {
    /// One `[B, T, F]` per scale.
    pub(crate) inputs: Vec<Tensor>,
    /// `[B]`.
    pub(crate) targets: Option<Tensor>,
}

impl SampleTensors {
    /// Copies the windows to the device, after every value has been checked.
    pub(crate) fn new(
        windows: &Windows,
        set: &str,
        feature_counts: &[usize],
        target: Option<TargetScale>,
        device: tch::Device,
    ) -> Result<Self, ForecastError> {
        let count = windows.samples.len();
        check_count("scales", feature_counts.len(), windows.scales.len())?;
        let mut inputs = Vec::with_capacity(windows.scales.len());
        for (scale, (block, &features)) in windows.scales.iter().zip(feature_counts).enumerate() {
            check_count("features of a scale", features, block.features)?;
            check_count("values of a scale", count * block.steps * block.features, block.values.len())?;
            check_finite(block, set, scale)?;
            let shape = [count as i64, block.steps as i64, block.features as i64];
            inputs.push(Tensor::from_slice(&block.values).view(shape).to_device(device));
        }
        let targets = match target {
            None => None,
            Some(scale) => Some(Tensor::from_slice(&scale.standardize(&windows.target)?).to_device(device)),
        };
        Ok(Self { inputs, targets, count })
    }

    /// Returns the number of samples.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Returns whether there are no samples.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Picks samples by place.
    pub(crate) fn pick(&self, places: &[i64]) -> Batch {
        let places = Tensor::from_slice(places).to_device(self.inputs[0].device());
        Batch {
            inputs: self.inputs.iter().map(|input| input.index_select(0, &places)).collect(),
            targets: self.targets.as_ref().map(|targets| targets.index_select(0, &places)),
        }
    }

    /// Cuts `size` samples from `start` on, fewer where the set ends.
    pub(crate) fn cut(&self, start: usize, size: usize) -> Batch {
        let [start, filled] = [start, size.min(self.count - start)].map(|place| place as i64);
        Batch {
            inputs: self.inputs.iter().map(|input| input.narrow(0, start, filled)).collect(),
            targets: self.targets.as_ref().map(|targets| targets.narrow(0, start, filled)),
        }
    }
}

fn check_count(what: &'static str, expected: usize, found: usize) -> Result<(), ForecastError> {
    if expected == found { Ok(()) } else { Err(ForecastError::Shape { what, expected, found }) }
}

/// Names the first value that is not finite: its feature column, scale, step and sample.
fn check_finite(block: &WindowBlock, set: &str, scale: usize) -> Result<(), ForecastError> {
    let Some(place) = block.values.iter().position(|value| !value.is_finite()) else { return Ok(()) };
    let (row, feature) = (place / block.features, place % block.features);
    let (sample, step) = (row / block.steps, row % block.steps);
    let what = format!("feature column `{feature}` of scale `{scale}` at step `{step}` of {set} sample `{sample}`");
    Err(ForecastError::NotFinite { what, value: f64::from(block.values[place]) })
}

/// Copies a tensor `[N]` out in double precision.
pub(crate) fn to_doubles(tensor: &Tensor) -> Vec<f64> {
    let tensor = tensor.to_device(tch::Device::Cpu).to_kind(Kind::Double).contiguous();
    let mut values = vec![0.0_f64; tensor.numel()];
    tensor.copy_data(&mut values, tensor.numel());
    values
}
