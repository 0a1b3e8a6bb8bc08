//! A mixture of one kernel per known point and a uniform one.

use super::kernel::{Center, Kernel, Value};
use crate::stream::Stream;
use crate::{Coordinate, Point, Space};

/// A density over a space.
#[derive(Debug, Clone)]
pub(super) struct Density<'a> {
    kernels: Vec<Kernel<'a>>,
    /// One per known point, axis by axis.
    centers: Vec<Vec<Center>>,
}

impl<'a> Density<'a> {
    pub(super) fn new<'p>(space: &'a Space, points: impl ExactSizeIterator<Item = &'p [Coordinate]>) -> Self {
        let (n, axes) = (points.len(), space.axes().len());
        let kernels = space.rulers().iter().map(|ruler| Kernel::new(ruler, n, axes)).collect();
        let mut density = Self { kernels, centers: Vec::with_capacity(n) };
        points.for_each(|point| density.add(point));
        density
    }

    /// Adds a kernel without changing the widths.
    pub(super) fn add(&mut self, point: &[Coordinate]) {
        let centers = self.kernels.iter().zip(point).map(|(kernel, coordinate)| kernel.center(*coordinate));
        let centers = centers.collect();
        self.centers.push(centers);
    }

    /// Returns the logarithm of the density, up to what all densities over the space share.
    pub(super) fn log_density(&self, point: &[Coordinate]) -> f64 {
        let values: Vec<Value> =
            self.kernels.iter().zip(point).map(|(kernel, coordinate)| kernel.value(*coordinate)).collect();
        let uniform: f64 = self.kernels.iter().zip(&values).map(|(kernel, value)| kernel.log_uniform(value)).sum();
        let at_center = |centers: &Vec<Center>| -> f64 {
            self.kernels.iter().zip(centers).zip(&values).map(|((k, c), value)| k.log_density(c, value)).sum()
        };
        let logs: Vec<f64> = self.centers.iter().map(at_center).collect();
        let largest = logs.iter().copied().fold(uniform, f64::max);
        let sum: f64 = (uniform - largest).exp() + logs.iter().map(|log| (log - largest).exp()).sum::<f64>();
        largest + sum.ln() - (self.centers.len() as f64 + 1.0).ln()
    }

    /// Draws a point.
    pub(super) fn sample(&self, stream: &mut Stream) -> Point {
        let chosen = crate::ruler::cell(stream.fraction(), self.centers.len() as u64 + 1) as usize;
        match self.centers.get(chosen) {
            Some(centers) => self.kernels.iter().zip(centers).map(|(k, center)| k.sample(center, stream)).collect(),
            None => self.kernels.iter().map(|kernel| kernel.sample_uniform(stream)).collect(),
        }
    }
}
