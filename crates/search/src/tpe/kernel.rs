//! The kernels of one axis, around any point and of one width.

use statrs::function::erf::{erf, erf_inv};

use crate::Coordinate;
use crate::ruler::{Ruler, Values};
use crate::stream::Stream;

/// How likely values are beside a known one.
#[derive(Debug, Clone)]
pub(super) enum Kernel<'a> {
    /// Listed values: `weight` for each, one more for the known value.
    Listed { count: u64, weight: f64 },
    /// A normal on the fractions of the axis, cut off at 0 and 1.
    Normal { ruler: &'a Ruler, width: f64 },
}

/// A known value, with what its kernel needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Center {
    /// The place of a listed value, or the middle of the cell.
    at: f64,
    /// The normal distribution function at 0 and 1.
    ends: (f64, f64),
    /// What makes the whole mass one, as a logarithm.
    log_scale: f64,
}

impl<'a> Kernel<'a> {
    /// Chooses the width for `n` known points on `axes` axes.
    pub(super) fn new(ruler: &'a Ruler, n: usize, axes: usize) -> Self {
        let n = n.max(1) as f64;
        if let Ruler::Even { count, values: Values::Choices } = ruler {
            return Self::Listed { count: *count, weight: 1.0 / n };
        }
        let width = 0.2 * n.powf(-1.0 / (axes as f64 + 4.0));
        Self::Normal { ruler, width: width.max(1.0 / (n + 1.0).min(100.0)) }
    }

    pub(super) fn center(&self, coordinate: Coordinate) -> Center {
        match self {
            Self::Listed { count, weight } => {
                let Coordinate::Choice(place) = coordinate else { panic!("a coordinate belongs to its axis") };
                let mass = *count as f64 * weight + 1.0;
                Center { at: place as f64, ends: (0.0, 1.0), log_scale: -mass.ln() }
            }
            Self::Normal { ruler, width } => {
                let (start, end) = ruler.cell_of(coordinate);
                let at = 0.5 * (start + end);
                let ends = (normal((0.0 - at) / width), normal((1.0 - at) / width));
                Center { at, ends, log_scale: -(ends.1 - ends.0).ln() }
            }
        }
    }

    /// Returns the logarithm of the mass of a value, or of the density on a continuous axis.
    pub(super) fn log_density(&self, center: &Center, value: &Value) -> f64 {
        let mass = match self {
            Self::Listed { weight, .. } => weight + if value.start == center.at { 1.0 } else { 0.0 },
            Self::Normal { width, .. } if value.end > value.start => {
                normal((value.end - center.at) / width) - normal((value.start - center.at) / width)
            }
            Self::Normal { width, .. } => {
                let z = (value.start - center.at) / width;
                return center.log_scale - 0.5 * z * z - (width * (2.0 * std::f64::consts::PI).sqrt()).ln();
            }
        };
        center.log_scale + mass.max(f64::MIN_POSITIVE).ln()
    }

    /// Returns the logarithm of what a uniform kernel gives every value.
    pub(super) fn log_uniform(&self, value: &Value) -> f64 {
        match self {
            Self::Listed { count, .. } => -(*count as f64).ln(),
            Self::Normal { .. } if value.end > value.start => (value.end - value.start).ln(),
            Self::Normal { .. } => 0.0,
        }
    }

    pub(super) fn value(&self, coordinate: Coordinate) -> Value {
        match (self, coordinate) {
            (Self::Normal { ruler, .. }, coordinate) => {
                let (start, end) = ruler.cell_of(coordinate);
                Value { start, end }
            }
            (Self::Listed { .. }, Coordinate::Choice(place)) => Value { start: place as f64, end: place as f64 },
            _ => panic!("a coordinate belongs to its axis"),
        }
    }

    /// Draws a value around a known one.
    pub(super) fn sample(&self, center: &Center, stream: &mut Stream) -> Coordinate {
        let fraction = stream.fraction();
        match self {
            Self::Listed { count, weight } => {
                // The known value's count first, then the same weight for each.
                let mass = fraction * (*count as f64 * weight + 1.0);
                let place = if mass < 1.0 { center.at } else { ((mass - 1.0) / weight).floor() };
                Coordinate::Choice((place as usize).min(*count as usize - 1))
            }
            Self::Normal { ruler, width } => {
                let quantile = center.ends.0 + fraction * (center.ends.1 - center.ends.0);
                let drawn = center.at + width * std::f64::consts::SQRT_2 * erf_inv(2.0 * quantile - 1.0);
                ruler.at_fraction(drawn.clamp(0.0, 1.0 - f64::EPSILON))
            }
        }
    }

    /// Draws any value.
    pub(super) fn sample_uniform(&self, stream: &mut Stream) -> Coordinate {
        match self {
            Self::Listed { count, .. } => Coordinate::Choice(crate::ruler::cell(stream.fraction(), *count) as usize),
            Self::Normal { ruler, .. } => ruler.at_fraction(stream.fraction()),
        }
    }
}

/// A value as the kernels see it: the ends of its cell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value {
    start: f64,
    end: f64,
}

/// The standard normal distribution function.
fn normal(z: f64) -> f64 {
    0.5 * (1.0 + erf(z * std::f64::consts::FRAC_1_SQRT_2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Axis, Choice, Scale, Space};

    fn space() -> Space {
        Space::new(vec![
            Axis::Choices { name: "c".into(), values: vec![Choice::Other; 4] },
            Axis::Integers { name: "i".into(), low: 3, high: 9, step: 2, scale: Scale::Linear },
            Axis::Integers { name: "l".into(), low: 1, high: 20, step: 1, scale: Scale::Log },
            Axis::Floats { name: "f".into(), low: 0.0, high: 1.0, step: None, scale: Scale::Linear },
        ])
        .expect("a valid space")
    }

    #[test]
    fn a_kernel_has_the_mass_of_one() {
        let space = space();
        for (axis, ruler) in space.rulers().iter().enumerate().take(3) {
            let kernel = Kernel::new(ruler, 7, 4);
            let values: Vec<Coordinate> =
                (0..ruler.count().expect("a discrete axis")).map(|place| ruler.at(place)).collect();
            for known in &values {
                let center = kernel.center(*known);
                let mass: f64 = values.iter().map(|v| kernel.log_density(&center, &kernel.value(*v)).exp()).sum();
                assert!((mass - 1.0).abs() < 1e-9, "axis {axis}: {mass}");
            }
            let uniform: f64 = values.iter().map(|v| kernel.log_uniform(&kernel.value(*v)).exp()).sum();
            assert!((uniform - 1.0).abs() < 1e-12, "axis {axis}: {uniform}");
        }
        let kernel = Kernel::new(&space.rulers()[3], 7, 4);
        let center = kernel.center(Coordinate::Float(0.1));
        let density = |step: i32| {
            kernel.log_density(&center, &kernel.value(Coordinate::Float((f64::from(step) + 0.5) / 10_000.0))).exp()
        };
        let mass = (0..10_000).map(density).sum::<f64>() / 10_000.0;
        assert!((mass - 1.0).abs() < 1e-6, "{mass}");
    }

    #[test]
    fn values_are_drawn_as_often_as_the_density_says() {
        let space = space();
        for ruler in &space.rulers()[..2] {
            let kernel = Kernel::new(ruler, 3, 2);
            let center = kernel.center(ruler.at(1));
            let mut counts = [0u32; 4];
            let mut stream = Stream::new(5, crate::stream::Purpose::Candidates, 0);
            for _ in 0..40_000 {
                let place = ruler.place(kernel.sample(&center, &mut stream)).expect("a discrete axis");
                counts[place as usize] += 1;
            }
            // Chi-square with 3 degrees of freedom exceeds 16.3 once in a thousand.
            let chi_square: f64 = (0..4)
                .map(|place| {
                    let value = kernel.value(ruler.at(place));
                    let expected = 40_000.0 * kernel.log_density(&center, &value).exp();
                    (f64::from(counts[place as usize]) - expected).powi(2) / expected
                })
                .sum();
            assert!(chi_square < 16.3, "{chi_square}: {counts:?}");
        }
    }
}
