//! Probability integral transform.

use crate::forecast::scored_forecast::Stated;

/// The probability that a forecast gave to what happened or less.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Transform {
    /// The probability of a value at most the observation: the transform.
    pub(crate) at_most: f64,
    /// The probability of a value below it, which differs only where quantiles coincide.
    pub(crate) below: f64,
    /// The series of the observation.
    pub(crate) series: u32,
}

impl Transform {
    /// Returns whether the observation is inside the central interval of a probability: `Q((1 - p) / 2) <= y <= Q((1 + p) / 2)`.
    pub(crate) fn inside(&self, probability: f64) -> bool {
        self.at_most >= f64::midpoint(1.0, -probability) && self.below <= f64::midpoint(1.0, probability)
    }
}

/// Computes the probability that each forecast gave to a value at most the observation: uniform on (0, 1) when calibrated;
/// `None` when one is a point.
///
/// `F(actual)`. Source: Diebold, Gunther and Tay (1998), "Evaluating Density Forecasts".
pub(crate) fn transforms(rows: &[Stated]) -> Option<Vec<Transform>> {
    let transform = |row: &Stated| {
        row.distribution.states_spread().then(|| Transform {
            at_most: row.distribution.cdf(row.actual),
            below: row.distribution.cdf_below(row.actual),
            series: row.series,
        })
    };
    rows.iter().map(transform).collect()
}

/// Returns the transforms alone.
pub(crate) fn values(transforms: &[Transform]) -> Vec<f64> {
    transforms.iter().map(|transform| transform.at_most).collect()
}

/// Counts transforms in equal bins of [0, 1]; a value on an edge belongs to the bin above, 1 to the last.
pub(crate) fn histogram<const BINS: usize>(transforms: &[Transform]) -> [u64; BINS] {
    let mut counts = [0; BINS];
    for transform in transforms {
        counts[((transform.at_most * BINS as f64) as usize).min(BINS - 1)] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Distribution;
    use crate::vectors::{FORECAST, assert_close, floats};

    #[test]
    fn transforms_equal_the_reference() {
        let read = |key: &str| floats(&FORECAST[key]);
        let (mean, deviation, actual, expected) = (read("mu"), read("sigma"), read("y"), read("pit"));
        for row in 0..expected.len() {
            let distribution = Distribution::Normal { mean: mean[row], standard_deviation: deviation[row] };
            let found = transforms(&[Stated { distribution, actual: actual[row], series: 0 }]).expect("a spread");
            assert_close(Some(found[0].at_most), expected[row]);
            assert_eq!(found[0].below, found[0].at_most);
        }
    }

    #[test]
    fn an_edge_belongs_to_the_bin_above() {
        let rows = [0.0, 0.05, 0.5, 0.95, 1.0].map(|at_most| Transform { at_most, below: at_most, series: 0 });
        assert_eq!(histogram(&rows), [2, 0, 0, 0, 0, 1, 0, 0, 0, 2]);
    }

    #[test]
    fn an_observation_on_coinciding_quantiles_is_inside_what_they_span() {
        // Levels 0.2 and 0.8 both at 5: at 5 the distribution function jumps from 0.2 to 0.8, and the 20 % interval is [5, 5].
        let (levels, values) = (vec![0.1, 0.2, 0.8, 0.9], vec![4.0, 5.0, 5.0, 7.0]);
        let row = |actual| Stated {
            distribution: Distribution::Quantiles { levels: levels.clone(), values: values.clone() },
            actual,
            series: 0,
        };
        let found = transforms(&[row(5.0), row(5.1)]).expect("a spread");
        assert_eq!((found[0].below, found[0].at_most), (0.2, 0.8));
        assert_eq!((found[0].inside(0.2), found[1].inside(0.2)), (true, false));
        // The 80 % interval is [4, 7].
        assert_eq!((found[1].inside(0.8), transforms(&[row(7.1)]).expect("a spread")[0].inside(0.8)), (true, false));
    }
}
