//! Windows as tensors: checked once, then cut into batches.

use std::collections::BTreeMap;

use tch::{Kind, Tensor};
use tidegate_forecast::{ForecastError, Windows};

use crate::network::WindowTensors;
use crate::target::TargetScale;
pub(crate) use crate::window_checks::check_count;
use crate::window_checks::{check_block, valid_steps};

/// The windows and targets of one set on one device.
#[derive(Debug)]
pub struct SampleTensors {
    all: Batch,
}

/// Some samples of a set: what a network reads, and what its losses compare it with.
#[derive(Debug)]
pub(crate) struct Batch {
    /// One `[B, T, F]` per scale. `T` may be less than the specification's where no window of the batch is longer, and only
    /// for encoders that read any number of steps.
    pub(crate) inputs: Vec<Tensor>,
    /// Valid steps per scale, `[B]` each, at least 1: a shorter window lies at the end of its `T` steps, zeros before it.
    /// `None` where every window is full.
    pub(crate) lengths: Vec<Option<Vec<u32>>>,
    /// Standardised targets `[B, K]`, NaN where a label is missing; every sample has one label at least. `None` in a forecast.
    pub(crate) targets: Option<Tensor>,
    /// How much each sample counts, `[B]`, above 0; `None` where all count the same.
    pub(crate) weights: Option<Tensor>,
    /// Place of each sample's series in the panel, `[B]`, 64-bit whole numbers.
    pub(crate) symbols: Tensor,
    /// Each sample's weight times the number of its labels, `[B]`.
    pub(crate) label_weights: Vec<f64>,
    /// What the targets were standardised by, one per horizon; empty where there are none.
    pub(crate) scales: Vec<TargetScale>,
}

impl SampleTensors {
    /// Copies the windows to the device, after every value has been checked; `targets` has one scale per horizon.
    pub(crate) fn new(
        windows: &Windows,
        set: &str,
        feature_counts: &[usize],
        targets: Option<&[TargetScale]>,
        device: tch::Device,
    ) -> Result<Self, ForecastError> {
        let count = windows.samples.len();
        check_count("scales", feature_counts.len(), windows.scales.len())?;
        let mut inputs = Vec::with_capacity(windows.scales.len());
        let mut lengths = Vec::with_capacity(windows.scales.len());
        for (scale, (block, &features)) in windows.scales.iter().zip(feature_counts).enumerate() {
            check_block(block, count, features, set, scale)?;
            let shape = [count as i64, block.steps as i64, block.features as i64];
            inputs.push(Tensor::from_slice(&block.values).view(shape).to_device(device));
            lengths.push(valid_steps(block, count)?);
        }
        let label_weights = if targets.is_some() { label_weights(windows) } else { vec![0.0; count] };
        let target_scales = targets.unwrap_or_default().to_vec();
        let targets = targets.map(|scales| standardized(windows, set, scales)).transpose()?;
        let symbols: Vec<i64> = windows.samples.iter().map(|sample| i64::from(sample.series)).collect();
        let all = Batch {
            inputs,
            lengths,
            targets: targets.map(|targets| targets.to_device(device)),
            weights: sample_weights(windows, set)?.map(|weights| weights.to_device(device)),
            symbols: Tensor::from_slice(&symbols).to_device(device),
            label_weights,
            scales: target_scales,
        };
        Ok(Self { all })
    }

    /// Returns the number of samples.
    pub const fn len(&self) -> usize {
        self.all.len()
    }

    /// Returns whether there are no samples.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the valid steps of every sample, one list per scale; a scale of full windows has one entry for all.
    pub(crate) fn valid_steps(&self) -> Vec<Vec<u32>> {
        let own = |(input, lengths): (&Tensor, &Option<Vec<u32>>)| match lengths {
            Some(lengths) => lengths.clone(),
            None => vec![input.size()[1] as u32],
        };
        self.all.inputs.iter().zip(&self.all.lengths).map(own).collect()
    }

    /// Returns all samples.
    pub(crate) const fn all(&self) -> &Batch {
        &self.all
    }

    /// Picks samples by place.
    pub(crate) fn pick(&self, places: &[i64]) -> Batch {
        self.all.rows(places)
    }

    /// Cuts `size` samples from `start` on, fewer where the set ends.
    #[cfg(test)]
    pub(crate) fn cut(&self, start: usize, size: usize) -> Batch {
        self.pick(&(start as i64..self.len().min(start + size) as i64).collect::<Vec<_>>())
    }

    /// Returns the places of all samples in batches of at most `size`, in their order.
    pub(crate) fn batches(&self, size: usize) -> Vec<Vec<i64>> {
        let places: Vec<i64> = (0..self.len() as i64).collect();
        places.chunks(size).map(<[i64]>::to_vec).collect()
    }

    /// Returns the places of all samples in batches of at most `size` whose windows are of one length in each scale.
    pub(crate) fn batches_of_one_length(&self, size: usize) -> Vec<Vec<i64>> {
        let mut groups = BTreeMap::<Vec<u32>, Vec<i64>>::new();
        for place in 0..self.len() {
            let own = self.all.lengths.iter().flatten().map(|lengths| lengths[place]).collect();
            groups.entry(own).or_default().push(place as i64);
        }
        groups.values().flat_map(|places| places.chunks(size)).map(<[i64]>::to_vec).collect()
    }
}

impl Batch {
    /// Returns what an encoder reads.
    pub(crate) fn windows(&self) -> WindowTensors<'_> {
        WindowTensors { inputs: &self.inputs, lengths: &self.lengths }
    }

    /// Returns the number of samples.
    pub(crate) const fn len(&self) -> usize {
        self.label_weights.len()
    }

    /// Returns what a loss is divided by: the sum of the samples' weights over all labels that are there.
    ///
    /// Losses of parts of a batch, each times its part's weight, add up to the loss of the batch times its weight.
    pub(crate) fn weight(&self) -> f64 {
        self.label_weights.iter().sum()
    }

    /// Returns how many steps the windows of all scales have, and how many of them are padding.
    pub(crate) fn steps_and_padding(&self) -> (usize, usize) {
        let of_scale = |(input, lengths): (&Tensor, &Option<Vec<u32>>)| {
            let steps = self.len() * input.size()[1] as usize;
            let valid = lengths.as_ref().map_or(steps, |lengths| lengths.iter().map(|&length| length as usize).sum());
            (steps, steps - valid)
        };
        let scales = self.inputs.iter().zip(&self.lengths).map(of_scale);
        scales.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    /// Takes away the steps, at the start, that are padding in every window of a scale.
    pub(crate) fn cut_to_longest(mut self) -> Self {
        for (input, lengths) in self.inputs.iter_mut().zip(&mut self.lengths) {
            let Some(valid) = lengths else { continue };
            let longest = valid.iter().max().copied().map_or(0, i64::from);
            let padding = input.size()[1] - longest;
            *input = input.narrow(1, padding, longest);
            if valid.iter().all(|&length| i64::from(length) == longest) {
                *lengths = None;
            }
        }
        self
    }

    /// Splits into batches of full windows, one for every combination of lengths, the shortest first.
    pub(crate) fn split_by_lengths(self) -> Vec<Self> {
        if self.lengths.iter().all(Option::is_none) {
            return vec![self];
        }
        let mut rows = BTreeMap::<Vec<u32>, Vec<i64>>::new();
        for row in 0..self.len() {
            let own = self.lengths.iter().flatten().map(|lengths| lengths[row]).collect();
            rows.entry(own).or_default().push(row as i64);
        }
        rows.into_values().map(|rows| self.rows(&rows).cut_to_longest()).collect()
    }

    fn rows(&self, rows: &[i64]) -> Self {
        let index = Tensor::from_slice(rows).to_device(self.symbols.device());
        let pick = |tensor: &Tensor| tensor.index_select(0, &index);
        let pick_lengths = |lengths: &Vec<u32>| rows.iter().map(|&row| lengths[row as usize]).collect();
        Self {
            inputs: self.inputs.iter().map(pick).collect(),
            lengths: self.lengths.iter().map(|lengths| lengths.as_ref().map(pick_lengths)).collect(),
            targets: self.targets.as_ref().map(pick),
            weights: self.weights.as_ref().map(pick),
            symbols: pick(&self.symbols),
            label_weights: rows.iter().map(|&row| self.label_weights[row as usize]).collect(),
            scales: self.scales.clone(),
        }
    }
}

/// Returns standardised targets `[N, K]`, NaN where a label is missing.
fn standardized(windows: &Windows, set: &str, scales: &[TargetScale]) -> Result<Tensor, ForecastError> {
    let (count, horizons) = (windows.samples.len(), windows.horizons);
    check_count("horizons", scales.len(), horizons)?;
    check_count("targets", count * horizons, windows.target.len())?;
    let mut values = Vec::with_capacity(windows.target.len());
    for (sample, labels) in windows.target.chunks(horizons).enumerate() {
        if labels.iter().all(Option::is_none) {
            return Err(ForecastError::MissingTarget { sample });
        }
        for (horizon, (label, scale)) in labels.iter().zip(scales).enumerate() {
            let Some(label) = *label else {
                values.push(f32::NAN);
                continue;
            };
            let value = scale.standardize(label) as f32;
            if !value.is_finite() {
                let what = format!("the target of horizon `{horizon}` of {set} sample `{sample}` in single precision");
                return Err(ForecastError::NotFinite { what, value: label });
            }
            values.push(value);
        }
    }
    Ok(Tensor::from_slice(&values).view([count as i64, horizons as i64]))
}

/// Returns the samples' weights `[N]`, `None` where all count the same.
fn sample_weights(windows: &Windows, set: &str) -> Result<Option<Tensor>, ForecastError> {
    if windows.weight.is_empty() {
        return Ok(None);
    }
    check_count("sample weights", windows.samples.len(), windows.weight.len())?;
    if let Some(sample) = windows.weight.iter().position(|weight| !(weight.is_finite() && *weight > 0.0)) {
        return Err(ForecastError::Range {
            name: "sample weight",
            rule: "above 0 and finite".to_owned(),
            value: format!("{} ({set} sample {sample})", windows.weight[sample]),
        });
    }
    let weights: Vec<f32> = windows.weight.iter().map(|&weight| weight as f32).collect();
    Ok(Some(Tensor::from_slice(&weights)))
}

/// Returns each sample's weight times the number of its labels.
fn label_weights(windows: &Windows) -> Vec<f64> {
    let labels = windows.target.chunks(windows.horizons).map(|labels| labels.iter().flatten().count() as f64);
    if windows.weight.is_empty() {
        return labels.collect();
    }
    labels.zip(&windows.weight).map(|(labels, weight)| labels * weight).collect()
}

/// Copies a tensor `[N]` out in double precision.
pub(crate) fn to_doubles(tensor: &Tensor) -> Vec<f64> {
    let tensor = tensor.to_device(tch::Device::Cpu).to_kind(Kind::Double).contiguous();
    let mut values = vec![0.0_f64; tensor.numel()];
    tensor.copy_data(&mut values, tensor.numel());
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::learnable;
    use crate::parameters::to_vec;

    /// Six samples of one scale over two horizons; sample 1 has no second label, sample 4 no first.
    fn two_horizons() -> Windows {
        let mut windows = learnable(6, 1, 1);
        windows.horizons = 2;
        windows.target = (0..12_u8).map(|place| Some(f64::from(place))).collect();
        (windows.target[3], windows.target[8]) = (None, None);
        windows.weight = vec![1.0, 2.0, 0.5, 1.0, 0.25, 1.25];
        windows.scales[0].lengths = vec![6, 6, 2, 6, 1, 6];
        windows.samples[4].series = 3;
        windows
    }

    fn tensors(windows: &Windows) -> Result<SampleTensors, ForecastError> {
        let scales = TargetScale::of(windows)?;
        SampleTensors::new(windows, "training", &[3], Some(&scales), tch::Device::Cpu)
    }

    fn refused(change: impl FnOnce(&mut Windows)) -> String {
        let mut windows = two_horizons();
        change(&mut windows);
        tensors(&windows).expect_err("the windows are wrong").to_string()
    }

    #[test]
    fn a_batch_holds_the_rows_that_were_picked() {
        let windows = two_horizons();
        let batch = tensors(&windows).expect("sane").pick(&[4, 1]);
        assert_eq!(to_vec(&batch.inputs[0]), [windows.scales[0].window(4), windows.scales[0].window(1)].concat());
        assert_eq!(batch.lengths, [Some(vec![1, 6])]);
        assert_eq!(to_vec(&batch.symbols), [3.0, 0.0]);
        assert_eq!(to_vec(batch.weights.as_ref().expect("weights")), [0.25, 2.0]);
        // First horizon: 0, 2, 4, 6, 10 with mean 4.4 and variance 11.84; second: 1, 5, 7, 9, 11 with mean 6.6 and 11.84.
        let targets = to_vec(batch.targets.as_ref().expect("targets"));
        assert!(targets[0].is_nan() && targets[3].is_nan(), "{targets:?}");
        let expected = [(9.0 - 6.6) / 11.84_f64.sqrt(), (2.0 - 4.4) / 11.84_f64.sqrt()];
        for (found, expected) in targets[1..3].iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-6, "{targets:?}");
        }
    }

    #[test]
    fn a_batch_weighs_as_much_as_its_labels() {
        let samples = tensors(&two_horizons()).expect("sane");
        // Two labels of weights 1, 0.5, 1 and 1.25, one label of weights 2 and 0.25.
        assert_eq!(samples.cut(0, 10).weight(), 2.0 * 3.75 + 2.25);
        assert_eq!(samples.pick(&[4, 0]).weight(), 2.25);
        let unweighted = tensors(&Windows { weight: vec![], ..two_horizons() }).expect("sane");
        assert_eq!(unweighted.cut(0, 3).weight(), 5.0);
    }

    #[test]
    fn batches_lose_the_steps_that_are_padding_everywhere() {
        let samples = tensors(&two_horizons()).expect("sane");
        assert_eq!(samples.cut(0, 6).steps_and_padding(), (36, 9));
        let cut = samples.pick(&[2, 4]).cut_to_longest();
        assert_eq!((cut.inputs[0].size(), cut.lengths.clone()), (vec![2, 2, 3], vec![Some(vec![2, 1])]));
        assert_eq!(cut.steps_and_padding(), (4, 1));
        let last_steps = [samples.pick(&[2]), cut].map(|batch| to_vec(&batch.inputs[0].select(0, 0))[..].to_vec());
        assert_eq!(last_steps[0][12..], last_steps[1][..]);
    }

    #[test]
    fn a_batch_splits_into_full_windows_of_one_length_each() {
        let samples = tensors(&two_horizons()).expect("sane");
        let parts = samples.cut(0, 6).split_by_lengths();
        let shapes: Vec<Vec<i64>> = parts.iter().map(|part| part.inputs[0].size()).collect();
        assert_eq!(shapes, [vec![1, 1, 3], vec![1, 2, 3], vec![4, 6, 3]]);
        assert!(parts.iter().all(|part| part.lengths == [None]));
        let weights: Vec<f64> = parts.iter().map(Batch::weight).collect();
        // Samples 4, 2, and 0, 1, 3, 5.
        assert_eq!(weights, [0.25, 1.0, 2.0 + 2.0 + 2.0 + 2.5]);
    }

    #[test]
    fn full_windows_have_no_lengths() {
        let mut windows = two_horizons();
        windows.scales[0].lengths = vec![6; 6];
        assert_eq!(tensors(&windows).expect("sane").cut(2, 2).lengths, [None]);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        assert_eq!(
            refused(|windows| windows.scales[0].lengths[2] = 7),
            "length of a window must be in [1, 6], was `7`"
        );
        assert_eq!(
            refused(|windows| windows.weight[2] = 0.0),
            "sample weight must be above 0 and finite, was `0 (training sample 2)`"
        );
        assert_eq!(
            refused(|windows| windows.target[2] = None),
            "every sample of a fit must have a label, sample `1` has none"
        );
        assert_eq!(
            refused(|windows| windows.weight.truncate(5)),
            "sample weights must have `6` entries as in the fit, has `5`"
        );
    }

    #[test]
    fn a_target_beyond_single_precision_is_named() {
        let windows = two_horizons();
        let scales = [TargetScale { mean: 0.0, standard_deviation: 1e-38 }; 2];
        let message = SampleTensors::new(&windows, "validation", &[3], Some(&scales), tch::Device::Cpu)
            .expect_err("5 / 1e-38 is more than a single precision number holds")
            .to_string();
        assert_eq!(
            message,
            "the target of horizon `0` of validation sample `2` in single precision must be finite, was `4`"
        );
    }
}
