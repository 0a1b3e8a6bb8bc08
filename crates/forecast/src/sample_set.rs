//! Samples with the labels that may be looked at.

use std::ops::{Deref, Range};

use crate::{Panel, Sample};

/// Samples, sorted by closing time and then by the series' order, with their labels.
///
/// In a training or validation set a label that the purge took away is `None`, exactly like one that the data do not reach, so
/// that nothing made from the set can see it. It reads as the slice of its samples.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleSet {
    /// The samples, `N` of them.
    pub samples: Vec<Sample>,
    /// Forecast horizons, `K`, at least 1.
    pub horizons: usize,
    /// Each sample's labels; `None` where the future does not reach far enough, or where the label is purged.
    ///
    /// # Shapes
    /// `[N, K]`, row-major, the nearest horizon first.
    pub target: Vec<Option<f64>>,
    /// How much each sample counts in a training, `[N]`, above 0 with mean 1; empty where all count the same.
    pub weight: Vec<f64>,
}

impl SampleSet {
    /// Takes samples with every label that the panel has for them, purged or not: for forecasts and their scores, never for a
    /// training or validation set, which [`crate::split_samples`] makes.
    ///
    /// # Panics
    /// When a sample is not a row of the panel.
    pub fn with_all_labels(panel: &Panel, samples: Vec<Sample>) -> Self {
        let target =
            samples.iter().flat_map(|&sample| panel.labels(sample).map(|label| label.map(|label| label.value)));
        Self { horizons: panel.horizons(), target: target.collect(), samples, weight: Vec::new() }
    }

    /// Returns one sample's labels, the nearest horizon first.
    ///
    /// # Shapes
    /// `[K]`.
    pub fn labels(&self, sample: usize) -> &[Option<f64>] {
        &self.target[sample * self.horizons..(sample + 1) * self.horizons]
    }

    /// Returns the places of the samples that close within a range of the panel's axis.
    pub fn within(&self, panel: &Panel, bars: &Range<usize>) -> Range<usize> {
        let known = |sample: &Sample| panel.known_time(sample.series, sample.row as usize);
        match panel.axis.get(bars.clone()) {
            None | Some([]) => 0..0,
            Some([first, .., last] | [first @ last]) => {
                self.samples.partition_point(|sample| known(sample) < *first)
                    ..self.samples.partition_point(|sample| known(sample) <= *last)
            }
        }
    }
}

impl Deref for SampleSet {
    type Target = [Sample];

    fn deref(&self) -> &[Sample] {
        &self.samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{labels, series};

    #[test]
    fn labels_stand_row_by_row_with_the_nearest_horizon_first() {
        let mut one = series(0, &[0, 1, 2, 3], 1);
        one.targets.push(labels(4, 0, 3));
        let panel = Panel::new(vec![one]).expect("sane");
        let set = SampleSet::with_all_labels(&panel, vec![Sample { series: 0, row: 0 }, Sample { series: 0, row: 2 }]);
        assert_eq!((set.horizons, set.len()), (2, 2));
        assert_eq!(set.target, [Some(0.0), Some(0.0), Some(0.002), None]);
        assert_eq!(set.labels(1), [Some(0.002), None]);
    }

    #[test]
    fn the_samples_of_a_range_of_bars_lie_together() {
        let panel = Panel::new(vec![series(0, &[0, 1, 2, 3], 1), series(1, &[1, 3, 5], 1)]).expect("sane");
        let place = |series, row| Sample { series, row };
        let samples = vec![place(0, 1), place(1, 0), place(0, 2), place(0, 3), place(1, 1), place(1, 2)];
        let set = SampleSet::with_all_labels(&panel, samples);
        // The axis is days 0, 1, 2, 3, 5.
        assert_eq!(set.within(&panel, &(1..3)), 0..3);
        assert_eq!(set.within(&panel, &(3..4)), 3..5);
        assert_eq!(set.within(&panel, &(4..5)), 5..6);
        assert_eq!(set.within(&panel, &(0..1)), 0..0);
        assert_eq!(set.within(&panel, &(2..2)), 0..0);
    }
}
