//! What a network says about a batch, in the targets' standardised units, and what that means in the targets' own.

use std::sync::Arc;

use tch::{Kind, Tensor};
use tidegate_forecast::{Predictive, PredictiveShape, Quantile};

use crate::quantile_moments::moments;
use crate::samples::to_doubles;
use crate::target::TargetScale;

/// One distribution per sample and horizon, `[B, K]` each.
#[derive(Debug)]
pub(crate) enum NetworkOutput {
    /// Expected values.
    Point { mean: Tensor },
    /// Normal distributions.
    Gaussian { mean: Tensor, variance: Tensor },
    /// Student's t.
    StudentT { location: Tensor, scale_squared: Tensor, degrees_of_freedom: Tensor },
    /// Values at levels of probability, `[B, K, Q]`, never falling.
    Quantiles { levels: Vec<f64>, values: Tensor },
}

impl NetworkOutput {
    /// Returns the first samples of the batch.
    pub(crate) fn first(&self, count: i64) -> Self {
        self.map(|tensor| tensor.narrow(0, 0, count))
    }

    /// Returns the same numbers in single precision.
    pub(crate) fn in_single_precision(&self) -> Self {
        self.map(|tensor| tensor.to_kind(Kind::Float))
    }

    /// Returns the samples in the order of their places, given the place of each.
    pub(crate) fn in_order(&self, places: &[i64]) -> Self {
        let mut rows = vec![0_i64; places.len()];
        places.iter().zip(0..).for_each(|(&place, row)| rows[place as usize] = row);
        let rows = Tensor::from_slice(&rows);
        self.map(|tensor| tensor.index_select(0, &rows.to_device(tensor.device())))
    }

    /// Joins the outputs of batches of one network; `None` without any.
    pub(crate) fn joined(batches: &[Self]) -> Option<Self> {
        let first = batches.first()?;
        let mut parts: Vec<Vec<&Tensor>> = vec![Vec::new(); first.tensors().len()];
        for batch in batches {
            parts.iter_mut().zip(batch.tensors()).for_each(|(part, tensor)| part.push(tensor));
        }
        let mut joined = parts.into_iter().map(|part| Tensor::cat(&part, 0));
        Some(first.map(|_| joined.next().expect("as many tensors as before")))
    }

    /// Returns the distributions in the targets' units, one scale per horizon: `[B, K]` row-major.
    pub(crate) fn predictives(&self, scales: &[TargetScale]) -> Vec<Predictive> {
        let values: Vec<Vec<f64>> = self.tensors().into_iter().map(to_doubles).collect();
        let count = self.tensors()[0].size()[..2].iter().product::<i64>() as usize;
        (0..count).map(|place| self.predictive(&values, place, scales[place % scales.len()])).collect()
    }

    fn predictive(&self, values: &[Vec<f64>], place: usize, scale: TargetScale) -> Predictive {
        let (mean, variance, shape) = match self {
            Self::Point { .. } => (values[0][place], None, PredictiveShape::Normal),
            Self::Gaussian { .. } => (values[0][place], Some(values[1][place]), PredictiveShape::Normal),
            Self::StudentT { .. } => {
                let degrees_of_freedom = values[2][place];
                let variance = values[1][place] * degrees_of_freedom / (degrees_of_freedom - 2.0);
                (values[0][place], Some(variance), PredictiveShape::StudentT { degrees_of_freedom })
            }
            Self::Quantiles { levels, .. } => {
                let own = &values[0][place * levels.len()..][..levels.len()];
                let (mean, variance) = moments(levels, own);
                let quantile = |(&level, &value): (&f64, &f64)| Quantile { level, value: scale.mean(value) };
                let quantiles: Arc<[Quantile]> = levels.iter().zip(own).map(quantile).collect();
                (mean, Some(variance), PredictiveShape::Quantiles(quantiles))
            }
        };
        let variance = variance.map(|variance| scale.variance(variance));
        Predictive { mean: scale.mean(mean), variance, epistemic_variance: None, shape }
    }

    fn tensors(&self) -> Vec<&Tensor> {
        match self {
            Self::Point { mean } => vec![mean],
            Self::Gaussian { mean, variance } => vec![mean, variance],
            Self::StudentT { location, scale_squared, degrees_of_freedom } => {
                vec![location, scale_squared, degrees_of_freedom]
            }
            Self::Quantiles { values, .. } => vec![values],
        }
    }

    fn map(&self, mut change: impl FnMut(&Tensor) -> Tensor) -> Self {
        match self {
            Self::Point { mean } => Self::Point { mean: change(mean) },
            Self::Gaussian { mean, variance } => Self::Gaussian { mean: change(mean), variance: change(variance) },
            Self::StudentT { location, scale_squared, degrees_of_freedom } => Self::StudentT {
                location: change(location),
                scale_squared: change(scale_squared),
                degrees_of_freedom: change(degrees_of_freedom),
            },
            Self::Quantiles { levels, values } => Self::Quantiles { levels: levels.clone(), values: change(values) },
        }
    }
}
