//! Where the data are cut: a pure function of the data's times, the folds and the seed.

use std::fmt;

use serde::{Deserialize, Serialize};
use tidegate_forecast::Split;
use tidegate_market::{BarLabel, Timestamp};

use super::altered::Noise;
use crate::ExperimentError;
use crate::dataset::Dataset;

/// What a cut is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CutKind {
    /// While features warm up: bars, features and labels.
    WarmUp,
    /// After the last bar before a fold's test block: what its members learn from, and everything before.
    BeforeFold(u32),
    /// Inside a fold's test block: everything.
    InsideFold(u32),
    /// Anywhere, where nothing is trained: everything.
    Anywhere,
    /// An open at which an order filled: everything known by that open.
    AtOpen,
}

impl fmt::Display for CutKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WarmUp => f.write_str("in the warm-up"),
            Self::BeforeFold(fold) => write!(f, "before the test block of fold {fold}"),
            Self::InsideFold(fold) => write!(f, "in the test block of fold {fold}"),
            Self::Anywhere => f.write_str("where nothing is trained"),
            Self::AtOpen => f.write_str("at an open that filled an order"),
        }
    }
}

/// A moment at which the data are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    /// The last moment that is known.
    pub(super) time: Timestamp,
    /// The label of the last bar that is known in full.
    pub(super) label: Timestamp,
    pub(super) kind: CutKind,
}

/// The closing times of all bars, at which data can be cut.
pub(super) struct Axis<'a> {
    dataset: &'a Dataset,
    closes: Vec<Timestamp>,
}

/// The most cuts in the warm-up.
const WARM_UP_CUTS: usize = 4;

impl<'a> Axis<'a> {
    pub(super) fn new(dataset: &'a Dataset) -> Self {
        let of_symbol =
            |bars: &'a std::sync::Arc<tidegate_market::Bars>| (0..bars.len()).map(|row| bars.close_time(row));
        let mut closes: Vec<Timestamp> = dataset.bars.iter().flat_map(of_symbol).collect();
        closes.sort_unstable();
        closes.dedup();
        Self { dataset, closes }
    }

    /// Returns whether every symbol has a bar by then, none is in the middle of one, and something comes after.
    fn can_cut(&self, place: usize) -> bool {
        let time = self.closes[place];
        let fits = |bars: &std::sync::Arc<tidegate_market::Bars>| {
            let rows = bars.len();
            let next = rows_closed_by(bars, time);
            next > 0 && (next == rows || bars.open_time(next) >= time)
        };
        place + 1 < self.closes.len() && self.dataset.bars.iter().all(fits)
    }

    fn cut(&self, place: usize, kind: CutKind) -> Cut {
        let time = self.closes[place];
        Cut { time, label: self.label(time), kind }
    }

    /// Returns the label of bars that close at a moment.
    fn label(&self, close: Timestamp) -> Timestamp {
        let bars = &self.dataset.bars[0];
        match bars.label() {
            BarLabel::Open => close.plus_nanos(-bars.interval().nanos()),
            BarLabel::Close => close,
        }
    }

    /// Returns the cut at an open: what is known is the bars that have closed by then, and the open itself.
    pub(super) fn at_open(&self, open: Timestamp) -> Option<Cut> {
        let place = self.closes.partition_point(|&close| close <= open).checked_sub(1)?;
        Some(Cut { time: open, label: self.label(self.closes[place]), kind: CutKind::AtOpen })
    }

    /// Samples cuts in the warm-up of features, before test blocks and inside of them, or anywhere where nothing is trained.
    ///
    /// # Errors
    /// When there is no bar to cut at.
    pub(super) fn sample(
        &self,
        folds: &[Split],
        look_backs: &[usize],
        count: usize,
        seed: u64,
    ) -> Result<Vec<Cut>, ExperimentError> {
        let mut cuts = self.warm_up(look_backs);
        let noise = &mut Noise(seed);
        if folds.is_empty() {
            let places = self.spread(self.closes.len() / 10..self.closes.len(), count, noise);
            cuts.extend(places.into_iter().map(|place| self.cut(place, CutKind::Anywhere)));
        } else {
            let before = count.div_ceil(2).min(folds.len());
            let boundaries = (0..before).map(|step| &folds[step * folds.len() / before]);
            let boundaries = boundaries.filter(|fold| self.can_cut(fold.test[0].start - 1));
            cuts.extend(boundaries.map(|fold| self.cut(fold.test[0].start - 1, CutKind::BeforeFold(fold.index))));
            let places = self.spread(folds[0].test[0].start..self.closes.len(), count - before.min(count), noise);
            let inside = |place: usize| {
                let fold = folds.iter().rev().find(|fold| fold.test[0].start <= place).unwrap_or(&folds[0]);
                self.cut(place, CutKind::InsideFold(fold.index))
            };
            cuts.extend(places.into_iter().map(inside));
        }
        if cuts.is_empty() {
            let rule = "the data must have a bar to cut after: one at whose close no other symbol's bar is open";
            return Err(ExperimentError::Sample(format!("{rule}; found none in `{}` closes", self.closes.len())));
        }
        cuts.sort_by_key(|cut| cut.time);
        cuts.dedup_by_key(|cut| cut.time);
        Ok(cuts)
    }

    /// Returns the places just before each feature has its first value: what is filled from the back shows there.
    fn warm_up(&self, look_backs: &[usize]) -> Vec<Cut> {
        let Some(first) = (0..self.closes.len()).find(|&place| self.can_cut(place)) else { return Vec::new() };
        let mut places: Vec<usize> = look_backs.iter().map(|bars| first + bars.saturating_sub(1)).collect();
        places.sort_unstable();
        places.dedup();
        places.retain(|&place| place < self.closes.len() && self.can_cut(place));
        let kept = places.len().min(WARM_UP_CUTS);
        (0..kept).map(|step| self.cut(places[step * places.len() / kept], CutKind::WarmUp)).collect()
    }

    /// Returns one place in each of so many parts of a range, as near after a random one as the data can be cut.
    fn spread(&self, range: std::ops::Range<usize>, count: usize, noise: &mut Noise) -> Vec<usize> {
        let len = range.len();
        let mut places = Vec::with_capacity(count);
        for part in 0..count {
            let (first, end) = (range.start + len * part / count, range.start + len * (part + 1) / count);
            if first < end {
                let start = first + (noise.next() % (end - first) as u64) as usize;
                places.extend((start..end).chain(first..start).find(|&place| self.can_cut(place)));
            }
        }
        places
    }
}

/// Returns how many bars have closed by a moment.
pub(super) fn rows_closed_by(bars: &tidegate_market::Bars, time: Timestamp) -> usize {
    let label = match bars.label() {
        BarLabel::Open => time.plus_nanos(-bars.interval().nanos()),
        BarLabel::Close => time,
    };
    bars.time().partition_point(|&own| own <= label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::tests::support::whole_dataset;

    fn fold(index: u32, test: std::ops::Range<usize>) -> Split {
        let train = std::iter::once(0..5).collect();
        Split { index, train, valid: 5..test.start, test: vec![test], embargo_bars: 0 }
    }

    #[test]
    fn half_the_cuts_stand_before_test_blocks_and_half_inside() {
        let dataset = whole_dataset(100);
        let axis = Axis::new(&dataset);
        let folds = [fold(0, 40..60), fold(1, 60..80), fold(2, 80..100)];
        let cuts = axis.sample(&folds, &[], 4, 1).expect("bars to cut at");
        let before: Vec<_> = cuts.iter().filter(|cut| matches!(cut.kind, CutKind::BeforeFold(_))).collect();
        assert_eq!(
            before.iter().map(|cut| cut.label).collect::<Vec<_>>(),
            [39, 59].map(|row| dataset.bars[0].time()[row])
        );
        for cut in cuts.iter().filter(|cut| !before.contains(cut)) {
            let row = dataset.bars[0].time().binary_search(&cut.label).expect("a bar");
            let index = u32::try_from((row - 40) / 20).expect("small");
            assert_eq!((cut.kind, cut.time), (CutKind::InsideFold(index), dataset.bars[0].close_time(row)));
            assert!(row < 99, "something comes after");
        }
        assert_eq!(axis.sample(&folds, &[], 4, 1).expect("again"), cuts);
        assert_ne!(axis.sample(&folds, &[], 4, 2).expect("another seed"), cuts);
    }

    #[test]
    fn features_are_cut_where_their_first_value_is_still_to_come() {
        let dataset = whole_dataset(100);
        let cuts = Axis::new(&dataset).sample(&[], &[10, 3, 10], 1, 1).expect("bars to cut at");
        let warm: Vec<_> = cuts.iter().filter(|cut| cut.kind == CutKind::WarmUp).map(|cut| cut.label).collect();
        // With three bars of look-back rows 0 to 2 have no value, and the cut after row 2 is the last that sees none.
        assert_eq!(warm, [2, 9].map(|row| dataset.bars[0].time()[row]));
    }

    #[test]
    fn one_bar_leaves_nothing_to_cut() {
        let error = Axis::new(&whole_dataset(1)).sample(&[], &[], 3, 1).expect_err("one bar").to_string();
        assert!(error.contains("must have a bar to cut after") && error.contains("`1` closes"), "{error}");
    }
}
